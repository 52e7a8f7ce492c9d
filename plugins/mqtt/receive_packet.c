/* SPDX-License-Identifier: Apache-2.0 */
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "receive_internal.h"

enum { IN_FIRST = 16384, IN_MAX = RECEIVE_PACKET_MAX + CODEC_HEADER_MAX };

uint8_t *receive_room(struct receive *receive, size_t *ret_size)
{
	uint8_t *grown;
	size_t room = receive->in_room ? receive->in_room * 2 : IN_FIRST;

	if (receive->in_size == receive->in_room) {
		grown = realloc(receive->in, room < IN_MAX ? room : IN_MAX);
		if (!grown)
			return NULL;
		receive->in = grown;
		receive->in_room = room < IN_MAX ? room : IN_MAX;
	}
	*ret_size = receive->in_room - receive->in_size;
	return receive->in + receive->in_size;
}

/* Tells the broker as well. */
static void receive_protocol(struct receive *receive, uint8_t reason, const char *cause)
{
	if (receive->version5)
		codec_put_disconnect(&receive->stream.out, true, reason, false);
	stream_flush(&receive->stream);
	receive_fail(receive, cause);
}

static void receive_connack(struct receive *receive, struct tg_bytes body)
{
	struct codec_connack connack;
	char cause[RECEIVE_CAUSE_SIZE];

	if (codec_get_connack(body, receive->version5, &connack) < 0) {
		receive_protocol(receive, CODEC_MALFORMED, "the broker's CONNACK is malformed");
		return;
	}
	if (connack.reason != CODEC_SUCCESS) {
		snprintf(cause, sizeof(cause), "refused by the broker: %s%s%.*s",
			 receive->version5 ? mosquitto_reason_string(connack.reason)
					   : mosquitto_connack_string(connack.reason),
			 connack.reason_string.size > 0 ? ", " : "", (int)connack.reason_string.size,
			 connack.reason_string.size > 0 ? (const char *)connack.reason_string.data : "");
		receive_fail(receive, cause);
		return;
	}
	if (connack.has_keepalive)
		receive->keepalive_us = connack.keepalive_s * INT64_C(1000000);
	if (connack.has_session_expiry && connack.session_expiry_s < receive->options->session_expiry_s)
		receive->host->log(receive->host, TG_LOG_NOTICE, NULL,
				   "the broker keeps messages for a receiver that is away for %u s only",
				   connack.session_expiry_s);
	receive->state = RECEIVE_UP;
	receive->deadline_us = 0;
	receive->events->up(receive->arg, connack.session_present);
}

static void receive_disconnect(struct receive *receive, struct tg_bytes body)
{
	struct tg_bytes text = {0};
	uint8_t reason = CODEC_UNSPECIFIED;
	char cause[RECEIVE_CAUSE_SIZE];

	if (codec_get_disconnect(body, &reason, &text) < 0)
		reason = CODEC_UNSPECIFIED;
	snprintf(cause, sizeof(cause), "disconnected by the broker: %s%s%.*s", mosquitto_reason_string(reason),
		 text.size > 0 ? ", " : "", (int)text.size, text.size > 0 ? (const char *)text.data : "");
	receive_fail(receive, cause);
}

static void receive_publish(struct receive *receive, uint8_t flags, struct tg_bytes body)
{
	struct codec_publish publish;

	if (codec_get_publish(flags, body, receive->version5, receive->options->publisher, &publish) < 0)
		receive_protocol(receive, CODEC_MALFORMED, "the broker's PUBLISH is malformed");
	else
		receive->events->arrived(receive->arg, &publish, false);
}

static void receive_pubrel(struct receive *receive, uint8_t flags, struct tg_bytes body)
{
	uint16_t mid;

	if (codec_get_pubrel(flags, body, receive->version5, &mid) < 0)
		receive_protocol(receive, CODEC_MALFORMED, "the broker's PUBREL is malformed");
	else
		receive->events->released(receive->arg, mid);
}

