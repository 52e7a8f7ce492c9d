/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exchange_pool.h"

enum { MS_US = 1000 };

struct exchange_table {
	struct exchange_limits limits;
	struct exchange_events events;
	void *arg;
	struct recent *recent;
	struct exchange_pool pool;
	uint64_t random;
};

int exchange_table_new(const struct exchange_limits *limits, uint64_t random, const struct exchange_events *events,
		       void *arg, struct exchange_table **ret_table)
{
	struct exchange_table *table = calloc(1, sizeof(*table));
	if (!table)
		return -ENOMEM;
	table->limits = *limits;
	table->events = *events;
	table->arg = arg;
	table->random = random;
	int r = recent_new(limits->recent, limits->recent_a_peer, random, &table->recent);
	if (r < 0) {
		free(table);
		return r;
	}
	*ret_table = table;
	return 0;
}

void exchange_table_free(struct exchange_table *table)
{
	if (!table)
		return;
	exchange_pool_done(&table->pool);
	recent_free(table->recent);
	free(table);
}

void exchange_set_limits(struct exchange_table *table, const struct exchange_limits *limits)
{
	table->limits = *limits;
}

/* splitmix64: good enough for jitter and first message ids, which need not be secret inside of DTLS. */
static uint32_t random_next(struct exchange_table *table)
{
	uint64_t value = table->random += UINT64_C(0x9e3779b97f4a7c15);
	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(value >> 32);
}

void exchange_peer_init(struct exchange_table *table, struct exchange_peer *peer)
{
	peer->next_id = (uint16_t)random_next(table);
}

uint32_t exchange_hash(const struct exchange_table *table, struct tg_bytes datagram)
{
	return recent_hash(table->recent, datagram);
}

static void count(struct exchange_table *table, enum exchange_count what)
{
	table->events.count(table->arg, what);
}

void exchange_peer_done(struct exchange_table *table, struct exchange_peer *peer)
{
	while (peer->first)
		exchange_pool_give(&table->pool, exchange_pool_at(&table->pool, peer->first));
	recent_peer_done(table->recent, &peer->recent);
}

static void send_empty(struct exchange_table *table, struct exchange_peer *peer, enum message_type type, uint16_t id)
{
	uint8_t memory[MESSAGE_EMPTY_SIZE];
	table->events.send(table->arg, peer, message_empty(type, id, memory));
}

static void count_response(struct exchange_table *table, uint8_t code)
{
	static const enum exchange_count by_class[8] = {
		[2] = EXCHANGE_COUNT_RESPONSES_2, [4] = EXCHANGE_COUNT_RESPONSES_4, [5] = EXCHANGE_COUNT_RESPONSES_5};
	count(table, by_class[MESSAGE_CODE_CLASS(code)]);
}

/* Writes a response; the acknowledgement takes the id of the request, any other is a message of its own. */
static struct tg_bytes compose(uint8_t bytes[EXCHANGE_DATAGRAM_MAX], enum message_type type, uint16_t id,
			       struct tg_bytes token, const struct exchange_answer *answer)
{
	struct message_writer writer;
	message_writer_init(&writer, bytes, EXCHANGE_DATAGRAM_MAX);
	message_write_header(&writer, type, answer->code, id, token);
	message_write_raw(&writer, answer->body);
	assert(!writer.failed);
	return (struct tg_bytes){.data = bytes, .size = writer.size};
}

static void respond(struct exchange_table *table, struct exchange_peer *peer, bool confirmable, uint16_t request_id,
		    struct tg_bytes token, const struct exchange_answer *answer)
{
	uint8_t bytes[EXCHANGE_DATAGRAM_MAX];
	enum message_type type = confirmable ? MESSAGE_ACK : MESSAGE_NON;
	uint16_t id = confirmable ? request_id : peer->next_id++;
	table->events.send(table->arg, peer, compose(bytes, type, id, token, answer));
	count_response(table, answer->code);
}

/* `acknowledge`: the request is confirmable, and has had no acknowledgement yet. */
static void keep_back(struct exchange_table *table, struct exchange_peer *peer, bool acknowledge, uint16_t request_id)
{
	if (acknowledge)
		send_empty(table, peer, MESSAGE_ACK, request_id);
	count(table, EXCHANGE_COUNT_UNWANTED);
}

/* Without memory it is sent once only. */
static void respond_separately(struct exchange_table *table, struct exchange *exchange,
			       const struct exchange_answer *answer, int64_t now_us)
{
	uint8_t bytes[EXCHANGE_DATAGRAM_MAX];
	struct tg_bytes token = {.data = exchange->token, .size = exchange->token_size};
	exchange->response_id = exchange->peer->next_id++;
	struct tg_bytes datagram = compose(bytes, MESSAGE_CON, exchange->response_id, token, answer);
	table->events.send(table->arg, exchange->peer, datagram);
	count_response(table, answer->code);
	count(table, EXCHANGE_COUNT_SEPARATE);
	exchange->response = malloc(datagram.size);
	if (!exchange->response) {
		exchange_pool_give(&table->pool, exchange);
		return;
	}
	memcpy(exchange->response, datagram.data, datagram.size);
	exchange->response_size = datagram.size;
	exchange->state = EXCHANGE_SENT;
	table->pool.waiting--;
	/* ACK_TIMEOUT times a factor from 1 to ACK_RANDOM_FACTOR, 1.5 */
	exchange->timeout_us = EXCHANGE_ACK_TIMEOUT_MS * (MS_US + random_next(table) % (MS_US / 2 + 1));
	due_set(&table->pool.due, exchange_pool_place(&table->pool, exchange), now_us + exchange->timeout_us);
}

