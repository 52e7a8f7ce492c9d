/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_STORE_FIXTURE_H
#define UNIT_STORE_FIXTURE_H

/* What the tests of the store, the ledger and the outbox share: a folder that goes away, messages by number, and a store on
 * a loop that is turned until something is done. */

#include <limits.h>

#include "base/loop.h"
#include "core/store.h"
#include "message_fixture.h"

struct fixture {
	char folder[PATH_MAX];
	struct loop *loop;
	struct store *store;
};

/* A new empty folder; store and loop are not open yet. */
void fixture_init(struct fixture *fixture);
void fixture_done(struct fixture *fixture);

void fixture_open(struct fixture *fixture, const struct store_settings *settings);
void fixture_close(struct fixture *fixture); /* in good order */

/* Path of a file in the folder. Lent until the next call. */
const char *fixture_path(const struct fixture *fixture, const char *name);
/* How many files have names that begin with this. */
int fixture_count_files(const struct fixture *fixture, const char *prefix);
/* Overwrites a piece of a file with garbage; `length` -1: up to its end. */
void fixture_spoil(const struct fixture *fixture, const char *name, long offset, long length);

/* An operation and its end. */
struct fixture_op {
	struct store_op op;
	struct store_row row;
	struct store_deletion deletion;
	bool done;
	int result;
};

void fixture_insert(struct fixture *fixture, struct fixture_op *op, uint32_t endpoint, unsigned number,
		    size_t payload_size);
void fixture_delete(struct fixture *fixture, struct fixture_op *op, uint32_t endpoint, uint64_t seq,
		    enum ledger_item item);
/* Turns the loop until the operation is done, and returns its result. */
int fixture_wait(struct fixture *fixture, struct fixture_op *op);
void fixture_op_done(struct fixture_op *op);
int fixture_barrier(struct fixture *fixture);
/* Loads synchronously. */
int fixture_load(struct fixture *fixture, struct store_load *load);

/* Turns the loop while `*flag` is not set, for at most 20 s. */
void fixture_until(struct loop *loop, const bool *flag);

/* With and without mirror, 64 MiB. */
extern const struct store_settings fixture_both;
extern const struct store_settings fixture_single;

/* Puts the messages 0 to n-1 in, some of them long, and waits until they are safe. */
void fixture_put(struct fixture *fixture, const char *name, unsigned n);
/* Reads everything for `name` and notes which of the numbers below `n` are there; none may be there twice, and the order must be
 * theirs where `in_order`. Returns how many. */
unsigned fixture_look(struct fixture *fixture, const char *name, bool *there, unsigned n, bool in_order);
void fixture_assert_all(struct fixture *fixture, const char *name, unsigned n);
/* What the files' accounts said at the start, and whether that balanced. */
int64_t fixture_found(struct fixture *fixture, const char *name, enum ledger_item item);
void fixture_assert_balanced(struct fixture *fixture, const char *name);
struct store_stats fixture_stats(struct fixture *fixture);

#endif
