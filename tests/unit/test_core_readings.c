/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "fake_readers.h"
#include "suite.h"

/* The last frame that the process was sent, which is the n-th. */
static const struct frame_reading *last(const struct instance *instance, unsigned n, uint64_t number,
					enum tg_verdict verdict, bool is_last)
{
	const struct frame_reading *reading = &instance->sent[n - 1];

	ck_assert_uint_eq(instance->n_sent, n);
	ck_assert_uint_eq(reading->number, number);
	ck_assert_uint_eq(reading->verdict, verdict);
	ck_assert_uint_eq(reading->last, is_last);
	ck_assert_uint_eq(reading->etag != 0, verdict == TG_ACCEPTED);
	ck_assert_int_eq(reading->content_format, verdict == TG_ACCEPTED ? 60 : TG_FORMAT_NONE);
	ck_assert(verdict == TG_ACCEPTED || !*instance->payload[n - 1]);
	return reading;
}

static json_int_t status(const char *key)
{
	json_t *object = core_readings_status(&readers.core);
	json_int_t value = json_integer_value(json_object_get(object, key));

	ck_assert(json_is_integer(json_object_get(object, key)));
	json_decref(object);
	return value;
}

START_TEST(reads_what_is_there)
{
	const struct frame_reading *reading;
	uint64_t etag;

	readers_setup();
	readers_put("pump-1", "temp", "20.5");
	readers.now_us += 15 * CLOCK_S_US + 1;
	ck_assert_int_eq(readers_ask(&readers.field, 7, "reader", "pump-1", "temp", false), 0);
	reading = last(&readers.field, 1, 7, TG_ACCEPTED, true);
	ck_assert_str_eq(readers.field.payload[0], "20.5");
	ck_assert_uint_eq(reading->max_age_s, 45);
	ck_assert_int_eq(reading->time_wall_us, 1000 * CLOCK_S_US + 77);
	etag = reading->etag;
	readers.now_us += 3600 * CLOCK_S_US;
	ck_assert_int_eq(readers_ask(&readers.field, 8, "reader", "pump-1", "temp", false), 0);
	reading = last(&readers.field, 2, 8, TG_ACCEPTED, true);
	ck_assert_uint_eq(reading->max_age_s, 0);
	ck_assert_uint_eq(reading->etag, etag);
	readers_put("pump-1", "temp", "20.5");
	ck_assert_int_eq(readers_ask(&readers.field, 7, "reader", "pump-1", "temp", false), 0);
	ck_assert_uint_ne(last(&readers.field, 3, 7, TG_ACCEPTED, true)->etag, etag);
	ck_assert_int_eq(status("answered"), 3);
	ck_assert_int_eq(status("refused"), 0);
	readers_teardown();
}
END_TEST

START_TEST(who_may_not_learns_nothing)
{
	static const struct {
		const char *reader, *device, *path;
		enum tg_verdict verdict;
	} rows[] = {
		{"reader", "pump-1", "temp", TG_ACCEPTED},
		{"reader", "pump-2", "temp", TG_NO_ROUTE},
		{"reader", "pump-1", "secret", TG_NOT_ALLOWED},
		{"reader", "pump-1", "not/there", TG_NOT_ALLOWED},
		{"reader", "tank-1", "a/b", TG_NO_ROUTE},
		{"reader", "valve", "temp", TG_NOT_ALLOWED},
		{"reader", "", "", TG_NOT_ALLOWED},
		{"reader", "reader", "own", TG_NO_ROUTE}, /* its own it may read, if there is any */
		{"stranger", "pump-1", "temp", TG_NOT_ALLOWED},
		{"lost", "pump-1", "temp", TG_NOT_ALLOWED},
		{"elsewhere", "pump-1", "temp", TG_NOT_ALLOWED},
		{"unknown", "pump-1", "temp", TG_NOT_ALLOWED},
		{"unknown", "unknown", "temp", TG_NOT_ALLOWED},
		{"pump-1", "pump-1", "temp", TG_ACCEPTED},
		{"pump-1", "pump-1", "secret", TG_ACCEPTED},
		{"pump-1", "tank-1", "temp", TG_NOT_ALLOWED},
	};
	unsigned n = 0;

	readers_setup();
	readers_put("pump-1", "temp", "1");
	readers_put("pump-1", "secret", "2");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int observe = 0; observe < 2; observe++) {
			uint64_t number = i * 2 + (size_t)observe;

			readers.told[0] = '\0';
			ck_assert_int_eq(readers_ask(&readers.field, number, rows[i].reader, rows[i].device,
						     rows[i].path, observe == 1),
					 0);
			last(&readers.field, ++n, number, rows[i].verdict, !observe || rows[i].verdict != TG_ACCEPTED);
			ck_assert_int_eq(*readers.told != '\0', rows[i].verdict == TG_NOT_ALLOWED);
		}
	}
	readers.devices[READERS_READER].revoked = true;
	ck_assert_int_eq(readers_ask(&readers.field, 100, "reader", "pump-1", "temp", true), 0);
	last(&readers.field, ++n, 100, TG_NOT_ALLOWED, true);
	ck_assert_str_eq(readers.told, "reader: pump-1/temp");
	ck_assert_int_eq(status("observers"), 3);
	readers_put("tank-1", "a/b", "3");
	ck_assert_uint_eq(readers.field.n_sent, n);
	readers_teardown();
}
END_TEST

