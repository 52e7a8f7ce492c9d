/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_CODEC_H
#define MQTT_CODEC_H

/*
 * The control packets of a client (MQTT 5 and 3.1.1), as bytes. libmosquitto acknowledges a message before it hands it over, and writes
 * each of those that it publishes as a record of TLS of its own; so the connections cannot be built on it, and this is what
 * connection.c, receive.c and session.c need instead. What a topic and a text may be libmosquitto says. Pure: no packet is
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
	CODEC_NO_SUBSCRIBERS = 0x10,
	CODEC_UNSPECIFIED = 0x80,
	CODEC_MALFORMED = 0x81,
	CODEC_PROTOCOL_ERROR = 0x82,
	CODEC_IMPLEMENTATION = 0x83,
	CODEC_NOT_AUTHORIZED = 0x87,
	CODEC_TOPIC_INVALID = 0x90,
	CODEC_ID_IN_USE = 0x91,
	CODEC_UNKNOWN_ID = 0x92,
	CODEC_PACKET_TOO_LARGE = 0x95,
	CODEC_QUOTA_EXCEEDED = 0x97,
	CODEC_FORMAT_INVALID = 0x99
};

/* MQTT 5 section 2.2.2.2. */
enum codec_property {
	CODEC_PAYLOAD_FORMAT = 0x01,
	CODEC_MESSAGE_EXPIRY = 0x02,
	CODEC_CONTENT_TYPE = 0x03,
	CODEC_RESPONSE_TOPIC = 0x08,
	CODEC_CORRELATION = 0x09,
	CODEC_SUBSCRIPTION = 0x0b,
	CODEC_SESSION_EXPIRY = 0x11,
	CODEC_SERVER_KEEPALIVE = 0x13,
	CODEC_REASON_STRING = 0x1f,
	CODEC_RECEIVE_MAXIMUM = 0x21,
	CODEC_TOPIC_ALIAS = 0x23,
	CODEC_MAXIMUM_QOS = 0x24,
	CODEC_RETAIN_AVAILABLE = 0x25,
	CODEC_USER_PROPERTY = 0x26,
	CODEC_MAXIMUM_PACKET_SIZE = 0x27,
	CODEC_PROPERTY_END = 0x2b
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
	const char *will_topic; /* NULL: no last will; it goes with QoS 1 */
	const char *will;
	bool will_retain;
};

/* Each adds one packet. Texts are at most CODEC_TEXT_MAX long. */
void codec_put_connect(struct gather *buffer, const struct codec_connect *connect);
/* In MQTT 5 retained messages are not asked for (Retain Handling 2), and nothing that this client published itself (No Local), which
 * a shared subscription must not say. */
void codec_put_subscribe(struct gather *buffer, bool version5, uint16_t mid, const char *filter, uint8_t qos);
void codec_put_unsubscribe(struct gather *buffer, bool version5, uint16_t mid, const char *filter);
/* PUBACK, PUBREC, PUBREL or PUBCOMP. */
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
	uint16_t receive_maximum;
	uint8_t max_qos;
	bool retain;
	uint32_t max_packet_bytes; /* 0: no limit */
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

/* Adds a PUBLISH: topic, payload, QoS, `retained` and packet id, and in MQTT 5 `properties`, gathered by the functions below. */
void codec_put_publish(struct gather *buffer, bool version5, const struct codec_publish *publish,
		       struct tg_bytes properties);
/* How many bytes that takes. */
size_t codec_publish_size(bool version5, const struct codec_publish *publish, struct tg_bytes properties);

/* Each adds one property; texts and binary data are at most CODEC_TEXT_MAX long, and not looked into. */
void codec_put_number_property(struct gather *properties, enum codec_property id, uint32_t number, unsigned width);
void codec_put_bytes_property(struct gather *properties, enum codec_property id, struct tg_bytes bytes);
void codec_put_user_property(struct gather *properties, const char *name, struct tg_bytes value);

/* Of a PUBLISH whose body is only partly there: topic, QoS, flags and packet id. Returns 1, or 0 where more bytes are needed. */
int codec_get_publish_head(uint8_t flags, struct tg_bytes body, size_t body_size, struct codec_publish *ret_publish);

/* PUBACK, PUBREC, PUBREL and PUBCOMP. Without a reason, as always in 3.1.1: CODEC_SUCCESS. */
int codec_get_ack(const struct codec_header *header, struct tg_bytes body, bool version5, uint16_t *ret_mid,
		  uint8_t *ret_reason);

/* SUBACK and UNSUBACK of one filter. UNSUBACK in 3.1.1 has no reason: 0. */
int codec_get_suback(uint8_t type, struct tg_bytes body, bool version5, uint16_t *ret_mid, uint8_t *ret_reason);

/* The broker's own, MQTT 5 only. */
int codec_get_disconnect(struct tg_bytes body, uint8_t *ret_reason, struct tg_bytes *ret_reason_string);

#endif
