/* SPDX-License-Identifier: Apache-2.0 */
#include "item.h"

#include <stdlib.h>
#include <string.h>

#include "common/media.h"
#include "common/reading_link.h"
#include "common/stamp.h"

#define RELATION(name) "urn:X-hypercat:rels:" name
#define GEO(name)      "http://www.w3.org/2003/01/geo/wgs84_pos#" name

static struct tg_bytes words(const char *text)
{
	return (struct tg_bytes){.data = text, .size = strlen(text)};
}

static struct tg_bytes name_of(const struct view_device *device)
{
	return (struct tg_bytes){.data = device->name, .size = device->size};
}

static struct reading_link link_of(const struct view_device *device, const struct view_item *item)
{
	struct reading_link link = {.device = name_of(device)};

	if (!item)
		return link;
	link.path = (struct tg_bytes){.data = item->path, .size = item->path_size};
	link.content_format = item->content_format;
	link.time_wall_us = item->time_wall_us;
	return link;
}

void item_address(const struct about *about, const struct view_device *device, const struct view_item *item,
		  struct text *text)
{
	const struct reading_link link = link_of(device, item);

	text_words(text, about->url);
	text_words(text, item ? "/readings/" : "/cat/");
	reading_link_address(&link, text);
}

static void tell_description(const struct about *about, const struct view_device *device, const struct view_item *item,
			     item_pair_fn *fn, void *arg)
{
	const struct reading_link link = link_of(device, item);
	struct text name = {.data = NULL};

	reading_link_name(&link, &name);
	if (!name.failed) {
		const char *found = labels_description(&about->labels, name.data, item != NULL);

		fn(arg, RELATION("hasDescription:en"), words(found ? found : name.data));
	}
	text_done(&name);
}

static void tell_place(const struct about *about, const struct view_device *device, item_pair_fn *fn, void *arg)
{
	const struct labels_place *place = labels_place(&about->labels, device->name);

	if (!place)
		return;
	fn(arg, GEO("lat"), words(place->latitude));
	fn(arg, GEO("long"), words(place->longitude));
}

static void tell_time(int64_t wall_us, item_pair_fn *fn, void *arg)
{
	char stamp[STAMP_TIME_SIZE];

	if (wall_us <= 0)
		return;
	stamp_time(wall_us, stamp);
	fn(arg, RELATION("lastUpdated"), words(stamp));
}

void item_metadata(const struct about *about, const struct view_device *device, const struct view_item *item,
		   item_pair_fn *fn, void *arg)
{
	const char *type = ITEM_TYPE;
	bool utf8;

	if (item)
		type = media_type(item->content_format, &utf8);
	/* What nobody has told the type of is bytes. */
	fn(arg, RELATION("isContentType"), words(type ? type : "application/octet-stream"));
	tell_description(about, device, item, fn, arg);
	tell_time(item ? item->time_wall_us : device->time_wall_us, fn, arg);
	tell_place(about, device, fn, arg);
	fn(arg, "urn:X-tidegate:rels:device", name_of(device));
}

struct pairs {
	struct text *text;
	bool some;
};

static void write_pair(void *arg, const char *relation, struct tg_bytes value)
{
	struct pairs *pairs = arg;

	text_words(pairs->text, pairs->some ? ",{\"rel\":\"" : "{\"rel\":\"");
	text_words(pairs->text, relation); /* ours: nothing in it needs escaping */
	text_words(pairs->text, "\",\"val\":");
	text_json(pairs->text, value);
	text_words(pairs->text, "}");
	pairs->some = true;
}

void item_json(const struct about *about, const struct view_device *device, const struct view_item *item,
	       struct text *text)
{
	struct pairs pairs = {.text = text};

	text_words(text, "{\"href\":\"");
	item_address(about, device, item, text); /* percent-encoded: the same */
	text_words(text, "\",\"item-metadata\":[");
	item_metadata(about, device, item, write_pair, &pairs);
	text_words(text, "]}");
}

void item_link(const struct about *about, const struct view_item *item, struct text *text)
{
	const struct reading_link link = link_of(item->device, item);
	struct text base = {.data = NULL};

	text_words(&base, about->url);
	text_words(&base, "/readings/");
	text_add(&base, (struct tg_bytes){.data = "", .size = 1});
	if (base.failed)
		text->failed = true;
	else
		reading_link_write(&link, base.data, &about->labels, text);
	text_done(&base);
}

void item_head(const struct about *about, const struct view_device *device, int64_t updated_wall_us, struct text *text)
{
	static const char *const searches[] = {"simple", "prefix", "lexrange", "geobound"};
	struct pairs pairs = {.text = text};
	struct text value = {.data = NULL};

	text_words(text, "{\"catalogue-metadata\":[");
	if (device) {
		item_metadata(about, device, NULL, write_pair, &pairs);
	} else {
		write_pair(&pairs, RELATION("isContentType"), words(ITEM_TYPE));
		write_pair(&pairs, RELATION("hasDescription:en"), words(about->description));
		tell_time(updated_wall_us, write_pair, &pairs);
		if (about->latitude[0] && about->longitude[0]) {
			write_pair(&pairs, GEO("lat"), words(about->latitude));
			write_pair(&pairs, GEO("long"), words(about->longitude));
		}
	}
	for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
		text_clear(&value);
		text_words(&value, "urn:X-hypercat:search:");
		text_words(&value, searches[i]);
		write_pair(&pairs, RELATION("supportsSearch"), text_bytes(&value));
	}
	text_clear(&value);
	text_words(&value, about->url);
	text_words(&value, "/events");
	write_pair(&pairs, RELATION("eventSource"), text_bytes(&value));
	text_done(&value);
	text_words(text, "],\"items\":[");
}

void item_about_done(struct about *about)
{
	free(about->url);
	free(about->description);
	labels_done(&about->labels);
	*about = (struct about){.url = NULL};
}
