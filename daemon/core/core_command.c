/* SPDX-License-Identifier: Apache-2.0 */

/* The way of a command: from a route to the mailbox of its device, to the process that has a session with it. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/core_inside.h"
#include "core/wildcard.h"

/* The process that is to reach the device, by the session that it has told of. */
static struct instance *find_carrier(const struct endpoint *endpoint, struct tg_bytes device)
{
	struct core *core = endpoint->core;
	const struct session *session;
	struct instance *instance;

	if (core->state == CORE_STOPPING || endpoint->removed)
		return NULL;
	if (endpoint->config->descriptor->flags & TG_REACHES)
		return endpoint->sink;
	session = sessions_of(core->sessions, endpoint->name, device);
	instance = session ? supervisor_find(core->supervisor, session->instance) : NULL;
	return instance && instance_state(instance) == INSTANCE_RUNNING ? instance : NULL;
}

static int deliver(void *arg, const struct mailbox_item *item, uint32_t *ret_carrier)
{
	const struct endpoint *endpoint = arg;
	const struct message *message = item->message;
	struct instance *instance = find_carrier(endpoint, message->device);
	struct frame frame = {.type = FRAME_DELIVER,
			      .deliver = {.ticket = item->ticket,
					  .time_wall_us = message->time_wall_us,
					  .kind = TG_COMMAND,
					  .expiry_s = item->expiry_s,
					  .content_format = message->content_format,
					  .device = message->device,
					  .path = message->path,
					  .address = item->address,
					  .payload = message->payload,
					  .method = message->method}};

	if (!instance)
		return -ENOTCONN;
	memcpy(frame.deliver.id, message->id, sizeof(frame.deliver.id));
	*ret_carrier = instance_id(instance);
	return instance_is_behind(instance) ? -ENOBUFS : instance_send(instance, &frame);
}

static int64_t now_wall_us(void *arg)
{
	const struct endpoint *endpoint = arg;

	return core_now_wall_us(endpoint->core);
}

static const struct mailbox_ops mailbox_ops = {deliver, core_outcome_ended, now_wall_us};

static struct mailbox_settings settings_of(const struct core *core)
{
	const struct config_limits *limits = &core->config->limits;

	return (struct mailbox_settings){limits->commands_per_device, limits->commands, limits->commands_bytes};
}

int core_mailbox_apply(struct endpoint *endpoint)
{
	const struct mailbox_settings settings = settings_of(endpoint->core);
	struct core *core = endpoint->core;
	int r;

	if (endpoint->mailbox) {
		mailbox_set_settings(endpoint->mailbox, &settings);
		return 0;
	}
	r = mailbox_new(core->loop, core->store, core->ledger, endpoint->name, &settings, &mailbox_ops, endpoint,
			&endpoint->mailbox);
	if (r >= 0)
		endpoint->account = mailbox_account(endpoint->mailbox);
	return r;
}

/* The path in the address of a command, as messages have it: without the first '/' and without a query. */
static struct tg_bytes path_of(struct tg_bytes address)
{
	const char *p = address.data, *query = address.size ? memchr(p, '?', address.size) : NULL;
	size_t size = query ? (size_t)(query - p) : address.size;
	size_t skip = size > 0 && *p == '/';

	return bytes_of(p + skip, size - skip);
}

/* May this device be asked for this? */
static bool is_allowed(struct core *core, const struct endpoint *to, const struct router_target *target,
		       uint32_t method, const struct router_walk *walk, struct intake_verdict *ret_verdict)
{
	struct device *device = devices_find(core->devices, target->to_device);
	const char *reason = NULL;

	if (!device || device->revoked || strcmp(device->endpoint, to->name) != 0) {
		*ret_verdict = (struct intake_verdict){TG_NOT_ALLOWED, 0, 0, "no such device there"};
		return false;
	}
	if (profile_judge_command(core_profile_of(core, device), path_of(target->address), method, walk->values.given,
				  &reason) == TG_ACCEPTED)
		return true;
	*ret_verdict = (struct intake_verdict){TG_NOT_ALLOWED, 0, 0, reason};
	return false;
}

/* Would a route of the endpoint take what is published there for a command? Its outcome would be one, and so on for ever. */
static bool comes_back(struct core *core, size_t endpoint, struct tg_bytes address)
{
	const struct router_message message = {.kind = TG_RESPONSE,
					       .device = bytes_text(core->config->endpoints[endpoint].name),
					       .path = address,
					       .content_format = TG_FORMAT_NONE};
	struct router_target target;
	struct router_walk walk;

	router_begin(core->router, endpoint, &message, &walk);
	while (router_next(&walk, &target))
		if (target.route->command.wanted)
			return true;
	return false;
}

/* Where the outcome goes: what the command names, if the route lets it, else what the route says. */
static void choose_reply(struct core *core, const struct intake_source *source, const struct router_target *target,
			 const struct message *from, struct message *parts)
{
	const struct config_command *command = &target->route->command;
	bool allowed = command->allowed_count == 0;

	for (size_t i = 0; i < command->allowed_count && !allowed; i++)
		allowed = wildcard_match(command->allowed[i], from->reply_to);
	if (from->reply_to.size && allowed && !comes_back(core, target->route->from, from->reply_to)) {
		parts->reply_to = from->reply_to;
		parts->reply_endpoint = bytes_text(source->endpoint);
	} else if (command->response) {
		parts->reply_to = target->response;
		parts->reply_endpoint = bytes_text(core->config->endpoints[command->response_to].name);
	}
}

static uint32_t choose_method(const struct core *core, const struct router_target *target,
			      const struct message *message)
{
	const struct config_endpoint *from = &core->config->endpoints[target->route->from];

	if (target->method != TG_METHOD_NONE)
		return target->method;
	/* How a device handed something in does not say what another one is to be asked. */
	return message->method == TG_METHOD_NONE || from->descriptor->flags & TG_DEVICES ? TG_METHOD_POST
											 : message->method;
}

