/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint/slots.h"

#include <errno.h>
#include <stdlib.h>

/* A number is a serial number, which never comes again, above the 16 bits of its slot's place. */
enum { PLACE_BITS = 16, FIRST_CAPACITY = 64 };

struct slot {
	uint64_t number; /* 0: free */
	uint64_t value;  /* free: the next free place */
};

void slots_init(struct slots *slots, size_t limit)
{
	*slots = (struct slots){.limit = limit < SLOTS_MAX ? limit : SLOTS_MAX};
}

void slots_done(struct slots *slots)
{
	free(slots->slots);
	slots_init(slots, slots->limit);
}

static int grow(struct slots *slots)
{
	size_t capacity = slots->capacity ? slots->capacity * 2 : FIRST_CAPACITY;
	struct slot *grown;

	if (capacity > slots->limit)
		capacity = slots->limit;
	if (capacity == slots->capacity)
		return -ENOBUFS;
	grown = reallocarray(slots->slots, capacity, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	for (size_t i = slots->capacity; i < capacity; i++)
		grown[i] = (struct slot){.value = i + 1};
	slots->slots = grown;
	slots->capacity = capacity;
	return 0;
}

int slots_put(struct slots *slots, uint64_t value, uint64_t *ret_number)
{
	struct slot *slot;
	int r = slots->first_free == slots->capacity ? grow(slots) : 0;

	if (r < 0)
		return r;
	slot = &slots->slots[slots->first_free];
	*ret_number = ++slots->serial << PLACE_BITS | slots->first_free;
	slots->first_free = (uint32_t)slot->value;
	slots->used++;
	*slot = (struct slot){.number = *ret_number, .value = value};
	return 0;
}

int slots_take(struct slots *slots, uint64_t number, uint64_t *ret_value)
{
	uint32_t place = number & (SLOTS_MAX - 1);
	struct slot *slot;

	if (number == 0 || place >= slots->capacity || slots->slots[place].number != number)
		return -ENOENT;
	slot = &slots->slots[place];
	*ret_value = slot->value;
	*slot = (struct slot){.value = slots->first_free};
	slots->first_free = place;
	slots->used--;
	return 0;
}

int slots_get(const struct slots *slots, uint64_t number, uint64_t *ret_value)
{
	uint32_t place = number & (SLOTS_MAX - 1);

	if (number == 0 || place >= slots->capacity || slots->slots[place].number != number)
		return -ENOENT;
	*ret_value = slots->slots[place].value;
	return 0;
}

int slots_take_next(struct slots *slots, size_t *place, uint64_t *ret_value)
{
	for (; slots->used && *place < slots->capacity; ++*place) {
		if (slots->slots[*place].number)
			return slots_take(slots, slots->slots[*place].number, ret_value);
	}
	return -ENOENT;
}