START_TEST(dishonest_frames_end_the_process)
{
	const struct frame_read odd = {9, 2, bytes_text("reader"), bytes_text("pump-1"), bytes_text("temp")};
	const struct frame_read text = {9, 0, bytes_text("\xff"), bytes_text("pump-1"), bytes_text("temp")};
	const struct frame_read path = {9, 0, bytes_text("reader"), bytes_text("\xff"), bytes_of("a\0\xff", 3)};

	readers_setup();
	readers_put("pump-1", "temp", "1");
	ck_assert_int_eq(core_readings_ask(&readers.endpoint, &readers.field, &odd), -EBADMSG);
	ck_assert_int_eq(core_readings_ask(&readers.endpoint, &readers.field, &text), -EBADMSG);
	/* What a device asks for is its own nonsense. */
	ck_assert_int_eq(core_readings_ask(&readers.endpoint, &readers.field, &path), 0);
	last(&readers.field, 1, 9, TG_NOT_ALLOWED, true);
	ck_assert_int_eq(readers_ask(&readers.field, 9, "reader", "pump-1", "temp", true), 0);
	ck_assert_int_eq(readers_ask(&readers.field, 9, "reader", "pump-1", "temp", true), -EBADMSG);
	ck_assert_int_eq(readers_ask(&readers.second, 9, "reader", "pump-1", "temp", true),
			 0); /* another process counts by itself */
	readers.field.result = -ENOBUFS;
	ck_assert_int_eq(readers_ask(&readers.field, 10, "reader", "pump-1", "temp", true), -ENOBUFS);
	readers_teardown();
}
END_TEST

/* What it asks for it gets later; what it is told first is that there is no room, and it is never ended for asking. */
START_TEST(a_process_that_is_behind_is_put_off)
{
	readers_setup();
	readers_put("pump-1", "temp", "1");
	readers.field.is_behind = true;
	for (int observe = 0; observe < 2; observe++) {
		ck_assert_int_eq(readers_ask(&readers.field, 7, "reader", "pump-1", "temp", observe), 0);
		ck_assert_uint_eq(last(&readers.field, (unsigned)observe + 1, 7, TG_UNAVAILABLE, true)->max_age_s, 1);
		ck_assert_str_eq(readers.field.payload[observe], "");
	}
	ck_assert_int_eq(status("observers"), 0);
	ck_assert_int_eq(readers_ask(&readers.field, 7, "reader", "tank-1", "none", false), 0);
	last(&readers.field, 3, 7, TG_NO_ROUTE, true);
	ck_assert_int_eq(readers_ask(&readers.field, 7, "stranger", "pump-1", "temp", false), 0);
	last(&readers.field, 4, 7, TG_NOT_ALLOWED, true);
	readers.field.is_behind = false;
	ck_assert_int_eq(readers_ask(&readers.field, 7, "reader", "pump-1", "temp", true), 0);
	last(&readers.field, 5, 7, TG_ACCEPTED, false);
	readers_teardown();
}
END_TEST

START_TEST(observers_hear_until_they_say_no_more)
{
	readers_setup();
	readers_put("pump-1", "temp", "1");
	ck_assert_int_eq(readers_ask(&readers.field, 1, "reader", "pump-1", "temp", true), 0);
	ck_assert_uint_eq(last(&readers.field, 1, 1, TG_ACCEPTED, false)->max_age_s, 60);
	ck_assert_int_eq(readers_ask(&readers.second, 1, "reader", "pump-1", "temp", true), 0);
	readers.now_us += 30 * CLOCK_S_US;
	readers_put("pump-1", "temp", "2");
	readers_put("pump-1", "secret", "x");
	ck_assert_uint_eq(last(&readers.field, 2, 1, TG_ACCEPTED, false)->max_age_s, 60);
	ck_assert_str_eq(readers.field.payload[1], "2");
	last(&readers.second, 2, 1, TG_ACCEPTED, false);
	ck_assert_int_eq(status("observers"), 2);
	core_readings_end(&readers.core, &readers.field, 2); /* of which there is none */
	core_readings_end(&readers.core, &readers.field, 1);
	core_readings_end(&readers.core, &readers.field, 1);
	readers_put("pump-1", "temp", "3");
	ck_assert_uint_eq(readers.field.n_sent, 2);
	last(&readers.second, 3, 1, TG_ACCEPTED, false);
	core_readings_process_gone(&readers.core, &readers.field);
	readers_put("pump-1", "temp", "4");
	last(&readers.second, 4, 1, TG_ACCEPTED, false);
	core_readings_process_gone(&readers.core, &readers.second);
	readers_put("pump-1", "temp", "5");
	ck_assert_uint_eq(readers.second.n_sent, 4);
	ck_assert_int_eq(status("observers"), 0);
	readers_teardown();
}
END_TEST

