/* SPDX-License-Identifier: Apache-2.0 */

/* What the hypercat adapter does without a socket: addresses, tokens, fields, searches, views. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "hypercat/item.h"
#include "hypercat/search.h"
#include "hypercat/target.h"
#include "hypercat/token.h"
#include "hypercat/wishes.h"
#include "suite.h"

START_TEST(targets)
{
	static const struct {
		const char *uri;
		int code;
		enum target_kind kind;
		const char *device, *path;
	} rows[] = {
		{"/cat", 0, TARGET_CATALOGUE, "", ""},
		{"/cat/", 0, TARGET_CATALOGUE, "", ""},
		{"/cat?rel=x", 0, TARGET_CATALOGUE, "", ""},
		{"/cat/pump%2F1", 0, TARGET_CATALOGUE, "pump/1", "pump%2F1"},
		{"/cat/pump/1", 404, TARGET_CATALOGUE, "pump", "pump/1"},
		{"/catalogue", 404, TARGET_UNKNOWN, "", ""},
		{"/.well-known/core?href=/a", 0, TARGET_LINKS, "", ""},
		{"/events", 0, TARGET_EVENTS, "", ""},
		{"/readings/a/b/c", 0, TARGET_READINGS, "a", "a/b/c"},
		{"/readings/a%25/%41%2f/%c3%a4", 0, TARGET_READINGS, "a%", "a%25/A%2F/\xc3\xa4"},
		{"/readings", 404, TARGET_READINGS, "", ""},
		{"/readings/a//b", 400, TARGET_READINGS, NULL, NULL},
		{"/readings/a/", 400, TARGET_READINGS, NULL, NULL},
		{"/readings/%00", 400, TARGET_READINGS, NULL, NULL},
		{"/readings/%4", 400, TARGET_READINGS, NULL, NULL},
		{"/readings/%", 400, TARGET_READINGS, NULL, NULL},
		{"HTTPS://gateway:8443/readings/a/b?c", 0, TARGET_READINGS, "a", "a/b"},
		{"https://gateway", 404, TARGET_UNKNOWN, "", ""},
		{"https://gateway?/cat", 404, TARGET_UNKNOWN, "", ""},
		{"ftp://gateway/cat", 400, TARGET_UNKNOWN, NULL, NULL},
		{"readings/a", 400, TARGET_UNKNOWN, NULL, NULL},
		{"", 400, TARGET_UNKNOWN, NULL, NULL},
		{"/", 404, TARGET_UNKNOWN, NULL, NULL},
	};
	struct target target;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_msg(target_read(rows[i].uri, &target) == rows[i].code, "%s", rows[i].uri);
		ck_assert_int_eq(target.kind, rows[i].kind);
		if (!rows[i].path)
			continue;
		ck_assert_str_eq(target.device, rows[i].device);
		ck_assert(bytes_equal(bytes_of(target.path, target.path_size), bytes_text(rows[i].path)));
	}
}
END_TEST

START_TEST(targets_that_are_too_long)
{
	char uri[4 * TG_PATH_MAX] = "/readings/";
	struct target target;

	memset(uri + 10, 'a', TG_PATH_MAX);
	uri[10 + TG_PATH_MAX - 2] = '\0'; /* room for an escape is kept */
	ck_assert_int_eq(target_read(uri, &target), 0);
	memset(uri + 10, 'a', TG_PATH_MAX + 1);
	uri[10 + TG_PATH_MAX + 1] = '\0';
	ck_assert_int_eq(target_read(uri, &target), 414);
	ck_assert_uint_le(target.path_size, TG_PATH_MAX);
	memcpy(uri, "/cat/", 5);
	memset(uri + 5, 'a', TG_DEVICE_MAX + 1);
	uri[5 + TG_DEVICE_MAX + 1] = '\0';
	ck_assert_int_eq(target_read(uri, &target), 404);
	uri[5 + TG_DEVICE_MAX] = '\0';
	ck_assert_int_eq(target_read(uri, &target), 0);
	ck_assert_uint_eq(target.device_size, TG_DEVICE_MAX);
}
END_TEST

