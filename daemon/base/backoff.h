/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

/* Exponential backoff with jitter: each delay is drawn from half to the whole of a span that doubles up to a limit. */

#include <stdint.h>

struct backoff {
	int64_t min_us;
	int64_t max_us;
	int64_t span_us; /* 0: the next delay starts from min_us */
};

/* Units: microseconds. `random` is any 32 random bits. */
int64_t backoff_next(struct backoff *backoff, uint32_t random);
void backoff_reset(struct backoff *backoff);

#endif
