/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_VIEW_H
#define HYPERCAT_VIEW_H

/*
 * What one reader may see: devices, each with its resources, as the core has listed them (tg_host.list), without payloads. A view only
 * grows, and what is in it is renewed in place; where something has to go out of it another one is built. So whoever walks through it in
 * pieces meets everything that stays. Knows neither the host nor HTTP.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

struct view;

struct view_device {
	struct view_item *first; /* of its resources, in the order in which they became known */
	struct view_item *last;
	int64_t time_wall_us; /* of its newest reading, 0: none */
	size_t size;
	char name[];
};

struct view_item {
	struct view_device *device;
	struct view_item *next;          /* of the device */
	struct view_item *older, *newer; /* of all, by ETag */
	uint64_t etag;
	int64_t time_wall_us;
	int32_t content_format;
	size_t path_size;
	const char *path; /* not terminated */
};

/* Somebody who follows the changes. Zero it. */
struct view_cursor {
	struct view_cursor *prev, *next;
	struct view_item *at; /* what has changed next, NULL: nothing more */
};

/* `*bytes` counts what all views take, which stays below `*limit_bytes`. Both live longer. Errors: -ENOMEM. */
int view_new(size_t *bytes, const size_t *limit_bytes, struct view **ret_view);
struct view *view_ref(struct view *view);
void view_unref(struct view *view); /* accepts NULL */

/* Errors: -ENOSPC: the limit; -ENOMEM. */
int view_put(struct view *view, const struct tg_listed *entry);
/* A device that may have handed in nothing yet. */
int view_put_device(struct view *view, struct tg_bytes name);

size_t view_devices(const struct view *view);
size_t view_items(const struct view *view);
const struct view_device *view_device(const struct view *view, size_t index); /* NULL behind the last one */
const struct view_device *view_find(const struct view *view, struct tg_bytes name);
const struct view_item *view_newest(const struct view *view);

/* From then on it stands before what changes later. view_resume: before everything that came behind `etag`. */
void view_follow(struct view *view, struct view_cursor *cursor);
void view_rewind(struct view *view, struct view_cursor *cursor); /* before everything */
void view_resume(struct view *view, struct view_cursor *cursor, uint64_t etag);
void view_leave(struct view *view, struct view_cursor *cursor);
/* Takes what is next, NULL: nothing. Lent until view_put. */
const struct view_item *view_next(struct view_cursor *cursor);

#endif
