/* SPDX-License-Identifier: Apache-2.0 */
#include "mqtt_peer.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEER_TURNS = 3000, PEER_TURN_MS = 10 };

struct peer {
	struct mosquitto *mosq;
	bool connected;
	bool done;
	struct peer_heard heard;
};

static void peer_check(int rc, const char *what)
{
	if (rc == MOSQ_ERR_SUCCESS)
		return;
	fprintf(stderr, "peer: %s: %s\n", what, mosquitto_strerror(rc));
	abort();
}

static void on_connect(struct mosquitto *mosq, void *arg, int rc, int flags, const mosquitto_property *properties)
{
	(void)mosq;
	(void)flags;
	(void)properties;
	((struct peer *)arg)->connected = rc == 0;
}

static void on_publish(struct mosquitto *mosq, void *arg, int mid, int reason, const mosquitto_property *properties)
{
	(void)mosq;
	(void)mid;
	(void)properties;
	peer_check(reason >= 0x80, "the broker refuses the message");
	((struct peer *)arg)->done = true;
}

static void on_subscribe(struct mosquitto *mosq, void *arg, int mid, int count, const int *granted,
			 const mosquitto_property *properties)
{
	(void)mosq;
	(void)mid;
	(void)properties;
	peer_check(count != 1 || granted[0] >= 0x80, "the broker refuses the subscription");
	((struct peer *)arg)->done = true;
}

static void on_message(struct mosquitto *mosq, void *arg, const struct mosquitto_message *message,
		       const mosquitto_property *properties)
{
	struct peer_heard *heard = &((struct peer *)arg)->heard;
	void *correlation = NULL;
	uint16_t size = 0;

	(void)mosq;
	*heard = (struct peer_heard){.heard = true};
	snprintf(heard->topic, sizeof(heard->topic), "%s", message->topic);
	mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &correlation, &size, false);
	heard->correlation_size = size;
	if (size > 0 && size <= sizeof(heard->correlation))
		memcpy(heard->correlation, correlation, size);
	free(correlation);
}

static void peer_until(struct peer *peer, const bool *condition)
{
	for (int i = 0; !*condition; i++) {
		peer_check(i == PEER_TURNS, "the broker does not answer");
		peer_check(mosquitto_loop(peer->mosq, PEER_TURN_MS, 1), "connection");
	}
}

static struct peer *peer_connect(const struct broker *broker)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	mosquitto_lib_init();
	peer->mosq = mosquitto_new(NULL, true, peer);
	mosquitto_int_option(peer->mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	mosquitto_connect_v5_callback_set(peer->mosq, on_connect);
	mosquitto_publish_v5_callback_set(peer->mosq, on_publish);
	mosquitto_subscribe_v5_callback_set(peer->mosq, on_subscribe);
	mosquitto_message_v5_callback_set(peer->mosq, on_message);
	if (broker->server[0])
		peer_check(mosquitto_tls_set(peer->mosq, broker_file("ca.crt"), NULL, broker_file("client.crt"),
					     broker_file("client.key"), NULL),
			   "TLS");
	peer_check(mosquitto_connect(peer->mosq, "localhost", broker->port, 60), "connect");
	peer_until(peer, &peer->connected);
	return peer;
}

void peer_free(struct peer *peer)
{
	if (!peer)
		return;
	mosquitto_disconnect(peer->mosq);
	mosquitto_destroy(peer->mosq);
	free(peer);
}

static void add_text(mosquitto_property **properties, int id, const char *text)
{
	if (text)
		peer_check(mosquitto_property_add_string(properties, id, text), "property");
}

static void add_user(mosquitto_property **properties, const char *name, const char *value)
{
	if (value)
		peer_check(mosquitto_property_add_string_pair(properties, MQTT_PROP_USER_PROPERTY, name, value),
			   "user property");
}

void peer_publish(const struct broker *broker, const struct peer_message *message)
{
	struct peer *peer = peer_connect(broker);
	mosquitto_property *properties = NULL;

	add_user(&properties, "method", message->method);
	add_user(&properties, "via", message->via);
	add_text(&properties, MQTT_PROP_CONTENT_TYPE, message->content_type);
	add_text(&properties, MQTT_PROP_RESPONSE_TOPIC, message->reply_to);
	if (message->correlation.data)
		peer_check(mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA,
							 message->correlation.data,
							 (uint16_t)message->correlation.size),
			   "correlation data");
	if (message->expiry_s > 0)
		peer_check(
			mosquitto_property_add_int32(&properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, message->expiry_s),
			"expiry");
	if (message->utf8)
		peer_check(mosquitto_property_add_byte(&properties, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1), "format");
	peer_check(mosquitto_publish_v5(peer->mosq, NULL, message->topic, (int)message->payload.size,
					message->payload.data, message->qos, message->retain, properties),
		   "publish");
	peer_until(peer, &peer->done);
	mosquitto_property_free_all(&properties);
	peer_free(peer);
}

void peer_say(const struct broker *broker, const char *topic, const char *payload)
{
	peer_publish(broker, &(struct peer_message){.topic = topic, .payload = {payload, strlen(payload)}, .qos = 1});
}

struct peer *peer_listen(const struct broker *broker, const char *filter)
{
	struct peer *peer = peer_connect(broker);

	peer_check(mosquitto_subscribe(peer->mosq, NULL, filter, 1), "subscribe");
	peer_until(peer, &peer->done);
	return peer;
}

const struct peer_heard *peer_heard(struct peer *peer)
{
	peer_check(mosquitto_loop(peer->mosq, 1, 1), "connection");
	return &peer->heard;
}
