/* SPDX-License-Identifier: Apache-2.0 */
#include "view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) (entry)->lost = true
#include <uthash.h>
#include <utlist.h>

enum { FIRST_ROOM = 64, KEY_MAX = TG_DEVICE_MAX + 1 + TG_PATH_MAX };

/* What is found by name; a device has no path, and nothing behind the name. */
struct node {
	UT_hash_handle hh;
	bool lost;
	struct view_device *device; /* NULL: it is an item */
	struct view_item item;
	char key[];
};

struct view {
	unsigned refs;
	size_t *bytes;
	const size_t *limit_bytes;
	size_t own_bytes;
	struct node *nodes;
	struct view_device **devices;
	size_t devices_count;
	size_t devices_room;
	size_t items_count;
	struct view_item *oldest, *newest;
	struct view_cursor *cursors;
};

int view_new(size_t *bytes, const size_t *limit_bytes, struct view **ret_view)
{
	struct view *view = calloc(1, sizeof(*view));

	if (!view)
		return -ENOMEM;
	view->refs = 1;
	view->bytes = bytes;
	view->limit_bytes = limit_bytes;
	*ret_view = view;
	return 0;
}

struct view *view_ref(struct view *view)
{
	view->refs++;
	return view;
}

void view_unref(struct view *view)
{
	struct node *node, *next;

	if (!view || --view->refs > 0)
		return;
	node = view->nodes;
	HASH_CLEAR(hh, view->nodes); /* of all at once: it may be many */
	for (; node; node = next) {
		next = node->hh.next;
		free(node->device);
		free(node);
	}
	*view->bytes -= view->own_bytes;
	free(view->devices);
	free(view);
}

static bool take_bytes(struct view *view, size_t size)
{
	if (*view->bytes + size > *view->limit_bytes)
		return false;
	*view->bytes += size;
	view->own_bytes += size;
	return true;
}

static size_t make_key(struct tg_bytes device, struct tg_bytes path, bool item, char key[KEY_MAX])
{
	memcpy(key, device.data, device.size);
	if (!item)
		return device.size;
	key[device.size] = '\0'; /* which is in no name */
	if (path.size)
		memcpy(key + device.size + 1, path.data, path.size);
	return device.size + 1 + path.size;
}

static struct node *find(const struct view *view, const char *key, size_t size)
{
	struct node *node;

	HASH_FIND(hh, view->nodes, key, size, node);
	return node;
}

/* Errors: -ENOSPC, -ENOMEM. */
static int add_node(struct view *view, const char *key, size_t size, size_t more, struct node **ret_node)
{
	struct node *node;

	if (!take_bytes(view, sizeof(*node) + size + more))
		return -ENOSPC;
	node = calloc(1, sizeof(*node) + size);
	if (!node)
		return -ENOMEM;
	memcpy(node->key, key, size);
	HASH_ADD_KEYPTR(hh, view->nodes, node->key, size, node);
	if (node->lost) {
		free(node);
		return -ENOMEM;
	}
	*ret_node = node;
	return 0;
}

static bool devices_grow(struct view *view)
{
	size_t room = view->devices_room ? 2 * view->devices_room : FIRST_ROOM;
	struct view_device **devices;

	if (view->devices_count < view->devices_room)
		return true;
	devices = realloc(view->devices, room * sizeof(*devices));
	if (!devices)
		return false;
	view->devices = devices;
	view->devices_room = room;
	return true;
}

static int get_device(struct view *view, struct tg_bytes name, struct view_device **ret_device)
{
	struct node *node = name.size && name.size <= TG_DEVICE_MAX ? find(view, name.data, name.size) : NULL;
	size_t more = sizeof(struct view_device) + name.size + 1 + 2 * sizeof(void *);
	struct view_device *device;
	int r;

	if (!node) {
		if (name.size == 0 || name.size > TG_DEVICE_MAX)
			return -EINVAL;
		device = devices_grow(view) ? calloc(1, sizeof(*device) + name.size + 1) : NULL;
		r = device ? add_node(view, name.data, name.size, more, &node) : -ENOMEM;
		if (r < 0) {
			free(device);
			return r;
		}
		memcpy(device->name, name.data, name.size);
		device->size = name.size;
		node->device = device;
		view->devices[view->devices_count++] = device;
	}
	*ret_device = node->device;
	return 0;
}

