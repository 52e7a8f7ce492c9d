/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOOPBACK_NUMBERS_H
#define LOOPBACK_NUMBERS_H

/*
 * Numbers of which none is ever given out twice, whatever dies in between: the core keeps how far they may be used, and that is moved on
 * before it is reached. What was reserved and not used is left out after a restart. Shows an author how notes are meant.
 */

#include <tidegate/adapter.h>

struct numbers {
	const struct tg_host *host;
	int64_t ahead;    /* how many are reserved at a time; 0: no numbers */
	int64_t next;     /* the next to give out */
	int64_t reserved; /* those below may be given out */
	int64_t asked;    /* the core was asked to keep this, and has not answered; 0: nothing */
};

void numbers_init(struct numbers *numbers, const struct tg_host *host, int64_t ahead);

/* Returns false where none is to be had at the moment. */
bool numbers_take(struct numbers *numbers, int64_t *ret_number);

/* What the adapter hears of the core. */
void numbers_note(struct numbers *numbers, struct tg_bytes name, struct tg_bytes value);
void numbers_noted(struct numbers *numbers);
void numbers_kept(struct numbers *numbers, int result);

#endif
