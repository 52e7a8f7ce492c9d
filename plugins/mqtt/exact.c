/* SPDX-License-Identifier: Apache-2.0 */
#include "exact.h"

#include <errno.h>
#include <stdlib.h>

void exact_done(struct exact *exact)
{
	free(exact->items);
	*exact = (struct exact){0};
}

static struct exact_item *exact_at(const struct exact *exact, size_t place)
{
	return &exact->items[(exact->first + place) % EXACT_MAX];
}

int exact_add(struct exact *exact, uint16_t mid, uint64_t digest)
{
	if (!exact->items)
		exact->items = calloc(EXACT_MAX, sizeof(*exact->items));
	if (!exact->items)
		return -ENOMEM;
	exact_release(exact, mid);
	if (exact->used == EXACT_MAX) {
		exact->first = (exact->first + 1) % EXACT_MAX;
		exact->used--;
	}
	*exact_at(exact, exact->used++) = (struct exact_item){.digest = digest, .mid = mid};
	return 0;
}

bool exact_knows(const struct exact *exact, uint16_t mid, uint64_t digest)
{
	for (size_t i = 0; i < exact->used; i++) {
		if (exact_at(exact, i)->mid == mid)
			return exact_at(exact, i)->digest == digest;
	}
	return false;
}

/* They are released in the order in which they came (MQTT 5 section 4.6): it is nearly always the first. */
bool exact_release(struct exact *exact, uint16_t mid)
{
	size_t place = 0;

	while (place < exact->used && exact_at(exact, place)->mid != mid)
		place++;
	if (place == exact->used)
		return false;
	for (; place > 0; place--)
		*exact_at(exact, place) = *exact_at(exact, place - 1);
	exact->first = (exact->first + 1) % EXACT_MAX;
	exact->used--;
	return true;
}

void exact_forget(struct exact *exact)
{
	exact->used = 0;
}
