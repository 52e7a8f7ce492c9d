/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static int peer_sync_watch(struct peer *peer, const struct texts_resource *resource)
{
	struct watch *watch = watch_find(peer, resource->path);
	int r = 0;

	if (!watch) {
		r = watch_new(peer, resource->path, &watch);
		if (r < 0)
			return r;
		watch->period_s = resource->period_s;
		if (peer->state == PEER_UP)
			watch_up(watch);
	}
	watch->discovered = false;
	watch->wanted = true;
	watch_set_period(watch, resource->period_s);
	return 0;
}

static int peer_sync(struct peer *peer, const struct plan *plan)
{
	int r = 0;

	peer->requests.body_bytes = plan->limits.body_bytes;
	peer->discovers = plan_discovers(peer->client->host, peer->texts.name);
	peer->discover_us = 0; /* what is taken of it may have changed */
	for (struct watch *watch = peer->watches; watch; watch = watch->next)
		watch->wanted = watch->discovered && peer->discovers;
	for (size_t i = 0; i < plan->n_resources && r >= 0; i++)
		if (strcmp(plan->resources[i].name, peer->texts.name) == 0)
			r = peer_sync_watch(peer, &plan->resources[i]);
	for (struct watch *watch = peer->watches, *next; watch; watch = next) {
		next = watch->next;
		if (!watch->wanted)
			watch_free(watch);
	}
	return r;
}

static bool is_same_place(const struct texts_device *a, const struct texts_device *b)
{
	return strcmp(a->host, b->host) == 0 && a->port == b->port && a->secure == b->secure;
}

/* Devices that stay keep their sessions. */
static int client_sync(struct client *client)
{
	const struct plan *plan = client->plan;
	int r = 0;

	for (struct peer *peer = client->peers, *next; peer; peer = next) {
		const struct texts_device *texts = plan_device(plan, peer->texts.name);

		next = peer->next;
		if (!texts || !is_same_place(texts, &peer->texts))
			peer_free(peer);
	}
	r = oscore_apply(client->oscore, &plan->oscore);
	for (size_t i = 0; i < plan->n_devices && r >= 0; i++) {
		const char *name = plan->devices[i].name;
		struct peer *peer = peer_find(client, (struct tg_bytes){.data = name, .size = strlen(name)});

		if (!peer)
			r = peer_new(client, &plan->devices[i], &peer);
		if (r >= 0)
			r = peer_sync(peer, plan);
		if (r >= 0 && peer_set_protection(peer))
			peer_end(peer, NULL, client->host->now_us(client->host));
	}
	return r;
}

static void client_wake_all(struct client *client)
{
	for (struct peer *peer = client->peers; peer; peer = peer->next)
		peer_wake(peer);
}

static void client_oscore_changed(void *arg)
{
	const struct client *client = arg;

	for (struct peer *peer = client->peers; peer; peer = peer->next) {
		if (!peer->oscore)
			continue;
		stack_resume(peer->session);
		peer_wake(peer);
	}
}

static void client_note(void *state, struct tg_bytes name, struct tg_bytes value)
{
	const struct client *client = state;

	oscore_note(client->oscore, name, value);
}

static void client_noted(void *state, uint64_t loss)
{
	const struct client *client = state;

	oscore_noted(client->oscore, loss);
}

static void client_kept(void *state, uint64_t token, int result)
{
	const struct client *client = state;

	oscore_kept(client->oscore, token, result);
}

static void client_close(void *state)
{
	struct client *client = state;

	while (client->peers)
		peer_free(client->peers);
	stack_free(client->stack);
	oscore_free(client->oscore);
	finished_free(client->finished);
	plan_free(client->plan);
	free(client);
}

static int client_open(const struct tg_host *host, void **ret_state)
{
	struct client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	client->host = host;
	stack_be_quiet();
	r = plan_read(host, &client->plan);
	if (r >= 0)
		r = finished_new(&client->finished);
	if (r >= 0)
		r = oscore_new(host, client_oscore_changed, client, &client->oscore);
	if (r >= 0) {
		r = stack_new(host, &peer_stack_calls, &client->stack);
		if (r < 0)
			host->log(host, TG_LOG_ERROR, NULL, "%s does not work (%s)", stack_library(), strerror(-r));
	}
	if (r >= 0)
		r = tls_load(stack_tls(client->stack));
	if (r >= 0)
		r = client_sync(client);
	if (r < 0) {
		client_close(client);
		return r;
	}
	*ret_state = client;
	return 0;
}

static void client_say_insecure(const struct client *client)
{
	for (const struct peer *peer = client->peers; peer; peer = peer->next)
		if (!peer->texts.secure && !peer->oscore)
			client->host->log(
				client->host, TG_LOG_WARNING, peer->texts.name,
				"coap:// to \"%s\" (insecure = true): anybody on the way can read and be the device",
				peer->texts.name);
}

