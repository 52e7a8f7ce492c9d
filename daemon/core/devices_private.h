/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DEVICES_PRIVATE_H
#define CORE_DEVICES_PRIVATE_H

/* What the files of the registry share: devices.c (the table), devices_change.c, devices_key.c (what is sealed). */

#include "core/devices.h"
#include "core/devices_file.h"

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) (entry)->lost = true
#include <uthash.h>

struct devices_entry {
	struct device device;
	char *name;
	char *endpoint;
	char *profile;
	int64_t ends_us; /* monotonic: when the old key ends, where it was rotated in this run; 0: it was not */
	bool next_turn;  /* the next look-up gets the new key */
	bool lost;       /* no memory to remember it */
	UT_hash_handle hh;
};

struct devices {
	struct devices_file *file;
	struct devices_entry *table;
	bool sorted;
	bool overlaps;       /* there may be one */
	int64_t expire_us;   /* monotonic: no overlap ends before; 0: look */
	int64_t shift_us;    /* between the clocks, when that was found out */
	int64_t catch_up_us; /* monotonic: the mirror is not tried before */
	struct secret data;  /* what keys are sealed with; empty: locked */
	struct devices_keys decoy;
};

struct devices_entry *devices_entry(struct devices *devices, struct tg_bytes name); /* or NULL */
/* A copy of `device` in the table, not in the file. Errors: NULL: no memory. */
struct devices_entry *devices_remember(struct devices *devices, const struct device *device);
void devices_forget(struct devices *devices, struct devices_entry *entry);
/* This one may have an overlap: looks for when it ends. */
void devices_note_overlap(struct devices *devices, const struct device *device);

/* Seals a key for the row of `device` under that generation. Errors: -ENOKEY; -EIO. */
int devices_seal(const struct devices *devices, const struct device *device, uint64_t generation,
		 const struct secret *key, uint8_t *ret_sealed, size_t *ret_size) WARN_UNUSED;

#endif
