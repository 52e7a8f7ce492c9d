/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MAILBOX_PRIVATE_H
#define CORE_MAILBOX_PRIVATE_H

/*
 * The mailbox's inside, shared by its files: mailbox.c (the queues), mailbox_send.c (to the device and back), mailbox_end.c (how commands
 * end, and who is told), mailbox_save.c and mailbox_load.c (the store), mailbox_ended.c (the memory of those that have ended).
 */

#include <utlist.h>

#include "core/mailbox.h"

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) (entry)->lost = true
#include <uthash.h>

enum mailbox_state {
	MAILBOX_SAVING,  /* the store has it to write */
	MAILBOX_UNSAVED, /* the store has failed to, and whoever sent it was told "taken": it is tried again */
	MAILBOX_READY,
	MAILBOX_FLYING, /* its process has it, under `ticket` */
	/* It has ended. */
	MAILBOX_RECORDING,  /* the store has its outcome to write */
	MAILBOX_UNRECORDED, /* the store has failed to: it is tried again */
	MAILBOX_ENDING,     /* its outcome is to be told */
	MAILBOX_TELLING     /* its outcome is being told, under `ticket` */
};

struct mailbox_box;

struct mailbox_command {
	struct mailbox_command *prev, *next;
	struct mailbox_box *box;
	struct store_row row; /* a reference of the message; address and route lie behind the struct */
	enum mailbox_state state;
	bool saved; /* its row is on disk */
	int64_t pushed_us, expires_us;
	int64_t retry_us; /* what has failed is not tried again before this */
	size_t bytes;
	uint32_t cost;
	uint64_t ticket; /* 0: none */
	uint32_t carrier;
	UT_hash_handle hh; /* in `tickets` */
	bool lost;
	mailbox_receipt_fn *receipt; /* NULL: none is due */
	void *receipt_arg;
	struct store_op op;

	/* How it ends, or will as soon as it is written. */
	enum tg_outcome outcome; /* TG_OUTCOME_NONE: it does not */
	uint32_t code;
	char text[160]; /* why it was never answered; "" where it was */
	/* The outcome as it stands on disk, in a row of its own: a TG_RESPONSE with the id of the command, and what the device has
	 * said, or the text, as its payload. Of a command whose own row cannot be read any more it is `row` itself, and seq is 0. */
	struct store_row answer;
};

/* One device with something held. */
struct mailbox_box {
	struct mailbox *mailbox;
	struct mailbox_command *commands; /* in order */
	size_t count;
	bool asleep;
	bool heard; /* while something was under way */
	bool lost;
	UT_hash_handle hh;
	size_t device_size;
	char device[];
};

struct mailbox_known;
struct mailbox_removal;

struct mailbox_ended {
	struct mailbox_known *table[1024]; /* a ring */
	size_t first, count, bytes;
};

/* A device whose commands are to be refused as soon as they are read. */
struct mailbox_refusal {
	struct mailbox_refusal *next;
	struct tg_bytes device; /* both lie behind the struct */
	const char *reason;
};

struct mailbox {
	struct loop *loop;
	struct store *store;
	const char *name;
	uint32_t endpoint;
	struct ledger_account *account;
	struct mailbox_settings settings;
	const struct mailbox_ops *ops;
	void *arg;
	struct loop_timer *timer;
	int64_t timer_at_us; /* 0: not set */
	struct mailbox_box *boxes;
	struct mailbox_command *tickets;
	uint64_t last_ticket;
	size_t count, bytes;
	size_t answer_bytes;
	struct mailbox_ended ended;
	struct mailbox_removal *removals; /* the first is with the store where `removing` says so */
	bool removing;
	struct mailbox_refusal *refusals;
	struct mailbox_stats stats;

	bool reading;
	bool load_again; /* it has failed */
	struct store_op load_op;
	struct store_load load;
	uint64_t cursor;
	int64_t expected; /* rows that the ledger knows of */
	unsigned pending; /* operations with the store */
	bool closing;
};

