/* SPDX-License-Identifier: Apache-2.0 */
#include "search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

enum word {
	REL,
	VAL,
	HREF,
	PREFIX_REL,
	PREFIX_VAL,
	PREFIX_HREF,
	LEX_REL,
	LEX_MIN,
	LEX_MAX,
	MIN_LAT,
	MAX_LAT,
	MIN_LONG,
	MAX_LONG,
	WORDS
};

static const char *const names[WORDS] = {"rel",
					 "val",
					 "href",
					 "prefix-rel",
					 "prefix-val",
					 "prefix-href",
					 "lexrange-rel",
					 "lexrange-min",
					 "lexrange-max",
					 "geobound-minlat",
					 "geobound-maxlat",
					 "geobound-minlong",
					 "geobound-maxlong"};

struct search {
	char *words[WORDS]; /* NULL: not asked for */
	double bounds[WORDS];
	/* Of the item that is looked at: */
	bool simple, prefix, range, has_latitude, has_longitude;
	double latitude, longitude;
	struct text address;
};

static int set_word(struct search *search, const char *name, const char *value)
{
	for (int i = 0; i < WORDS; i++) {
		char *end;

		if (strcmp(name, names[i]) != 0)
			continue;
		free(search->words[i]);
		search->words[i] = strdup(value);
		if (!search->words[i])
			return -ENOMEM;
		search->bounds[i] = strtod(value, &end);
		if (i >= MIN_LAT && (*end || end == value || !(search->bounds[i] >= -360 && search->bounds[i] <= 360)))
			return -EINVAL;
		return 1;
	}
	return 0;
}

static int read_all(struct search *search, const char *query)
{
	char name[TARGET_VALUE_MAX], value[TARGET_VALUE_MAX];
	int count = 0, found = 0, r;

	while ((r = target_parameter(&query, name, value)) > 0) {
		if (++count > TARGET_PARAMETERS_MAX)
			return -EINVAL;
		r = set_word(search, name, value);
		if (r < 0)
			return r;
		found += r;
	}
	return r < 0 ? -EINVAL : found;
}

int search_new(const char *query, struct search **ret_search)
{
	struct search *search = calloc(1, sizeof(*search));
	int r = search ? read_all(search, query) : -ENOMEM;

	if (r <= 0) {
		search_free(search);
		search = NULL;
	}
	if (r >= 0)
		*ret_search = search;
	return r < 0 ? r : 0;
}

void search_free(struct search *search)
{
	if (!search)
		return;
	for (int i = 0; i < WORDS; i++)
		free(search->words[i]);
	text_done(&search->address);
	free(search);
}

static bool is_equal(const char *word, struct tg_bytes value)
{
	return !word || (strlen(word) == value.size && memcmp(word, value.data, value.size) == 0);
}

static bool is_begin(const char *word, struct tg_bytes value)
{
	return !word || (strlen(word) <= value.size && memcmp(word, value.data, strlen(word)) == 0);
}

/* As bytes, which is the order of Unicode. */
static int compare(struct tg_bytes value, const char *word)
{
	size_t length = strlen(word), size = value.size < length ? value.size : length;
	int order = size ? memcmp(value.data, word, size) : 0;

	return order ? order : (value.size > length) - (value.size < length);
}

static bool is_in_range(const struct search *search, struct tg_bytes value)
{
	return (!search->words[LEX_MIN] || compare(value, search->words[LEX_MIN]) >= 0) &&
	       (!search->words[LEX_MAX] || compare(value, search->words[LEX_MAX]) < 0);
}

static double number(struct tg_bytes value)
{
	char text[LABELS_COORDINATE_SIZE] = "";

	if (value.size && value.size < sizeof(text))
		memcpy(text, value.data, value.size);
	return strtod(text, NULL);
}

static void look_at(void *arg, const char *relation, struct tg_bytes value)
{
	struct search *search = arg;
	const struct tg_bytes name = {.data = relation, .size = strlen(relation)};
	char *const *words = search->words;

	search->simple |= is_equal(words[REL], name) && is_equal(words[VAL], value);
	search->prefix |= is_begin(words[PREFIX_REL], name) && is_begin(words[PREFIX_VAL], value);
	search->range |= is_equal(words[LEX_REL], name) && is_in_range(search, value);
	if (strcmp(relation, "http://www.w3.org/2003/01/geo/wgs84_pos#lat") == 0) {
		search->has_latitude = true;
		search->latitude = number(value);
	} else if (strcmp(relation, "http://www.w3.org/2003/01/geo/wgs84_pos#long") == 0) {
		search->has_longitude = true;
		search->longitude = number(value);
	}
}

static bool asks(const struct search *search, enum word first, enum word last)
{
	for (int i = (int)first; i <= (int)last; i++)
		if (search->words[i])
			return true;
	return false;
}

static bool is_in_bounds(const struct search *search)
{
	const double *bounds = search->bounds;
	char *const *words = search->words;

	if ((words[MIN_LAT] || words[MAX_LAT]) && !search->has_latitude)
		return false;
	if ((words[MIN_LONG] || words[MAX_LONG]) && !search->has_longitude)
		return false;
	return !(words[MIN_LAT] && search->latitude < bounds[MIN_LAT]) &&
	       !(words[MAX_LAT] && search->latitude > bounds[MAX_LAT]) &&
	       !(words[MIN_LONG] && search->longitude < bounds[MIN_LONG]) &&
	       !(words[MAX_LONG] && search->longitude > bounds[MAX_LONG]);
}

bool search_is_met(struct search *search, const struct about *about, const struct view_device *device,
		   const struct view_item *item)
{
	if (!search)
		return true;
	search->simple = search->prefix = search->range = search->has_latitude = search->has_longitude = false;
	text_clear(&search->address);
	item_address(about, device, item, &search->address);
	if (!is_equal(search->words[HREF], text_bytes(&search->address)) ||
	    !is_begin(search->words[PREFIX_HREF], text_bytes(&search->address)))
		return false;
	item_metadata(about, device, item, look_at, search);
	return (search->simple || !asks(search, REL, VAL)) &&
	       (search->prefix || !asks(search, PREFIX_REL, PREFIX_VAL)) &&
	       (search->range || !asks(search, LEX_REL, LEX_MAX)) && is_in_bounds(search);
}
