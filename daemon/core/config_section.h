/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONFIG_SECTION_H
#define CORE_CONFIG_SECTION_H

/*
 * The values of one table of rows: of a group of the gateway's own settings, or of the settings that an endpoint's adapter
 * brought along. Every row has a value, given or default. Asking for a name without a row is our own bug.
 */

#include "core/config_value.h"

struct config_section {
	const struct tg_setting *rows; /* borrowed: the schema's, or a descriptor's */
	size_t count;
	struct config_value *values; /* one for each row */
};

/* Every row gets its default. Errors: -EINVAL: see config_value_default; -ENOMEM. */
int config_section_init(struct config_section *section, const struct tg_setting *rows, const char *folder) WARN_UNUSED;
void config_section_done(struct config_section *section);

/* Takes the node's value for its row. Errors: -ENOENT: no row of the node's name, nothing was added to `problems`; -EINVAL: see
 * `problems`; -ENOMEM. */
int config_section_take(struct config_section *section, const struct config_node *node, const char *folder,
			const char *where, struct config_problems *problems) WARN_UNUSED;

/* Adds each required row that was not given. `source` and `line` say where the group is. */
void config_section_check(const struct config_section *section, const char *where, const struct config_source *source,
			  unsigned line, struct config_problems *problems);

/* By the names of the rows. Text and lists are lent. */
bool config_section_bool(const struct config_section *section, const char *name);
int64_t config_section_int(const struct config_section *section, const char *name);
const char *config_section_text(const struct config_section *section, const char *name);
const char *config_section_item(const struct config_section *section, const char *name, size_t index); /* or NULL */
size_t config_section_count(const struct config_section *section, const char *name);                   /* of items */

/* The value of a row, or NULL where there is no such row. */
const struct config_value *config_section_value(const struct config_section *section, const char *name);

#endif
