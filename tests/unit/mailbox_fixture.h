/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_MAILBOX_FIXTURE_H
#define UNIT_MAILBOX_FIXTURE_H

/* A mailbox in a fake world, with a process that takes what it is given, and somebody who takes the outcomes; both do as the test
 * says, and everything that they see is kept. */

#include "core/mailbox.h"
#include "fake_store.h"

enum { DESK_MOST = 4000, DESK_NEVER = 99, DESK_CARRIER = 7 };

/* One call of `deliver`. */
struct desk_given {
	unsigned number;
	uint64_t ticket;
	uint32_t expiry_s;
};

/* One call of `ended`. */
struct desk_told {
	unsigned number;
	uint64_t name; /* for mailbox_told */
	enum tg_outcome outcome;
	uint32_t code;
	int32_t content_format;
	char payload[64];
	char reason[200]; /* "" where there is none */
};

struct desk {
	struct mailbox *mailbox;
	struct ledger *ledger;
	struct mailbox_settings settings;
	struct desk_given given[DESK_MOST];
	struct desk_told told[DESK_MOST];
	unsigned given_count, told_count;
	int receipts[DESK_MOST]; /* by number; DESK_NEVER: none yet */
	int deliver_result;      /* what deliver says */
	int ended_result;        /* what ended says */
	bool safe_at_once;       /* mailbox_told from within */
	bool any;                /* not all messages are desk_message's */
	int64_t wall_us;         /* the time of day, 0: as the other clock */
};

extern struct desk desk;

/* A new world with a mailbox of four commands a device and twelve in all. */
void desk_setup(void);
void desk_teardown(void);
/* The process ends, with what the writer has begun failing with `error`; and another one begins, with the same disk. */
void desk_end(int error);
void desk_begin(void);
/* Both, everything on its way to the disk being written before. */
void desk_restart(void);

/* Command `number` for a device, with all that a command can have. Ownership: the caller's. */
struct message *desk_message(unsigned number, const char *device);
int desk_push(unsigned number, const char *device, enum mailbox_ack ack, uint32_t expiry_s);
int desk_push_message(const struct message *message, enum mailbox_ack ack, uint32_t expiry_s);
/* Pushes as MAILBOX_SAFE with an hour to live, and waits until it is on disk. */
void desk_put(unsigned number, const char *device);

/* The last that was handed over has to be `number`. Returns its ticket. */
uint64_t desk_ticket(unsigned number);
/* The device says 2.05 and "ok", or this code and payload. */
void desk_answer(unsigned number);
void desk_answer_with(unsigned number, uint32_t code, const char *payload);
void desk_retry(unsigned number);
void desk_reject(unsigned number, const char *reason);
/* The last that ended has to be `number`, as this, and the `told_count`th outcome at all. */
void desk_expect_told(unsigned told_count, unsigned number, enum tg_outcome outcome);
void desk_safe(bool safe);
/* How often `number` was handed over. */
unsigned desk_given(unsigned number);
/* What mailbox_show says of `number`, "" where it is not there. */
const char *desk_state(unsigned number);
struct mailbox_stats desk_stats(void);
void desk_expect_counts(int64_t accepted, int64_t held, int64_t delivered, int64_t rejected, int64_t expired);

#endif
