/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_CODEC_H
#define MQTT_CODEC_H

/*
 * The control packets of a client that subscribes (MQTT 5 and 3.1.1), as bytes. libmosquitto acknowledges a message before it hands
 * it over, so the receiving connection cannot be built on it; this is what receive.c needs instead. Pure: no packet is
 * trusted, every length is checked against the bytes that are there, and what breaks the standard is -EBADMSG.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "common/gather.h"

enum codec_type {
	CODEC_CONNECT = 1,
	CODEC_CONNACK = 2,
	CODEC_PUBLISH = 3,
	CODEC_PUBACK = 4,
	CODEC_PUBREC = 5,
	CODEC_PUBREL = 6,
	CODEC_PUBCOMP = 7,
	CODEC_SUBSCRIBE = 8,
	CODEC_SUBACK = 9,
	CODEC_UNSUBSCRIBE = 10,
	CODEC_UNSUBACK = 11,
	CODEC_PINGREQ = 12,
	CODEC_PINGRESP = 13,
	CODEC_DISCONNECT = 14
};

/* Reason codes (MQTT 5 section 2.4). */
enum codec_reason {
	CODEC_SUCCESS = 0x00,
	CODEC_UNSPECIFIED = 0x80,
	CODEC_MALFORMED = 0x81,
	CODEC_PROTOCOL_ERROR = 0x82,
	CODEC_IMPLEMENTATION = 0x83,
	CODEC_NOT_AUTHORIZED = 0x87,
	CODEC_TOPIC_INVALID = 0x90,
	CODEC_UNKNOWN_ID = 0x92,
	CODEC_PACKET_TOO_LARGE = 0x95,
	CODEC_QUOTA_EXCEEDED = 0x97,
	CODEC_FORMAT_INVALID = 0x99
};

/* What the filter of a shared subscription begins with (MQTT 5 section 4.8.2). */
#define CODEC_SHARE "$share/"

enum { CODEC_HEADER_MAX = 5, CODEC_TEXT_MAX = 65535 };

struct codec_connect {
	bool version5;
	bool clean_start;
	const char *client_id;
	const char *username; /* NULL: none */
	const char *password; /* NULL: none */
	uint16_t keepalive_s;
	uint32_t session_expiry_s; /* MQTT 5 only, as the next two */
	uint16_t receive_maximum;
	uint32_t max_packet_bytes;
};

/* Each adds one packet. Texts are at most CODEC_TEXT_MAX long. */
void codec_put_connect(struct gather *buffer, const struct codec_connect *connect);
/* In MQTT 5 retained messages are not asked for (Retain Handling 2), and nothing that this client published itself (No Local), which
 * a shared subscription must not say. */
void codec_put_subscribe(struct gather *buffer, bool version5, uint16_t mid, const char *filter, uint8_t qos);
void codec_put_unsubscribe(struct gather *buffer, bool version5, uint16_t mid, const char *filter);
/* PUBACK, PUBREC or PUBCOMP. */
void codec_put_ack(struct gather *buffer, uint8_t type, bool version5, uint16_t mid, uint8_t reason);
void codec_put_pingreq(struct gather *buffer);
/* `end_session`: the broker is to forget the session, which only MQTT 5 can say here. */
void codec_put_disconnect(struct gather *buffer, bool version5, uint8_t reason, bool end_session);

struct codec_header {
	uint8_t type; /* enum codec_type, or one that is not among them */
	uint8_t flags;
	size_t size;      /* of the header itself */
	size_t body_size; /* of what follows it */
};

/* Reads the beginning of a packet. Returns 1, or 0 where more bytes are needed. Errors: -EBADMSG. */
int codec_get_header(struct tg_bytes bytes, struct codec_header *ret_header);

struct codec_connack {
	bool session_present;
	uint8_t reason;
	bool has_keepalive;
	uint16_t keepalive_s; /* the broker's wish, which counts */
	bool has_session_expiry;
	uint32_t session_expiry_s;
	struct tg_bytes reason_string; /* not terminated */
};

/* All borrowed from the body. Errors of all: -EBADMSG. */
int codec_get_connack(struct tg_bytes body, bool version5, struct codec_connack *ret_connack);

struct codec_publish {
	uint8_t qos;
	bool repeated; /* DUP */
	bool retained;
	uint16_t mid; /* 0 with QoS 0 */
	struct tg_bytes topic;
	struct tg_bytes payload;
	bool utf8; /* Payload Format Indicator 1 */
	bool expires;
	uint32_t expiry_s;
	struct tg_bytes content_type;
	struct tg_bytes reply_to; /* Response Topic */
	struct tg_bytes correlation;
	/* Of the user properties those that mean something here; `data` NULL: there is none. */
	struct tg_bytes method;
	struct tg_bytes via;
	struct tg_bytes publisher;
	bool publishers; /* more than one is named */
};

/* `publisher`: the user property that names the publisher, or NULL. */
int codec_get_publish(uint8_t flags, struct tg_bytes body, bool version5, const char *publisher,
		      struct codec_publish *ret_publish);

/* Of a PUBLISH whose body is only partly there: topic, QoS, flags and packet id. Returns 1, or 0 where more bytes are needed. */
int codec_get_publish_head(uint8_t flags, struct tg_bytes body, size_t body_size, struct codec_publish *ret_publish);

int codec_get_pubrel(uint8_t flags, struct tg_bytes body, bool version5, uint16_t *ret_mid);

/* SUBACK and UNSUBACK of one filter. UNSUBACK in 3.1.1 has no reason: 0. */
int codec_get_suback(uint8_t type, struct tg_bytes body, bool version5, uint16_t *ret_mid, uint8_t *ret_reason);

/* The broker's own, MQTT 5 only. */
int codec_get_disconnect(struct tg_bytes body, uint8_t *ret_reason, struct tg_bytes *ret_reason_string);

#endif
