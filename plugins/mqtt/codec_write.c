/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "codec.h"

enum {
	CONNECT_CLEAN_START = 0x02,
	CONNECT_WILL = 0x04,
	CONNECT_WILL_QOS1 = 0x08,
	CONNECT_WILL_RETAIN = 0x20,
	CONNECT_PASSWORD = 0x40,
	CONNECT_USERNAME = 0x80
};
enum { PUBLISH_RETAIN = 0x01, PUBREL_FLAGS = 0x02 };
enum { SUBSCRIBE_NO_LOCAL = 0x04, SUBSCRIBE_NOTHING_RETAINED = 0x20 };

static void put_number(struct gather *buffer, uint32_t number, unsigned width)
{
	uint8_t bytes[4];

	for (unsigned i = 0; i < width; i++)
		bytes[i] = (uint8_t)(number >> 8 * (width - 1 - i));
	gather_put(buffer, bytes, width);
}

static void put_bytes(struct gather *buffer, struct tg_bytes bytes)
{
	put_number(buffer, (uint32_t)bytes.size, 2);
	gather_put(buffer, bytes.data, bytes.size);
}

static void put_text(struct gather *buffer, const char *text)
{
	put_bytes(buffer, (struct tg_bytes){text, strlen(text)});
}

/* A variable byte integer (MQTT 5 section 1.5.5). */
static void put_varint(struct gather *buffer, size_t number)
{
	do {
		uint8_t byte = number & 0x7f;

		number >>= 7;
		put_number(buffer, number > 0 ? byte | 0x80u : byte, 1);
	} while (number > 0);
}

static size_t varint_size(size_t number)
{
	return number < 128 ? 1 : number < 16384 ? 2 : number < 2097152 ? 3 : 4;
}

static void put_header(struct gather *buffer, uint8_t type, uint8_t flags, size_t body_size)
{
	put_number(buffer, (uint32_t)type << 4 | flags, 1);
	put_varint(buffer, body_size);
}

static size_t text_size(const char *text)
{
	return text ? 2 + strlen(text) : 0;
}

static uint8_t connect_flags(const struct codec_connect *connect)
{
	uint8_t flags = 0;

	if (connect->clean_start)
		flags |= CONNECT_CLEAN_START;
	if (connect->will_topic)
		flags |= CONNECT_WILL | CONNECT_WILL_QOS1 | (connect->will_retain ? CONNECT_WILL_RETAIN : 0);
	if (connect->username)
		flags |= CONNECT_USERNAME;
	if (connect->password)
		flags |= CONNECT_PASSWORD;
	return flags;
}

void codec_put_connect(struct gather *buffer, const struct codec_connect *connect)
{
	const size_t properties = 5 + 3 + 5;
	size_t size = 10 + text_size(connect->client_id) + text_size(connect->username) + text_size(connect->password);

	if (connect->will_topic)
		size += (connect->version5 ? 1 : 0) + text_size(connect->will_topic) + text_size(connect->will);
	put_header(buffer, CODEC_CONNECT, 0, connect->version5 ? size + 1 + properties : size);
	put_text(buffer, "MQTT");
	put_number(buffer, connect->version5 ? 5 : 4, 1);
	put_number(buffer, connect_flags(connect), 1);
	put_number(buffer, connect->keepalive_s, 2);
	if (connect->version5) {
		put_varint(buffer, properties);
		codec_put_number_property(buffer, CODEC_SESSION_EXPIRY, connect->session_expiry_s, 4);
		codec_put_number_property(buffer, CODEC_RECEIVE_MAXIMUM, connect->receive_maximum, 2);
		codec_put_number_property(buffer, CODEC_MAXIMUM_PACKET_SIZE, connect->max_packet_bytes, 4);
	}
	put_text(buffer, connect->client_id);
	if (connect->will_topic && connect->version5)
		put_varint(buffer, 0);
	if (connect->will_topic) {
		put_text(buffer, connect->will_topic);
		put_text(buffer, connect->will);
	}
	if (connect->username)
		put_text(buffer, connect->username);
	if (connect->password)
		put_text(buffer, connect->password);
}

