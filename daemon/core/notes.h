/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_NOTES_H
#define CORE_NOTES_H

/*
 * What the core keeps for endpoints whose processes can write nothing down themselves (tg_host.keep): small values under names, in
 * notes.db of the state folder.
 *
 * An endpoint builds on a note when it has been told that it is on disk, so nothing is answered before the transaction is synced. What
 * comes in while one may not be written yet goes into the next: after a burst there is one a second, whatever an endpoint asks for, and
 * flash does not wear out.
 *
 * A damaged file is set aside, loudly. Its notes may have said which numbers are used up, and an empty file looks as though none were:
 * therefore the new one bears a number of the loss, which every endpoint is told with its notes. A file that is missing where there
 * was one (notes.made says so) counts as lost too. Notes of endpoints that are not configured any more are kept: an endpoint
 * that comes back under its name goes on where it was.
 */

#include <tidegate/message.h>

#include "base/loop.h"

enum { NOTES_TOTAL_MAX = 65536, NOTES_PENDING_MAX = 16384 };

struct notes;

/* Who asked: the process, its link, its number. */
struct notes_asker {
	uint32_t instance;
	uint32_t generation;
	uint64_t number;
};

struct notes_settings {
	const char *folder;
	int64_t period_us; /* between two transactions … */
	unsigned burst;    /* … but for as many */
};

/* The answer to notes_keep; never from within it. `result`: see tg_adapter.kept. */
typedef void notes_kept_fn(void *arg, const struct notes_asker *asker, int result);

/* Opens the file, or a new one in the place of a damaged one. Blocks: reads it. Errors: as database.h. */
int notes_new(struct loop *loop, const struct notes_settings *settings, notes_kept_fn *kept, void *arg,
	      struct notes **ret_notes) WARN_UNUSED;
/* Writes what waits, and answers nobody. Accepts NULL. */
void notes_free(struct notes *notes);

/* 0: nothing was ever lost. */
uint64_t notes_loss(const struct notes *notes);

/* An empty value ends the note. Errors: -ENOBUFS: too many wait; -ENOMEM. */
int notes_keep(struct notes *notes, const char *endpoint, struct tg_bytes name, struct tg_bytes value,
	       const struct notes_asker *asker) WARN_UNUSED;

/* Calls `fn` for each note of the endpoint that is on disk; ends at the first negative return, and gives it back. Blocks. */
int notes_each(struct notes *notes, const char *endpoint,
	       int (*fn)(void *arg, struct tg_bytes name, struct tg_bytes value), void *arg) WARN_UNUSED;

struct notes_stats {
	size_t count;
	size_t pending;
	uint64_t commits; /* since the start */
};

void notes_stats(const struct notes *notes, struct notes_stats *ret_stats);

#endif
