/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "common/round.h"
#include "timing.h"

enum { PRINTABLE = 160, ACCEPT_MAX = 128 };

static const char document_accept[] = "application/vnd.hypercat.catalogue+json, application/json;q=0.5";

/* What is read of one catalogue, link by link. */
struct taking {
	struct document *document;
	struct link *links;
	size_t n, room;
	size_t refused;
	size_t over;
	bool failed;           /* no memory */
	char first[PRINTABLE]; /* of the refused ones */
};

static void links_free(struct link *links, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		href_done(&links[i].href);
		free(links[i].path);
		free(links[i].accept);
	}
	free(links);
}

static void count(const struct client *client, enum client_counter counter)
{
	client->host->count(client->host, counter, 1);
}

static bool is_media_type(const char *text)
{
	return strlen(text) < ACCEPT_MAX && strchr(text, '/') &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&^_.+-/;= ")] ==
		       '\0';
}

/* What the catalogue says that it is, goes first. NULL: no memory. */
static char *make_accept(const char *content_type)
{
	char text[ACCEPT_MAX + 16] = "*/*";

	if (content_type && is_media_type(content_type))
		snprintf(text, sizeof(text), "%s, */*;q=0.1", content_type);
	return strdup(text);
}

static void refuse(struct taking *taking, enum client_counter counter, const char *href)
{
	count(taking->document->client, counter);
	if (taking->refused++ == 0)
		href_printable(href, taking->first, sizeof(taking->first));
}

/* Whether it is wanted; counts why not. */
static bool judge(struct taking *taking, const struct catalogue_item *item, struct href *ret_href)
{
	const struct client *client = taking->document->client;
	int r = href_parse(item->href, &taking->document->href, ret_href);

	taking->failed |= r == -ENOMEM;
	if (r == -EPROTONOSUPPORT) {
		refuse(taking, COUNT_REFUSED_SCHEMES, item->href);
	} else if (r < 0) {
		count(client, COUNT_ITEMS_MALFORMED);
	} else if (!plan_allows_place(client->plan, ret_href)) {
		refuse(taking, COUNT_REFUSED_HOSTS, item->href);
	} else if (!item->is_catalogue && !plan_wants_item(client->plan, item)) {
		count(client, COUNT_ITEMS_LEFT);
	} else {
		return true;
	}
	return false;
}

/* A resource needs a path that a route takes. */
static bool find_path(const struct taking *taking, struct link *link)
{
	const struct client *client = taking->document->client;
	char path[TG_PATH_MAX + 1];

	if (href_path(&link->href, client->plan->host_in_path, path, sizeof(path)) < 0) {
		count(client, COUNT_ITEMS_MALFORMED);
		return false;
	}
	if (!plan_wants_path(client->plan, path)) {
		count(client, COUNT_ITEMS_LEFT);
		return false;
	}
	link->path = strdup(path);
	return link->path != NULL;
}

static bool make_room(struct taking *taking)
{
	size_t room = taking->room ? taking->room * 2 : 16;
	struct link *links;

	if (taking->n < taking->room)
		return true;
	links = realloc(taking->links, room * sizeof(*links));
	taking->failed |= !links;
	if (!links)
		return false;
	taking->links = links;
	taking->room = room;
	return true;
}

static void take_item(void *arg, const struct catalogue_item *item)
{
	struct taking *taking = arg;
	const struct plan_limits *limits = &taking->document->client->plan->limits;
	struct link link = {.path = NULL};

	if (taking->n >= limits->items + limits->catalogues) {
		taking->over++;
		return;
	}
	if (!judge(taking, item, &link.href)) {
		href_done(&link.href);
		return;
	}
	if (!make_room(taking) || (!item->is_catalogue && !find_path(taking, &link))) {
		href_done(&link.href);
		return;
	}
	link.accept = make_accept(item->content_type);
	taking->failed |= !link.accept;
	taking->links[taking->n++] = link;
}

static void tell_refused(struct document *document, const struct taking *taking)
{
	const struct tg_host *host = document->client->host;

	if (taking->refused > 0 && taking->refused != document->n_refused)
		host->log(host, TG_LOG_WARNING, NULL,
			  "%zu entries of \"%s\" lead elsewhere and are left out, the first to \"%s\"", taking->refused,
			  document->href.text, taking->first);
	document->n_refused = taking->refused;
}