/* mailbox.c */
struct mailbox_box *mailbox_box_find(const struct mailbox *mailbox, struct tg_bytes device);
/* A new command behind the others of its device, counted. NULL: no memory. Ownership: takes a reference of the row's message, copies the rest. */
struct mailbox_command *mailbox_add(struct mailbox *mailbox, const struct store_row *row) WARN_UNUSED;
/* Off all lists, and freed; so is its box where that is empty now. */
void mailbox_drop(struct mailbox_command *command);
void mailbox_receipt(struct mailbox_command *command, enum mailbox_receipt receipt, struct tg_bytes reason);
/* One operation less with the store. Returns true where the mailbox was freed meanwhile; with the last one it is gone. */
bool mailbox_settled(struct mailbox *mailbox);

/* mailbox_send.c */
/* Hands over what can be. */
void mailbox_go(struct mailbox_box *box);
void mailbox_arm(struct mailbox *mailbox, int64_t at_us);
/* Something of the command has failed: again in a second. */
void mailbox_retry(struct mailbox_command *command);
void mailbox_on_timer(void *arg);
/* As tg_delivery.expiry_s has it. */
uint32_t mailbox_seconds_left(const struct mailbox_command *command);
/* Returns whether the command can be found by its new ticket. */
bool mailbox_give_ticket(struct mailbox_command *command);
void mailbox_take_ticket(struct mailbox_command *command);
struct mailbox_command *mailbox_find(const struct mailbox *mailbox, uint64_t ticket, enum mailbox_state state);
static inline int64_t mailbox_wall_us(const struct mailbox *mailbox)
{
	return mailbox->ops->now_wall_us(mailbox->arg);
}

/* mailbox_end.c. All but the last call nobody, and free nothing. */
/* As `outcome`, `code` and `text` say. */
void mailbox_end(struct mailbox_command *command);
/* The device has answered. `response` may be NULL. */
void mailbox_end_answered(struct mailbox_command *command, const struct tg_response *response);
/* It has not. A command that is being written ends when that is done. */
void mailbox_end_unanswered(struct mailbox_command *command, enum tg_outcome outcome, struct tg_bytes reason);
/* Has the outcome written that the command's members tell of. */
void mailbox_record(struct mailbox_command *command);
/* An outcome that was read from disk. */
void mailbox_end_again(struct mailbox_command *command, const struct message *answer);
/* May free the command and its box. */
void mailbox_tell(struct mailbox_command *command);

/* mailbox_save.c */
void mailbox_save(struct mailbox_command *command);
/* The command is over: its rows go, and so does the command. */
void mailbox_erase(struct mailbox_command *command);
/* One row goes, and is counted as `item`. Returns false where there is no memory: then it stays. */
bool mailbox_remove(struct mailbox *mailbox, const struct store_gone *gone, uint32_t count);
void mailbox_remove_again(struct mailbox *mailbox);
/* Hands in everything that waits to be removed. */
void mailbox_remove_all(struct mailbox *mailbox);

/* mailbox_load.c */
void mailbox_load(struct mailbox *mailbox);
void mailbox_refuse_later(struct mailbox *mailbox, struct tg_bytes device, const char *reason);
void mailbox_load_done(struct mailbox *mailbox);

/* mailbox_ended.c */
void mailbox_ended_done(struct mailbox_ended *ended);
void mailbox_ended_add(struct mailbox_ended *ended, const struct store_row *row, int64_t now_us);
/* Whether this is one of those that ended a short while ago. */
bool mailbox_ended_has(struct mailbox_ended *ended, const struct message *message, struct tg_bytes address,
		       int64_t now_us);
/* Whether both are the same command: by their id, or, where the peer says that it may have sent the new one before, by what they ask for. */
bool mailbox_is_same(const struct message *known, struct tg_bytes known_address, const struct message *message,
		     struct tg_bytes address);

#endif
