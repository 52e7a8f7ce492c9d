/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_CLIENT_FETCH_H
#define HYPERCAT_CLIENT_FETCH_H

/*
 * GET over HTTPS: the one door to libcurl's transfers. No other scheme, no redirect, no proxy, no cookie, no netrc, no compression, HTTP/1.1;
 * size and time are bounded. The address of each connection is shown to the plan before it is made, whatever a name led to.
 * Connections are kept and used again; the host is told of each.
 */

#include "plan.h"

struct fetcher;
struct fetch;

struct fetch_wish {
	const struct href *href;
	const char *addresses; /* of the name, as from names_ask; NULL where the host is an address itself */
	const char *accept;    /* media types */
	const char *etag;      /* of what we have; NULL: nothing */
	size_t body_max;
	bool with_token;
};

enum fetch_end {
	FETCH_ANSWERED,
	FETCH_TOO_LARGE, /* of an answer that was good otherwise */
	FETCH_FORBIDDEN, /* the plan does not want that address */
	FETCH_FAILED     /* no answer, or not in time */
};

/* Borrowed for the call; text is never NULL but for `etag`. */
struct fetch_answer {
	enum fetch_end end;
	long status; /* FETCH_ANSWERED */
	struct tg_bytes body;
	const char *content_type;
	const char *etag;
	int64_t retry_after_s; /* 0: not said */
	const char *cause;     /* where it was not answered */
};

typedef void fetch_done_fn(void *arg, const struct fetch_answer *answer);

/* Reads the files of the settings; what is wrong with them is logged. `sessions`: the place of the gauge; `numbers`: where the handles of
 * sessions come from. Ownership: fetcher_free, before the plan goes. Errors: -EINVAL, -ENOMEM. */
int fetcher_new(const struct plan *plan, unsigned sessions, uint64_t *numbers, struct fetcher **ret_fetcher);
void fetcher_free(struct fetcher *fetcher); /* accepts NULL; what is under way is forgotten */
/* A core is there: tells of every connection again. */
void fetcher_joined(const struct fetcher *fetcher);

/* Ends in one call of `done`, never from within, unless fetch_forget comes before. Errors: -ENOMEM. */
int fetch_begin(struct fetcher *fetcher, const struct fetch_wish *wish, fetch_done_fn *done, void *arg,
		struct fetch **ret_fetch);
void fetch_forget(struct fetch *fetch); /* accepts NULL */

#endif