START_TEST(what_was_asked_over_an_earlier_link_is_not_answered_over_this)
{
	readers_setup();
	readers_put("pump-1", "temp", "1");
	ck_assert_int_eq(readers_ask(&readers.field, 1, "reader", "pump-1", "temp", true), 0);
	readers.field.generation++;
	readers_put("pump-1", "temp", "2");
	ck_assert_uint_eq(readers.field.n_sent, 1);
	core_readings_end(&readers.core, &readers.field, 1);
	ck_assert_int_eq(readers_ask(&readers.field, 1, "reader", "pump-1", "temp", true), 0);
	readers_put("pump-1", "temp", "3");
	last(&readers.field, 3, 1, TG_ACCEPTED, false);
	readers.field.gone = true;
	readers_put("pump-1", "temp", "4");
	ck_assert_uint_eq(readers.field.n_sent, 3);
	core_readings_process_gone(&readers.core, &readers.field);
	ck_assert_int_eq(status("observers"), 0);
	readers_teardown();
}
END_TEST

START_TEST(observations_are_bounded)
{
	readers_setup();
	readers_put("pump-1", "temp", "1");
	readers_put("reader", "own", "2");
	/* Half of eight is what one device may have: the fifth is answered as if it had not asked to observe. */
	for (unsigned i = 1; i <= 5; i++) {
		ck_assert_int_eq(readers_ask(&readers.field, i, "reader", i & 1 ? "reader" : "pump-1",
					     i & 1 ? "own" : "temp", true),
				 0);
		last(&readers.field, i, i, TG_ACCEPTED, i == 5);
	}
	for (unsigned i = 6; i <= 9; i++)
		ck_assert_int_eq(readers_ask(&readers.field, i, "pump-1", "pump-1", "temp", true), 0);
	last(&readers.field, 9, 9, TG_ACCEPTED, false);
	readers_put("tank-1", "level", "3");
	ck_assert_int_eq(readers_ask(&readers.field, 10, "tank-1", "tank-1", "level", true), 0);
	last(&readers.field, 10, 10, TG_ACCEPTED, true);
	ck_assert_int_eq(status("observers"), 8);
	core_readings_end(&readers.core, &readers.field, 6);
	ck_assert_int_eq(readers_ask(&readers.field, 11, "tank-1", "tank-1", "level", true), 0);
	last(&readers.field, 11, 11, TG_ACCEPTED, false);
	readers_teardown();
}
END_TEST

START_TEST(a_process_without_room_gets_the_newest_later)
{
	readers_setup();
	readers_put("pump-1", "temp", "1");
	ck_assert_int_eq(readers_ask(&readers.field, 1, "reader", "pump-1", "temp", true), 0);
	ck_assert_int_eq(readers_ask(&readers.second, 1, "reader", "pump-1", "temp", true), 0);
	readers.field.is_behind = true;
	readers_put("pump-1", "temp", "2");
	readers_put("pump-1", "temp", "3");
	core_readings_tick(&readers.core);
	ck_assert_uint_eq(readers.field.n_sent, 1);
	ck_assert_uint_eq(readers.second.n_sent, 3);
	readers.field.is_behind = false;
	core_readings_tick(&readers.core);
	last(&readers.field, 2, 1, TG_ACCEPTED, false);
	ck_assert_str_eq(readers.field.payload[1], "3");
	core_readings_tick(&readers.core);
	ck_assert_uint_eq(readers.field.n_sent, 2);
	ck_assert_uint_eq(readers.second.n_sent, 3);
	/* The end is readers.told later, too, and nothing behind it. */
	readers.field.result = -ENOBUFS;
	core_readings_revoked(&readers.core, "pump-1");
	last(&readers.second, 4, 1, TG_NOT_ALLOWED, true);
	readers_put("pump-1", "temp", "4");
	readers.field.result = 0;
	core_readings_tick(&readers.core);
	last(&readers.field, 3, 1, TG_NOT_ALLOWED, true);
	core_readings_tick(&readers.core);
	ck_assert_uint_eq(readers.field.n_sent, 3);
	ck_assert_int_eq(readers_ask(&readers.field, 1, "reader", "pump-1", "temp", true),
			 0); /* the number is free again */
	readers_teardown();
}
END_TEST

