/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/readings.h"
#include "fake_readers.h"
#include "suite.h"

enum { MANY = 700, PAGE = 256 };

static struct instance *const it = &readers.field;

/* The end of the page, which comes last, behind so many entries. */
static const struct frame_listed *ends(unsigned entries, enum tg_verdict verdict)
{
	const struct frame_listed *last = &it->listed[entries];

	ck_assert_uint_eq(it->n_listed, entries + 1);
	for (unsigned i = 0; i < entries; i++) {
		ck_assert(!it->listed[i].end);
		ck_assert_uint_eq(it->listed[i].number, 7);
	}
	ck_assert(last->end);
	ck_assert_uint_eq(last->number, 7);
	ck_assert_uint_eq(last->verdict, verdict);
	return last;
}

START_TEST(the_oldest_first_and_only_what_may_be_read)
{
	const struct frame_listed *end;

	readers_setup();
	readers_put("pump-1", "temp", "1");
	readers_put("pump-1", "secret", "2");
	readers_put("tank-1", "a/b", "3");
	readers.now_us += 15 * CLOCK_S_US;
	ck_assert_int_eq(readers_list(it, "reader", TG_LIST_READINGS, 0, ""), 0);
	end = ends(2, TG_ACCEPTED);
	ck_assert_str_eq(it->names[0], "pump-1 temp");
	ck_assert_str_eq(it->names[1], "tank-1 a/b");
	ck_assert_int_eq(it->listed[0].content_format, 60);
	ck_assert_uint_eq(it->listed[1].max_age_s, 45);
	ck_assert_int_gt(it->listed[1].time_wall_us, it->listed[0].time_wall_us);
	ck_assert_uint_eq(it->listed[1].etag, it->listed[0].etag + 2);
	ck_assert_uint_eq(end->etag, it->listed[1].etag);
	ck_assert(!end->more);
	ck_assert_int_eq(readers_list(it, "stranger", TG_LIST_READINGS, 0, ""), 0);
	ends(0, TG_ACCEPTED);
	ck_assert_int_eq(readers_list(it, "tank-1", TG_LIST_READINGS, 0, ""), 0);
	ends(1, TG_ACCEPTED); /* its own */
	ck_assert_int_eq(readers_list(it, "elsewhere", TG_LIST_READINGS, 0, ""), 0);
	ends(0, TG_NOT_ALLOWED);
	ck_assert_int_eq(readers_list(it, "unknown", TG_LIST_DEVICES, 0, ""), 0);
	ends(0, TG_NOT_ALLOWED);
	readers_teardown();
}
END_TEST

START_TEST(what_is_renewed_comes_last)
{
	uint64_t after;

	readers_setup();
	readers_put("pump-1", "temp", "1");
	readers_put("pump-2", "temp", "2");
	readers_put("pump-3", "temp", "3");
	ck_assert_int_eq(readers_list(it, "reader", TG_LIST_READINGS, 0, ""), 0);
	after = it->listed[1].etag; /* as if the page had ended there */
	readers_put("pump-2", "temp", "4");
	readers_put("pump-1", "temp", "5");
	ck_assert_int_eq(readers_list(it, "reader", TG_LIST_READINGS, after, ""), 0);
	after = ends(3, TG_ACCEPTED)->etag;
	ck_assert_str_eq(it->names[0], "pump-3 temp");
	ck_assert_str_eq(it->names[1], "pump-2 temp");
	ck_assert_str_eq(it->names[2], "pump-1 temp");
	ck_assert_int_eq(readers_list(it, "reader", TG_LIST_READINGS, after, ""), 0);
	ck_assert_uint_eq(ends(0, TG_ACCEPTED)->etag, after);
	readers_put("pump-1", "temp", "6"); /* the one that the page has ended with */
	ck_assert_int_eq(readers_list(it, "reader", TG_LIST_READINGS, after, ""), 0);
	ends(1, TG_ACCEPTED);
	ck_assert_str_eq(it->names[0], "pump-1 temp");
	readers_teardown();
}
END_TEST

