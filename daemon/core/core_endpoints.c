/* SPDX-License-Identifier: Apache-2.0 */

/* The table of endpoints follows the configuration. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/core_inside.h"

static struct outbox_settings outbox_settings_of(const struct core *core, const struct config_endpoint *config)
{
	const struct config_outbox *outbox = &config->outbox;

	return (struct outbox_settings){.hold_us = outbox->hold_us,
					.memory_messages = outbox->memory_messages,
					.memory_bytes = outbox->memory_bytes,
					.disk_bytes = core->config->store.disk_bytes,
					.window = outbox->window};
}

static int deliver(void *arg, const struct outbox_item *item)
{
	const struct endpoint *endpoint = arg;
	const struct message *message = item->message;
	struct frame frame = {.type = FRAME_DELIVER,
			      .deliver = {.ticket = item->ticket,
					  .round = item->round,
					  .time_wall_us = message->time_wall_us,
					  .kind = message->kind,
					  .qos = item->qos,
					  .retain = item->retain,
					  .expiry_s = item->expiry_s,
					  .content_format = message->content_format,
					  .device = message->device,
					  .path = message->path,
					  .address = item->address,
					  .payload = message->payload,
					  .outcome = message->outcome,
					  .code = message->code,
					  .correlation = message->correlation}};

	memcpy(frame.deliver.command, message->command, sizeof(frame.deliver.command));
	memcpy(frame.deliver.id, message->id, sizeof(frame.deliver.id));
	if (!endpoint->sink)
		return -ENOTCONN;
	/* The link's other half is for what must not wait: pings, verdicts, settings. */
	return instance_is_behind(endpoint->sink) ? -ENOBUFS : instance_send(endpoint->sink, &frame);
}

static void finished(void *arg, const struct message *message, struct tg_bytes address, enum ledger_item item,
		     struct tg_bytes reason)
{
	static const char *const words[LEDGER_REFUSED] = {[LEDGER_DELIVERED] = "delivered",
							  [LEDGER_REJECTED] = "rejected",
							  [LEDGER_EXPIRED] = "expired",
							  [LEDGER_UNREADABLE] = "unreadable",
							  [LEDGER_PURGED] = "purged"};
	const struct endpoint *endpoint = arg;
	CLEANUP_FREE char *text = reason.size ? bytes_to_text(reason) : NULL;
	unsigned left_out;

	core_tell(endpoint->core, words[item], message->device, message->path, message, endpoint->name, address, text);
	if (item != LEDGER_DELIVERED &&
	    log_limit_pass(&endpoint->core->dropped_log, loop_now_us(endpoint->core->loop), &left_out))
		log_fields_write(LOG_LEVEL_WARNING, &(struct log_fields){.endpoint = endpoint->name},
				 "dropped a message of \"%.*s\": %s%s%s (%u more before it)",
				 BYTES_ARG(message->device), words[item], text ? ", " : "", text ? text : "", left_out);
}

static int64_t now_wall_us(void *arg)
{
	const struct endpoint *endpoint = arg;

	return core_now_wall_us(endpoint->core);
}

static const struct outbox_ops outbox_ops = {deliver, finished, now_wall_us};

static int make_outbox(struct endpoint *endpoint)
{
	struct core *core = endpoint->core;
	struct outbox_settings settings = outbox_settings_of(core, endpoint->config);
	int r = outbox_new(core->loop, core->store, core->ledger, endpoint->name, &settings, &outbox_ops, endpoint,
			   &endpoint->outbox);

	if (r >= 0)
		endpoint->account = outbox_account(endpoint->outbox);
	return r;
}

/* What waits for an endpoint whose adapter has changed to one of the other kind waits on in the old way. */
static int make_sink(struct endpoint *endpoint)
{
	return endpoint->config->descriptor->flags & TG_MAILBOX ? core_mailbox_apply(endpoint) : make_outbox(endpoint);
}

static void endpoint_free(struct endpoint *endpoint)
{
	renewal_free(endpoint->renewal);
	outbox_free(endpoint->outbox);
	mailbox_free(endpoint->mailbox);
	config_unref(endpoint->owner);
	tickets_wipe(&endpoint->tickets);
	free(endpoint->name);
	free(endpoint);
}

