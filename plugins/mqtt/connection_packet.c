/* SPDX-License-Identifier: Apache-2.0 */
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"

enum { IN_FIRST = 16384 };

uint8_t *connection_room(struct connection *connection, size_t *ret_size)
{
	size_t most = connection->packet_max + CODEC_HEADER_MAX;
	size_t room = connection->in_room ? connection->in_room * 2 : IN_FIRST;
	uint8_t *grown;

	if (connection->in_size == connection->in_room) {
		grown = realloc(connection->in, room < most ? room : most);
		if (!grown)
			return NULL;
		connection->in = grown;
		connection->in_room = room < most ? room : most;
	}
	*ret_size = connection->in_room - connection->in_size;
	return connection->in + connection->in_size;
}

static void connection_connack(struct connection *connection, struct tg_bytes body)
{
	struct codec_connack connack;
	char cause[CONNECTION_CAUSE_SIZE];
	const char *objection;

	if (codec_get_connack(body, connection->version5, &connack) < 0) {
		connection_protocol(connection, CODEC_MALFORMED, "the broker's CONNACK is malformed");
		return;
	}
	if (connack.reason != CODEC_SUCCESS) {
		snprintf(cause, sizeof(cause), "refused by the broker: %s%s%.*s",
			 connack.reason >= CODEC_UNSPECIFIED ? mosquitto_reason_string(connack.reason)
							     : mosquitto_connack_string(connack.reason),
			 connack.reason_string.size > 0 ? ", " : "", (int)connack.reason_string.size,
			 connack.reason_string.size > 0 ? (const char *)connack.reason_string.data : "");
		connection_fail(connection, cause);
		return;
	}
	if (connack.has_keepalive)
		connection->keepalive_us = connack.keepalive_s * INT64_C(1000000);
	connection->state = CONNECTION_UP;
	connection->deadline_us = 0;
	objection = connection_objection(connection, connection->options);
	if (objection) { /* the options may be newer than the handshake */
		connection_fail(connection, objection);
		return;
	}
	connection->events->up(connection->arg, &connack);
}

static void connection_disconnect(struct connection *connection, struct tg_bytes body)
{
	struct tg_bytes text = {0};
	uint8_t reason = CODEC_UNSPECIFIED;
	char cause[CONNECTION_CAUSE_SIZE];

	if (codec_get_disconnect(body, &reason, &text) < 0)
		reason = CODEC_UNSPECIFIED;
	snprintf(cause, sizeof(cause), "disconnected by the broker: %s%s%.*s", mosquitto_reason_string(reason),
		 text.size > 0 ? ", " : "", (int)text.size, text.size > 0 ? (const char *)text.data : "");
	connection_fail(connection, cause);
}

static void connection_packet(struct connection *connection, const struct codec_header *header, struct tg_bytes body)
{
	bool up = connection->state == CONNECTION_UP;

	if (header->type == CODEC_CONNACK && !up)
		connection_connack(connection, body);
	else if (header->type == CODEC_PINGRESP && up)
		connection->pinged_us = 0;
	else if (header->type == CODEC_DISCONNECT && connection->version5)
		connection_disconnect(connection, body);
	else if (up)
		connection->events->packet(connection->arg, header, body);
	else
		connection_protocol(connection, CODEC_PROTOCOL_ERROR, "the broker sent a packet that was not expected");
}

/* Works off what begins at `used`. Returns how many bytes that took, 0: nothing can be done. */
static size_t connection_one(struct connection *connection, size_t used)
{
	struct tg_bytes left = {.data = connection->in + used, .size = connection->in_size - used};
	enum connection_order order = CONNECTION_TAKE;
	struct codec_header header;
	struct tg_bytes body;
	int r;

	if (connection->skip > 0) {
		size_t size = connection->skip < left.size ? connection->skip : left.size;

		connection->skip -= size;
		return size;
	}
	r = codec_get_header(left, &header);
	if (r < 0)
		connection_protocol(connection, CODEC_MALFORMED, "the broker sent a malformed packet");
	if (r <= 0)
		return 0;
	body = (struct tg_bytes){.data = connection->in + used + header.size, .size = left.size - header.size};
	if (connection->state == CONNECTION_UP && connection->events->begins)
		order = connection->events->begins(connection->arg, &header, body);
	if (order == CONNECTION_SKIP) {
		connection->skip = header.size + header.body_size;
		return connection_one(connection, used);
	}
	if (order == CONNECTION_TAKE && header.body_size > connection->packet_max) {
		connection_protocol(connection, CODEC_PACKET_TOO_LARGE, "the broker sent a packet that is too large");
		return 0;
	}
	if (order == CONNECTION_WAIT || body.size < header.body_size)
		return 0;
	body.size = header.body_size;
	connection_packet(connection, &header, body);
	return header.size + header.body_size;
}

void connection_packets(struct connection *connection)
{
	size_t used = 0, size = 1;

	connection->held = false;
	while (size > 0 && used < connection->in_size &&
	       (connection->state == CONNECTION_CONNECTING || connection->state == CONNECTION_UP)) {
		size = connection_one(connection, used);
		used += size;
	}
	connection->in_size -= used;
	if (connection->in_size > 0) {
		memmove(connection->in, connection->in + used, connection->in_size);
	} else if (connection->in_room > IN_FIRST) {
		free(connection->in);
		connection->in = NULL;
		connection->in_room = 0;
	}
}