/* Returns what is wrong with it, or NULL. Lives in `text`. */
static const char *document_read(struct document *document, struct tg_bytes bytes, char *text, size_t room)
{
	struct taking taking = {.document = document};
	struct catalogue_report report;
	int r = catalogue_read(bytes, take_item, &taking, &report);

	if (r < 0 || taking.failed) {
		links_free(taking.links, taking.n);
		return href_printable(r < 0 ? report.problem : "no memory", text, room);
	}
	links_free(document->links, document->n_links);
	document->links = taking.links;
	document->n_links = taking.n;
	document->client->n_over += taking.over;
	document->client->host->count(document->client->host, COUNT_ITEMS_MALFORMED, (int64_t)report.malformed);
	tell_refused(document, &taking);
	return NULL;
}

/* Returns why not, or NULL. */
static const char *document_take(struct document *document, const struct fetch_answer *answer, char *text, size_t room)
{
	const char *problem;

	if (!answer)
		return "its host rests";
	if (answer->end != FETCH_ANSWERED)
		return answer->cause;
	if (answer->status == 304 && document->job.etag) {
		count(document->client, COUNT_CATALOGUES_UNCHANGED);
		return NULL;
	}
	if (answer->status != 200) {
		snprintf(text, room, "status %ld%s", answer->status,
			 answer->status >= 300 && answer->status < 400 ? ", which is not followed" : "");
		return text;
	}
	problem = document_read(document, answer->body, text, room);
	if (!problem)
		job_set_etag(&document->job, answer->etag);
	return problem;
}

static void document_failed(struct document *document, const char *problem)
{
	const struct client *client = document->client;
	const struct plan_limits *limits = &client->plan->limits;
	const struct tg_host *host = client->host;
	int64_t now_us = host->now_us(host);

	count(client, COUNT_CATALOGUES_FAILED);
	document->good = false;
	document->failures++;
	document->due_us = timing_retry(now_us, document->failures, limits->retry_min_us, limits->retry_max_us, 0,
					round_random(now_us));
	if (document->due_us < document->job.origin->rests_until_us)
		document->due_us = document->job.origin->rests_until_us;
	/* What its host is to blame for was logged there. */
	if (!origin_rests(document->job.origin) && (document->failures & (document->failures - 1)) == 0)
		host->log(host, TG_LOG_WARNING, NULL, "catalogue \"%s\" was not read (%s)%s", document->href.text,
			  problem, document->links ? "; what it has listed before still counts" : "");
}

static void document_answered(struct job *job, const struct fetch_answer *answer)
{
	struct document *document = (struct document *)(void *)job;
	const struct client *client = document->client;
	const struct tg_host *host = client->host;
	char text[PRINTABLE];
	const char *problem = document_take(document, answer, text, sizeof(text));

	if (!answer) {
		/* No failure of its own: it is asked for as soon as its host serves, together with the others there. */
		count(client, COUNT_CATALOGUES_FAILED);
		document->good = false;
		document->due_us = job->origin->rests_until_us;
	} else if (problem) {
		document_failed(document, problem);
	} else {
		if (document->failures > 0)
			host->log(host, TG_LOG_NOTICE, NULL, "catalogue \"%s\" was read again", document->href.text);
		count(client, COUNT_CATALOGUES);
		document->good = true;
		document->failures = 0;
		document->due_us = client->next_us;
	}
	harvest_go_on(document);
}

void document_ask(struct document *document)
{
	job_push(&document->job);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct document *)a)->href.text, ((const struct document *)b)->href.text);
}

int document_new(struct client *client, const struct href *href, struct document **ret_document)
{
	const struct document key = {.href = *href};
	struct document **found = tfind(&key, &client->document_tree, compare);
	struct document *document;
	int r;

	if (found) {
		*ret_document = *found;
		return 0;
	}
	document = calloc(1, sizeof(*document));
	if (!document)
		return -ENOMEM;
	document->client = client;
	r = href_copy(href, &document->href);
	if (r >= 0)
		r = job_init(&document->job, client, &document->href, document_accept, document_answered);
	if (r >= 0 && !tsearch(document, &client->document_tree, compare))
		r = -ENOMEM;
	if (r < 0) {
		job_done(&document->job);
		href_done(&document->href);
		free(document);
		return r;
	}
	document->job.is_document = true;
	document->next = client->documents;
	client->documents = document;
	*ret_document = document;
	return 0;
}

void document_free(struct document *document)
{
	struct document **at = &document->client->documents;

	while (*at != document)
		at = &(*at)->next;
	*at = document->next;
	tdelete(document, &document->client->document_tree, compare);
	job_done(&document->job);
	links_free(document->links, document->n_links);
	href_done(&document->href);
	free(document);
}
