/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "common/round.h"
#include "timing.h"

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct resource *)a)->href.text, ((const struct resource *)b)->href.text);
}

static void resource_complain(struct resource *resource, const char *problem, long status)
{
	const struct tg_host *host = resource->client->host;

	host->count(host, COUNT_FAILED_POLLS, 1);
	if (resource->complained)
		return;
	resource->complained = true;
	if (problem)
		host->log(host, TG_LOG_WARNING, NULL, "no reading of \"%s\" (%s)", resource->href.text, problem);
	else
		host->log(host, TG_LOG_WARNING, NULL, "no reading of \"%s\" (status %ld)", resource->href.text, status);
}

static void resource_unchanged(struct resource *resource)
{
	const struct tg_host *host = resource->client->host;

	host->count(host, COUNT_UNCHANGED, 1);
	resource->complained = false;
	resource_next_poll(resource);
}

static void resource_answered(struct job *job, const struct fetch_answer *answer)
{
	struct resource *resource = (struct resource *)(void *)job;
	struct client *client = resource->client;

	if (!answer)
		return;
	client->host->count(client->host, COUNT_POLLS, 1);
	/* What its origin is to blame for was logged there; it is asked again as soon as that serves. */
	if (origin_rests(job->origin) && (answer->end == FETCH_FAILED || answer->end == FETCH_FORBIDDEN ||
					  (answer->end == FETCH_ANSWERED && answer->status >= 429))) {
		client->host->count(client->host, COUNT_FAILED_POLLS, 1);
		job_push(job);
		return;
	}
	if (answer->end == FETCH_ANSWERED && answer->status == 200) {
		reading_take(resource, answer);
		return;
	}
	if (answer->end == FETCH_ANSWERED && answer->status == 304 && job->etag) {
		resource_unchanged(resource);
		return;
	}
	resource_complain(resource, answer->end == FETCH_ANSWERED ? NULL : answer->cause, answer->status);
	resource_next_poll(resource);
}

void resource_poll_at(struct resource *resource, int64_t at_us)
{
	resource->client->host->timer_set(resource->timer, at_us);
}

void resource_next_poll(struct resource *resource)
{
	const struct client *client = resource->client;
	const struct plan_limits *limits = &client->plan->limits;
	int64_t now_us = client->host->now_us(client->host);

	resource_poll_at(resource, timing_next(now_us, limits->poll_us, limits->jitter, round_random(now_us)));
}

/* The next poll, or the reading that was not taken once more. */
static void resource_on_timer(void *arg)
{
	struct resource *resource = arg;

	if (resource->submitted)
		return; /* its verdict says what comes next */
	if (resource->holds)
		reading_submit(resource);
	else
		job_push(&resource->job);
}

void resource_listed(struct resource *resource, const struct link *link)
{
	if (strcmp(resource->path, link->path) != 0) {
		char *path = strdup(link->path);

		if (path) {
			free(resource->path);
			resource->path = path;
		}
	}
	if (resource->begun)
		return;
	resource->begun = true;
	job_push(&resource->job);
}

void resource_renew(struct resource *resource)
{
	job_set_etag(&resource->job, NULL);
	if (resource->gone || resource->holds || !resource->begun)
		return;
	resource_poll_at(resource, 0);
	job_push(&resource->job);
}

static int resource_make(struct client *client, const struct link *link, struct resource *resource)
{
	int r = href_copy(&link->href, &resource->href);

	resource->client = client;
	resource->path = strdup(link->path);
	resource->accept = strdup(link->accept);
	if (r >= 0 && (!resource->path || !resource->accept))
		r = -ENOMEM;
	if (r >= 0)
		r = client->host->timer_new(client->host, resource_on_timer, resource, &resource->timer);
	if (r >= 0)
		r = job_init(&resource->job, client, &resource->href, resource->accept, resource_answered);
	if (r >= 0 && !tsearch(resource, &client->resource_tree, compare))
		r = -ENOMEM;
	return r;
}

static void resource_done(struct resource *resource)
{
	job_done(&resource->job);
	reading_drop(resource);
	resource->client->host->timer_free(resource->timer);
	href_done(&resource->href);
	free(resource->path);
	free(resource->accept);
	free(resource);
}

struct resource *resource_find(const struct client *client, const struct link *link)
{
	const struct resource key = {.href = link->href};
	struct resource **found = tfind(&key, &client->resource_tree, compare);

	return found ? *found : NULL;
}

int resource_new(struct client *client, const struct link *link, struct resource **ret_resource)
{
	struct resource *resource = calloc(1, sizeof(*resource));
	int r;

	if (!resource)
		return -ENOMEM;
	r = resource_make(client, link, resource);
	if (r < 0) {
		resource_done(resource);
		return r;
	}
	resource->next = client->resources;
	client->resources = resource;
	*ret_resource = resource;
	return 0;
}

static void resource_leave(struct resource *resource)
{
	if (!resource->gone)
		tdelete(resource, &resource->client->resource_tree, compare);
	resource->gone = true;
}

void resource_free(struct resource *resource)
{
	struct resource **at = &resource->client->resources;

	resource_leave(resource);
	while (*at != resource)
		at = &(*at)->next;
	*at = resource->next;
	resource_done(resource);
}

void resource_end(struct resource *resource)
{
	if (!resource->submitted) {
		resource_free(resource);
		return;
	}
	resource_leave(resource);
	job_cancel(&resource->job);
	resource_poll_at(resource, 0);
}
