/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coap/catalogue.h"
#include "coap/directory_links.h"

enum { LIMIT = 1 << 20, MANY = 10000 };

static char pumps[] = "pump-*", hall[] = "pump-1/hall", hall_words[] = "Hall \"3\"";
static struct labels_place place = {.device = pumps, .latitude = "51.5", .longitude = "-0.12"};
static struct labels_description description = {.name = hall, .words = hall_words};
static const struct labels labels = {
	.places = &place, .places_count = 1, .descriptions = &description, .descriptions_count = 1};

static struct tg_bytes bytes(const char *text)
{
	return (struct tg_bytes){.data = text, .size = strlen(text)};
}

/* With up to two queries. */
static struct catalogue *make(const char *one, const char *other, size_t limit_bytes)
{
	struct catalogue_order order = {.base = "/r/", .labels = &labels, .limit_bytes = limit_bytes};
	struct catalogue *catalogue;

	if (one)
		ck_assert(!links_search_add(&order.search, bytes(one)));
	if (other)
		ck_assert(!links_search_add(&order.search, bytes(other)));
	ck_assert(!links_search_begin(&order.search));
	ck_assert_int_eq(catalogue_new(&order, &catalogue), 0);
	return catalogue;
}

static int put(struct catalogue *catalogue, const char *device, const char *path, int32_t content_format)
{
	const struct reading_link link = {
		.device = bytes(device), .path = bytes(path), .content_format = content_format, .observable = true};

	return catalogue_put(catalogue, &link);
}

static char whole[1024];
static uint64_t etag;

/* Frees it. */
static const char *end(struct catalogue *catalogue)
{
	struct tg_bytes text;

	ck_assert_int_eq(catalogue_end(catalogue, &text, &etag), 0);
	ck_assert_uint_lt(text.size, sizeof(whole));
	if (text.size)
		memcpy(whole, text.data, text.size);
	whole[text.size] = '\0';
	catalogue_free(catalogue);
	return whole;
}

#define HALL "</r/pump-1/hall>;rt=\"tidegate.last\";ct=110;title=\"Hall \\\"3\\\"\";lat=\"51.5\";long=\"-0.12\";obs"
#define ODD  "</r/x%20y/%C3%A4%2Fb>;rt=\"tidegate.last\";ct=0;title=\"x y/\xc3\xa4%2Fb\";obs"
#define NONE "</r/tank>;rt=\"tidegate.last\";title=\"tank\";obs"

static void put_all(struct catalogue *catalogue)
{
	ck_assert_int_eq(put(catalogue, "x y", "\xc3\xa4%2F\x62", 0), 0);
	ck_assert_int_eq(put(catalogue, "tank", "", TG_FORMAT_NONE), 0);
	ck_assert_int_eq(put(catalogue, "pump-1", "hall", 110), 0);
}

