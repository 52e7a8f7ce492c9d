/* SPDX-License-Identifier: Apache-2.0 */
#include "core/router.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/method.h"
#include "core/wildcard.h"

struct source {
	size_t *routes; /* places in config.routes */
	size_t count;
	bool names;    /* a route says whom messages are from */
	bool commands; /* a route makes commands */
};

struct router {
	struct config *config;
	struct source *sources; /* one for each endpoint */
	size_t *places;         /* what the sources' lists are pieces of */
};

static void list_routes(struct router *router)
{
	const struct config *config = router->config;
	size_t used = 0;

	for (size_t from = 0; from < config->endpoints_count; from++) {
		struct source *source = &router->sources[from];

		source->routes = &router->places[used];
		for (size_t i = 0; i < config->routes_count; i++) {
			if (!config->routes[i].enabled || config->routes[i].from != from)
				continue;
			source->routes[source->count++] = i;
			source->names |= config->routes[i].source_device != NULL;
			source->commands |= config->routes[i].command.wanted;
		}
		used += source->count;
	}
}

int router_new(struct config *config, struct router **ret_router)
{
	struct router *router = calloc(1, sizeof(*router));

	if (!router)
		return -ENOMEM;
	router->config = config_ref(config);
	router->sources = calloc(config->endpoints_count + 1, sizeof(*router->sources));
	router->places = calloc(config->routes_count + 1, sizeof(*router->places));
	if (!router->sources || !router->places) {
		router_free(router);
		return -ENOMEM;
	}
	list_routes(router);
	*ret_router = router;
	return 0;
}

void router_free(struct router *router)
{
	if (!router)
		return;
	config_unref(router->config);
	free(router->sources);
	free(router->places);
	free(router);
}

void router_begin(const struct router *router, size_t from, const struct router_message *message,
		  struct router_walk *ret_walk)
{
	const struct config *config = router->config;
	struct router_walk *walk = ret_walk;
	int length = 4;

	walk->router = router;
	walk->message = *message;
	walk->from = from;
	walk->next = 0;
	walk->found = 0;
	walk->nameless = false;
	walk->refusal = TG_NO_ROUTE;
	walk->limit_bytes = 0;
	if (message->content_format == TG_FORMAT_NONE)
		memcpy(walk->format, "none", 4);
	else
		length = snprintf(walk->format, sizeof(walk->format), "%d", (int)message->content_format);
	walk->values.given[PATTERN_SITE] = bytes_text(config->site);
	walk->values.given[PATTERN_GATEWAY] = bytes_text(config->gateway);
	walk->values.given[PATTERN_ENDPOINT] = bytes_text(config->endpoints[from].name);
	walk->values.given[PATTERN_FORMAT] = bytes_of(walk->format, (size_t)length);
}

static bool takes_device(const struct config_route *route, struct tg_bytes device)
{
	const struct config_value *devices = config_section_value(&route->settings, "devices");

	for (size_t i = 0; i < devices->count; i++)
		if (wildcard_match(devices->items[i], device))
			return true;
	return devices->count == 0;
}

static bool takes_format(const struct config_route *route, int32_t format)
{
	for (size_t i = 0; i < route->formats_count; i++)
		if (route->formats[i] == format)
			return true;
	return route->formats_count == 0;
}

/* The device that a captured {device} names. Names that cannot be are no match. */
static bool read_device(struct router_walk *walk, struct tg_bytes captured)
{
	ptrdiff_t size = pattern_unescape(captured, walk->device, sizeof(walk->device));

	if (size <= 0 || memchr(walk->device, '\0', (size_t)size))
		return false;
	walk->values.given[PATTERN_DEVICE] = bytes_of(walk->device, (size_t)size);
	return true;
}

/* As the registry wants names. */
static bool is_name(struct tg_bytes text)
{
	const unsigned char *p = text.data;

	for (size_t i = 0; i < text.size; i++)
		if (p[i] < 0x20 || p[i] == 0x7f)
			return false;
	return bytes_is_utf8(text);
}

