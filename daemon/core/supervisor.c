/* SPDX-License-Identifier: Apache-2.0 */
#include "core/supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/random.h"
#include "core/instance.h"

/* How long a process may take from its start to STARTED, and after how long of running a failure is a new one. */
#define JOIN_US   (10 * CLOCK_S_US)
#define STABLE_US (10 * CLOCK_S_US)
#define TICK_US   (50 * CLOCK_MS_US)
#define AWAIT_MS  1000
#define AWAKE_US  (5 * CLOCK_S_US)

static void set_tick(struct supervisor *supervisor)
{
	supervisor->tick_us = loop_now_us(supervisor->loop) + TICK_US;
	loop_timer_set(supervisor->tick, supervisor->tick_us);
}

/* The process is gone or has been killed: plan the next start. */
static void plan_restart(struct instance *instance)
{
	struct supervisor *supervisor = instance->supervisor;
	bool was_running = instance->state == INSTANCE_RUNNING;
	bool was_stopping = instance->state == INSTANCE_STOPPING;
	int64_t now = loop_now_us(supervisor->loop), delay;

	instance_end(instance);
	if (was_stopping || supervisor->stopping || instance->removed) {
		instance_set_state(instance, INSTANCE_STOPPED);
	} else {
		delay = backoff_next(&instance->backoff, random_u32());
		instance->start_at_us = now + delay;
		instance->restarts++;
		instance_set_state(instance, INSTANCE_WAITING);
		log_fields_write(LOG_LEVEL_WARNING, &(struct log_fields){.endpoint = instance->endpoint},
				 "process of worker %u is gone (%s), starting it again in %.1f s", instance->worker,
				 instance->problem[0] ? instance->problem : "ended by itself", (double)delay / 1e6);
	}
	supervisor->events->gone(supervisor->arg, instance, was_running);
	supervisor_check_stopped(supervisor);
}

void supervisor_kill(struct instance *instance, const char *why)
{
	snprintf(instance->problem, sizeof(instance->problem), "%s", why);
	plan_restart(instance);
}

void supervisor_on_exit(struct instance *instance)
{
	plan_restart(instance);
}

void supervisor_on_running(struct instance *instance)
{
	instance->problem[0] = 0;
	instance->supervisor->events->running(instance->supervisor->arg, instance);
}

/* The time that it has to start begins anew only for one that was running. */
static void lose_link(struct instance *instance)
{
	bool was_running = instance->state == INSTANCE_RUNNING;

	if (was_running)
		instance_set_state(instance, INSTANCE_STARTING);
	instance->state = INSTANCE_STARTING;
	instance->supervisor->events->gone(instance->supervisor->arg, instance, was_running);
}

void supervisor_on_link_closed(struct instance *instance, int reason)
{
	if (reason < 0) {
		char why[128];

		snprintf(why, sizeof(why), "broke the wire's rules (%s)", strerror(-reason));
		supervisor_kill(instance, why);
		return;
	}
	if (instance->state == INSTANCE_STOPPING)
		return; /* its end is on its way */
	/* It dies, which its pid tells next, or it comes again: until JOIN_US. */
	lose_link(instance);
}

static void start(struct instance *instance)
{
	int r = instance_begin(instance);

	if (r == -EBUSY) {
		instance->start_at_us = loop_now_us(instance->supervisor->loop) + TICK_US;
	} else if (r < 0) {
		snprintf(instance->problem, sizeof(instance->problem), "cannot start \"%s\" (%s)",
			 instance->supervisor->settings.program, strerror(-r));
		plan_restart(instance);
	}
}

static void ping(struct instance *instance, int64_t now)
{
	struct frame frame = {.type = FRAME_PING, .number = {now}};

	if (now - instance->ping_us < instance->heartbeat_us / 4)
		return;
	instance->ping_us = now;
	if (link_send(instance->link, &frame) < 0)
		supervisor_kill(instance, "does not read what it is sent");
}

