/* SPDX-License-Identifier: Apache-2.0 */
#include "mutator.h"

#include <stdbool.h>
#include <string.h>

#include "bench/coap.h"
#include "bench/tool.h"

enum {
	MUTATOR_PLACES_MAX = 6,
	MUTATOR_OPTIONS_MAX = 12,
	MUTATOR_VALUE_MAX = 300,
	/* DTLS: record head, handshake head, and the places of their fields */
	MUTATOR_RECORD_HEAD = 13,
	MUTATOR_HANDSHAKE_HEAD = 12,
	MUTATOR_RECORD_LENGTH = 11,
	MUTATOR_FRAGMENT_OFFSET = MUTATOR_RECORD_HEAD + 6,
	MUTATOR_FRAGMENT_LENGTH = MUTATOR_RECORD_HEAD + 9
};

static const uint8_t mutator_edges[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff, 0x0d, 0x0e, 0x0f, 0xd0, 0xe0, 0xf0};

static uint8_t mutator_edge(struct tool_random *random)
{
	return mutator_edges[tool_random_below(random, sizeof(mutator_edges))];
}

/* Copies one piece over, or in front of, another place. */
static size_t mutator_piece(struct tool_random *random, uint8_t *data, size_t size, size_t room)
{
	size_t from = tool_random_below(random, (uint32_t)size);
	size_t length = 1 + tool_random_below(random, (uint32_t)(size - from));
	size_t to = tool_random_below(random, (uint32_t)size);

	if (size + length <= room && tool_random_below(random, 2) == 0) {
		memmove(data + to + length, data + to, size - to);
		memmove(data + to, data + from, length);
		return size + length;
	}
	if (length > size - to)
		length = size - to;
	memmove(data + to, data + from, length);
	return size;
}

static size_t mutator_place(struct tool_random *random, uint8_t *data, size_t size, size_t room)
{
	size_t at = tool_random_below(random, (uint32_t)size), length;

	switch (tool_random_below(random, 8)) {
	case 0:
	case 1:
		data[at] ^= (uint8_t)(1u << tool_random_below(random, 8));
		return size;
	case 2:
		data[at] = (uint8_t)tool_random_u64(random);
		return size;
	case 3:
		data[at] = mutator_edge(random);
		return size;
	case 4:
		return at;
	case 5:
		length = tool_random_below(random, 32);
		if (length > room - size)
			length = room - size;
		tool_random_bytes(random, data + size, length);
		return size + length;
	case 6:
		length = 1 + tool_random_below(random, (uint32_t)(size - at));
		memmove(data + at, data + at + length, size - at - length);
		return size - length;
	default:
		return mutator_piece(random, data, size, room);
	}
}

size_t mutator_bytes(struct tool_random *random, uint8_t *data, size_t size, size_t room)
{
	uint32_t places = 1 + tool_random_below(random, MUTATOR_PLACES_MAX);

	for (uint32_t i = 0; i < places && size > 0; i++)
		size = mutator_place(random, data, size, room);
	return size;
}

/* Every option that a CoAP server may know, and some that nobody does. */
static const unsigned mutator_options[] = {1,  3,  4,  5,  6,  7,  8,  9,  11, 11,  11,  12,  12,   14,    15,
					   16, 17, 20, 23, 27, 28, 35, 39, 60, 252, 258, 292, 2049, 65000, 65535};

/* What a server of readings understands. */
static const unsigned mutator_sensible[] = {6, 11, 11, 12, 12, 15, 17, 23, 27, 60};

static int mutator_is_block(unsigned number)
{
	return number == COAP_BLOCK1 || number == COAP_BLOCK2;
}

static size_t mutator_option(struct tool_random *random, uint8_t *data, size_t size, unsigned *last, unsigned number)
{
	uint8_t value[MUTATOR_VALUE_MAX];
	uint32_t kind = tool_random_below(random, 10);
	size_t length = tool_random_below(random, 5);

	if (mutator_is_block(number) && kind < 7) {
		/* Number, more bit, and size exponents up to the forbidden 7 (RFC 7959 section 2.2). */
		uint32_t block = tool_random_below(random, 3) ? tool_random_below(random, 20)
							      : tool_random_below(random, 1 << 20);

		return coap_option_number(data, MUTATOR_ROOM, size, last, number,
					  block << 4 | (uint32_t)tool_random_below(random, 16));
	}
	if (kind == 0)
		length = tool_random_below(random, MUTATOR_VALUE_MAX);
	else if (kind == 1)
		length = 12 + tool_random_below(random, 4);
	tool_random_bytes(random, value, length);
	if (number == COAP_URI_PATH && kind > 3)
		return coap_option(data, MUTATOR_ROOM, size, last, number, "reading", strlen("reading"));
	return coap_option(data, MUTATOR_ROOM, size, last, number, value, length);
}

