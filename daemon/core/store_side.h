/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_STORE_SIDE_H
#define CORE_STORE_SIDE_H

/*
 * One of the store's two files, open: its schema, its statements, and how a batch of operations is written to it. Each
 * side balances by itself: what it adds to the accounts is what its own rows have done.
 *
 * The table "numbers" has the ledger's accounts, and under the empty name the store's own two numbers.
 */

#include "core/database.h"
#include "core/store_row.h"

enum store_number {
	STORE_GENERATION = 0, /* counts transactions */
	STORE_LAST_SEQ = 1
};

struct store_side {
	struct database *database;
	struct database_statement *begin;
	struct database_statement *commit;
	struct database_statement *insert;
	struct database_statement *erase;
	struct database_statement *add;  /* to a number */
	struct database_statement *set;  /* a number */
	struct database_statement *load; /* rows of one endpoint, in order */
	struct database_statement *one;  /* one row by its seq */
	bool touched[STORE_ENDPOINTS_MAX];
	int64_t tally[STORE_ENDPOINTS_MAX][LEDGER_ITEMS]; /* what this transaction adds to the accounts */
	int64_t rows;                                     /* balance of rows of this transaction */
};

/* Opens the file, or makes it, with all its statements. `side` is zeroed memory. Errors: -ENOTSUP: made by a newer version; as
 * database_open. On failure nothing is left open. */
int store_side_open(struct store_side *side, const char *path, int64_t limit_bytes) WARN_UNUSED;
void store_side_close(struct store_side *side);

/* Whether the file's version is ours. Returns 1, 0 where there is no table yet, or a negative errno. */
int store_side_version(struct database *database) WARN_UNUSED;

/* A transaction: begin, some of these, finish (which writes the tally), commit; or rollback. Return 0, or a negative errno. */
int store_side_begin(struct store_side *side) WARN_UNUSED;
int store_side_insert(struct store_side *side, const struct store_row *row, struct tg_bytes name,
		      int64_t sum) WARN_UNUSED;
int store_side_delete(struct store_side *side, const struct store_deletion *deletion) WARN_UNUSED;
void store_side_add(struct store_side *side, const struct store_count *count);
int store_side_set(struct store_side *side, struct tg_bytes name, int item, int64_t value) WARN_UNUSED;
int store_side_finish(struct store_side *side, char *const names[STORE_ENDPOINTS_MAX], int64_t generation,
		      uint64_t last_seq) WARN_UNUSED;
int store_side_commit(struct store_side *side) WARN_UNUSED;
void store_side_rollback(struct store_side *side);

#endif
