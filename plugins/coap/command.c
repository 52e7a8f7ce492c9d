/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command_block.h"
#include "command_pool.h"

enum { MS_US = 1000, S_US = 1000000 };

struct command_table {
	struct command_limits limits;
	struct command_events events;
	void *arg;
	struct command_pool pool;
	size_t bytes;
};

int command_table_new(const struct command_limits *limits, const struct command_events *events, void *arg,
		      struct command_table **ret_table)
{
	struct command_table *table = calloc(1, sizeof(*table));
	if (!table)
		return -ENOMEM;
	table->limits = *limits;
	table->events = *events;
	table->arg = arg;
	*ret_table = table;
	return 0;
}

void command_table_free(struct command_table *table)
{
	if (!table)
		return;
	command_pool_done(&table->pool);
	free(table);
}

void command_set_limits(struct command_table *table, const struct command_limits *limits)
{
	table->limits = *limits;
}

static bool is_in_flight(const struct command *command)
{
	return command && command->state != COMMAND_PARKED;
}

enum command_presence command_presence(const struct command_peer *peer, const uint8_t id[TG_ID_SIZE])
{
	const struct command *command = peer->command;
	if (command && memcmp(command->id, id, TG_ID_SIZE) == 0)
		return is_in_flight(command) ? COMMAND_IN_FLIGHT : COMMAND_KEPT;
	return is_in_flight(command) ? COMMAND_OTHER : COMMAND_NONE;
}

/* Out of the table and away from its peer; freed by the caller. */
static void command_unlink(struct command_table *table, struct command *command)
{
	command_pool_clear(&table->pool, command->place);
	table->bytes -= command->memory;
	command->peer->command = NULL;
}

static void command_free(struct command *command)
{
	free(command->body);
	free(command);
}

void command_peer_done(struct command_table *table, struct command_peer *peer)
{
	struct command *command = peer->command;
	if (!command)
		return;
	command_unlink(table, command);
	command_free(command);
}

static void set_due(struct command_table *table, const struct command *command, int64_t at_us)
{
	due_set(&table->pool.due, command->place, at_us);
}

static void send_request(struct command_table *table, const struct command *command)
{
	uint8_t bytes[EXCHANGE_DATAGRAM_MAX];
	table->events.send(table->arg, command->peer, command_block_compose(command, bytes));
}

/* Sends it as if for the first time: ACK_TIMEOUT times a factor from 1 to ACK_RANDOM_FACTOR, 1.5. */
static void transmit(struct command_table *table, struct command *command, int64_t now_us)
{
	uint32_t random;
	table->events.random(table->arg, &random, sizeof(random));
	command->state = COMMAND_SENT;
	command->retransmits = 0;
	command->timeout_us = EXCHANGE_ACK_TIMEOUT_MS * (int64_t)(MS_US + random % (MS_US / 2 + 1));
	set_due(table, command, now_us + command->timeout_us);
	send_request(table, command);
}

static void begin_exchange(struct command_table *table, struct command *command, int64_t now_us)
{
	command->message_id = table->events.next_id(table->arg, command->peer);
	table->events.random(table->arg, command->token, sizeof(command->token));
	command->sent_us = now_us;
	command->is_next = false;
	transmit(table, command, now_us);
}

static size_t spare_bytes(const struct command_table *table)
{
	return table->limits.all_bytes > table->bytes ? table->limits.all_bytes - table->bytes : 0;
}

/* Address and payload lie behind the struct. */
static struct command *command_new(struct command_peer *peer, const struct command_request *request)
{
	size_t size = request->address.size + request->payload.size;
	struct command *command = calloc(1, sizeof(*command) + size);
	if (!command)
		return NULL;
	uint8_t *address = (uint8_t *)(command + 1), *payload = address + request->address.size;
	memcpy(address, request->address.data, request->address.size);
	if (request->payload.size > 0)
		memcpy(payload, request->payload.data, request->payload.size);
	memcpy(command->id, request->id, sizeof(command->id));
	command->peer = peer;
	command->ticket = request->ticket;
	command->memory = size;
	command->method = request->method;
	command->content_format = request->content_format;
	command->datagram_max = request->datagram_max;
	command->address = (struct tg_bytes){.data = address, .size = request->address.size};
	command->payload = (struct tg_bytes){.data = payload, .size = request->payload.size};
	return command;
}

