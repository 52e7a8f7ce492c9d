/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <string.h>

#include "common/media.h"
#include "common/stamp.h"
#include "common/utf8.h"
#include "common/words.h"

/* Identifier, two lengths and the names "id", "device", "time"; then the values of known length. */
enum { PACKET_USER_BYTES = 3 * 5 + 2 + 6 + 4 + (STAMP_ID_SIZE - 1) + (STAMP_TIME_SIZE - 1) };
/* The same of a response, with the names "outcome", "code", "path", "command" and the longest outcome; Correlation Data. */
enum { PACKET_RESPONSE_BYTES = 4 * 5 + 7 + 4 + 4 + 7 + 9 + (WORDS_CODE_SIZE - 1) + (STAMP_ID_SIZE - 1) + 3 };
enum { PACKET_VIA_BYTES = 5 + 3 };
enum { PACKET_TYPE_BYTES = 3, PACKET_FORMAT_BYTES = 2, PACKET_EXPIRY_BYTES = 5 };

static int packet_error(int rc)
{
	switch (rc) {
	case MOSQ_ERR_SUCCESS:
		return 0;
	case MOSQ_ERR_NOMEM:
		return -ENOMEM;
	default:
		return -EINVAL;
	}
}

static int packet_user(mosquitto_property **properties, const char *name, const char *value)
{
	return mosquitto_property_add_string_pair(properties, MQTT_PROP_USER_PROPERTY, name, value);
}

/* A value that is not terminated. */
static int packet_user_bytes(mosquitto_property **properties, const char *name, struct tg_bytes value)
{
	char text[TG_PATH_MAX + 1];

	if (value.size >= sizeof(text))
		return MOSQ_ERR_INVAL;
	if (value.size > 0)
		memcpy(text, value.data, value.size);
	text[value.size] = '\0';
	return strlen(text) == value.size ? packet_user(properties, name, text) : MOSQ_ERR_INVAL;
}

static const char *packet_outcome(uint32_t outcome)
{
	switch (outcome) {
	case TG_OUTCOME_DELIVERED:
		return "delivered";
	case TG_OUTCOME_EXPIRED:
		return "expired";
	default:
		return "refused";
	}
}

/* How a command ended. */
static int packet_add_response(const struct tg_delivery *delivery, mosquitto_property **properties)
{
	char command[STAMP_ID_SIZE], code[WORDS_CODE_SIZE];
	int rc = packet_user(properties, "outcome", packet_outcome(delivery->outcome));

	stamp_id(delivery->command, command);
	words_code(delivery->code, code);
	if (rc == MOSQ_ERR_SUCCESS && delivery->code != 0)
		rc = packet_user(properties, "code", code);
	/* A path may hold what cannot stand in MQTT: then the outcome goes without it. */
	if (rc == MOSQ_ERR_SUCCESS && packet_user_bytes(properties, "path", delivery->path) == MOSQ_ERR_NOMEM)
		rc = MOSQ_ERR_NOMEM;
	if (rc == MOSQ_ERR_SUCCESS)
		rc = packet_user(properties, "command", command);
	if (rc == MOSQ_ERR_SUCCESS && delivery->correlation.size > TG_CORRELATION_MAX)
		rc = MOSQ_ERR_INVAL;
	if (rc == MOSQ_ERR_SUCCESS && delivery->correlation.size > 0)
		rc = mosquitto_property_add_binary(properties, MQTT_PROP_CORRELATION_DATA, delivery->correlation.data,
						   (uint16_t)delivery->correlation.size);
	return rc;
}

static int packet_add(const struct tg_delivery *delivery, uint32_t expiry_s, const char *via,
		      mosquitto_property **properties)
{
	char id[STAMP_ID_SIZE], time[STAMP_TIME_SIZE];
	bool utf8 = false;
	const char *type = media_type(delivery->content_format, &utf8);
	int rc;

	if (delivery->device.size > TG_DEVICE_MAX)
		return MOSQ_ERR_INVAL;
	stamp_id(delivery->id, id);
	stamp_time(delivery->time_wall_us, time);
	rc = packet_user(properties, "id", id);
	if (rc == MOSQ_ERR_SUCCESS)
		rc = packet_user_bytes(properties, "device", delivery->device);
	if (rc == MOSQ_ERR_SUCCESS)
		rc = packet_user(properties, "time", time);
	if (rc == MOSQ_ERR_SUCCESS && delivery->kind == TG_RESPONSE)
		rc = packet_add_response(delivery, properties);
	if (rc == MOSQ_ERR_SUCCESS && via)
		rc = packet_user(properties, "via", via);
	if (rc == MOSQ_ERR_SUCCESS && type)
		rc = mosquitto_property_add_string(properties, MQTT_PROP_CONTENT_TYPE, type);
	if (rc == MOSQ_ERR_SUCCESS && utf8 && utf8_is_good(delivery->payload))
		rc = mosquitto_property_add_byte(properties, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1);
	if (rc == MOSQ_ERR_SUCCESS && expiry_s > 0)
		rc = mosquitto_property_add_int32(properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, expiry_s);
	return rc;
}

int packet_properties(const struct tg_delivery *delivery, uint32_t expiry_s, const char *via,
		      struct mqtt5__property **ret_properties)
{
	mosquitto_property *properties = NULL;
	int rc = packet_add(delivery, expiry_s, via, &properties);

	if (rc != MOSQ_ERR_SUCCESS) {
		mosquitto_property_free_all(&properties);
		return packet_error(rc);
	}
	*ret_properties = properties;
	return 0;
}

int packet_status_properties(const char *via, struct mqtt5__property **ret_properties)
{
	mosquitto_property *properties = NULL;
	int rc = mosquitto_property_add_string(&properties, MQTT_PROP_CONTENT_TYPE, "application/json");

	if (rc == MOSQ_ERR_SUCCESS)
		rc = mosquitto_property_add_byte(&properties, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1);
	if (rc == MOSQ_ERR_SUCCESS && via)
		rc = packet_user(&properties, "via", via);
	if (rc != MOSQ_ERR_SUCCESS) {
		mosquitto_property_free_all(&properties);
		return packet_error(rc);
	}
	*ret_properties = properties;
	return 0;
}

/* How many bytes a variable byte integer takes (MQTT 5 section 1.5.5). */
static size_t packet_varint(size_t number)
{
	return number < 128 ? 1 : number < 16384 ? 2 : number < 2097152 ? 3 : 4;
}

size_t packet_size(const struct tg_delivery *delivery, const char *via, bool version5)
{
	size_t rest = 2 + delivery->address.size + 2 + delivery->payload.size, properties = 0;
	bool utf8;
	const char *type = media_type(delivery->content_format, &utf8);

	if (version5) {
		properties = PACKET_USER_BYTES + delivery->device.size + PACKET_FORMAT_BYTES + PACKET_EXPIRY_BYTES;
		if (type)
			properties += PACKET_TYPE_BYTES + strlen(type);
		if (delivery->kind == TG_RESPONSE)
			properties += PACKET_RESPONSE_BYTES + delivery->path.size + delivery->correlation.size;
		if (via)
			properties += PACKET_VIA_BYTES + strlen(via);
		rest += packet_varint(properties) + properties;
	}
	return 1 + packet_varint(rest) + rest;
}
