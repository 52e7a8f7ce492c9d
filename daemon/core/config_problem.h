/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONFIG_PROBLEM_H
#define CORE_CONFIG_PROBLEM_H

/*
 * What is wrong with a configuration: all of it, in the order of the files and lines. Whoever reads or checks adds; the
 * caller who wanted the configuration owns the collection, and prints or logs it.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A file of the configuration, as messages call it: "tidegate.conf", "conf.d/10-field.conf". */
struct config_source {
	char *label;
	unsigned order;
};

struct config_problem {
	char *text;   /* "tidegate.conf:12: endpoint "field": …" */
	bool warning; /* the configuration works, but may not be what was meant */
	unsigned order;
	unsigned line;
	size_t place; /* the order in which they were found */
};

struct config_problems {
	struct config_problem *list;
	size_t count;
	size_t errors;
	size_t left_out; /* behind the first CONFIG_PROBLEMS_MAX */
};

enum { CONFIG_PROBLEMS_MAX = 500 };

void config_problems_init(struct config_problems *problems);
void config_problems_done(struct config_problems *problems);

/* `source` may be NULL, then the text stands alone; `line` 0 leaves the line out. An error counts also where there is no
 * memory for its text. */
void config_problem_error(struct config_problems *problems, const struct config_source *source, unsigned line,
			  const char *format, ...) __attribute__((format(printf, 4, 5)));
void config_problem_warning(struct config_problems *problems, const struct config_source *source, unsigned line,
			    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Sorts by file and line, keeping the order of those of one line. */
void config_problems_sort(struct config_problems *problems);

/* One a line; warnings are marked as such. */
void config_problems_print(const struct config_problems *problems, FILE *out);

#endif
