/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "core/renewal_inside.h"

enum { DOWN_TRIALS = 10 };

static int64_t now_us(const struct renewal *renewal)
{
	return loop_now_us(renewal->loop);
}

/* The candidate has worked, or there is nothing better: it takes the place of the old one. */
static void adopt(struct renewal *renewal, const char *why)
{
	char day[RENEWAL_DAY_SIZE];
	int r = renewal_slots_promote(&renewal->slots);

	if (r < 0) {
		/* It stays in use from where it is, and the next turn tries again. */
		if (now_us(renewal) >= renewal->next_us)
			renewal_log(renewal, LOG_LEVEL_ERROR, "the new certificate cannot be put into its place (%s)",
				    strerror(-r));
		renewal->next_us = now_us(renewal) + 60 * CLOCK_S_US;
		return;
	}
	renewal->state = RENEWAL_WAITING;
	renewal->failures = 0;
	renewal->next_us = 0;
	renewal->problem[0] = 0;
	renewal_slots_drop(&renewal->slots, SLOT_PENDING);
	renewal_look(renewal);
	renewal->ops->changed(renewal->arg);
	renewal_log(renewal, LOG_LEVEL_NOTICE, "the new certificate is in use, valid until %s (%s)",
		    renewal_day(renewal->current.end_s, day), why);
}

/* What is in use is of no use any more. */
static bool has_nothing_better(const struct renewal *renewal)
{
	const struct renewal_pair *used = renewal_used(renewal);

	return !used || used->end_s <= renewal_now_s(renewal);
}

static void adopt_at_once(struct renewal *renewal)
{
	adopt(renewal, renewal_used(renewal) ? "the old one has expired" : "there was none before");
	if (renewal->state == RENEWAL_WAITING)
		renewal->ops->give(renewal->arg);
}

static void begin(struct renewal *renewal)
{
	renewal->state = RENEWAL_TRYING;
	renewal->trial_us = now_us(renewal);
	renewal->until_us = renewal->trial_us + renewal->settings.trial_us;
	renewal->was_down = renewal->settings.sink && !renewal->ops->link_up(renewal->arg);
	renewal->taken = false;
	renewal->up_us = 0;
	renewal->untaken = renewal->ops->give(renewal->arg);
	if (renewal->untaken > 0)
		return;
	renewal->state = RENEWAL_READY; /* no process is there to try it */
	renewal->next_us = renewal->trial_us + 10 * CLOCK_S_US;
}

static void put_back(struct renewal *renewal, const char *why)
{
	renewal_log(renewal, LOG_LEVEL_WARNING, "the new certificate did not work, the old one is put back (%s)", why);
	renewal->state = RENEWAL_BACK;
	renewal->until_us = now_us(renewal) + renewal->settings.trial_us;
	renewal->was_down = !renewal->ops->link_up(renewal->arg);
	renewal->ops->give(renewal->arg);
}

static void refuse(struct renewal *renewal, const char *why)
{
	renewal_slots_drop(&renewal->slots, SLOT_CANDIDATE);
	renewal_look(renewal);
	renewal_failed(renewal, 0, "%s", why);
}

/* The operator has put another certificate into the configured place since, or the candidate waited too long. */
static bool is_of_no_use(const struct renewal *renewal)
{
	const struct renewal_pair *configured = &renewal->configured, *candidate = &renewal->candidate;

	if (candidate->end_s <= renewal_now_s(renewal))
		return true;
	return configured->usable && renewal_pair_choose(configured, candidate, renewal_now_s(renewal)) == 0;
}

/* A sink whose link has been down for long may be one whose old certificate is not taken any more, whatever its dates say. */
static bool may_begin(struct renewal *renewal)
{
	int64_t now = now_us(renewal);

	if (now < renewal->next_us)
		return false;
	if (!renewal->settings.sink)
		return true;
	if (renewal->ops->link_up(renewal->arg)) {
		renewal->is_down = false;
		return true;
	}
	if (!renewal->is_down)
		renewal->down_us = now;
	renewal->is_down = true;
	return now - renewal->down_us >= DOWN_TRIALS * renewal->settings.trial_us;
}

