/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TRIAL_H
#define BASE_TRIAL_H

/*
 * A configuration on trial: a folder beside the configuration, "trial/", with the files that stand in for those of the same name,
 * and a note of until when. Whoever reads the configuration reads those first while the time is not over; whoever put them there
 * confirms, and then moves them into place. To go back nothing has to be written: the time runs out, or the machine starts anew.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

enum trial_state {
	TRIAL_NONE,
	TRIAL_PENDING,   /* in force until its time is over */
	TRIAL_OVER,      /* nobody has confirmed it, or the note cannot be read: of no effect any more */
	TRIAL_CONFIRMED, /* in force for good; its files are about to be moved */
};

enum { TRIAL_BOOT_SIZE = 48 };

/* In the environment: the machine's boot id, for who cannot read /proc/sys. */
#define TRIAL_BOOT_VARIABLE "TIDEGATE_BOOT"

/* This start of the machine, and how long it lasts: the time sleeps are counted, the time of day does not matter. */
struct trial_now {
	char boot[TRIAL_BOOT_SIZE];
	int64_t time_us;
};

struct trial {
	enum trial_state state;
	int64_t left_us; /* of one that is pending */
};

/* Errors: -errno: the machine does not tell; -EINVAL: it tells nonsense. */
int trial_now(struct trial_now *ret_now) WARN_UNUSED;

/* What the note in the folder says. */
struct trial trial_read(const char *folder, const struct trial_now *now);

/* Makes the note, or replaces it as a whole; on disk when it returns. `lasts_us` -1: confirmed. Errors: -errno. */
int trial_write(const char *folder, const struct trial_now *now, int64_t lasts_us) WARN_UNUSED;

/* The note as text, and back; `text` ends with a zero byte. */
enum { TRIAL_NOTE_SIZE = 160 };
void trial_format(const struct trial_now *now, int64_t lasts_us, char ret_text[TRIAL_NOTE_SIZE]);
struct trial trial_parse(const char *text, const struct trial_now *now);

#endif
