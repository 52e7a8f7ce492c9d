/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "client.h"

static void client_close(void *state)
{
	struct client *client = state;

	client->stopping = true;
	harvest_clear(client);
	fetcher_free(client->fetcher);
	client->host->timer_free(client->dispatcher);
	client->host->timer_free(client->harvester);
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
	TAILQ_INIT(&client->origins);
	r = plan_read(host, &client->plan);
	if (r >= 0)
		r = fetcher_new(client->plan, COUNT_SESSIONS, &client->numbers, &client->fetcher);
	if (r >= 0)
		r = host->timer_new(host, dispatch_on_timer, client, &client->dispatcher);
	if (r >= 0)
		r = host->timer_new(host, harvest_on_timer, client, &client->harvester);
	if (r == -ENOMEM)
		host->log(host, TG_LOG_ERROR, NULL, "no memory");
	if (r < 0) {
		client_close(client);
		return r;
	}
	*ret_state = client;
	return 0;
}

static int client_start(void *state)
{
	struct client *client = state;

	client->host->link(client->host, TG_LINK_CONNECTING, "harvesting for the first time");
	harvest_begin(client);
	return 0;
}

static void client_verdict(void *state, uint64_t token, const struct tg_answer *answer)
{
	(void)state;
	reading_verdict((struct resource *)(uintptr_t)token, answer);
}

/* Everything that was under way is asked for again, in the new way. What was read before is known still. */
static int client_reload(void *state)
{
	struct client *client = state;
	struct fetcher *fetcher;
	struct plan *plan;
	int r = plan_read(client->host, &plan);

	if (r < 0)
		return r;
	r = fetcher_new(plan, COUNT_SESSIONS, &client->numbers, &fetcher);
	if (r < 0) {
		plan_free(plan);
		return r;
	}
	harvest_halt(client);
	fetcher_free(client->fetcher);
	plan_free(client->plan);
	client->fetcher = fetcher;
	client->plan = plan;
	harvest_again(client);
	return 0;
}

static void client_joined(void *state)
{
	const struct client *client = state;

	fetcher_joined(client->fetcher);
}

static void client_stop(void *state)
{
	struct client *client = state;

	client->stopping = true;
	harvest_halt(client);
	client->host->stopped(client->host);
}

static const char *const client_counters[] = {
	[COUNT_SESSIONS] = "sessions",
	[COUNT_HARVESTS] = "harvests",
	[COUNT_CATALOGUES] = "catalogues",
	[COUNT_CATALOGUES_UNCHANGED] = "catalogues_unchanged",
	[COUNT_CATALOGUES_FAILED] = "catalogues_failed",
	[COUNT_RESOURCES] = "resources",
	[COUNT_ITEMS_LEFT] = "items_left",
	[COUNT_ITEMS_MALFORMED] = "items_malformed",
	[COUNT_ITEMS_OVER_LIMIT] = "items_over_limit",
	[COUNT_REFUSED_SCHEMES] = "refused_schemes",
	[COUNT_REFUSED_HOSTS] = "refused_hosts",
	[COUNT_REFUSED_ADDRESSES] = "refused_addresses",
	[COUNT_POLLS] = "polls",
	[COUNT_UNCHANGED] = "unchanged",
	[COUNT_FAILED_POLLS] = "failed_polls",
	[COUNT_READINGS] = "readings",
	[COUNT_READINGS_LATER] = "readings_later",
	[COUNT_REFUSED] = "refused",
	[N_COUNTERS] = NULL,
};

const struct tg_adapter tidegate_adapter = {
	.major = TG_ADAPTER_MAJOR,
	.minor = TG_ADAPTER_MINOR,
	.size = sizeof(struct tg_adapter),
	.roles = TG_SOURCE,
	.needs = TG_NEED_CONNECT | TG_NEED_RESOLVE | TG_NEED_THREADS,
	.name = "hypercat_client",
	.version = "1",
	.summary = "harvests HyperCat catalogues and polls what they list",
	.settings = plan_rows,
	.counters = client_counters,
	.open = client_open,
	.start = client_start,
	.verdict = client_verdict,
	.reload = client_reload,
	.joined = client_joined,
	.stop = client_stop,
	.close = client_close,
};