void codec_put_subscribe(struct gather *buffer, bool version5, uint16_t mid, const char *filter, uint8_t qos)
{
	if (version5 && strncmp(filter, CODEC_SHARE, strlen(CODEC_SHARE)) != 0)
		qos |= SUBSCRIBE_NO_LOCAL | SUBSCRIBE_NOTHING_RETAINED;
	put_header(buffer, CODEC_SUBSCRIBE, 2, 2 + (version5 ? 1u : 0u) + text_size(filter) + 1);
	put_number(buffer, mid, 2);
	if (version5)
		put_varint(buffer, 0);
	put_text(buffer, filter);
	put_number(buffer, qos, 1);
}

void codec_put_unsubscribe(struct gather *buffer, bool version5, uint16_t mid, const char *filter)
{
	put_header(buffer, CODEC_UNSUBSCRIBE, 2, 2 + (version5 ? 1u : 0u) + text_size(filter));
	put_number(buffer, mid, 2);
	if (version5)
		put_varint(buffer, 0);
	put_text(buffer, filter);
}

void codec_put_ack(struct gather *buffer, uint8_t type, bool version5, uint16_t mid, uint8_t reason)
{
	bool with_reason = version5 && reason != CODEC_SUCCESS;

	put_header(buffer, type, type == CODEC_PUBREL ? PUBREL_FLAGS : 0, with_reason ? 3 : 2);
	put_number(buffer, mid, 2);
	if (with_reason)
		put_number(buffer, reason, 1);
}

void codec_put_pingreq(struct gather *buffer)
{
	put_header(buffer, CODEC_PINGREQ, 0, 0);
}

void codec_put_disconnect(struct gather *buffer, bool version5, uint8_t reason, bool end_session)
{
	if (!version5 || (reason == CODEC_SUCCESS && !end_session)) {
		put_header(buffer, CODEC_DISCONNECT, 0, 0);
		return;
	}
	put_header(buffer, CODEC_DISCONNECT, 0, end_session ? 2 + 5 : 1);
	put_number(buffer, reason, 1);
	if (end_session) {
		put_varint(buffer, 5);
		codec_put_number_property(buffer, CODEC_SESSION_EXPIRY, 0, 4);
	}
}

void codec_put_number_property(struct gather *properties, enum codec_property id, uint32_t number, unsigned width)
{
	put_number(properties, id, 1);
	put_number(properties, number, width);
}

void codec_put_bytes_property(struct gather *properties, enum codec_property id, struct tg_bytes bytes)
{
	put_number(properties, id, 1);
	put_bytes(properties, bytes);
}

void codec_put_user_property(struct gather *properties, const char *name, struct tg_bytes value)
{
	put_number(properties, CODEC_USER_PROPERTY, 1);
	put_text(properties, name);
	put_bytes(properties, value);
}

static size_t publish_body_size(bool version5, const struct codec_publish *publish, struct tg_bytes properties)
{
	size_t size = 2 + publish->topic.size + (publish->qos > 0 ? 2 : 0) + publish->payload.size;

	return version5 ? size + varint_size(properties.size) + properties.size : size;
}

size_t codec_publish_size(bool version5, const struct codec_publish *publish, struct tg_bytes properties)
{
	size_t size = publish_body_size(version5, publish, properties);

	return 1 + varint_size(size) + size;
}

void codec_put_publish(struct gather *buffer, bool version5, const struct codec_publish *publish,
		       struct tg_bytes properties)
{
	uint8_t flags = (uint8_t)(publish->qos << 1) | (publish->retained ? PUBLISH_RETAIN : 0);

	put_header(buffer, CODEC_PUBLISH, flags, publish_body_size(version5, publish, properties));
	put_bytes(buffer, publish->topic);
	if (publish->qos > 0)
		put_number(buffer, publish->mid, 2);
	if (version5) {
		put_varint(buffer, properties.size);
		gather_put(buffer, properties.data, properties.size);
	}
	gather_put(buffer, publish->payload.data, publish->payload.size);
}
