/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include <errno.h>
#include <stdlib.h>

#include "arrival.h"

int gate_init(struct gate *gate, size_t limit)
{
	*gate = (struct gate){.entries = calloc(limit, sizeof(struct gate_entry)),
			      .memory = calloc(limit, sizeof(struct gate_memory)),
			      .capacity = limit};
	if (gate->entries && gate->memory)
		return 0;
	gate_done(gate);
	return -ENOMEM;
}

static struct gate_entry *gate_at(const struct gate *gate, size_t place)
{
	return &gate->entries[(gate->first + place) % gate->capacity];
}

static void gate_drop_arrival(struct gate *gate, struct gate_entry *entry)
{
	if (entry->arrival)
		gate->bytes -= entry->arrival->size;
	arrival_free(entry->arrival);
	entry->arrival = NULL;
}

static void gate_set_state(struct gate *gate, struct gate_entry *entry, enum gate_state state)
{
	gate->waiting -= entry->state == GATE_WAITING;
	gate->waiting += state == GATE_WAITING;
	gate->later -= entry->state == GATE_LATER;
	gate->later += state == GATE_LATER;
	entry->state = (uint8_t)state;
}

void gate_done(struct gate *gate)
{
	for (size_t i = 0; i < gate->used; i++)
		arrival_free(gate_at(gate, i)->arrival);
	free(gate->entries);
	free(gate->memory);
	*gate = (struct gate){0};
}

bool gate_has_room(const struct gate *gate)
{
	return gate->used < gate->capacity;
}

bool gate_holds(const struct gate *gate, uint16_t mid)
{
	for (size_t i = 0; i < gate->used; i++) {
		if (gate_at(gate, i)->qos > 0 && gate_at(gate, i)->mid == mid)
			return true;
	}
	return false;
}

struct gate_entry *gate_add(struct gate *gate, uint16_t mid, uint8_t qos, uint64_t digest, struct arrival *arrival,
			    uint8_t reason)
{
	struct gate_entry *entry = gate_at(gate, gate->used++);

	*entry = (struct gate_entry){.arrival = arrival,
				     .digest = digest,
				     .mid = mid,
				     .qos = qos,
				     .reason = reason,
				     .state = arrival ? GATE_LATER : GATE_FINAL};
	gate->later += arrival != NULL;
	if (arrival)
		gate->bytes += arrival->size;
	return entry;
}

static struct gate_memory *gate_memory_at(const struct gate *gate, size_t place)
{
	return &gate->memory[(gate->memory_first + place) % gate->capacity];
}

static void gate_memory_drop(struct gate *gate, size_t place)
{
	for (; place + 1 < gate->memory_used; place++)
		*gate_memory_at(gate, place) = *gate_memory_at(gate, place + 1);
	gate->memory_used--;
}

static void gate_memory_add(struct gate *gate, struct gate_memory memory)
{
	if (gate->memory_used == gate->capacity) {
		gate->memory_first = (gate->memory_first + 1) % gate->capacity;
		gate->memory_used--;
	}
	*gate_memory_at(gate, gate->memory_used++) = memory;
}

void gate_inherit(struct gate *gate, const struct gate *from)
{
	for (size_t i = 0; i < from->memory_used; i++)
		gate_memory_add(gate, *gate_memory_at(from, i));
}

bool gate_add_known(struct gate *gate, uint16_t mid, uint8_t qos, uint64_t digest, struct arrival *arrival)
{
	for (size_t i = gate->memory_used; i-- > 0;) {
		struct gate_memory memory = *gate_memory_at(gate, i);
		struct gate_entry *entry;

		if (memory.mid != mid || memory.digest != digest)
			continue;
		gate_memory_drop(gate, i);
		if (memory.token == 0) {
			arrival_free(arrival);
			arrival = NULL;
		}
		entry = gate_add(gate, mid, qos, digest, arrival, memory.reason);
		if (memory.token != 0)
			gate_handed_in(gate, entry, memory.token);
		return true;
	}
	return false;
}

void gate_reused(struct gate *gate, uint16_t mid)
{
	for (size_t i = gate->memory_used; i-- > 0;) {
		if (gate_memory_at(gate, i)->mid == mid)
			gate_memory_drop(gate, i);
	}
}

