/* SPDX-License-Identifier: Apache-2.0 */

/* What a route says of commands: the rows `device`, `method`, `response`, `response_to` and `response_allowed`. */

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "core/config_internal.h"
#include "core/method.h"

void config_command_done(struct config_command *command)
{
	pattern_free(command->device);
	pattern_free(command->method);
	pattern_free(command->response);
}

static void complain(const struct config_load *load, const char *where, const struct config_route *route,
		     const char *name, const char *problem)
{
	const struct config_value *value = config_section_value(&route->settings, name);
	const struct config_source *source = value->source ? value->source : route->source;

	config_problem_error(load->problems, source, value->source ? value->line : route->line, "%s: \"%s\" %s", where,
			     name, problem);
}

/* The pattern of a row, NULL where it is empty or wrong. */
static int read_pattern(const struct config_load *load, const char *where, const struct config_route *route,
			const char *name, const char *reserved, struct pattern **ret_pattern)
{
	const char *text = config_section_text(&route->settings, name);
	char problem[PATTERN_PROBLEM_SIZE];
	int r;

	if (!*text)
		return 0;
	r = pattern_new_address(text, route->match, reserved, ret_pattern, problem);
	if (r == -EINVAL)
		complain(load, where, route, name, problem);
	else if (r >= 0 && !*config_section_text(&load->config->groups[SCHEMA_GATEWAY], "site") &&
		 pattern_uses(*ret_pattern, PATTERN_SITE))
		complain(load, where, route, name, "uses {site}, but the gateway has no \"site\"");
	return r == -EINVAL ? 0 : r;
}

static int read_response(const struct config_load *load, const char *where, struct config_route *route)
{
	struct config_command *command = &route->command;
	const struct config_value *allowed = config_section_value(&route->settings, "response_allowed");
	const char *reserved;

	command->response_to = route->from;
	command->allowed = allowed->items;
	command->allowed_count = allowed->count;
	if (*config_section_text(&route->settings, "response_to") &&
	    !config_find_endpoint(load, where, &route->settings, "response_to", TG_SINK, &command->response_to))
		return 0;
	reserved = load->config->endpoints[command->response_to].descriptor->reserved;
	return read_pattern(load, where, route, "response", reserved, &command->response);
}

static void check(const struct config_load *load, const char *where, const struct config_route *route)
{
	const struct config_endpoint *sink = &load->config->endpoints[route->command.response_to];
	const char *method = config_section_text(&route->settings, "method");
	const char *to = config_section_text(&route->settings, "response_to");

	if (!route->command.device && !*config_section_text(&route->settings, "device") &&
	    pattern_device_capture(route->match) < 0)
		complain(load, where, route, "device",
			 "has to say which device the commands are for, or \"match\" to capture {device}");
	if (*method && !strchr(method, '{') && method_of_name(bytes_text(method)) == TG_METHOD_NONE)
		complain(load, where, route, "method", "is none of GET, POST, PUT, DELETE, FETCH, PATCH, IPATCH");
	if (*to && !*config_section_text(&route->settings, "response"))
		complain(load, where, route, "response_to",
			 "is for outcomes, and there is no \"response\" to publish them at");
	if (!route->command.response || (sink->descriptor->roles & TG_SINK && !(sink->descriptor->flags & TG_MAILBOX)))
		return;
	if (*to)
		complain(load, where, route, "response_to",
			 "is an endpoint that sends requests to devices, and publishes nothing");
	else
		complain(load, where, route, "response",
			 "cannot be published by the endpoint that the commands come from; set \"response_to\"");
}

int config_command_read(const struct config_load *load, const char *where, struct config_route *route)
{
	static const char *const names[] = {"device", "method", "response", "response_to", "response_allowed"};
	int r;

	route->command.wanted = load->config->endpoints[route->to].descriptor->flags & TG_MAILBOX;
	if (!route->command.wanted) {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (config_section_value(&route->settings, names[i])->source)
				complain(load, where, route, names[i], "is for commands, and those go to devices only");
		return 0;
	}
	r = read_pattern(load, where, route, "device", NULL, &route->command.device);
	if (r >= 0)
		r = read_pattern(load, where, route, "method", NULL, &route->command.method);
	if (r >= 0)
		r = read_response(load, where, route);
	if (r >= 0)
		check(load, where, route);
	return r;
}
