/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_TIMERS_H
#define COAP_DTLS_TIMERS_H

/*
 * The times at which something is to be done for a session: a binary heap. One that is moved later all the time (a
 * session that is heard) is moved lazily by its owner: see dtls_timers_first.
 */

#include <stddef.h>
#include <stdint.h>

/* Is a member of the session. Zeroed at first. */
struct dtls_timer {
	int64_t at_us;
	size_t place; /* in the heap, from 1; 0: not in it */
};

struct dtls_timers {
	struct dtls_timer **heap;
	size_t count;
	size_t capacity;
};

void dtls_timers_done(struct dtls_timers *timers);

/* Puts it in, or moves it. Errors: -ENOMEM, where it was not in. */
int dtls_timers_set(struct dtls_timers *timers, struct dtls_timer *timer, int64_t at_us);
void dtls_timers_clear(struct dtls_timers *timers, struct dtls_timer *timer);

/* The earliest, or NULL. */
struct dtls_timer *dtls_timers_first(const struct dtls_timers *timers);

#endif