START_TEST(parameters)
{
	char name[TARGET_VALUE_MAX], value[TARGET_VALUE_MAX], large[TARGET_VALUE_MAX + 16];
	const char *at = "rel=a%20b+c&&val&x=%2B=y#fragment";

	ck_assert_int_eq(target_parameter(&at, name, value), 1);
	ck_assert_str_eq(name, "rel");
	ck_assert_str_eq(value, "a b c");
	ck_assert_int_eq(target_parameter(&at, name, value), 1);
	ck_assert_str_eq(name, "val");
	ck_assert_str_eq(value, "");
	ck_assert_int_eq(target_parameter(&at, name, value), 1);
	ck_assert_str_eq(value, "+=y");
	ck_assert_int_eq(target_parameter(&at, name, value), 0);
	at = "a=%0";
	ck_assert_int_eq(target_parameter(&at, name, value), -1);
	memset(large, 'a', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	at = large;
	ck_assert_int_eq(target_parameter(&at, name, value), -1);
}
END_TEST

START_TEST(tokens)
{
	static const char *const good[] = {
		"Bearer a:0aFf", "bearer  :a:0aff", "BASIC YTowYWZm", "Basic YTowYWZmOg==", "Basic OmE6MGFmZg==",
	};
	static const char *const bad[] = {
		"",
		"Bearer",
		"Bearer a",
		"Bearer a:",
		"Bearer :0aff",
		"Bearer a:0af",
		"Bearer a:0ag0",
		"Digest a:0aff",
		"Basic YTowYWZm!",
		"Basic",
		"Basic Og==",
		"Bearera:0aff",
	};
	struct token token;
	char large[4096];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(token_read(good[i], &token), "%s", good[i]);
		ck_assert_str_eq(token.name, "a");
		ck_assert_uint_eq(token.name_size, 1);
		ck_assert_uint_eq(token.key_size, 2);
		ck_assert_mem_eq(token.key, "\x0a\xff", 2);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!token_read(bad[i], &token), "%s", bad[i]);
	snprintf(large, sizeof(large), "Bearer %0300d:00", 1);
	ck_assert(!token_read(large, &token));
	snprintf(large, sizeof(large), "Basic %04000d", 1);
	ck_assert(!token_read(large, &token));
	snprintf(large, sizeof(large), "Bearer a:%0*d", 2 * TOKEN_KEY_MAX + 2, 1);
	ck_assert(!token_read(large, &token));
	ck_assert(token_read("Bearer urn:dev:mac:1:00", &token));
	ck_assert_str_eq(token.name, "urn:dev:mac:1");
}
END_TEST

