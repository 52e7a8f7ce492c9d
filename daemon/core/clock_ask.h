/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CLOCK_ASK_H
#define CORE_CLOCK_ASK_H

/* Asks tidegate-clock whether the kernel's clock is synchronised, for a core that may not ask the kernel (ProtectClock=). Never
 * waits: an answer is that to an earlier question. Whom nobody answers asks ever more rarely: each time systemd starts a program. Used by
 * core_clock.c, which looks once a second. */

#include <stdbool.h>

#include "base/cleanup.h"

struct clock_ask {
	const char *path; /* lent */
	int fd;           /* -1: not connected */
	bool asked;       /* an answer is awaited */
	int last;         /* what clock_ask_next gave */
	unsigned failed;  /* how often in a row */
	unsigned pause;   /* calls from now on that ask nobody */
};

/* `path`: of the socket; must live as long. */
void clock_ask_init(struct clock_ask *ask, const char *path);
void clock_ask_done(struct clock_ask *ask);

/* Takes the answer that has come and puts the next question. One that failed is tried again at the next call, then after 4, 8, 16 ... up to
 * 256 of them. Returns 1: synchronised; 0: not; -1: nobody can say. Until there was an answer: 0. */
int clock_ask_next(struct clock_ask *ask);

#endif
