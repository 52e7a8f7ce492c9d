/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "views_inside.h"

enum { S_US = 1000000, UNUSED_S = 600, WAITING_MAX = 1024 };

static void shelf_free(struct shelf *shelf)
{
	DL_DELETE(shelf->views->shelves, shelf);
	shelf->views->count--;
	view_unref(shelf->view);
	view_unref(shelf->fresh);
	free(shelf->waiting);
	free(shelf);
}

static bool is_unused(const struct shelf *shelf)
{
	return shelf->phase == IDLE && !shelf->busy && shelf->waiting_count == 0 && !shelf->followers;
}

bool views_drop_oldest(struct views *views, const struct shelf *but)
{
	struct shelf *shelf;

	DL_FOREACH (views->shelves, shelf)
		if (shelf != but && is_unused(shelf)) {
			shelf_free(shelf);
			return true;
		}
	return false;
}

static struct shelf *find(const struct views *views, struct tg_bytes reader)
{
	struct shelf *shelf;

	DL_FOREACH (views->shelves, shelf)
		if (strlen(shelf->reader) == reader.size && memcmp(shelf->reader, reader.data, reader.size) == 0)
			return shelf;
	return NULL;
}

static struct shelf *get(struct views *views, const char *reader)
{
	struct shelf *shelf = find(views, (struct tg_bytes){.data = reader, .size = strlen(reader)});

	if (shelf) {
		DL_DELETE(views->shelves, shelf);
		DL_APPEND(views->shelves, shelf);
		return shelf;
	}
	if (views->count >= views->limits.readers && !views_drop_oldest(views, NULL))
		return NULL;
	shelf = calloc(1, sizeof(*shelf));
	if (!shelf)
		return NULL;
	shelf->views = views;
	memcpy(shelf->reader, reader, strnlen(reader, TG_DEVICE_MAX));
	DL_APPEND(views->shelves, shelf);
	views->count++;
	return shelf;
}

void views_set_timer(struct views *views)
{
	struct shelf *shelf;
	int64_t next_us = INT64_MAX, at_us;

	DL_FOREACH (views->shelves, shelf) {
		at_us = shelf->phase == PAUSE                              ? shelf->resume_us
			: shelf->phase == IDLE && shelf->waiting_count > 0 ? shelf->used_us
			: shelf->phase == IDLE && shelf->followers         ? shelf->asked_us + views->limits.follow_us
			: is_unused(shelf)                                 ? shelf->used_us + (int64_t)UNUSED_S * S_US
									   : INT64_MAX;
		next_us = at_us < next_us ? at_us : next_us;
	}
	views->host->timer_set(views->timer, next_us == INT64_MAX ? 0 : next_us);
}

/* Whether the core is to be asked. */
static bool is_due(const struct shelf *shelf, int64_t now_us)
{
	if (shelf->phase == PAUSE)
		return now_us >= shelf->resume_us;
	return shelf->phase == IDLE &&
	       (shelf->waiting_count > 0 ||
		(shelf->followers && now_us >= shelf->asked_us + shelf->views->limits.follow_us));
}

static struct shelf *due(const struct views *views, int64_t now_us)
{
	struct shelf *shelf;

	DL_FOREACH (views->shelves, shelf)
		if (is_due(shelf, now_us) || (is_unused(shelf) && now_us >= shelf->used_us + (int64_t)UNUSED_S * S_US))
			break;
	return shelf;
}

static void on_timer(void *arg)
{
	struct views *views = arg;
	int64_t now_us = views->host->now_us(views->host);
	struct shelf *shelf;

	/* Whoever hears of one may ask for others. */
	for (size_t turns = 0; turns <= 2 * views->limits.readers && (shelf = due(views, now_us)) != NULL; turns++) {
		if (is_unused(shelf))
			shelf_free(shelf);
		else
			views_begin(shelf);
	}
	views_set_timer(views);
}

int views_new(const struct tg_host *host, const struct views_limits *limits, const struct views_events *events,
	      void *arg, struct views **ret_views)
{
	struct views *views = calloc(1, sizeof(*views));
	int r;

	if (!views)
		return -ENOMEM;
	views->host = host;
	views->limits = *limits;
	views->events = *events;
	views->arg = arg;
	r = host->timer_new(host, on_timer, views, &views->timer);
	if (r < 0) {
		free(views);
		return r;
	}
	*ret_views = views;
	return 0;
}

void views_free(struct views *views)
{
	if (!views)
		return;
	while (views->shelves)
		shelf_free(views->shelves);
	views->host->timer_free(views->timer);
	free(views);
}

void views_set_limits(struct views *views, const struct views_limits *limits)
{
	views->limits = *limits;
	views_set_timer(views);
}

int views_ask(struct views *views, const char *reader, uint64_t ticket)
{
	struct shelf *shelf = get(views, reader);
	uint64_t *waiting;

	if (!shelf || shelf->waiting_count >= WAITING_MAX)
		return -ENOBUFS;
	waiting = realloc(shelf->waiting, (shelf->waiting_count + 1) * sizeof(*waiting));
	if (!waiting)
		return -ENOMEM;
	shelf->waiting = waiting;
	waiting[shelf->waiting_count++] = ticket;
	shelf->used_us = views->host->now_us(views->host);
	if (shelf->phase == READINGS || shelf->phase == DEVICES)
		shelf->late++;
	else if (shelf->phase == IDLE)
		views->host->timer_set(views->timer, shelf->used_us); /* several that come together wait together */
	return 0;
}

void views_follow(struct views *views, const char *reader, struct follower *follower, bool tagged, uint64_t generation,
		  uint64_t etag)
{
	struct shelf *shelf = find(views, (struct tg_bytes){.data = reader, .size = strlen(reader)});
	const struct view_item *newest = view_newest(shelf->view);

	follower->shelf = shelf;
	follower->view = view_ref(shelf->view);
	follower->reset = tagged && generation != shelf->generation;
	follower->last = newest ? newest->etag : 0;
	if (tagged && views_same_run(generation, shelf->generation)) {
		follower->last = etag;
		view_resume(shelf->view, &follower->cursor, etag);
	} else {
		view_follow(shelf->view, &follower->cursor);
	}
	DL_APPEND(shelf->followers, follower);
}

void views_unfollow(struct follower *follower)
{
	struct shelf *shelf = follower->shelf;

	if (!shelf)
		return;
	DL_DELETE(shelf->followers, follower);
	view_leave(follower->view, &follower->cursor);
	view_unref(follower->view);
	follower->shelf = NULL;
}

const struct view_item *views_next(struct follower *follower)
{
	const struct view_item *item = follower->shelf ? view_next(&follower->cursor) : NULL;

	if (item)
		follower->last = item->etag;
	return item;
}

uint64_t views_generation(const struct follower *follower)
{
	return follower->shelf ? follower->shelf->generation : 0;
}

bool views_is_in_the_way(const struct views *views, const char *reader, const struct view *view)
{
	const struct shelf *shelf = find(views, (struct tg_bytes){.data = reader, .size = strlen(reader)});

	return views->bytes > views->limits.bytes / 2 && (!shelf || shelf->view != view);
}
