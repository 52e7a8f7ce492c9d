/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Mutated datagrams through all of the coap adapter that needs no socket: parser, resources, blocks, exchanges. As a libFuzzer
 * target it is built with -DFUZZ_LIBFUZZER; by itself it runs mutations of well-formed messages: [COUNT [SEED]].
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coap/block.h"
#include "coap/exchange.h"
#include "coap/reader_answer.h"
#include "coap/resource.h"

enum { DATAGRAM_MAX = 512, S_US = 1000000 };

struct rig {
	struct exchange_table *exchanges;
	struct block_table *blocks;
	struct exchange_peer exchange;
	struct block_peer block;
	int64_t now_us;
	uint64_t submitted;
	bool waits;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

/* What leaves must be a message that we would take ourselves. */
static void on_send(void *arg, struct exchange_peer *peer, struct tg_bytes datagram)
{
	struct coap_message message;
	(void)arg;
	(void)peer;
	require(message_parse(datagram, &message) == 0, "what is sent can be parsed");
	require(message.bad_option == 0, "what is sent has no option that is not understood");
}

static void on_count(void *arg, enum exchange_count what)
{
	(void)arg;
	require(what < EXCHANGE_COUNTS, "only known things are counted");
}

static struct rig *rig_get(void)
{
	static const struct exchange_events events = {.send = on_send, .count = on_count};
	static const struct exchange_limits limits = {
		.open = 64, .open_a_peer = 16, .recent = 4096, .recent_a_peer = 4096, .ack_delay_us = 200000};
	static const struct block_limits block_limits = {.body_bytes = 2048, .all_bytes = 4096};
	static struct rig rig;
	if (rig.exchanges)
		return &rig;
	require(exchange_table_new(&limits, 1, &events, &rig, &rig.exchanges) == 0 &&
			block_table_new(&block_limits, 1, &rig.blocks) == 0,
		"there is memory");
	exchange_peer_init(rig.exchanges, &rig.exchange);
	rig.now_us = S_US;
	return &rig;
}

static void rig_done(struct rig *rig)
{
	exchange_peer_done(rig->exchanges, &rig->exchange);
	block_peer_done(rig->blocks, &rig->block);
	exchange_table_free(rig->exchanges);
	block_table_free(rig->blocks);
	*rig = (struct rig){0};
}

/* Each byte is read, so that a sanitizer sees where it stands. */
static void touch(struct tg_bytes bytes)
{
	static volatile uint8_t seen;
	for (size_t i = 0; i < bytes.size; i++)
		seen = ((const uint8_t *)bytes.data)[i];
	(void)seen;
}

static void walk(const struct coap_message *message)
{
	struct message_walk walk;
	struct message_option option;
	uint16_t last = 0;
	touch(message->payload);
	message_walk_init(&walk, message);
	while (message_option_next(&walk, &option)) {
		require(option.number >= last, "options are in order");
		last = option.number;
		touch(option.value);
	}
	require(walk.left == 0, "every option can be walked to");
}

static void answer(struct rig *rig, const struct exchange_request *request, const struct resource_answer *resource)
{
	uint8_t memory[RESOURCE_BODY_MAX];
	struct exchange_answer encoded = {.code = resource->code, .detail = resource->detail};
	resource_encode(resource, memory, &encoded.body);
	exchange_reply(rig->exchanges, request, &encoded, rig->now_us);
}

static void finish(struct rig *rig, uint8_t verdict)
{
	static const struct tg_bytes reason = {"a reason", 8};
	const struct tg_answer given = {
		.size = sizeof(given), .verdict = verdict, .max_age_s = verdict, .limit_bytes = 1, .reason = reason};
	uint8_t memory[RESOURCE_BODY_MAX];
	uint64_t context;
	if (exchange_context(rig->exchanges, rig->submitted, &context) < 0)
		return;
	struct resource_answer resource = resource_verdict(&given, context);
	struct exchange_answer encoded = {.code = resource.code, .detail = resource.detail};
	resource_encode(&resource, memory, &encoded.body);
	require(exchange_finish(rig->exchanges, rig->submitted, &encoded, rig->now_us) == 0, "it was waiting");
}

/* What a request for a last reading is answered with, wherever it came from. */
static void read_last(const struct coap_message *message)
{
	static const uint8_t bytes[3000];
	static const struct reader_content content = {.payload = {bytes, sizeof(bytes)},
						      .content_format = 42,
						      .etag = 0x1234,
						      .fresh_until_us = 60 * (int64_t)S_US};
	struct resource_reading path;
	struct reader_wishes wishes;
	struct tg_bytes device, body;
	uint8_t memory[RESOURCE_BODY_MAX];
	const char *problem;
	if (reader_is_asked(message, "a") && reader_address(message, "a", &device, &path, &problem) == 0)
		require(device.size <= TG_DEVICE_MAX && path.path_size <= TG_PATH_MAX, "an address is bounded");
	reader_wishes_read(message, &wishes);
	require(wishes.n_etags <= READER_ETAGS_MAX && wishes.n_matches <= READER_ETAGS_MAX, "tags are bounded");
	char text[RESOURCE_TEXT_MAX];
	if (resource_check(message, text))
		return;
	const struct resource_answer answer = reader_answer(&content, &wishes, 0);
	resource_encode(&answer, memory, &body);
	touch(body);
}

static void take(struct rig *rig, const struct exchange_request *request)
{
	struct resource_reading reading;
	struct resource_answer resource;
	struct tg_bytes body;
	struct resource_links links;
	char text[RESOURCE_TEXT_MAX];
	read_last(request->message);
	resource_links_init(&links);
	if (!resource_request(request->message, &links, text, &reading, &resource)) {
		answer(rig, request, &resource);
		return;
	}
	require(reading.path_size <= TG_PATH_MAX, "a path is bounded");
	uint8_t code = block_receive(rig->blocks, &rig->block, request->message, rig->now_us, &body);
	require(block_bytes(rig->blocks) <= 4096, "bodies are bounded");
	if (code) {
		resource = resource_answer(request->message, code, 2048, NULL);
		answer(rig, request, &resource);
		return;
	}
	touch(body);
	block_return(rig->blocks, &rig->block);
	if (exchange_open(rig->exchanges, request, resource_context(request->message), rig->now_us, &rig->submitted) <
	    0) {
		resource = resource_answer(request->message, MESSAGE_UNAVAILABLE, 5, NULL);
		answer(rig, request, &resource);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rig *rig = rig_get();
	struct coap_message message;
	struct exchange_answer before;
	const struct tg_bytes datagram = {data, size};
	rig->now_us += 50000;
	exchange_run(rig->exchanges, rig->now_us);
	block_run(rig->blocks, rig->now_us);
	int r = message_parse(datagram, &message);
	if (r < 0)
		return 0;
	walk(&message);
	const struct exchange_request request = {
		.peer = &rig->exchange, .message = &message, .hash = exchange_hash(rig->exchanges, datagram)};
	switch (exchange_receive(rig->exchanges, &request, rig->now_us, &before)) {
	case EXCHANGE_NEW:
		take(rig, &request);
		break;
	case EXCHANGE_REPEAT:
		exchange_repeat(rig->exchanges, &request, &before);
		break;
	case EXCHANGE_DONE:
		break;
	}
	if (size % 3)
		finish(rig, (uint8_t)(size % 11));
	return 0;
}

#ifndef FUZZ_LIBFUZZER

static uint64_t state;

static uint32_t draw(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % below;
}

/* Well-formed messages of all kinds: what a mutation begins from. */
static size_t message_make(uint8_t wire[DATAGRAM_MAX])
{
	static const uint8_t codes[] = {0, 1, 2, 2, 2, 3, 3, 4, 5, 6, 7, 69, 132};
	static const uint16_t numbers[] = {1,  3,  4,  5,  6,  7,  11, 11, 11,  12,   14,   15,
					   16, 17, 23, 27, 27, 28, 35, 60, 258, 2049, 65000};
	static const uint8_t token[MESSAGE_TOKEN_MAX] = {1, 2, 3, 4, 5, 6, 7, 8};
	uint8_t value[64];
	struct message_writer writer;
	uint8_t code = codes[draw(sizeof(codes))];
	message_writer_init(&writer, wire, DATAGRAM_MAX);
	message_write_header(&writer, draw(4), code, (uint16_t)draw(200),
			     (struct tg_bytes){token, code ? draw(MESSAGE_TOKEN_MAX + 1) : 0});
	for (uint32_t at = 0; code && at < sizeof(numbers) / sizeof(numbers[0]); at++) {
		if (draw(4))
			continue;
		for (size_t i = 0; i < sizeof(value); i++)
			value[i] = (uint8_t)(draw(8) ? 'a' + draw(26) : draw(256));
		message_write_option(&writer, numbers[at], (struct tg_bytes){value, draw(draw(4) ? 4 : sizeof(value))});
	}
	if (code && draw(2))
		message_write_payload(&writer, (struct tg_bytes){value, 1u << draw(7)});
	return writer.size;
}

/* A piece of a body, mostly the next one. */
static size_t piece_make(uint8_t wire[DATAGRAM_MAX])
{
	static const uint8_t payload[256];
	static uint32_t next;
	struct message_writer writer;
	uint32_t szx = draw(8) ? 4 : draw(8);
	bool more = draw(6) > 0;
	uint32_t number = draw(8) ? next : draw(12);
	next = more ? number + 1 : 0;
	message_writer_init(&writer, wire, DATAGRAM_MAX);
	message_write_header(&writer, MESSAGE_CON, MESSAGE_PUT, (uint16_t)draw(65536), (struct tg_bytes){0});
	message_write_option(&writer, MESSAGE_URI_PATH, (struct tg_bytes){&"abcdef"[draw(draw(4) ? 1 : 6)], 1});
	message_write_option_uint(&writer, MESSAGE_BLOCK1, block_value(number, more, szx));
	if (draw(4) == 0)
		message_write_option_uint(&writer, MESSAGE_SIZE1, draw(3000));
	message_write_payload(&writer, (struct tg_bytes){payload, more && draw(8) ? sizeof(payload) : draw(257)});
	return writer.size;
}

static size_t links_make(uint8_t wire[DATAGRAM_MAX])
{
	static const char queries[] = "rt=tidegate.readings*ct=40href=/*title=POST or*=if";
	struct message_writer writer;
	message_writer_init(&writer, wire, DATAGRAM_MAX);
	message_write_header(&writer, MESSAGE_CON, MESSAGE_GET, (uint16_t)draw(65536), (struct tg_bytes){0});
	message_write_option(&writer, MESSAGE_URI_PATH, (struct tg_bytes){".well-known", 11});
	message_write_option(&writer, MESSAGE_URI_PATH, (struct tg_bytes){"core", 4});
	if (draw(2)) {
		size_t from = draw((uint32_t)strlen(queries));
		message_write_option(&writer, MESSAGE_URI_QUERY,
				     (struct tg_bytes){queries + from, draw((uint32_t)(strlen(queries) - from))});
	}
	message_write_option_uint(&writer, MESSAGE_BLOCK2, draw(200));
	if (draw(2))
		message_write_option_uint(&writer, MESSAGE_SIZE2, 0);
	return writer.size;
}

static size_t (*const makers[])(uint8_t wire[DATAGRAM_MAX]) = {
	message_make, message_make, message_make, message_make, piece_make, piece_make, piece_make, links_make,
};

static size_t mutate(uint8_t wire[DATAGRAM_MAX], size_t size)
{
	for (uint32_t times = draw(5); times > 0 && size > 0; times--) {
		uint32_t at = draw((uint32_t)size);
		switch (draw(4)) {
		case 0:
			wire[at] = (uint8_t)draw(256);
			break;
		case 1:
			wire[at] ^= (uint8_t)(1u << draw(8));
			break;
		case 2:
			size = at;
			break;
		default:
			memmove(wire + at, wire + draw((uint32_t)size), size - at > 16 ? 8 : 1);
			break;
		}
	}
	return size;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	uint8_t wire[DATAGRAM_MAX + 8]; /* a mutation may read a little behind */
	state = argc > 2 ? strtoul(argv[2], NULL, 10) | 1 : 4711;
	for (unsigned long i = 0; i < count; i++) {
		size_t size = makers[draw(sizeof(makers) / sizeof(makers[0]))](wire);
		size = draw(3) ? mutate(wire, size) : size;
		uint8_t *exact =
			malloc(size ? size : 1); /* of this size only, so that a sanitizer sees a byte too much */
		require(exact != NULL, "there is memory");
		memcpy(exact, wire, size);
		for (uint32_t times = draw(8) ? 1 : 2; times > 0; times--)
			LLVMFuzzerTestOneInput(exact, size);
		free(exact);
	}
	rig_done(rig_get());
	printf("%lu datagrams\n", count);
	return 0;
}

#endif