static uint32_t choose_expiry(const struct core *core, const struct config_route *route, const struct message *message)
{
	uint32_t expiry_s = route->expiry_s ? route->expiry_s : core->config->limits.command_expiry_s;

	return message->expiry_s && message->expiry_s < expiry_s ? message->expiry_s : expiry_s;
}

static void refuse(struct core *core, const struct endpoint *to, const struct router_target *target,
		   const struct message *message, const struct intake_verdict *verdict)
{
	const struct mailbox_outcome outcome = {.message = message,
						.address = target->address,
						.route = bytes_text(target->route->name),
						.outcome = TG_OUTCOME_REFUSED,
						.content_format = TG_FORMAT_NONE,
						.reason = verdict->reason};

	ledger_refuse(to->account, verdict->verdict);
	if (core_outcome_publish(core, &outcome, NULL, NULL) < 0)
		log_warning("the outcome of a command for \"%.*s\" could not be published: it was refused",
			    BYTES_ARG(message->device));
}

static struct intake_verdict verdict_of(int error)
{
	switch (error) {
	case -EDQUOT:
		return (struct intake_verdict){TG_TOO_FAST, 60, 0, "the mailbox of this device is full"};
	case -ENOSPC:
		return (struct intake_verdict){TG_FULL, 30, 0, "the mailboxes are full"};
	case -EMSGSIZE:
		return (struct intake_verdict){TG_NOT_ALLOWED, 0, 0, "its address is too long"};
	default:
		return (struct intake_verdict){TG_UNAVAILABLE, 5, 0, "the gateway could not take it over"};
	}
}

static struct message *make_command(struct core *core, const struct intake_source *source,
				    const struct router_target *target, const struct message *from)
{
	struct message parts = *from;

	parts.kind = TG_COMMAND;
	parts.device = target->to_device;
	parts.path = path_of(target->address);
	if (parts.path.size > TG_PATH_MAX)
		parts.path.size = 0; /* it will be refused */
	parts.method = (uint8_t)choose_method(core, target, from);
	parts.reply_to = parts.reply_endpoint = bytes_of(NULL, 0);
	choose_reply(core, source, target, from, &parts);
	return message_new(&parts);
}

static void on_receipt(void *arg, enum mailbox_receipt receipt, struct tg_bytes reason)
{
	static const struct intake_verdict verdicts[] = {
		[MAILBOX_TAKEN] = {.verdict = TG_ACCEPTED},
		[MAILBOX_FULL] = {TG_FULL, 30, 0, "it could not be written to disk"},
		[MAILBOX_REFUSED] = {TG_NOT_ALLOWED, 0, 0, "the device refused it"},
		[MAILBOX_EXPIRED] = {TG_NOT_ALLOWED, 0, 0, "the device could not be reached in time"},
	};

	(void)reason;
	intake_settle(arg, &verdicts[receipt]);
}

bool core_command_push(struct core *core, const struct intake_source *source, const struct router_walk *walk,
		       const struct router_target *target, const struct message *from, struct receipt *receipt,
		       struct intake_verdict *ret_verdict)
{
	struct endpoint *to = core_endpoint(core, core->config->endpoints[target->route->to].name);
	struct message *message = make_command(core, source, target, from);
	const struct mailbox_options options = {.address = target->address,
						.route = bytes_text(target->route->name),
						.expiry_s = choose_expiry(core, target->route, from),
						.ack = (enum mailbox_ack)target->route->ack};
	struct intake_verdict nothing = {.verdict = TG_ACCEPTED};
	int r;

	if (!message || !to || !to->mailbox) {
		*ret_verdict = verdict_of(-ENOMEM);
		message_unref(message);
		return false;
	}
	if (path_of(target->address).size > TG_PATH_MAX) {
		r = -EMSGSIZE;
	} else if (!is_allowed(core, to, target, message->method, walk, ret_verdict)) {
		refuse(core, to, target, message, ret_verdict);
		message_unref(message);
		return false;
	} else {
		intake_hold(receipt);
		r = mailbox_push(to->mailbox, message, &options, on_receipt, receipt);
		if (r < 0)
			intake_settle(receipt, &nothing);
	}
	if (r >= 0)
		core_tell(core, "command accepted", message->device, message->path, message, to->name, target->address,
			  NULL);
	else if (r != -EEXIST) { /* that one is here and safe, or has ended: whoever sent it may forget it */
		*ret_verdict = verdict_of(r);
		if (ret_verdict->verdict == TG_TOO_FAST || ret_verdict->verdict == TG_NOT_ALLOWED)
			refuse(core, to, target, message, ret_verdict);
	}
	message_unref(message);
	return r >= 0 || r == -EEXIST;
}

int core_command_answered(struct endpoint *endpoint, const struct instance *instance,
			  const struct frame_answered *answered)
{
	const struct tg_response response = {.size = sizeof(response),
					     .code = answered->code,
					     .content_format = answered->content_format,
					     .payload = answered->payload};

	if (!endpoint->mailbox || answered->code < 200 || answered->code > 599 ||
	    answered->content_format < TG_FORMAT_NONE || answered->content_format > UINT16_MAX)
		return -EBADMSG;
	mailbox_answered(endpoint->mailbox, instance_id(instance), answered->ticket, &response);
	return 0;
}

void core_command_device_gone(struct core *core, const struct device *device)
{
	const struct endpoint *endpoint = core_endpoint(core, device->endpoint);

	if (endpoint && endpoint->mailbox)
		mailbox_refuse(endpoint->mailbox, bytes_text(device->name), "the device was revoked");
}
