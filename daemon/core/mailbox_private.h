/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MAILBOX_PRIVATE_H
#define CORE_MAILBOX_PRIVATE_H

/*
 * The mailbox's inside, shared by its files: mailbox.c (the queues), mailbox_send.c (to the device and back, and how commands end),
 * mailbox_save.c (the store), mailbox_ended.c (the memory of those that have ended).
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
	MAILBOX_ENDING, /* its outcome is to be told */
	MAILBOX_TELLING /* its outcome is being told, under `ticket` */
};

struct mailbox_box;

struct mailbox_command {
	struct mailbox_command *prev, *next;
	struct mailbox_box *box;
	struct store_row row; /* a reference of the message; address and route lie behind the struct */
	enum mailbox_state state;
	int64_t pushed_us, expires_us;
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
	int32_t content_format;
	uint8_t *payload;
	size_t payload_size;
	const char *reason; /* points to `text`, to static text, or NULL */
	char text[160];
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

struct mailbox_ended {
	struct mailbox_known *table[1024]; /* a ring */
	size_t next;
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
	struct mailbox_ended ended;
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
/* The command has ended as `outcome` and so on say, or will once it is written. May free the command and its box. */
void mailbox_end(struct mailbox_command *command);
void mailbox_arm(struct mailbox *mailbox, int64_t at_us);
void mailbox_on_timer(void *arg);
static inline int64_t mailbox_wall_us(const struct mailbox *mailbox)
{
	return mailbox->ops->now_wall_us(mailbox->arg);
}

/* mailbox_save.c */
void mailbox_save(struct mailbox_command *command);
/* The command is over: its row goes, and so does the command. */
void mailbox_erase(struct mailbox_command *command);
void mailbox_load(struct mailbox *mailbox);

/* mailbox_ended.c */
void mailbox_ended_done(struct mailbox_ended *ended);
void mailbox_ended_add(struct mailbox_ended *ended, const struct store_row *row, int64_t now_us);
/* Whether this is one of those that ended a short while ago. */
bool mailbox_ended_has(const struct mailbox_ended *ended, const struct message *message, struct tg_bytes address,
		       int64_t now_us);
/* Whether both are the same command: by their id, or, where the peer says that it may have sent the new one before, by what they ask for. */
bool mailbox_is_same(const struct message *known, struct tg_bytes known_address, const struct message *message,
		     struct tg_bytes address);

#endif
