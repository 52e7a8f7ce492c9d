/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_CSV_H
#define CTL_CSV_H

/*
 * Lines of comma-separated values (RFC 4180): a field may stand in double quotes, with "" for one of them inside. A line end inside of a
 * field is not accepted. Whatever stands in the file, each line comes out by itself: good, or with what is wrong with it.
 */

#include <stdbool.h>
#include <stdio.h>

enum { CSV_LINE_MAX = 4096, CSV_FIELDS_MAX = 32 };

struct csv {
	FILE *file;
	unsigned line; /* the number of the last one, from 1 */
	char *fields[CSV_FIELDS_MAX];
	unsigned count;
	char data[CSV_LINE_MAX + 1];
};

void csv_init(struct csv *csv, FILE *file);

/* The fields of the next line that is not empty, lent until the next call. Returns 1; 0: the end; -EINVAL with *ret_problem: this
 * line is none; -errno: the file cannot be read. */
int csv_next(struct csv *csv, const char **ret_problem);

/* Writes one field, in quotes where it needs them. */
void csv_write(FILE *file, const char *field);

#endif
