/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_ROUND_H
#define COMMON_ROUND_H

/* Which broker comes next, and when: each at once after the one before has failed, after the last one a pause, from half to the
 * whole of a span that doubles. Pure, but for round_random. */

#include <stddef.h>
#include <stdint.h>

struct round {
	size_t broker; /* the one in use, or the next */
	size_t tried;  /* in this round */
	int64_t span_us;
};

/* The pause after a round, or after a connection that was lost. `random`: any number. */
int64_t round_pause(struct round *round, int64_t min_us, int64_t max_us, uint32_t random);

/* The broker has failed. Returns how long to wait before the next. */
int64_t round_failed(struct round *round, size_t n_brokers, int64_t min_us, int64_t max_us, uint32_t random);

/* Four random bytes, or something like it. */
uint32_t round_random(int64_t now_us);

#endif
