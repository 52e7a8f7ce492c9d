/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_VIEWS_H
#define HYPERCAT_VIEWS_H

/*
 * The views of all readers (view.h), and how they are kept as the core is. Whoever asks for one waits until it was brought up to date: the
 * core is asked for what has changed since the last time, page by page, which for an unchanged view is one question and one answer.
 * Where the core says that something went out, the reader's view is listed from the beginning and takes the place of the old one; that happens
 * once a second at most. Several that wait for one reader wait together. Views that nobody asks for are dropped, those unused for the longest time
 * first when there is no room.
 *
 * A follower is told when there is something new in its reader's view; while a view has followers it is brought up to date in
 * intervals.
 */

#include <tidegate/adapter.h>

#include "view.h"

struct follower;
struct shelf;
struct views;

struct views_limits {
	size_t bytes;
	size_t readers;
	int64_t follow_us; /* how often followed views are brought up to date */
};

struct views_events {
	/* The answer to views_ask, never from within it. `view` is NULL where there is none, and then `verdict` says why: TG_NOT_ALLOWED, TG_FULL
	 * (it does not fit the limit), TG_UNAVAILABLE. Lent for the call. */
	void (*ready)(void *arg, uint64_t ticket, struct view *view, uint64_t generation, uint32_t verdict);
	/* There may be something new. */
	void (*news)(void *arg, struct follower *follower);
	/* The reader is not let in any more: the follower is none now. */
	void (*ended)(void *arg, struct follower *follower);
};

/* The caller's, zeroed, until views_unfollow. `reset` is set when something went out of the view. */
struct follower {
	struct follower *prev, *next;
	struct shelf *shelf;
	struct view *view;
	struct view_cursor cursor;
	uint64_t last; /* ETag of what was taken last */
	bool reset;
};

int views_new(const struct tg_host *host, const struct views_limits *limits, const struct views_events *events,
	      void *arg, struct views **ret_views);
void views_free(struct views *views); /* accepts NULL; the followers are gone before */
void views_set_limits(struct views *views, const struct views_limits *limits);

/* Errors: -ENOBUFS: too many readers, or they wait for too much; -ENOMEM. */
int views_ask(struct views *views, const char *reader, uint64_t ticket);
/* tg_adapter.listed */
void views_listed(struct views *views, uint64_t token, const struct tg_listed *listed);

/* From within `ready`, for the view that came with it. `tagged`: from behind `etag` of `generation` on, where that is still known; else from
 * now on. */
void views_follow(struct views *views, const char *reader, struct follower *follower, bool tagged, uint64_t generation,
		  uint64_t etag);
void views_unfollow(struct follower *follower);
/* What is next, NULL: nothing. Lent as by view_next. */
const struct view_item *views_next(struct follower *follower);
uint64_t views_generation(const struct follower *follower);

/* Whether this view of the reader's is kept for nothing but whoever still walks through it, and they all take more than half of the
 * limit. */
bool views_is_in_the_way(const struct views *views, const char *reader, const struct view *view);

#endif
