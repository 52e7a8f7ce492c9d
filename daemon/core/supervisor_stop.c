/* SPDX-License-Identifier: Apache-2.0 */

/* The end of all processes, or of those that another core would not take over. */

#include "base/clock.h"
#include "core/instance.h"

void supervisor_check_stopped(struct supervisor *supervisor)
{
	if (!supervisor->stopping || supervisor->told_stopped)
		return;
	for (struct instance *i = supervisor->first; i; i = i->next) {
		if (i->state != INSTANCE_STOPPED && !i->left)
			return;
	}
	supervisor->told_stopped = true;
	supervisor->events->stopped(supervisor->arg);
}

static void stop(struct instance *instance, int64_t deadline_us)
{
	struct frame frame = {.type = FRAME_STOP, .number = {deadline_us / CLOCK_MS_US}};

	if (instance->state == INSTANCE_WAITING)
		instance_set_state(instance, INSTANCE_STOPPED);
	if (instance->state == INSTANCE_STOPPED || instance->state == INSTANCE_STOPPING)
		return;
	instance_set_state(instance, INSTANCE_STOPPING);
	if (!instance->link || link_send(instance->link, &frame) < 0)
		supervisor_kill(instance, "cannot be asked to stop");
}

static void stop_all(struct supervisor *supervisor, int64_t deadline_us)
{
	struct instance *next;

	supervisor->stop_at_us = loop_now_us(supervisor->loop) + deadline_us;
	for (struct instance *i = supervisor->first; i; i = next) {
		next = i->next;
		if (!i->left)
			stop(i, deadline_us);
	}
	supervisor->stopping = true;
	supervisor_check_stopped(supervisor);
}

void supervisor_stop(struct supervisor *supervisor, int64_t deadline_us)
{
	for (struct instance *i = supervisor->first; i; i = i->next)
		i->left = false;
	stop_all(supervisor, deadline_us);
}

void supervisor_leave(struct supervisor *supervisor, int64_t deadline_us)
{
	for (struct instance *i = supervisor->first; i; i = i->next) {
		i->left = i->state == INSTANCE_RUNNING && instance_is_current(i);
		if (i->state == INSTANCE_RUNNING && !i->left)
			log_fields_write(LOG_LEVEL_INFO, &(struct log_fields){.endpoint = i->endpoint},
					 "other code is installed than worker %u runs: it ends", i->worker);
	}
	stop_all(supervisor, deadline_us);
}
