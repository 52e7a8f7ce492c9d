/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Feeds changed names, paths and queries to the catalogue of last readings. Whatever comes: nothing outside of the input is read, what comes
 * out is good link format, in order, with each address once, all of it fits the limit, and a search finds no more than there is.
 * Run with a number for more turns, and a seed.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/tool.h"
#include "coap/catalogue.h"
#include "coap/directory_links.h"
#include "fuzz/mutator.h"

enum { TURNS = 20000, READINGS = 24, QUERIES_MAX = 3, LIMIT = 8192, ROOM = 200 };

static const char *const names[] = {"pump-1", "a\"b\\c>,</x>;y=\"", "M\xc3\xb6", "..", "x y", "%41"};
static const char *const paths[] = {"", "t", "a/b/c", "a%2Fb%25", "\xc2\x85\xe2\x82\xac", "a//", "\"\\"};
static const char *const queries[] = {
	"rt=tidegate.last", "ct=0", "ct",     "href=/readings/*", "href=/readings/x y/t", "title=*", "title=pump-1/t",
	"ep=pump-*",        "obs",  "page=1", "count=3",          "lastUpdated=2026*"};

static struct tool_random chance;

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static uint32_t draw(uint32_t below)
{
	return tool_random_below(&chance, below);
}

/* One of `texts`, changed now and then, of exactly its size, so that AddressSanitizer sees each step outside. The caller frees it. */
static struct tg_bytes any(const char *const *texts, uint32_t count, size_t most, bool utf8)
{
	uint8_t input[ROOM];
	const char *text = texts[draw(count)];
	size_t size = strlen(text);

	memcpy(input, text, size);
	if (draw(3) == 0)
		size = mutator_bytes(&chance, input, size, most);
	if (utf8 && !directory_is_text((struct tg_bytes){input, size})) { /* what the core lets pass */
		size = strlen(text);
		memcpy(input, text, size);
	}
	uint8_t *copy = malloc(size ? size : 1);
	require(copy != NULL, "there is memory");
	memcpy(copy, input, size);
	return (struct tg_bytes){copy, size};
}

static void drop(struct tg_bytes bytes)
{
	free((void *)(uintptr_t)bytes.data);
}

static int put(struct catalogue *catalogue)
{
	struct reading_link link = {
		.device = any(names, sizeof(names) / sizeof(names[0]), 60, true),
		.path = any(paths, sizeof(paths) / sizeof(paths[0]), ROOM, true),
		.content_format = draw(3) ? (int32_t)draw(65536) : TG_FORMAT_NONE,
		.time_wall_us = draw(2) ? INT64_C(1777863721123456) : 0,
		.observable = draw(2) != 0,
	};
	/* A '%' of a path stands for "%25" and "%2F" alone. */
	const char *data = link.path.data;
	int r = 0;
	for (size_t i = 0; i < link.path.size; i++)
		if (data[i] == '%' && (i + 2 >= link.path.size || data[i + 1] != '2' || !strchr("5F", data[i + 2])))
			r = -EINVAL;
	if (r == 0)
		r = catalogue_put(catalogue, &link);
	drop(link.device);
	drop(link.path);
	return r;
}

static size_t check(struct tg_bytes text, size_t most)
{
	struct tg_bytes before = {.data = "", .size = 0};
	struct directory_link link;
	size_t count;

	require(!directory_links_check(text, &count), "it is link format");
	require(count <= most, "there is no more than was put in");
	while (directory_link_next(&text, &link)) {
		size_t size = before.size < link.target.size ? before.size : link.target.size;
		int order = memcmp(before.data, link.target.data, size);

		require(order < 0 || (order == 0 && before.size < link.target.size), "it is in order, and there once");
		before = link.target;
	}
	return count;
}

static void turn(unsigned long *found)
{
	const struct labels none = {.places = NULL};
	struct catalogue_order order = {.base = "/readings/", .labels = &none, .limit_bytes = LIMIT};
	struct tg_bytes wishes[QUERIES_MAX], text;
	struct catalogue *catalogue;
	uint32_t count = draw(QUERIES_MAX + 1), readings = draw(READINGS + 1);
	const char *problem = NULL;
	size_t links;
	uint64_t etag;
	int r = 0;

	for (uint32_t i = 0; i < count; i++) {
		wishes[i] = any(queries, sizeof(queries) / sizeof(queries[0]), ROOM, false);
		if (!problem)
			problem = links_search_add(&order.search, wishes[i]);
	}
	if (!problem)
		problem = links_search_begin(&order.search);
	require(catalogue_new(&order, &catalogue) == 0, "there is memory");
	for (uint32_t i = 0; !problem && r >= 0 && i < readings; i++) {
		r = put(catalogue);
		require(r >= 0 || r == -ENOSPC || r == -EINVAL, "nothing else goes wrong");
		r = r == -EINVAL ? 0 : r;
	}
	if (!problem && r >= 0) {
		require(catalogue_end(catalogue, &text, &etag) == 0 && etag != 0, "it is told");
		require(2 * text.size <= LIMIT, "it fits");
		links = check(text, readings);
		*found += links;
	}
	catalogue_free(catalogue);
	for (uint32_t i = 0; i < count; i++)
		drop(wishes[i]);
}

int main(int argc, char **argv)
{
	unsigned long turns = argc > 1 ? strtoul(argv[1], NULL, 10) : TURNS, found = 0;

	chance = (struct tool_random){.state = argc > 2 ? strtoull(argv[2], NULL, 10) : 4711};
	for (unsigned long i = 0; i < turns; i++)
		turn(&found);
	printf("%lu turns, %lu links\n", turns, found);
	require(found > turns, "the good ones are good");
	return 0;
}
