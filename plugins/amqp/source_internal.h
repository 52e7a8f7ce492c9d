/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_SOURCE_INTERNAL_H
#define AMQP_SOURCE_INTERNAL_H

/* What source.c (links and credit), source_take.c (bytes to messages) and source_verdict.c (messages to verdicts) share. */

#include "source.h"

struct arrival;
struct pn_delivery_t;
struct pn_link_t;

/* The largest message: the largest payload, and as much room for everything else as anybody may want. */
enum { SOURCE_MESSAGE_MAX = TG_PAYLOAD_MAX + 65536 };
/* 64 sources with 1,000 messages each have a slot. */
enum { SOURCE_SLOT_BITS = 16 };

enum source_state {
	SOURCE_LATER,  /* to be handed in, from `at_us` on */
	SOURCE_WAITING /* handed in */
};

struct source_entry {
	struct source_entry *next;
	struct source_entry *before;
	struct receiver *receiver;
	struct pn_delivery_t *delivery;
	struct arrival *arrival;
	uint64_t token; /* of the last time it was handed in */
	int64_t at_us;
	size_t slot;
	unsigned tries;
	enum source_state state;
};

struct receiver {
	struct source *source;
	char *address;
	struct pn_link_t *link; /* NULL: none at the moment */
	bool attached;
	bool complained;
	bool short_of; /* a session that it could have */
	int64_t opened_us;
	int64_t again_at_us; /* when it is opened anew */
	int64_t pause_us;
	size_t held;   /* messages that are not settled */
	uint8_t *part; /* of a message that has not come whole */
	size_t part_size;
	size_t part_room;
	bool too_large; /* the rest of it is passed over */
};

void source_gauges(struct source *source);

/* Whether one more message may be taken in. */
bool source_has_room(const struct source *source);
/* Takes what has come over this link, as far as there is room. */
void source_take(struct source *source, struct receiver *receiver);
/* Gives credit, so that as many messages are held or allowed as the settings say. */
void source_credit(struct source *source, struct receiver *receiver);
/* The same for all links. */
void source_resume(struct source *source);

/* Puts a message behind the others, to be handed in at once. Ownership: takes `arrival`. Errors: -ENOMEM. */
int source_add(struct source *source, struct receiver *receiver, struct pn_delivery_t *delivery,
	       struct arrival *arrival);
/* Hands in what is due, and sets the timer for the rest. */
void source_turn(void *arg);
/* Forgets it, unsettled. */
void source_drop(struct source *source, struct source_entry *entry);
/* Settles a delivery that is refused. */
void source_reject(struct source *source, struct pn_delivery_t *delivery, const char *condition,
		   struct tg_bytes reason);

#endif
