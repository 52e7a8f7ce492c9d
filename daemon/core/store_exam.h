/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_STORE_EXAM_H
#define CORE_STORE_EXAM_H

/* Looking at one of the store's files before it is used: is it whole, what is in it, and, where it is damaged, what of it
 * can still be read. */

#include "core/share.h"
#include "core/store_side.h"

enum store_state {
	STORE_MISSING = 0, /* no file, or nothing in it yet */
	STORE_WHOLE = 1,
	STORE_DAMAGED = 2
};

struct store_holding { /* of one endpoint */
	char name[STORE_NAME_MAX + 1];
	int64_t rows;
	int64_t cost_bytes; /* by store_row_cost */
	int64_t number[LEDGER_ITEMS];
	struct shares shares; /* whose rows they are */
};

struct store_exam {
	enum store_state state;
	int64_t generation;
	uint64_t last_seq;
	int64_t cost_bytes; /* of all rows, by store_row_cost */
	size_t count;
	struct store_holding holdings[STORE_ENDPOINTS_MAX];
};

/* Changes nothing in the file. Errors: why it could not be looked at (-EBUSY, -EACCES, -ENOMEM, -ENOTSUP …); that it is damaged
 * is no error. */
int store_examine(const char *path, struct store_exam *ret_exam) WARN_UNUSED;

/* Accepts one that nothing was found in. */
void store_exam_done(struct store_exam *exam);

/* The same for an open databasethat is known to be whole in structure. Errors: -EUCLEAN: a row is damaged. */
int store_scan(struct database *database, struct store_exam *ret_exam) WARN_UNUSED;

/* The endpoint's holding, added where it is new; NULL: too many. */
struct store_holding *store_holding(struct store_exam *exam, struct tg_bytes name);

/* Takes over each row of the damaged file that can still be read and that `to` does not have, in transactions of their own, and the
 * numbers that `to` does not have. `last_seq` is raised over all rows of both. Errors: of `to`; reading stops for none. */
int store_salvage(const char *from, struct store_side *to, uint64_t *last_seq, int64_t *ret_rows) WARN_UNUSED;

#endif
