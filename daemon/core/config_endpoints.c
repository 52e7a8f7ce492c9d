/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "core/config_internal.h"

void config_endpoint_done(struct config_endpoint *endpoint)
{
	config_section_done(&endpoint->settings);
	config_section_done(&endpoint->common);
	config_section_done(&endpoint->own_outbox);
	descriptor_unref(endpoint->descriptor);
}

static int64_t outbox_number(const struct config_section *section, const struct config_section *fallback,
			     const char *name)
{
	if (fallback && !config_section_value(section, name)->source)
		section = fallback;
	return config_section_int(section, name);
}

struct config_outbox config_outbox_read(const struct config_section *section, const struct config_section *fallback)
{
	return (struct config_outbox){
		.hold_us = outbox_number(section, fallback, "hold_ms") * CLOCK_MS_US,
		.memory_messages = (size_t)outbox_number(section, fallback, "memory_messages"),
		.memory_bytes = (size_t)outbox_number(section, fallback, "memory_bytes"),
		.window = (size_t)outbox_number(section, fallback, "window"),
	};
}

bool config_check_name(const struct config_load *load, const char *where, const char *name,
		       const struct config_value *value)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";

	if (!*name)
		return false;
	if (name[strspn(name, allowed)] == '\0' && name[0] != '.' && name[0] != '-')
		return true;
	config_problem_error(load->problems, value->source, value->line,
			     "%s: \"name\" has something else than letters, digits, '-', '_' and '.' in it", where);
	return false;
}

/* Finds the descriptor; says so where there is none. */
static void find_adapter(const struct config_load *load, const struct config_entry *entry,
			 struct config_endpoint *endpoint)
{
	const struct config_value *value = config_section_value(&endpoint->common, "adapter");
	const char *name = config_section_text(&endpoint->common, "adapter");
	const char *problem, *nearest;
	struct descriptor *descriptor;

	if (!*name)
		return;
	descriptor = descriptor_set_find(load->adapters, name, &problem);
	if (descriptor) {
		endpoint->descriptor = descriptor_ref(descriptor);
		return;
	}
	nearest = descriptor_set_nearest(load->adapters, name);
	if (problem)
		config_problem_error(load->problems, value->source, value->line,
				     "%s: adapter \"%s\" cannot be used: %s", entry->where, name, problem);
	else if (nearest && strcmp(nearest, name) != 0)
		config_problem_error(load->problems, value->source, value->line,
				     "%s: adapter \"%s\" is not installed; did you mean \"%s\"?", entry->where, name,
				     nearest);
	else
		config_problem_error(load->problems, value->source, value->line,
				     "%s: adapter \"%s\" is not installed (nothing of that name in %s)", entry->where,
				     name, descriptor_set_folder(load->adapters));
}

static int take_outbox(const struct config_load *load, const struct config_node *group,
		       const struct config_entry *entry, struct config_endpoint *endpoint)
{
	const struct tg_setting *rows = schema_section(SCHEMA_OUTBOX)->rows;
	int r;

	if (group->type != CONFIG_NODE_GROUP) {
		config_problem_error(load->problems, group->source, group->line, "%s: \"outbox\" wants a group, not %s",
				     entry->where, config_node_type_name(group));
		return 0;
	}
	if (endpoint->descriptor && !(endpoint->descriptor->roles & TG_SINK))
		config_problem_error(load->problems, group->source, group->line,
				     "%s: has an \"outbox\", but nothing is ever sent to adapter \"%s\"", entry->where,
				     endpoint->descriptor->name);
	for (size_t i = 0; i < group->count; i++) {
		r = config_section_take(&endpoint->own_outbox, &group->children[i], load->config->folder, entry->where,
					load->problems);
		if (r == -ENOENT)
			config_unknown(load, &group->children[i], entry->where, &rows, 1, NULL);
		else if (r == -ENOMEM)
			return r;
	}
	return 0;
}

/* One key of the endpoint's group: the adapter's rows go before the gateway's. */
static int take_key(const struct config_load *load, const struct config_node *node, const struct config_entry *entry,
		    struct config_endpoint *endpoint)
{
	const struct tg_setting *tables[] = {endpoint->common.rows, endpoint->settings.rows};
	const char *folder = load->config->folder;
	int r = -ENOENT;

	if (strcmp(node->name, schema_section(SCHEMA_OUTBOX)->name) == 0)
		return take_outbox(load, node, entry, endpoint);
	if (endpoint->settings.rows)
		r = config_section_take(&endpoint->settings, node, folder, entry->where, load->problems);
	if (r == -ENOENT && strcmp(node->name, "name") != 0 && strcmp(node->name, "adapter") != 0)
		r = config_section_take(&endpoint->common, node, folder, entry->where, load->problems);
	else if (r == -ENOENT)
		return 0;
	if (r == -ENOENT && endpoint->settings.rows)
		config_unknown(load, node, entry->where, tables, 2, schema_section(SCHEMA_OUTBOX)->name);
	return r == -ENOMEM ? r : 0;
}