static void client_say_no_oscore(const struct client *client)
{
	if (client->plan->no_oscore)
		client->host->log(
			client->host, TG_LOG_ERROR, NULL,
			"oscore: %s cannot do it; 4.3.4 or newer is needed, built with OSCORE, as Debian 13 has "
			"it. All else goes on",
			stack_library());
}

static int client_start(void *state)
{
	struct client *client = state;
	int r = stack_start(client->stack);

	if (r < 0)
		return r;
	client_say_insecure(client);
	client_say_no_oscore(client);
	peer_tell_link(client);
	client_wake_all(client);
	return 0;
}

static int client_deliver(void *state, const struct tg_delivery *delivery)
{
	struct client *client = state;

	return client->stopping ? -EAGAIN : command_deliver(client, delivery);
}

static void client_verdict(void *state, uint64_t token, const struct tg_answer *answer)
{
	const struct client *client = state;

	for (const struct peer *peer = client->peers; peer; peer = peer->next)
		for (struct watch *watch = peer->watches; watch; watch = watch->next)
			if (watch->submission == token) {
				reading_verdict(watch, answer);
				return;
			}
}

static void client_identity(void *state, uint64_t token, const struct tg_identity *identity)
{
	const struct client *client = state;

	for (struct peer *peer = client->peers; peer; peer = peer->next)
		if (peer->question == token && peer->state == PEER_ASKING) {
			peer_identity(peer, identity);
			return;
		}
}

static void client_device_changed(void *state, struct tg_bytes device)
{
	struct peer *peer = peer_find(state, device);

	if (!peer)
		return;
	peer->failures = 0;
	peer_end(peer, peer->state == PEER_UP ? "its registration has changed" : NULL,
		 peer->client->host->now_us(peer->client->host));
	peer_wake(peer);
}

static int client_reload(void *state)
{
	struct client *client = state;
	struct plan *plan, *old = client->plan;
	int r = plan_read(client->host, &plan);

	if (r < 0)
		return r;
	r = tls_load(stack_tls(client->stack));
	if (r < 0) {
		plan_free(plan);
		return r;
	}
	client->plan = plan;
	r = client_sync(client);
	plan_free(old);
	client_say_insecure(client);
	client_say_no_oscore(client);
	peer_tell_link(client);
	client_wake_all(client);
	return r;
}

static void client_joined(void *state)
{
	const struct client *client = state;

	oscore_joined(client->oscore);
	for (const struct peer *peer = client->peers; peer; peer = peer->next)
		peer_tell_session(peer);
}

static void client_stop(void *state)
{
	struct client *client = state;

	client->stopping = true;
	for (struct peer *peer = client->peers; peer; peer = peer->next)
		peer_end(peer, NULL, 0);
	client->host->stopped(client->host);
}

static const char *const client_counters[] = {
	[COUNT_SESSIONS] = "sessions",
	[COUNT_HANDSHAKES] = "handshakes",
	[COUNT_HANDSHAKE_FAILURES] = "handshake_failures",
	[COUNT_SESSIONS_LOST] = "sessions_lost",
	[COUNT_OBSERVATIONS] = "observations",
	[COUNT_NOTIFICATIONS] = "notifications",
	[COUNT_NOTIFICATIONS_OLD] = "notifications_old",
	[COUNT_REGISTERED_AGAIN] = "registered_again",
	[COUNT_POLLS] = "polls",
	[COUNT_UNCHANGED] = "unchanged",
	[COUNT_FAILED_READINGS] = "failed_readings",
	[COUNT_READINGS] = "readings",
	[COUNT_REFUSED] = "refused",
	[COUNT_DISCOVERIES] = "discoveries",
	[COUNT_DISCOVERED] = "discovered",
	[COUNT_COMMANDS] = "commands",
	[COUNT_ANSWERED] = "answered",
	[COUNT_COMMANDS_LATER] = "commands_later",
	[COUNT_REMEMBERED] = "remembered",
	[COUNT_REFUSED_MESSAGES] = "refused_messages",
	[N_COUNTERS] = NULL,
};

const struct tg_adapter tidegate_adapter = {
	.major = TG_ADAPTER_MAJOR,
	.minor = TG_ADAPTER_MINOR,
	.size = sizeof(struct tg_adapter),
	.roles = TG_SOURCE | TG_SINK,
	.needs = TG_NEED_CONNECT | TG_NEED_RESOLVE | TG_NEED_THREADS,
	.flags = TG_DEVICES | TG_MAILBOX | TG_REACHES,
	.name = "coap_client",
	.version = "1",
	.summary = "observes, polls and commands devices that are CoAP servers",
	.reserved = "?&",
	.settings = plan_rows,
	.counters = client_counters,
	.open = client_open,
	.start = client_start,
	.deliver = client_deliver,
	.verdict = client_verdict,
	.identity = client_identity,
	.device_changed = client_device_changed,
	.reload = client_reload,
	.joined = client_joined,
	.stop = client_stop,
	.close = client_close,
	.kept = client_kept,
	.note = client_note,
	.noted = client_noted,
};
