/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "reader_inside.h"

enum { S_US = 1000000, BUSY_MAX_AGE_S = 5 };

static struct reader_peer *peer_of(struct observe_peer *observers)
{
	return (struct reader_peer *)((char *)observers - offsetof(struct reader_peer, observers));
}

static uint16_t on_next_id(void *arg, struct observe_peer *observers)
{
	(void)arg;
	return peer_of(observers)->exchange->next_id++;
}

static void on_send(void *arg, struct observe_peer *observers, struct tg_bytes datagram)
{
	struct reader_table *table = arg;
	table->events.send(table->arg, peer_of(observers)->exchange, datagram);
}

static void on_count(void *arg, enum observe_count what)
{
	struct reader_table *table = arg;
	table->events.count(table->arg, what);
}

static void on_ended(void *arg, void *owner)
{
	struct reader *reader = owner;
	reader->observer = NULL;
	reader_free(arg, reader);
}

int reader_table_new(const struct tg_host *host, struct exchange_table *exchanges, const char *prefix,
		     const struct reader_limits *limits, uint64_t random, const struct reader_events *events, void *arg,
		     struct reader_table **ret_table)
{
	static const struct observe_events observe_events = {
		.next_id = on_next_id, .send = on_send, .ended = on_ended, .count = on_count};
	struct reader_table *table = calloc(1, sizeof(*table));
	int r = table ? 0 : -ENOMEM;
	if (r < 0)
		return r;
	table->host = host;
	table->exchanges = exchanges;
	table->events = *events;
	table->arg = arg;
	table->again_us = INT64_MAX;
	r = observe_table_new(&limits->observe, random, &observe_events, table, &table->observers);
	if (r >= 0)
		r = reader_snapshots_new(limits->snapshots_bytes, &table->snapshots);
	if (r < 0) {
		reader_table_free(table);
		return r;
	}
	reader_set(table, prefix, limits);
	*ret_table = table;
	return 0;
}

void reader_table_free(struct reader_table *table)
{
	if (!table)
		return;
	observe_table_free(table->observers);
	reader_snapshots_free(table->snapshots);
	free(table->readers);
	free(table);
}

void reader_set(struct reader_table *table, const char *prefix, const struct reader_limits *limits)
{
	snprintf(table->target, sizeof(table->target), "/%s", prefix);
	observe_set_limits(table->observers, &limits->observe);
	reader_snapshots_set_limit(table->snapshots, limits->snapshots_bytes);
}

static const char *prefix_of(const struct reader_table *table)
{
	return table->target + 1;
}

void reader_links(const struct reader_table *table, struct resource_links *links)
{
	const struct link link = {table->target,
				  {{.name = "rt", .value = "tidegate.last"},
				   {.name = "title", .value = "GET DEVICE/PATH below it: the last reading"},
				   {.name = "obs"}}};
	if (prefix_of(table)[0] != '\0')
		resource_links_add(links, &link);
}

void reader_peer_done(struct reader_table *table, struct reader_peer *peer)
{
	while (peer->first)
		reader_free(table, peer->first);
	reader_snapshot_peer_done(table->snapshots, &peer->snapshots);
}

bool reader_takes(const struct reader_table *table, const struct coap_message *message)
{
	return reader_is_asked(message, prefix_of(table));
}

static struct exchange_answer encode(const struct resource_answer *answer, uint8_t memory[RESOURCE_BODY_MAX])
{
	struct exchange_answer encoded = {.code = answer->code, .detail = answer->detail};
	resource_encode(answer, memory, &encoded.body);
	return encoded;
}

static void reply(struct reader_table *table, const struct exchange_request *request,
		  const struct resource_answer *answer)
{
	uint8_t memory[RESOURCE_BODY_MAX];
	const struct exchange_answer encoded = encode(answer, memory);
	exchange_reply(table->exchanges, request, &encoded, table->host->now_us(table->host));
}

static void refuse(struct reader_table *table, const struct exchange_request *request, uint8_t code, uint32_t detail,
		   const char *diagnostic)
{
	const struct resource_answer answer = resource_answer(request->message, code, detail, diagnostic);
	reply(table, request, &answer);
}

