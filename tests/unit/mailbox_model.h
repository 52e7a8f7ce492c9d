/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_MAILBOX_MODEL_H
#define UNIT_MAILBOX_MODEL_H

/* What a mailbox has promised, in a model that is too simple to be wrong: a list of all commands in the order of acceptance, and for each
 * what was promised of it, and what was heard of it in any life. The functions that the mailbox calls hold it to that. */

#include <stdlib.h>

#include <check.h>

#include "core/mailbox.h"
#include "fake_store.h"

enum { COMMANDS_MAX = 2000, DEVICES = 5, CARRIERS = 2 };

struct known {
	unsigned device;
	enum mailbox_ack ack;
	int64_t expires_us;
	bool here;      /* accepted, and its outcome not yet taken over */
	bool owes;      /* a receipt is due */
	bool must_keep; /* its source was told that it is safe, and its outcome is not taken over */
	bool flying;
	uint32_t carrier;
	uint64_t ticket;
	bool revoked;             /* its device was, while it was here */
	enum tg_outcome answered; /* what the device's process said, if that is known yet */
	uint32_t answered_code;   /* with it */
	bool closed;              /* it was answered, in this life */
	enum tg_outcome told;     /* what was told of it, in any life */
	uint32_t told_code;       /* with it */
	bool telling;             /* somebody is to take it over */
	uint64_t name;            /* under this name */
	bool over;                /* it was taken over, in any life */
	bool over_now;            /* and in this one */
};

struct mailbox_model {
	uint32_t seed;
	struct known all[COMMANDS_MAX];
	unsigned count;
	bool reachable[DEVICES];
	bool busy[DEVICES]; /* a command is under way */
	int ended_result;
	bool safe_at_once;
	unsigned lives, finished, repeats;
	struct mailbox *mailbox;
	struct ledger *ledger;
};

extern struct mailbox_model model;

#define EXPECT(what)                                                                                                   \
	do {                                                                                                           \
		if (!(what))                                                                                           \
			ck_abort_msg("seed %u: %s", model.seed, #what);                                                \
	} while (0)

/* A mailbox in a new process. */
void model_begin_life(void);
/* The process is gone: of what was promised nothing may be missing. */
void model_end_life(int error);
const char *model_device(unsigned device);
/* Hands in the command of this number. `again`: its sender has not heard that it was taken. */
int model_push(unsigned number, bool again);
void model_take_over(struct known *known);
/* Fails where the mailbox does not count as the model does. */
void model_check(void);

#endif