struct gate_entry *gate_find(struct gate *gate, uint64_t token)
{
	for (size_t i = 0; i < gate->used; i++) {
		struct gate_entry *entry = gate_at(gate, i);

		if (entry->state == GATE_WAITING && entry->token == token)
			return entry;
	}
	return NULL;
}

void gate_handed_in(struct gate *gate, struct gate_entry *entry, uint64_t token)
{
	gate_set_state(gate, entry, GATE_WAITING);
	entry->token = token;
}

void gate_not_taken(struct gate *gate, struct gate_entry *entry, int64_t again_at_us)
{
	gate_set_state(gate, entry, GATE_LATER);
	gate->held_up += entry->tries == 0;
	entry->at_us = again_at_us;
	if (entry->tries < UINT16_MAX)
		entry->tries++;
}

void gate_final(struct gate *gate, struct gate_entry *entry, uint8_t reason)
{
	gate_set_state(gate, entry, GATE_FINAL);
	gate->held_up -= entry->tries > 0;
	entry->reason = reason;
	gate_drop_arrival(gate, entry);
}

bool gate_remember(struct gate *gate, uint64_t token, bool taken, uint8_t reason)
{
	for (size_t i = 0; i < gate->memory_used; i++) {
		struct gate_memory *memory = gate_memory_at(gate, i);

		if (memory->token != token)
			continue;
		if (taken) {
			memory->token = 0;
			memory->reason = reason;
		} else {
			gate_memory_drop(gate, i);
		}
		return true;
	}
	return false;
}

/* Whether an older one of the same topic was not taken, and is still not. */
static bool gate_is_behind(const struct gate *gate, size_t place)
{
	const struct arrival *arrival = gate_at(gate, place)->arrival;

	for (size_t i = 0; i < place; i++) {
		const struct gate_entry *older = gate_at(gate, i);

		if (older->state != GATE_FINAL && (older->tries > 0 || older->state == GATE_LATER) &&
		    arrival_same_topic(older->arrival, arrival))
			return true;
	}
	return false;
}

struct gate_entry *gate_due(struct gate *gate, int64_t now_us, int64_t *ret_next_us)
{
	struct gate_entry *last = gate->later == 1 ? gate_at(gate, gate->used - 1) : NULL;
	int64_t next_us = 0;

	*ret_next_us = 0;
	if (gate->later == 0)
		return NULL;
	/* The one that has just come, while none is held up: nearly always so. */
	if (last && last->state == GATE_LATER && gate->held_up == 0)
		return last;
	for (size_t i = 0; i < gate->used; i++) {
		struct gate_entry *entry = gate_at(gate, i);

		if (entry->state != GATE_LATER || gate_is_behind(gate, i))
			continue;
		if (entry->at_us <= now_us)
			return entry;
		if (next_us == 0 || entry->at_us < next_us)
			next_us = entry->at_us;
	}
	*ret_next_us = next_us;
	return NULL;
}

bool gate_release(struct gate *gate, struct gate_entry *ret_entry)
{
	const struct gate_entry *entry = gate->used > 0 ? gate_at(gate, 0) : NULL;

	if (!entry || entry->state != GATE_FINAL)
		return false;
	*ret_entry = *entry;
	gate->first = (gate->first + 1) % gate->capacity;
	gate->used--;
	return true;
}

void gate_disconnect(struct gate *gate)
{
	for (; gate->used > 0; gate->used--) {
		struct gate_entry *entry = gate_at(gate, 0);

		if (entry->qos > 0 && entry->state != GATE_LATER)
			gate_memory_add(gate,
					(struct gate_memory){.digest = entry->digest,
							     .mid = entry->mid,
							     .reason = entry->reason,
							     .token = entry->state == GATE_WAITING ? entry->token : 0});
		gate_drop_arrival(gate, entry);
		gate->first = (gate->first + 1) % gate->capacity;
	}
	gate->waiting = gate->later = gate->held_up = 0;
}

void gate_forget(struct gate *gate)
{
	gate->memory_used = 0;
}
