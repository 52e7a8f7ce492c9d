/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_CLIENT_TIMING_H
#define HYPERCAT_CLIENT_TIMING_H

/* When to ask next. Pure: time and randomness (all 32 bits of it) are handed in. Units: microseconds, monotonic. */

#include <stdint.h>

/* A period later, `jitter` percent of it sooner or later. */
int64_t timing_next(int64_t now_us, int64_t period_us, unsigned jitter, uint32_t random);

/* After so many failures one after the other: doubled each time from `min_us` to `max_us`, and up to half of it sooner; but never before
 * `retry_after_s`, which the other side has asked for, of which at most a day is believed. */
int64_t timing_retry(int64_t now_us, unsigned failures, int64_t min_us, int64_t max_us, int64_t retry_after_s,
		     uint32_t random);

#endif