int command_begin(struct command_table *table, struct command_peer *peer, const struct command_request *request,
		  int64_t now_us)
{
	if (!message_is_address(request->address))
		return -EINVAL;
	if (request->payload.size > table->limits.body_bytes)
		return -EMSGSIZE;
	command_peer_done(table, peer);
	if (request->address.size + request->payload.size > spare_bytes(table))
		return -ENOBUFS;
	struct command *command = command_new(peer, request);
	int r = command ? command_block_begin(command) : -ENOMEM;
	if (r >= 0)
		r = command_pool_put(&table->pool, command, &command->place);
	if (r < 0) {
		free(command);
		return r;
	}
	table->bytes += command->memory;
	peer->command = command;
	table->events.count(table->arg, COMMAND_COUNT_BEGUN);
	begin_exchange(table, command, now_us);
	return 0;
}

void command_attach(struct command_table *table, struct command_peer *peer, uint64_t ticket, int64_t now_us)
{
	struct command *command = peer->command;
	command->ticket = ticket;
	if (is_in_flight(command))
		return;
	if (command->is_next)
		begin_exchange(table, command, now_us);
	else
		transmit(table, command, now_us);
}

static struct command_result result_of(const struct command *command, enum command_end end, const char *reason)
{
	struct command_result result = {
		.ticket = command->ticket,
		.end = end,
		.reason = reason,
		.code = MESSAGE_CODE_CLASS(command->code) * 100u + (command->code & 31u),
		.content_format =
			command->answer_format == MESSAGE_ABSENT ? TG_FORMAT_NONE : (int32_t)command->answer_format,
	};
	memcpy(result.id, command->id, sizeof(result.id));
	return result;
}

static void finish(struct command_table *table, struct command *command, const struct command_result *result)
{
	struct command_peer *peer = command->peer;
	command_unlink(table, command);
	table->events.ended(table->arg, peer, result);
	command_free(command);
}

static void reject(struct command_table *table, struct command *command, const char *reason)
{
	const struct command_result result = result_of(command, COMMAND_REJECTED, reason);
	finish(table, command, &result);
}

/* The device has not answered; what it has been asked is kept as long as it would know it again. */
static void park(struct command_table *table, struct command *command, const char *reason)
{
	const struct command_result result = result_of(command, COMMAND_UNANSWERED, reason);
	command->state = COMMAND_PARKED;
	command->ticket = 0;
	set_due(table, command, command->sent_us + RECENT_EXCHANGE_LIFETIME_S * (int64_t)S_US);
	table->events.ended(table->arg, command->peer, &result);
}

void command_interrupt(struct command_table *table, struct command_peer *peer, const char *reason)
{
	struct command *command = peer->command;
	if (is_in_flight(command)) {
		const struct command_result result = result_of(command, COMMAND_UNANSWERED, reason);
		finish(table, command, &result);
	}
	command_peer_done(table, peer);
}

void command_interrupt_all(struct command_table *table, const char *reason)
{
	for (uint32_t place = 0; place < table->pool.capacity; place++) {
		struct command *command = command_pool_at(&table->pool, place);
		if (command)
			command_interrupt(table, command->peer, reason);
	}
}

void command_void_tickets(struct command_table *table)
{
	for (uint32_t place = 0; place < table->pool.capacity; place++) {
		struct command *command = command_pool_at(&table->pool, place);
		if (command)
			command->ticket = 0;
	}
}

static void send_empty(struct command_table *table, struct command_peer *peer, enum message_type type, uint16_t id)
{
	uint8_t memory[MESSAGE_EMPTY_SIZE];
	table->events.send(table->arg, peer, message_empty(type, id, memory));
}

static void acknowledged(struct command_table *table, struct command *command, int64_t now_us)
{
	if (command->state != COMMAND_SENT)
		return;
	command->state = COMMAND_ACKED;
	set_due(table, command, now_us + table->limits.response_timeout_us);
}

static void next_exchange(struct command_table *table, struct command *command, int64_t now_us)
{
	table->events.count(table->arg, COMMAND_COUNT_BLOCKS);
	if (command->state != COMMAND_PARKED) {
		begin_exchange(table, command, now_us);
		return;
	}
	command->is_next = true; /* nobody waits for it: it goes on when it is given again */
	set_due(table, command, now_us + RECENT_EXCHANGE_LIFETIME_S * (int64_t)S_US);
}

