/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_SESSION_H
#define MQTT_SESSION_H

/*
 * The publishing connection to one broker: publishes, and tells what the broker has taken over. A session is never gone on with: each
 * connection begins a new one (MQTT 5 section 3.1.2.4), with nothing on its way. For link.c, which makes the next one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "connection.h"

enum { SESSION_CAUSE_SIZE = CONNECTION_CAUSE_SIZE };

struct options;
struct session;
struct url;

/* What the broker allows (MQTT 5 section 3.2.2.3). */
struct session_limits {
	unsigned receive_maximum; /* messages of QoS 1 and 2 on their way at once */
	uint8_t max_qos;
	bool retain;
};

/* `up` comes at most once; `lost` ends the session and comes once: only there it may be freed. */
struct session_events {
	/* The broker has accepted the connection. */
	void (*up)(void *arg, const struct session_limits *limits);
	/* PUBACK or PUBCOMP for a packet id, or a PUBREC that refuses it, with its reason code (MQTT 5 section 3.4.2.1; 0 in 3.1.1). */
	void (*answered)(void *arg, uint16_t mid, uint8_t reason);
	/* Something has moved: there may be room for more, and more may be sent. */
	void (*moved)(void *arg);
	/* `cause`: NULL after session_close, else why. */
	void (*lost)(void *arg, const char *cause);
};

/* Begins to connect. `options` and `url` are lent until session_free. `will`: what the broker is to say at the topic of the status message when
 * the connection is lost, or NULL; copied. Ownership: session_free. Errors: -ENOMEM, -EAGAIN, -EMFILE: `lost` is not called. */
int session_new(const struct tg_host *host, const struct options *options, const struct url *url, const char *will,
		const struct session_events *events, void *arg, struct session **ret_session);

/* Others are lent from now on, which for a session that is not being closed are the same in what concerns it. */
void session_set_options(struct session *session, const struct options *options, const struct url *url);

/* Ends at once and without a word; no event comes any more. Accepts NULL. */
void session_free(struct session *session);

/* Sends DISCONNECT, so that the last will is dropped, and ends when the broker has closed or a second has passed. */
void session_close(struct session *session);

/* To be called about once a second: keep-alive and deadlines. */
void session_tick(struct session *session);

/* Whether the socket keeps up; publishing although it does not only fills buffers. */
bool session_has_room(const struct session *session);

/* Publishes; of `publish` that is topic, payload, QoS and `retained`. `properties`: gathered, MQTT 5 only. `ret_mid`: 0 with QoS 0.
 * Errors: -EINVAL: not a topic; -EILSEQ: topic not UTF-8; -EMSGSIZE: more than the broker takes; -ENOTCONN: the session is ending,
 * `lost` follows. */
int session_publish(struct session *session, const struct codec_publish *publish, struct tg_bytes properties,
		    uint16_t *ret_mid);

/* Bytes put into the connection so far, and how many of them are with the operating system: what was put in before `session_put`
 * said n is sent when `session_sent` says n or more. */
uint64_t session_put(const struct session *session);
uint64_t session_sent(const struct session *session);

/* "MQTT 5, TLSv1.3 TLS_AES_128_GCM_SHA256", once it is up. */
const char *session_describe(const struct session *session);
/* As connection_tell and connection_objection. */
bool session_tell(const struct session *session, uint64_t handle);
const char *session_objection(const struct session *session, const struct options *options);

/* Ends the session with this cause; `lost` follows from the loop. */
void session_fail(struct session *session, const char *cause);

#endif