START_TEST(a_profile_that_no_longer_allows_ends_it)
{
	readers_setup();
	readers_put("pump-1", "temp", "1");
	readers_put("reader", "own", "1");
	ck_assert_int_eq(readers_ask(&readers.field, 1, "reader", "pump-1", "temp", true), 0);
	ck_assert_int_eq(readers_ask(&readers.field, 2, "reader", "reader", "own", true), 0);
	readers_put("pump-1", "temp", "2");
	last(&readers.field, 3, 1, TG_ACCEPTED, false);
	/* The registry names another profile: it counts from the next reading on. */
	readers.devices[READERS_READER].use.profile = &readers.nothing;
	readers_put("pump-1", "temp", "3");
	last(&readers.field, 4, 1, TG_NOT_ALLOWED, true);
	readers_put("pump-1", "temp", "4");
	ck_assert_uint_eq(readers.field.n_sent, 4);
	readers_put("reader", "own", "2");
	last(&readers.field, 5, 2, TG_ACCEPTED, false);
	/* A reload is looked at at once. */
	readers.devices[READERS_READER].use.profile = &readers.allowed;
	ck_assert_int_eq(readers_ask(&readers.field, 3, "reader", "pump-1", "temp", true), 0);
	readers_put("pump-1", "temp", "5");
	readers.allowed.reads_count = 0;
	readers.core.profile_epoch++;
	core_readings_apply(&readers.core);
	readers.allowed.reads_count = 2;
	last(&readers.field, 8, 3, TG_NOT_ALLOWED, true);
	ck_assert_int_eq(status("observers"), 1);
	readers_teardown();
}
END_TEST

START_TEST(a_revoked_device_neither_reads_nor_is_read)
{
	readers_setup();
	readers_put("pump-1", "temp", "1");
	readers_put("tank-1", "level", "1");
	ck_assert_int_eq(readers_ask(&readers.field, 1, "reader", "pump-1", "temp", true), 0);
	ck_assert_int_eq(readers_ask(&readers.field, 2, "reader", "tank-1", "level", true), 0);
	readers.devices[READERS_PUMP].revoked = true;
	core_readings_revoked(&readers.core, "pump-1");
	last(&readers.field, 3, 1, TG_NOT_ALLOWED, true);
	ck_assert_int_eq(readers_ask(&readers.field, 3, "reader", "pump-1", "temp", false), 0);
	last(&readers.field, 4, 3, TG_NO_ROUTE, true);
	readers.devices[READERS_READER].revoked = true;
	core_readings_revoked(&readers.core, "reader");
	last(&readers.field, 5, 2, TG_NOT_ALLOWED, true);
	readers_put("tank-1", "level", "2");
	ck_assert_uint_eq(readers.field.n_sent, 5);
	ck_assert_int_eq(status("observers"), 0);
	ck_assert_int_eq(status("count"), 1);
	readers_teardown();
}
END_TEST

START_TEST(what_has_no_room_any_more_ends_as_unavailable)
{
	readers_setup();
	readers_put("pump-1", "temp", "1");
	ck_assert_int_eq(readers_ask(&readers.field, 1, "reader", "pump-1", "temp", true), 0);
	readers.config.limits.readings.count = 0;
	core_readings_apply(&readers.core);
	last(&readers.field, 2, 1, TG_UNAVAILABLE, true);
	ck_assert_int_eq(readers_ask(&readers.field, 2, "reader", "pump-1", "temp", true), 0);
	last(&readers.field, 3, 2, TG_NO_ROUTE, true);
	ck_assert_int_eq(status("evicted"), 1);
	ck_assert_int_eq(status("bytes"), 0);
	readers_teardown();
}
END_TEST

SUITE_MAIN("core_readings", reads_what_is_there, who_may_not_learns_nothing, dishonest_frames_end_the_process,
	   a_process_that_is_behind_is_put_off, observers_hear_until_they_say_no_more,
	   what_was_asked_over_an_earlier_link_is_not_answered_over_this, observations_are_bounded,
	   a_process_without_room_gets_the_newest_later, a_profile_that_no_longer_allows_ends_it,
	   a_revoked_device_neither_reads_nor_is_read, what_has_no_room_any_more_ends_as_unavailable)