/* The process does not keep up with more than `room` at once; 0: it does with all. */
static void see_all(unsigned room, unsigned page)
{
	char path[32];
	unsigned seen = 0, pages = 0;
	uint64_t after = 0;

	readers_setup();
	readers.config.limits.readings = (struct readings_limits){2 * MANY, 1 << 20, 100, 8};
	core_readings_apply(&readers.core);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "n/%u", i);
		readers_put("tank-1", path, "x");
	}
	it->listed_room = room;
	do {
		ck_assert_int_eq(readers_list(it, "reader", TG_LIST_READINGS, after, ""), 0);
		after = it->listed[it->n_listed - 1].etag;
		for (unsigned i = 0; i + 1 < it->n_listed; i++) {
			snprintf(path, sizeof(path), "tank-1 n/%u", seen++);
			ck_assert_str_eq(it->names[i], path);
		}
		pages++;
	} while (it->listed[it->n_listed - 1].more);
	ck_assert_uint_eq(seen, MANY);
	ck_assert_uint_eq(pages, MANY / page + (MANY % page > 0));
	it->is_behind = true;
	ck_assert_int_eq(readers_list(it, "reader", TG_LIST_READINGS, after - 1, ""), 0);
	ck_assert(ends(0, TG_ACCEPTED)->more);
	ck_assert_uint_eq(it->listed[0].etag, after - 1);
	it->result = -ENOBUFS;
	ck_assert_int_eq(readers_list(it, "reader", TG_LIST_READINGS, 0, ""), -ENOBUFS);
	readers_teardown();
}

START_TEST(pages_have_an_end)
{
	see_all(0, PAGE);
}
END_TEST

START_TEST(pages_are_cut_short_where_the_process_is_behind)
{
	see_all(100, 100);
}
END_TEST

START_TEST(devices_come_later_to_a_process_that_is_behind)
{
	readers_setup();
	it->listed_room = 1;
	ck_assert_int_eq(readers_list(it, "reader", TG_LIST_DEVICES, 0, ""), 0);
	ck_assert(ends(1, TG_ACCEPTED)->more);
	ck_assert_str_eq(it->names[0], "reader ");
	ck_assert_int_eq(readers_list(it, "reader", TG_LIST_DEVICES, 0, "reader"), 0);
	ck_assert(ends(1, TG_ACCEPTED)->more);
	ck_assert_str_eq(it->names[0], "pump-1 ");
	it->is_behind = true;
	ck_assert_int_eq(readers_list(it, "reader", TG_LIST_DEVICES, 0, "pump-1"), 0);
	ck_assert(ends(0, TG_ACCEPTED)->more);
	ck_assert_str_eq(it->names[0], "pump-1 "); /* where it is to go on */
	readers_teardown();
}
END_TEST

START_TEST(devices_are_listed_whether_or_not_they_have_said_anything)
{
	readers_setup();
	ck_assert_int_eq(readers_list(it, "reader", TG_LIST_DEVICES, 0, ""), 0);
	ck_assert(!ends(3, TG_ACCEPTED)->more);
	ck_assert_str_eq(it->names[0], "reader "); /* itself */
	ck_assert_str_eq(it->names[1], "pump-1 ");
	ck_assert_str_eq(it->names[2], "tank-1 ");
	ck_assert_int_eq(readers_list(it, "reader", TG_LIST_DEVICES, 0, "pump-1"), 0);
	ends(1, TG_ACCEPTED);
	readers.devices[READERS_TANK].revoked = true;
	ck_assert_int_eq(readers_list(it, "reader", TG_LIST_DEVICES, 0, "pump-1"), 0);
	ends(0, TG_ACCEPTED);
	ck_assert_int_eq(readers_list(it, "stranger", TG_LIST_DEVICES, 0, ""), 0);
	ends(1, TG_ACCEPTED);
	readers_teardown();
}
END_TEST

static uint64_t generation(void)
{
	ck_assert_int_eq(readers_list(it, "reader", TG_LIST_READINGS, 0, ""), 0);
	return it->listed[it->n_listed - 1].generation;
}

START_TEST(what_goes_away_makes_another_generation)
{
	uint64_t before;

	readers_setup();
	readers_put("pump-1", "temp", "1");
	before = generation();
	readers_put("pump-1", "temp", "2");
	readers_put("pump-2", "temp", "2");
	ck_assert_uint_eq(generation(), before);
	core_readings_revoked(&readers.core, "pump-2");
	ck_assert_uint_ne(generation(), before);
	before = generation();
	core_readings_apply(&readers.core); /* profiles may have changed */
	ck_assert_uint_ne(generation(), before);
	before = generation();
	readers.config.limits.readings.count = 1;
	core_readings_apply(&readers.core);
	readers_put("pump-3", "temp", "3");
	ck_assert_uint_ge(generation() - before, 2);
	readers_teardown();
}
END_TEST

