/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_CLIENT_CLIENT_H
#define HYPERCAT_CLIENT_CLIENT_H

/*
 * The gateway as client of HyperCat catalogues. A harvest walks from the catalogues of the settings to those inside of them, asks for
 * the ones that are due, and meets their resources; whatever it has not met ends with it. Each resource is polled for itself, and
 * what has changed is handed in.
 *
 * Everything that is asked for is a job of one origin, a host and port: that has an order of its own, rests after failures, and
 * the origins take turns.
 *
 *	hypercat_client.c  what the host calls
 *	harvest.c          the walk; document.c: one catalogue, as it was last read
 *	resource.c         one resource; reading.c: from it to the core
 *	origin.c           jobs and their order; dispatch.c: when and how they go out
 */

#include <sys/queue.h>
#include <tidegate/adapter.h>

#include "crypto.h"
#include "fetch.h"
#include "names.h"
#include "plan.h"

enum client_counter {
	COUNT_SESSIONS,
	COUNT_HARVESTS,
	COUNT_CATALOGUES,
	COUNT_CATALOGUES_UNCHANGED,
	COUNT_CATALOGUES_FAILED,
	COUNT_RESOURCES,
	COUNT_ITEMS_LEFT,
	COUNT_ITEMS_MALFORMED,
	COUNT_ITEMS_OVER_LIMIT,
	COUNT_REFUSED_SCHEMES,
	COUNT_REFUSED_HOSTS,
	COUNT_REFUSED_ADDRESSES,
	COUNT_POLLS,
	COUNT_UNCHANGED,
	COUNT_FAILED_POLLS,
	COUNT_READINGS,
	COUNT_READINGS_LATER,
	COUNT_REFUSED,
	N_COUNTERS
};

struct client;
struct job;

/* `answer` is NULL where the origin rests and a catalogue cannot wait for it. */
typedef void job_done_fn(struct job *job, const struct fetch_answer *answer);

/* One thing to ask for, again and again; inside of a document or a resource. */
struct job {
	TAILQ_ENTRY(job) link; /* while it waits */
	struct origin *origin;
	const struct href *href;
	const char *accept; /* media types */
	char *etag;
	bool is_document;
	bool waits;
	struct fetch *fetch; /* while it is asked for */
	job_done_fn *done;
};

TAILQ_HEAD(job_list, job);

struct origin {
	TAILQ_ENTRY(origin) link;
	struct client *client;
	struct tg_timer *timer;
	char *host;
	uint16_t port;
	bool is_address; /* needs no look-up */
	bool with_token;
	size_t n_users;
	struct job_list waiting;
	unsigned n_running;
	unsigned failures;
	int64_t rests_until_us; /* 0: it does not */
	struct names_question *question;
	char *addresses;
	int64_t asked_us;   /* the look-up, or when it was answered */
	uint64_t walk;      /* of the next member */
	size_t n_resources; /* that this walk has met */
};

TAILQ_HEAD(origin_list, origin);

/* What a catalogue lists, as far as it is wanted. */
struct link {
	struct href href;
	char *path; /* of a resource's messages; NULL: a catalogue */
	char *accept;
};

struct document {
	struct job job;
	struct document *next;
	struct client *client;
	struct href href;
	struct link *links;
	size_t n_links;
	uint64_t walk; /* the last one that has met it */
	unsigned depth;
	bool is_root;
	bool pending; /* this walk waits for it */
	bool good;    /* when it was last asked for */
	unsigned failures;
	int64_t due_us;
	size_t n_refused; /* hrefs, when it was last read */
};

struct resource {
	struct job job;
	struct resource *next;
	struct client *client;
	struct href href;
	char *path;
	char *accept;
	struct tg_timer *timer;
	uint64_t walk;
	bool begun;
	bool gone;       /* only waits for a verdict */
	bool complained; /* of failures, until they are over */
	uint8_t digest[CRYPTO_DIGEST];
	bool has_digest; /* of the last reading that was dealt with, and */
	int32_t last_format;
	/* The reading that the core has not taken yet. */
	bool holds;
	bool submitted; /* and its verdict has not come */
	struct tg_bytes payload;
	int32_t format;
	char *next_etag;
	uint8_t next_digest[CRYPTO_DIGEST];
};

struct client {
	const struct tg_host *host;
	struct plan *plan;
	struct fetcher *fetcher;
	struct origin_list origins;
	struct document *documents;
	struct resource *resources;
	void *resource_tree; /* by address (tsearch) */
	void *document_tree;
	struct tg_timer *dispatcher; /* something may go out */
	struct tg_timer *harvester;
	unsigned n_running;
	uint64_t numbers; /* of sessions */
	uint64_t walk;    /* counts them; 0: none yet */
	size_t n_pending; /* documents that this walk waits for */
	bool walking;
	int64_t next_us; /* when what this walk has read is due again */
	size_t n_met;    /* resources of this walk */
	size_t n_documents;
	size_t n_over; /* left out by limits in this walk */
	bool stopping;
};

/* harvest.c */
void harvest_begin(struct client *client);
/* What is under way ends. */
void harvest_halt(struct client *client);
/* After harvest_halt: everything is due, as with new settings. */
void harvest_again(struct client *client);
/* The document has been dealt with. */
void harvest_go_on(struct document *document);
/* Ends everything. */
void harvest_clear(struct client *client);
void harvest_on_timer(void *client);

/* document.c */
/* Finds or makes it. Errors: -ENOMEM. */
int document_new(struct client *client, const struct href *href, struct document **ret_document);
void document_free(struct document *document);
/* Asks for it. */
void document_ask(struct document *document);

/* resource.c */
struct resource *resource_find(const struct client *client, const struct link *link);
/* Errors: -ENOMEM. */
int resource_new(struct client *client, const struct link *link, struct resource **ret_resource);
void resource_free(struct resource *resource);
/* The resource ends, at once or with its verdict. */
void resource_end(struct resource *resource);
/* It is still listed: polls begin, where they have not yet. */
void resource_listed(struct resource *resource, const struct link *link);
/* With new settings: it is asked for again. */
void resource_renew(struct resource *resource);
/* Polls it at this time, or hands in again what it holds. */
void resource_poll_at(struct resource *resource, int64_t at_us);
void resource_next_poll(struct resource *resource);

/* reading.c */
void reading_take(struct resource *resource, const struct fetch_answer *answer);
void reading_submit(struct resource *resource);
void reading_verdict(struct resource *resource, const struct tg_answer *answer);
void reading_drop(struct resource *resource);

/* origin.c */
/* The job's origin is found or made. Errors: -ENOMEM. */
int job_init(struct job *job, struct client *client, const struct href *href, const char *accept, job_done_fn *done);
void job_done(struct job *job);
/* Asks for it when its turn comes. One that waits already or is asked for is left so. */
void job_push(struct job *job);
void job_cancel(struct job *job);
/* As after an answer that is kept. */
void job_set_etag(struct job *job, const char *etag);
/* Frees the origins that nobody uses. */
void origin_sweep(struct client *client);
/* With new settings: none rests, and the token is for others perhaps. */
void origin_renew(struct client *client);
bool origin_rests(const struct origin *origin);
/* Another attempt no earlier than this. */
void origin_rest(struct origin *origin, int64_t retry_after_s, const char *cause);

/* dispatch.c */
void dispatch_soon(struct client *client);
void dispatch_on_timer(void *client);
void origin_on_timer(void *origin);

#endif
