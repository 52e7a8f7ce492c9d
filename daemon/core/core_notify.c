/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the service manager is told: that the gateway is ready, how it is, and that it lives.
 *
 * That it lives is told only where it makes progress: this loop turns, the store's writer comes to an end with what it does, and
 * the endpoints are watched over. A core that is stuck in any of these is ended and started anew by the service manager.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "core/core_inside.h"
#include "core/events.h"

#define STATUS_US (5 * CLOCK_S_US)

/* How many times in the watchdog's time it is fed. */
enum { FEEDS = 4 };

struct links {
	unsigned count, up;
	char down[160]; /* names */
};

static int count_link(void *arg, struct instance *instance)
{
	const struct process *process = instance_user(instance);
	struct links *links = arg;
	size_t used = strlen(links->down);

	links->count++;
	if (process && instance_state(instance) == INSTANCE_RUNNING && process->link == TG_LINK_UP)
		links->up++;
	else
		snprintf(links->down + used, sizeof(links->down) - used, "%s%s", used ? ", " : "",
			 instance_endpoint(instance));
	return 0;
}

static void write_status(struct core *core, char ret_status[sizeof(core->status)])
{
	struct links links = {.count = 0};

	supervisor_each(core->supervisor, count_link, &links);
	snprintf(ret_status, sizeof(core->status), "%s: %u of %u links up%s%s%s, %lld messages held%s",
		 core->state == CORE_DRAINING ? "draining" : "running", links.up, links.count,
		 *links.down ? " (down: " : "", links.down, *links.down ? ")" : "", (long long)core_held(core),
		 core->stuck ? ", stuck" : "");
}

/* What changes all the time is not told each time. */
static void tell_status(struct core *core, int64_t now, bool stuck_before)
{
	char status[sizeof(core->status)];

	if (now < core->status_at_us && core->stuck == stuck_before)
		return;
	core->status_at_us = now + STATUS_US;
	write_status(core, status);
	if (strcmp(status, core->status) == 0)
		return;
	memcpy(core->status, status, sizeof(core->status));
	loop_notify("STATUS=%s", status);
}

void core_notify_ready(struct core *core)
{
	write_status(core, core->status);
	loop_notify("READY=1\nSTATUS=%s", core->status);
}

/* NULL: nothing holds it up. */
static const char *find_holdup(struct core *core, int64_t now)
{
	if (store_busy_us(core->store, now) > core->watchdog_us)
		return "the store's writer does not come to an end with what it writes";
	if (!supervisor_is_awake(core->supervisor))
		return "endpoints that do not answer are not ended";
	return NULL;
}

static void feed(struct core *core, int64_t now)
{
	const char *holdup;

	core->watchdog_at_us = now + core->watchdog_us / FEEDS;
	holdup = find_holdup(core, now);
	if (holdup && !core->stuck)
		log_fields_write(LOG_LEVEL_ERROR, &(struct log_fields){.event = EVENT_STUCK},
				 "stuck: %s; the watchdog is not fed any more", holdup);
	if (!holdup && core->stuck)
		log_fields_write(LOG_LEVEL_NOTICE, &(struct log_fields){.event = EVENT_STUCK_OVER},
				 "not stuck any more");
	core->stuck = holdup != NULL;
	if (!holdup)
		loop_notify("WATCHDOG=1");
}

void core_notify_tick(struct core *core)
{
	int64_t now = loop_now_us(core->loop);
	bool stuck_before = core->stuck;

	if (core->watchdog_us > 0 && now >= core->watchdog_at_us)
		feed(core, now);
	if (core->state == CORE_RUNNING || core->state == CORE_DRAINING)
		tell_status(core, now, stuck_before);
}
