/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_PROVE_H
#define CTL_PROVE_H

/*
 * Whether a version of the gateway does what the one before it did: it runs, the links that were up are up, what waits for them gets
 * confirmed, and its ledger balances, for some time without a break. Looks are handed in, with their time.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

enum { PROVE_WHY_SIZE = 256 };

struct prove {
	const json_t *before; /* borrowed: what prove_note made of the version before; NULL: nothing is known */
	json_t *first;        /* the first look of the good stretch that lasts; NULL: none does */
	json_t *last;
	json_t *seen; /* the endpoints that have been there: when one is gone later, the operator has taken it away */
	int64_t since_us;
	char why[PROVE_WHY_SIZE]; /* what was wrong last */
};

/* What is to be known later, out of an answer to "status". Ownership: the caller's. Errors: NULL. */
json_t *prove_note(const json_t *status);

/* One look: `status` is lent, NULL where nobody has answered. Returns how long all has been well, -1 where it is not. Units: us. */
int64_t prove_look(struct prove *prove, json_t *status, int64_t now_us);

/* Whether the stretch that lasts is enough, `for_us` long and with a message confirmed wherever one waited; where it is long but shows
 * nothing, another one begins. */
bool prove_enough(struct prove *prove, int64_t for_us, int64_t now_us);

void prove_done(struct prove *prove);

#endif