/* 2.31 is wanted by whoever has more to send. Source: RFC 7967 section 2.1. */
static bool is_unwanted(uint8_t no_response, uint8_t code)
{
	unsigned class = MESSAGE_CODE_CLASS(code);
	return code != MESSAGE_CONTINUE && no_response >> (class - 1) & 1;
}

static void remember(struct exchange_table *table, struct exchange_peer *peer, const struct recent_answer *answer,
		     int64_t now_us)
{
	recent_add(table->recent, &peer->recent, answer, now_us);
}

static void exchange_acknowledge(struct exchange_table *table, struct exchange *exchange)
{
	send_empty(table, exchange->peer, MESSAGE_ACK, exchange->request_id);
	if (exchange->state != EXCHANGE_WAITING)
		return;
	exchange->state = EXCHANGE_ACKED;
	due_clear(&table->pool.due, exchange_pool_place(&table->pool, exchange));
}

static struct exchange *find_open(const struct exchange_table *table, const struct exchange_request *request)
{
	struct exchange *exchange = exchange_pool_at(&table->pool, request->peer->first);
	for (; exchange; exchange = exchange_pool_at(&table->pool, exchange->next)) {
		if (exchange_is_waiting(exchange) && exchange->request_id == request->message->id &&
		    exchange->hash == request->hash)
			return exchange;
	}
	return NULL;
}

static enum exchange_input receive_request(struct exchange_table *table, const struct exchange_request *request,
					   int64_t now_us, struct exchange_answer *ret_answer)
{
	struct exchange_peer *peer = request->peer;
	uint16_t id = request->message->id;
	struct exchange *exchange = find_open(table, request);
	if (exchange) {
		count(table, EXCHANGE_COUNT_REPEAT);
		if (exchange->confirmable)
			exchange_acknowledge(table, exchange);
		return EXCHANGE_DONE;
	}
	const struct recent_answer *recent = recent_find(table->recent, &peer->recent, id, request->hash, now_us);
	if (!recent)
		return EXCHANGE_NEW;
	count(table, EXCHANGE_COUNT_REPEAT);
	if (!recent->confirmable)
		return EXCHANGE_DONE;
	if (recent->code == MESSAGE_EMPTY) {
		send_empty(table, peer, MESSAGE_ACK, id);
		return EXCHANGE_DONE;
	}
	*ret_answer = (struct exchange_answer){.code = recent->code, .detail = recent->detail};
	return EXCHANGE_REPEAT;
}

/* An acknowledgement or a reset, of one of our separate responses or of nothing that we know. */
static void receive_settlement(struct exchange_table *table, const struct exchange_request *request)
{
	const struct coap_message *message = request->message;
	if (message->code != MESSAGE_EMPTY)
		return;
	struct exchange *exchange = exchange_pool_at(&table->pool, request->peer->first);
	for (; exchange; exchange = exchange_pool_at(&table->pool, exchange->next)) {
		if (exchange->state != EXCHANGE_SENT || exchange->response_id != message->id)
			continue;
		if (message->type == MESSAGE_RST)
			count(table, EXCHANGE_COUNT_GIVEN_UP);
		exchange_pool_give(&table->pool, exchange);
		return;
	}
}

void exchange_reject(struct exchange_table *table, struct exchange_peer *peer, const struct coap_message *message)
{
	if (message->type == MESSAGE_CON)
		send_empty(table, peer, MESSAGE_RST, message->id);
}

enum exchange_input exchange_receive(struct exchange_table *table, const struct exchange_request *request,
				     int64_t now_us, struct exchange_answer *ret_answer)
{
	const struct coap_message *message = request->message;
	if (message->type == MESSAGE_ACK || message->type == MESSAGE_RST) {
		receive_settlement(table, request);
		return EXCHANGE_DONE;
	}
	if (message->code != MESSAGE_EMPTY && MESSAGE_CODE_CLASS(message->code) == 0)
		return receive_request(table, request, now_us, ret_answer);
	if (message->code == MESSAGE_EMPTY && message->type == MESSAGE_CON)
		count(table, EXCHANGE_COUNT_PING);
	exchange_reject(table, request->peer, message); /* a ping, a response to nothing, a reserved class */
	return EXCHANGE_DONE;
}

void exchange_repeat(struct exchange_table *table, const struct exchange_request *request,
		     const struct exchange_answer *answer)
{
	const struct coap_message *message = request->message;
	if (message->type == MESSAGE_CON)
		respond(table, request->peer, true, message->id,
			(struct tg_bytes){.data = message->token, .size = message->token_size}, answer);
}

