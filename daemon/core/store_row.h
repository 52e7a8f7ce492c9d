/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_STORE_ROW_H
#define CORE_STORE_ROW_H

/*
 * A row of the store's file: its columns, and how one is told from garbage. Each row names its sink and carries a sum
 * over everything in it, so that it can be read, and trusted, out of a file that is otherwise damaged.
 */

#include "core/database.h"
#include "core/store.h"

#define STORE_ROW_COLUMNS                                                                                              \
	"seq, endpoint, id, kind, time_wall_us, format, device, path, address, payload, qos, retain, "                 \
	"expires_wall_us, ack, route, sum"

#define STORE_ROW_TABLE                                                                                                \
	"CREATE TABLE outbox (seq INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, id BLOB NOT NULL, "                     \
	"kind INTEGER NOT NULL, time_wall_us INTEGER NOT NULL, format INTEGER NOT NULL, device TEXT NOT NULL, "        \
	"path TEXT NOT NULL, address TEXT NOT NULL, payload BLOB NOT NULL, qos INTEGER NOT NULL, "                     \
	"retain INTEGER NOT NULL, expires_wall_us INTEGER NOT NULL, ack INTEGER NOT NULL, route TEXT NOT NULL, "       \
	"sum INTEGER NOT NULL) STRICT"

/* A row that was read. Borrowed from the statement until its next step. */
struct store_view {
	struct store_row row; /* without `endpoint`; `message` points to `message` below */
	struct message message;
	struct tg_bytes endpoint;
	int64_t sum;
};

/* Guards against damage, not against malice. */
int64_t store_row_sum(const struct store_row *row, struct tg_bytes endpoint);

/* Binds all of STORE_ROW_COLUMNS, from 1 on. The column "id" holds the message's mark (message.h), for which `mark_room` has
 * MESSAGE_MARK_MAX bytes that stay until the statement is reset. */
void store_row_bind(struct database_statement *statement, const struct store_row *row, struct tg_bytes endpoint,
		    int64_t sum, uint8_t *mark_room);

/* Reads all of STORE_ROW_COLUMNS, from 0 on. Errors: -EUCLEAN: no row that we have written. */
int store_row_read(struct database_statement *statement, struct store_view *ret_view) WARN_UNUSED;

/* An own copy. Ownership: ends with store_row_done. Errors: -ENOMEM. */
int store_row_copy(const struct store_view *view, struct store_row *ret_row) WARN_UNUSED;
void store_row_done(struct store_row *row);

#endif
