/* SPDX-License-Identifier: Apache-2.0 */
#include "timing.h"

enum { S_US = 1000000, DAY_S = 86400, PERCENT = 100 };

/* 0 to `most` - 1. */
static int64_t part_of(int64_t most, uint32_t random)
{
	return (int64_t)((uint64_t)(most >> 10) * random >> 22);
}

int64_t timing_next(int64_t now_us, int64_t period_us, unsigned jitter, uint32_t random)
{
	int64_t spread_us = period_us / PERCENT * jitter;

	return now_us + period_us - spread_us + part_of(2 * spread_us, random);
}

int64_t timing_retry(int64_t now_us, unsigned failures, int64_t min_us, int64_t max_us, int64_t retry_after_s,
		     uint32_t random)
{
	int64_t wait_us = min_us, asked_us = (retry_after_s < DAY_S ? retry_after_s : DAY_S) * (int64_t)S_US;

	for (unsigned i = 1; i < failures && wait_us < max_us; i++)
		wait_us *= 2;
	if (wait_us > max_us)
		wait_us = max_us;
	wait_us -= part_of(wait_us / 2, random);
	return now_us + (wait_us < asked_us ? asked_us : wait_us);
}
