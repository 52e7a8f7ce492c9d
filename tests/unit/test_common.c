/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <string.h>

#include "common/gather.h"
#include "common/media.h"
#include "common/reading_link.h"
#include "common/stamp.h"
#include "common/utf8.h"
#include "common/words.h"

START_TEST(an_id_is_written_as_a_uuid)
{
	static const uint8_t id[TG_ID_SIZE] = {0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b,
					       0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a, 0x80, 0x57};
	char text[STAMP_ID_SIZE];

	stamp_id(id, text);
	ck_assert_str_eq(text, "01890a5d-ac96-774b-bcce-b302099a8057");
}
END_TEST

START_TEST(times_are_those_of_rfc_3339)
{
	static const struct {
		int64_t wall_us;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000000Z"},
		{INT64_C(1777863721123456), "2026-05-04T03:02:01.123456Z"},
		{-1, "1969-12-31T23:59:59.999999Z"},
		{INT64_C(951782400000000), "2000-02-29T00:00:00.000000Z"},
		{INT64_C(4107542400000000) - 1, "2100-02-28T23:59:59.999999Z"},
		{INT64_C(4107542400000000), "2100-03-01T00:00:00.000000Z"},
		{INT64_C(1735689599000000), "2024-12-31T23:59:59.000000Z"},
		{INT64_C(-62167219200000000), "0000-01-01T00:00:00.000000Z"},
		{INT64_C(-62167219200000001), "1970-01-01T00:00:00.000000Z"},
		{INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z"},
		{INT64_C(253402300800000000), "1970-01-01T00:00:00.000000Z"},
		{INT64_MAX, "1970-01-01T00:00:00.000000Z"},
		{INT64_MIN, "1970-01-01T00:00:00.000000Z"},
	};
	char text[STAMP_TIME_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		stamp_time(rows[i].wall_us, text);
		ck_assert_str_eq(text, rows[i].text);
	}
}
END_TEST

START_TEST(content_formats_have_media_types)
{
	bool utf8 = false;

	ck_assert_str_eq(media_type(0, &utf8), "text/plain;charset=utf-8");
	ck_assert(utf8);
	ck_assert_str_eq(media_type(60, &utf8), "application/cbor");
	ck_assert(!utf8);
	ck_assert_str_eq(media_type(110, &utf8), "application/senml+json");
	ck_assert(utf8);
	ck_assert_str_eq(media_type(11542, &utf8), "application/vnd.oma.lwm2m+tlv");
	ck_assert(!utf8);
	ck_assert_ptr_null(media_type(TG_FORMAT_NONE, &utf8));
	ck_assert_ptr_null(media_type(65000, &utf8));
}
END_TEST

static int32_t format_of(const char *type)
{
	return media_content_format((struct tg_bytes){.data = type, .size = strlen(type)});
}

START_TEST(media_types_have_content_formats)
{
	static const int32_t formats[] = {0, 40, 41, 42, 47, 50, 51, 52, 60, 110, 112, 310, 11542, 11544};
	bool utf8;

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		ck_assert_int_eq(format_of(media_type(formats[i], &utf8)), formats[i]);
	ck_assert_int_eq(format_of("text/plain"), 0);
	ck_assert_int_eq(format_of("Text/Plain ; charset=UTF-8"), 0);
	ck_assert_int_eq(format_of("application/json;charset=\"utf-8\""), 50);
	ck_assert_int_eq(format_of("text/plain;charset=latin1"), TG_FORMAT_NONE);
	ck_assert_int_eq(format_of("application/cbor;charset=utf-8"), TG_FORMAT_NONE);
	ck_assert_int_eq(format_of("application/json;version=2"), TG_FORMAT_NONE);
	ck_assert_int_eq(format_of("application/jso"), TG_FORMAT_NONE);
	ck_assert_int_eq(format_of("application/json5"), TG_FORMAT_NONE);
	ck_assert_int_eq(format_of(""), TG_FORMAT_NONE);
	ck_assert_int_eq(format_of(";"), TG_FORMAT_NONE);
	ck_assert_int_eq(media_content_format((struct tg_bytes){0}), TG_FORMAT_NONE);
}
END_TEST

START_TEST(methods_have_names)
{
	static const char *const names[] = {"get", "Post", "PUT", "delete", "FETCH", "pAtCh", "iPATCH"};
	static const char *const wrong[] = {"", "GE", "GETS", "HEAD", "GET "};
	uint32_t method;

	for (uint32_t i = 0; i < 7; i++) {
		ck_assert(words_method((struct tg_bytes){names[i], strlen(names[i])}, &method));
		ck_assert_uint_eq(method, i + TG_METHOD_GET);
	}
	for (size_t i = 0; i < 5; i++)
		ck_assert(!words_method((struct tg_bytes){wrong[i], strlen(wrong[i])}, &method));
}
END_TEST

START_TEST(response_codes_are_written_with_a_point)
{
	char text[WORDS_CODE_SIZE];

	words_code(205, text);
	ck_assert_str_eq(text, "2.05");
	words_code(404, text);
	ck_assert_str_eq(text, "4.04");
	words_code(UINT32_MAX, text);
	ck_assert_str_eq(text, "42949672.95");
}
END_TEST

static bool is_utf8(const char *text, size_t size)
{
	return utf8_is_good((struct tg_bytes){.data = text, .size = size});
}

START_TEST(utf8_is_well_formed_or_not)
{
	ck_assert(is_utf8(NULL, 0));
	ck_assert(is_utf8("21.5\n", 5));
	ck_assert(is_utf8("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8c\x8a", 15));
	ck_assert(!is_utf8("\xc3", 1));
	ck_assert(!is_utf8("\xc0\x80", 2));
	ck_assert(!is_utf8("\xe0\x9f\xbf", 3));
	ck_assert(!is_utf8("\xed\xa0\x80", 3));
	ck_assert(!is_utf8("\xf0\x8f\xbf\xbf", 4));
	ck_assert(!is_utf8("\xf4\x90\x80\x80", 4));
	ck_assert(!is_utf8("\xf0\x9f\x8c", 3));
	ck_assert(!is_utf8("\x80", 1));
	ck_assert(!is_utf8("\xff", 1));
}
END_TEST

static struct tg_bytes bytes(const char *text)
{
	return (struct tg_bytes){.data = text, .size = strlen(text)};
}

static void expect_text(struct text *text, const char *wanted)
{
	ck_assert(!text->failed);
	ck_assert_uint_eq(text->size, strlen(wanted));
	ck_assert_mem_eq(text->data, wanted, text->size);
	text_clear(text);
}

START_TEST(texts_are_quoted_and_encoded)
{
	static const struct {
		const char *plain, *quoted, *segment, *ready;
	} rows[] = {
		{"", "\"\"", "", ""},
		{"a-b.c_d~9", "\"a-b.c_d~9\"", "a-b.c_d~9", "a-b.c_d~9"},
		{"a\"b\\c", "\"a\\\"b\\\\c\"", "a%22b%5Cc", "a%22b%5Cc"},
		{"a\n\x7f\xc2\x85z\xc2\xa0", "\"az\xc2\xa0\"", "a%0A%7F%C2%85z%C2%A0", "a%0A%7F%C2%85z%C2%A0"},
		{"a/b%2Fc", "\"a/b%2Fc\"", "a%2Fb%252Fc", "a/b%2Fc"},
		{"..", "\"..\"", "%2E%2E", "%2E%2E"},
		{"a/../.b/.", "\"a/../.b/.\"", "a%2F..%2F.b%2F.", "a/%2E%2E/.b/%2E"},
		{"...", "\"...\"", "...", "..."},
		{"a\xff\xc3z", "\"az\"", "a%FF%C3z", "a%FF%C3z"},
		{"<a>,;", "\"<a>,;\"", "%3Ca%3E%2C%3B", "%3Ca%3E%2C%3B"},
	};
	struct text text = {.data = NULL};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_quoted(&text, bytes(rows[i].plain));
		expect_text(&text, rows[i].quoted);
		text_segment(&text, bytes(rows[i].plain), false);
		if (*rows[i].segment)
			expect_text(&text, rows[i].segment);
		text_segment(&text, bytes(rows[i].plain), true);
		if (*rows[i].ready)
			expect_text(&text, rows[i].ready);
	}
	text_done(&text);
}
END_TEST

