/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whom a message is from where its source authenticates no devices: the endpoint, unless a publisher that its server vouches for
 * (TG_PUBLISHERS) or a route names somebody else. Such a name is worth what the peer is worth that sent it, so it must not be one
 * that somebody else has proved: a device that is enrolled, or another endpoint.
 */

#include "base/bytes.h"
#include "core/core_inside.h"

static bool refuse(struct intake_verdict *verdict, enum tg_verdict why, const char *reason)
{
	*verdict = (struct intake_verdict){why, 0, 0, reason};
	return false;
}

/* `device` is not the endpoint's own name. */
static bool may_be_used(struct core *core, struct tg_bytes name, const struct config_route *route,
			struct intake_verdict *ret_verdict)
{
	const struct device *device = devices_find(core->devices, name);

	if (device && device->revoked)
		return refuse(ret_verdict, TG_NOT_ALLOWED, "it names a device that was revoked");
	if (route && route->impersonate)
		return true;
	if (device)
		return refuse(ret_verdict, TG_NOT_ALLOWED, "it names a device of another endpoint");
	for (size_t i = 0; i < core->config->endpoints_count; i++)
		if (bytes_equal(name, bytes_text(core->config->endpoints[i].name)))
			return refuse(ret_verdict, TG_NOT_ALLOWED, "it names another endpoint");
	return true;
}

bool core_source_admits(struct core *core, const struct endpoint *endpoint, const struct frame_submit *submit,
			struct tg_bytes *device, struct intake_verdict *ret_verdict)
{
	const struct config_endpoint *config = config_endpoint(core->config, endpoint->name);
	const struct router_message view = {(enum tg_kind)submit->kind, submit->device,       submit->path,
					    submit->content_format,     submit->payload.size, false};
	struct tg_bytes own = bytes_text(endpoint->name);
	const struct config_route *route = NULL;
	size_t from;

	if (!bytes_equal(submit->device, own) && !(endpoint->config->descriptor->flags & TG_PUBLISHERS))
		return refuse(ret_verdict, TG_UNKNOWN_DEVICE, "this endpoint speaks for itself alone");
	if (!config)
		return true;
	from = (size_t)(config - core->config->endpoints);
	if (router_names_sources(core->router, from) &&
	    !router_source(core->router, from, &view, core->source_device, device, &route))
		return refuse(ret_verdict, TG_NOT_ALLOWED, "it names nobody whom a device could be");
	return bytes_equal(*device, own) || may_be_used(core, *device, route, ret_verdict);
}

bool core_source_is_named(const struct core *core, const struct intake_source *source, const struct message *message)
{
	const struct config_endpoint *config = config_endpoint(core->config, source->endpoint);

	return config && !(config->descriptor->flags & TG_DEVICES) &&
	       router_names_sources(core->router, (size_t)(config - core->config->endpoints)) &&
	       !bytes_equal(message->device, bytes_text(source->endpoint));
}

bool core_source_is_reading(const struct core *core, const struct intake_source *source, const struct message *message)
{
	const struct config_endpoint *config = config_endpoint(core->config, source->endpoint);
	const struct router_message view = {(enum tg_kind)message->kind, message->device,       message->path,
					    message->content_format,     message->payload.size, true};
	struct router_target target;
	struct router_walk walk;
	size_t from;

	if (!config || config->descriptor->flags & TG_DEVICES)
		return true;
	from = (size_t)(config - core->config->endpoints);
	if (!router_makes_commands(core->router, from))
		return true;
	router_begin(core->router, from, &view, &walk);
	return router_next(&walk, &target) && !target.route->command.wanted;
}
