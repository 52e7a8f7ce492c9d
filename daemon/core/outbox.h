/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_OUTBOX_H
#define CORE_OUTBOX_H

/*
 * The ordered queue in front of one sink: its head is in memory, its tail on disk when it must.
 *
 * The life of a message here. It is pushed, and while the sink keeps up it is handed on at once, confirmed a moment
 * later and forgotten; no flash was written. If it is not confirmed within `hold`, or the sink is down, or a backlog
 * has built up behind the window, it is committed to the store, and stays in memory too as long as there is room. Is there
 * none, or is anything before it on disk only, then it is dropped from memory once it is committed, and comes back
 * in order when its turn is near. Once confirmed it is deleted from the store by its own number.
 *
 * Order. Messages are handed to the sink in the order in which they were pushed, whoever they are from. When the
 * sink gives one back (TG_RETRY), nothing more is handed over until everything in flight is answered; then it begins
 * again with the first that is not confirmed, in a new round. After the sink was down it does the same. So whenever a
 * message is handed over, each earlier one that is not finished was handed over before it and is in flight; and a sink that
 * has no room for one gives back all that is still to come of its round. For a while it gets no more at a time than it had room for.
 *
 * Everything here runs in the loop's thread. `deliver` and receipts may be called from within each function that says so, and
 * may call outbox_answer and outbox_push themselves.
 */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "base/loop.h"
#include "core/ledger.h"
#include "core/message.h"
#include "core/store.h"

enum { OUTBOX_WINDOW_MAX = 65535 };

struct outbox;

struct outbox_settings {
	int64_t hold_us;        /* unconfirmed for so long, a message is committed to the store; 0: at once */
	size_t memory_messages; /* a quarter of both is kept for what is on its way to the disk */
	size_t memory_bytes;
	int64_t disk_bytes; /* by store_row_cost; a mirror takes as much again */
	size_t window;      /* most that are in flight, whatever the sink wants */
};

/* What is handed to the sink. Borrowed for the call. */
struct outbox_item {
	uint64_t
		ticket; /* unlike any other, also of an earlier process; new each time that the message is handed over */
	uint32_t round; /* never 0; the same from one beginning to the next: see "Order" */
	const struct message *message;
	struct tg_bytes address;
	struct tg_bytes route;
	uint32_t expiry_s; /* 0: never; otherwise the seconds left, rounded up */
	uint8_t qos;
	bool retain;
};

struct outbox_ops {
	/* Hands one over to the sink. Errors: -EAGAIN or any other: not now; it is tried again after outbox_more, the next
	 * confirmation, or `hold`. */
	int (*deliver)(void *arg, const struct outbox_item *item);
	/* How a message ended: delivered, or dropped for this reason. For those who watch; may be NULL. Calls nothing back. */
	void (*finished)(void *arg, const struct message *message, struct tg_bytes address, enum ledger_item item,
			 struct tg_bytes reason);
	/* The time of day by which messages expire over a restart; NULL: the machine's clock. */
	int64_t (*now_wall_us)(void *arg);
};

/* When a push is answered; the numbers are those of enum config_ack. */
enum outbox_ack {
	OUTBOX_RECEIVED = 0, /* as soon as it is in the queue */
	OUTBOX_SAFE = 1,     /* confirmed by the sink or committed to the store, whichever comes first */
	OUTBOX_DELIVERED = 2 /* confirmed by the sink */
};

enum outbox_receipt {
	OUTBOX_TAKEN = 0,   /* as far as `ack` asks */
	OUTBOX_FULL = 1,    /* refused after all: it could not be committed; it will not be sent */
	OUTBOX_REFUSED = 2, /* the sink refused it for good (TG_REJECTED) */
	OUTBOX_EXPIRED = 3,
	OUTBOX_LOST = 4 /* its row was damaged; OUTBOX_DELIVERED only */
};

/* The one answer to a push. `reason` is the sink's with OUTBOX_REFUSED, else empty. */
typedef void outbox_receipt_fn(void *arg, enum outbox_receipt receipt, struct tg_bytes reason);

struct outbox_options {
	struct tg_bytes route; /* name of the route, at most STORE_NAME_MAX */
	uint32_t expiry_s;     /* 0: never */
	uint8_t qos;
	bool retain;
	enum outbox_ack ack;
	uint8_t share_percent; /* of memory and disk that the messages of its device may take; 0 or 100: all */
};

