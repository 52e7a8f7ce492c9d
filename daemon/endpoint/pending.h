/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENDPOINT_PENDING_H
#define ENDPOINT_PENDING_H

/*
 * The submissions of the adapter that wait for the core's verdict. Each is kept whole until then, so that it can be sent again,
 * with the same id and in the same order, when the core has been away. Bounded in number and in bytes.
 */

#include <stdbool.h>
#include <sys/queue.h>
#include <tidegate/message.h>

#include "endpoint/slots.h"

struct pending_message {
	TAILQ_ENTRY(pending_message) link;
	uint64_t number; /* names it on the wire */
	uint64_t token;  /* the adapter's */
	uint8_t id[TG_ID_SIZE];
	int64_t time_wall_us;
	uint32_t kind;
	uint32_t method;
	int32_t content_format;
	bool sent; /* over this link or an earlier one */
	size_t cost;
	uint32_t expiry_s;
	bool repeated;
	struct tg_bytes device; /* these point behind the struct */
	struct tg_bytes path;
	struct tg_bytes reply_to;
	struct tg_bytes correlation;
	struct tg_bytes payload;
};

TAILQ_HEAD(pending_list, pending_message);

struct pending {
	struct slots slots;
	struct pending_list list; /* in the order of submission */
	size_t bytes;
	size_t limit_bytes;
};

/* A message counts with its bytes and PENDING_OVERHEAD, which is no less than its frame adds. */
enum { PENDING_OVERHEAD = 96 };

/* Units: messages, bytes. */
void pending_init(struct pending *pending, size_t limit, size_t limit_bytes);
void pending_done(struct pending *pending);

/* Keeps a copy; id, time and `sent` are the caller's to fill in. Lent until pending_take. Errors: -ENOBUFS, -ENOMEM. */
int pending_add(struct pending *pending, const struct tg_submission *submission,
		struct pending_message **ret_message) WARN_UNUSED;

/* The one that has this number, taken off the table; NULL where none has. Ownership: free it. */
struct pending_message *pending_take(struct pending *pending, uint64_t number);

#endif
