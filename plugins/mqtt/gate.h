/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_GATE_H
#define MQTT_GATE_H

/*
 * The messages that have come in and are not acknowledged yet, in the order in which they came. Each waits for its verdict, in
 * whatever order those come; it leaves, and is acknowledged, when it and all before it are final (MQTT 5 section 4.6). One that
 * was not taken for now is handed in again after a pause, and holds back younger ones of its topic, so that these do not
 * overtake it.
 *
 * When a connection ends the broker gives again what was not acknowledged, with its old packet ids and marked as repeated. Of
 * that, what was taken already, or is about to be, is remembered here and not handed in twice. What was acknowledged is
 * not: if it comes again the acknowledgement was lost, but it might as well be a new message that only looks the same, and that must
 * not be lost. It is handed in, marked as repeated. For incoming.c; pure, but for the memory of the messages.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

struct arrival;

enum gate_state {
	GATE_LATER,   /* to be handed in, from `at_us` on */
	GATE_WAITING, /* handed in */
	GATE_FINAL    /* only waits for its turn to be acknowledged */
};

struct gate_entry {
	struct arrival *arrival; /* NULL once it is final */
	uint64_t digest;
	uint64_t token; /* of the last time it was handed in */
	int64_t at_us;
	uint16_t mid;
	uint8_t qos;
	uint8_t reason; /* of the acknowledgement */
	uint8_t state;  /* enum gate_state */
	uint16_t tries; /* how often it was not taken */
};

/* What the broker will give again. */
struct gate_memory {
	uint64_t digest;
	uint64_t token; /* 0: final */
	uint16_t mid;
	uint8_t reason;
};

struct gate {
	struct gate_entry *entries; /* ring */
	size_t capacity;
	size_t first;
	size_t used;
	size_t waiting;             /* handed in */
	size_t later;               /* to be handed in */
	size_t held_up;             /* not taken at least once, and not final */
	size_t bytes;               /* of arrivals */
	struct gate_memory *memory; /* ring, the oldest goes first */
	size_t memory_first;
	size_t memory_used;
};

/* Room for `limit` messages. Errors: -ENOMEM. */
int gate_init(struct gate *gate, size_t limit);
void gate_done(struct gate *gate);

/* Takes over what `from` remembers, as far as there is room. */
void gate_inherit(struct gate *gate, const struct gate *from);

bool gate_has_room(const struct gate *gate);

/* Whether a message with this packet id is not acknowledged yet. */
bool gate_holds(const struct gate *gate, uint16_t mid);

/* Puts a message behind the others; there must be room. `arrival` NULL: it is final already, with this reason. The entry is valid
 * until the next call. Ownership: takes `arrival`. */
struct gate_entry *gate_add(struct gate *gate, uint16_t mid, uint8_t qos, uint64_t digest, struct arrival *arrival,
			    uint8_t reason);

/* The same after a reconnection, for a message that the broker marks as repeated. Returns whether it was known: then it was added
 * as it was left, and nothing is to be handed in. Where it is final already `arrival` is freed. */
bool gate_add_known(struct gate *gate, uint16_t mid, uint8_t qos, uint64_t digest, struct arrival *arrival);

/* A new message has come with this packet id: whatever had it before does not come again. */
void gate_reused(struct gate *gate, uint16_t mid);

/* The entry that was handed in with this token, or NULL. */
struct gate_entry *gate_find(struct gate *gate, uint64_t token);

void gate_handed_in(struct gate *gate, struct gate_entry *entry, uint64_t token);
void gate_not_taken(struct gate *gate, struct gate_entry *entry, int64_t again_at_us);
void gate_final(struct gate *gate, struct gate_entry *entry, uint8_t reason);

/* A verdict about a message of a connection that is gone. `taken`: it is final, else it is forgotten. Returns whether it was known. */
bool gate_remember(struct gate *gate, uint64_t token, bool taken, uint8_t reason);

/* The next one to be handed in, or NULL: due, and nothing older of its topic is held up. `ret_next_us`: when to look
 * again, 0: not before something has happened. */
struct gate_entry *gate_due(struct gate *gate, int64_t now_us, int64_t *ret_next_us);

/* Removes the first where it is final. */
bool gate_release(struct gate *gate, struct gate_entry *ret_entry);

/* The connection is gone: remembers what the broker will give again. */
void gate_disconnect(struct gate *gate);
/* The broker has no memory of this session, or it is another broker. */
void gate_forget(struct gate *gate);

#endif
