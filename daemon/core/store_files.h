/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_STORE_FILES_H
#define CORE_STORE_FILES_H

/*
 * The store's two files as one: which of them counts, what happens to a damaged one, and how both come to be the same.
 *
 * At the start each is examined. Of two whole files the one with the later transaction counts; the other is made equal. From
 * a damaged one every row is taken over that can be read and is not there yet, then it is set aside as
 * NAME.corrupt-TIME. Every step can be cut short and is done again by the next start: rows are taken over before anything is
 * renamed, and where no file is whole they are collected in outbox-new.db first.
 */

#include "core/store_exam.h"

struct store_files {
	struct store_side sides[2]; /* outbox.db and its mirror */
	unsigned count;             /* 2 with a mirror */
	int64_t generation;
	int64_t rows;
	uint64_t last_seq;
	/* what the start came across */
	int64_t set_aside;
	int64_t salvaged;
	int64_t unreadable; /* rows that the accounts knew of and nobody can read */
	int64_t corrected;  /* by how much accounts had to be corrected to balance */
};

/* Opens both, as good as new. `files` and `ret_found`, which gets what is in them, are zeroed memory; also on failure the latter ends with
 * store_exam_done. Errors: as store_new; nothing is left open. */
int store_files_open(struct store_files *files, const char *folder, const struct store_settings *settings,
		     struct store_exam *ret_found) WARN_UNUSED;
/* How large one file may grow for so many bytes of rows. */
int64_t store_files_limit(int64_t disk_bytes);
void store_files_close(struct store_files *files);

#endif
