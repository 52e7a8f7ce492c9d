/* SPDX-License-Identifier: Apache-2.0 */

/* How one reader's view is brought up to date: page by page, and from the beginning where something has gone. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "views_inside.h"

enum { RELIST_US = 1000000 };

static void finish(struct shelf *shelf, uint32_t verdict);

static struct tg_bytes reader_of(const struct shelf *shelf)
{
	return (struct tg_bytes){.data = shelf->reader, .size = strlen(shelf->reader)};
}

/* The next page. */
static void ask(struct shelf *shelf, struct tg_bytes behind)
{
	struct views *views = shelf->views;
	enum tg_list what = shelf->phase == DEVICES ? TG_LIST_DEVICES : TG_LIST_READINGS;
	int r;

	shelf->token = ++views->tokens;
	r = views->host->list(views->host, reader_of(shelf), what, shelf->after, behind, shelf->token);
	if (r < 0)
		finish(shelf, TG_UNAVAILABLE);
}

/* From the beginning, into a view of its own. */
static void begin_anew(struct shelf *shelf)
{
	struct views *views = shelf->views;
	int64_t now_us = views->host->now_us(views->host);

	if (shelf->relisted_us && now_us < shelf->relisted_us + RELIST_US) {
		shelf->phase = PAUSE;
		shelf->resume_us = shelf->relisted_us + RELIST_US;
		return;
	}
	view_unref(shelf->fresh);
	shelf->fresh = NULL;
	shelf->fresh_known = false;
	shelf->after = 0;
	shelf->phase = READINGS;
	if (view_new(&views->bytes, &views->limits.bytes, &shelf->fresh) < 0)
		finish(shelf, TG_FULL);
	else
		ask(shelf, (struct tg_bytes){.data = NULL});
}

void views_begin(struct shelf *shelf)
{
	bool was_paused = shelf->phase == PAUSE;

	shelf->late = 0;
	shelf->asked_us = shelf->views->host->now_us(shelf->views->host);
	if (was_paused || !shelf->view) {
		begin_anew(shelf);
		return;
	}
	shelf->phase = READINGS;
	ask(shelf, (struct tg_bytes){.data = NULL});
}

bool views_same_run(uint64_t one, uint64_t other)
{
	return one - other < UINT32_MAX || other - one < UINT32_MAX;
}

static void move_follower(struct follower *follower, struct shelf *shelf, uint64_t generation)
{
	view_leave(follower->view, &follower->cursor);
	view_unref(follower->view);
	follower->view = view_ref(shelf->view);
	follower->reset = true;
	if (views_same_run(generation, shelf->generation))
		view_resume(shelf->view, &follower->cursor, follower->last);
	else
		view_rewind(shelf->view, &follower->cursor);
}

/* The view that was listed from the beginning takes the place of the old one. */
static void put_up(struct shelf *shelf)
{
	uint64_t before = shelf->generation;
	struct follower *follower;

	view_unref(shelf->view);
	shelf->view = shelf->fresh;
	shelf->fresh = NULL;
	shelf->generation = shelf->fresh_generation;
	shelf->relisted_us = shelf->views->host->now_us(shelf->views->host);
	DL_FOREACH (shelf->followers, follower)
		move_follower(follower, shelf, before);
}

static void tell_followers(struct shelf *shelf, uint32_t verdict)
{
	struct views *views = shelf->views;
	struct follower *follower, *next;

	DL_FOREACH_SAFE (shelf->followers, follower, next) {
		if (verdict == TG_ACCEPTED) {
			views->events.news(views->arg, follower);
		} else if (verdict == TG_NOT_ALLOWED) {
			views_unfollow(follower);
			views->events.ended(views->arg, follower);
		}
	}
}

static void tell_waiting(struct shelf *shelf, uint32_t verdict)
{
	struct views *views = shelf->views;
	size_t count = shelf->waiting_count - shelf->late;
	uint64_t *all = shelf->waiting;

	shelf->waiting = NULL;
	shelf->waiting_count = shelf->late;
	if (shelf->late) {
		shelf->waiting = malloc(shelf->late * sizeof(*all));
		if (shelf->waiting)
			memcpy(shelf->waiting, all + count, shelf->late * sizeof(*all));
		else
			count += shelf->late, shelf->waiting_count = 0;
	}
	for (size_t i = 0; i < count; i++)
		views->events.ready(views->arg, all[i], verdict == TG_ACCEPTED ? shelf->view : NULL, shelf->generation,
				    verdict);
	free(all);
}

static void finish(struct shelf *shelf, uint32_t verdict)
{
	struct views *views = shelf->views;

	shelf->phase = IDLE;
	shelf->token = 0;
	if (verdict == TG_ACCEPTED && shelf->fresh)
		put_up(shelf);
	view_unref(shelf->fresh);
	shelf->fresh = NULL;
	shelf->asked_us = shelf->used_us = views->host->now_us(views->host);
	shelf->busy = true;
	tell_waiting(shelf, verdict);
	tell_followers(shelf, verdict);
	shelf->busy = false;
	if (shelf->waiting_count > 0)
		views_begin(shelf);
	views_set_timer(views);
}

static void on_entry(struct shelf *shelf, const struct tg_listed *listed)
{
	struct view *view = shelf->fresh ? shelf->fresh : shelf->view;
	int r;

	do
		r = shelf->phase == DEVICES ? view_put_device(view, listed->device) : view_put(view, listed);
	while (r == -ENOSPC && views_drop_oldest(shelf->views, shelf));
	if (r < 0)
		finish(shelf, TG_FULL);
}

static void on_end(struct shelf *shelf, const struct tg_listed *listed)
{
	uint64_t known = shelf->fresh ? shelf->fresh_generation : shelf->generation;

	if (listed->verdict != TG_ACCEPTED) {
		finish(shelf, listed->verdict);
		return;
	}
	if (shelf->fresh &&
	    !shelf->fresh_known) { /* what goes meanwhile makes another one, and is found the next time */
		shelf->fresh_generation = listed->generation;
		shelf->fresh_known = true;
	} else if (!shelf->fresh && listed->generation != known) {
		begin_anew(shelf);
		views_set_timer(shelf->views);
		return;
	}
	if (shelf->phase == READINGS)
		shelf->after = listed->etag;
	if (listed->more) {
		ask(shelf, shelf->phase == DEVICES ? listed->device : (struct tg_bytes){.data = NULL});
	} else if (shelf->phase == READINGS && shelf->fresh) {
		shelf->phase = DEVICES;
		ask(shelf, (struct tg_bytes){.data = NULL});
	} else {
		finish(shelf, TG_ACCEPTED);
	}
}

void views_listed(struct views *views, uint64_t token, const struct tg_listed *listed)
{
	struct shelf *shelf;

	DL_FOREACH (views->shelves, shelf)
		if (shelf->token == token && token != 0)
			break;
	if (!shelf)
		return;
	if (listed->end)
		on_end(shelf, listed);
	else
		on_entry(shelf, listed);
}
