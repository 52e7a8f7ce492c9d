/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

/* Columns for people: as wide as their contents, colour on a terminal only. */

#include <stdbool.h>
#include <stddef.h>

enum { TABLE_COLUMNS_MAX = 10 };

struct table {
	unsigned columns;
	unsigned rows;
	size_t widths[TABLE_COLUMNS_MAX];
	char *(*cells)[TABLE_COLUMNS_MAX]; /* NULL: empty */
};

/* The titles end with NULL. */
void table_init(struct table *table, const char *const *titles);
/* Starts a row; table_cell fills it from the left. */
void table_row(struct table *table);
void table_cell(struct table *table, unsigned column, const char *format, ...) __attribute__((format(printf, 3, 4)));
void table_print(const struct table *table);
void table_done(struct table *table);

/* "\033[…m" on a terminal that wants colour (NO_COLOR unset), "" elsewhere. */
const char *table_bold(void);
const char *table_red(void);
const char *table_green(void);
const char *table_plain(void);

#endif
