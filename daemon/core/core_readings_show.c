/* SPDX-License-Identifier: Apache-2.0 */

/* The last readings for the operator's eyes. */

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/core_readings.h"

enum { SHOWN_USUAL = 1000, SHOWN_MAX = 20000, PAYLOAD_SHOWN = 256 /* bytes */ };

struct listing {
	const struct core *core;
	bool payload;
	json_int_t room;
	json_int_t more;
	json_t *list;
};

/* What is not printable ASCII as \xHH, a backslash doubled. */
static json_t *printable(struct tg_bytes payload)
{
	static const char hex[] = "0123456789abcdef";
	char text[4 * PAYLOAD_SHOWN + 1], *at = text;
	const uint8_t *data = payload.data;

	for (size_t i = 0; i < payload.size && i < PAYLOAD_SHOWN; i++) {
		bool plain = data[i] >= ' ' && data[i] <= '~' && data[i] != '\\';

		if (!plain)
			*at++ = '\\';
		if (plain || data[i] == '\\') {
			*at++ = (char)data[i];
			continue;
		}
		*at++ = 'x';
		*at++ = hex[data[i] >> 4];
		*at++ = hex[data[i] & 15];
	}
	return json_stringn(text, (size_t)(at - text));
}

static json_t *format_of(int32_t format)
{
	const char *type = config_format_type(format);

	if (format == TG_FORMAT_NONE)
		return json_string("none");
	return *type ? json_string(type) : json_sprintf("%d", (int)format);
}

static int add_reading(void *arg, const struct last_reading *reading, size_t observers)
{
	const struct message *message = reading->message;
	struct listing *listing = arg;
	char time[CLOCK_TEXT_SIZE];
	json_t *row;

	if (listing->room == 0) {
		listing->more++;
		return 0;
	}
	listing->room--;
	clock_format(message->time_wall_us, time);
	row = json_pack("{s:o,s:o,s:s,s:I,s:o,s:I,s:I,s:I}", "device", control_text(message->device), "path",
			control_text(message->path), "time", time, "age_ms",
			(json_int_t)((loop_now_us(listing->core->loop) - message->taken_us) / CLOCK_MS_US), "format",
			format_of(message->content_format), "bytes", (json_int_t)message->payload.size, "fresh_s",
			(json_int_t)core_reading_max_age_s(listing->core, message), "observers", (json_int_t)observers);
	if (row && listing->payload) {
		json_object_set_new(row, "payload", printable(message->payload));
		json_object_set_new(row, "cut", json_boolean(message->payload.size > PAYLOAD_SHOWN));
	}
	json_array_append_new(listing->list, row);
	return 0;
}

void core_command_readings(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const char *device = json_string_value(json_object_get(request, "device"));
	const struct tg_bytes name = bytes_text(device);
	json_int_t count = json_integer_value(json_object_get(request, "count"));
	struct listing listing = {.core = core,
				  .payload = json_is_true(json_object_get(request, "payload")),
				  .room = count > 0 && count <= SHOWN_MAX ? count : SHOWN_USUAL,
				  .list = json_array()};

	if (device && !devices_find(core->devices, name)) {
		json_decref(listing.list);
		control_fail(call, "unknown", "no device \"%s\" is enrolled", device);
		return;
	}
	readings_each(core->readings->readings, device ? &name : NULL, add_reading, &listing);
	control_reply(call, json_pack("{s:o,s:I}", "readings", listing.list, "more", listing.more));
}