static uint32_t read_workers(const struct config_load *load, const struct config_entry *entry,
			     const struct config_endpoint *endpoint)
{
	const struct config_value *own = NULL, *common = config_section_value(&endpoint->common, "workers");

	if (endpoint->settings.rows)
		own = config_section_value(&endpoint->settings, "workers");
	if (endpoint->descriptor && !(endpoint->descriptor->flags & TG_WORKERS)) {
		if (common->source && common->number != 1)
			config_problem_error(load->problems, common->source, common->line,
					     "%s: adapter \"%s\" cannot share its address between \"workers\"",
					     entry->where, endpoint->descriptor->name);
		return 1;
	}
	common = own ? own : common;
	return common->number >= 1 && common->number <= 64 ? (uint32_t)common->number : 1;
}

/* First the keys that say which adapter it is, for the other keys depend on it. */
static int take_names(const struct config_load *load, const struct config_entry *entry,
		      struct config_endpoint *endpoint)
{
	int r = config_section_init(&endpoint->common, schema_section(SCHEMA_ENDPOINT)->rows, load->config->folder);

	for (size_t i = 0; i < entry->node->count && r >= 0; i++) {
		const struct config_node *node = &entry->node->children[i];

		if (strcmp(node->name, "name") != 0 && strcmp(node->name, "adapter") != 0)
			continue;
		r = config_section_take(&endpoint->common, node, load->config->folder, entry->where, load->problems);
		r = r == -ENOMEM ? r : 0;
	}
	if (r < 0)
		return r;
	endpoint->name = config_section_text(&endpoint->common, "name");
	endpoint->adapter = config_section_text(&endpoint->common, "adapter");
	config_check_name(load, entry->where, endpoint->name, config_section_value(&endpoint->common, "name"));
	return 0;
}

static int read_endpoint(const struct config_load *load, const struct config_entry *entry,
			 struct config_endpoint *endpoint)
{
	const struct config_node *group = entry->node;
	int r;

	find_adapter(load, entry, endpoint);
	r = config_section_init(&endpoint->own_outbox, schema_section(SCHEMA_OUTBOX)->rows, load->config->folder);
	if (r >= 0 && endpoint->descriptor)
		r = config_section_init(&endpoint->settings, endpoint->descriptor->settings, load->config->folder);
	for (size_t i = 0; i < group->count && r >= 0; i++)
		r = take_key(load, &group->children[i], entry, endpoint);
	if (r < 0)
		return r;
	config_section_check(&endpoint->common, entry->where, group->source, group->line, load->problems);
	config_section_check(&endpoint->settings, entry->where, group->source, group->line, load->problems);
	config_check_renewal(load, entry->where, endpoint);
	endpoint->enabled = config_section_bool(&endpoint->common, "enabled");
	endpoint->crypto = config_section_text(&endpoint->common, "crypto");
	if (strcmp(endpoint->crypto, "gateway") == 0)
		endpoint->crypto = load->config->crypto;
	endpoint->workers = read_workers(load, entry, endpoint);
	endpoint->outbox = config_outbox_read(&endpoint->own_outbox, &load->config->groups[SCHEMA_OUTBOX]);
	return 0;
}

static void check_unique(const struct config_load *load, const struct config_entry *entry, size_t place)
{
	const struct config_endpoint *endpoint = &load->config->endpoints[place];

	for (size_t i = 0; i < place && *endpoint->name; i++) {
		const struct config_endpoint *other = &load->config->endpoints[i];

		if (strcmp(other->name, endpoint->name) != 0)
			continue;
		config_problem_error(load->problems, endpoint->source, endpoint->line,
				     "%s: there is an endpoint of this name already, at %s:%u", entry->where,
				     other->source->label, other->line);
		return;
	}
}

static int load_adapters(const struct config_load *load)
{
	CLEANUP_FREE const char **names = calloc(load->config->endpoints_count + 1, sizeof(*names));
	size_t count = 0;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < load->config->endpoints_count; i++)
		if (*load->config->endpoints[i].adapter)
			names[count++] = load->config->endpoints[i].adapter;
	return descriptor_set_load(load->adapters, names, count);
}

int config_load_endpoints(struct config_load *load)
{
	struct config *config = load->config;
	const struct config_entry *entries = load->entries[SCHEMA_ENDPOINT];
	size_t count = load->entries_count[SCHEMA_ENDPOINT];
	int r = 0;

	if (count > CONFIG_ENDPOINTS_MAX) {
		config_problem_error(load->problems, config->sources[0], 0, "%zu endpoints, at most %d are possible",
				     count, CONFIG_ENDPOINTS_MAX);
		count = CONFIG_ENDPOINTS_MAX;
	}
	config->endpoints = calloc(count + 1, sizeof(*config->endpoints));
	if (!config->endpoints)
		return -ENOMEM;
	for (size_t i = 0; i < count && r >= 0; i++) {
		config->endpoints[i].source = entries[i].node->source;
		config->endpoints[i].line = entries[i].node->line;
		config->endpoints_count++;
		r = take_names(load, &entries[i], &config->endpoints[i]);
	}
	if (r >= 0)
		r = load_adapters(load);
	for (size_t i = 0; i < count && r >= 0; i++) {
		r = read_endpoint(load, &entries[i], &config->endpoints[i]);
		check_unique(load, &entries[i], i);
	}
	return r;
}
