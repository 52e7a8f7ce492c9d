/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <errno.h>
#include <mosquitto.h>
#include <string.h>

#include "codec.h"
#include "common/media.h"
#include "common/stamp.h"
#include "common/utf8.h"
#include "common/words.h"

static struct tg_bytes packet_text(const char *text)
{
	return (struct tg_bytes){text, strlen(text)};
}

/* What libmosquitto takes for text: UTF-8 without control characters. */
static bool packet_is_text(struct tg_bytes text)
{
	return text.size == 0 || mosquitto_validate_utf8(text.data, (int)text.size) == MOSQ_ERR_SUCCESS;
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
static void packet_add_response(const struct tg_delivery *delivery, struct gather *properties)
{
	char command[STAMP_ID_SIZE], code[WORDS_CODE_SIZE];

	stamp_id(delivery->command, command);
	words_code(delivery->code, code);
	codec_put_user_property(properties, "outcome", packet_text(packet_outcome(delivery->outcome)));
	if (delivery->code != 0)
		codec_put_user_property(properties, "code", packet_text(code));
	/* A path may hold what cannot stand in MQTT: then the outcome goes without it. */
	if (delivery->path.size <= TG_PATH_MAX && packet_is_text(delivery->path))
		codec_put_user_property(properties, "path", delivery->path);
	codec_put_user_property(properties, "command", packet_text(command));
	if (delivery->correlation.size > 0)
		codec_put_bytes_property(properties, CODEC_CORRELATION, delivery->correlation);
}

int packet_properties(const struct tg_delivery *delivery, uint32_t expiry_s, const char *via, struct gather *properties)
{
	char id[STAMP_ID_SIZE], time[STAMP_TIME_SIZE];
	bool utf8 = false;
	const char *type = media_type(delivery->content_format, &utf8);

	if (!packet_is_text(delivery->device))
		return -EBADMSG;
	stamp_id(delivery->id, id);
	stamp_time(delivery->time_wall_us, time);
	codec_put_user_property(properties, "id", packet_text(id));
	codec_put_user_property(properties, "device", delivery->device);
	codec_put_user_property(properties, "time", packet_text(time));
	if (delivery->kind == TG_RESPONSE)
		packet_add_response(delivery, properties);
	if (via)
		codec_put_user_property(properties, "via", packet_text(via));
	if (type)
		codec_put_bytes_property(properties, CODEC_CONTENT_TYPE, packet_text(type));
	if (utf8 && utf8_is_good(delivery->payload))
		codec_put_number_property(properties, CODEC_PAYLOAD_FORMAT, 1, 1);
	if (expiry_s > 0)
		codec_put_number_property(properties, CODEC_MESSAGE_EXPIRY, expiry_s, 4);
	return properties->failed ? -ENOMEM : 0;
}

int packet_status_properties(const char *via, struct gather *properties)
{
	codec_put_bytes_property(properties, CODEC_CONTENT_TYPE, packet_text("application/json"));
	codec_put_number_property(properties, CODEC_PAYLOAD_FORMAT, 1, 1);
	if (via)
		codec_put_user_property(properties, "via", packet_text(via));
	return properties->failed ? -ENOMEM : 0;
}
