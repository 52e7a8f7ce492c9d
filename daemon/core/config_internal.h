/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONFIG_INTERNAL_H
#define CORE_CONFIG_INTERNAL_H

/* What the files of the module config share while a configuration is made. */

#include "core/config.h"
#include "core/schema.h"

/* The entry of a list of groups, with how messages call it. */
struct config_entry {
	const struct config_node *node;
	char where[128]; /* "endpoint "field"" */
};

struct config_load {
	struct config *config;
	struct descriptor_set *adapters;
	struct config_problems *problems;
	struct config_node **roots; /* one for each file that could be read */
	size_t roots_count;
	struct config_entry *entries[SCHEMA_PLACES];
	size_t entries_count[SCHEMA_PLACES];
	bool incomplete; /* a file could not be read: what is missing may stand in it */
};

/* Reads all files and sorts their groups: roots, entries, and the values of the gateway's own groups. Errors: -ENOMEM. */
int config_load_files(struct config_load *load) WARN_UNUSED;

/* config_trial.c. Sees whether a configuration is on trial. Errors: -ENOMEM. */
int config_trial_look(struct config *config) WARN_UNUSED;
/* The file to be read for this name: "tidegate.conf", "conf.d/10-more.conf". Errors: -ENOMEM. */
int config_trial_path(const struct config *config, const char *name, char **ret_path) WARN_UNUSED;
/* The names of the files in conf.d/, in their order. Ownership: the list and its names are the caller's. Returns how many. Errors: -errno. */
int config_trial_list(const struct config *config, char ***ret_names) WARN_UNUSED;

/* Makes the endpoints, then the routes, out of their entries. Errors: -ENOMEM. */
int config_load_endpoints(struct config_load *load) WARN_UNUSED;
int config_load_routes(struct config_load *load) WARN_UNUSED;
/* The profiles, and "default" where the files have none. Errors: -ENOMEM. */
int config_load_profiles(struct config_load *load) WARN_UNUSED;

void config_endpoint_done(struct config_endpoint *endpoint);
void config_route_done(struct config_route *route);
void config_profile_done(struct config_profile *profile);

/* Takes every key of the entry's group, which stands for rows of the section and nothing else. Errors: -ENOMEM. */
int config_section_read(const struct config_load *load, struct config_section *section,
			const struct config_entry *entry) WARN_UNUSED;

/* Checks the settings by which an endpoint's certificate is renewed. */
void config_check_renewal(const struct config_load *load, const char *where, const struct config_endpoint *endpoint);

/* Reads the rows of an outbox group; what `section` was not given comes from `fallback` (may be NULL). */
struct config_outbox config_outbox_read(const struct config_section *section, const struct config_section *fallback);

/* Adds the problem of a key that no table knows, with the nearest that one of the tables knows. `groups`: names of
 * groups that may stand there, NULL for none. */
void config_unknown(const struct config_load *load, const struct config_node *node, const char *where,
		    const struct tg_setting *const *tables, size_t tables_count, const char *group);

/* Whether the text can name an endpoint or a route; adds the problem where not. */
bool config_check_name(const struct config_load *load, const char *where, const char *name,
		       const struct config_value *value);

/* The numbers of the row "formats". Ownership: *ret_formats is the caller's to free. Errors: -ENOMEM. */
int config_formats_read(const struct config_load *load, const char *where, const struct config_section *settings,
			int32_t **ret_formats, size_t *ret_count) WARN_UNUSED;
/* The rows `format`, `split` and `resolve` of a route, whose formats have been read. Errors: -ENOMEM. */
int config_transform_read(const struct config_load *load, const char *where, struct config_route *route) WARN_UNUSED;
/* The rows of a route that are about commands; `from`, `to` and `match` have been read. Errors: -ENOMEM. */
int config_command_read(const struct config_load *load, const char *where, struct config_route *route) WARN_UNUSED;
void config_command_done(struct config_command *command);
/* The rows of a route about whom its messages are from, and whether they may go back there. Errors: -ENOMEM. */
int config_source_read(const struct config_load *load, const char *where, struct config_route *route) WARN_UNUSED;
/* The endpoint that the row `key` of the route names; adds the problem where there is none, or it has not this role. */
bool config_find_endpoint(const struct config_load *load, const char *where, const struct config_section *settings,
			  const char *key, uint32_t role, size_t *ret_place);

#endif
