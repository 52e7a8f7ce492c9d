/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_RECEIVE_H
#define MQTT_RECEIVE_H

/*
 * The receiving connection to one broker: it subscribes, hands over what comes in, and acknowledges what it is told to, and nothing
 * before. For inbox.c, which makes the next one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "connection.h"

enum { RECEIVE_CAUSE_SIZE = CONNECTION_CAUSE_SIZE };
/* The largest packet that is read whole: the largest payload, the longest topic, and as much again for properties. */
enum { RECEIVE_PACKET_MAX = TG_PAYLOAD_MAX + 4 * 65536 };

struct codec_publish;
struct options;
struct receive;
struct url;

/* `up` comes at most once; `lost` ends the connection and comes once: only there it may be freed. */
struct receive_events {
	/* The broker has accepted the connection. `resumed`: it knows what was subscribed to and not acknowledged before. */
	void (*up)(void *arg, bool resumed);
	/* Whether one more message could be taken now. No: reading stops until receive_resume. */
	bool (*has_room)(void *arg);
	/* A message. `too_large`: larger than RECEIVE_PACKET_MAX: topic, QoS and packet id alone are filled in. */
	void (*arrived)(void *arg, const struct codec_publish *publish, bool too_large);
	/* A message of QoS 2 that was acknowledged does not come again, and waits for receive_complete. */
	void (*released)(void *arg, uint16_t mid);
	/* The answer to a subscription or to its end; from 0x80 on it is refused. */
	void (*subscribed)(void *arg, uint16_t mid, uint8_t reason);
	/* `cause`: NULL after receive_close, else why. */
	void (*lost)(void *arg, const char *cause);
};

/* Begins to connect. `options` and `url` are lent until receive_free. Ownership: receive_free. Errors: -ENOMEM, -EAGAIN, -EMFILE. */
int receive_new(const struct tg_host *host, const struct options *options, const struct url *url,
		const struct receive_events *events, void *arg, struct receive **ret_receive);

/* Others are lent from now on, which for a connection that is not being closed are the same in what concerns it. */
void receive_set_options(struct receive *receive, const struct options *options, const struct url *url);

/* Ends at once and without a word; no event comes any more. Accepts NULL. */
void receive_free(struct receive *receive);

/* Whether what is put in here still reaches the broker. */
bool receive_is_up(const struct receive *receive);

/* Once it is up. */
void receive_subscribe(struct receive *receive, uint16_t mid, const char *filter);
void receive_unsubscribe(struct receive *receive, uint16_t mid, const char *filter);
/* PUBACK, or PUBREC. Returns whether it is to be released. */
bool receive_acknowledge(struct receive *receive, uint16_t mid, uint8_t qos, uint8_t reason);
void receive_complete(struct receive *receive, uint16_t mid, uint8_t reason);

/* There is room again. */
void receive_resume(struct receive *receive);

/* Sends what is to be sent and DISCONNECT, and ends when the broker has closed or a second has passed. `forget`: the broker need keep
 * nothing of the session. */
void receive_close(struct receive *receive, bool forget);

/* Ends with this cause; `lost` follows from the loop. */
void receive_fail(struct receive *receive, const char *cause);

/* To be called about once a second: keep-alive and deadlines. */
void receive_tick(struct receive *receive);

/* "MQTT 5, TLSv1.3 TLS_AES_128_GCM_SHA256", once it is up. */
const char *receive_describe(const struct receive *receive);
/* As connection_tell and connection_objection. */
bool receive_tell(const struct receive *receive, uint64_t handle);
const char *receive_objection(const struct receive *receive, const struct options *options);

#endif