void core_endpoints_free(struct core *core)
{
	while (core->endpoints) {
		struct endpoint *endpoint = core->endpoints;

		core->endpoints = endpoint->next;
		endpoint_free(endpoint);
	}
}

static void set_config(struct endpoint *endpoint, const struct config_endpoint *config)
{
	config_unref(endpoint->owner);
	endpoint->owner = config_ref(endpoint->core->config);
	endpoint->config = config;
	endpoint->removed = false;
}

static int make_endpoint(struct core *core, const struct config_endpoint *config, struct endpoint **ret_endpoint)
{
	struct endpoint *endpoint = calloc(1, sizeof(*endpoint)), **last = &core->endpoints;
	int r = 0;

	if (!endpoint)
		return -ENOMEM;
	endpoint->core = core;
	endpoint->name = strdup(config->name);
	set_config(endpoint, config);
	if (!endpoint->name)
		r = -ENOMEM;
	else if (config->descriptor->roles & TG_SINK)
		r = make_sink(endpoint);
	if (r < 0) {
		endpoint_free(endpoint);
		return r;
	}
	while (*last)
		last = &(*last)->next;
	*last = endpoint;
	*ret_endpoint = endpoint;
	return 0;
}

static int count_instance(void *arg, struct instance *instance)
{
	struct {
		const char *name;
		unsigned count;
	} *search = arg;

	search->count += strcmp(instance_endpoint(instance), search->name) == 0;
	return 0;
}

static int send_settings(void *arg, struct instance *instance)
{
	struct endpoint *endpoint = arg;

	if (strcmp(instance_endpoint(instance), endpoint->name) == 0 && instance_is_configured(instance) &&
	    core_endpoint_configure(endpoint, instance) < 0)
		supervisor_kill(instance, "could not be given its new settings");
	return 0;
}

void core_endpoint_send_settings(struct endpoint *endpoint)
{
	supervisor_each(endpoint->core->supervisor, send_settings, endpoint);
}

/* The processes that the configuration wants for this endpoint. */
static int apply_processes(struct endpoint *endpoint)
{
	struct supervisor *supervisor = endpoint->core->supervisor;
	struct {
		const char *name;
		unsigned count;
	} search = {endpoint->name, 0};
	int r = 0;

	if (!endpoint->config->enabled) {
		supervisor_remove(supervisor, endpoint->name);
		return 0;
	}
	core_endpoint_send_settings(endpoint);
	supervisor_each(supervisor, count_instance, &search);
	for (unsigned worker = 0; search.count == 0 && worker < endpoint->config->workers && r >= 0; worker++)
		r = supervisor_add(supervisor, endpoint->name, worker, endpoint->core->config->limits.heartbeat_us);
	return r;
}

static int apply_endpoint(struct core *core, const struct config_endpoint *config)
{
	struct endpoint *endpoint = core_endpoint(core, config->name);
	struct outbox_settings settings;
	int r = 0;

	if (endpoint) {
		set_config(endpoint, config);
		settings = outbox_settings_of(core, config);
		if (endpoint->outbox)
			outbox_set_settings(endpoint->outbox, &settings);
		else if (config->descriptor->roles & TG_SINK)
			r = make_sink(endpoint);
	} else {
		r = make_endpoint(core, config, &endpoint);
	}
	if (r >= 0) {
		core_renewal_apply(endpoint);
		r = apply_processes(endpoint);
	}
	if (r < 0)
		log_fields_write(LOG_LEVEL_ERROR, &(struct log_fields){.endpoint = config->name},
				 "cannot be started (%s)", strerror(-r));
	return r;
}

int core_endpoints_apply(struct core *core)
{
	const struct config_limits *limits = &core->config->limits;
	int r = 0;

	core_files_apply(core);
	supervisor_set_times(core->supervisor, limits->restart_min_us, limits->restart_max_us, limits->heartbeat_us);
	for (size_t i = 0; i < core->config->endpoints_count; i++) {
		int applied = apply_endpoint(core, &core->config->endpoints[i]);

		r = r < 0 ? r : applied;
	}
	for (struct endpoint *e = core->endpoints; e; e = e->next) {
		if (e->removed || config_endpoint(core->config, e->name))
			continue;
		e->removed = true;
		renewal_free(e->renewal);
		e->renewal = NULL;
		supervisor_remove(core->supervisor, e->name);
	}
	return r;
}