/* What the route says of the command that it makes. */
static enum router_step read_command(struct router_walk *walk, const struct config_command *command)
{
	char text[3 * TG_DEVICE_MAX];
	ptrdiff_t size;

	walk->to_device = walk->values.given[PATTERN_DEVICE];
	walk->method = TG_METHOD_NONE;
	walk->response_size = 0;
	if (command->device) {
		size = pattern_build_name(command->device, &walk->values, walk->device_room, sizeof(walk->device_room));
		if (size <= 0 || memchr(walk->device_room, '\0', (size_t)size))
			return ROUTER_NO_DEVICE;
		walk->to_device = bytes_of(walk->device_room, (size_t)size);
	}
	if (command->method) {
		size = pattern_build(command->method, &walk->values, text, sizeof(text));
		walk->method = size > 0 ? method_of_name(bytes_of(text, (size_t)size)) : TG_METHOD_NONE;
		if (walk->method == TG_METHOD_NONE)
			return ROUTER_NO_DEVICE;
	}
	if (command->response) {
		size = pattern_build(command->response, &walk->values, walk->response, sizeof(walk->response));
		if (size < 0)
			return ROUTER_ADDRESS_TOO_LONG;
		walk->response_size = (size_t)size;
	}
	return ROUTER_TAKES;
}

/* Puts the device in that the route says the message is from, or for. */
static enum router_step read_source(struct router_walk *walk, const struct config_route *route)
{
	int capture = pattern_device_capture(route->match);
	ptrdiff_t size;

	if (route->source_device && walk->message.sourced)
		return ROUTER_TAKES;
	if (capture >= 0 && !read_device(walk, walk->values.captures[capture]))
		return ROUTER_OTHER_PATH;
	if (!route->source_device)
		return ROUTER_TAKES;
	size = pattern_build_name(route->source_device, &walk->values, walk->device_room, sizeof(walk->device_room));
	if (size <= 0 || !is_name(bytes_of(walk->device_room, (size_t)size)))
		return walk->nameless = true, ROUTER_NO_SOURCE;
	walk->values.given[PATTERN_DEVICE] = bytes_of(walk->device_room, (size_t)size);
	return ROUTER_TAKES;
}

static enum router_step try_route(struct router_walk *walk, const struct config_route *route, size_t *ret_size)
{
	const struct router_message *message = &walk->message;
	enum router_step step;
	ptrdiff_t size;

	walk->values.given[PATTERN_DEVICE] = message->device;
	if (!pattern_match(route->match, message->path, &walk->values))
		return ROUTER_OTHER_PATH;
	step = read_source(walk, route);
	if (step != ROUTER_TAKES)
		return step;
	if (!takes_device(route, walk->values.given[PATTERN_DEVICE]))
		return ROUTER_OTHER_DEVICE;
	if (!takes_format(route, message->content_format))
		return ROUTER_WRONG_FORMAT;
	if (message->payload_bytes > route->payload_max_bytes)
		return ROUTER_TOO_LARGE;
	size = pattern_build(route->address, &walk->values, walk->address, sizeof(walk->address));
	if (size < 0)
		return ROUTER_ADDRESS_TOO_LONG;
	*ret_size = (size_t)size;
	return route->command.wanted ? read_command(walk, &route->command) : ROUTER_TAKES;
}

/* Of several refusals the one counts that came nearest to taking the message. */
static void note_refusal(struct router_walk *walk, const struct config_route *route, enum router_step step)
{
	if (step == ROUTER_TOO_LARGE) {
		walk->refusal = TG_TOO_LARGE;
		if (route->payload_max_bytes > walk->limit_bytes)
			walk->limit_bytes = (uint32_t)route->payload_max_bytes;
	} else if (step == ROUTER_WRONG_FORMAT && walk->refusal != TG_TOO_LARGE)
		walk->refusal = TG_WRONG_FORMAT;
	else if ((step == ROUTER_ADDRESS_TOO_LONG || step == ROUTER_NO_DEVICE || step == ROUTER_NO_SOURCE) &&
		 walk->refusal == TG_NO_ROUTE)
		walk->refusal = TG_NOT_ALLOWED;
}

