/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_OUTBOX_FIXTURE_H
#define UNIT_OUTBOX_FIXTURE_H

/* An outbox in a fake world, and a sink that takes what it is given while `room` lasts, and keeps it until the test answers. */

#include "core/outbox.h"
#include "fake_store.h"

enum { NEVER = 99, MOST = 20000 };

struct sink {
	struct outbox *outbox;
	struct ledger *ledger;
	int receipts[MOST]; /* by number; NEVER: none yet */
	uint64_t tickets[MOST];
	unsigned given[MOST]; /* numbers in the order in which they were handed over */
	unsigned count;
	unsigned room;
	uint32_t expiry_s, round; /* of the last one */
	int64_t wall_us;          /* the time of day, 0: as the other clock */
};

extern struct sink sink;
extern const struct outbox_settings sink_settings;

/* A new world, and the outbox in it; the sink is down. */
void sink_setup(const struct outbox_settings *settings);
void sink_teardown(void);
/* The process ends, and another one begins, with the same disk. */
void sink_end(void);
void sink_begin(const struct outbox_settings *settings);

int sink_push(unsigned number, enum outbox_ack ack);
int sink_push_with(unsigned number, enum outbox_ack ack, uint32_t expiry_s);
int sink_push_share(unsigned number, uint8_t percent);
void sink_answer(unsigned number, enum tg_delivery_result result);
struct outbox_stats sink_stats(void);

#endif
