/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "client.h"
#include "common/round.h"
#include "timing.h"

static void harvest_visit(struct client *client, struct document *document, unsigned depth);

static void harvest_over(struct client *client)
{
	client->n_over++;
	client->host->count(client->host, COUNT_ITEMS_OVER_LIMIT, 1);
}

static void harvest_meet(struct client *client, const struct link *link)
{
	struct resource *resource = resource_find(client, link);
	bool full = client->n_met >= client->plan->limits.items;
	struct origin *origin;

	if (!resource && (full || resource_new(client, link, &resource) < 0)) {
		harvest_over(client);
		return;
	}
	origin = resource->job.origin;
	if (origin->walk != client->walk) {
		origin->walk = client->walk;
		origin->n_resources = 0;
	}
	if (resource->walk == client->walk)
		return;
	/* What is not met ends with this walk. */
	if (full || origin->n_resources >= client->plan->limits.items_of_host) {
		harvest_over(client);
		return;
	}
	resource->walk = client->walk;
	client->n_met++;
	origin->n_resources++;
	resource_listed(resource, link);
}

/* One that a failed attempt has left as it was still lists what it listed. */
static void harvest_follow(const struct document *document)
{
	struct client *client = document->client;

	for (size_t i = 0; i < document->n_links; i++) {
		const struct link *link = &document->links[i];
		struct document *nested;

		if (link->path) {
			harvest_meet(client, link);
			continue;
		}
		if (document->depth >= client->plan->limits.depth || document_new(client, &link->href, &nested) < 0) {
			harvest_over(client);
			continue;
		}
		harvest_visit(client, nested, document->depth + 1);
	}
}

/* Goes no deeper than the setting says, and comes back to a catalogue only by a shorter way. */
static void harvest_visit(struct client *client, struct document *document, unsigned depth)
{
	bool seen = document->walk == client->walk;

	if (seen && document->depth <= depth)
		return;
	if (!seen && client->n_documents >= client->plan->limits.catalogues) {
		harvest_over(client);
		return;
	}
	document->depth = depth;
	if (!seen) {
		document->walk = client->walk;
		client->n_documents++;
		document->pending = document->due_us <= client->host->now_us(client->host);
		if (document->pending) {
			client->n_pending++;
			document_ask(document);
			return;
		}
	}
	if (!document->pending)
		harvest_follow(document);
}

static void harvest_sweep(struct client *client)
{
	for (struct document *document = client->documents, *next; document; document = next) {
		next = document->next;
		if (document->walk != client->walk)
			document_free(document);
	}
	for (struct resource *resource = client->resources, *next; resource; resource = next) {
		next = resource->next;
		if (resource->walk != client->walk && !resource->gone)
			resource_end(resource);
	}
	origin_sweep(client);
}

static void harvest_tell(const struct client *client)
{
	const struct tg_host *host = client->host;
	const struct document *bad = NULL;
	char detail[256];

	for (const struct document *document = client->documents; document; document = document->next)
		if (!document->good && (!bad || document->is_root))
			bad = document;
	if (bad && bad->is_root)
		snprintf(detail, sizeof(detail), "catalogue \"%.160s\" was not read", bad->href.text);
	else
		snprintf(detail, sizeof(detail), "%zu resources of %zu catalogues%s", client->n_met,
			 client->n_documents, bad ? ", not all of which were read" : "");
	host->link(host, bad && bad->is_root ? TG_LINK_DOWN : TG_LINK_UP, detail);
	host->gauge(host, COUNT_RESOURCES, (int64_t)client->n_met);
	if (client->n_over > 0)
		host->log(host, TG_LOG_WARNING, NULL, "%zu entries of the catalogues were left out by the limits",
			  client->n_over);
}

static void harvest_end(struct client *client)
{
	int64_t next_us = 0;

	client->walking = false;
	client->host->count(client->host, COUNT_HARVESTS, 1);
	harvest_sweep(client);
	harvest_tell(client);
	for (const struct document *document = client->documents; document; document = document->next)
		if (next_us == 0 || document->due_us < next_us)
			next_us = document->due_us;
	if (next_us == 0)
		next_us = client->host->now_us(client->host) + client->plan->limits.retry_max_us;
	client->host->timer_set(client->harvester, next_us);
}

/* Never from within: what ends with the walk may be in somebody's hands. */
static void harvest_end_soon(struct client *client)
{
	if (client->n_pending == 0)
		client->host->timer_set(client->harvester, client->host->now_us(client->host));
}

void harvest_begin(struct client *client)
{
	const struct plan_limits *limits = &client->plan->limits;
	int64_t now_us = client->host->now_us(client->host);
	struct document *document;

	if (client->walking || client->stopping)
		return;
	client->walking = true;
	client->walk++;
	client->next_us = timing_next(now_us, limits->harvest_us, limits->jitter, round_random(now_us));
	client->n_pending = 0;
	client->n_met = client->n_documents = client->n_over = 0;
	for (size_t i = 0; i < client->plan->n_roots; i++) {
		if (document_new(client, &client->plan->roots[i], &document) < 0)
			continue;
		document->is_root = true;
		harvest_visit(client, document, 0);
	}
	harvest_end_soon(client);
}

void harvest_go_on(struct document *document)
{
	struct client *client = document->client;

	if (!document->pending)
		return;
	document->pending = false;
	harvest_follow(document);
	client->n_pending--;
	harvest_end_soon(client);
}

void harvest_halt(struct client *client)
{
	client->walking = false;
	client->host->timer_set(client->harvester, 0);
	for (struct document *document = client->documents; document; document = document->next)
		job_cancel(&document->job);
	for (struct resource *resource = client->resources; resource; resource = resource->next)
		job_cancel(&resource->job);
}

void harvest_again(struct client *client)
{
	origin_renew(client);
	for (struct resource *resource = client->resources; resource; resource = resource->next)
		resource_renew(resource);
	for (struct document *document = client->documents; document; document = document->next) {
		job_set_etag(&document->job, NULL);
		document->is_root = document->pending = false;
		document->due_us = 0;
		document->n_refused = 0;
	}
	harvest_begin(client);
}

void harvest_on_timer(void *arg)
{
	struct client *client = arg;

	if (!client->walking)
		harvest_begin(client);
	else if (client->n_pending == 0)
		harvest_end(client);
}

void harvest_clear(struct client *client)
{
	while (client->documents)
		document_free(client->documents);
	while (client->resources)
		resource_free(client->resources);
	origin_sweep(client);
}
