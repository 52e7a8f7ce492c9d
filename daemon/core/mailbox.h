/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MAILBOX_H
#define CORE_MAILBOX_H

/*
 * The commands for the devices of one endpoint: one queue for each device, all on disk and in memory.
 *
 * The life of a command here. It is pushed, committed to the store, and only then handed to the device, so that no crash makes it
 * run twice: until the commit whoever sent it still has it, after the commit it is known here by its id. One command of a
 * device is under way at a time, the others wait behind it in order. A device that cannot be reached is asleep: its
 * commands wait until mailbox_awake says that it was heard. Each command ends in exactly one outcome: the device has
 * answered (delivered), it was refused, or its time was over (expired). The outcome is written to the store before anybody hears of it, and
 * then told with `ended` until that has taken it into custody; both rows leave the store then, together. So a crash does not make
 * it end a second time in another way, nor go out again, once its outcome is on disk: it is only told again. A crash before that, while
 * it is under way or the answer is being written, hands it to the device's process once more, which knows its id.
 *
 * Bounded: commands of a device, of all devices, and their bytes; as many bytes again of what devices have said, which an outcome goes
 * without where there is no room for it. Everything runs in the loop's thread; `deliver`, `ended` and
 * receipts may be called from within each function that says so.
 */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "base/loop.h"
#include "core/ledger.h"
#include "core/message.h"
#include "core/store.h"

struct mailbox;

struct mailbox_settings {
	size_t device_commands; /* most that wait for one device */
	size_t commands;        /* for all of them */
	size_t bytes;
};

/* What is handed to the device's process. Borrowed for the call. */
struct mailbox_item {
	uint64_t ticket; /* unlike any other, also of an earlier process */
	const struct message *message;
	struct tg_bytes address; /* path at the device, with its query */
	uint32_t expiry_s;       /* 0: never; otherwise the seconds left, rounded up */
};

/* How a command ended. Borrowed for the call. */
struct mailbox_outcome {
	const struct message *message;
	struct tg_bytes address;
	struct tg_bytes route;
	enum tg_outcome outcome;
	uint32_t code;          /* see tg_response; 0: the device never answered */
	int32_t content_format; /* of the payload */
	struct tg_bytes payload;
	const char *reason; /* where it never answered; else NULL */
};

struct mailbox_ops {
	/* Hands a command to the process that can reach the device; *ret_carrier names that process. Errors: -ENOTCONN: nobody can at the
	 * moment: it waits for mailbox_awake; any other: tried again in a second. */
	int (*deliver)(void *arg, const struct mailbox_item *item, uint32_t *ret_carrier);
	/* Publishes the outcome. mailbox_told answers with `number` once it is safe, perhaps from within. Errors: any: not now; it is tried
	 * again in a second. */
	int (*ended)(void *arg, const struct mailbox_outcome *outcome, uint64_t number);
	int64_t (*now_wall_us)(void *arg);
};

/* When a push is answered; the numbers are those of enum config_ack. */
enum mailbox_ack { MAILBOX_RECEIVED = 0, MAILBOX_SAFE = 1, MAILBOX_DELIVERED = 2 };

enum mailbox_receipt {
	MAILBOX_TAKEN = 0,   /* as far as `ack` asks; with MAILBOX_DELIVERED the device has said 2.xx */
	MAILBOX_FULL = 1,    /* refused after all: it could not be committed; it will not be sent */
	MAILBOX_REFUSED = 2, /* MAILBOX_DELIVERED: refused, or the device has said 4.xx or 5.xx */
	MAILBOX_EXPIRED = 3
};

typedef void mailbox_receipt_fn(void *arg, enum mailbox_receipt receipt, struct tg_bytes reason);

struct mailbox_options {
	struct tg_bytes address;
	struct tg_bytes route;
	uint32_t expiry_s; /* never 0 */
	enum mailbox_ack ack;
};

/* The mailbox of the endpoint, with what the store holds for it; that begins to be read at once. Ownership: all arguments but the settings
 * have to outlive it. */
int mailbox_new(struct loop *loop, struct store *store, struct ledger *ledger, const char *endpoint,
		const struct mailbox_settings *settings, const struct mailbox_ops *ops, void *arg,
		struct mailbox **ret_mailbox) WARN_UNUSED;
/* What was not committed is lost, and receipts that are due are not given. Accepts NULL. */
void mailbox_free(struct mailbox *mailbox);
void mailbox_set_settings(struct mailbox *mailbox, const struct mailbox_settings *settings);

/* Takes a command into custody. `receipt` (may be NULL) is called exactly once, perhaps from within. Ownership: takes a reference of its own;
 * the rest is copied. Errors: -EEXIST: it is here already, or has ended a short while ago; -EDQUOT: the device has too many; -ENOSPC:
 * all together are too many; -EAGAIN: the store is still being read, or it is here and not yet as safe as `ack` asks; -EMSGSIZE; -ENOMEM.
 * On failure nothing has changed. */
int mailbox_push(struct mailbox *mailbox, const struct message *message, const struct mailbox_options *options,
		 mailbox_receipt_fn *receipt, void *receipt_arg) WARN_UNUSED;

/* The device was heard, or has a new session: what waits for it goes. Calls deliver. */
void mailbox_awake(struct mailbox *mailbox, struct tg_bytes device);
/* All devices may be reached: the endpoint can open sessions itself. */
void mailbox_awake_all(struct mailbox *mailbox);
/* The process is gone, and with it everything that was under way in it. */
void mailbox_carrier_gone(struct mailbox *mailbox, uint32_t carrier);
/* The device is gone for good: its commands are refused. */
void mailbox_refuse(struct mailbox *mailbox, struct tg_bytes device, const char *reason);

/* The answers to a ticket, from the process it was given to. TG_CONFIRMED without a response counts as delivered. `reason`: with
 * TG_REJECTED. Returns false for a ticket that is not under way there. */
bool mailbox_answer(struct mailbox *mailbox, uint32_t carrier, uint64_t ticket, enum tg_delivery_result result,
		    struct tg_bytes reason);
bool mailbox_answered(struct mailbox *mailbox, uint32_t carrier, uint64_t ticket, const struct tg_response *response);

/* The outcome of this number is in custody elsewhere (`safe`), or was lost again and is to be told once more. */
void mailbox_told(struct mailbox *mailbox, uint64_t number, bool safe);

struct mailbox_stats {
	int64_t held;
	int64_t bytes;
	int64_t devices; /* with something held */
	int64_t in_flight;
	int64_t telling; /* ended, and the outcome not yet published */
	int64_t oldest_age_us;
	int64_t delivered; /* since the start, by outcome */
	int64_t refused;
	int64_t expired;
	int64_t retried; /* came back, the device not having answered */
	bool reading;    /* the store is still being read */
};

void mailbox_stats(const struct mailbox *mailbox, struct mailbox_stats *ret_stats);
struct ledger_account *mailbox_account(const struct mailbox *mailbox);

/* What is held, of one device (empty: of all), in order. `state`: "waiting", "asleep", "under way", "ended" … */
typedef void mailbox_show_fn(void *arg, const struct mailbox_item *item, const char *state);
void mailbox_show(const struct mailbox *mailbox, struct tg_bytes device, mailbox_show_fn *fn, void *arg);

#endif
