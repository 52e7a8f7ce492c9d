/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The catalogue, of all that the reader may read or of one device, in JSON or in the CoRE link format. It is written in pieces, the next one when
 * the last has left: neither a large catalogue nor a slow reader takes much memory, or time from others.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hypercat.h"
#include "search.h"
#include "wishes.h"

/* A piece ends with the entry that makes it so long, or when so many were looked at, whatever a search has found. */
enum { PIECE_BYTES = 32768, LOOKED_AT_MAX = 512 };

struct download {
	struct view *view;
	int64_t begun_us;
	struct search *search;
	bool links;
	bool some;                        /* an entry was written */
	bool one;                         /* of one device alone */
	const struct view_device *device; /* where it is, NULL: behind the last one */
	size_t place;                     /* of it */
	const struct view_item *item;     /* the next one, NULL: the device itself is */
	bool told;                        /* the device is behind us */
	struct text text;
};

void catalogue_free(struct download *download)
{
	if (!download)
		return;
	view_unref(download->view);
	search_free(download->search);
	text_done(&download->text);
	free(download);
}

void catalogue_begin(struct task *task)
{
	struct download *download;
	int r;

	if (server_method(task->client) != SERVER_GET && server_method(task->client) != SERVER_HEAD) {
		server_set(task->client, "Allow", "GET, HEAD");
		task_reply(task, 405, NULL);
		return;
	}
	download = task->download = calloc(1, sizeof(*download));
	r = download ? search_new(task->target.query, &download->search) : -1;
	if (!download || r < 0) {
		task_reply(task, download ? 400 : 503, "the query is broken");
		return;
	}
	download->links = task->target.kind == TARGET_LINKS;
	download->one = task->target.device_size > 0;
	task_ask_view(task);
}

/* An entity tag for what the view is now, as it is told with these settings. */
static void set_tag(struct task *task, const struct view *view, uint64_t generation, char tag[WISHES_TAG_SIZE + 2])
{
	const struct view_item *newest = view_newest(view);
	uint64_t etag = newest ? newest->etag : 0;
	char plain[WISHES_TAG_SIZE];

	wishes_tag(generation ^ task->hypercat->about.mark, etag, plain);
	snprintf(tag, WISHES_TAG_SIZE + 2, "\"%s\"", plain);
	server_set(task->client, "ETag", tag);
	server_set(task->client, "Cache-Control", "private, no-cache");
	server_set(task->client, "Vary", "Authorization");
}

static void move_to(struct download *download, size_t place)
{
	download->place = place;
	download->device = view_device(download->view, place);
	download->item = NULL;
	download->told = false;
}

static void write_entry(struct download *download, const struct about *about, const struct view_item *item)
{
	if (!search_is_met(download->search, about, download->device, item))
		return;
	if (download->some)
		text_words(&download->text, ",");
	download->some = true;
	if (download->links)
		item_link(about, item, &download->text);
	else
		item_json(about, download->device, item, &download->text);
}

/* One entry: the device, which is left out of its own catalogue and of links, or its next resource. */
static void step(struct download *download, const struct about *about)
{
	if (!download->told) {
		download->told = true;
		download->item = download->device->first;
		if (!download->one && !download->links)
			write_entry(download, about, NULL);
	} else if (download->item) {
		write_entry(download, about, download->item);
		download->item = download->item->next;
	}
	if (download->item)
		return;
	if (download->one)
		download->device = NULL;
	else
		move_to(download, download->place + 1);
}

static void write_piece(struct task *task)
{
	struct download *download = task->download;
	unsigned looked_at = 0;

	while (download->device && download->text.size < PIECE_BYTES && looked_at++ < LOOKED_AT_MAX)
		step(download, &task->hypercat->about);
	if (!download->device && !download->links)
		text_words(&download->text, "]}");
	if (download->text.failed) {
		server_cut(task->client); /* half of it would look whole */
		return;
	}
	if (download->text.size == 0 && download->device)
		text_words(&download->text, " "); /* a search that finds nothing for a while */
	if (download->text.size)
		server_write(task->client, text_bytes(&download->text));
	text_clear(&download->text);
	if (download->device)
		return;
	server_end(task->client);
	task_free(task);
}

/* Takes its time over what has been replaced meanwhile, where others need the room. */
static bool is_overdue(const struct task *task)
{
	const struct hypercat *hypercat = task->hypercat;
	int64_t took_us = hypercat->host->now_us(hypercat->host) - task->download->begun_us;

	return took_us >= hypercat->settings.server.request_us &&
	       views_is_in_the_way(hypercat->views, task->visitor->name, task->download->view);
}

void catalogue_drained(struct task *task)
{
	if (is_overdue(task))
		server_cut(task->client);
	else
		write_piece(task);
}

static void answer(struct task *task, struct view *view)
{
	struct download *download = task->download;
	const struct view_item *newest = view_newest(view);

	server_set(task->client, "Content-Type", download->links ? "application/link-format" : ITEM_TYPE);
	if (server_method(task->client) == SERVER_HEAD) {
		server_begin(task->client, 200);
		server_end(task->client);
		task_free(task);
		return;
	}
	if (!download->links)
		item_head(&task->hypercat->about, download->one ? download->device : NULL,
			  newest ? newest->time_wall_us : 0, &download->text);
	server_begin(task->client, 200);
	task->state = TASK_ANSWERS;
	download->begun_us = task->hypercat->host->now_us(task->hypercat->host);
	write_piece(task);
}

void catalogue_view(struct task *task, struct view *view, uint64_t generation)
{
	const struct tg_bytes name = {.data = task->target.device, .size = task->target.device_size};
	struct download *download = task->download;
	char tag[WISHES_TAG_SIZE + 2];

	download->view = view_ref(view);
	if (download->one)
		download->device = view_find(view, name);
	else
		move_to(download, 0);
	if (download->one && !download->device) {
		task_reply(task, 404, NULL);
		return;
	}
	set_tag(task, view, generation, tag);
	if (wishes_has(server_header(task->client, "If-None-Match"), tag)) {
		task_reply(task, 304, NULL);
		return;
	}
	task->hypercat->host->count(task->hypercat->host, COUNT_CATALOGUES, 1);
	answer(task, view);
}
