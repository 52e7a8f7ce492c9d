/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_STORE_H
#define CORE_STORE_H

/*
 * What must outlive a power cut: the messages that wait for a sink, and the ledger's accounts, in one SQLite file and its mirror.
 *
 * A writer thread does all the work on the disk. The main thread hands it operations, which it carries out in
 * order: a transaction takes what has come in while the one before was being synced to disk. `done` of each
 * operation is called in the loop's thread, in order, when both files have it safely (or have failed to take it).
 * An operation is a struct of the caller's that stays in place until then, like everything that it points to.
 *
 * Two files. Every transaction goes to outbox.db and to outbox-mirror.db, so that one of them can be damaged
 * or overwritten, and nothing that was acknowledged is lost. At the start both are checked in structure and row by row; a damaged one
 * is set aside under a new name, what can be read in it is taken over, and the start goes on, loudly. Of two whole files
 * that differ the one with the later transaction counts.
 *
 * Bounds. Rows are refused with -ENOSPC at `disk_bytes` and where the file system would have less than
 * `reserve_bytes` left, because SQLite cannot even delete on a full disk. Deleted rows are not overwritten (secure_delete
 * is off): it would multiply what is written to flash, and readings are no keys.
 *
 * One process at a time: the files are locked.
 */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/loop.h"
#include "core/ledger.h"
#include "core/message.h"
#include "core/share.h"

enum { STORE_ENDPOINTS_MAX = 256, STORE_NAME_MAX = 255, STORE_DELETE_MAX = 256 };

struct store;
struct store_op;

struct store_settings {
	int64_t disk_bytes;    /* for the rows, by store_row_cost; a mirror takes as much again, WAL files 2 MiB each */
	int64_t reserve_bytes; /* left free on the file system */
	bool mirror;
};

/* A held message as it stands on disk. All bytes are borrowed. */
struct store_row {
	uint64_t seq;      /* order of acceptance, from store_next_seq */
	uint32_t endpoint; /* the sink, from store_endpoint */
	uint8_t qos;
	uint8_t retain;
	uint8_t ack;
	int64_t expires_wall_us; /* 0: never */
	const struct message *message;
	struct tg_bytes address;
	struct tg_bytes route;
};

/* Opens the files in `folder`, repairs what needs it and starts the writer. Blocks: reads the whole store. Ownership: `loop`
 * has to outlive it. Errors: -EBUSY: another process has the files; -ENOTSUP: they were made by a newer version. */
int store_new(struct loop *loop, const char *folder, const struct store_settings *settings,
	      struct store **ret_store) WARN_UNUSED;
/* Carries out everything that was handed in, calls all `done`, and ends the writer. What is handed in later fails with -ESHUTDOWN.
 * Blocks. */
void store_stop(struct store *store);
void store_free(struct store *store); /* stops; accepts NULL */

/* The number of an endpoint by its name. Errors: -ENAMETOOLONG; -ENOBUFS: over STORE_ENDPOINTS_MAX. */
int store_endpoint(struct store *store, const char *name, uint32_t *ret_endpoint) WARN_UNUSED;
/* By number; NULL behind the last. Right after store_new: those that the files spoke of. */
const char *store_endpoint_name(const struct store *store, uint32_t endpoint);

/* What was found at the start. */
int64_t store_found_rows(const struct store *store, uint32_t endpoint);
int64_t store_found_cost(const struct store *store, uint32_t endpoint); /* by store_row_cost */
int64_t store_found_count(const struct store *store, uint32_t endpoint, enum ledger_item item);

/* Who holds how much of it. Ownership: goes to the caller; there is nothing the second time. */
void store_take_shares(struct store *store, uint32_t endpoint, struct shares *ret_shares);

/* Increases over restarts. */
uint64_t store_next_seq(struct store *store);

/* Changes settings.disk_bytes; what is there stays, and the room is as much smaller. */
void store_set_disk_bytes(struct store *store, int64_t disk_bytes);

/* What a row takes of disk_bytes, and whether that much is left. */
int64_t store_row_cost(const struct store_row *row);
bool store_has_room(const struct store *store, int64_t cost);

/* `result`: 0, or a negative errno: nothing of this operation was written, or so little that handing it in again is right. The
 * operation may be freed or used again from within. */
typedef void store_done_fn(struct store_op *op, int result);

struct store_op { /* its inside belongs to the store */
	struct store_op *next;
	store_done_fn *done;
	union {
		const void *what;
		struct store_load *load;
	};
	int result;
	uint8_t kind;
	uint8_t state;
};

/* Adds a row. Adding one twice is no error. */
void store_insert(struct store *store, struct store_op *op, const struct store_row *row, store_done_fn *done);
/* Takes an insert back that has not been begun: it will be done with -ECANCELED. Returns false where it is too late. */
bool store_cancel(struct store *store, struct store_op *op);

struct store_gone {
	uint64_t seq;
	uint32_t cost; /* store_row_cost, saturated */
	uint8_t item;  /* enum ledger_item: what became of it; LEDGER_ACCEPTED: it was withdrawn */
};

struct store_deletion {
	uint32_t endpoint;
	uint32_t count;
	struct store_gone gone[STORE_DELETE_MAX];
};

/* Removes rows. Those that are not there are not counted. */
void store_delete(struct store *store, struct store_op *op, const struct store_deletion *deletion, store_done_fn *done);

struct store_count {
	uint32_t endpoint;
	int64_t add[LEDGER_ITEMS];
};

/* Adds to the endpoint's account. */
void store_add(struct store *store, struct store_op *op, const struct store_count *count, store_done_fn *done);

struct store_load {
	/* asked for */
	uint32_t endpoint;
	uint32_t limit_rows;
	size_t limit_bytes; /* of messages; the first row comes in any case */
	uint64_t after;     /* rows with a higher seq, in order */
	/* found; to be given back with store_load_done */
	uint32_t count;
	struct store_row *rows;
	uint32_t bad_count; /* rows that can be read in neither file; the caller deletes them */
	uint64_t *bad;
};

void store_load(struct store *store, struct store_op *op, struct store_load *load, store_done_fn *done);
void store_load_done(struct store_load *load);

/* Does nothing; is done when everything before it is. */
void store_barrier(struct store *store, struct store_op *op, store_done_fn *done);

struct store_stats {
	int64_t used_bytes;
	int64_t limit_bytes;
	int64_t commits;
	int64_t inserted;
	int64_t deleted;
	int64_t set_aside;  /* damaged files, since this process started */
	int64_t salvaged;   /* rows taken over from them */
	int64_t unreadable; /* rows that the accounts knew of and nobody can read */
	int64_t corrected;  /* by how much accounts had to be corrected to balance; only damage makes that necessary */
	int error;          /* of the last transaction: 0 or a negative errno */
};

void store_stats(struct store *store, struct store_stats *ret_stats);

/* How long the writer has been at what it does now: one transaction, or one page of rows. 0: it waits for work, or repairs the files,
 * which takes as long as it takes. Units: microseconds. */
int64_t store_busy_us(struct store *store, int64_t now_us);

#endif
