/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool use_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

const char *table_bold(void)
{
	return use_colour() ? "\033[1m" : "";
}

const char *table_red(void)
{
	return use_colour() ? "\033[31m" : "";
}

const char *table_green(void)
{
	return use_colour() ? "\033[32m" : "";
}

const char *table_plain(void)
{
	return use_colour() ? "\033[0m" : "";
}

void table_init(struct table *table, const char *const *titles)
{
	*table = (struct table){.columns = 0};
	table_row(table);
	for (unsigned i = 0; titles[i] && i < TABLE_COLUMNS_MAX; i++) {
		table->columns++;
		table_cell(table, i, "%s", titles[i]);
	}
}

void table_row(struct table *table)
{
	void *cells = realloc(table->cells, (table->rows + 1) * sizeof(*table->cells));

	if (!cells)
		abort(); /* a tool for people: there is nothing to save */
	table->cells = cells;
	memset(table->cells[table->rows], 0, sizeof(*table->cells));
	table->rows++;
}

/* Characters, not bytes. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

void table_cell(struct table *table, unsigned column, const char *format, ...)
{
	char **cell = &table->cells[table->rows - 1][column];
	va_list args;

	free(*cell);
	va_start(args, format);
	if (vasprintf(cell, format, args) < 0)
		abort();
	va_end(args);
	if (width_of(*cell) > table->widths[column])
		table->widths[column] = width_of(*cell);
}

void table_print(const struct table *table)
{
	for (unsigned row = 0; row < table->rows; row++) {
		if (row == 0)
			fputs(table_bold(), stdout);
		for (unsigned column = 0; column < table->columns; column++) {
			const char *cell = table->cells[row][column] ? table->cells[row][column] : "";
			bool last = column + 1 == table->columns;

			fputs(cell, stdout);
			for (size_t w = width_of(cell); !last && w < table->widths[column] + 2; w++)
				putchar(' ');
		}
		if (row == 0)
			fputs(table_plain(), stdout);
		putchar('\n');
	}
}

void table_done(struct table *table)
{
	for (unsigned row = 0; row < table->rows; row++) {
		for (unsigned column = 0; column < table->columns; column++)
			free(table->cells[row][column]);
	}
	free(table->cells);
	*table = (struct table){.columns = 0};
}
