/* SPDX-License-Identifier: Apache-2.0 */
#include "item.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "common/media.h"
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

void item_address(const struct about *about, const struct view_device *device, const struct view_item *item,
		  struct text *text)
{
	text_words(text, about->url);
	text_words(text, item ? "/readings/" : "/cat/");
	text_segment(text, name_of(device), false);
	if (item && item->path_size) {
		text_words(text, "/");
		text_segment(text, (struct tg_bytes){.data = item->path, .size = item->path_size}, true);
	}
}

/* DEVICE or DEVICE/PATH, for people and for what the operator says of it. */
static void plain_name(const struct view_device *device, const struct view_item *item, struct text *text)
{
	text_add(text, name_of(device));
	if (item && item->path_size) {
		text_words(text, "/");
		text_add(text, (struct tg_bytes){.data = item->path, .size = item->path_size});
	}
	text_add(text, (struct tg_bytes){.data = "", .size = 1});
}

static void tell_description(const struct about *about, const struct view_device *device, const struct view_item *item,
			     item_pair_fn *fn, void *arg)
{
	struct text name = {.data = NULL};
	const char *found = NULL;

	plain_name(device, item, &name);
	for (size_t i = 0; !name.failed && !found && i < about->descriptions_count; i++)
		if (fnmatch(about->descriptions[i].name, name.data, 0) == 0 &&
		    (strchr(about->descriptions[i].name, '/') != NULL) == (item != NULL))
			found = about->descriptions[i].words;
	if (found)
		fn(arg, RELATION("hasDescription:en"), words(found));
	else if (!name.failed)
		fn(arg, RELATION("hasDescription:en"), words(name.data));
	text_done(&name);
}

static void tell_place(const struct about *about, const struct view_device *device, item_pair_fn *fn, void *arg)
{
	for (size_t i = 0; i < about->places_count; i++) {
		const struct item_place *place = &about->places[i];

		if (fnmatch(place->device, device->name, 0) != 0)
			continue;
		fn(arg, GEO("lat"), words(place->latitude));
		fn(arg, GEO("long"), words(place->longitude));
		return;
	}
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
	struct text name = {.data = NULL};

	text_words(text, "<");
	item_address(about, item->device, item, text);
	text_words(text, ">;rt=\"tidegate.last\"");
	if (item->content_format != TG_FORMAT_NONE) {
		text_words(text, ";ct=");
		text_number(text, (uint64_t)item->content_format);
	}
	plain_name(item->device, item, &name);
	text_words(text, ";title=");
	text_quoted(text, (struct tg_bytes){.data = name.data, .size = name.failed ? 0 : name.size - 1});
	text_done(&name);
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
	for (size_t i = 0; i < about->places_count; i++)
		free(about->places[i].device);
	free(about->places);
	for (size_t i = 0; i < about->descriptions_count; i++) {
		free(about->descriptions[i].name);
		free(about->descriptions[i].words);
	}
	free(about->descriptions);
	*about = (struct about){.url = NULL};
}
