/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONFIG_VALUE_H
#define CORE_CONFIG_VALUE_H

/* The value of one setting, read from a node of the file or from the default of its row, checked against the row. */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "base/cleanup.h"
#include "core/config_file.h"

struct config_value {
	const struct config_source *source; /* where it was given; NULL: the default */
	unsigned line;
	bool boolean;
	int64_t number;
	char *text; /* of every type that has one; a file's path is absolute, or empty */
	char **items;
	size_t count;
};

void config_value_done(struct config_value *value);

/* The default of the row; a row without one reads as "", 0, no or an empty list. Errors: -EINVAL: the row's default is not
 * of the row's type or range; -ENOMEM. */
int config_value_default(const struct tg_setting *row, const char *folder, struct config_value *ret_value) WARN_UNUSED;

/* Reads the node, adding what is wrong with it; `where` begins the message ("endpoint "field"").
 * Errors: -EINVAL: see `problems`; -ENOMEM. */
int config_value_read(const struct tg_setting *row, const struct config_node *node, const char *folder,
		      const char *where, struct config_problems *problems, struct config_value *ret_value) WARN_UNUSED;

bool config_value_same(const struct tg_setting *row, const struct config_value *a, const struct config_value *b);

/* As it could stand in the file. Ownership: free it. NULL when out of memory. */
char *config_value_format(const struct tg_setting *row, const struct config_value *value) WARN_UNUSED;

#endif
