/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <coap3/coap.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

enum { VERSION = 1, HEADER_SIZE = 4, PAYLOAD_MARKER = 0xff, SEGMENT_MAX = 255 };

/* RFC 7252 section 5.10, RFC 7959 section 2.1, RFC 7641 section 2, RFC 7967 section 2, RFC 8768 section 3. What is critical and not in here is not
 * understood. Hop-Limit may be longer than it should: numbers that are too large are refused, not ignored. */
struct rule {
	uint16_t number;
	uint16_t shortest;
	uint16_t longest;
	bool repeatable;
};

static const struct rule rules[] = {
	{MESSAGE_URI_PATH, 0, 255, true},      {MESSAGE_CONTENT_FORMAT, 0, 2, false},
	{MESSAGE_URI_HOST, 1, 255, false},     {MESSAGE_URI_PORT, 0, 2, false},
	{MESSAGE_URI_QUERY, 0, 255, true},     {MESSAGE_ACCEPT, 0, 2, false},
	{MESSAGE_BLOCK1, 0, 3, false},         {MESSAGE_BLOCK2, 0, 3, false},
	{MESSAGE_SIZE1, 0, 4, false},          {MESSAGE_SIZE2, 0, 4, false},
	{MESSAGE_NO_RESPONSE, 0, 1, false},    {MESSAGE_HOP_LIMIT, 0, 3, false},
	{MESSAGE_IF_MATCH, 0, 8, true},        {MESSAGE_ETAG, 1, 8, true},
	{MESSAGE_IF_NONE_MATCH, 0, 0, false},  {MESSAGE_PROXY_URI, 1, 1034, false},
	{MESSAGE_PROXY_SCHEME, 1, 255, false}, {MESSAGE_OBSERVE, 0, 3, false},
	{MESSAGE_OSCORE, 0, 255, false},
};

static bool is_critical(uint16_t number)
{
	return number & 1;
}

static const struct rule *rule_find(uint16_t number)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].number == number)
			return &rules[i];
	return NULL;
}

static uint32_t uint_value(struct tg_bytes value)
{
	const uint8_t *data = value.data;
	uint32_t number = 0;
	for (size_t i = 0; i < value.size; i++)
		number = number << 8 | data[i];
	return number;
}

/* coap_opt_parse adds the two bytes of a long delta without looking for an overflow. */
static bool delta_overflows(const uint8_t *data, size_t size)
{
	return size >= 3 && data[0] >> 4 == 14 && (data[1] << 8 | data[2]) > UINT16_MAX - 269;
}

/* 1: an option, 0: none left, -EBADMSG. */
static int option_parse(struct message_walk *walk, struct message_option *ret_option)
{
	if (walk->left == 0 || *walk->next == PAYLOAD_MARKER)
		return 0;
	coap_option_t parsed;
	size_t size = delta_overflows(walk->next, walk->left) ? 0 : coap_opt_parse(walk->next, walk->left, &parsed);
	if (size == 0 || size > walk->left || parsed.delta > UINT16_MAX - walk->number)
		return -EBADMSG;
	walk->next += size;
	walk->left -= size;
	walk->number = (uint16_t)(walk->number + parsed.delta);
	*ret_option =
		(struct message_option){.number = walk->number, .value = {.data = parsed.value, .size = parsed.length}};
	return 1;
}

void message_walk_init(struct message_walk *walk, const struct coap_message *message)
{
	*walk = (struct message_walk){.next = message->options.data, .left = message->options.size};
}

bool message_option_next(struct message_walk *walk, struct message_option *ret_option)
{
	return option_parse(walk, ret_option) > 0;
}

static void option_note(struct coap_message *message, const struct message_option *option, bool again)
{
	const struct rule *rule = rule_find(option->number);
	if (!rule || option->value.size < rule->shortest || option->value.size > rule->longest ||
	    (again && !rule->repeatable)) {
		if (is_critical(option->number) && message->bad_option == 0)
			message->bad_option = option->number;
		return;
	}
	switch (option->number) {
	case MESSAGE_CONTENT_FORMAT:
		message->content_format = uint_value(option->value);
		break;
	case MESSAGE_ACCEPT:
		message->accept = uint_value(option->value);
		break;
	case MESSAGE_BLOCK1:
		message->block1 = uint_value(option->value);
		break;
	case MESSAGE_BLOCK2:
		message->block2 = uint_value(option->value);
		break;
	case MESSAGE_SIZE1:
		message->size1 = uint_value(option->value);
		break;
	case MESSAGE_SIZE2:
		message->size2 = true;
		break;
	case MESSAGE_OBSERVE:
		message->observe = uint_value(option->value);
		break;
	case MESSAGE_HOP_LIMIT:
		message->hop_limit = uint_value(option->value);
		break;
	case MESSAGE_NO_RESPONSE:
		message->no_response = (uint8_t)uint_value(option->value);
		break;
	case MESSAGE_OSCORE:
		message->oscore = true;
		break;
	case MESSAGE_IF_MATCH:
		message->if_match = true;
		break;
	case MESSAGE_IF_NONE_MATCH:
		message->if_none_match = true;
		break;
	case MESSAGE_PROXY_URI:
	case MESSAGE_PROXY_SCHEME:
		message->proxy = true;
		break;
	default:
		break;
	}
}

