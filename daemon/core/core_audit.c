/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h> /* the build's */

/* The audit: what the core can see of how safe the box is. */

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/core_audit.h"

static int by_time(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;

	return strcmp(json_string_value(json_object_get(*x, "since")), json_string_value(json_object_get(*y, "since")));
}

/* Oldest first. Ownership: takes the list and gives another one. */
static json_t *sort_below(json_t *below)
{
	size_t count = json_array_size(below), i;
	json_t **entries = calloc(count + 1, sizeof(*entries)), *sorted, *entry;

	if (!entries)
		return below;
	json_array_foreach(below, i, entry) entries[i] = entry;
	qsort(entries, count, sizeof(*entries), by_time);
	sorted = json_array();
	for (i = 0; i < count; i++)
		json_array_append(sorted, entries[i]);
	json_decref(below);
	free(entries);
	return sorted;
}

void core_command_audit(void *arg, struct control_call *call, const json_t *request)
{
	json_t *lines = json_array(), *below = json_array(), *processes = json_array(), *sockets = json_array();
	struct core *core = arg;
	char now[CLOCK_TEXT_SIZE];

	(void)request;
	clock_format(core_now_wall_us(core), now);
	core_audit_box(core, lines);
	core_audit_crypto(core, lines, below);
	core_audit_processes(core, lines, processes, sockets);
	control_reply(call, json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o}", "gateway", core->config->gateway, "version",
				      PACKAGE_VERSION, "time", now, "policy", core->config->crypto, "lines", lines,
				      "below", sort_below(below), "processes", processes, "sockets", sockets));
}