static char any_pump[] = "pump-*", hall[] = "pump-1/hall/*", hall_words[] = "Hall \"3\"", pump_words[] = "a pump";
static struct labels_place place = {.device = any_pump, .latitude = "51.5", .longitude = "-0.12"};
static struct labels_description descriptions[] = {{.name = any_pump, .words = pump_words},
						   {.name = hall, .words = hall_words}};
static const struct labels labels = {
	.places = &place, .places_count = 1, .descriptions = descriptions, .descriptions_count = 2};

START_TEST(readings_are_links)
{
	static const struct {
		const char *device, *path, *wanted;
		int32_t content_format;
		int64_t time_wall_us;
		bool observable;
	} rows[] = {
		{"pump-1", "hall/temp",
		 "</r/pump-1/hall/temp>;rt=\"tidegate.last\";ct=110;title=\"Hall \\\"3\\\"\";lat=\"51.5\";"
		 "long=\"-0.12\";lastUpdated=\"2026-05-04T03:02:01.123456Z\";obs",
		 110, INT64_C(1777863721123456), true},
		{"pump-2", "", "</r/pump-2>;rt=\"tidegate.last\";title=\"pump-2\";lat=\"51.5\";long=\"-0.12\"",
		 TG_FORMAT_NONE, 0, false},
		{"a/\"b", "c%2F>", "</r/a%2F%22b/c%2F%3E>;rt=\"tidegate.last\";ct=0;title=\"a/\\\"b/c%2F>\"", 0, 0,
		 false},
	};
	struct text text = {.data = NULL};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct reading_link link = {.device = bytes(rows[i].device),
						  .path = bytes(rows[i].path),
						  .content_format = rows[i].content_format,
						  .time_wall_us = rows[i].time_wall_us,
						  .observable = rows[i].observable};

		reading_link_write(&link, "/r/", &labels, &text);
		expect_text(&text, rows[i].wanted);
	}
	text_done(&text);
}
END_TEST

