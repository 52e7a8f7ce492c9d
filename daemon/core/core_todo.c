/* SPDX-License-Identifier: Apache-2.0 */

/* What still has to be configured before the gateway is of use: nothing of it is a fault, a new box has all of it. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/core_inside.h"

static void add(json_t *todo, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(json_t *todo, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(todo, control_text(bytes_text(text)));
}

static bool is_on_a_route(const struct config *config, size_t endpoint)
{
	for (size_t i = 0; i < config->routes_count; i++) {
		const struct config_route *route = &config->routes[i];

		if (route->enabled && (route->from == endpoint || route->to == endpoint))
			return true;
	}
	return false;
}

static bool has_routes(const struct config *config)
{
	for (size_t i = 0; i < config->routes_count; i++)
		if (config->routes[i].enabled)
			return true;
	return false;
}

struct search {
	const char *endpoint;
};

static int is_enrolled_for(void *arg, struct device *device)
{
	const struct search *search = arg;

	return !device->revoked && strcmp(device->endpoint, search->endpoint) == 0;
}

/* Whether it carries messages for others, or only serves the devices that come to it. */
static bool is_link(const struct config_endpoint *endpoint)
{
	return !(endpoint->descriptor->flags & TG_DEVICES);
}

json_t *core_todo(struct core *core)
{
	const struct config *config = core->config;
	json_t *todo = json_array();
	unsigned enabled = 0;

	for (size_t i = 0; i < config->endpoints_count; i++) {
		const struct config_endpoint *endpoint = &config->endpoints[i];
		struct search search = {.endpoint = endpoint->name};

		if (!endpoint->enabled)
			continue;
		enabled++;
		if (!is_link(endpoint) && devices_each(core->devices, is_enrolled_for, &search) == 0)
			add(todo, "no device may use \"%s\" yet: tidegatectl device add", endpoint->name);
		if (is_link(endpoint) && !is_on_a_route(config, i))
			add(todo, "no route begins or ends at \"%s\": it has nothing to carry", endpoint->name);
	}
	if (enabled == 0)
		add(todo, "no endpoint is configured: nothing listens, and nothing is sent");
	else if (!has_routes(config))
		add(todo, "no route is configured: what devices hand in is refused");
	return todo;
}