static unsigned mutator_number_of(struct tool_random *random, bool sensible)
{
	if (sensible)
		return mutator_sensible[tool_random_below(random, sizeof(mutator_sensible) / sizeof(unsigned))];
	return mutator_options[tool_random_below(random, sizeof(mutator_options) / sizeof(unsigned))];
}

static size_t mutator_add_options(struct tool_random *random, bool sensible, uint8_t *data, size_t size)
{
	uint32_t count = tool_random_below(random, sensible ? 4 : MUTATOR_OPTIONS_MAX);
	unsigned numbers[MUTATOR_OPTIONS_MAX], last = 0;

	for (uint32_t i = 0; i < count; i++) {
		unsigned number = i == 0 && sensible ? COAP_URI_PATH : mutator_number_of(random, sensible);
		uint32_t at = i;

		/* in rising order, repeats welcome */
		for (; at > 0 && numbers[at - 1] > number; at--)
			numbers[at] = numbers[at - 1];
		numbers[at] = number;
	}
	for (uint32_t i = 0; i < count; i++) {
		size_t grown = mutator_option(random, data, size, &last, numbers[i]);

		if (grown == 0)
			break;
		size = grown;
	}
	return size;
}

size_t mutator_coap(struct tool_random *random, uint16_t id, uint8_t ret_data[MUTATOR_ROOM])
{
	bool sensible = tool_random_below(random, 2) == 0;
	uint8_t token[COAP_TOKEN_MAX], payload[512];
	uint8_t code =
		(uint8_t)(sensible || tool_random_below(random, 4) ? 1 + tool_random_below(random, sensible ? 3 : 7)
								   : tool_random_u64(random));
	enum coap_type type = tool_random_below(random, sensible ? 16 : 4) ? COAP_CON : tool_random_below(random, 4);
	size_t size, grown, length;

	tool_random_bytes(random, token, sizeof(token));
	if (tool_random_below(random, 16) == 0)
		id = (uint16_t)(id - tool_random_below(random, 64));
	size = coap_head(ret_data, MUTATOR_ROOM, type, code, id, token, tool_random_below(random, COAP_TOKEN_MAX + 1));
	size = mutator_add_options(random, sensible, ret_data, size);
	length = tool_random_below(random, tool_random_below(random, 4) ? 64 : sizeof(payload));
	tool_random_bytes(random, payload, length);
	grown = coap_payload(ret_data, MUTATOR_ROOM, size, payload, length);
	if (grown > 0)
		size = grown;
	if (tool_random_below(random, 4) > (sensible ? 2 : 0))
		size = mutator_bytes(random, ret_data, size, MUTATOR_ROOM);
	return size;
}

static void mutator_disturb(struct tool_random *random, struct mutator_body *body)
{
	switch (tool_random_below(random, 32)) {
	case 0:
		body->number += tool_random_below(random, 3);
		break;
	case 1:
		body->number -= body->number > 0;
		break;
	case 2:
		body->exponent = tool_random_below(random, 8);
		break;
	case 3:
		body->left = 0;
		break;
	default:
		break;
	}
}

