/* SPDX-License-Identifier: Apache-2.0 */

/* The jobs of the origins go out: a few at a time, one origin after the other. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

/* A look-up is good for a minute; an unanswered one is given up after as long. */
enum { NAMES_US = 60 * 1000000, RETRY_US = 1000000 };

void dispatch_soon(struct client *client)
{
	client->host->timer_set(client->dispatcher, client->host->now_us(client->host));
}

/* Answers that say nothing of the thing asked for, but of the one who answers. */
static const char *origin_fault(const struct fetch_answer *answer, char *text, size_t room)
{
	switch (answer->end) {
	case FETCH_FAILED:
	case FETCH_FORBIDDEN:
		return answer->cause;
	case FETCH_TOO_LARGE:
		return NULL;
	case FETCH_ANSWERED:
		break;
	}
	if (answer->status != 429 && (answer->status < 502 || answer->status > 504))
		return NULL;
	snprintf(text, room, "status %ld", answer->status);
	return text;
}

static void job_answered(void *arg, const struct fetch_answer *answer)
{
	struct job *job = arg;
	struct origin *origin = job->origin;
	struct client *client = origin->client;
	const struct tg_host *host = client->host;
	char text[32];
	const char *fault = origin_fault(answer, text, sizeof(text));

	job->fetch = NULL;
	origin->n_running--;
	client->n_running--;
	if (answer->end == FETCH_FORBIDDEN)
		host->count(host, COUNT_REFUSED_ADDRESSES, 1);
	if (fault) {
		origin_rest(origin, answer->retry_after_s, fault);
	} else if (origin->failures > 0 && !origin_rests(origin)) {
		host->log(host, TG_LOG_NOTICE, NULL, "\"%s:%u\" serves again", origin->host, origin->port);
		origin->failures = 0;
	}
	dispatch_soon(client);
	job->done(job, answer);
}

static void origin_named(void *arg, const char *addresses, const char *problem)
{
	struct origin *origin = arg;
	struct client *client = origin->client;
	char cause[128];

	origin->question = NULL;
	origin->asked_us = client->host->now_us(client->host);
	free(origin->addresses);
	origin->addresses = addresses ? strdup(addresses) : NULL;
	if (!origin->addresses) {
		snprintf(cause, sizeof(cause), "its name cannot be looked up: %s", problem ? problem : "no memory");
		origin_rest(origin, 0, cause);
	}
	dispatch_soon(client);
}

/* Whether its addresses are there; asks for them otherwise. */
static bool origin_has_addresses(struct origin *origin)
{
	const struct tg_host *host = origin->client->host;
	int64_t now_us = host->now_us(host);

	if (origin->is_address || (origin->addresses && now_us < origin->asked_us + NAMES_US))
		return true;
	if (origin->question) {
		if (now_us < origin->asked_us + NAMES_US)
			return false;
		names_forget(origin->question);
		origin->question = NULL;
		origin_rest(origin, 0, "no name server answers");
		return false;
	}
	origin->asked_us = now_us;
	if (names_ask(host, origin->host, origin_named, origin, &origin->question) < 0)
		origin_rest(origin, 0, "no thread for the look-up of its name");
	else
		host->timer_set(origin->timer, now_us + NAMES_US);
	return false;
}

static bool job_begin(struct job *job)
{
	struct origin *origin = job->origin;
	struct client *client = origin->client;
	const struct fetch_wish wish = {
		.href = job->href,
		.addresses = origin->is_address ? NULL : origin->addresses,
		.accept = job->accept,
		.etag = job->etag,
		.body_max = job->is_document ? client->plan->limits.catalogue_bytes : client->plan->limits.body_bytes,
		.with_token = origin->with_token,
	};

	if (fetch_begin(client->fetcher, &wish, job_answered, job, &job->fetch) < 0)
		return false;
	TAILQ_REMOVE(&origin->waiting, job, link);
	job->waits = false;
	origin->n_running++;
	client->n_running++;
	return true;
}

/* A walk does not wait for an origin that rests; readings do. */
static void origin_refuse_documents(struct origin *origin)
{
	struct job *job;

	while ((job = TAILQ_FIRST(&origin->waiting)) && job->is_document) {
		TAILQ_REMOVE(&origin->waiting, job, link);
		job->waits = false;
		job->done(job, NULL);
	}
}

/* Returns whether one went out. */
static bool origin_dispatch(struct origin *origin)
{
	struct client *client = origin->client;

	if (TAILQ_EMPTY(&origin->waiting))
		return false;
	if (origin_rests(origin) || (!origin_has_addresses(origin) && origin_rests(origin))) {
		origin_refuse_documents(origin);
		return false;
	}
	if (origin->question || origin->n_running >= client->plan->limits.concurrency_of_host)
		return false;
	if (job_begin(TAILQ_FIRST(&origin->waiting)))
		return true;
	client->host->timer_set(origin->timer, client->host->now_us(client->host) + RETRY_US);
	return false;
}

void origin_on_timer(void *arg)
{
	const struct origin *origin = arg;

	dispatch_soon(origin->client);
}

/* The one that was served goes behind the others. */
void dispatch_on_timer(void *arg)
{
	struct client *client = arg;
	struct origin *origin, *next;
	bool any = true;

	while (any && !client->stopping) {
		any = false;
		for (origin = TAILQ_FIRST(&client->origins); origin; origin = next) {
			next = TAILQ_NEXT(origin, link);
			if (client->n_running >= client->plan->limits.concurrency)
				return;
			if (!origin_dispatch(origin))
				continue;
			any = true;
			TAILQ_REMOVE(&client->origins, origin, link);
			TAILQ_INSERT_TAIL(&client->origins, origin, link);
		}
	}
}
