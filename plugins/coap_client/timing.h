/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_TIMING_H
#define COAP_CLIENT_TIMING_H

/*
 * When what is to happen next: polls, the end of an observation nobody heard of, the next attempt at a device. Randomness is handed
 * in, `random` being any 32 bits, so that many gateways and devices do not fall into step. Pure.
 *
 * Units: all times are monotonic microseconds, all lengths as their names say.
 */

#include <stdint.h>

/* The first poll: anywhere in the first period. */
int64_t timing_first_poll(int64_t now_us, uint32_t period_s, uint32_t random);

/* The next poll: the period, a tenth more or less; but what the device said would stay fresh for `fresh_s` is not asked for
 * earlier. */
int64_t timing_next_poll(int64_t now_us, uint32_t period_s, uint32_t fresh_s, uint32_t random);

/* When an observation whose last notification stays fresh for `max_age_s` counts as lost: 5 to 15 s later.
 * Source: RFC 7641 section 3.3.1. */
int64_t timing_stale(int64_t now_us, uint32_t max_age_s, uint32_t random);

/* The next attempt after `failures` in a row (1 at least): twice as long each time, up to `max_us`, less up to a half by chance. */
int64_t timing_retry(int64_t now_us, unsigned failures, int64_t min_us, int64_t max_us, uint32_t random);

#endif
