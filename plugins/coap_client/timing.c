/* SPDX-License-Identifier: Apache-2.0 */
#include "timing.h"

enum { S_US = 1000000, STALE_LEAST_S = 5, STALE_SPREAD_S = 10, TENTH = 10 };

/* 0 to `most` - 1. */
static int64_t part_of(int64_t most, uint32_t random)
{
	return (int64_t)((uint64_t)(most >> 10) * random >> 22);
}

int64_t timing_first_poll(int64_t now_us, uint32_t period_s, uint32_t random)
{
	return now_us + part_of((int64_t)period_s * S_US, random);
}

int64_t timing_next_poll(int64_t now_us, uint32_t period_s, uint32_t fresh_s, uint32_t random)
{
	int64_t period_us = (int64_t)period_s * S_US;
	int64_t wait_us = period_us - period_us / TENTH + part_of(period_us / TENTH * 2, random);
	int64_t fresh_us = (int64_t)fresh_s * S_US;

	return now_us + (wait_us < fresh_us ? fresh_us : wait_us);
}

int64_t timing_stale(int64_t now_us, uint32_t max_age_s, uint32_t random)
{
	return now_us + (int64_t)max_age_s * S_US + STALE_LEAST_S * (int64_t)S_US +
	       part_of(STALE_SPREAD_S * (int64_t)S_US, random);
}

int64_t timing_retry(int64_t now_us, unsigned failures, int64_t min_us, int64_t max_us, uint32_t random)
{
	int64_t wait_us = min_us;

	for (unsigned i = 1; i < failures && wait_us < max_us; i++)
		wait_us *= 2;
	if (wait_us > max_us)
		wait_us = max_us;
	return now_us + wait_us - part_of(wait_us / 2, random);
}