static void watch_over(struct instance *instance, int64_t now)
{
	switch (instance->state) {
	case INSTANCE_WAITING:
		if (now >= instance->start_at_us)
			start(instance);
		break;
	case INSTANCE_STARTING:
	case INSTANCE_JOINED:
		if (now - instance->since_us > JOIN_US)
			supervisor_kill(instance, instance->problem[0] ? instance->problem : "did not start in time");
		break;
	case INSTANCE_RUNNING:
		if (now - instance->since_us > STABLE_US)
			backoff_reset(&instance->backoff);
		if (now - instance->pong_us > instance->heartbeat_us)
			supervisor_kill(instance, "hangs: its heartbeat is missing");
		else
			ping(instance, now);
		break;
	case INSTANCE_STOPPING:
		if (now > instance->supervisor->stop_at_us)
			supervisor_kill(instance, "did not stop in time");
		break;
	case INSTANCE_STOPPED:
		break;
	}
}

static void on_tick(void *arg)
{
	struct supervisor *supervisor = arg;
	int64_t now = loop_now_us(supervisor->loop), late = now - supervisor->tick_us;
	struct instance *next;

	set_tick(supervisor);
	leaving_watch_over(supervisor, now);
	for (struct instance *i = supervisor->first; i; i = next) {
		next = i->next;
		if (late > TICK_US) { /* it was this process that heard nobody */
			i->pong_us += late;
			i->since_us += late;
		}
		watch_over(i, now);
	}
}

static struct instance *find_pid(struct supervisor *supervisor, pid_t pid)
{
	for (struct instance *i = supervisor->first; i; i = i->next) {
		if (i->pid == pid && pid > 0)
			return i;
	}
	return NULL;
}

/* Who connects is known by the kernel's word, before a byte is read. */
static void on_connect(void *arg, int listen_fd, uint32_t ready)
{
	struct supervisor *supervisor = arg;
	struct ucred peer = {.pid = 0};
	socklen_t size = sizeof(peer);
	struct instance *instance;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)ready;
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid()) {
		log_warning("a process of user %u tried to join as an endpoint, refused", peer.uid);
		close(fd);
		return;
	}
	instance = find_pid(supervisor, peer.pid);
	if (!instance || (instance->state != INSTANCE_STARTING && instance->state != INSTANCE_RUNNING)) {
		log_debug("process %d tried to join as an endpoint and is none, refused", peer.pid);
		close(fd);
		return;
	}
	if (instance->link) { /* it lost the old link before we heard of it */
		link_free(instance->link);
		instance->link = NULL;
		lose_link(instance);
	}
	if (instance_join(instance, fd) < 0)
		supervisor_kill(instance, "cannot be listened to (out of memory)");
}

/* There is never a moment without the socket's name: processes that wait for another core take it for a gateway that was stopped for
 * good when the name goes (joint.c). */
static int open_socket(struct supervisor *supervisor)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int r;

	if (asprintf(&supervisor->socket_path, "%s/core.sock", supervisor->settings.run_dir) < 0)
		return -ENOMEM;
	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s.new", supervisor->socket_path) >=
	    (int)sizeof(address.sun_path))
		return -ENAMETOOLONG;
	supervisor->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (supervisor->listen_fd < 0)
		return -errno;
	unlink(address.sun_path);
	mask = umask(0177);
	r = bind(supervisor->listen_fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (r < 0 || listen(supervisor->listen_fd, 64) < 0 || rename(address.sun_path, supervisor->socket_path) < 0)
		return -errno;
	return loop_io_new(supervisor->loop, supervisor->listen_fd, LOOP_READABLE, on_connect, supervisor,
			   &supervisor->listen_io);
}

int supervisor_new(struct loop *loop, const struct supervisor_settings *settings,
		   const struct supervisor_events *events, void *arg, struct supervisor **ret_supervisor)
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
	int r;

	if (!supervisor)
		return -ENOMEM;
	supervisor->loop = loop;
	supervisor->settings = *settings;
	supervisor->events = events;
	supervisor->arg = arg;
	supervisor->listen_fd = -1;
	r = open_socket(supervisor);
	if (r >= 0)
		r = loop_timer_new(loop, on_tick, supervisor, &supervisor->tick);
	if (r < 0) {
		supervisor_free(supervisor);
		return r;
	}
	set_tick(supervisor);
	*ret_supervisor = supervisor;
	return 0;
}

