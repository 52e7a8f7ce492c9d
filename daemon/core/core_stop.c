/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The way down: nothing new is taken in, what is in flight gets half of the deadline to be confirmed, what is left goes to the
 * disk, the endpoint processes finish and hand in what they still hold, that goes to the disk too, and the ledger is saved.
 *
 * For a restart it is a short way: what is in flight gets a second, and processes stay for the next core. What they hand in
 * meanwhile is not answered: they hand it in again when they have joined that core.
 */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "core/core_inside.h"

#define STOP_TICK_US  (5 * CLOCK_MS_US)
#define LEAVE_WAIT_US CLOCK_S_US

static int64_t in_flight(const struct core *core)
{
	int64_t sum = 0;

	for (const struct endpoint *e = core->endpoints; e; e = e->next) {
		struct outbox_stats stats;

		if (!e->outbox)
			continue;
		outbox_stats(e->outbox, &stats);
		sum += stats.in_flight;
	}
	return sum;
}

static void end_processes(struct core *core, int64_t deadline_us)
{
	core->ending = true;
	if (core->leaving)
		supervisor_leave(core->supervisor, deadline_us);
	else
		supervisor_stop(core->supervisor, deadline_us);
}

static void on_flushed(void *arg, int result)
{
	struct core *core = arg;

	if (result < 0)
		log_error(
			"not everything could be written to disk (%s); devices have no answer to what is lost with it",
			strerror(-result));
	if (--core->flushes > 0)
		return;
	if (core->stopped)
		loop_exit(core->loop, 0);
	else
		end_processes(core, core->config->limits.stop_deadline_us / 2);
}

static void flush_all(struct core *core)
{
	core->flushes = 1;
	for (struct endpoint *e = core->endpoints; e; e = e->next) {
		if (e->mailbox)
			(void)ledger_save(e->account);
		if (!e->outbox)
			continue;
		core->flushes++;
		if (outbox_flush(e->outbox, on_flushed, core) < 0)
			core->flushes--;
	}
	on_flushed(core, 0);
}

static void on_stop_tick(void *arg)
{
	struct core *core = arg;

	if (in_flight(core) > 0 && loop_now_us(core->loop) < core->stop_wait_until_us)
		loop_timer_set(core->stop_tick, loop_now_us(core->loop) + STOP_TICK_US);
	else
		flush_all(core);
}

/* What was confirmed on the way down is not to be sent again. */
void core_on_stopped(void *arg)
{
	struct core *core = arg;

	core->stopped = true;
	flush_all(core);
}

static void on_deadline(void *arg)
{
	struct core *core = arg;

	log_warning("did not stop in order within the deadline; what was not confirmed will be sent again");
	if (core->leaving)
		supervisor_leave(core->supervisor, 0);
	loop_exit(core->loop, 0);
}

static void begin(struct core *core, int64_t wait_us)
{
	int64_t now = loop_now_us(core->loop), deadline_us = core->config->limits.stop_deadline_us;

	core->state = CORE_STOPPING;
	loop_notify("STOPPING=1\nSTATUS=%s, %lld messages held", core->leaving ? "restarting" : "stopping",
		    (long long)core_held(core));
	core->drain_until_us = now;
	core_check_drain(core);
	core->stop_wait_until_us = now + wait_us;
	if (loop_timer_new(core->loop, on_stop_tick, core, &core->stop_tick) < 0 ||
	    loop_timer_new(core->loop, on_deadline, core, &core->deadline) < 0) {
		loop_exit(core->loop, 1);
		return;
	}
	loop_timer_set(core->stop_tick, now);
	loop_timer_set(core->deadline, now + deadline_us + CLOCK_S_US);
}

void core_stop(struct core *core)
{
	if (core->state == CORE_STOPPING && !core->leaving)
		return;
	log_notice("stopping");
	if (core->state != CORE_STOPPING) {
		begin(core, core->config->limits.stop_deadline_us / 2);
		return;
	}
	core->leaving = false;
	if (core->ending) /* else it is not their turn yet */
		end_processes(core, core->config->limits.stop_deadline_us / 2);
}

void core_leave(struct core *core)
{
	int64_t half_us = core->config->limits.stop_deadline_us / 2;

	if (core->state == CORE_STOPPING)
		return;
	log_notice("stopping for a restart, endpoints stay where they can");
	core->leaving = true;
	begin(core, half_us < LEAVE_WAIT_US ? half_us : LEAVE_WAIT_US);
}
