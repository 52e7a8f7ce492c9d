/* SPDX-License-Identifier: Apache-2.0 */
#include "catalogue_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "catalogue.h"
#include "exchange.h"

/* RELISTS_MAX: a gateway whose memory for readings is full lets one go with each new one, and no listing would ever end. */
enum { FORMAT_LINK = 40, NAME_BYTES = 2048, BUSY_MAX_AGE_S = 5, FULL_MAX_AGE_S = 60, RELISTS_MAX = 2 };

/* A request that waits, the first one for the core. */
struct task {
	struct task *prev, *next;
	struct catalogue_peer *peer;
	uint64_t exchange;
	struct reader_wishes wishes;
	struct tg_bytes asker;
	struct tg_bytes name; /* its queries; see write_name */
	uint8_t memory[];
};

struct catalogue_server {
	const struct tg_host *host;
	struct exchange_table *exchanges;
	struct reader_snapshots *snapshots;
	struct labels labels;
	unsigned counter;
	size_t limit_bytes;
	struct task *tasks;
	/* Of the first of them: */
	struct catalogue *catalogue; /* NULL: nothing is being put together */
	uint64_t token;              /* of what the core was asked last */
	uint64_t after;
	uint64_t generation;
	bool generation_known;
	unsigned relists;
	char target[READER_PREFIX_MAX + 2];
	char base[READER_PREFIX_MAX + 3];
};

int catalogue_server_new(const struct tg_host *host, struct exchange_table *exchanges,
			 const struct catalogue_settings *settings, struct labels *labels, unsigned counter,
			 struct catalogue_server **ret_server)
{
	struct catalogue_server *server = calloc(1, sizeof(*server));
	int r = server ? reader_snapshots_new(settings->limit_bytes, &server->snapshots) : -ENOMEM;
	if (r < 0) {
		free(server);
		return r;
	}
	server->host = host;
	server->exchanges = exchanges;
	server->counter = counter;
	catalogue_server_set(server, settings, labels);
	*ret_server = server;
	return 0;
}

void catalogue_server_free(struct catalogue_server *server)
{
	if (!server)
		return;
	catalogue_free(server->catalogue);
	reader_snapshots_free(server->snapshots);
	labels_done(&server->labels);
	free(server);
}

static const char *prefix_of(const struct catalogue_server *server)
{
	return server->target + 1;
}

void catalogue_server_links(const struct catalogue_server *server, struct resource_links *links)
{
	const struct link link = {server->target,
				  {{.name = "rt", .value = "tidegate.catalogue"},
				   {.name = "ct", .value = "40", .number = true},
				   {.name = "title", .value = "links to the last readings"}}};
	if (prefix_of(server)[0] != '\0')
		resource_links_add(links, &link);
}

bool catalogue_server_takes(const struct catalogue_server *server, const struct coap_message *message)
{
	return reader_is_folder(message, prefix_of(server));
}

static struct exchange_answer encode(const struct resource_answer *answer, uint8_t memory[RESOURCE_BODY_MAX])
{
	struct exchange_answer encoded = {.code = answer->code, .detail = answer->detail};
	resource_encode(answer, memory, &encoded.body);
	return encoded;
}

static void reply(struct catalogue_server *server, const struct exchange_request *request,
		  const struct resource_answer *answer)
{
	uint8_t memory[RESOURCE_BODY_MAX];
	const struct exchange_answer encoded = encode(answer, memory);
	exchange_reply(server->exchanges, request, &encoded, server->host->now_us(server->host));
}

static void refuse(struct catalogue_server *server, const struct exchange_request *request, uint8_t code,
		   uint32_t max_age_s, const char *words)
{
	const struct resource_answer answer = resource_answer(request->message, code, max_age_s, words);
	reply(server, request, &answer);
}

static void task_free(struct catalogue_server *server, struct task *task)
{
	if (task == server->tasks) {
		catalogue_free(server->catalogue);
		server->catalogue = NULL;
		server->token++; /* what the core still says of it is nobody's */
	}
	DL_DELETE(server->tasks, task);
	task->peer->waiting--;
	free(task);
}

static void task_answer(struct catalogue_server *server, struct task *task, const struct resource_answer *answer)
{
	uint8_t memory[RESOURCE_BODY_MAX];
	const struct exchange_answer encoded = encode(answer, memory);
	(void)exchange_finish(server->exchanges, task->exchange, &encoded, server->host->now_us(server->host));
	task_free(server, task);
}

static void task_refuse(struct catalogue_server *server, struct task *task, uint32_t verdict)
{
	const struct resource_answer answer = reader_refusal(verdict, BUSY_MAX_AGE_S, &task->wishes);
	task_answer(server, task, &answer);
}

