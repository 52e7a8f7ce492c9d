/* SPDX-License-Identifier: Apache-2.0 */
#include "labels.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

bool labels_is_degrees(const char *text, double most)
{
	char *end;
	double degrees = strtod(text, &end);

	return end != text && !*end && strspn(text, "+-.0123456789") == strlen(text) && degrees >= -most &&
	       degrees <= most;
}

static int bad(const struct tg_host *host, const char *name, const char *value)
{
	host->log(host, TG_LOG_ERROR, NULL, "'%s' cannot be read: \"%s\"", name, value);
	return -EINVAL;
}

static int read_place(const struct tg_host *host, const char *line, struct labels_place *place)
{
	const char *longitude = strrchr(line, ' '), *latitude = longitude;

	while (latitude && latitude > line && latitude[-1] != ' ')
		latitude--;
	if (!latitude || latitude <= line + 1 || longitude - latitude >= LABELS_COORDINATE_SIZE ||
	    strlen(longitude + 1) >= LABELS_COORDINATE_SIZE)
		return bad(host, "places", line);
	memcpy(place->latitude, latitude, (size_t)(longitude - latitude));
	memcpy(place->longitude, longitude + 1, strlen(longitude + 1));
	if (!labels_is_degrees(place->latitude, 90) || !labels_is_degrees(place->longitude, 180))
		return bad(host, "places", line);
	place->device = strndup(line, (size_t)(latitude - line - 1));
	return place->device ? 0 : -ENOMEM;
}

static int read_description(const struct tg_host *host, const char *line, struct labels_description *description)
{
	size_t name = strcspn(line, " "), blank = strspn(line + name, " ");

	if (name == 0 || line[name + blank] == '\0')
		return bad(host, "descriptions", line);
	description->name = strndup(line, name);
	description->words = strdup(line + name + blank);
	return description->name && description->words ? 0 : -ENOMEM;
}

static size_t count_items(const struct tg_host *host, const char *name)
{
	size_t count = 0;

	while (host->setting_item(host, name, count))
		count++;
	return count;
}

static int read_all(const struct tg_host *host, struct labels *labels)
{
	size_t places = count_items(host, "places"), descriptions = count_items(host, "descriptions");
	int r = 0;

	labels->places = calloc(places + 1, sizeof(*labels->places));
	labels->descriptions = calloc(descriptions + 1, sizeof(*labels->descriptions));
	if (!labels->places || !labels->descriptions)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < places; i++)
		r = read_place(host, host->setting_item(host, "places", i), &labels->places[labels->places_count++]);
	for (size_t i = 0; r >= 0 && i < descriptions; i++)
		r = read_description(host, host->setting_item(host, "descriptions", i),
				     &labels->descriptions[labels->descriptions_count++]);
	return r;
}

int labels_read(const struct tg_host *host, struct labels *ret_labels)
{
	struct labels labels = {.places = NULL};
	int r = read_all(host, &labels);

	if (r < 0) {
		labels_done(&labels);
		return r;
	}
	*ret_labels = labels;
	return 0;
}

void labels_done(struct labels *labels)
{
	for (size_t i = 0; i < labels->places_count; i++)
		free(labels->places[i].device);
	free(labels->places);
	for (size_t i = 0; i < labels->descriptions_count; i++) {
		free(labels->descriptions[i].name);
		free(labels->descriptions[i].words);
	}
	free(labels->descriptions);
	*labels = (struct labels){.places = NULL};
}

const struct labels_place *labels_place(const struct labels *labels, const char *device)
{
	for (size_t i = 0; i < labels->places_count; i++)
		if (fnmatch(labels->places[i].device, device, 0) == 0)
			return &labels->places[i];
	return NULL;
}

const char *labels_description(const struct labels *labels, const char *name, bool reading)
{
	for (size_t i = 0; i < labels->descriptions_count; i++)
		if ((strchr(labels->descriptions[i].name, '/') != NULL) == reading &&
		    fnmatch(labels->descriptions[i].name, name, 0) == 0)
			return labels->descriptions[i].words;
	return NULL;
}
