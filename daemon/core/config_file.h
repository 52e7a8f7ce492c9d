/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONFIG_FILE_H
#define CORE_CONFIG_FILE_H

/*
 * A configuration file as a tree of nodes; the one door to libconfig. Knows the syntax and nothing of what settings mean.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "core/config_problem.h"

enum config_node_type {
	CONFIG_NODE_BOOL,
	CONFIG_NODE_INT,
	CONFIG_NODE_FLOAT,
	CONFIG_NODE_TEXT,
	CONFIG_NODE_LIST, /* an array or a list of libconfig */
	CONFIG_NODE_GROUP
};

struct config_node {
	enum config_node_type type;
	char *name;                         /* NULL in lists and at the top */
	const struct config_source *source; /* borrowed from the one who read */
	unsigned line;
	bool boolean;
	int64_t number;
	char *text;
	struct config_node *children;
	size_t count;
};

/* Units: bytes. */
enum { CONFIG_FILE_MAX = 4 * 1024 * 1024 };

/* Reads a regular file. What is wrong with it is added to `problems`. Ownership: config_node_free(*ret_root).
 * Errors: -EINVAL: see `problems`, which are all that could be found; -ENOMEM. */
int config_file_read(const char *path, const struct config_source *source, struct config_problems *problems,
		     struct config_node **ret_root) WARN_UNUSED;

/* As config_file_read, from memory. */
int config_file_parse(const char *text, size_t size, const struct config_source *source,
		      struct config_problems *problems, struct config_node **ret_root) WARN_UNUSED;

void config_node_free(struct config_node *root);
CLEANUP_DEFINE(struct config_node *, config_node_free)

#define CLEANUP_CONFIG_NODE CLEANUP(config_node_freep)

/* "a whole number" … as messages say it. */
const char *config_node_type_name(const struct config_node *node);

#endif