static void task_fail(struct catalogue_server *server, struct task *task, int error)
{
	static const char words[] = "the catalogue is too large, search for less of it";
	struct resource_answer answer = reader_answer_plain(MESSAGE_UNAVAILABLE);
	if (error != -ENOSPC) {
		task_refuse(server, task, TG_UNAVAILABLE);
		return;
	}
	server->host->log(server->host, TG_LOG_WARNING, (const char *)task->asker.data,
			  "a catalogue does not fit 'catalogue_bytes'");
	answer.detail = FULL_MAX_AGE_S;
	answer.payload = (struct tg_bytes){.data = words, .size = sizeof(words) - 1};
	task_answer(server, task, &answer);
}

static int ask(struct catalogue_server *server)
{
	const struct tg_host *host = server->host;
	return host->list(host, server->tasks->asker, TG_LIST_READINGS, server->after, (struct tg_bytes){.data = NULL},
			  ++server->token);
}

/* The queries, each behind its length: what names a catalogue among those of a session. Returns its size, 0 where it is too long. */
static size_t write_name(const struct coap_message *message, uint8_t memory[NAME_BYTES])
{
	struct message_walk walk;
	struct message_option option;
	size_t size = 1;
	memory[0] = '?';
	message_walk_init(&walk, message);
	while (message_option_next(&walk, &option)) {
		if (option.number != MESSAGE_URI_QUERY)
			continue;
		if (option.value.size > UINT8_MAX || size + 1 + option.value.size > NAME_BYTES)
			return 0;
		memory[size++] = (uint8_t)option.value.size;
		if (option.value.size > 0)
			memcpy(memory + size, option.value.data, option.value.size);
		size += option.value.size;
	}
	return size;
}

/* Returns NULL, or what is wrong. Ownership: borrows from `name`. */
static const char *read_name(struct tg_bytes name, struct links_search *search)
{
	const uint8_t *data = name.data;
	for (size_t at = 1; at < name.size; at += 1u + data[at]) {
		const char *problem =
			links_search_add(search, (struct tg_bytes){.data = data + at + 1, .size = data[at]});
		if (problem)
			return problem;
	}
	return links_search_begin(search);
}

/* The first task, from the beginning. */
static int list_anew(struct catalogue_server *server)
{
	struct catalogue_order order = {
		.base = server->base, .labels = &server->labels, .limit_bytes = server->limit_bytes};
	catalogue_free(server->catalogue);
	server->catalogue = NULL;
	(void)read_name(server->tasks->name, &order.search); /* looked at when it came */
	int r = catalogue_new(&order, &server->catalogue);
	if (r < 0)
		return r;
	server->after = 0;
	server->generation_known = false;
	return ask(server);
}

static void begin(struct catalogue_server *server)
{
	while (server->tasks && !server->catalogue) {
		server->relists = 0;
		int r = list_anew(server);
		if (r < 0)
			task_fail(server, server->tasks, r);
	}
}

static void task_finish(struct catalogue_server *server, struct task *task)
{
	int64_t now_us = server->host->now_us(server->host);
	/* Not fresh for any time: the next reading makes another one. */
	struct reader_content content = {.content_format = FORMAT_LINK, .fresh_until_us = now_us};
	int r = catalogue_end(server->catalogue, &content.payload, &content.etag);
	if (r < 0) {
		task_fail(server, task, r);
		return;
	}
	const struct resource_answer answer = reader_answer(&content, &task->wishes, now_us);
	server->host->count(server->host, server->counter, 1);
	if (reader_is_piece(&answer))
		reader_snapshot_put(server->snapshots, &task->peer->snapshots, task->name, &content, now_us);
	task_answer(server, task, &answer);
}

/* Returns whether that was the last page. Errors: of tg_host.list. */
static int page_ended(struct catalogue_server *server, const struct tg_listed *listed)
{
	if (server->generation_known && listed->generation != server->generation && server->relists < RELISTS_MAX) {
		server->relists++;
		return list_anew(server);
	}
	server->generation = listed->generation;
	server->generation_known = true;
	server->after = listed->etag;
	return listed->more ? ask(server) : 1;
}

void catalogue_server_listed(struct catalogue_server *server, uint64_t token, const struct tg_listed *listed)
{
	struct task *task = server->tasks;
	int r;
	if (!server->catalogue || token != server->token)
		return; /* whoever asked has gone */
	if (listed->end && listed->verdict != TG_ACCEPTED) {
		task_refuse(server, task, listed->verdict);
	} else if (listed->end) {
		r = page_ended(server, listed);
		if (r > 0)
			task_finish(server, task);
		else if (r < 0)
			task_fail(server, task, r);
	} else {
		const struct reading_link link = {.device = listed->device,
						  .path = listed->path,
						  .content_format = listed->content_format,
						  .time_wall_us = listed->time_wall_us,
						  .observable = true};
		r = catalogue_put(server->catalogue, &link);
		if (r < 0)
			task_fail(server, task, r);
	}
	begin(server);
}