START_TEST(dishonest_frames_end_the_process)
{
	const struct frame_list what = {7, 3, 0, bytes_text("reader"), bytes_text("")};
	const struct frame_list text = {7, TG_LIST_READINGS, 0, bytes_text("\xff"), bytes_text("")};
	const struct frame_list behind = {7, TG_LIST_DEVICES, 0, bytes_text("reader"), bytes_text("\xff")};

	readers_setup();
	ck_assert_int_eq(core_readings_list(&readers.endpoint, it, &what), -EBADMSG);
	ck_assert_int_eq(core_readings_list(&readers.endpoint, it, &text), -EBADMSG);
	ck_assert_int_eq(core_readings_list(&readers.endpoint, it, &behind), -EBADMSG);
	readers_teardown();
}
END_TEST

/* Against a list that knows no places: whatever is renewed, dropped and asked for, in whatever order. */
enum { MODEL = 24, STEPS = 20000 };

static struct readings *all;
static uint64_t etags[MODEL]; /* 0: not there */
static uint64_t newest;

static int keep(void *arg, const struct last_reading *reading)
{
	uint64_t *last = arg;

	if (*last)
		ck_assert_int_gt((int64_t)(reading->etag - *last), 0);
	*last = reading->etag;
	return 0;
}

static void put(unsigned device)
{
	char name[16];
	const struct message parts = {.id = {1},
				      .kind = TG_TELEMETRY,
				      .taken_us = ++readers.now_us,
				      .device = bytes_of(name, (size_t)snprintf(name, sizeof(name), "d%u", device)),
				      .path = bytes_text("p")};
	struct message *message = message_new(&parts);

	readings_put(all, message);
	message_unref(message);
	newest += newest == UINT64_MAX ? 2 : 1;
	etags[device] = newest;
}

/* The first page behind `after` ends where the model says. */
static uint64_t list(uint64_t after, size_t most)
{
	uint64_t last = after, expected = after, end;
	size_t behind = 0;
	bool more = readings_list(all, after, most, keep, &last, &end);

	for (unsigned i = 0; i < MODEL; i++)
		behind += etags[i] && (after == 0 || (int64_t)(etags[i] - after) > 0);
	for (size_t n = 0; n < most && n < behind; n++) { /* the next one behind `expected` */
		uint64_t next = 0;

		for (unsigned i = 0; i < MODEL; i++)
			if (etags[i] && (expected == 0 || (int64_t)(etags[i] - expected) > 0) &&
			    (next == 0 || (int64_t)(etags[i] - next) < 0))
				next = etags[i];
		expected = next;
	}
	ck_assert_uint_eq(end, expected);
	ck_assert_uint_eq(last, expected);
	ck_assert_int_eq(more, behind > most);
	return end;
}

START_TEST(pages_are_right_whatever_happens_between_them)
{
	static const struct readings_events none = {NULL, NULL};
	const struct readings_limits limits = {MODEL, 1 << 20, 100, 1};
	uint64_t places[8] = {0};
	char name[16];

	srand(7);
	newest = UINT64_MAX - STEPS / 4; /* past the largest number on the way */
	ck_assert_int_eq(readings_new(&none, NULL, newest, &all), 0);
	readings_set_limits(all, &limits);
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned device = (unsigned)rand() % MODEL, place = (unsigned)rand() % 8;

		switch (rand() % 4) {
		case 0:
			if (rand() % 8 == 0) {
				readings_forget(all,
						bytes_of(name, (size_t)snprintf(name, sizeof(name), "d%u", device)));
				etags[device] = 0;
				break;
			} /* fall through */
		case 1:
			put(device);
			break;
		case 2:
			places[place] = 0;
			break;
		default:
			places[place] = list(places[place], (size_t)rand() % 5);
			break;
		}
	}
	readings_free(all);
}
END_TEST

SUITE_MAIN("core_readings_list", the_oldest_first_and_only_what_may_be_read, what_is_renewed_comes_last,
	   pages_have_an_end, pages_are_cut_short_where_the_process_is_behind,
	   devices_come_later_to_a_process_that_is_behind, devices_are_listed_whether_or_not_they_have_said_anything,
	   what_goes_away_makes_another_generation, dishonest_frames_end_the_process,
	   pages_are_right_whatever_happens_between_them)