size_t mutator_block(struct tool_random *random, uint16_t id, struct mutator_body *body, uint8_t ret_data[MUTATOR_ROOM])
{
	uint8_t payload[1024];
	size_t size, length;
	unsigned last = 0;

	if (body->left == 0)
		*body = (struct mutator_body){.left = 1 + tool_random_below(random, 24),
					      .exponent = tool_random_below(random, 7),
					      .token = tool_random_u64(random)};
	mutator_disturb(random, body);
	if (body->left > 0)
		body->left--;
	length = (size_t)16 << (body->exponent < 6 ? body->exponent : 6);
	if (body->left == 0)
		length = 1 + tool_random_below(random, (uint32_t)length);
	tool_random_bytes(random, payload, length);
	size = coap_head(ret_data, MUTATOR_ROOM, COAP_CON, COAP_POST, id, &body->token, sizeof(body->token));
	size = coap_path(ret_data, MUTATOR_ROOM, size, &last, "/body");
	size = coap_option_number(ret_data, MUTATOR_ROOM, size, &last, COAP_BLOCK1,
				  body->number << 4 | (uint32_t)(body->left > 0) << 3 | body->exponent);
	if (body->number == 0 && tool_random_below(random, 4) == 0)
		size = coap_option_number(ret_data, MUTATOR_ROOM, size, &last, COAP_SIZE1,
					  (uint32_t)tool_random_u64(random) >> tool_random_below(random, 32));
	size = coap_payload(ret_data, MUTATOR_ROOM, size, payload, length);
	body->number++;
	if (tool_random_below(random, 16) == 0)
		size = mutator_bytes(random, ret_data, size, MUTATOR_ROOM);
	return size;
}

static void mutator_field(struct tool_random *random, uint8_t *field, size_t bytes)
{
	switch (tool_random_below(random, 4)) {
	case 0:
		memset(field, 0, bytes);
		break;
	case 1:
		memset(field, 0xff, bytes);
		break;
	case 2:
		field[bytes - 1] ^= (uint8_t)(1u << tool_random_below(random, 8));
		break;
	default:
		tool_random_bytes(random, field, bytes);
		break;
	}
}

size_t mutator_record(struct tool_random *random, uint8_t *data, size_t size, size_t room)
{
	/* place and size of: content type, version, epoch, sequence, length; message type, length, sequence, fragment offset
	 * and length */
	static const uint8_t fields[][2] = {{0, 1},  {1, 2},  {3, 2},  {5, 6},  {11, 2},
					    {13, 1}, {14, 3}, {17, 2}, {19, 3}, {22, 3}};
	uint32_t changes = 1 + tool_random_below(random, 3);

	for (uint32_t i = 0; i < changes; i++) {
		const uint8_t *field = fields[tool_random_below(random, sizeof(fields) / sizeof(fields[0]))];

		if ((size_t)field[0] + field[1] <= size)
			mutator_field(random, data + field[0], field[1]);
	}
	if (tool_random_below(random, 4) == 0)
		size = mutator_bytes(random, data, size, room);
	return size;
}

static void mutator_number(uint8_t *field, size_t bytes, size_t value)
{
	while (bytes-- > 0) {
		field[bytes] = (uint8_t)value;
		value >>= 8;
	}
}

size_t mutator_fragment(struct tool_random *random, const uint8_t *whole, size_t size, uint8_t *ret_data, size_t room)
{
	size_t head = MUTATOR_RECORD_HEAD + MUTATOR_HANDSHAKE_HEAD, body, offset, length;

	if (size <= head || size > room)
		return 0;
	body = size - head;
	offset = tool_random_below(random, (uint32_t)body);
	length = tool_random_below(random, (uint32_t)(body - offset + 1));
	memcpy(ret_data, whole, head);
	memcpy(ret_data + head, whole + head + offset, length);
	if (tool_random_below(random, 8) == 0)
		offset += tool_random_below(random, 1 << 16);
	mutator_number(ret_data + MUTATOR_FRAGMENT_OFFSET, 3, offset);
	mutator_number(ret_data + MUTATOR_FRAGMENT_LENGTH, 3, length);
	mutator_number(ret_data + MUTATOR_RECORD_LENGTH, 2, MUTATOR_HANDSHAKE_HEAD + length);
	return head + length;
}

size_t mutator_text(struct tool_random *random, uint8_t *text, size_t size, size_t room, const char *marks)
{
	for (uint32_t i = tool_random_below(random, 6); i > 0 && size > 0; i--) {
		size_t at = tool_random_below(random, (uint32_t)size), length = tool_random_below(random, 32);

		switch (tool_random_below(random, 4)) {
		case 0:
			text[at] = (uint8_t)tool_random_below(random, 256);
			break;
		case 1:
			text[at] = (uint8_t)marks[tool_random_below(random, (uint32_t)strlen(marks))];
			break;
		case 2:
			size = tool_random_below(random, 4) ? size : at;
			break;
		default:
			if (size + length <= room) {
				memmove(text + at + length, text + at, size - at);
				size += length;
			}
		}
	}
	return size;
}
