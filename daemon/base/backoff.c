/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

int64_t backoff_next(struct backoff *backoff, uint32_t random)
{
	int64_t half;

	if (backoff->span_us <= 0)
		backoff->span_us = backoff->min_us;
	else if (backoff->span_us > backoff->max_us / 2)
		backoff->span_us = backoff->max_us;
	else
		backoff->span_us *= 2;
	half = backoff->span_us / 2;
	return half + (int64_t)((uint64_t)half * random / UINT32_MAX);
}

void backoff_reset(struct backoff *backoff)
{
	backoff->span_us = 0;
}