static void receive_suback(struct receive *receive, uint8_t type, struct tg_bytes body)
{
	uint16_t mid;
	uint8_t reason;

	if (codec_get_suback(type, body, receive->version5, &mid, &reason) < 0)
		receive_protocol(receive, CODEC_MALFORMED, "the broker's SUBACK is malformed");
	else
		receive->events->subscribed(receive->arg, mid, reason);
}

static void receive_packet(struct receive *receive, const struct codec_header *header, struct tg_bytes body)
{
	bool up = receive->state == RECEIVE_UP;

	if (header->type == CODEC_CONNACK && !up)
		receive_connack(receive, body);
	else if (header->type == CODEC_PUBLISH && up)
		receive_publish(receive, header->flags, body);
	else if (header->type == CODEC_PUBREL && up)
		receive_pubrel(receive, header->flags, body);
	else if ((header->type == CODEC_SUBACK || header->type == CODEC_UNSUBACK) && up)
		receive_suback(receive, header->type, body);
	else if (header->type == CODEC_PINGRESP && up)
		receive->pinged_us = 0;
	else if (header->type == CODEC_DISCONNECT && receive->version5)
		receive_disconnect(receive, body);
	else
		receive_protocol(receive, CODEC_PROTOCOL_ERROR, "the broker sent a packet that was not expected");
}

/* One that is too large to be kept: what it is about is told, its bytes are passed over. Returns false where more are needed first. */
static bool receive_too_large(struct receive *receive, const struct codec_header *header, struct tg_bytes body)
{
	struct codec_publish publish;
	int r;

	if (header->type != CODEC_PUBLISH || receive->state != RECEIVE_UP) {
		receive_protocol(receive, CODEC_PACKET_TOO_LARGE, "the broker sent a packet that is too large");
		return false;
	}
	r = codec_get_publish_head(header->flags, body, header->body_size, &publish);
	if (r < 0)
		receive_protocol(receive, CODEC_MALFORMED, "the broker's PUBLISH is malformed");
	if (r <= 0)
		return false;
	receive->skip = header->size + header->body_size;
	receive->events->arrived(receive->arg, &publish, true);
	return true;
}

/* Works off what begins at `used`. Returns how many bytes that took, 0: nothing can be done. */
static size_t receive_one(struct receive *receive, size_t used)
{
	struct tg_bytes left = {.data = receive->in + used, .size = receive->in_size - used};
	struct codec_header header;
	struct tg_bytes body;
	int r;

	if (receive->skip > 0) {
		size_t size = receive->skip < left.size ? receive->skip : left.size;

		receive->skip -= size;
		return size;
	}
	r = codec_get_header(left, &header);
	if (r < 0)
		receive_protocol(receive, CODEC_MALFORMED, "the broker sent a malformed packet");
	if (r <= 0)
		return 0;
	if (header.type == CODEC_PUBLISH && receive->state == RECEIVE_UP && !receive->events->has_room(receive->arg)) {
		receive->held = true;
		return 0;
	}
	body = (struct tg_bytes){.data = receive->in + used + header.size, .size = left.size - header.size};
	if (header.body_size > RECEIVE_PACKET_MAX) {
		if (receive_too_large(receive, &header, body))
			return receive_one(receive, used);
		return 0;
	}
	if (body.size < header.body_size)
		return 0;
	body.size = header.body_size;
	receive_packet(receive, &header, body);
	return header.size + header.body_size;
}

void receive_packets(struct receive *receive)
{
	size_t used = 0, size = 1;

	receive->held = false;
	while (size > 0 && used < receive->in_size &&
	       (receive->state == RECEIVE_CONNECTING || receive->state == RECEIVE_UP)) {
		size = receive_one(receive, used);
		used += size;
	}
	receive->in_size -= used;
	if (receive->in_size > 0) {
		memmove(receive->in, receive->in + used, receive->in_size);
	} else if (receive->in_room > IN_FIRST) {
		free(receive->in);
		receive->in = NULL;
		receive->in_room = 0;
	}
}
