/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "codec.h"
#include "common/utf8.h"

/* What is left of a body. Reading behind its end gives zeros and marks it. */
struct cursor {
	const uint8_t *p;
	size_t left;
	bool bad;
};

enum property_kind { KIND_NONE, KIND_BYTE, KIND_TWO, KIND_FOUR, KIND_VARINT, KIND_BINARY, KIND_TEXT, KIND_PAIR };

static const uint8_t property_kinds[CODEC_PROPERTY_END] = {
	[CODEC_PAYLOAD_FORMAT] = KIND_BYTE,
	[CODEC_MESSAGE_EXPIRY] = KIND_FOUR,
	[CODEC_CONTENT_TYPE] = KIND_TEXT,
	[CODEC_RESPONSE_TOPIC] = KIND_TEXT,
	[CODEC_CORRELATION] = KIND_BINARY,
	[CODEC_SUBSCRIPTION] = KIND_VARINT,
	[CODEC_SESSION_EXPIRY] = KIND_FOUR,
	[0x12] = KIND_TEXT, /* assigned client identifier */
	[CODEC_SERVER_KEEPALIVE] = KIND_TWO,
	[0x15] = KIND_TEXT,   /* authentication method */
	[0x16] = KIND_BINARY, /* authentication data */
	[0x1a] = KIND_TEXT,   /* response information */
	[0x1c] = KIND_TEXT,   /* server reference */
	[CODEC_REASON_STRING] = KIND_TEXT,
	[CODEC_RECEIVE_MAXIMUM] = KIND_TWO,
	[0x22] = KIND_TWO, /* topic alias maximum */
	[CODEC_TOPIC_ALIAS] = KIND_TWO,
	[CODEC_MAXIMUM_QOS] = KIND_BYTE,
	[CODEC_RETAIN_AVAILABLE] = KIND_BYTE,
	[CODEC_USER_PROPERTY] = KIND_PAIR,
	[CODEC_MAXIMUM_PACKET_SIZE] = KIND_FOUR,
	[0x28] = KIND_BYTE, /* wildcard subscription available */
	[0x29] = KIND_BYTE, /* subscription identifiers available */
	[0x2a] = KIND_BYTE, /* shared subscription available */
};

struct property {
	uint8_t id;
	uint32_t number;
	struct tg_bytes bytes; /* of a pair its name */
	struct tg_bytes value; /* of a pair */
};

static struct cursor cursor_of(struct tg_bytes bytes)
{
	return (struct cursor){.p = bytes.data, .left = bytes.size};
}

static struct tg_bytes take(struct cursor *cursor, size_t size)
{
	struct tg_bytes bytes = {.data = cursor->p, .size = size};

	if (cursor->bad || size > cursor->left) {
		cursor->bad = true;
		return (struct tg_bytes){0};
	}
	cursor->p += size;
	cursor->left -= size;
	return bytes;
}

static uint32_t take_number(struct cursor *cursor, unsigned width)
{
	struct tg_bytes bytes = take(cursor, width);
	const uint8_t *p = bytes.data;
	uint32_t number = 0;

	for (size_t i = 0; i < bytes.size; i++)
		number = number << 8 | p[i];
	return number;
}

static struct tg_bytes take_binary(struct cursor *cursor)
{
	return take(cursor, take_number(cursor, 2));
}

/* MQTT 5 section 1.5.4: well-formed, and without U+0000. */
static struct tg_bytes take_text(struct cursor *cursor)
{
	struct tg_bytes text = take_binary(cursor);

	if (!utf8_is_good(text) || (text.size > 0 && memchr(text.data, 0, text.size)))
		cursor->bad = true;
	return text;
}

static uint32_t take_varint(struct cursor *cursor)
{
	uint32_t number = 0, byte;

	for (unsigned shift = 0; shift < 28; shift += 7) {
		byte = take_number(cursor, 1);
		number |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return number;
	}
	cursor->bad = true;
	return 0;
}

/* `seen`: the identifiers that came already; only two may come again. Returns false at the end and where it is bad. */
static bool take_property(struct cursor *cursor, uint64_t *seen, struct property *property)
{
	uint32_t id;

	if (cursor->bad || cursor->left == 0)
		return false;
	id = take_varint(cursor);
	*property = (struct property){.id = (uint8_t)id};
	if (id >= CODEC_PROPERTY_END || (*seen >> id & 1 && id != CODEC_USER_PROPERTY && id != CODEC_SUBSCRIPTION)) {
		cursor->bad = true;
		return false;
	}
	*seen |= UINT64_C(1) << id;
	switch (property_kinds[id]) {
	case KIND_BYTE:
		property->number = take_number(cursor, 1);
		break;
	case KIND_TWO:
		property->number = take_number(cursor, 2);
		break;
	case KIND_FOUR:
		property->number = take_number(cursor, 4);
		break;
	case KIND_VARINT:
		property->number = take_varint(cursor);
		break;
	case KIND_BINARY:
		property->bytes = take_binary(cursor);
		break;
	case KIND_TEXT:
		property->bytes = take_text(cursor);
		break;
	case KIND_PAIR:
		property->bytes = take_text(cursor);
		property->value = take_text(cursor);
		break;
	default:
		cursor->bad = true;
	}
	return !cursor->bad;
}

