/* SPDX-License-Identifier: Apache-2.0 */

/* What a route says of whom its messages are from, and of messages that go back there: `source_device`, `impersonate`, `back`. */

#include <errno.h>

#include "core/config_internal.h"

static void complain(const struct config_load *load, const char *where, const struct config_route *route,
		     const char *name, const char *problem)
{
	const struct config_value *value = config_section_value(&route->settings, name);

	config_problem_error(load->problems, value->source ? value->source : route->source,
			     value->source ? value->line : route->line, "%s: \"%s\" %s", where, name, problem);
}

/* A message goes back to where it came from only where the route says so. Devices may ask each other; that is no way back. */
static void check_back(const struct config_load *load, const char *where, const struct config_route *route)
{
	bool back = config_section_bool(&route->settings, "back");

	if (route->from == route->to && !route->command.wanted && !back)
		complain(load, where, route, "to",
			 "is the endpoint that the messages come from; where that is meant, set back = true");
	else if (back && (route->from != route->to || route->command.wanted))
		complain(load, where, route, "back",
			 "is for messages that go back to the endpoint that they come from, which these do not");
}

int config_source_read(const struct config_load *load, const char *where, struct config_route *route)
{
	const char *text = config_section_text(&route->settings, "source_device");
	char problem[PATTERN_PROBLEM_SIZE];
	int r;

	check_back(load, where, route);
	route->impersonate = config_section_bool(&route->settings, "impersonate");
	if (!*text) {
		if (route->impersonate)
			complain(load, where, route, "impersonate", "is for names that \"source_device\" makes");
		return 0;
	}
	if (load->config->endpoints[route->from].descriptor->flags & TG_DEVICES)
		complain(load, where, route, "source_device",
			 "is for endpoints that authenticate no devices; those of this one prove who they are");
	if (route->command.wanted)
		complain(load, where, route, "source_device", "is for readings, and this route makes commands");
	r = pattern_new_address(text, route->match, NULL, &route->source_device, problem);
	if (r == -EINVAL)
		complain(load, where, route, "source_device", problem);
	else if (r >= 0 && !*config_section_text(&load->config->groups[SCHEMA_GATEWAY], "site") &&
		 pattern_uses(route->source_device, PATTERN_SITE))
		complain(load, where, route, "source_device", "uses {site}, but the gateway has no \"site\"");
	return r == -EINVAL ? 0 : r;
}
