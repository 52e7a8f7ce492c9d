/* SPDX-License-Identifier: Apache-2.0 */
#include "core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "core/core_inside.h"
#include "core/notes.h"
#include "core/trace.h"

#define TICK_US        (100 * CLOCK_MS_US)
#define FIRST_START_US (5 * CLOCK_S_US)

static int lock_folder(const char *folder, mode_t mode, int *ret_fd)
{
	char path[1024];
	struct stat st;

	if (mkdir(folder, mode) < 0 && errno != EEXIST)
		return -errno;
	if (stat(folder, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	if (snprintf(path, sizeof(path), "%s/lock", folder) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	*ret_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*ret_fd < 0)
		return -errno;
	return flock(*ret_fd, LOCK_EX | LOCK_NB) < 0 ? -EBUSY : 0;
}

/* One gateway for one folder, where nobody else can put a file. */
static int take_folder(const char *what, const char *folder, mode_t mode, int *ret_fd)
{
	int r = lock_folder(folder, mode, ret_fd);

	if (r < 0)
		log_error("cannot use the %s folder \"%s\" (%s)", what, folder,
			  r == -EBUSY   ? "another gateway uses it"
			  : r == -EPERM ? "it does not belong to the gateway's user alone"
					: strerror(-r));
	return r;
}

static bool turn_away(void *arg, pid_t pid)
{
	struct core *core = arg;

	return supervisor_owns(core->supervisor, pid) || core_renewal_owns(core, pid);
}

static int is_unsettled(void *arg, struct instance *instance)
{
	(void)arg;
	return instance_state(instance) != INSTANCE_RUNNING && instance_restarts(instance) == 0;
}

/* READY once every endpoint runs, or has failed to at its first try: a broken endpoint does not hold up the others. */
static void check_ready(struct core *core)
{
	bool late = loop_now_us(core->loop) - core->started_us > FIRST_START_US;

	if (core->state != CORE_STARTING || (!late && supervisor_each(core->supervisor, is_unsettled, NULL)))
		return;
	core->state = CORE_RUNNING;
	core_notify_ready(core);
	log_notice("gateway \"%s\" is ready after %lld ms", core->config->gateway,
		   (long long)((loop_now_us(core->loop) - core->started_us) / CLOCK_MS_US));
}

static void on_tick(void *arg)
{
	struct core *core = arg;

	int64_t now = loop_now_us(core->loop);

	loop_timer_set(core->tick, now + (core->state == CORE_STARTING ? TICK_US / 20 : TICK_US));
	core_clock_tick(core);
	core_certs_tick(core);
	check_ready(core);
	core_devices_tick(core);
	core_tickets_tick(core);
	core_readings_tick(core);
	core_trial_tick(core);
	core_check_drain(core);
	core_renewal_tick(core);
	core_notify_tick(core);
}

static const char *why_not(int r)
{
	return r == -ENOTSUP ? "a newer version of tidegate made it, and this one does not know it: install that again"
			     : strerror(-r);
}

static int open_stores(struct core *core)
{
	const struct config_store *limits = &core->config->store;
	const struct store_settings settings = {limits->disk_bytes, limits->reserve_bytes, limits->mirror};
	int r = core_notes_new(core);

	if (r < 0)
		return r;
	r = devices_new(core->places->state_dir, &core->devices);
	if (r < 0) {
		log_error("cannot open the registry of devices in \"%s\" (%s)", core->places->state_dir, why_not(r));
		return r;
	}
	core_devices_unlock(core);
	r = store_new(core->loop, core->places->state_dir, &settings, &core->store);
	if (r >= 0)
		r = ledger_new(core->store, &core->ledger);
	if (r < 0)
		log_error("cannot open the store in \"%s\" (%s)", core->places->state_dir, why_not(r));
	return r;
}

static int open_sockets(struct core *core)
{
	const struct supervisor_settings settings = {core->places->run_dir, core->places->endpoint_program,
						     core->places->adapter_dir, core->config->limits.restart_min_us,
						     core->config->limits.restart_max_us};
	char path[1024];
	int r = supervisor_new(core->loop, &settings, &core_supervisor_events, core, &core->supervisor);

	if (r >= 0 && snprintf(path, sizeof(path), "%s/control.sock", core->places->run_dir) >= (int)sizeof(path))
		r = -ENAMETOOLONG;
	if (r >= 0)
		r = control_new(core->loop, path, core_commands, turn_away, core, &core->control);
	if (r < 0)
		log_error("cannot open the sockets in \"%s\" (%s)", core->places->run_dir, strerror(-r));
	return r;
}

static int build(struct core *core)
{
	int r = take_folder("state", core->places->state_dir, 0700, &core->state_lock_fd);

	if (r >= 0)
		r = take_folder("run", core->places->run_dir, 0750, &core->run_lock_fd);
	if (r < 0)
		return r;
	r = core_clock_new(core);
	if (r >= 0)
		r = core_certs_new(core);
	if (r >= 0)
		r = trust_new(&core->trust);
	if (r >= 0)
		r = intake_new(&core_intake_ops, core, &core->intake);
	if (r >= 0)
		r = sessions_new(&core->sessions);
	if (r >= 0)
		r = trace_new(core->config->limits.trace_events, &core->trace);
	if (r >= 0)
		r = core_readings_new(core);
	if (r >= 0)
		r = core_files_new(core);
	if (r >= 0)
		r = router_new(core->config, &core->router);
	if (r >= 0)
		r = loop_timer_new(core->loop, on_tick, core, &core->tick);
	if (r < 0) {
		log_error("cannot start (%s)", strerror(-r));
		return r;
	}
	r = open_stores(core);
	if (r >= 0)
		r = open_sockets(core);
	return r;
}

int core_new(struct loop *loop, const struct core_places *places, struct descriptor_set *adapters,
	     struct activation *activation, struct config *config, struct core **ret_core)
{
	struct core *core = calloc(1, sizeof(*core));
	int r;

	if (!core)
		return -ENOMEM;
	core->loop = loop;
	core->places = places;
	core->adapters = adapters;
	core->activation = activation;
	core->config = config_ref(config);
	core->profile_epoch = 1;
	core->state_lock_fd = core->run_lock_fd = -1;
	core->watchdog_us = loop_watchdog_us();
	core->started_us = clock_now_us();
	core->refused_log = (struct log_limit){.span_us = 10 * CLOCK_S_US, .burst = 10};
	core->dropped_log = core->registry_log = core->notes_log = core->refused_log;
	r = build(core);
	if (r >= 0)
		r = core_endpoints_apply(core);
	if (r < 0) {
		core_free(core);
		return r;
	}
	core_sockets_sort_out(core);
	supervisor_end_strangers(core->supervisor);
	core_trial_apply(core);
	loop_timer_set(core->tick, 1);
	*ret_core = core;
	return 0;
}

void core_free(struct core *core)
{
	if (!core)
		return;
	if (core->ledger)
		ledger_save_all(core->ledger);
	if (core->store)
		store_stop(core->store); /* what it brings to an end may still be answered */
	control_free(core->control);
	if (core->supervisor)
		core_processes_forget(core);
	supervisor_free(core->supervisor);
	core_endpoints_free(core);
	ledger_free(core->ledger);
	store_free(core->store);
	router_free(core->router);
	intake_free(core->intake);
	core_readings_free(core);
	trace_free(core->trace);
	notes_free(core->notes);
	sessions_free(core->sessions);
	files_free(core->files);
	devices_free(core->devices);
	trust_free(core->trust);
	core_certs_free(core);
	core_clock_free(core);
	loop_timer_free(core->stop_tick);
	loop_timer_free(core->deadline);
	loop_timer_free(core->tick);
	config_unref(core->config);
	if (core->state_lock_fd >= 0)
		close(core->state_lock_fd);
	if (core->run_lock_fd >= 0)
		close(core->run_lock_fd);
	free(core);
}