void catalogue_server_set(struct catalogue_server *server, const struct catalogue_settings *settings,
			  struct labels *labels)
{
	snprintf(server->target, sizeof(server->target), "/%s", settings->prefix);
	size_t size = strlen(server->target);
	snprintf(server->base, sizeof(server->base), "%s%s", server->target,
		 server->target[size - 1] == '/' ? "" : "/");
	server->limit_bytes = settings->limit_bytes;
	reader_snapshots_set_limit(server->snapshots, settings->limit_bytes);
	catalogue_free(server->catalogue);
	server->catalogue = NULL;
	labels_done(&server->labels);
	server->labels = *labels;
	*labels = (struct labels){.places = NULL};
	while (server->tasks && prefix_of(server)[0] == '\0')
		task_refuse(server, server->tasks, TG_NO_ROUTE);
	begin(server);
}

/* Ownership: task_free. Errors: -ENOMEM, of exchange_open. */
static int task_new(struct catalogue_server *server, struct catalogue_peer *peer, const char *device,
		    const struct exchange_request *request, struct tg_bytes name)
{
	size_t asker = strlen(device);
	struct task *task = calloc(1, sizeof(*task) + asker + 1 + name.size);
	if (!task)
		return -ENOMEM;
	int r = exchange_open(server->exchanges, request, 0, server->host->now_us(server->host), &task->exchange);
	if (r < 0) {
		free(task);
		return r;
	}
	memcpy(task->memory, device, asker);
	memcpy(task->memory + asker + 1, name.data, name.size);
	task->asker = (struct tg_bytes){.data = task->memory, .size = asker};
	task->name = (struct tg_bytes){.data = task->memory + asker + 1, .size = name.size};
	task->peer = peer;
	peer->waiting++;
	reader_wishes_read(request->message, &task->wishes);
	DL_APPEND(server->tasks, task);
	return 0;
}

/* From what this session has begun to fetch. */
static bool answer_kept(struct catalogue_server *server, const struct catalogue_peer *peer,
			const struct exchange_request *request, struct tg_bytes name, bool again)
{
	int64_t now_us = server->host->now_us(server->host);
	struct reader_wishes wishes;
	struct reader_content content;
	reader_wishes_read(request->message, &wishes);
	if (!again && !reader_wants_piece(&wishes))
		return false;
	if (!reader_snapshot_get(&peer->snapshots, name, now_us, &content))
		return false;
	const struct resource_answer answer = reader_answer(&content, &wishes, now_us);
	reply(server, request, &answer);
	return true;
}

void catalogue_server_request(struct catalogue_server *server, struct catalogue_peer *peer, const char *device,
			      const struct exchange_request *request, bool again)
{
	const struct coap_message *message = request->message;
	struct links_search search = {.wishes_count = 0};
	uint8_t memory[NAME_BYTES];
	const struct tg_bytes name = {.data = memory, .size = write_name(message, memory)};
	const char *problem = name.size ? read_name(name, &search) : "the query is too long";
	if (problem) {
		refuse(server, request, MESSAGE_BAD_REQUEST, 0, problem);
		return;
	}
	if (message->accept != MESSAGE_ABSENT && message->accept != FORMAT_LINK) {
		refuse(server, request, MESSAGE_NOT_ACCEPTABLE, 0, NULL);
		return;
	}
	if (answer_kept(server, peer, request, name, again))
		return;
	int r = peer->waiting < CATALOGUE_WAITING_MAX ? task_new(server, peer, device, request, name) : -EDQUOT;
	if (r == -EDQUOT)
		refuse(server, request, MESSAGE_TOO_MANY_REQUESTS, BUSY_MAX_AGE_S, "too many requests in progress");
	else if (r < 0)
		refuse(server, request, MESSAGE_UNAVAILABLE, BUSY_MAX_AGE_S, NULL);
	begin(server);
}

void catalogue_server_peer_done(struct catalogue_server *server, struct catalogue_peer *peer)
{
	struct task *task, *next;
	DL_FOREACH_SAFE (server->tasks, task, next) {
		if (peer->waiting == 0)
			break;
		if (task->peer == peer)
			task_free(server, task);
	}
	reader_snapshot_peer_done(server->snapshots, &peer->snapshots);
	begin(server);
}

void catalogue_server_run(struct catalogue_server *server, int64_t now_us)
{
	reader_snapshots_run(server->snapshots, now_us);
}

int64_t catalogue_server_next_us(const struct catalogue_server *server)
{
	return reader_snapshots_next_us(server->snapshots);
}
