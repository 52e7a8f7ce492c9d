/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_SESSION_H
#define MQTT_SESSION_H

/*
 * One connection to one broker, from the look-up of its name to its end: one handle of libmosquitto, never used again after
 * that (a used one would send what it still holds on its own account). The thread of session_connect does what blocks,
 * the look-up and the TCP connection; everything else runs on the host's loop. For link.c, which makes the next one.
 *
 * What is published gathers and leaves as one write at the end of the loop's turn.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/adapter.h>

enum { SESSION_CAUSE_SIZE = 256 };

struct options;
struct mqtt5__property;
struct session;
struct url;

/* A topic and what is said there; for the last will. Text is terminated. */
struct session_will {
	const char *topic;
	const char *payload;
	bool retain;
};

/* What the broker allows (MQTT 5 section 3.2.2.3). */
struct session_limits {
	unsigned receive_maximum; /* messages of QoS 1 and 2 on their way at once */
	uint8_t max_qos;
	bool retain;
	uint32_t max_packet_bytes; /* 0: no limit */
};

/* `up` comes at most once; `lost` ends the session and comes once: only there it may be freed. From within `answered`
 * nothing of the session may be called, from the others everything else. */
struct session_events {
	/* The broker has accepted the connection. */
	void (*up)(void *arg, const struct session_limits *limits);
	/* PUBACK or PUBCOMP for a packet id, with its reason code (MQTT 5 section 3.4.2.1; 0 in 3.1.1). */
	void (*answered)(void *arg, uint16_t mid, uint8_t reason);
	/* Something has moved: there may be room for more. */
	void (*moved)(void *arg);
	/* Everything published so far is with the operating system. */
	void (*written)(void *arg);
	/* `cause`: NULL after session_close, else why. */
	void (*lost)(void *arg, const char *cause);
};

/* Sessions that were given up while their thread was still waiting for the network: kept until it comes back. */
struct session_orphans {
	struct session *first;
};

/* At the adapter's end, after which nothing posted is run any more: frees what is finished, and leaves what is not to its
 * thread. */
void session_orphans_done(struct session_orphans *orphans);

/* `options`, `url` and `will` (NULL: none) are read during the call only; `orphans` lives longer than the session.
 * Ownership: session_free. Errors: -ENOMEM, -EINVAL. */
int session_new(const struct tg_host *host, const struct options *options, const struct url *url,
		const struct session_will *will, const struct session_events *events, void *arg,
		struct session_orphans *orphans, struct session **ret_session);

/* Begins to connect. Errors: -EAGAIN or -ENOMEM: no thread; -EBUSY: too many orphans; `lost` is not called. */
int session_connect(struct session *session);

/* Ends at once and without a word; no event comes any more. Where the thread still waits for the network the session becomes
 * an orphan. Not from within `answered`. */
void session_free(struct session *session);

/* Sends DISCONNECT, so that the last will is dropped, and ends when the broker has closed or a second has passed. */
void session_close(struct session *session);

/* To be called about once a second: keep-alive and deadlines. */
void session_tick(struct session *session);

/* Whether the socket keeps up; publishing although it does not only fills buffers. */
bool session_has_room(const struct session *session);

/* Publishes. `properties` may be NULL and stay the caller's.
 * Errors: -EINVAL: not a topic; -EILSEQ: topic not UTF-8; -EMSGSIZE; -ENOTCONN: the session is ending, `lost` follows. */
int session_publish(struct session *session, const char *topic, struct tg_bytes payload, uint8_t qos, bool retain,
		    const struct mqtt5__property *properties, uint16_t *ret_mid);

/* "MQTT 5, TLSv1.3 TLS_AES_128_GCM_SHA256", once it is up. */
const char *session_describe(const struct session *session);

/* Tells the host of the session, once it is up: whom with and how. One without TLS, or with a broker that nothing is asked of, is
 * not told of: nobody has proved anything there. Returns whether it was told, and its end is to be told as well. */
bool session_tell(const struct session *session, uint64_t handle);

/* Why a session that is up could not go on with these options, or NULL. Static storage. */
const char *session_objection(const struct session *session, const struct options *options);

/* Ends the session with this cause; `lost` follows from the loop. */
void session_fail(struct session *session, const char *cause);

#endif
