/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h> /* the build's */

/* The clocks of the machine, read for the guard (guard.h); what it decides goes to the log, the endpoints, status and STATE/clock. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>

#include "base/clock.h"
#include "core/clock_ask.h"
#include "core/core_inside.h"
#include "core/events.h"
#include "core/guard.h"

#define LOOK_US  CLOCK_S_US
#define STEP_US  CLOCK_S_US
#define KEEP_US  (3600 * CLOCK_S_US)
#define BUILD_US ((int64_t)TG_BUILD_TIME * CLOCK_S_US)

struct core_clock {
	struct guard guard;
	struct clock_ask ask;
	int64_t looked_us;
	int64_t distance_us; /* of the clock to the monotonic one, when it was looked at */
	int64_t told_us;     /* the same of what the endpoints were told */
	int64_t kept_wall_us;
	bool keep_failed;
	struct log_limit log;
};

/* ProtectClock= of systemd forbids the call; then tidegate-clock is asked and, where that is missing too, the mark of
 * systemd-timesyncd has to do. */
static bool is_synchronised(struct core_clock *clock)
{
	struct timex state = {.modes = 0};
	int said;

	if (adjtimex(&state) >= 0)
		return !(state.status & STA_UNSYNC);
	said = clock_ask_next(&clock->ask);
	return said < 0 ? access("/run/systemd/timesync/synchronized", F_OK) == 0 : said > 0;
}

static int clock_path(const struct core *core, const char *name, char path[1024])
{
	return snprintf(path, 1024, "%s/%s", core->places->state_dir, name) >= 1024 ? -ENAMETOOLONG : 0;
}

/* Errors: -ENOENT: nothing was kept yet; -EINVAL: it is damaged. */
static int read_seen(const struct core *core, struct guard_seen *ret_seen)
{
	char path[1024], text[GUARD_TEXT_SIZE + 1];
	int fd CLEANUP_CLOSE = -1;
	ssize_t n;

	if (clock_path(core, "clock", path) < 0)
		return -EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return guard_seen_parse(text, ret_seen);
}

static int write_file(const char *path, const char *text)
{
	int fd CLEANUP_CLOSE = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t size = strlen(text);

	if (fd < 0 || write(fd, text, size) != (ssize_t)size || fsync(fd) < 0)
		return errno ? -errno : -EIO;
	return 0;
}

static int write_seen(const struct core *core, const struct guard_seen *seen)
{
	char path[1024], fresh[1024], text[GUARD_TEXT_SIZE];
	int r = clock_path(core, "clock", path);

	if (r >= 0)
		r = clock_path(core, "clock.new", fresh);
	guard_seen_format(seen, text);
	if (r >= 0)
		r = write_file(fresh, text);
	if (r >= 0 && rename(fresh, path) < 0)
		r = -errno;
	return r;
}

/* A box that cannot keep the time has other troubles, which say more of themselves. */
static void keep(struct core *core, bool anyway)
{
	struct core_clock *clock = core->clock;
	const struct guard_seen seen = guard_seen(&clock->guard, loop_now_us(core->loop));
	int64_t further_us = seen.wall_us - clock->kept_wall_us;
	int r;

	if (!anyway && further_us < KEEP_US && further_us > -KEEP_US)
		return;
	r = write_seen(core, &seen);
	if (r < 0 && !clock->keep_failed)
		log_warning("the last time seen cannot be kept in \"%s/clock\" (%s)", core->places->state_dir,
			    strerror(-r));
	clock->keep_failed = r < 0;
	clock->kept_wall_us = seen.wall_us; /* not tried again before another hour */
}

static struct guard_settings settings_of(const struct core *core)
{
	const struct config_clock *config = &core->config->clock;

	return (struct guard_settings){.believe_after_us = config->believe_after_us,
				       .sync_deadline_us = config->wait_for_sync ? config->sync_deadline_us : 0};
}

static void log_doubt(const struct core *core, const char *says, const char *used)
{
	static const struct log_fields fields = {.event = EVENT_CLOCK_DOUBTED};
	const struct config_clock *config = &core->config->clock;

	switch (core->clock->guard.state) {
	case GUARD_WAITING:
		log_fields_write(LOG_LEVEL_NOTICE, &fields,
				 "the clock says %s and is not synchronised: using %s, for %lld s at most", says, used,
				 (long long)(config->sync_deadline_us / CLOCK_S_US));
		break;
	case GUARD_JUMPED:
		log_fields_write(LOG_LEVEL_WARNING, &fields,
				 "the clock jumped from %s to %s and is not synchronised: using the former until the "
				 "latter has held for %lld s; if it is right, say so: tidegatectl clock accept",
				 used, says, (long long)(config->believe_after_us / CLOCK_S_US));
		break;
	case GUARD_BEHIND:
		log_fields_write(LOG_LEVEL_WARNING, &fields,
				 "the clock says %s, which is before the last time seen: using %s; set it with "
				 "timedatectl or let NTP do so, or, if it is right: tidegatectl clock accept",
				 says, used);
		break;
	default:
		log_fields_write(LOG_LEVEL_WARNING, &fields,
				 "the clock says %s, years beyond the last time seen: using %s; set it with "
				 "timedatectl or let NTP do so, or, if it is right: tidegatectl clock accept",
				 says, used);
	}
}

