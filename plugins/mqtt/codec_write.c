/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "codec.h"

enum { PROPERTY_SESSION_EXPIRY = 0x11, PROPERTY_RECEIVE_MAXIMUM = 0x21, PROPERTY_MAXIMUM_PACKET_SIZE = 0x27 };
enum { CONNECT_CLEAN_START = 0x02, CONNECT_PASSWORD = 0x40, CONNECT_USERNAME = 0x80 };
enum { SUBSCRIBE_NO_LOCAL = 0x04, SUBSCRIBE_NOTHING_RETAINED = 0x20 };

static void put_number(struct gather *buffer, uint32_t number, unsigned width)
{
	uint8_t bytes[4];

	for (unsigned i = 0; i < width; i++)
		bytes[i] = (uint8_t)(number >> 8 * (width - 1 - i));
	gather_put(buffer, bytes, width);
}

static void put_text(struct gather *buffer, const char *text)
{
	size_t size = strlen(text);

	put_number(buffer, (uint32_t)size, 2);
	gather_put(buffer, text, size);
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

static void put_header(struct gather *buffer, uint8_t type, uint8_t flags, size_t body_size)
{
	put_number(buffer, (uint32_t)type << 4 | flags, 1);
	put_varint(buffer, body_size);
}

static size_t text_size(const char *text)
{
	return text ? 2 + strlen(text) : 0;
}

void codec_put_connect(struct gather *buffer, const struct codec_connect *connect)
{
	const size_t properties = 5 + 3 + 5;
	size_t size = 10 + text_size(connect->client_id) + text_size(connect->username) + text_size(connect->password);
	uint8_t flags = 0;

	if (connect->clean_start)
		flags |= CONNECT_CLEAN_START;
	if (connect->username)
		flags |= CONNECT_USERNAME;
	if (connect->password)
		flags |= CONNECT_PASSWORD;
	put_header(buffer, CODEC_CONNECT, 0, connect->version5 ? size + 1 + properties : size);
	put_text(buffer, "MQTT");
	put_number(buffer, connect->version5 ? 5 : 4, 1);
	put_number(buffer, flags, 1);
	put_number(buffer, connect->keepalive_s, 2);
	if (connect->version5) {
		put_varint(buffer, properties);
		put_number(buffer, PROPERTY_SESSION_EXPIRY, 1);
		put_number(buffer, connect->session_expiry_s, 4);
		put_number(buffer, PROPERTY_RECEIVE_MAXIMUM, 1);
		put_number(buffer, connect->receive_maximum, 2);
		put_number(buffer, PROPERTY_MAXIMUM_PACKET_SIZE, 1);
		put_number(buffer, connect->max_packet_bytes, 4);
	}
	put_text(buffer, connect->client_id);
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

	put_header(buffer, type, 0, with_reason ? 3 : 2);
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
		put_number(buffer, PROPERTY_SESSION_EXPIRY, 1);
		put_number(buffer, 0, 4);
	}
}
