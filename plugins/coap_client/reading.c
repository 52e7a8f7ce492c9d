/* SPDX-License-Identifier: Apache-2.0 */

/* A reading is the state of a resource, and the device has been told that it arrived. Where the core cannot take it at the moment, the
 * newest one of each resource is kept and handed in again. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

enum { S_US = 1000000 };

static void reading_drop(struct watch *watch)
{
	free((void *)(uintptr_t)watch->payload.data);
	watch->payload = (struct tg_bytes){.data = NULL};
	watch->again_us = 0;
	watch->submission = 0;
}

void reading_submit(struct watch *watch)
{
	struct client *client = watch->peer->client;
	const struct tg_host *host = client->host;
	const char *name = watch->peer->texts.name;
	struct tg_submission submission = {
		.size = sizeof(submission),
		.kind = TG_TELEMETRY,
		.token = ++client->numbers,
		.device = {.data = name, .size = strlen(name)},
		.path = {.data = watch->path, .size = strlen(watch->path)},
		.content_format = watch->format,
		.payload = watch->payload,
		.method = TG_METHOD_NONE,
	};
	int r = host->submit(host, &submission);

	watch->again_us = r == -ENOBUFS ? host->now_us(host) + S_US : 0;
	watch->submission = r < 0 ? 0 : submission.token;
	if (r < 0 && r != -ENOBUFS) {
		host->log(host, TG_LOG_WARNING, name, "a reading of '%s' of \"%s\" was not handed in (%s)",
			  watch->address, name, strerror(-r));
		reading_drop(watch);
	}
}

void reading_take(struct watch *watch, const struct stack_message *message)
{
	uint8_t *copy = malloc(message->payload.size + 1);

	reading_drop(watch);
	if (!copy)
		return;
	if (message->payload.size > 0)
		memcpy(copy, message->payload.data, message->payload.size);
	watch->payload = (struct tg_bytes){.data = copy, .size = message->payload.size};
	watch->format = message->format;
	watch->etag_size = message->etag_size;
	memcpy(watch->etag, message->etag, message->etag_size);
	watch->peer->client->host->count(watch->peer->client->host, COUNT_READINGS, 1);
	reading_submit(watch);
}

void reading_verdict(struct watch *watch, const struct tg_answer *answer)
{
	const struct tg_host *host = watch->peer->client->host;

	watch->submission = 0;
	if (answer->verdict == TG_TOO_FAST || answer->verdict == TG_FULL || answer->verdict == TG_UNAVAILABLE) {
		watch->again_us = host->now_us(host) + (answer->max_age_s > 0 ? answer->max_age_s : 1) * (int64_t)S_US;
		peer_wake(watch->peer);
		return;
	}
	if (answer->verdict != TG_ACCEPTED) {
		host->count(host, COUNT_REFUSED, 1);
		host->log(host, TG_LOG_WARNING, watch->peer->texts.name,
			  "a reading of '%s' of \"%s\" was refused (%.*s)", watch->address, watch->peer->texts.name,
			  (int)answer->reason.size, answer->reason.size ? (const char *)answer->reason.data : "");
	}
	reading_drop(watch);
}