static void fill_target(const struct router_walk *walk, const struct config_route *route, size_t size,
			struct router_target *ret_target)
{
	*ret_target = (struct router_target){
		.route = route, .address = bytes_of(walk->address, size), .device = walk->values.given[PATTERN_DEVICE]};
	if (!route->command.wanted)
		return;
	ret_target->to_device = walk->to_device;
	ret_target->method = walk->method;
	ret_target->response = bytes_of(walk->response, walk->response_size);
}

bool router_next(struct router_walk *walk, struct router_target *ret_target)
{
	const struct source *source = &walk->router->sources[walk->from];
	size_t size;

	while (walk->next < source->count) {
		const struct config_route *route = &walk->router->config->routes[source->routes[walk->next++]];
		enum router_step step = try_route(walk, route, &size);

		if (step != ROUTER_TAKES) {
			note_refusal(walk, route, step);
			continue;
		}
		walk->found++;
		if (!route->goes_on)
			walk->next = source->count;
		fill_target(walk, route, size, ret_target);
		return true;
	}
	return false;
}

bool router_names_sources(const struct router *router, size_t from)
{
	return router->sources[from].names;
}

bool router_makes_commands(const struct router *router, size_t from)
{
	return router->sources[from].commands;
}

bool router_source(const struct router *router, size_t from, const struct router_message *message, char *room,
		   struct tg_bytes *ret_device, const struct config_route **ret_route)
{
	struct router_target target;
	struct router_walk walk;

	*ret_device = message->device;
	*ret_route = NULL;
	router_begin(router, from, message, &walk);
	while (router_next(&walk, &target)) {
		if (!target.route->source_device)
			continue;
		memcpy(room, target.device.data, target.device.size);
		*ret_device = bytes_of(room, target.device.size);
		*ret_route = target.route;
		break;
	}
	return !walk.nameless;
}

enum tg_verdict router_refusal(const struct router_walk *walk, uint32_t *ret_limit_bytes)
{
	*ret_limit_bytes = walk->found == 0 && walk->refusal == TG_TOO_LARGE ? walk->limit_bytes : 0;
	return walk->found ? TG_ACCEPTED : walk->refusal;
}

void router_test(const struct router *router, size_t from, const struct router_message *message, router_test_fn *fn,
		 void *arg)
{
	const struct source *source = &router->sources[from];
	struct router_walk walk;
	bool ended = false;

	router_begin(router, from, message, &walk);
	for (size_t i = 0; i < source->count; i++) {
		const struct config_route *route = &router->config->routes[source->routes[i]];
		struct router_target target;
		size_t size = 0;
		enum router_step step = try_route(&walk, route, &size);

		fill_target(&walk, route, size, &target);
		if (step != ROUTER_TAKES)
			target = (struct router_target){.route = route};
		fn(arg, &target, step, step == ROUTER_TAKES && !ended);
		if (step == ROUTER_TAKES && !route->goes_on)
			ended = true;
	}
}

const char *router_step_text(enum router_step step)
{
	switch (step) {
	case ROUTER_TAKES:
		return "takes it";
	case ROUTER_OTHER_PATH:
		return "takes other paths";
	case ROUTER_OTHER_DEVICE:
		return "takes other devices";
	case ROUTER_WRONG_FORMAT:
		return "takes other content formats";
	case ROUTER_TOO_LARGE:
		return "takes smaller payloads";
	case ROUTER_ADDRESS_TOO_LONG:
		return "its address would be too long";
	case ROUTER_NO_DEVICE:
		return "makes no command of it: no device or method of that name can be";
	case ROUTER_NO_SOURCE:
		return "does not take it: source_device cannot be a device's name";
	}
	return "";
}