static int options_parse(struct coap_message *message, const uint8_t *data, size_t size)
{
	struct message_walk walk = {.next = data, .left = size};
	struct message_option option;
	uint32_t last = MESSAGE_ABSENT;
	int r;
	while ((r = option_parse(&walk, &option)) > 0) {
		option_note(message, &option, option.number == last);
		last = option.number;
	}
	if (r < 0)
		return r;
	message->options = (struct tg_bytes){.data = data, .size = size - walk.left};
	if (walk.left == 0)
		return 0;
	if (walk.left == 1)
		return -EBADMSG; /* a marker with nothing behind it */
	message->payload = (struct tg_bytes){.data = walk.next + 1, .size = walk.left - 1};
	return 0;
}

int message_parse(struct tg_bytes datagram, struct coap_message *ret_message)
{
	const uint8_t *data = datagram.data;
	if (datagram.size < HEADER_SIZE || data[0] >> 6 != VERSION)
		return -EPROTO;
	*ret_message = (struct coap_message){
		.type = data[0] >> 4 & 3,
		.code = data[1],
		.id = (uint16_t)(data[2] << 8 | data[3]),
		.token_size = data[0] & 15,
		.content_format = MESSAGE_ABSENT,
		.accept = MESSAGE_ABSENT,
		.block1 = MESSAGE_ABSENT,
		.block2 = MESSAGE_ABSENT,
		.hop_limit = MESSAGE_ABSENT,
		.observe = MESSAGE_ABSENT,
		.size1 = -1,
	};
	size_t before_options = HEADER_SIZE + (size_t)ret_message->token_size;
	if (ret_message->code == MESSAGE_EMPTY)
		return datagram.size == HEADER_SIZE && ret_message->token_size == 0 ? 0 : -EBADMSG;
	if (ret_message->token_size > MESSAGE_TOKEN_MAX || before_options > datagram.size)
		return -EBADMSG;
	memcpy(ret_message->token, data + HEADER_SIZE, ret_message->token_size);
	return options_parse(ret_message, data + before_options, datagram.size - before_options);
}

void message_writer_init(struct message_writer *writer, void *data, size_t capacity)
{
	*writer = (struct message_writer){.data = data, .capacity = capacity};
}

void message_write_raw(struct message_writer *writer, struct tg_bytes bytes)
{
	if (writer->failed || bytes.size > writer->capacity - writer->size) {
		writer->failed = true;
		return;
	}
	if (bytes.size > 0)
		memcpy(writer->data + writer->size, bytes.data, bytes.size);
	writer->size += bytes.size;
}

void message_write_header(struct message_writer *writer, enum message_type type, uint8_t code, uint16_t id,
			  struct tg_bytes token)
{
	const uint8_t header[HEADER_SIZE] = {
		(uint8_t)(VERSION << 6 | (unsigned)type << 4 | (unsigned)token.size),
		code,
		(uint8_t)(id >> 8),
		(uint8_t)id,
	};
	message_write_raw(writer, (struct tg_bytes){.data = header, .size = sizeof(header)});
	message_write_raw(writer, token);
}

void message_write_option(struct message_writer *writer, uint16_t number, struct tg_bytes value)
{
	uint16_t delta = (uint16_t)(number - writer->number);
	size_t size = coap_opt_encode_size(delta, value.size);
	if (writer->failed || size > writer->capacity - writer->size) {
		writer->failed = true;
		return;
	}
	size = coap_opt_encode(writer->data + writer->size, writer->capacity - writer->size, delta, value.data,
			       value.size);
	writer->failed = size == 0;
	writer->size += size;
	writer->number = number;
}

void message_write_option_uint(struct message_writer *writer, uint16_t number, uint32_t value)
{
	uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
	size_t skip = 0;
	while (skip < sizeof(bytes) && bytes[skip] == 0)
		skip++;
	message_write_option(writer, number, (struct tg_bytes){.data = bytes + skip, .size = sizeof(bytes) - skip});
}

