/* SPDX-License-Identifier: Apache-2.0 */
#include "catalogue.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* {"rel":"a","val":"b"} has 21 bytes, an item with one such pair 53 for three; a value stands behind a comma or a bracket. */
enum { DEPTH_MAX = 32, BYTES_EACH = 8, BYTES_VALUE = 4, BYTES_FREE = 1024 };

static const char *look_over(const unsigned char *text, size_t size)
{
	size_t depth = 0, boxes = 0, values = 0;
	bool quoted = false;

	for (size_t i = 0; i < size; i++) {
		if (quoted) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				quoted = false;
			continue;
		}
		if (text[i] == '"') {
			quoted = true;
		} else if (text[i] == '{' || text[i] == '[') {
			boxes++;
			if (++depth > DEPTH_MAX)
				return "it has more than 32 levels";
		} else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
			depth--;
		} else {
			values += text[i] == ',';
		}
	}
	if (boxes > size / BYTES_EACH + BYTES_FREE || values > size / BYTES_VALUE + BYTES_FREE)
		return "it has more arrays, objects or values than a catalogue of its size";
	return NULL;
}

static bool is_rel(const char *rel, const char *name)
{
	const char *last = strrchr(rel, ':');

	return (strncmp(rel, "urn:X-hypercat:rels:", 20) == 0 || strncmp(rel, "urn:X-tsbiot:rels:", 18) == 0) && last &&
	       strcmp(last + 1, name) == 0;
}

/* Parameters count for nothing. */
static bool is_catalogue_type(const char *type)
{
	static const char *const names[] = {"application/vnd.hypercat.catalogue+json",
					    "application/vnd.tsbiot.catalogue+json"};
	size_t size = strcspn(type, "; ");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == size && strncasecmp(type, names[i], size) == 0)
			return true;
	return false;
}

/* Returns whether all pairs are well-formed; others are left out. */
static bool take_pairs(const json_t *metadata, struct catalogue_pair pairs[CATALOGUE_PAIRS_MAX],
		       struct catalogue_item *item)
{
	bool good = true;

	for (size_t i = 0; i < json_array_size(metadata) && item->n_pairs < CATALOGUE_PAIRS_MAX; i++) {
		const json_t *pair = json_array_get(metadata, i);
		const char *rel = json_string_value(json_object_get(pair, "rel"));
		const char *val = json_string_value(json_object_get(pair, "val"));

		if (!rel || !val) {
			good = false;
			continue;
		}
		pairs[item->n_pairs++] = (struct catalogue_pair){rel, val};
		if (!item->content_type && is_rel(rel, "isContentType")) {
			item->content_type = val;
			item->is_catalogue = is_catalogue_type(val);
		}
	}
	return good;
}

static bool take_item(const json_t *entry, catalogue_item_fn *fn, void *arg)
{
	struct catalogue_pair pairs[CATALOGUE_PAIRS_MAX];
	struct catalogue_item item = {.href = json_string_value(json_object_get(entry, "href")), .pairs = pairs};
	const json_t *metadata = json_object_get(entry, "item-metadata");

	if (!metadata)
		metadata = json_object_get(entry, "i-object-metadata"); /* before 2.0 */
	if (!item.href || !item.href[0] || (metadata && !json_is_array(metadata)) ||
	    !take_pairs(metadata, pairs, &item))
		return false;
	fn(arg, &item);
	return true;
}

int catalogue_read(struct tg_bytes text, catalogue_item_fn *fn, void *arg, struct catalogue_report *ret_report)
{
	struct catalogue_report report = {.items = 0};
	const char *problem = text.size > 0 ? look_over(text.data, text.size) : "it is empty";
	json_error_t error = {.line = 0};
	json_t *root = problem ? NULL : json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, &error);
	const json_t *items = json_object_get(root, "items");

	if (!problem && !root)
		problem = error.text;
	else if (!problem && !json_is_array(items))
		problem = "it has no array \"items\"";
	if (problem) {
		snprintf(report.problem, sizeof(report.problem), "%s", problem);
		json_decref(root);
		*ret_report = report;
		return -EBADMSG;
	}
	for (size_t i = 0; i < json_array_size(items); i++) {
		if (take_item(json_array_get(items, i), fn, arg))
			report.items++;
		else
			report.malformed++;
	}
	json_decref(root);
	*ret_report = report;
	return 0;
}
