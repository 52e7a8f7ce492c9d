/* SPDX-License-Identifier: Apache-2.0 */

/* Who goes where there is no room. */

#include "core/readings_private.h"

static size_t share_of(size_t whole, unsigned percent)
{
	return whole / 100 * percent + whole % 100 * percent / 100;
}

static bool is_over_share(const struct readings *readings, const struct shelf *shelf)
{
	return shelf->count > 1 && (shelf->count > share_of(readings->limits.count, readings->limits.share_percent) ||
				    shelf->bytes > share_of(readings->limits.bytes, readings->limits.share_percent));
}

static bool is_over(const struct readings *readings)
{
	return readings->stats.count > readings->limits.count || readings->stats.bytes > readings->limits.bytes;
}

static struct entry *oldest_of(const struct shelf *shelf)
{
	struct entry *entry = shelf->entries;

	while (entry && entry->observations)
		entry = entry->shelf_next;
	return entry ? entry : shelf->entries;
}

static struct entry *oldest(const struct readings *readings)
{
	struct entry *entry = readings->entries;

	while (entry && entry->observations)
		entry = entry->next;
	return entry ? entry : readings->entries;
}

bool readings_make_room(struct readings *readings, const struct entry *entry)
{
	const struct shelf *shelf = entry->shelf;
	bool stays = true;

	for (;;) {
		struct entry *victim = stays && is_over_share(readings, shelf) ? oldest_of(shelf)
				       : is_over(readings)                     ? oldest(readings)
									       : NULL;

		if (!victim)
			return stays;
		stays = stays && victim != entry;
		readings->stats.evicted++;
		readings_lose(victim, READINGS_EVICTED);
	}
}

void readings_set_limits(struct readings *readings, const struct readings_limits *limits)
{
	struct entry *entry, *next;

	readings->limits = *limits;
	DL_FOREACH_SAFE (readings->entries, entry, next) {
		if (!is_over(readings) && !is_over_share(readings, entry->shelf))
			continue;
		readings->stats.evicted++;
		readings_lose(entry, READINGS_EVICTED);
	}
}
