/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "common/round.h"
#include "timing.h"

enum { S_US = 1000000 };

static bool is_address(const char *host)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static void origin_free(struct origin *origin)
{
	names_forget(origin->question);
	origin->client->host->timer_free(origin->timer);
	free(origin->addresses);
	free(origin->host);
	free(origin);
}

static int origin_new(struct client *client, const struct href *href, struct origin **ret_origin)
{
	struct origin *origin = calloc(1, sizeof(*origin));
	int r;

	if (!origin)
		return -ENOMEM;
	*origin = (struct origin){.client = client,
				  .host = strdup(href->host),
				  .port = href->port,
				  .is_address = is_address(href->host),
				  .with_token = plan_is_root_place(client->plan, href)};
	TAILQ_INIT(&origin->waiting);
	r = origin->host ? client->host->timer_new(client->host, origin_on_timer, origin, &origin->timer) : -ENOMEM;
	if (r < 0) {
		origin_free(origin);
		return r;
	}
	TAILQ_INSERT_TAIL(&client->origins, origin, link);
	*ret_origin = origin;
	return 0;
}

static int origin_find(struct client *client, const struct href *href, struct origin **ret_origin)
{
	for (struct origin *origin = TAILQ_FIRST(&client->origins); origin; origin = TAILQ_NEXT(origin, link)) {
		if (origin->port == href->port && strcmp(origin->host, href->host) == 0) {
			*ret_origin = origin;
			return 0;
		}
	}
	return origin_new(client, href, ret_origin);
}

void origin_sweep(struct client *client)
{
	for (struct origin *origin = TAILQ_FIRST(&client->origins), *next; origin; origin = next) {
		next = TAILQ_NEXT(origin, link);
		if (origin->n_users > 0)
			continue;
		TAILQ_REMOVE(&client->origins, origin, link);
		origin_free(origin);
	}
}

void origin_renew(struct client *client)
{
	for (struct origin *origin = TAILQ_FIRST(&client->origins); origin; origin = TAILQ_NEXT(origin, link)) {
		const struct href here = {.host = origin->host, .port = origin->port};

		origin->with_token = plan_is_root_place(client->plan, &here);
		origin->failures = 0;
		origin->rests_until_us = 0;
	}
}

bool origin_rests(const struct origin *origin)
{
	return origin->rests_until_us > origin->client->host->now_us(origin->client->host);
}

void origin_rest(struct origin *origin, int64_t retry_after_s, const char *cause)
{
	const struct client *client = origin->client;
	const struct plan_limits *limits = &client->plan->limits;
	const struct tg_host *host = client->host;
	int64_t now_us = host->now_us(host);

	/* Those that were under way at the same time fail for the same reason. */
	if (origin_rests(origin) && retry_after_s == 0)
		return;
	origin->failures++;
	origin->rests_until_us = timing_retry(now_us, origin->failures, limits->retry_min_us, limits->retry_max_us,
					      retry_after_s, round_random(now_us));
	host->timer_set(origin->timer, origin->rests_until_us);
	free(origin->addresses);
	origin->addresses = NULL;
	/* One that stays away is told of ever more rarely. */
	if ((origin->failures & (origin->failures - 1)) == 0)
		host->log(host, TG_LOG_WARNING, NULL, "\"%s:%u\" does not serve (%s), trying again in %lld s",
			  origin->host, origin->port, cause,
			  (long long)((origin->rests_until_us - now_us + S_US - 1) / S_US));
}

int job_init(struct job *job, struct client *client, const struct href *href, const char *accept, job_done_fn *done)
{
	struct origin *origin = NULL;
	int r = origin_find(client, href, &origin);

	if (r < 0)
		return r;
	*job = (struct job){.origin = origin, .href = href, .accept = accept, .done = done};
	origin->n_users++;
	return 0;
}

void job_cancel(struct job *job)
{
	if (job->waits)
		TAILQ_REMOVE(&job->origin->waiting, job, link);
	job->waits = false;
	if (!job->fetch)
		return;
	fetch_forget(job->fetch);
	job->fetch = NULL;
	job->origin->n_running--;
	job->origin->client->n_running--;
	dispatch_soon(job->origin->client);
}

void job_done(struct job *job)
{
	if (!job->origin)
		return;
	job_cancel(job);
	job->origin->n_users--;
	free(job->etag);
	*job = (struct job){.href = NULL};
}

void job_push(struct job *job)
{
	if (job->waits || job->fetch || job->origin->client->stopping)
		return;
	job->waits = true;
	/* Catalogues go before readings: a walk waits for them. */
	if (job->is_document)
		TAILQ_INSERT_HEAD(&job->origin->waiting, job, link);
	else
		TAILQ_INSERT_TAIL(&job->origin->waiting, job, link);
	dispatch_soon(job->origin->client);
}

void job_set_etag(struct job *job, const char *etag)
{
	free(job->etag);
	job->etag = etag ? strdup(etag) : NULL;
}
