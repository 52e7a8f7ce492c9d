/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_SENML_MAKER_H
#define UNIT_SENML_MAKER_H

/* Random packs that obey every rule, and what two packs have to have in common to be the same. Repeatable from the state. */

#include "format/senml.h"

enum { MAKER_RECORDS_MAX = 12 };

struct maker {
	uint64_t state; /* not 0 */
};

uint32_t maker_below(struct maker *maker, uint32_t limit);

/* Into an empty pack, which borrows static text and gets memory of its own for the rest. */
void maker_pack(struct maker *maker, struct senml_pack *ret_pack);

/* Every label, type and value, in the same order; doubles bit by bit. */
bool maker_same(const struct senml_pack *a, const struct senml_pack *b);

#endif
