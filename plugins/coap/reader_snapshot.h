/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_READER_SNAPSHOT_H
#define COAP_READER_SNAPSHOT_H

/*
 * Readings that are too large for one block, for as long as a session fetches their pieces (RFC 7959 section 2.4): while a newer reading
 * comes in, the pieces of the older one stay what they were. Pure. A session has a few, each of another resource; sessions that fetch the
 * same reading share its bytes, and memory for all of them together is bounded, and where it is full the oldest goes: its next piece is read from the core, and the ETag tells
 * whether it still belongs to the others.
 */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/message.h>

struct reader_snapshot;
struct reader_snapshots;

/* What a reading is for those who ask. Borrowed. */
struct reader_content {
	struct tg_bytes payload;
	int32_t content_format; /* or TG_FORMAT_NONE */
	uint64_t etag;
	int64_t fresh_until_us;
};

/* The snapshots' side of a session. Zero it. It must not move. */
struct reader_snapshot_peer {
	struct reader_snapshot *first;
	unsigned count;
};

/* How long the pieces may be fetched, EXCHANGE_LIFETIME, and of how many resources in one session at once. */
enum { READER_SNAPSHOT_S = 247, READER_SNAPSHOTS_A_PEER = 4 };

/* Errors: -ENOMEM. */
int reader_snapshots_new(size_t limit_bytes, struct reader_snapshots **ret_snapshots);
void reader_snapshots_free(struct reader_snapshots *snapshots); /* accepts NULL; the peers are gone before */
void reader_snapshots_set_limit(struct reader_snapshots *snapshots, size_t limit_bytes);

/* Copies a reading of the resource `name`, in place of an older one of it. What finds no room is not kept. */
void reader_snapshot_put(struct reader_snapshots *snapshots, struct reader_snapshot_peer *peer, struct tg_bytes name,
			 const struct reader_content *content, int64_t now_us);
/* Ownership: *ret_content is lent until the next call. Returns whether there is one. */
bool reader_snapshot_get(const struct reader_snapshot_peer *peer, struct tg_bytes name, int64_t now_us,
			 struct reader_content *ret_content);
void reader_snapshot_peer_done(struct reader_snapshots *snapshots, struct reader_snapshot_peer *peer);

size_t reader_snapshots_bytes(const struct reader_snapshots *snapshots);
/* Drops those whose time is up. */
void reader_snapshots_run(struct reader_snapshots *snapshots, int64_t now_us);
int64_t reader_snapshots_next_us(const struct reader_snapshots *snapshots);

#endif