/* The block of properties at the front. */
static struct cursor take_properties(struct cursor *cursor)
{
	struct cursor block = cursor_of(take(cursor, take_varint(cursor)));

	block.bad = cursor->bad;
	return block;
}

/* They must be good, but mean nothing here. */
static void pass_properties(struct cursor *cursor)
{
	struct cursor block = take_properties(cursor);
	struct property property;
	uint64_t seen = 0;

	while (take_property(&block, &seen, &property))
		;
	cursor->bad |= block.bad;
}

int codec_get_header(struct tg_bytes bytes, struct codec_header *ret_header)
{
	const uint8_t *p = bytes.data;
	size_t body_size = 0;

	for (size_t i = 1; i < CODEC_HEADER_MAX; i++) {
		if (i >= bytes.size)
			return 0;
		body_size |= (size_t)(p[i] & 0x7f) << 7 * (i - 1);
		if (p[i] & 0x80)
			continue;
		*ret_header = (struct codec_header){
			.type = p[0] >> 4, .flags = p[0] & 15, .size = i + 1, .body_size = body_size};
		return 1;
	}
	return -EBADMSG;
}

static void connack_property(struct codec_connack *connack, const struct property *property)
{
	switch (property->id) {
	case CODEC_SERVER_KEEPALIVE:
		connack->has_keepalive = true;
		connack->keepalive_s = (uint16_t)property->number;
		break;
	case CODEC_SESSION_EXPIRY:
		connack->has_session_expiry = true;
		connack->session_expiry_s = property->number;
		break;
	case CODEC_REASON_STRING:
		connack->reason_string = property->bytes;
		break;
	case CODEC_RECEIVE_MAXIMUM:
		connack->receive_maximum = (uint16_t)property->number;
		break;
	case CODEC_MAXIMUM_QOS:
		connack->max_qos = (uint8_t)property->number;
		break;
	case CODEC_RETAIN_AVAILABLE:
		connack->retain = property->number != 0;
		break;
	case CODEC_MAXIMUM_PACKET_SIZE:
		connack->max_packet_bytes = property->number;
		break;
	default: /* means nothing here */
		break;
	}
}

int codec_get_connack(struct tg_bytes body, bool version5, struct codec_connack *ret_connack)
{
	struct cursor cursor = cursor_of(body), block;
	struct codec_connack connack = {.receive_maximum = UINT16_MAX, .max_qos = 2, .retain = true};
	struct property property;
	uint64_t seen = 0;

	connack.session_present = take_number(&cursor, 1) & 1;
	connack.reason = (uint8_t)take_number(&cursor, 1);
	/* A broker that knows 3.1.1 alone refuses in its own way (MQTT 5 section 3.1.2.2). */
	if (version5 && (cursor.left > 0 || connack.reason == CODEC_SUCCESS)) {
		block = take_properties(&cursor);
		while (take_property(&block, &seen, &property))
			connack_property(&connack, &property);
		cursor.bad |= block.bad;
	}
	if (cursor.bad || cursor.left > 0)
		return -EBADMSG;
	*ret_connack = connack;
	return 0;
}

static bool is_name(struct tg_bytes bytes, const char *name)
{
	return bytes.size == strlen(name) && memcmp(bytes.data, name, bytes.size) == 0;
}

static void user_property(struct codec_publish *publish, const struct property *property, const char *publisher)
{
	if (is_name(property->bytes, "method"))
		publish->method = property->value;
	else if (is_name(property->bytes, "via"))
		publish->via = property->value;
	if (!publisher || !is_name(property->bytes, publisher))
		return;
	publish->publishers |= publish->publisher.data != NULL;
	publish->publisher = property->value;
}

static bool publish_property(struct codec_publish *publish, const struct property *property, const char *publisher)
{
	switch (property->id) {
	case CODEC_PAYLOAD_FORMAT:
		publish->utf8 = property->number == 1;
		return property->number <= 1;
	case CODEC_MESSAGE_EXPIRY:
		publish->expires = true;
		publish->expiry_s = property->number;
		return true;
	case CODEC_CONTENT_TYPE:
		publish->content_type = property->bytes;
		return true;
	case CODEC_RESPONSE_TOPIC:
		publish->reply_to = property->bytes;
		return true;
	case CODEC_CORRELATION:
		publish->correlation = property->bytes;
		return true;
	case CODEC_SUBSCRIPTION:
		return true;
	case CODEC_USER_PROPERTY:
		user_property(publish, property, publisher);
		return true;
	default: /* topic aliases were not allowed to the broker (section 3.1.2.11.5), others do not belong here */
		return false;
	}
}