void message_write_payload(struct message_writer *writer, struct tg_bytes payload)
{
	static const uint8_t marker = PAYLOAD_MARKER;
	if (payload.size == 0)
		return;
	message_write_raw(writer, (struct tg_bytes){.data = &marker, .size = sizeof(marker)});
	message_write_raw(writer, payload);
}

struct tg_bytes message_empty(enum message_type type, uint16_t id, uint8_t memory[MESSAGE_EMPTY_SIZE])
{
	struct message_writer writer;
	message_writer_init(&writer, memory, MESSAGE_EMPTY_SIZE);
	message_write_header(&writer, type, MESSAGE_EMPTY, id, (struct tg_bytes){0});
	return (struct tg_bytes){.data = memory, .size = writer.size};
}

/* Decoded, it may have 255 bytes; one of a path must not be "." or "..". */
static bool is_segment(const char *text, size_t size, bool may_be_dots)
{
	size_t decoded = 0, dots = 0;
	for (size_t i = 0; i < size; i++, decoded++) {
		if (text[i] == '%') {
			if (size - i < 3 || !isxdigit((unsigned char)text[i + 1]) ||
			    !isxdigit((unsigned char)text[i + 2]))
				return false;
			dots += strncasecmp(text + i, "%2e", 3) == 0;
			i += 2;
		}
		dots += text[i] == '.';
	}
	return decoded <= SEGMENT_MAX && (may_be_dots || decoded == 0 || decoded > 2 || dots != decoded);
}

static struct tg_bytes path_of(struct tg_bytes address)
{
	const char *query = memchr(address.data, '?', address.size);
	size_t end = query ? (size_t)(query - (const char *)address.data) : address.size;
	return (struct tg_bytes){.data = (const char *)address.data + 1, .size = end - 1};
}

static struct tg_bytes query_of(struct tg_bytes address)
{
	const char *query = memchr(address.data, '?', address.size);
	size_t begin = query ? (size_t)(query - (const char *)address.data) + 1 : address.size;
	return (struct tg_bytes){.data = (const char *)address.data + begin, .size = address.size - begin};
}

/* Whether all that stands between `mark` could be an option. */
static bool are_segments(struct tg_bytes text, char mark, bool dots)
{
	const char *data = text.data;
	for (size_t begin = 0, end = 0; begin <= text.size; begin = end + 1) {
		for (end = begin; end < text.size && data[end] != mark;)
			end++;
		if (!is_segment(data + begin, end - begin, dots))
			return false;
	}
	return true;
}

bool message_is_address(struct tg_bytes address)
{
	const char *data = address.data;
	if (address.size == 0 || address.size > TG_ADDRESS_MAX || data[0] != '/' || memchr(data, '#', address.size))
		return false;
	return are_segments(path_of(address), '/', false) && are_segments(query_of(address), '&', true);
}

static void write_split(struct message_writer *writer, uint16_t number, struct tg_bytes text,
			int (*split)(const uint8_t *, size_t, unsigned char *, size_t *))
{
	/* Each option has a byte or two of its own, in place of the mark behind it. */
	unsigned char room[2 * TG_ADDRESS_MAX], *next = room;
	size_t used = sizeof(room);
	int count = text.size > 0 ? split(text.data, text.size, room, &used) : 0;
	for (; count > 0; count--, next += coap_opt_size(next))
		message_write_option(writer, number,
				     (struct tg_bytes){.data = coap_opt_value(next), .size = coap_opt_length(next)});
	writer->failed |= count < 0;
}

void message_write_path(struct message_writer *writer, struct tg_bytes address)
{
	write_split(writer, MESSAGE_URI_PATH, path_of(address), coap_split_path);
}

void message_write_query(struct message_writer *writer, struct tg_bytes address)
{
	write_split(writer, MESSAGE_URI_QUERY, query_of(address), coap_split_query);
}

int message_split_uri(const char *uri, bool *ret_secure, struct tg_bytes *ret_host, uint16_t *ret_port)
{
	coap_uri_t parts;
	if (coap_split_uri((const uint8_t *)uri, strlen(uri), &parts) < 0 ||
	    (parts.scheme != COAP_URI_SCHEME_COAPS && parts.scheme != COAP_URI_SCHEME_COAP))
		return -EINVAL;
	if (parts.host.length == 0 || parts.path.length > 0 || parts.query.length > 0)
		return -EINVAL;
	*ret_secure = parts.scheme == COAP_URI_SCHEME_COAPS;
	*ret_host = (struct tg_bytes){.data = parts.host.s, .size = parts.host.length};
	*ret_port = parts.port;
	return 0;
}