static void refuse_error(struct reader_table *table, const struct exchange_request *request, int error)
{
	if (error == -EMSGSIZE)
		refuse(table, request, MESSAGE_NOT_FOUND, 0, NULL);
	else if (error == -EDQUOT)
		refuse(table, request, MESSAGE_TOO_MANY_REQUESTS, BUSY_MAX_AGE_S, "too many requests in progress");
	else
		refuse(table, request, MESSAGE_UNAVAILABLE, BUSY_MAX_AGE_S, NULL);
}

/* A token names one observation of a session: a new request with it takes the place of the old one, and without Observe ends it. What is
 * still to be answered is answered. Source: RFC 7641 sections 3.6, 4.1. */
static void end_before(struct reader_table *table, struct reader_peer *peer, const struct coap_message *message)
{
	const struct tg_bytes token = {.data = message->token, .size = message->token_size};
	struct reader *reader = observe_find(&peer->observers, token);
	if (!reader)
		return;
	observe_remove(table->observers, reader->observer);
	reader->observer = NULL;
	if (!reader->waiting)
		reader_free(table, reader);
}

/* A piece of what this session has begun to fetch. */
static bool answer_piece(struct reader_table *table, const struct reader_peer *peer,
			 const struct exchange_request *request, const struct reader_wishes *wishes,
			 struct tg_bytes name)
{
	struct reader_content content;
	int64_t now_us = table->host->now_us(table->host);
	if (!reader_wants_piece(wishes) || !reader_snapshot_get(&peer->snapshots, name, now_us, &content))
		return false;
	const struct resource_answer answer = reader_answer(&content, wishes, now_us);
	reply(table, request, &answer);
	return true;
}

/* Over a limit it is a read like any other, and the response says so by having no Observe option (RFC 7641 section 4.1). */
static int begin(struct reader_table *table, struct reader *reader, const struct exchange_request *request)
{
	const struct coap_message *message = request->message;
	const struct tg_bytes token = {.data = message->token, .size = message->token_size};
	int r = exchange_open(table->exchanges, request, 0, table->host->now_us(table->host), &reader->exchange);
	if (r < 0)
		return r;
	if (reader->wishes.observe &&
	    observe_add(table->observers, &reader->peer->observers, token, reader, &reader->observer) < 0)
		reader->observer = NULL;
	r = reader_read(table, reader);
	if (r < 0)
		exchange_cancel(table->exchanges, reader->exchange);
	return r;
}

static void ask(struct reader_table *table, struct reader_peer *peer, const struct exchange_request *request,
		const struct reader_wishes *wishes, const struct reader_question *question)
{
	struct reader *reader;
	int r = reader_new(table, peer, question, &reader);
	if (r < 0) {
		refuse_error(table, request, r);
		return;
	}
	reader->wishes = *wishes;
	reader->waiting = true;
	r = begin(table, reader, request);
	if (r < 0) {
		reader_free(table, reader);
		refuse_error(table, request, r);
	}
}

void reader_request(struct reader_table *table, struct reader_peer *peer, const char *device,
		    const struct exchange_request *request)
{
	struct reader_question question = {.asker = {.data = device, .size = strlen(device)}};
	struct resource_reading path;
	struct reader_wishes wishes;
	const char *problem;
	uint8_t code = reader_address(request->message, prefix_of(table), &question.device, &path, &problem);
	if (code) {
		refuse(table, request, code, 0, problem);
		return;
	}
	reader_wishes_read(request->message, &wishes);
	if (!reader_wants_piece(&wishes))
		end_before(table, peer, request->message);
	uint8_t memory[READER_NAME_MAX];
	question.path = (struct tg_bytes){.data = path.path, .size = path.path_size};
	const struct tg_bytes name = reader_name(question.device, question.path, memory);
	if (!answer_piece(table, peer, request, &wishes, name))
		ask(table, peer, request, &wishes, &question);
}

bool reader_settle(struct reader_table *table, struct reader_peer *peer, const struct coap_message *message)
{
	int64_t now_us = table->host->now_us(table->host);
	if (!observe_settle(table->observers, &peer->observers, message, now_us))
		return false;
	observe_run(table->observers, now_us); /* others may have waited for it */
	return true;
}

