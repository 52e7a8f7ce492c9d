/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/trace.h"

static void add(struct trace *trace, const char *device, const char *path)
{
	const struct trace_event event = {.what = "accepted", .device = bytes_text(device), .path = bytes_text(path)};

	trace_add(trace, &event);
}

static int collect(void *arg, const struct trace_event *event)
{
	char *text = arg;

	snprintf(text + strlen(text), 4096 - strlen(text), "%.*s ", (int)event->path.size,
		 (const char *)event->path.data);
	return 0;
}

static void expect(const struct trace *trace, const char *device, const char *expected)
{
	char text[4096] = "";

	ck_assert_int_eq(trace_each(trace, bytes_text(device), collect, text), 0);
	ck_assert_str_eq(text, expected);
}

START_TEST(the_oldest_gives_way)
{
	struct trace *trace;

	ck_assert_int_eq(trace_new(3, &trace), 0);
	expect(trace, "a", "");
	add(trace, "a", "1");
	add(trace, "b", "2");
	add(trace, "a", "3");
	expect(trace, "a", "1 3 ");
	add(trace, "a", "4");
	expect(trace, "a", "3 4 ");
	expect(trace, "b", "2 ");
	add(trace, "a", "5");
	expect(trace, "b", "");
	expect(trace, "a", "3 4 5 ");
	ck_assert_int_eq(trace_set_count(trace, 3), 0);
	expect(trace, "a", "3 4 5 ");
	ck_assert_int_eq(trace_set_count(trace, 1), 0);
	expect(trace, "a", "");
	add(trace, "a", "6");
	add(trace, "a", "7");
	expect(trace, "a", "7 ");
	ck_assert_int_eq(trace_set_count(trace, 0), 0);
	add(trace, "a", "8");
	expect(trace, "a", "");
	trace_free(trace);
	trace_free(NULL);
}
END_TEST

static int check_cut(void *arg, const struct trace_event *event)
{
	const char *reason = event->reason.data;

	ck_assert_uint_le(event->reason.size, TRACE_REASON);
	ck_assert_uint_ge(event->reason.size, TRACE_REASON - 3);
	ck_assert(memcmp(reason + event->reason.size - 3, "\xe2\x80\xa6", 3) == 0);
	ck_assert(bytes_is_utf8(event->reason));
	ck_assert_uint_eq(event->payload_bytes, 7);
	ck_assert_uint_eq(event->id[15], 9);
	*(int *)arg += 1;
	return 0;
}

START_TEST(long_texts_are_cut_between_characters)
{
	const uint8_t id[TG_ID_SIZE] = {[15] = 9};
	char device[TG_DEVICE_MAX + 1], reason[700] = "";
	struct trace *trace;
	int seen = 0;

	memset(device, 'd', sizeof(device) - 1);
	device[sizeof(device) - 1] = '\0';
	ck_assert_int_eq(trace_new(8, &trace), 0);
	for (int shift = 0; shift < 3; shift++) {
		struct trace_event event = {
			.what = "refused", .device = bytes_text(device), .id = id, .payload_bytes = 7};

		memset(reason, 'x', (size_t)shift);
		for (size_t at = (size_t)shift; at < 600; at += 3)
			memcpy(reason + at, "\xe2\x82\xac", 4);
		event.reason = bytes_text(reason);
		trace_add(trace, &event);
	}
	ck_assert_int_eq(trace_each(trace, bytes_text(device), check_cut, &seen), 0);
	ck_assert_int_eq(seen, 3);
	trace_free(trace);
}
END_TEST

SUITE_MAIN("trace", the_oldest_gives_way, long_texts_are_cut_between_characters)