/* The answer to the exchange under way. Its token is done with. */
static void answered(struct command_table *table, struct command *command, const struct coap_message *message,
		     int64_t now_us)
{
	struct command_peer *peer = command->peer;
	struct command_block block = {
		.body_bytes = table->limits.body_bytes,
		.spare_bytes = spare_bytes(table),
	};
	size_t before = command->memory;
	memcpy(peer->answered[peer->next_answered++ % COMMAND_TOKENS_KEPT], command->token, COMMAND_TOKEN_SIZE);
	if (message->type != MESSAGE_ACK)
		table->events.count(table->arg, COMMAND_COUNT_SEPARATE);
	enum command_next next = command_block_take(command, message, &block);
	table->bytes += command->memory - before;
	if (next == COMMAND_NEXT_EXCHANGE) {
		next_exchange(table, command, now_us);
	} else if (next == COMMAND_NEXT_REJECT) {
		reject(table, command, block.reason);
	} else {
		struct command_result result = result_of(command, COMMAND_ANSWERED, NULL);
		result.payload = block.answer;
		finish(table, command, &result);
	}
}

static bool has_token(const struct coap_message *message, const uint8_t token[COMMAND_TOKEN_SIZE])
{
	return message->token_size == COMMAND_TOKEN_SIZE && memcmp(message->token, token, COMMAND_TOKEN_SIZE) == 0;
}

/* An exchange that has not begun waits for nothing. */
static bool waits(const struct command *command)
{
	return command && !command->is_next;
}

static bool was_answered(const struct command_peer *peer, const struct coap_message *message)
{
	unsigned kept = peer->next_answered < COMMAND_TOKENS_KEPT ? peer->next_answered : COMMAND_TOKENS_KEPT;
	for (unsigned i = 0; i < kept; i++)
		if (has_token(message, peer->answered[i]))
			return true;
	return false;
}

/* Source: RFC 7252 section 5.4.1: an answer with an option that is critical and not understood is rejected. */
static void take_answer(struct command_table *table, struct command *command, const struct coap_message *message,
			int64_t now_us)
{
	if (message->type == MESSAGE_CON)
		send_empty(table, command->peer, message->bad_option ? MESSAGE_RST : MESSAGE_ACK, message->id);
	if (message->bad_option)
		reject(table, command, "the answer has an option that is critical and not understood");
	else
		answered(table, command, message, now_us);
}

/* Acknowledgements and resets: told apart by the message id. */
static bool receive_settlement(struct command_table *table, struct command *command, const struct coap_message *message,
			       int64_t now_us)
{
	if (!waits(command) || message->id != command->message_id)
		return false;
	if (message->type == MESSAGE_RST)
		reject(table, command, "the device does not know this");
	else if (message->code == MESSAGE_EMPTY)
		acknowledged(table, command, now_us);
	else if (message_is_response(message) && has_token(message, command->token))
		take_answer(table, command, message, now_us);
	return true; /* or it is an answer to something else: ignored in silence (section 5.3.2) */
}

bool command_receive(struct command_table *table, struct command_peer *peer, const struct coap_message *message,
		     int64_t now_us)
{
	struct command *command = peer->command;
	if (message->type == MESSAGE_ACK || message->type == MESSAGE_RST)
		return receive_settlement(table, command, message, now_us);
	if (!message_is_response(message))
		return false;
	if (waits(command) && has_token(message, command->token)) {
		take_answer(table, command, message, now_us);
	} else if (was_answered(peer, message)) {
		if (message->type == MESSAGE_CON)
			send_empty(table, peer, MESSAGE_ACK, message->id);
	} else if (message->type == MESSAGE_CON || message->observe != MESSAGE_ABSENT) {
		send_empty(table, peer, MESSAGE_RST, message->id); /* RFC 7641 section 3.6: so that no more come */
	}
	return true;
}

static void due(struct command_table *table, struct command *command, int64_t now_us)
{
	if (command->state == COMMAND_PARKED) {
		command_peer_done(table, command->peer);
	} else if (command->state == COMMAND_ACKED) {
		park(table, command, "acknowledged, but not answered in time");
	} else if (command->retransmits >= EXCHANGE_MAX_RETRANSMIT) {
		park(table, command, "no answer");
	} else {
		command->retransmits++;
		command->timeout_us *= 2;
		set_due(table, command, now_us + command->timeout_us);
		table->events.count(table->arg, COMMAND_COUNT_RETRANSMIT);
		send_request(table, command);
	}
}

void command_run(struct command_table *table, int64_t now_us)
{
	while (due_next_us(&table->pool.due) <= now_us)
		due(table, command_pool_at(&table->pool, due_first(&table->pool.due)), now_us);
}

int64_t command_next_us(const struct command_table *table)
{
	return due_next_us(&table->pool.due);
}

size_t command_bytes(const struct command_table *table)
{
	return table->bytes;
}