START_TEST(bytes_gather_and_leave_from_the_front)
{
	struct gather gather = {.data = NULL};

	for (uint16_t i = 0; i < 1000; i++)
		gather_put(&gather, (uint8_t[]){0x40, 2, (uint8_t)(i >> 8), (uint8_t)i}, 4);
	ck_assert_uint_eq(gather.size, 4000);
	gather_drop(&gather, 3996);
	ck_assert_uint_eq(gather.size, 4);
	ck_assert_mem_eq(gather.data, "\x40\2\3\xe7", 4);
	gather_done(&gather);
	ck_assert_ptr_null(gather.data);
}
END_TEST

START_TEST(a_failure_to_gather_ends_with_clearing)
{
	struct gather gather = {.failed = true};

	gather_put(&gather, "x", 1);
	ck_assert_uint_eq(gather.size, 0);
	gather_clear(&gather);
	gather_put(&gather, "y", 1);
	ck_assert_uint_eq(gather.size, 1);
	ck_assert_mem_eq(gather.data, "y", 1);
	gather_done(&gather);
}
END_TEST

SUITE_MAIN("common", bytes_gather_and_leave_from_the_front, a_failure_to_gather_ends_with_clearing,
	   an_id_is_written_as_a_uuid, times_are_those_of_rfc_3339, content_formats_have_media_types,
	   media_types_have_content_formats, methods_have_names, response_codes_are_written_with_a_point,
	   utf8_is_well_formed_or_not, texts_are_quoted_and_encoded, readings_are_links)