static void ready(struct renewal *renewal)
{
	if (!renewal->candidate.usable) {
		renewal->state = RENEWAL_WAITING;
	} else if (is_of_no_use(renewal)) {
		renewal_log(renewal, LOG_LEVEL_NOTICE,
			    "the new certificate was not tried in time, or the configured one is newer: it is dropped");
		renewal_slots_drop(&renewal->slots, SLOT_CANDIDATE);
		renewal_look(renewal);
		renewal->state = RENEWAL_WAITING;
	} else if (has_nothing_better(renewal)) {
		adopt_at_once(renewal);
	} else if (may_begin(renewal)) {
		begin(renewal);
	}
}

static void trying_sink(struct renewal *renewal)
{
	bool up = renewal->ops->link_up(renewal->arg);

	if (renewal->was_down && up && renewal->ops->flows(renewal->arg, renewal->up_us))
		adopt(renewal, "its link works with it");
	else if (now_us(renewal) >= renewal->until_us && has_nothing_better(renewal))
		adopt(renewal, "the old one has expired");
	else if (now_us(renewal) >= renewal->until_us)
		put_back(renewal, !renewal->was_down ? "the link was not made anew"
				  : up               ? "no message was confirmed"
						     : "the link does not come up");
}

static void trying_source(struct renewal *renewal)
{
	if (renewal->taken && !renewal->ops->has_certificates(renewal->arg))
		adopt(renewal, "it was taken over, and no device here looks at it");
	else if (has_nothing_better(renewal))
		adopt(renewal, "the old one has expired");
	else if (!renewal->taken && now_us(renewal) >= renewal->until_us)
		put_back(renewal, "it was not taken over");
}

/* The old pair is in use again. Does it work, then the candidate is at fault; else nobody knows. */
static void back(struct renewal *renewal)
{
	if (!renewal->settings.sink) {
		refuse(renewal, "the endpoint did not take the new certificate over");
	} else if (renewal->was_down && renewal->ops->link_up(renewal->arg)) {
		refuse(renewal, "the peer does not take the new certificate: does it trust who issued it?");
	} else if (now_us(renewal) >= renewal->until_us) {
		renewal->state = RENEWAL_READY;
		renewal->next_us = now_us(renewal) + renewal->settings.trial_us;
		renewal->is_down = false; /* counted anew */
		renewal_log(renewal, LOG_LEVEL_NOTICE,
			    "the link does not come up with the old certificate either: the new one is tried "
			    "again when it is up, or later");
	}
}

void renewal_try(struct renewal *renewal)
{
	if (renewal->state == RENEWAL_READY)
		ready(renewal);
	else if (renewal->state == RENEWAL_TRYING && renewal->settings.sink)
		trying_sink(renewal);
	else if (renewal->state == RENEWAL_TRYING)
		trying_source(renewal);
	else if (renewal->state == RENEWAL_BACK)
		back(renewal);
}

void renewal_on_link(struct renewal *renewal, bool up)
{
	if (!up) {
		renewal->was_down = true;
		if (!renewal->is_down)
			renewal->down_us = now_us(renewal);
		renewal->is_down = true;
		return;
	}
	renewal->is_down = false;
	/* Made with the old certificate while the new one was on its way: it has to be made once more. */
	if (renewal->state == RENEWAL_TRYING && !renewal->taken)
		renewal->was_down = false;
	renewal->up_us = loop_now_us(renewal->loop);
	renewal_try(renewal);
}

void renewal_on_reloaded(struct renewal *renewal, int result)
{
	if (renewal->state != RENEWAL_TRYING)
		return;
	if (result < 0) {
		char why[128];

		snprintf(why, sizeof(why), "the endpoint does not take the new certificate over (%s)",
			 strerror(-result));
		refuse(renewal, why);
		renewal->ops->give(renewal->arg);
	} else {
		renewal->untaken -= renewal->untaken > 0;
		renewal->taken = renewal->untaken == 0;
		renewal_try(renewal);
	}
}

void renewal_on_session(struct renewal *renewal)
{
	if (renewal->state == RENEWAL_TRYING && !renewal->settings.sink && renewal->taken)
		adopt(renewal, "a device has made a session with it");
}