/* An outbox for the endpoint, with what the store holds for it; it begins to be read at once. Ownership: all arguments but the
 * settings have to outlive it. Only one at a time for an endpoint. */
int outbox_new(struct loop *loop, struct store *store, struct ledger *ledger, const char *endpoint,
	       const struct outbox_settings *settings, const struct outbox_ops *ops, void *arg,
	       struct outbox **ret_outbox) WARN_UNUSED;

/* Ends it at once. What was not committed is lost, and receipts that are due are not given: see outbox_flush. Accepts NULL. */
void outbox_free(struct outbox *outbox);

/* Takes a message into custody. `receipt` (may be NULL) is called exactly once, perhaps from within; so is deliver.
 * Ownership: takes a reference of its own; the rest is copied. Errors: -ENOSPC: no room in memory or on disk; -EDQUOT: none
 * for more of this device; -EMSGSIZE: address or route too long; -ENOMEM. On failure nothing has changed, nothing is counted, and there is no receipt. */
int outbox_push(struct outbox *outbox, const struct message *message, struct tg_bytes address,
		const struct outbox_options *options, outbox_receipt_fn *receipt, void *receipt_arg) WARN_UNUSED;

/* Whether outbox_push would take all of these now, one after the other, each for the same address. What has to be taken whole or not at all
 * is asked for first. It may say no where a push would still have gone through. Errors: -ENOSPC, -EDQUOT: as outbox_push;
 * -EFBIG: more than half of an empty outbox. */
int outbox_room(const struct outbox *outbox, const struct message *const *messages, size_t count,
		struct tg_bytes address, const struct outbox_options *options) WARN_UNUSED;

/* The sink wants deliveries, at most `window` at a time (0: as many as the settings allow). Calls deliver. */
void outbox_sink_up(struct outbox *outbox, size_t window);
/* The sink, or the way to it, is gone: everything in flight is unsent again, all tickets are void, and what is not on disk yet is
 * committed. Once more is harmless. */
void outbox_sink_down(struct outbox *outbox);
/* The sink has room again after deliver has said no. */
void outbox_more(struct outbox *outbox);

/* The sink's answer. `reason`: with TG_REJECTED. Calls receipts and deliver. Returns false for a ticket that is not in flight:
 * late, void or made up; nothing happens then. */
bool outbox_answer(struct outbox *outbox, uint64_t ticket, enum tg_delivery_result result, struct tg_bytes reason);

/* Commits everything that is not on disk, and the ledger, for a graceful stop. `done` gets 0 or a negative errno: something is in
 * memory only. Not from within. Errors: -EBUSY: a flush is under way. */
typedef void outbox_flush_fn(void *arg, int result);
int outbox_flush(struct outbox *outbox, outbox_flush_fn *done, void *arg) WARN_UNUSED;

/* Takes effect for what comes next. */
void outbox_set_settings(struct outbox *outbox, const struct outbox_settings *settings);

struct outbox_stats {
	bool up;
	bool disk_failing;   /* the last commit failed; being retried */
	int64_t held;        /* all: in memory, on disk, or both */
	int64_t held_memory; /* in memory, on disk too or not */
	int64_t held_disk;   /* on disk, in memory too or not */
	int64_t in_flight;
	int64_t memory_bytes;
	int64_t disk_bytes;
	int64_t oldest_age_us;     /* of the first that is not confirmed; 0: none */
	int64_t last_confirmed_us; /* monotonic; 0: never */
	int64_t sent;              /* handed over, repeats included */
	int64_t confirmed;
	int64_t retried; /* answered TG_RETRY, or in flight when the sink went down */
	int64_t rejected;
	int64_t expired;
	int64_t committed; /* rows written */
};

void outbox_stats(const struct outbox *outbox, struct outbox_stats *ret_stats);

/* What is held of this device. */
struct share_held outbox_held_of(const struct outbox *outbox, struct tg_bytes device);

/* The account that it counts in. */
struct ledger_account *outbox_account(const struct outbox *outbox);

/* Shows the first `most` messages in memory, in order; `in_flight` and `on_disk` say how they are. */
typedef void outbox_show_fn(void *arg, const struct outbox_item *item, bool in_flight, bool on_disk);
void outbox_show(const struct outbox *outbox, size_t most, outbox_show_fn *fn, void *arg);

#endif
