/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_READINGS_PRIVATE_H
#define CORE_READINGS_PRIVATE_H

/* What the files of the module readings share. */

#include <utlist.h>

#include "core/readings.h"

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) (entry)->lost = true
#include <uthash.h>

struct observation {
	struct observation *prev, *next;
	struct entry *entry;
	void *observer;
};

/* What is kept of one device. */
struct shelf {
	struct entry *entries; /* the first was not renewed for the longest time */
	size_t count;
	size_t bytes;
	UT_hash_handle hh;
	bool lost; /* no memory to find it again */
	char device[];
};

struct entry {
	struct last_reading reading;
	struct readings *readings;
	struct shelf *shelf;
	struct entry *prev, *next;             /* of all, in the order of their renewal */
	struct entry *shelf_prev, *shelf_next; /* of the device */
	struct observation *observations;
	size_t observers;
	size_t bytes;
	UT_hash_handle hh;
	bool lost;
	char key[];
};

/* Where a listing goes on, for READINGS_PLACES of those that were asked last: behind `entry`, NULL: at the first one. Entries that leave
 * their place leave it to the one before. */
struct place {
	uint64_t etag; /* 0: not used */
	struct entry *entry;
};

enum { READINGS_PLACES = 32 };

struct readings {
	const struct readings_events *events;
	void *arg;
	uint64_t etag; /* of the last reading */
	struct readings_limits limits;
	struct entry *table;
	struct shelf *shelves;
	struct entry *entries;
	struct readings_stats stats;
	struct place places[READINGS_PLACES];
	unsigned next_place;
};

/* Takes it out, and tells those who observe it. */
void readings_lose(struct entry *entry, enum readings_loss loss);

/* The entry leaves its place among all. */
void readings_leave(struct entry *entry);

/* Returns whether `entry` is still there. */
bool readings_make_room(struct readings *readings, const struct entry *entry) WARN_UNUSED;

#endif
