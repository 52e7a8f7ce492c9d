/* SPDX-License-Identifier: Apache-2.0 */
#include "command_rig.h"

#include "coap/block.h"

struct rig rig;

static void on_send(void *arg, struct command_peer *peer, struct tg_bytes datagram)
{
	(void)arg;
	(void)peer;
	ck_assert_uint_le(datagram.size, rig.datagram_max);
	memcpy(rig.datagram, datagram.data, datagram.size);
	rig.datagram_size = datagram.size;
	ck_assert_int_eq(message_parse((struct tg_bytes){rig.datagram, rig.datagram_size}, &rig.message), 0);
	rig.n_sent++;
}

static uint16_t on_next_id(void *arg, struct command_peer *peer)
{
	(void)arg;
	(void)peer;
	return rig.next_id++;
}

static void on_random(void *arg, void *ret_bytes, size_t size)
{
	uint8_t *bytes = ret_bytes;

	(void)arg;
	for (size_t i = 0; i < size; i++) {
		rig.random = rig.random * UINT64_C(6364136223846793005) + 1442695040888963407;
		bytes[i] = (uint8_t)(rig.random >> 56);
	}
}

static void on_ended(void *arg, struct command_peer *peer, const struct command_result *result)
{
	(void)arg;
	(void)peer;
	rig.ended = *result;
	ck_assert_uint_lt(result->payload.size, sizeof(rig.payload));
	if (result->payload.size > 0)
		memcpy(rig.payload, result->payload.data, result->payload.size);
	rig.payload[result->payload.size] = '\0';
	rig.n_ended++;
}

static void on_count(void *arg, enum command_count what)
{
	(void)arg;
	rig.counts[what]++;
}

static const struct command_events events = {
	.send = on_send, .next_id = on_next_id, .random = on_random, .ended = on_ended, .count = on_count};

void command_rig_begin(void)
{
	const struct command_limits limits = {
		.body_bytes = RIG_BODY_BYTES, .all_bytes = RIG_ALL_BYTES, .response_timeout_us = 60000000};

	memset(&rig, 0, sizeof(rig));
	rig.now_us = 5000000;
	rig.next_id = 65534;
	rig.datagram_max = EXCHANGE_DATAGRAM_MAX;
	for (size_t i = 0; i < sizeof(rig.large); i++)
		rig.large[i] = (uint8_t)('a' + i * 7 % 26);
	ck_assert_int_eq(command_table_new(&limits, &events, NULL, &rig.table), 0);
}

void command_rig_end(void)
{
	command_peer_done(rig.table, &rig.peer);
	ck_assert_uint_eq(command_bytes(rig.table), 0);
	command_table_free(rig.table);
}

const uint8_t *id_of(uint8_t number)
{
	static uint8_t id[TG_ID_SIZE];

	id[0] = number;
	return id;
}

static int begin_with(struct command_peer *peer, uint8_t number, uint8_t method, const char *address,
		      struct tg_bytes payload)
{
	struct command_request request = {
		.ticket = 1,
		.method = method,
		.content_format = 42,
		.address = {address, strlen(address)},
		.payload = payload,
		.datagram_max = rig.datagram_max,
	};

	memcpy(request.id, id_of(number), sizeof(request.id));
	return command_begin(rig.table, peer, &request, rig.now_us);
}

int try_begin(uint8_t number, uint8_t method, const char *address, struct tg_bytes payload)
{
	return begin_with(&rig.peer, number, method, address, payload);
}

void begin(uint8_t number, uint8_t method, const char *address, const char *payload)
{
	const struct tg_bytes bytes = {payload, payload ? strlen(payload) : 0};

	ck_assert_int_eq(try_begin(number, method, address, bytes), 0);
}

int begin_at(struct command_peer *peer, uint8_t number, const char *address)
{
	return begin_with(peer, number, MESSAGE_GET, address, (struct tg_bytes){0});
}

void advance_to(int64_t at_us)
{
	int64_t next_us;

	while ((next_us = command_next_us(rig.table)) <= at_us) {
		rig.now_us = next_us > rig.now_us ? next_us : rig.now_us;
		command_run(rig.table, rig.now_us);
	}
	rig.now_us = at_us;
}

void pass_until_ended(void)
{
	unsigned before = rig.n_ended;

	while (rig.n_ended == before) {
		ck_assert_int_ne(command_next_us(rig.table), INT64_MAX);
		advance_to(command_next_us(rig.table));
	}
}

const struct coap_message *sent(unsigned n)
{
	ck_assert_uint_eq(rig.n_sent, n);
	return &rig.message;
}

