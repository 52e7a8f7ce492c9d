/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SCHEMA_H
#define CORE_SCHEMA_H

/*
 * Every setting that the gateway itself knows, as rows of the same struct that adapters bring along. The parser, the checks,
 * the defaults that tidegatectl prints and the man page tidegate.conf(5) all come from these rows and from the adapters'.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <tidegate/adapter.h>

enum schema_place {
	SCHEMA_GATEWAY,
	SCHEMA_OUTBOX, /* also inside of an endpoint, where it stands for that sink alone */
	SCHEMA_STORE,
	SCHEMA_LIMITS,
	SCHEMA_CLOCK,
	SCHEMA_CERTIFICATES,
	SCHEMA_LOG,
	SCHEMA_ENDPOINT,
	SCHEMA_ROUTE,
	SCHEMA_PROFILE,
	SCHEMA_PLACES
};

struct schema_section {
	const char *name; /* as at the top of the file */
	const char *one;  /* what messages call it, or one of its entries */
	bool list;        /* of groups, such as `endpoints`; otherwise one group */
	const struct tg_setting *rows;
	const char *help;
};

const struct schema_section *schema_section(enum schema_place place);

/* The row of that name, or NULL. `rows` ends with a row without a name. */
const struct tg_setting *schema_find(const struct tg_setting *rows, const char *name);
size_t schema_count(const struct tg_setting *rows);

/* "whole number", "text" … */
const char *schema_type_name(uint32_t type);

/* Whether `word` is one of the choices of the row. */
bool schema_is_choice(const struct tg_setting *row, const char *word);

/* The range of a row, such as "1 to 300 s", empty where it has none. Returns the length that the text has. */
enum { SCHEMA_RANGE_SIZE = 96 };
void schema_range(const struct tg_setting *row, char ret_text[SCHEMA_RANGE_SIZE]);
/* Whether the row's limits are meant: both 0 stands for none. */
bool schema_is_limited(const struct tg_setting *row);

struct descriptor;

/* The settings part of tidegate.conf(5), in mdoc(7): the gateway's rows and those of the adapters given. */
void schema_print_man(FILE *out, const struct descriptor *const *adapters, size_t count);

/* Every row as a commented sample that can be pasted into the file. */
void schema_print_defaults(FILE *out, const struct descriptor *const *adapters, size_t count);

#endif
