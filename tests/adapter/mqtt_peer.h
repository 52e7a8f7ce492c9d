/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MQTT_PEER_H
#define TESTS_MQTT_PEER_H

/* Somebody else at the broker, with properties of any content, over libmosquitto. Whatever goes wrong ends the test. */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "mqtt_broker.h"

struct peer_message { /* NULL or empty: without that property */
	const char *topic;
	struct tg_bytes payload;
	const char *method;
	const char *via;
	const char *content_type;
	const char *reply_to;
	struct tg_bytes correlation;
	uint32_t expiry_s;
	uint8_t qos;
	bool retain;
	bool utf8;
};

/* Publishes, and returns when the broker has it. */
void peer_publish(const struct broker *broker, const struct peer_message *message);
/* The payload as text, QoS 1, nothing else. */
void peer_say(const struct broker *broker, const char *topic, const char *payload);

struct peer_heard {
	bool heard;
	char topic[256];
	uint8_t correlation[2048];
	uint16_t correlation_size;
};

struct peer;

/* Subscribes, and returns when the subscription stands. Ownership: peer_free. */
struct peer *peer_listen(const struct broker *broker, const char *filter);
void peer_free(struct peer *peer);
/* Looks at the socket for a moment. The last message that came. */
const struct peer_heard *peer_heard(struct peer *peer);

#endif