void assert_empty(unsigned n, enum message_type type, uint16_t id)
{
	const struct coap_message *message = sent(n);

	ck_assert_uint_eq(message->code, MESSAGE_EMPTY);
	ck_assert_int_eq(message->type, type);
	ck_assert_uint_eq(message->id, id);
}

static bool find_option(const struct coap_message *message, uint16_t number, unsigned n, struct tg_bytes *ret_value)
{
	struct message_walk walk;
	struct message_option option;

	message_walk_init(&walk, message);
	while (message_option_next(&walk, &option)) {
		if (option.number != number || n-- > 0)
			continue;
		*ret_value = option.value;
		return true;
	}
	return false;
}

void assert_option(const struct coap_message *message, uint16_t number, unsigned n, const char *value)
{
	struct tg_bytes found;

	ck_assert(find_option(message, number, n, &found));
	ck_assert_uint_eq(found.size, strlen(value));
	ck_assert_mem_eq(found.data, value, found.size);
}

int64_t option_of(const struct coap_message *message, uint16_t number)
{
	struct tg_bytes found;
	int64_t value = 0;

	if (!find_option(message, number, 0, &found))
		return -1;
	for (size_t i = 0; i < found.size; i++)
		value = value << 8 | ((const uint8_t *)found.data)[i];
	return value;
}

void assert_ended(unsigned n, enum command_end end, uint32_t code, const char *text)
{
	ck_assert_uint_eq(rig.n_ended, n);
	ck_assert_int_eq(rig.ended.end, end);
	if (end != COMMAND_ANSWERED) {
		ck_assert_str_eq(rig.ended.reason, text);
		return;
	}
	ck_assert_uint_eq(rig.ended.code, code);
	ck_assert_str_eq((const char *)rig.payload, text);
}

static bool receive(const struct message_writer *writer)
{
	struct coap_message message;

	ck_assert(!writer->failed);
	ck_assert_int_eq(message_parse((struct tg_bytes){writer->data, writer->size}, &message), 0);
	return command_receive(rig.table, &rig.peer, &message, rig.now_us);
}

bool settle(enum message_type type, uint16_t id)
{
	uint8_t bytes[MESSAGE_EMPTY_SIZE];
	struct coap_message message;

	ck_assert_int_eq(message_parse(message_empty(type, id, bytes), &message), 0);
	return command_receive(rig.table, &rig.peer, &message, rig.now_us);
}

static void write_head(struct message_writer *writer, uint8_t bytes[EXCHANGE_DATAGRAM_MAX], enum message_type type,
		       uint16_t id, const struct coap_message *request, uint8_t code)
{
	const struct tg_bytes token = {request->token, request->token_size};

	message_writer_init(writer, bytes, EXCHANGE_DATAGRAM_MAX);
	message_write_header(writer, type, code, id, token);
}

bool answer_as(enum message_type type, uint16_t id, const struct coap_message *request, uint8_t code,
	       const char *payload)
{
	uint8_t bytes[EXCHANGE_DATAGRAM_MAX];
	struct message_writer writer;

	write_head(&writer, bytes, type, id, request, code);
	message_write_payload(&writer, (struct tg_bytes){payload, payload ? strlen(payload) : 0});
	return receive(&writer);
}

bool answer(enum message_type type, const struct coap_message *request, uint8_t code, const char *payload)
{
	return answer_as(type, request->id, request, code, payload);
}

bool answer_with(enum message_type type, uint16_t id, const struct coap_message *request, uint16_t option)
{
	uint8_t bytes[EXCHANGE_DATAGRAM_MAX];
	struct message_writer writer;

	write_head(&writer, bytes, type, id, request, MESSAGE_CONTENT);
	message_write_option(&writer, option, (struct tg_bytes){0});
	return receive(&writer);
}

bool notify(uint16_t id, const struct coap_message *request)
{
	return answer_with(MESSAGE_NON, id, request, MESSAGE_OBSERVE);
}

bool answer_block(const struct coap_message *request, uint8_t code, uint32_t block1, uint32_t block2, uint8_t etag,
		  struct tg_bytes payload)
{
	uint8_t bytes[EXCHANGE_DATAGRAM_MAX];
	struct message_writer writer;

	write_head(&writer, bytes, MESSAGE_ACK, request->id, request, code);
	if (etag)
		message_write_option(&writer, MESSAGE_ETAG, (struct tg_bytes){&etag, 1});
	if (payload.size > 0)
		message_write_option_uint(&writer, MESSAGE_CONTENT_FORMAT, 50);
	if (block2 != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_BLOCK2, block2);
	if (block1 != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_BLOCK1, block1);
	message_write_payload(&writer, payload);
	return receive(&writer);
}
