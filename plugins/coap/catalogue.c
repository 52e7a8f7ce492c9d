/* SPDX-License-Identifier: Apache-2.0 */
#include "catalogue.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "directory_links.h"

/* What the tree and the allocator take for an entry, about; and how often its text is there: once more in the whole. */
enum { OVERHEAD_BYTES = 64, TEXTS = 2 };

#define HASH_FIRST UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

/* In a tree by its target. */
struct catalogue_entry {
	struct tg_bytes target;
	uint64_t hash;
	size_t size;
	char text[];
};

struct catalogue {
	struct catalogue_order order;
	void *tree;
	size_t bytes;
	struct text link;    /* the one that is being looked at */
	struct text decoded; /* its target, without percent-encoding */
	struct text whole;
	uint64_t etag;
};

int catalogue_new(const struct catalogue_order *order, struct catalogue **ret_catalogue)
{
	struct catalogue *catalogue = calloc(1, sizeof(*catalogue));
	if (!catalogue)
		return -ENOMEM;
	catalogue->order = *order;
	*ret_catalogue = catalogue;
	return 0;
}

void catalogue_free(struct catalogue *catalogue)
{
	if (!catalogue)
		return;
	tdestroy(catalogue->tree, free);
	text_done(&catalogue->link);
	text_done(&catalogue->decoded);
	text_done(&catalogue->whole);
	free(catalogue);
}

static int compare(const void *one, const void *other)
{
	const struct catalogue_entry *a = one, *b = other;
	size_t size = a->target.size < b->target.size ? a->target.size : b->target.size;
	int order = memcmp(a->target.data, b->target.data, size);
	return order ? order : (a->target.size > b->target.size) - (a->target.size < b->target.size);
}

static int digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

static void decode(struct tg_bytes target, struct text *text)
{
	const char *data = target.data;
	text_clear(text);
	for (size_t i = 0; i < target.size; i++) {
		char c = data[i];
		if (c == '%' && i + 2 < target.size && digit(data[i + 1]) >= 0 && digit(data[i + 2]) >= 0) {
			c = (char)(digit(data[i + 1]) * 16 + digit(data[i + 2]));
			i += 2;
		}
		text_add(text, (struct tg_bytes){.data = &c, .size = 1});
	}
}

/* Clients decode a query before it leaves, and cannot say what was encoded in it (RFC 7252 section 6.4). */
static bool target_matches(struct catalogue *catalogue, const struct links_wish *wish, struct tg_bytes target)
{
	if (links_value_matches(wish, target, false))
		return true;
	decode(target, &catalogue->decoded);
	return links_value_matches(wish, text_bytes(&catalogue->decoded), false);
}

static bool matches(struct catalogue *catalogue, const struct links_wish *wish, const struct reading_link *reading,
		    const struct directory_link *link)
{
	struct tg_bytes rest = link->parameters;
	struct directory_parameter parameter;
	if (links_is_name(wish->name, "href"))
		return target_matches(catalogue, wish, link->target);
	if (links_is_name(wish->name, "ep"))
		return links_value_matches(wish, reading->device, false);
	while (directory_parameter_next(&rest, &parameter)) {
		if (parameter.name.size != wish->name.size ||
		    memcmp(parameter.name.data, wish->name.data, wish->name.size) != 0)
			continue;
		return wish->any ||
		       (parameter.value.data && links_value_matches(wish, parameter.value, parameter.quoted));
	}
	return false;
}

static bool is_found(struct catalogue *catalogue, const struct reading_link *reading, const struct directory_link *link)
{
	const struct links_search *search = &catalogue->order.search;
	for (size_t i = 0; i < search->wishes_count; i++)
		if (!matches(catalogue, &search->wishes[i], reading, link))
			return false;
	return true;
}

static size_t cost_of(size_t size)
{
	return sizeof(struct catalogue_entry) + TEXTS * size + OVERHEAD_BYTES;
}

static void entry_free(struct catalogue *catalogue, struct catalogue_entry *entry)
{
	catalogue->bytes -= cost_of(entry->size);
	free(entry);
}

/* The one before it has gone, renewed or not found any more. */
static void drop(struct catalogue *catalogue, struct tg_bytes target)
{
	struct catalogue_entry wanted = {.target = target};
	struct catalogue_entry **place = tfind(&wanted, &catalogue->tree, compare);
	if (!place)
		return;
	struct catalogue_entry *entry = *place;
	(void)tdelete(&wanted, &catalogue->tree, compare);
	entry_free(catalogue, entry);
}

/* FNV-1a: it only has to differ where the text differs. */
static uint64_t hash_of(const char *data, size_t size)
{
	uint64_t hash = HASH_FIRST;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (uint8_t)data[i]) * HASH_PRIME;
	return hash;
}

/* The link, with the ',' that stands behind all but the last. */
static int add(struct catalogue *catalogue, const struct directory_link *link)
{
	const struct text *text = &catalogue->link;
	size_t size = text->size + 1;
	if (cost_of(size) > catalogue->order.limit_bytes - catalogue->bytes)
		return -ENOSPC;
	struct catalogue_entry *entry = malloc(sizeof(*entry) + size);
	if (!entry)
		return -ENOMEM;
	*entry = (struct catalogue_entry){.hash = hash_of(text->data, text->size), .size = size};
	memcpy(entry->text, text->data, text->size);
	entry->text[text->size] = ',';
	entry->target = (struct tg_bytes){.data = entry->text + ((const char *)link->target.data - text->data),
					  .size = link->target.size};
	if (!tsearch(entry, &catalogue->tree, compare)) {
		free(entry);
		return -ENOMEM;
	}
	catalogue->bytes += cost_of(size);
	return 0;
}

int catalogue_put(struct catalogue *catalogue, const struct reading_link *reading)
{
	struct directory_link link;
	text_clear(&catalogue->link);
	reading_link_write(reading, catalogue->order.base, catalogue->order.labels, &catalogue->link);
	if (catalogue->link.failed)
		return -ENOMEM;
	struct tg_bytes text = text_bytes(&catalogue->link);
	if (!directory_link_next(&text, &link))
		return 0; /* nobody could read it */
	drop(catalogue, link.target);
	bool found = is_found(catalogue, reading, &link);
	if (catalogue->decoded.failed)
		return -ENOMEM;
	return found ? add(catalogue, &link) : 0;
}

static void collect(const void *node, VISIT visit, void *arg)
{
	struct catalogue *catalogue = arg;
	const struct catalogue_entry *entry = *(struct catalogue_entry *const *)node;
	if ((visit != postorder && visit != leaf) || !links_search_takes(&catalogue->order.search))
		return;
	text_add(&catalogue->whole, (struct tg_bytes){.data = entry->text, .size = entry->size});
	catalogue->etag = (catalogue->etag ^ entry->hash) * HASH_PRIME;
}

int catalogue_end(struct catalogue *catalogue, struct tg_bytes *ret_text, uint64_t *ret_etag)
{
	catalogue->etag = HASH_FIRST;
	twalk_r(catalogue->tree, collect, catalogue);
	if (catalogue->whole.failed)
		return -ENOMEM;
	*ret_text = text_bytes(&catalogue->whole);
	ret_text->size -= ret_text->size > 0; /* the last ',' */
	*ret_etag = catalogue->etag ? catalogue->etag : 1;
	return 0;
}
