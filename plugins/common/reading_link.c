/* SPDX-License-Identifier: Apache-2.0 */
#include "reading_link.h"

#include <string.h>

#include "stamp.h"

void reading_link_address(const struct reading_link *link, struct text *text)
{
	text_segment(text, link->device, false);
	if (link->path.size == 0)
		return;
	text_words(text, "/");
	text_segment(text, link->path, true);
}

void reading_link_name(const struct reading_link *link, struct text *text)
{
	text_add(text, link->device);
	if (link->path.size) {
		text_words(text, "/");
		text_add(text, link->path);
	}
	text_add(text, (struct tg_bytes){.data = "", .size = 1});
}

static void write_attribute(struct text *text, const char *name, const char *value)
{
	text_words(text, ";");
	text_words(text, name);
	text_words(text, "=");
	text_quoted(text, (struct tg_bytes){.data = value, .size = strlen(value)});
}

/* Where nobody has described it, its name. */
static void write_title(const struct reading_link *link, const struct labels *labels, struct text *text)
{
	struct text name = {.data = NULL};

	reading_link_name(link, &name);
	if (name.failed) {
		text->failed = true;
	} else {
		const char *words = labels_description(labels, name.data, true);

		write_attribute(text, "title", words ? words : name.data);
	}
	text_done(&name);
}

static void write_place(const struct reading_link *link, const struct labels *labels, struct text *text)
{
	char device[TG_DEVICE_MAX + 1];
	const struct labels_place *place;

	if (link->device.size > TG_DEVICE_MAX)
		return;
	memcpy(device, link->device.data, link->device.size);
	device[link->device.size] = '\0';
	place = labels_place(labels, device);
	if (!place)
		return;
	write_attribute(text, "lat", place->latitude);
	write_attribute(text, "long", place->longitude);
}

void reading_link_write(const struct reading_link *link, const char *base, const struct labels *labels,
			struct text *text)
{
	char stamp[STAMP_TIME_SIZE];

	text_words(text, "<");
	text_words(text, base);
	reading_link_address(link, text);
	text_words(text, ">;rt=\"tidegate.last\"");
	if (link->content_format != TG_FORMAT_NONE) {
		text_words(text, ";ct=");
		text_number(text, (uint64_t)link->content_format);
	}
	write_title(link, labels, text);
	write_place(link, labels, text);
	if (link->time_wall_us > 0) {
		stamp_time(link->time_wall_us, stamp);
		write_attribute(text, "lastUpdated", stamp);
	}
	if (link->observable)
		text_words(text, ";obs");
}
