/* SPDX-License-Identifier: Apache-2.0 */
#include "core/renewal_plan.h"

#include "base/backoff.h"
#include "base/clock.h"

enum {
	MIN_S_LEAST = 1,
	MIN_S_MOST = 60,
	MAX_S_LEAST = 10,
	MAX_S_MOST = 6 * 3600,
	DAY_S = 86400,
	LATE_S_LEAST = 5, /* the end is near: not every second */
	JITTER_PERCENT = 5,
	LAST_TENTH = 10,
	DOUBLINGS_MOST = 40
};

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

static int64_t length_s(const struct renewal_life *life)
{
	return life->end_s > life->begin_s ? life->end_s - life->begin_s : 0;
}

int64_t renewal_due_s(const struct renewal_life *life)
{
	int64_t length = length_s(life), due = life->begin_s + length / 100 * life->percent;
	int64_t last = life->end_s - length / LAST_TENTH;
	int64_t later = due + (int64_t)((double)length * JITTER_PERCENT / 100 * life->seed / UINT32_MAX);

	return due >= last ? due : later < last ? later : last;
}

enum renewal_need renewal_need(const struct renewal_life *life, int64_t now_s)
{
	if (now_s >= life->end_s)
		return RENEWAL_EXPIRED;
	if (now_s < renewal_due_s(life))
		return RENEWAL_FINE;
	return now_s < life->end_s - length_s(life) / LAST_TENTH ? RENEWAL_DUE : RENEWAL_URGENT;
}

const char *renewal_need_name(enum renewal_need need)
{
	static const char *const names[] = {"fine", "renew", "urgent", "expired"};

	return names[need];
}

/* What is left decides when there is little of it; behind the end it is a matter of minutes. */
static int64_t most_s(const struct renewal_life *life, int64_t now_s, int64_t most)
{
	int64_t left = life->end_s - now_s;

	return left <= 0 ? clamp(most, MAX_S_LEAST, 600) : clamp(left / 8, LATE_S_LEAST, most);
}

int64_t renewal_wait_us(const struct renewal_life *life, int64_t now_s, unsigned failures, uint32_t random)
{
	struct backoff backoff = {.min_us = clamp(length_s(life) / 10000, MIN_S_LEAST, MIN_S_MOST) * CLOCK_S_US};
	int64_t wait = 0;

	backoff.max_us = most_s(life, now_s, clamp(length_s(life) / 100, MAX_S_LEAST, MAX_S_MOST)) * CLOCK_S_US;
	if (backoff.min_us > backoff.max_us)
		backoff.min_us = backoff.max_us;
	for (unsigned i = 0; i < failures && i < DOUBLINGS_MOST; i++)
		wait = backoff_next(&backoff, random);
	return wait;
}

int64_t renewal_asked_wait_us(const struct renewal_life *life, int64_t now_s, int64_t asked_s)
{
	return clamp(asked_s, 1, most_s(life, now_s, DAY_S)) * CLOCK_S_US;
}