void exchange_reply(struct exchange_table *table, const struct exchange_request *request,
		    const struct exchange_answer *answer, int64_t now_us)
{
	const struct coap_message *message = request->message;
	bool unwanted = is_unwanted(message->no_response, answer->code);
	const struct recent_answer recent = {
		.id = message->id,
		.code = unwanted ? MESSAGE_EMPTY : answer->code,
		.confirmable = message->type == MESSAGE_CON,
		.hash = request->hash,
		.detail = answer->detail,
	};
	remember(table, request->peer, &recent, now_us);
	if (unwanted)
		keep_back(table, request->peer, recent.confirmable, message->id);
	else
		respond(table, request->peer, recent.confirmable, message->id,
			(struct tg_bytes){.data = message->token, .size = message->token_size}, answer);
}

int exchange_open(struct exchange_table *table, const struct exchange_request *request, uint64_t context,
		  int64_t now_us, uint64_t *ret_token)
{
	const struct coap_message *message = request->message;
	struct exchange_peer *peer = request->peer;
	if (peer->open >= table->limits.open_a_peer)
		return -EDQUOT;
	struct exchange *exchange;
	int r = exchange_pool_take(&table->pool, peer, table->limits.open, &exchange);
	if (r < 0)
		return r;
	exchange->hash = request->hash;
	exchange->context = context;
	exchange->request_id = message->id;
	exchange->confirmable = message->type == MESSAGE_CON;
	exchange->no_response = message->no_response;
	exchange->token_size = message->token_size;
	memcpy(exchange->token, message->token, sizeof(exchange->token));
	if (exchange->confirmable)
		due_set(&table->pool.due, exchange_pool_place(&table->pool, exchange),
			now_us + table->limits.ack_delay_us);
	*ret_token = exchange_pool_token(&table->pool, exchange);
	return 0;
}

void exchange_cancel(struct exchange_table *table, uint64_t token)
{
	struct exchange *exchange = exchange_pool_find(&table->pool, token);
	if (exchange)
		exchange_pool_give(&table->pool, exchange);
}

int exchange_context(const struct exchange_table *table, uint64_t token, uint64_t *ret_context)
{
	const struct exchange *exchange = exchange_pool_find(&table->pool, token);
	if (!exchange)
		return -ENOENT;
	*ret_context = exchange->context;
	return 0;
}

int exchange_finish(struct exchange_table *table, uint64_t token, const struct exchange_answer *answer, int64_t now_us)
{
	struct exchange *exchange = exchange_pool_find(&table->pool, token);
	if (!exchange)
		return -ENOENT;
	bool separate = exchange->state == EXCHANGE_ACKED;
	bool unwanted = is_unwanted(exchange->no_response, answer->code);
	const struct recent_answer recent = {
		.id = exchange->request_id,
		.code = separate || unwanted ? MESSAGE_EMPTY : answer->code,
		.confirmable = exchange->confirmable,
		.hash = exchange->hash,
		.detail = answer->detail,
	};
	remember(table, exchange->peer, &recent, now_us);
	if (separate && !unwanted) {
		respond_separately(table, exchange, answer, now_us);
		return 0;
	}
	if (unwanted)
		keep_back(table, exchange->peer, exchange->confirmable && !separate, exchange->request_id);
	else
		respond(table, exchange->peer, exchange->confirmable, exchange->request_id,
			(struct tg_bytes){.data = exchange->token, .size = exchange->token_size}, answer);
	exchange_pool_give(&table->pool, exchange);
	return 0;
}

size_t exchange_waiting(const struct exchange_table *table)
{
	return table->pool.waiting;
}

static void retransmit(struct exchange_table *table, struct exchange *exchange, int64_t now_us)
{
	if (exchange->retransmits >= EXCHANGE_MAX_RETRANSMIT) {
		count(table, EXCHANGE_COUNT_GIVEN_UP);
		exchange_pool_give(&table->pool, exchange);
		return;
	}
	exchange->retransmits++;
	exchange->timeout_us *= 2;
	due_set(&table->pool.due, exchange_pool_place(&table->pool, exchange), now_us + exchange->timeout_us);
	count(table, EXCHANGE_COUNT_RETRANSMIT);
	table->events.send(table->arg, exchange->peer,
			   (struct tg_bytes){.data = exchange->response, .size = exchange->response_size});
}

void exchange_run(struct exchange_table *table, int64_t now_us)
{
	while (due_next_us(&table->pool.due) <= now_us) {
		struct exchange *exchange = exchange_pool_at(&table->pool, due_first(&table->pool.due) + 1);
		if (exchange->state == EXCHANGE_WAITING)
			exchange_acknowledge(table, exchange);
		else
			retransmit(table, exchange, now_us);
	}
	recent_expire(table->recent, now_us);
}

int64_t exchange_next_us(const struct exchange_table *table)
{
	int64_t due_us = due_next_us(&table->pool.due);
	int64_t recent_us = recent_next_us(table->recent);
	return due_us < recent_us ? due_us : recent_us;
}