START_TEST(fields)
{
	char date[WISHES_DATE_SIZE], tag[WISHES_TAG_SIZE];
	uint64_t generation, etag;

	static const struct {
		const char *accept, *type;
		unsigned weight;
	} all[] = {
		{NULL, "text/plain", 1000},
		{"*/*", NULL, 1000},
		{"text/html, TEXT/plain;q=0.5", "text/plain;charset=utf-8", 500},
		{"text/*", "text/plain", 1000},
		{"text/*;q=0, */*", "text/plain", 0},
		{"*/*, text/plain;q=0.0", "text/plain", 0},
		{"*/*;q=0, text/plain;q=0.01", "text/plain", 10},
		{"application/json", "text/plain", 0},
		{"", "text/plain", 0},
		{"application/json ; q=0.3 , application/cbor; q=1.000", "application/cbor", 1000},
		{"application/json ; q=0.3 , application/cbor; q=1.000", "application/json", 300},
		/* Parameters: of a text its charset; nothing else. Behind the weight anything. */
		{"application/json;charset=\"UTF-8\";q=0.25", "application/json", 250},
		{"application/json;q=0.1, application/json;charset=utf-8;q=0.9", "application/json", 900},
		{"application/json;version=2, */*;q=0.2", "application/json", 200},
		{"application/cbor;charset=utf-8", "application/cbor", 0},
		{"application/json;q=0.7;level=1", "application/json", 700},
		/* A comma and a semicolon within quotes end nothing. */
		{"a/b;c=\"x, application/json;q=1\", application/*;q=0.4", "application/json", 400},
		{"a/b;c=\"\\\"\", application/json;q=0.6", "application/json", 600},
		/* What is broken. */
		{"application/json;q=2", "application/json", 0},
		{"application/json;q=0.1234", "application/json", 0},
		{"application/json;q=, */*;q=0.5", "application/json", 500},
		{"application/json;q=-1, application/*;q=0.5", "application/json", 500},
		{",,;,;;q=1,\"", "application/json", 0},
		{"application*/json, application/, /json, *", "application/json", 0},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ck_assert_msg(wishes_accept(all[i].accept, all[i].type) == all[i].weight, "%s: %u", all[i].accept,
			      wishes_accept(all[i].accept, all[i].type));
	ck_assert(wishes_has("*", "\"a\""));
	ck_assert(wishes_has("\"x,y\", W/\"a\"", "\"a\""));
	ck_assert(!wishes_has("\"b\", \"ab\"", "\"a\""));
	ck_assert(!wishes_has("\"unclosed", "\"a\""));
	ck_assert(!wishes_has(NULL, "\"a\""));
	wishes_date(INT64_C(784111777) * 1000000, date);
	ck_assert_str_eq(date, "Sun, 06 Nov 1994 08:49:37 GMT");
	wishes_tag(UINT64_MAX, 7, tag);
	ck_assert_str_eq(tag, "ffffffffffffffff-0000000000000007");
	ck_assert(wishes_tag_read(tag, &generation, &etag));
	ck_assert_uint_eq(generation, UINT64_MAX);
	ck_assert_uint_eq(etag, 7);
	ck_assert(!wishes_tag_read(NULL, &generation, &etag));
	ck_assert(!wishes_tag_read("ffffffffffffffff-000000000000000", &generation, &etag));
	ck_assert(!wishes_tag_read("fffffffffffffffx-0000000000000007", &generation, &etag));
}
END_TEST

static size_t bytes, limit = 1 << 20;

static struct tg_listed entry(const char *device, const char *path, uint64_t etag)
{
	return (struct tg_listed){.size = sizeof(struct tg_listed),
				  .device = bytes_text(device),
				  .path = bytes_text(path),
				  .content_format = 110,
				  .etag = etag,
				  .time_wall_us = INT64_C(1770000000000000) + (int64_t)etag};
}

static void put(struct view *view, const char *device, const char *path, uint64_t etag)
{
	const struct tg_listed listed = entry(device, path, etag);

	ck_assert_int_eq(view_put(view, &listed), 0);
}

START_TEST(views_keep_their_order_and_tell_what_is_new)
{
	struct view_cursor now = {.at = NULL}, since = {.at = NULL}, all = {.at = NULL};
	struct view *view;

	ck_assert_int_eq(view_new(&bytes, &limit, &view), 0);
	put(view, "a", "x", 1);
	put(view, "b", "x", 2);
	put(view, "a", "y", 3);
	ck_assert_int_eq(view_put_device(view, bytes_text("c")), 0);
	ck_assert_int_eq(view_put_device(view, bytes_text("a")), 0);
	view_follow(view, &now);
	view_resume(view, &since, 2);
	view_rewind(view, &all);
	ck_assert_ptr_null(view_next(&now));
	put(view, "a", "x", 4);
	put(view, "a", "x", 5);
	ck_assert_uint_eq(view_next(&now)->etag, 5);
	ck_assert_ptr_null(view_next(&now));
	ck_assert_uint_eq(view_next(&since)->etag, 3);
	ck_assert_uint_eq(view_next(&since)->etag, 5);
	ck_assert_ptr_null(view_next(&since));
	ck_assert_uint_eq(view_next(&all)->etag, 2);
	put(view, "a", "y", 6); /* what it would have taken next */
	ck_assert_uint_eq(view_next(&all)->etag, 5);
	ck_assert_uint_eq(view_next(&all)->etag, 6);
	ck_assert_ptr_null(view_next(&all));
	ck_assert_uint_eq(view_devices(view), 3);
	ck_assert_uint_eq(view_items(view), 3);
	ck_assert_str_eq(view_device(view, 0)->name, "a");
	ck_assert_str_eq(view_device(view, 2)->name, "c");
	ck_assert_ptr_null(view_device(view, 3));
	ck_assert_ptr_eq(view_find(view, bytes_text("b")), view_device(view, 1));
	ck_assert_ptr_null(view_find(view, bytes_of("a\0x", 3))); /* that is a reading */
	ck_assert_uint_eq(view_newest(view)->etag, 6);
	ck_assert_uint_eq(view_device(view, 0)->first->etag, 5);
	view_leave(view, &now);
	view_leave(view, &since);
	view_leave(view, &all);
	view_unref(view);
	ck_assert_uint_eq(bytes, 0);
}
END_TEST

START_TEST(views_are_bounded)
{
	const struct tg_listed nobody = entry("", "x", 1);
	struct tg_listed listed = entry("a", "", 1);
	size_t small = 2000;
	struct view *view;
	char name[16];
	int r = 0, n = 0;

	ck_assert_int_eq(view_new(&bytes, &small, &view), 0);
	ck_assert_int_eq(view_put(view, &nobody), -EINVAL);
	for (; n < 100 && r == 0; n++) {
		snprintf(name, sizeof(name), "%d", n);
		listed.path = bytes_text(name);
		r = view_put(view, &listed);
	}
	ck_assert_int_eq(r, -ENOSPC);
	ck_assert_int_gt(n, 3);
	ck_assert_uint_le(bytes, small);
	listed.path = bytes_text("0");
	ck_assert_int_eq(view_put(view, &listed), 0); /* what is there is renewed */
	view_unref(view);
	ck_assert_uint_eq(bytes, 0);
}
END_TEST

static char empty[] = "", name[] = "dev-*", words[] = "Hall \"3\"", described[] = "dev-1/a*";

static const struct about *about(void)
{
	static struct labels_place place = {.device = name, .latitude = "51.5", .longitude = "-0.12"};
	static struct labels_description description = {.name = described, .words = words};
	static struct about all = {
		.url = empty,
		.description = words,
		.labels = {.places = &place, .places_count = 1, .descriptions = &description, .descriptions_count = 1}};

	return &all;
}

START_TEST(items)
{
	struct text text = {.data = NULL};
	const struct view_device *device;
	struct view *view;

	ck_assert_int_eq(view_new(&bytes, &limit, &view), 0);
	put(view, "dev-1", "a/b%2Fc \xff", 1);
	put(view, "..", "", 2);
	device = view_device(view, 0);
	item_json(about(), device, device->first, &text);
	text_add(&text, bytes_of("", 1));
	ck_assert_str_eq(text.data,
			 "{\"href\":\"/readings/dev-1/a/b%2Fc%20%FF\",\"item-metadata\":["
			 "{\"rel\":\"urn:X-hypercat:rels:isContentType\",\"val\":\"application/senml+json\"},"
			 "{\"rel\":\"urn:X-hypercat:rels:hasDescription:en\",\"val\":\"Hall \\\"3\\\"\"},"
			 "{\"rel\":\"urn:X-hypercat:rels:lastUpdated\",\"val\":\"2026-02-02T02:40:00.000001Z\"},"
			 "{\"rel\":\"http://www.w3.org/2003/01/geo/wgs84_pos#lat\",\"val\":\"51.5\"},"
			 "{\"rel\":\"http://www.w3.org/2003/01/geo/wgs84_pos#long\",\"val\":\"-0.12\"},"
			 "{\"rel\":\"urn:X-tidegate:rels:device\",\"val\":\"dev-1\"}]}");
	text_clear(&text);
	device = view_device(view, 1);
	item_link(about(), device->first, &text);
	text_add(&text, bytes_of("", 1));
	ck_assert_str_eq(text.data, "</readings/%2E%2E>;rt=\"tidegate.last\";ct=110;title=\"..\";"
				    "lastUpdated=\"2026-02-02T02:40:00.000002Z\"");
	text_done(&text);
	view_unref(view);
}
END_TEST

/* Which of three items a query finds: the device dev-1, its a, and b of other-1, which has no place. */
static const char *found(struct view *view, const char *query)
{
	const struct view_device *one = view_device(view, 0), *other = view_device(view, 1);
	static char result[4];
	struct search *search = NULL;
	char *at = result;
	int r = search_new(query, &search);

	if (r < 0)
		return "bad";
	if (search_is_met(search, about(), one, NULL))
		*at++ = 'd';
	if (search_is_met(search, about(), one, one->first))
		*at++ = 'a';
	if (search_is_met(search, about(), other, other->first))
		*at++ = 'b';
	*at = '\0';
	search_free(search);
	return result;
}

START_TEST(searches)
{
	struct view *view;

	ck_assert_int_eq(view_new(&bytes, &limit, &view), 0);
	put(view, "dev-1", "a", 1);
	put(view, "other-1", "b", 2000000);
	ck_assert_str_eq(found(view, ""), "dab");
	ck_assert_str_eq(found(view, "unknown=1"), "dab");
	ck_assert_str_eq(found(view, "href=/cat/dev-1"), "d");
	ck_assert_str_eq(found(view, "val=dev-1"), "da");
	ck_assert_str_eq(found(view, "rel=urn:X-tidegate:rels:device"), "dab");
	ck_assert_str_eq(found(view, "rel=urn:X-tidegate:rels:device&val=application/senml%2Bjson"), "");
	ck_assert_str_eq(found(view, "val=application/senml%2Bjson"), "ab");
	ck_assert_str_eq(found(view, "prefix-rel=urn:X-tide&prefix-val=dev"), "da");
	ck_assert_str_eq(found(view, "prefix-href=/readings/"), "ab");
	ck_assert_str_eq(found(view, "lexrange-rel=urn:X-hypercat:rels:lastUpdated&lexrange-min=2026-02-02T02:40:01"),
			 "b");
	ck_assert_str_eq(found(view, "lexrange-rel=urn:X-tidegate:rels:device&lexrange-min=dev-1&lexrange-max=other-1"),
			 "da"); /* the upper end does not belong to it */
	ck_assert_str_eq(found(view, "geobound-minlat=51&geobound-maxlat=52&geobound-minlong=-1&geobound-maxlong=0"),
			 "da");
	ck_assert_str_eq(found(view, "geobound-minlat=52"), "");
	ck_assert_str_eq(found(view, "prefix-href=/readings/&val=dev-1"), "a");
	ck_assert_str_eq(found(view, "geobound-minlat=a"), "bad");
	ck_assert_str_eq(found(view, "geobound-minlat=nan"), "bad");
	ck_assert_str_eq(found(view, "a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a"), "bad");
	view_unref(view);
}
END_TEST

SUITE_MAIN("hypercat_parts", targets, targets_that_are_too_long, parameters, tokens, fields,
	   views_keep_their_order_and_tell_what_is_new, views_are_bounded, items, searches)
