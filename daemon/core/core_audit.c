/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h> /* the build's */

/* The audit: what the core can see of how safe the box is. Its processes are looked at by tidegatectl, which sees more of them. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static json_t *name_process(pid_t pid, const char *name, bool is_core, bool listens)
{
	return json_pack("{s:i,s:s,s:b,s:b}", "pid", (int)pid, "name", name, "core", is_core, "listens", listens);
}

struct named {
	const struct config *config;
	json_t *processes;
};

static int name_instance(void *arg, struct instance *instance)
{
	const struct named *named = arg;
	const struct config_endpoint *endpoint = config_endpoint(named->config, instance_endpoint(instance));
	bool listens = endpoint && endpoint->descriptor->needs & TG_NEED_LISTEN;

	if (instance_pid(instance) > 0)
		json_array_append_new(named->processes, name_process(instance_pid(instance),
								     instance_endpoint(instance), false, listens));
	return 0;
}

static json_t *name_processes(struct core *core)
{
	struct named named = {.config = core->config, .processes = json_array()};

	json_array_append_new(named.processes, name_process(getpid(), "tidegated", true, false));
	supervisor_each(core->supervisor, name_instance, &named);
	return named.processes;
}

void core_command_audit(void *arg, struct control_call *call, const json_t *request)
{
	json_t *lines = json_array(), *below = json_array();
	struct core *core = arg;
	char now[CLOCK_TEXT_SIZE];

	(void)request;
	clock_format(core_now_wall_us(core), now);
	core_audit_box(core, lines);
	core_audit_crypto(core, lines, below);
	control_reply(call, json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "gateway", core->config->gateway, "version",
				      PACKAGE_VERSION, "time", now, "policy", core->config->crypto, "lines", lines,
				      "below", sort_below(below), "processes", name_processes(core)));
}