void supervisor_free(struct supervisor *supervisor)
{
	bool some_left = false;

	if (!supervisor)
		return;
	while (supervisor->first) {
		struct instance *instance = supervisor->first;

		supervisor->first = instance->next;
		some_left = some_left || instance->left;
		if (instance->left)
			instance_part(instance);
		instance_free(instance);
	}
	leaving_await(supervisor, AWAIT_MS);
	loop_timer_free(supervisor->tick);
	loop_io_free(supervisor->listen_io);
	if (supervisor->listen_fd >= 0) {
		close(supervisor->listen_fd);
		if (!some_left)
			unlink(supervisor->socket_path);
	}
	free(supervisor->socket_path);
	free(supervisor);
}

int supervisor_add(struct supervisor *supervisor, const char *endpoint, unsigned worker, int64_t heartbeat_us)
{
	struct instance *instance = calloc(1, sizeof(*instance)), **last = &supervisor->first;

	if (!instance)
		return -ENOMEM;
	instance->endpoint = strdup(endpoint);
	if (!instance->endpoint) {
		free(instance);
		return -ENOMEM;
	}
	instance->supervisor = supervisor;
	instance->id = ++supervisor->last_id;
	instance->worker = worker;
	instance->heartbeat_us = heartbeat_us;
	instance->pid_fd = -1;
	instance->backoff =
		(struct backoff){supervisor->settings.backoff_min_us, supervisor->settings.backoff_max_us, 0};
	while (*last)
		last = &(*last)->next;
	*last = instance;
	start(instance);
	return 0;
}

static void forget(struct supervisor *supervisor, struct instance *instance)
{
	struct instance **at = &supervisor->first;

	while (*at != instance)
		at = &(*at)->next;
	*at = instance->next;
	instance_free(instance);
}

void supervisor_set_times(struct supervisor *supervisor, int64_t backoff_min_us, int64_t backoff_max_us,
			  int64_t heartbeat_us)
{
	supervisor->settings.backoff_min_us = backoff_min_us;
	supervisor->settings.backoff_max_us = backoff_max_us;
	for (struct instance *i = supervisor->first; i; i = i->next) {
		i->backoff.min_us = backoff_min_us;
		i->backoff.max_us = backoff_max_us;
		i->heartbeat_us = heartbeat_us;
	}
}

void supervisor_remove(struct supervisor *supervisor, const char *endpoint)
{
	struct instance *next;

	for (struct instance *i = supervisor->first; i; i = next) {
		next = i->next;
		if (strcmp(i->endpoint, endpoint) != 0)
			continue;
		i->removed = true;
		if (i->state != INSTANCE_STOPPED)
			supervisor_kill(i, "taken out of the configuration");
		forget(supervisor, i);
	}
}

int supervisor_each(struct supervisor *supervisor, int (*fn)(void *arg, struct instance *instance), void *arg)
{
	int r = 0;

	for (struct instance *i = supervisor->first; i && r == 0; i = i->next)
		r = fn(arg, i);
	return r;
}

bool supervisor_is_awake(struct supervisor *supervisor)
{
	int64_t now = loop_now_us(supervisor->loop);

	for (struct instance *i = supervisor->first; i; i = i->next) {
		if (i->state == INSTANCE_RUNNING && now - i->pong_us > 2 * i->heartbeat_us)
			return false;
	}
	return now - supervisor->tick_us < AWAKE_US;
}

struct instance *supervisor_find(struct supervisor *supervisor, uint32_t id)
{
	for (struct instance *i = supervisor->first; i; i = i->next) {
		if (i->id == id)
			return i;
	}
	return NULL;
}

bool supervisor_owns(struct supervisor *supervisor, pid_t pid)
{
	return find_pid(supervisor, pid) != NULL || leaving_has(supervisor, pid);
}
