/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_SETUP_FILE_H
#define CTL_SETUP_FILE_H

/* A file that takes the place of another one, which is kept and can come back. */

#include <stdbool.h>
#include <stdio.h>

struct setup_file {
	const char *path;  /* lent */
	char fresh[1024];  /* what is written, beside it */
	char before[1024]; /* where the old one is kept; "": there was none */
};

/* Errors: -errno, negative; nothing is left behind then. */
int setup_file_begin(struct setup_file *file, const char *path, FILE **ret_out);
/* On disk and in place when it returns. Ownership: closes `out`. */
int setup_file_place(struct setup_file *file, FILE *out);
/* As it was before. */
int setup_file_undo(struct setup_file *file);

#endif