/* Topic and packet id. */
static void publish_head(uint8_t flags, struct cursor *cursor, struct codec_publish *publish)
{
	publish->repeated = flags & 8;
	publish->qos = flags >> 1 & 3;
	publish->retained = flags & 1;
	publish->topic = take_text(cursor);
	if (publish->topic.size == 0 || memchr(publish->topic.data, '+', publish->topic.size) ||
	    memchr(publish->topic.data, '#', publish->topic.size) || publish->qos == 3)
		cursor->bad = true;
	if (publish->qos > 0) {
		publish->mid = (uint16_t)take_number(cursor, 2);
		cursor->bad |= publish->mid == 0;
	}
}

int codec_get_publish(uint8_t flags, struct tg_bytes body, bool version5, const char *publisher,
		      struct codec_publish *ret_publish)
{
	struct cursor cursor = cursor_of(body), block;
	struct codec_publish publish = {0};
	struct property property;
	uint64_t seen = 0;

	publish_head(flags, &cursor, &publish);
	if (version5) {
		block = take_properties(&cursor);
		while (take_property(&block, &seen, &property))
			block.bad |= !publish_property(&publish, &property, publisher);
		cursor.bad |= block.bad;
	}
	if (cursor.bad)
		return -EBADMSG;
	publish.payload = take(&cursor, cursor.left);
	*ret_publish = publish;
	return 0;
}

int codec_get_publish_head(uint8_t flags, struct tg_bytes body, size_t body_size, struct codec_publish *ret_publish)
{
	struct cursor cursor = cursor_of(body), peek = cursor;
	struct codec_publish publish = {0};
	size_t wanted = 2;

	if (body.size >= 2)
		wanted += take_number(&peek, 2) + ((flags >> 1 & 3) > 0 ? 2u : 0u);
	if (wanted > body_size)
		return -EBADMSG;
	if (body.size < wanted)
		return 0;
	publish_head(flags, &cursor, &publish);
	if (cursor.bad)
		return -EBADMSG;
	*ret_publish = publish;
	return 1;
}

int codec_get_ack(const struct codec_header *header, struct tg_bytes body, bool version5, uint16_t *ret_mid,
		  uint8_t *ret_reason)
{
	struct cursor cursor = cursor_of(body);
	uint16_t mid = (uint16_t)take_number(&cursor, 2);
	uint8_t reason = CODEC_SUCCESS;

	if (version5 && cursor.left > 0)
		reason = (uint8_t)take_number(&cursor, 1);
	if (version5 && cursor.left > 0)
		pass_properties(&cursor);
	if (header->flags != (header->type == CODEC_PUBREL ? 2 : 0) || mid == 0 || cursor.bad || cursor.left > 0)
		return -EBADMSG;
	*ret_mid = mid;
	*ret_reason = reason;
	return 0;
}

int codec_get_suback(uint8_t type, struct tg_bytes body, bool version5, uint16_t *ret_mid, uint8_t *ret_reason)
{
	struct cursor cursor = cursor_of(body);
	uint16_t mid = (uint16_t)take_number(&cursor, 2);
	uint8_t reason = 0;

	if (version5)
		pass_properties(&cursor);
	if (version5 || type == CODEC_SUBACK)
		reason = (uint8_t)take_number(&cursor, 1);
	if (cursor.bad || cursor.left > 0)
		return -EBADMSG;
	*ret_mid = mid;
	*ret_reason = reason;
	return 0;
}

int codec_get_disconnect(struct tg_bytes body, uint8_t *ret_reason, struct tg_bytes *ret_reason_string)
{
	struct cursor cursor = cursor_of(body), block;
	struct property property;
	struct tg_bytes text = {0};
	uint64_t seen = 0;
	uint8_t reason = CODEC_SUCCESS;

	if (cursor.left > 0)
		reason = (uint8_t)take_number(&cursor, 1);
	if (cursor.left > 0) {
		block = take_properties(&cursor);
		while (take_property(&block, &seen, &property)) {
			if (property.id == CODEC_REASON_STRING)
				text = property.bytes;
		}
		cursor.bad |= block.bad;
	}
	if (cursor.bad || cursor.left > 0)
		return -EBADMSG;
	*ret_reason = reason;
	*ret_reason_string = text;
	return 0;
}
