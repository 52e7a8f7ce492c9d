/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_READER_INSIDE_H
#define COAP_READER_INSIDE_H

/*
 * The reads that are under way, for reader.c alone: where they are kept, how a token finds one, and how the core is asked again where it
 * could not answer for a while. A token names one read and never another.
 */

#include "reader.h"

enum { READER_NAME_MAX = TG_DEVICE_MAX + 1 + TG_PATH_MAX };
/* How long to wait before the core is asked again for what it has no reading of, or no room for. */
enum { READER_AGAIN_S = 5 };

/* What is asked for, by whom. Borrowed. */
struct reader_question {
	struct tg_bytes asker;
	struct tg_bytes device;
	struct tg_bytes path;
};

struct reader {
	struct reader_peer *peer;
	struct reader *next; /* of this peer */
	struct reader *previous;
	uint64_t token;
	uint64_t exchange; /* its token, while `waiting` */
	uint64_t number;   /* of tg_host.read, while `reads` */
	struct observer *observer;
	uint64_t etag; /* of what the reader was told last */
	int32_t content_format;
	bool waiting; /* for the response */
	bool reads;
	bool adrift; /* the core has let go of it, and is to be asked again */
	bool ending; /* the last word is on its way */
	struct reader_wishes wishes;
	struct reader_question question; /* its own */
	uint8_t memory[];                /* of asker, device and path */
};

struct reader_table {
	const struct tg_host *host;
	struct exchange_table *exchanges;
	struct observe_table *observers;
	struct reader_snapshots *snapshots;
	struct reader_events events;
	void *arg;
	struct reader **readers; /* by place, NULL where it is free */
	size_t capacity;
	size_t count;
	uint32_t serial;
	int64_t again_us; /* when those that are adrift are asked for again, INT64_MAX: not yet */
	char target[READER_PREFIX_MAX + 2];
};

/* Device and path as one; no device has a NUL in its name. Ownership: in `memory`. */
struct tg_bytes reader_name(struct tg_bytes device, struct tg_bytes path, uint8_t memory[READER_NAME_MAX]);

/* Ownership: reader_free. Errors: -ENOMEM; -EMSGSIZE: no device or path can be as long as that. */
int reader_new(struct reader_table *table, struct reader_peer *peer, const struct reader_question *question,
	       struct reader **ret_reader);
/* Ends what it has in the core and among the observers; its exchange is the caller's. */
void reader_free(struct reader_table *table, struct reader *reader);
/* NULL: it has gone. */
struct reader *reader_find(const struct reader_table *table, uint64_t token);

/* Errors: of tg_host.read. */
int reader_read(struct reader_table *table, struct reader *reader);
void reader_read_end(struct reader_table *table, struct reader *reader);

/* Whether this tells an observer nothing: the core has gone, or has come back and has not heard the device yet. */
bool reader_is_lull(struct reader_table *table, struct reader *reader, const struct tg_reading *reading);

#endif
