/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_OBSERVE_RIG_H
#define TESTS_OBSERVE_RIG_H

/* A table of observers with a clock of its own, for their tests: what it sends is kept here. */

#include "coap/observe.h"

enum { MS = 1000, S = 1000000, RIG_SENT_MAX = 128, RIG_A_PEER = 4, RIG_IN_ALL = 6, RIG_OTHERS = 4, RIG_OWNERS = 8 };

/* One notification that was sent. */
struct observe_sent {
	int64_t at_us;
	uint8_t wire[256];
	size_t size;
	struct coap_message message;
};

struct observe_rig {
	struct observe_table *table;
	struct observe_peer peer, others[RIG_OTHERS];
	struct observe_sent sent[RIG_SENT_MAX];
	size_t n_sent;
	unsigned counts[OBSERVE_COUNTS];
	void *ended; /* the owner of the one that ended last */
	unsigned n_ended;
	uint16_t next_id;
	int64_t now_us;
	int owners[RIG_OWNERS];
};

extern struct observe_rig rig;

/* The limits: RIG_A_PEER of a peer, RIG_IN_ALL in all, confirmable where the last acknowledgement is older than 60 s. */
void rig_setup(void);
/* Makes sure that nothing is left. */
void rig_teardown(void);

/* An observer of `rig.peer`, which must work. */
struct observer *rig_add(uint8_t token, int owner);
/* One that has had a notification, and a round trip of 100 ms. */
struct observer *rig_known(void);

/* 2.05 with this payload, fresh for 60 s, or for so long. */
void rig_tell(struct observer *observer, const char *text);
void rig_tell_aged(struct observer *observer, const char *text, uint32_t max_age_s);
/* A code and the end. */
void rig_tell_last(struct observer *observer, uint8_t code);

/* Moves the time on, as the host's timer would. */
void rig_advance(int64_t us);

/* An empty message from `rig.peer`; whether it belonged to a notification. */
bool rig_settle(enum message_type type, uint16_t id);
/* Acknowledges what was sent last, which must be confirmable. */
void rig_acknowledge(void);

void rig_assert_sent(size_t place, enum message_type type, const char *text);

#endif
