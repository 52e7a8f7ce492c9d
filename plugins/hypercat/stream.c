/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Streams of changes (text/event-stream): an event for each resource that has a new reading, with what the catalogue says of it. A slow
 * reader misses no resource but intermediate changes: what is renewed before it was sent is sent once. An event's id is what a client comes
 * again with (Last-Event-ID), to get all that has changed since; so is the ETag of the catalogue. Where something has gone out of the
 * catalogue there is an event "reset": it is to be fetched anew.
 */

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "hypercat.h"
#include "wishes.h"

enum { PIECE_BYTES = 16384, PULSE_US = 15000000 };

struct stream {
	struct stream *prev, *next;
	struct follower follower;
	struct task *task;
	struct text text;
	bool full; /* it waits until what was written has left */
};

static struct stream *stream_of(struct follower *follower)
{
	return (struct stream *)((char *)follower - offsetof(struct stream, follower));
}

void stream_free(struct stream *stream)
{
	struct hypercat *hypercat;

	if (!stream)
		return;
	hypercat = stream->task->hypercat;
	views_unfollow(&stream->follower);
	DL_DELETE(hypercat->streams, stream);
	hypercat->streams_count--;
	hypercat->host->gauge(hypercat->host, COUNT_STREAMS, (int64_t)hypercat->streams_count);
	text_done(&stream->text);
	free(stream);
}

static size_t of_reader(const struct hypercat *hypercat, const char *name)
{
	const struct stream *stream;
	size_t count = 0;

	DL_FOREACH (hypercat->streams, stream)
		count += strcmp(stream->task->visitor->name, name) == 0;
	return count;
}

void stream_begin(struct task *task)
{
	struct hypercat *hypercat = task->hypercat;
	struct stream *stream;

	if (server_method(task->client) != SERVER_GET) {
		server_set(task->client, "Allow", "GET");
		task_reply(task, 405, NULL);
		return;
	}
	if (hypercat->streams_count >= hypercat->settings.streams ||
	    of_reader(hypercat, task->visitor->name) >= hypercat->settings.streams_a_reader) {
		task_later(task, 503, 60, "too many event streams");
		return;
	}
	stream = calloc(1, sizeof(*stream));
	if (!stream) {
		task_later(task, 503, 60, NULL);
		return;
	}
	stream->task = task;
	task->stream = stream;
	DL_APPEND(hypercat->streams, stream);
	hypercat->streams_count++;
	hypercat->host->gauge(hypercat->host, COUNT_STREAMS, (int64_t)hypercat->streams_count);
	task_ask_view(task);
}

static void write_id(struct stream *stream)
{
	char tag[WISHES_TAG_SIZE];

	wishes_tag(views_generation(&stream->follower) ^ stream->task->hypercat->about.mark, stream->follower.last,
		   tag);
	text_words(&stream->text, "id: ");
	text_words(&stream->text, tag);
	text_words(&stream->text, "\n");
}

static void write_event(struct stream *stream, const struct view_item *item)
{
	write_id(stream);
	text_words(&stream->text, "event: item\ndata: ");
	item_json(&stream->task->hypercat->about, item->device, item, &stream->text);
	text_words(&stream->text, "\n\n");
}

static void pump(struct stream *stream)
{
	const struct tg_host *host = stream->task->hypercat->host;
	const struct view_item *item;

	if (stream->full)
		return;
	if (stream->follower.reset) {
		stream->follower.reset = false;
		write_id(stream);
		text_words(&stream->text, "event: reset\ndata: {}\n\n");
	}
	while (stream->text.size < PIECE_BYTES && (item = views_next(&stream->follower)) != NULL) {
		write_event(stream, item);
		host->count(host, COUNT_EVENTS, 1);
	}
	if (stream->text.failed) {
		server_cut(stream->task->client);
		return;
	}
	if (stream->text.size == 0)
		return;
	stream->full = true;
	server_write(stream->task->client, text_bytes(&stream->text));
	text_clear(&stream->text);
}

void stream_view(struct task *task, uint64_t generation)
{
	struct stream *stream = task->stream;
	uint64_t mark = task->hypercat->about.mark, since, etag = 0;
	bool tagged = wishes_tag_read(server_header(task->client, "Last-Event-ID"), &since, &etag);

	(void)generation;
	views_follow(task->hypercat->views, task->visitor->name, &stream->follower, tagged, tagged ? since ^ mark : 0,
		     etag);
	task->state = TASK_ANSWERS;
	server_set(task->client, "Content-Type", "text/event-stream");
	server_set(task->client, "Cache-Control", "private, no-store");
	server_begin(task->client, 200);
	text_words(&stream->text, "retry: 5000\n\n");
	pump(stream);
}

void stream_drained(struct task *task)
{
	task->stream->full = false;
	pump(task->stream);
}

void stream_news(struct follower *follower)
{
	pump(stream_of(follower));
}

/* Whoever reads is let in no more. */
void stream_ended(struct follower *follower)
{
	struct task *task = stream_of(follower)->task;

	server_end(task->client);
	task_free(task);
}

/* A comment, by which a connection that is broken shows. */
void stream_pulse(void *arg)
{
	struct hypercat *hypercat = arg;
	struct stream *stream, *next;

	DL_FOREACH_SAFE (hypercat->streams, stream, next)
		if (stream->task->state == TASK_ANSWERS && !stream->full) {
			text_words(&stream->text, ":\n\n");
			pump(stream);
		}
	hypercat->host->timer_set(hypercat->pulse, hypercat->host->now_us(hypercat->host) + PULSE_US);
}