START_TEST(searches)
{
	static const struct {
		const char *one, *other, *wanted;
	} rows[] = {
		{NULL, NULL, HALL "," NONE "," ODD},
		{"rt=tidegate.last", NULL, HALL "," NONE "," ODD},
		{"rt=tidegate", NULL, ""},
		{"rt=tide*", "ct=0", ODD},
		{"ct", NULL, HALL "," ODD},
		{"ct=1*", NULL, HALL},
		{"obs", "lat=51.5", HALL},
		{"obs=", NULL, ""},
		{"title=Hall \"3\"", NULL, HALL},
		{"title=Hall \"*", NULL, HALL},
		{"title=Hall \\*", NULL, ""},
		{"title=pump-1/hall", NULL, ""},
		{"href=/r/tank", NULL, NONE},
		{"href=/r/*", NULL, HALL "," NONE "," ODD},
		{"href=/r/x%20y/*", NULL, ODD},
		{"href=/r/x y/*", NULL, ODD},
		{"href=/r/x y/\xc3\xa4/b", NULL, ODD},
		{"href=/r/x%20y/\xc3\xa4/b", NULL, ""},
		{"ep=tank", NULL, NONE},
		{"ep=t*", NULL, NONE},
		{"ep=pump-1", "ct=0", ""},
		{"if=sensor", NULL, ""},
		{"", NULL, ""},
		{"*", NULL, ""},
		{"count=2", NULL, HALL "," NONE},
		{"count=2", "page=1", ODD},
		{"count=2", "page=2", ""},
		{"count=0", NULL, ""},
		{"ct", "count=1", HALL},
		{"page=4294967295", "count=4294967295", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct catalogue *catalogue = make(rows[i].one, rows[i].other, LIMIT);

		put_all(catalogue);
		ck_assert_str_eq(end(catalogue), rows[i].wanted);
	}
}
END_TEST

START_TEST(what_is_renewed_is_there_once)
{
	struct catalogue *catalogue = make("ct=110", NULL, LIMIT);

	ck_assert_int_eq(put(catalogue, "pump-1", "hall", 110), 0);
	ck_assert_int_eq(put(catalogue, "pump-1", "hall", 110), 0);
	ck_assert_int_eq(put(catalogue, "tank", "", 110), 0);
	ck_assert_int_eq(put(catalogue, "tank", "", TG_FORMAT_NONE), 0); /* and is not found any more */
	ck_assert_str_eq(end(catalogue), HALL);
}
END_TEST

START_TEST(tags_follow_from_the_text)
{
	struct catalogue *catalogue = make(NULL, NULL, LIMIT);
	uint64_t first, second;

	put_all(catalogue);
	(void)end(catalogue);
	first = etag;
	catalogue = make("href=/r/*", NULL, LIMIT);
	ck_assert_int_eq(put(catalogue, "tank", "", TG_FORMAT_NONE), 0);
	ck_assert_int_eq(put(catalogue, "pump-1", "hall", 0), 0);
	put_all(catalogue);
	(void)end(catalogue);
	ck_assert_uint_eq(etag, first);
	catalogue = make(NULL, NULL, LIMIT);
	put_all(catalogue);
	ck_assert_int_eq(put(catalogue, "pump-1", "hall", 0), 0);
	(void)end(catalogue);
	second = etag;
	ck_assert_uint_ne(second, first);
	(void)end(make(NULL, NULL, LIMIT));
	ck_assert(etag != 0 && etag != first && etag != second);
}
END_TEST

START_TEST(it_is_bounded)
{
	struct catalogue *catalogue = make(NULL, NULL, 4096);
	struct tg_bytes text;
	char path[16];
	int r = 0, count = 0;

	for (; r == 0 && count < 1000; count++) {
		snprintf(path, sizeof(path), "n/%03d", count);
		r = put(catalogue, "tank", path, 0);
	}
	ck_assert_int_eq(r, -ENOSPC);
	ck_assert_int_gt(count, 10);
	for (int i = 0; i < 1000; i++) /* the same one again takes nothing more */
		ck_assert_int_eq(put(catalogue, "tank", "n/000", 0), 0);
	ck_assert_int_eq(catalogue_end(catalogue, &text, &etag), 0);
	ck_assert_uint_lt(2 * text.size, 4096);
	catalogue_free(catalogue);
	catalogue = make("ep=nobody", NULL, 4096);
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "n/%03d", i);
		ck_assert_int_eq(put(catalogue, "tank", path, 0), 0); /* nor does what is not searched */
	}
	catalogue_free(catalogue);
	catalogue_free(NULL);
}
END_TEST

START_TEST(many)
{
	struct catalogue *catalogue = make(NULL, NULL, 64 * LIMIT);
	char device[32], before[64] = "";
	struct directory_link link;
	struct tg_bytes text;
	size_t count;

	for (unsigned i = 0; i < MANY; i++) {
		snprintf(device, sizeof(device), "dev-%05u", i * 7919 % MANY);
		ck_assert_int_eq(put(catalogue, device, "temp", 110), 0);
	}
	ck_assert_int_eq(catalogue_end(catalogue, &text, &etag), 0);
	ck_assert(!directory_links_check(text, &count));
	ck_assert_uint_eq(count, MANY);
	while (directory_link_next(&text, &link)) {
		char target[64];

		snprintf(target, sizeof(target), "%.*s", (int)link.target.size, (const char *)link.target.data);
		ck_assert_str_lt(before, target);
		memcpy(before, target, sizeof(before));
	}
	catalogue_free(catalogue);
}
END_TEST

START_TEST(searches_that_are_none)
{
	static const char *const rows[][2] = {
		{"page=1", NULL}, {"count=x", NULL},      {"count=1", "count=1"},
		{"count", NULL},  {"page=-1", "count=1"}, {"count=1*", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct links_search search = {.wishes_count = 0};
		const char *problem = links_search_add(&search, bytes(rows[i][0]));

		if (!problem && rows[i][1])
			problem = links_search_add(&search, bytes(rows[i][1]));
		ck_assert_msg(problem || links_search_begin(&search), "%s", rows[i][0]);
	}
	struct links_search search = {.wishes_count = 0};
	for (int i = 0; i < LINKS_SEARCH_MAX; i++)
		ck_assert(!links_search_add(&search, bytes("ct=0")));
	ck_assert(links_search_add(&search, bytes("ct=0")) != NULL);
}
END_TEST

SUITE_MAIN("coap_catalogue", searches, what_is_renewed_is_there_once, tags_follow_from_the_text, it_is_bounded, many,
	   searches_that_are_none)
