/* SPDX-License-Identifier: Apache-2.0 */

/* A reading is what a resource answered with, and it is kept until the core has taken it: so long the resource is not asked again. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "common/media.h"

enum { S_US = 1000000 };

void reading_drop(struct resource *resource)
{
	free((void *)(uintptr_t)resource->payload.data);
	resource->payload = (struct tg_bytes){.data = NULL};
	free(resource->next_etag);
	resource->next_etag = NULL;
	resource->holds = false;
}

/* The core has dealt with it: what is equal to it is nothing new. */
static void reading_settle(struct resource *resource)
{
	memcpy(resource->digest, resource->next_digest, sizeof(resource->digest));
	resource->has_digest = true;
	resource->last_format = resource->format;
	job_set_etag(&resource->job, resource->client->plan->repeat_unchanged ? NULL : resource->next_etag);
	reading_drop(resource);
	resource_next_poll(resource);
}

void reading_submit(struct resource *resource)
{
	const struct client *client = resource->client;
	const struct tg_host *host = client->host;
	const char *name = host->endpoint(host);
	const struct tg_submission submission = {
		.size = sizeof(submission),
		.kind = TG_TELEMETRY,
		.token = (uintptr_t)resource,
		.device = {.data = name, .size = strlen(name)},
		.path = {.data = resource->path, .size = strlen(resource->path)},
		.content_format = resource->format,
		.payload = resource->payload,
		.method = TG_METHOD_NONE,
	};
	int r = host->submit(host, &submission);

	resource->submitted = r >= 0;
	if (r == -ENOBUFS) {
		resource_poll_at(resource, host->now_us(host) + S_US);
	} else if (r < 0) {
		host->count(host, COUNT_REFUSED, 1);
		host->log(host, TG_LOG_WARNING, NULL, "a reading of \"%s\" was not handed in (%s)", resource->href.text,
			  strerror(-r));
		reading_settle(resource);
	}
}

static bool reading_is_new(const struct resource *resource)
{
	return resource->client->plan->repeat_unchanged || !resource->has_digest ||
	       resource->last_format != resource->format ||
	       memcmp(resource->digest, resource->next_digest, sizeof(resource->digest)) != 0;
}

void reading_take(struct resource *resource, const struct fetch_answer *answer)
{
	struct client *client = resource->client;
	const struct tg_host *host = client->host;
	const char *type = answer->content_type;
	uint8_t *copy = NULL;

	if (type[0] && !plan_wants_type(client->plan, type)) {
		host->count(host, COUNT_ITEMS_LEFT, 1);
		resource_next_poll(resource);
		return;
	}
	resource->complained = false;
	/* The type belongs to it: the same bytes may come to mean something else. */
	resource->format = media_content_format((struct tg_bytes){.data = type, .size = strlen(type)});
	if (!crypto_digest(answer->body, resource->next_digest) || !(copy = malloc(answer->body.size + 1))) {
		resource_next_poll(resource);
		return;
	}
	if (!reading_is_new(resource)) {
		free(copy);
		host->count(host, COUNT_UNCHANGED, 1);
		job_set_etag(&resource->job, answer->etag);
		resource_next_poll(resource);
		return;
	}
	if (answer->body.size > 0)
		memcpy(copy, answer->body.data, answer->body.size);
	resource->payload = (struct tg_bytes){.data = copy, .size = answer->body.size};
	resource->next_etag = answer->etag ? strdup(answer->etag) : NULL;
	resource->holds = true;
	host->count(host, COUNT_READINGS, 1);
	reading_submit(resource);
}

void reading_verdict(struct resource *resource, const struct tg_answer *answer)
{
	const struct tg_host *host = resource->client->host;

	resource->submitted = false;
	if (resource->gone) {
		resource_free(resource);
		return;
	}
	if (answer->verdict == TG_TOO_FAST || answer->verdict == TG_FULL || answer->verdict == TG_UNAVAILABLE) {
		host->count(host, COUNT_READINGS_LATER, 1);
		resource_poll_at(resource,
				 host->now_us(host) + (answer->max_age_s > 0 ? answer->max_age_s : 1) * (int64_t)S_US);
		return;
	}
	if (answer->verdict != TG_ACCEPTED) {
		host->count(host, COUNT_REFUSED, 1);
		host->log(host, TG_LOG_WARNING, NULL, "a reading of \"%s\" was refused (%.*s)", resource->href.text,
			  (int)answer->reason.size, answer->reason.size ? (const char *)answer->reason.data : "");
	}
	reading_settle(resource);
}
