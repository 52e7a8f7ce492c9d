/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Readings in the order of their ETags, in pages. All entries stand in that order; the page that ended last knows where it did, so that the
 * next one need not look for its beginning.
 */

#include "core/readings_private.h"

static struct entry *before(const struct entry *entry)
{
	return entry == entry->readings->entries ? NULL : entry->prev;
}

void readings_leave(struct entry *entry)
{
	struct readings *readings = entry->readings;

	for (size_t i = 0; i < READINGS_PLACES; i++)
		if (readings->places[i].entry == entry)
			readings->places[i].entry = before(entry);
}

/* ETags are counted up, past the largest number too. */
static bool is_behind(const struct entry *entry, uint64_t etag)
{
	return (int64_t)(entry->reading.etag - etag) > 0;
}

static struct entry *search_back(const struct readings *readings, uint64_t after)
{
	struct entry *entry = readings->entries->prev; /* the first one's is the last one */

	while (entry && is_behind(entry, after))
		entry = before(entry);
	return entry ? entry->next : readings->entries;
}

static struct entry *search(const struct readings *readings, uint64_t after)
{
	struct entry *first = readings->entries;

	if (!first || is_behind(first, after))
		return first;
	if (first->prev->reading.etag - after < after - first->reading.etag)
		return search_back(readings, after);
	while (first && !is_behind(first, after))
		first = first->next;
	return first;
}

static struct entry *first_behind(const struct readings *readings, uint64_t after)
{
	for (size_t i = 0; after != 0 && i < READINGS_PLACES; i++)
		if (readings->places[i].etag == after)
			return readings->places[i].entry ? readings->places[i].entry->next : readings->entries;
	return after == 0 ? readings->entries : search(readings, after);
}

static void keep_place(struct readings *readings, uint64_t etag, struct entry *entry)
{
	struct place *place = &readings->places[readings->next_place];

	for (size_t i = 0; i < READINGS_PLACES; i++)
		if (readings->places[i].etag == etag)
			return;
	*place = (struct place){etag, entry};
	readings->next_place = (readings->next_place + 1) % READINGS_PLACES;
}

bool readings_list(struct readings *readings, uint64_t after, size_t most,
		   int (*fn)(void *arg, const struct last_reading *reading), void *arg, uint64_t *ret_after)
{
	struct entry *entry = first_behind(readings, after), *last = NULL;

	while (entry && most > 0 && fn(arg, &entry->reading) == 0) {
		last = entry;
		entry = entry->next;
		most--;
	}
	if (last)
		keep_place(readings, last->reading.etag, last);
	*ret_after = last ? last->reading.etag : after;
	return entry != NULL;
}