int view_put_device(struct view *view, struct tg_bytes name)
{
	struct view_device *device;

	return get_device(view, name, &device);
}

static void to_the_end(struct view *view, struct view_item *item)
{
	struct view_cursor *cursor;

	DL_FOREACH (view->cursors, cursor)
		if (cursor->at == item)
			cursor->at = item->newer;
	if (item->older || view->oldest == item) { /* it has a place already */
		*(item->older ? &item->older->newer : &view->oldest) = item->newer;
		*(item->newer ? &item->newer->older : &view->newest) = item->older;
	}
	item->older = view->newest;
	item->newer = NULL;
	*(view->newest ? &view->newest->newer : &view->oldest) = item;
	view->newest = item;
	DL_FOREACH (view->cursors, cursor)
		if (!cursor->at)
			cursor->at = item;
}

static int add_item(struct view *view, struct view_device *device, const char *key, size_t size,
		    struct view_item **ret_item)
{
	struct node *node;
	int r = add_node(view, key, size, 0, &node);

	if (r < 0)
		return r;
	node->item.device = device;
	node->item.path = node->key + device->size + 1;
	node->item.path_size = size - device->size - 1;
	*(device->last ? &device->last->next : &device->first) = &node->item;
	device->last = &node->item;
	view->items_count++;
	*ret_item = &node->item;
	return 0;
}

int view_put(struct view *view, const struct tg_listed *entry)
{
	struct view_device *device;
	struct view_item *item;
	struct node *node;
	char key[KEY_MAX];
	size_t size;
	int r = entry->path.size > TG_PATH_MAX ? -EINVAL : get_device(view, entry->device, &device);

	if (r < 0)
		return r;
	size = make_key(entry->device, entry->path, true, key);
	node = find(view, key, size);
	if (node)
		item = &node->item;
	else
		r = add_item(view, device, key, size, &item);
	if (r < 0)
		return r;
	item->etag = entry->etag;
	item->time_wall_us = entry->time_wall_us;
	item->content_format = entry->content_format;
	if (device->time_wall_us < entry->time_wall_us)
		device->time_wall_us = entry->time_wall_us;
	to_the_end(view, item);
	return 0;
}

size_t view_devices(const struct view *view)
{
	return view->devices_count;
}

size_t view_items(const struct view *view)
{
	return view->items_count;
}

const struct view_device *view_device(const struct view *view, size_t index)
{
	return index < view->devices_count ? view->devices[index] : NULL;
}

const struct view_device *view_find(const struct view *view, struct tg_bytes name)
{
	const struct node *node = name.size ? find(view, name.data, name.size) : NULL;

	return node ? node->device : NULL;
}

const struct view_item *view_newest(const struct view *view)
{
	return view->newest;
}

void view_follow(struct view *view, struct view_cursor *cursor)
{
	cursor->at = NULL;
	DL_APPEND(view->cursors, cursor);
}

void view_rewind(struct view *view, struct view_cursor *cursor)
{
	view_follow(view, cursor);
	cursor->at = view->oldest;
}

void view_resume(struct view *view, struct view_cursor *cursor, uint64_t etag)
{
	view_follow(view, cursor);
	for (struct view_item *item = view->newest; item && (int64_t)(item->etag - etag) > 0; item = item->older)
		cursor->at = item;
}

void view_leave(struct view *view, struct view_cursor *cursor)
{
	DL_DELETE(view->cursors, cursor);
}

const struct view_item *view_next(struct view_cursor *cursor)
{
	struct view_item *item = cursor->at;

	if (item)
		cursor->at = item->newer;
	return item;
}
