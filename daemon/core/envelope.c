/* SPDX-License-Identifier: Apache-2.0 */
#include "core/envelope.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "core/config.h"
#include "format/json_text.h"

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), tail = strlen(end);

	return size >= tail && strcmp(text + size - tail, end) == 0;
}

static bool is_json(const char *type)
{
	return ends_with(type, "/json") || ends_with(type, "+json");
}

/* No format at all: sensors often leave it out. */
static bool is_text(int32_t format, const char *type)
{
	return format == TG_FORMAT_NONE || is_json(type) || strncmp(type, "text/", 5) == 0 || ends_with(type, "/xml") ||
	       ends_with(type, "+xml") || ends_with(type, "/link-format");
}

static int append_base64(struct buffer *buffer, struct tg_bytes bytes)
{
	size_t size = base64_size(BASE64_PLAIN, bytes.size);
	char *room = (char *)buffer_reserve(buffer, size + 2);

	if (!room)
		return -ENOBUFS;
	room[0] = room[size + 1] = '"';
	base64_encode(BASE64_PLAIN, bytes, room + 1);
	buffer_commit(buffer, size + 2);
	return 0;
}

static int append_payload(const struct message *message, const char *type, struct buffer *buffer)
{
	bool text = is_text(message->content_format, type) && bytes_is_utf8(message->payload);
	bool json = text && is_json(type) && json_text_valid(message->payload);
	int r = json_text_raw(buffer, json   ? ",\"encoding\":\"json\",\"payload\":"
				      : text ? ",\"encoding\":\"text\",\"payload\":"
					     : ",\"encoding\":\"base64\",\"payload\":");

	if (r < 0)
		return r;
	if (json)
		return buffer_append(buffer, message->payload.data, message->payload.size);
	return text ? json_text_string(buffer, message->payload) : append_base64(buffer, message->payload);
}

static int append_member(struct buffer *buffer, const char *head, struct tg_bytes text)
{
	int r = json_text_raw(buffer, head);

	return r < 0 ? r : json_text_string(buffer, text);
}

static int append_origin(const struct message *message, const struct envelope_source *source, struct buffer *buffer)
{
	char id[UUID_TEXT_SIZE], time[CLOCK_TEXT_SIZE];
	int r;

	uuid_format(message->id, id);
	clock_format(message->time_wall_us, time);
	r = append_member(buffer, "{\"id\":", bytes_text(id));
	if (r >= 0)
		r = append_member(buffer, ",\"gateway\":", bytes_text(source->gateway));
	if (r >= 0 && *source->site)
		r = append_member(buffer, ",\"site\":", bytes_text(source->site));
	if (r >= 0)
		r = append_member(buffer, ",\"endpoint\":", bytes_text(source->endpoint));
	if (r >= 0)
		r = append_member(buffer, ",\"device\":", message->device);
	if (r >= 0)
		r = append_member(buffer, ",\"path\":", message->path);
	if (r >= 0)
		r = append_member(buffer, ",\"time\":", bytes_text(time));
	return r;
}

int envelope_append(const struct message *message, const struct envelope_source *source, struct buffer *buffer)
{
	const char *type = config_format_type(message->content_format);
	int r = append_origin(message, source, buffer);

	if (r >= 0 && message->content_format != TG_FORMAT_NONE) {
		r = json_text_raw(buffer, ",\"format\":");
		if (r >= 0)
			r = json_text_whole(buffer, message->content_format);
		if (r >= 0 && *type)
			r = append_member(buffer, ",\"type\":", bytes_text(type));
	}
	if (r >= 0)
		r = append_payload(message, type, buffer);
	return r < 0 ? r : json_text_raw(buffer, "}");
}