/* Keeps what is larger than a block, so that its pieces fit together. */
static void keep_pieces(struct reader_table *table, struct reader *reader, const struct resource_answer *answer,
			const struct reader_content *content, int64_t now_us)
{
	uint8_t memory[READER_NAME_MAX];
	if (reader_is_piece(answer))
		reader_snapshot_put(table->snapshots, &reader->peer->snapshots,
				    reader_name(reader->question.device, reader->question.path, memory), content,
				    now_us);
}

/* The response to the request; what does not observe, or cannot, is done. */
static void respond(struct reader_table *table, struct reader *reader, const struct tg_reading *reading,
		    const struct reader_content *content, int64_t now_us)
{
	uint8_t memory[RESOURCE_BODY_MAX];
	struct resource_answer answer = reading->verdict == TG_ACCEPTED
						? reader_answer(content, &reader->wishes, now_us)
						: reader_refusal(reading->verdict, reading->max_age_s, &reader->wishes);
	bool observes = reader->observer && !reading->last && MESSAGE_CODE_CLASS(answer.code) == 2;
	if (observes)
		answer.observe = observe_number(reader->observer, now_us);
	if (reading->verdict == TG_ACCEPTED)
		keep_pieces(table, reader, &answer, content, now_us);
	const struct exchange_answer encoded = encode(&answer, memory);
	(void)exchange_finish(table->exchanges, reader->exchange, &encoded, now_us);
	reader->waiting = false;
	reader->etag = content->etag;
	reader->content_format = content->content_format;
	if (!observes)
		reader_free(table, reader);
}

/* The last word to an observer. Source: RFC 7641 section 4.2. */
static void end_with(struct reader_table *table, struct reader *reader, const struct resource_answer *answer,
		     int64_t now_us)
{
	reader_read_end(table, reader);
	reader->ending = true;
	observe_tell(table->observers, reader->observer, answer, true, now_us);
}

static void notify(struct reader_table *table, struct reader *reader, const struct reader_content *content,
		   int64_t now_us)
{
	if (content->etag == reader->etag)
		return; /* a new core tells what the old one has told */
	if (content->content_format != reader->content_format) {
		const struct resource_answer other = reader_answer_plain(MESSAGE_NOT_ACCEPTABLE);
		end_with(table, reader, &other, now_us);
		return;
	}
	const struct resource_answer answer = reader_notification(content, &reader->wishes, now_us);
	reader->etag = content->etag;
	keep_pieces(table, reader, &answer, content, now_us);
	observe_tell(table->observers, reader->observer, &answer, false, now_us);
}

void reader_told(struct reader_table *table, uint64_t token, const struct tg_reading *reading)
{
	struct reader *reader = reader_find(table, token);
	int64_t now_us = table->host->now_us(table->host);
	if (!reader || reader->ending)
		return; /* its session has gone meanwhile */
	const struct reader_content content = {
		.payload = reading->payload,
		.content_format = reading->content_format,
		.etag = reading->etag,
		.fresh_until_us = now_us + reading->max_age_s * (int64_t)S_US,
	};
	if (reading->last)
		reader->reads = false;
	if (reader->waiting) {
		respond(table, reader, reading, &content, now_us);
	} else if (reader_is_lull(table, reader, reading)) {
		return;
	} else if (reading->verdict == TG_ACCEPTED) {
		notify(table, reader, &content, now_us);
	} else {
		const struct resource_answer answer =
			reader_refusal(reading->verdict, reading->max_age_s, &reader->wishes);
		end_with(table, reader, &answer, now_us);
	}
}

size_t reader_observers(const struct reader_table *table)
{
	return observe_observers(table->observers);
}

void reader_run(struct reader_table *table, int64_t now_us)
{
	observe_run(table->observers, now_us);
	reader_snapshots_run(table->snapshots, now_us);
	if (table->again_us <= now_us)
		reader_joined(table);
}

int64_t reader_next_us(const struct reader_table *table)
{
	int64_t observe_us = observe_next_us(table->observers);
	int64_t snapshots_us = reader_snapshots_next_us(table->snapshots);
	int64_t next_us = observe_us < snapshots_us ? observe_us : snapshots_us;
	return next_us < table->again_us ? next_us : table->again_us;
}