static void log_news(struct core *core, const struct guard_report *report)
{
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
	unsigned left_out;

	if (report->news == GUARD_QUIET || !log_limit_pass(&core->clock->log, loop_now_us(core->loop), &left_out))
		return;
	clock_format_seconds(report->from_wall_us, from);
	clock_format_seconds(report->to_wall_us, to);
	if (report->news == GUARD_DOUBTED)
		log_doubt(core, to, from);
	else if (report->news == GUARD_MOVED)
		log_fields_write(LOG_LEVEL_WARNING, &(struct log_fields){.event = EVENT_CLOCK_MOVED},
				 "the clock jumped from %s to %s, and is believed", from, to);
	else
		log_fields_write(LOG_LEVEL_NOTICE, &(struct log_fields){.event = EVENT_CLOCK_RIGHT},
				 "the clock says %s and is believed now, %s was used before", to, from);
	if (left_out)
		log_warning("the clock was changed too often: %u lines left out", left_out);
}

int64_t core_now_wall_us(const struct core *core)
{
	return guard_now(&core->clock->guard, loop_now_us(core->loop));
}

struct frame core_clock_frame(const struct core *core)
{
	int64_t now_us = clock_now_us();

	return (struct frame){.type = FRAME_CLOCK,
			      .clock = {.wall_us = guard_now(&core->clock->guard, now_us), .at_us = now_us}};
}

static int tell_one(void *arg, struct instance *instance)
{
	const struct frame frame = core_clock_frame(arg);

	if (instance_is_configured(instance) && instance_send(instance, &frame) < 0)
		log_fields_write(LOG_LEVEL_DEBUG, &(struct log_fields){.endpoint = instance_endpoint(instance)},
				 "could not be told the time");
	return 0;
}

/* Those that join later are told then. */
static void tell_endpoints(struct core *core)
{
	struct core_clock *clock = core->clock;
	int64_t now_us = loop_now_us(core->loop);
	int64_t distance_us = guard_now(&clock->guard, now_us) - now_us, moved_us = distance_us - clock->told_us;

	if (moved_us < STEP_US && moved_us > -STEP_US)
		return;
	clock->told_us = distance_us;
	if (core->supervisor)
		supervisor_each(core->supervisor, tell_one, core);
	core_certs_soon(core);
}

static void look(struct core *core)
{
	struct core_clock *clock = core->clock;
	struct guard_look look = {.now_us = loop_now_us(core->loop), .synchronised = is_synchronised(clock)};
	struct guard_report report;

	look.wall_us = clock_wall_us();
	clock->looked_us = look.now_us;
	clock->distance_us = look.wall_us - look.now_us;
	report = guard_look(&clock->guard, &look);
	log_news(core, &report);
	tell_endpoints(core);
}

int core_clock_new(struct core *core)
{
	struct core_clock *clock = calloc(1, sizeof(*clock));
	const struct guard_settings settings = settings_of(core);
	struct guard_seen seen = {0, 0};
	int r;

	if (!clock)
		return -ENOMEM;
	core->clock = clock;
	clock_ask_init(&clock->ask, core->places->clock_socket);
	clock->log = (struct log_limit){.span_us = 60 * CLOCK_S_US, .burst = 10};
	r = read_seen(core, &seen);
	if (r < 0 && r != -ENOENT)
		log_warning("the last time seen cannot be read from \"%s/clock\" and is done without (%s)",
			    core->places->state_dir, r == -EINVAL ? "damaged" : strerror(-r));
	guard_init(&clock->guard, &settings, BUILD_US, &seen, loop_now_us(core->loop));
	clock->kept_wall_us = r < 0 ? 0 : seen.wall_us;
	look(core);
	return 0;
}

void core_clock_free(struct core *core)
{
	if (core->clock && core->state == CORE_STOPPING)
		keep(core, true);
	if (core->clock)
		clock_ask_done(&core->clock->ask);
	free(core->clock);
	core->clock = NULL;
}

void core_clock_apply(struct core *core)
{
	const struct guard_settings settings = settings_of(core);

	guard_set(&core->clock->guard, &settings);
}

void core_clock_tick(struct core *core)
{
	struct core_clock *clock = core->clock;
	int64_t now_us = loop_now_us(core->loop), moved_us = clock_wall_us() - now_us - clock->distance_us;

	if (moved_us < STEP_US && moved_us > -STEP_US && now_us - clock->looked_us < LOOK_US)
		return;
	look(core);
	keep(core, false);
}

json_t *core_clock_describe(struct core *core, json_t *problems)
{
	static const char *const names[] = {"synchronised", "not synchronised", "waiting for synchronisation",
					    "jumped",       "behind",           "ahead"};
	const struct guard *guard = &core->clock->guard;
	char used[CLOCK_TEXT_SIZE], says[CLOCK_TEXT_SIZE], problem[256];

	clock_format_seconds(core_now_wall_us(core), used);
	clock_format_seconds(clock_wall_us(), says);
	if (guard->state > GUARD_WAITING) {
		snprintf(problem, sizeof(problem),
			 "the clock says %s and is not believed (%s): %s is used; set it, or, if it is right: "
			 "tidegatectl clock accept",
			 says, names[guard->state], used);
		json_array_append_new(problems, json_string(problem));
	}
	return json_pack("{s:s,s:s,s:b,s:s}", "time", used, "state", names[guard->state], "believed",
			 guard->state <= GUARD_FREE, "system", says);
}

void core_command_clock_accept(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	json_t *problems;

	(void)request;
	if (guard_accept(&core->clock->guard, loop_now_us(core->loop), clock_wall_us()) < 0) {
		control_fail(call, "failed",
			     "the clock says a time before this program was made, or far beyond: set it "
			     "first");
		return;
	}
	log_notice("the clock is believed, because somebody said so (tidegatectl clock accept)");
	keep(core, true);
	look(core);
	problems = json_array();
	control_reply(call, core_clock_describe(core, problems));
	json_decref(problems);
}
