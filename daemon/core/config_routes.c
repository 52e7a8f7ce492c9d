/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "core/config_internal.h"
#include "core/suggest.h"

void config_route_done(struct config_route *route)
{
	pattern_free(route->match);
	pattern_free(route->address);
	pattern_free(route->source_device);
	free(route->formats);
	config_command_done(&route->command);
	config_section_done(&route->settings);
}

/* Says what is wrong with the setting `name` of the route. */
static void complain(const struct config_load *load, const struct config_entry *entry, const struct config_route *route,
		     const char *name, const char *problem)
{
	const struct config_value *value = config_section_value(&route->settings, name);

	config_problem_error(load->problems, value->source, value->line, "%s: \"%s\" %s", entry->where, name, problem);
}

bool config_find_endpoint(const struct config_load *load, const char *where, const struct config_section *settings,
			  const char *key, uint32_t role, size_t *ret_place)
{
	const struct config *config = load->config;
	const struct config_value *value = config_section_value(settings, key);
	const char *name = config_section_text(settings, key);
	struct suggest suggest;

	if (!*name)
		return false;
	suggest_begin(&suggest, name);
	for (size_t i = 0; i < config->endpoints_count; i++) {
		const struct descriptor *descriptor = config->endpoints[i].descriptor;

		suggest_offer(&suggest, config->endpoints[i].name);
		if (strcmp(config->endpoints[i].name, name) != 0)
			continue;
		if (!descriptor)
			return false;
		*ret_place = i;
		if (descriptor->roles & role)
			return true;
		config_problem_error(load->problems, value->source, value->line,
				     "%s: \"%s\" is endpoint \"%s\", but adapter \"%s\" %s", where, key, name,
				     descriptor->name, role == TG_SOURCE ? "takes nothing in" : "sends nothing out");
		return false;
	}
	if (load->incomplete)
		return false;
	config_problem_error(load->problems, value->source, value->line,
			     "%s: \"%s\" is \"%s\", but there is no such endpoint%s%s%s", where, key, name,
			     suggest_best(&suggest) ? "; did you mean \"" : "",
			     suggest_best(&suggest) ? suggest_best(&suggest) : "", suggest_best(&suggest) ? "\"?" : "");
	return false;
}

static int compile(const struct config_load *load, const struct config_entry *entry, struct config_route *route)
{
	const struct config_endpoint *from = &load->config->endpoints[route->from];
	const struct config_endpoint *to = &load->config->endpoints[route->to];
	const char *match = config_section_text(&route->settings, "match");
	const char *address = config_section_text(&route->settings, "address");
	bool site = *config_section_text(&load->config->groups[SCHEMA_GATEWAY], "site");
	char problem[PATTERN_PROBLEM_SIZE];
	int r;

	if (!*match || !*address)
		return 0;
	r = pattern_new_match(match, !(from->descriptor->flags & TG_DEVICES), &route->match, problem);
	if (r < 0) {
		if (r == -EINVAL)
			complain(load, entry, route, "match", problem);
		return r == -EINVAL ? 0 : r;
	}
	r = pattern_new_address(address, route->match, to->descriptor->reserved, &route->address, problem);
	if (r == -EINVAL)
		complain(load, entry, route, "address", problem);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	if (!site && pattern_uses(route->match, PATTERN_SITE))
		complain(load, entry, route, "match", "uses {site}, but the gateway has no \"site\"");
	if (!site && pattern_uses(route->address, PATTERN_SITE))
		complain(load, entry, route, "address", "uses {site}, but the gateway has no \"site\"");
	return 0;
}

static void read_wishes(const struct config *config, struct config_route *route)
{
	const struct config_section *settings = &route->settings;
	const char *ack = config_section_text(settings, "ack");
	int64_t payload = config_section_int(settings, "payload_max_bytes");

	route->goes_on = config_section_bool(settings, "continue");
	route->ack = ack[0] == 'r' ? CONFIG_ACK_RECEIVED : ack[0] == 's' ? CONFIG_ACK_SAFE : CONFIG_ACK_DELIVERED;
	route->qos = (uint8_t)config_section_int(settings, "qos");
	route->retain = config_section_bool(settings, "retain");
	route->expiry_s = (uint32_t)config_section_int(settings, "expiry_s");
	route->payload_max_bytes =
		payload ? (size_t)payload
			: (size_t)config_section_int(&config->groups[SCHEMA_LIMITS], "payload_max_bytes");
}

static int read_route(const struct config_load *load, const struct config_entry *entry, struct config_route *route)
{
	bool known;
	int r;

	r = config_section_init(&route->settings, schema_section(SCHEMA_ROUTE)->rows, load->config->folder);
	if (r >= 0)
		r = config_section_read(load, &route->settings, entry);
	if (r < 0)
		return r;
	route->name = config_section_text(&route->settings, "name");
	config_check_name(load, entry->where, route->name, config_section_value(&route->settings, "name"));
	read_wishes(load->config, route);
	known = config_find_endpoint(load, entry->where, &route->settings, "from", TG_SOURCE, &route->from);
	known = config_find_endpoint(load, entry->where, &route->settings, "to", TG_SINK, &route->to) && known;
	if (known) {
		r = compile(load, entry, route);
		if (r >= 0 && route->match)
			r = config_command_read(load, entry->where, route);
		if (r >= 0 && route->match)
			r = config_source_read(load, entry->where, route);
		route->enabled =
			load->config->endpoints[route->from].enabled && load->config->endpoints[route->to].enabled;
	}
	if (r >= 0)
		r = config_formats_read(load, entry->where, &route->settings, &route->formats, &route->formats_count);
	return r < 0 ? r : config_transform_read(load, entry->where, route);
}

static void check_unique(const struct config_load *load, const struct config_entry *entry, size_t place)
{
	const struct config_route *route = &load->config->routes[place];

	for (size_t i = 0; i < place && *route->name; i++) {
		const struct config_route *other = &load->config->routes[i];

		if (strcmp(other->name, route->name) != 0)
			continue;
		config_problem_error(load->problems, route->source, route->line,
				     "%s: there is a route of this name already, at %s:%u", entry->where,
				     other->source->label, other->line);
		return;
	}
}

int config_load_routes(struct config_load *load)
{
	struct config *config = load->config;
	const struct config_entry *entries = load->entries[SCHEMA_ROUTE];
	size_t count = load->entries_count[SCHEMA_ROUTE];
	int r = 0;

	if (count > CONFIG_ROUTES_MAX) {
		config_problem_error(load->problems, config->sources[0], 0, "%zu routes, at most %d are possible",
				     count, CONFIG_ROUTES_MAX);
		count = CONFIG_ROUTES_MAX;
	}
	config->routes = calloc(count + 1, sizeof(*config->routes));
	if (!config->routes)
		return -ENOMEM;
	for (size_t i = 0; i < count && r >= 0; i++) {
		config->routes[i].source = entries[i].node->source;
		config->routes[i].line = entries[i].node->line;
		config->routes_count++;
		r = read_route(load, &entries[i], &config->routes[i]);
		if (r >= 0)
			check_unique(load, &entries[i], i);
	}
	return r;
}
