/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/readings.h"
#include "suite.h"

enum { OBSERVERS = 8 };

/* What the observers were told. */
struct heard {
	struct readings *readings;
	struct observation *observations[OBSERVERS];
	unsigned changed[OBSERVERS], evicted[OBSERVERS], forgotten[OBSERVERS];
	uint64_t etag[OBSERVERS];
	bool leaves[OBSERVERS]; /* at the next change */
};

static struct heard heard;

static void on_changed(void *arg, void *observer, const struct last_reading *reading)
{
	size_t place = (size_t)((unsigned *)observer - heard.changed);

	ck_assert_ptr_eq(arg, &heard);
	ck_assert_ptr_eq(reading, readings_observed(heard.observations[place]));
	heard.changed[place]++;
	heard.etag[place] = reading->etag;
	if (!heard.leaves[place])
		return;
	readings_unobserve(heard.observations[place]);
	heard.observations[place] = NULL;
}

static void on_lost(void *arg, void *observer, enum readings_loss loss)
{
	size_t place = (size_t)((unsigned *)observer - heard.changed);

	ck_assert_ptr_eq(arg, &heard);
	ck_assert_ptr_nonnull(heard.observations[place]);
	heard.observations[place] = NULL;
	if (loss == READINGS_EVICTED)
		heard.evicted[place]++;
	else
		heard.forgotten[place]++;
}

static const struct readings_events events = {on_changed, on_lost};
static const struct readings_limits usual = {
	.count = 100, .bytes = 100000, .share_percent = 100, .observers = OBSERVERS};

static struct readings *setup(const struct readings_limits *limits, uint64_t etag)
{
	heard = (struct heard){NULL};
	ck_assert_int_eq(readings_new(&events, &heard, etag, &heard.readings), 0);
	readings_set_limits(heard.readings, limits);
	return heard.readings;
}

static void put_sized(const char *device, const char *path, int64_t taken_us, size_t size)
{
	CLEANUP_FREE char *payload = calloc(1, size + 1);
	const struct message parts = {.kind = TG_TELEMETRY,
				      .content_format = 50,
				      .taken_us = taken_us,
				      .id = {(uint8_t)(taken_us >> 8), (uint8_t)taken_us},
				      .device = bytes_text(device),
				      .path = bytes_text(path),
				      .payload = bytes_of(payload, size)};
	const struct message *message = message_new(&parts);

	readings_put(heard.readings, message);
	message_unref(message);
}

static void put(const char *device, const char *path, int64_t taken_us)
{
	put_sized(device, path, taken_us, 10);
}

static int64_t taken(const char *device, const char *path)
{
	const struct last_reading *reading = readings_find(heard.readings, bytes_text(device), bytes_text(path));

	if (!reading)
		return -1;
	ck_assert(bytes_equal(reading->message->device, bytes_text(device)));
	ck_assert(bytes_equal(reading->message->path, bytes_text(path)));
	return reading->message->taken_us;
}

static int observe(unsigned place, const char *device, const char *path)
{
	return readings_observe(heard.readings, bytes_text(device), bytes_text(path), &heard.changed[place],
				&heard.observations[place]);
}

static struct readings_stats stats(void)
{
	struct readings_stats result;

	readings_stats(heard.readings, &result);
	return result;
}

START_TEST(keeps_the_last_of_each)
{
	static const char nul[] = {'a', '\0', 'b'};

	setup(&usual, 0);
	ck_assert_int_eq(taken("a", "t"), -1);
	put("a", "t", 1);
	put("a", "u", 2);
	put("b", "t", 3);
	put("a", "t", 4);
	ck_assert_int_eq(taken("a", "t"), 4);
	ck_assert_int_eq(taken("a", "u"), 2);
	ck_assert_int_eq(taken("b", "t"), 3);
	ck_assert_int_eq(taken("b", "u"), -1);
	ck_assert_int_eq(taken("", "at"), -1);
	ck_assert_uint_eq(stats().count, 3);
	/* The border between the two names is where it is. */
	put("ab", "c", 5);
	ck_assert_int_eq(taken("a", "bc"), -1);
	put("a", "b", 6);
	ck_assert_ptr_null(readings_find(heard.readings, bytes_of(nul, 3), bytes_of(NULL, 0)));
	ck_assert_ptr_null(readings_find(heard.readings, bytes_of(nul, 2), bytes_text("b")));
	readings_free(heard.readings);
}
END_TEST

START_TEST(a_late_verdict_does_not_bring_an_old_one_back)
{
	setup(&usual, 0);
	put("a", "t", 5);
	put("a", "t", 3);
	ck_assert_int_eq(taken("a", "t"), 5);
	put("a", "t", 5); /* the very same, handed in again */
	ck_assert_uint_eq(readings_find(heard.readings, bytes_text("a"), bytes_text("t"))->etag, 1);
	put("a", "t", 6);
	ck_assert_uint_eq(readings_find(heard.readings, bytes_text("a"), bytes_text("t"))->etag, 2);
	readings_free(heard.readings);
}
END_TEST

START_TEST(each_has_an_etag_of_its_own)
{
	uint64_t last;

	setup(&usual, UINT64_MAX - 2);
	for (int64_t n = 1; n <= 4; n++) {
		put("a", n & 1 ? "t" : "u", n);
		last = readings_find(heard.readings, bytes_text("a"), bytes_text(n & 1 ? "t" : "u"))->etag;
		ck_assert_uint_eq(last, n <= 2 ? UINT64_MAX - 2 + (uint64_t)n : (uint64_t)n - 2);
	}
	readings_free(heard.readings);
}
END_TEST

START_TEST(what_was_longest_unchanged_goes)
{
	struct readings_limits limits = usual;

	limits.count = 3;
	setup(&limits, 0);
	put("a", "t", 1);
	put("b", "t", 2);
	put("c", "t", 3);
	put("a", "t", 4);
	put("d", "t", 5);
	ck_assert_int_eq(taken("b", "t"), -1);
	ck_assert_int_eq(taken("a", "t"), 4);
	ck_assert_uint_eq(stats().count, 3);
	ck_assert_uint_eq(stats().evicted, 1);
	/* What is observed goes last. */
	ck_assert_int_eq(observe(0, "c", "t"), 0);
	put("e", "t", 6);
	put("f", "t", 7);
	ck_assert_int_eq(taken("c", "t"), 3);
	ck_assert_int_eq(taken("a", "t"), -1);
	ck_assert_int_eq(taken("d", "t"), -1);
	ck_assert_int_eq(observe(1, "e", "t"), 0);
	ck_assert_int_eq(observe(2, "f", "t"), 0);
	ck_assert_int_eq(observe(3, "f", "t"), 0);
	put("g", "t", 8); /* goes itself: all others are observed */
	ck_assert_int_eq(taken("g", "t"), -1);
	ck_assert_uint_eq(stats().count, 3);
	limits.count = 1;
	readings_set_limits(heard.readings, &limits);
	ck_assert_uint_eq(heard.evicted[0] + heard.evicted[1], 2);
	ck_assert_uint_eq(heard.evicted[2] + heard.evicted[3], 0);
	limits.count = 0;
	readings_set_limits(heard.readings, &limits);
	ck_assert_uint_eq(heard.evicted[2] + heard.evicted[3], 2);
	ck_assert_uint_eq(stats().observers, 0);
	put("a", "t", 9);
	ck_assert_uint_eq(stats().count + stats().bytes, 0);
	readings_free(heard.readings);
}
END_TEST

START_TEST(bytes_are_bounded)
{
	struct readings_limits limits = usual;
	size_t bytes;

	setup(&limits, 0);
	put_sized("a", "t", 1, 1000);
	bytes = stats().bytes;
	ck_assert_uint_gt(bytes, 1000);
	put_sized("a", "t", 2, 500);
	ck_assert_uint_eq(stats().bytes, bytes - 500);
	put_sized("a", "t", 3, 1000);
	limits.bytes = 2 * bytes;
	readings_set_limits(heard.readings, &limits);
	put_sized("b", "t", 4, 1000);
	put_sized("c", "t", 5, 1000);
	ck_assert_uint_eq(stats().bytes, 2 * bytes);
	ck_assert_int_eq(taken("a", "t"), -1);
	/* One that has no room at all is not kept, and what it was to replace was the last one no more. */
	put_sized("b", "t", 6, 3000);
	ck_assert_int_eq(taken("b", "t"), -1);
	ck_assert_int_eq(taken("c", "t"), -1);
	ck_assert_uint_eq(stats().count + stats().bytes, 0);
	readings_free(heard.readings);
}
END_TEST

START_TEST(no_device_pushes_out_the_others)
{
	struct readings_limits limits = usual;
	char path[16];

	limits.count = 50;
	limits.share_percent = 10;
	setup(&limits, 0);
	put("quiet", "t", 1);
	for (int64_t n = 0; n < 1000; n++) {
		snprintf(path, sizeof(path), "%d", (int)n);
		put("loud", path, 2 + n);
	}
	ck_assert_int_eq(taken("quiet", "t"), 1);
	ck_assert_uint_eq(stats().count, 6);
	ck_assert_uint_eq(stats().evicted, 995);
	ck_assert_int_eq(taken("loud", "995"), 997);
	ck_assert_int_eq(taken("loud", "994"), -1);
	/* Of the bytes likewise, but one is its own whatever it takes. */
	put_sized("loud", "large", 2000, 20000);
	ck_assert_int_eq(taken("loud", "999"), -1);
	ck_assert_int_eq(taken("loud", "large"), 2000);
	ck_assert_int_eq(taken("quiet", "t"), 1);
	limits.share_percent = 1; /* less than one of 50 */
	readings_set_limits(heard.readings, &limits);
	ck_assert_uint_eq(stats().count, 2);
	readings_free(heard.readings);
}
END_TEST

START_TEST(observers_hear_each_new_one)
{
	setup(&usual, 0);
	ck_assert_int_eq(observe(0, "a", "t"), -ENOENT);
	put("a", "t", 1);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(observe(i, "a", "t"), 0);
	ck_assert_int_eq(observe(3, "a", "u"), -ENOENT);
	put("a", "t", 2);
	put("a", "u", 3);
	put("b", "t", 4);
	put("a", "t", 1); /* late */
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(heard.changed[i], 1);
		ck_assert_uint_eq(heard.etag[i], 2);
	}
	heard.leaves[0] = heard.leaves[2] = true;
	put("a", "t", 5);
	put("a", "t", 6);
	ck_assert_uint_eq(heard.changed[0], 2);
	ck_assert_uint_eq(heard.changed[1], 3);
	ck_assert_uint_eq(heard.changed[2], 2);
	ck_assert_uint_eq(stats().observers, 1);
	readings_unobserve(heard.observations[1]);
	put("a", "t", 7);
	ck_assert_uint_eq(heard.changed[1], 3);
	readings_free(heard.readings);
}
END_TEST

START_TEST(observers_are_bounded)
{
	struct observation *more;

	setup(&usual, 0);
	put("a", "t", 1);
	for (unsigned i = 0; i < OBSERVERS; i++)
		ck_assert_int_eq(observe(i, "a", "t"), 0);
	ck_assert_int_eq(readings_observe(heard.readings, bytes_text("a"), bytes_text("t"), NULL, &more), -ENOBUFS);
	readings_unobserve(heard.observations[3]);
	ck_assert_int_eq(observe(3, "a", "t"), 0);
	readings_free(heard.readings); /* ends them, and tells nobody */
	for (unsigned i = 0; i < OBSERVERS; i++)
		ck_assert_uint_eq(heard.evicted[i] + heard.forgotten[i] + heard.changed[i], 0);
}
END_TEST

START_TEST(forgets_a_device)
{
	setup(&usual, 0);
	put("a", "t", 1);
	put("a", "u", 2);
	put("b", "t", 3);
	ck_assert_int_eq(observe(0, "a", "t"), 0);
	ck_assert_int_eq(observe(1, "a", "u"), 0);
	ck_assert_int_eq(observe(2, "b", "t"), 0);
	readings_forget(heard.readings, bytes_text("a"));
	readings_forget(heard.readings, bytes_text("c"));
	ck_assert_int_eq(taken("a", "t"), -1);
	ck_assert_int_eq(taken("b", "t"), 3);
	ck_assert_uint_eq(heard.forgotten[0] + heard.forgotten[1], 2);
	ck_assert_uint_eq(heard.forgotten[2], 0);
	ck_assert_uint_eq(stats().count, 1);
	put("a", "t", 1);
	ck_assert_int_eq(taken("a", "t"), 1);
	readings_free(heard.readings);
}
END_TEST

struct seen {
	char text[64];
	unsigned left;
};

static int note(void *arg, const struct last_reading *reading, size_t observers)
{
	struct seen *seen = arg;
	size_t used = strlen(seen->text);

	snprintf(seen->text + used, sizeof(seen->text) - used, "%.*s/%.*s:%zu ", BYTES_ARG(reading->message->device),
		 BYTES_ARG(reading->message->path), observers);
	return --seen->left == 0;
}

START_TEST(lists_the_newest_first)
{
	const struct tg_bytes a = bytes_text("a"), nobody = bytes_text("nobody");
	struct seen seen = {"", 100};

	setup(&usual, 0);
	ck_assert_int_eq(readings_each(heard.readings, NULL, note, &seen), 0);
	put("a", "t", 1);
	put("b", "t", 2);
	put("a", "u", 3);
	put("a", "t", 4);
	ck_assert_int_eq(observe(0, "b", "t"), 0);
	ck_assert_int_eq(readings_each(heard.readings, &nobody, note, &seen), 0);
	ck_assert_int_eq(readings_each(heard.readings, NULL, note, &seen), 0);
	ck_assert_str_eq(seen.text, "a/t:0 a/u:0 b/t:1 ");
	seen = (struct seen){"", 100};
	ck_assert_int_eq(readings_each(heard.readings, &a, note, &seen), 0);
	ck_assert_str_eq(seen.text, "a/t:0 a/u:0 ");
	seen = (struct seen){"", 1};
	ck_assert_int_eq(readings_each(heard.readings, NULL, note, &seen), 1);
	ck_assert_str_eq(seen.text, "a/t:0 ");
	readings_free(heard.readings);
}
END_TEST

/* A model that is too simple to be wrong: a list, the oldest first. */
enum { DEVICES = 5, PATHS = 7, STEPS = 20000, ROOM = 20 };

struct model {
	unsigned what[ROOM + 1];
	int64_t taken[ROOM + 1];
	size_t count;
};

/* Takes out those from `first` on, up to `end`. */
static void model_remove(struct model *model, unsigned first, unsigned end)
{
	size_t left = 0;

	for (size_t i = 0; i < model->count; i++) {
		if (model->what[i] >= first && model->what[i] < end)
			continue;
		model->what[left] = model->what[i];
		model->taken[left++] = model->taken[i];
	}
	model->count = left;
}

static void model_put(struct model *model, unsigned what, int64_t now)
{
	model_remove(model, what, what + 1);
	model->what[model->count] = what;
	model->taken[model->count++] = now;
	if (model->count > ROOM)
		model_remove(model, model->what[0], model->what[0] + 1);
}

static int64_t model_taken(const struct model *model, unsigned what)
{
	for (size_t i = 0; i < model->count; i++)
		if (model->what[i] == what)
			return model->taken[i];
	return -1;
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

START_TEST(is_what_a_simple_model_says)
{
	const struct readings_limits limits = {ROOM, 100000, 100, 0};
	struct model model = {.count = 0};
	uint32_t random = 1;

	setup(&limits, 7);
	for (int64_t n = 1; n <= STEPS; n++) {
		unsigned what = next_random(&random) % (DEVICES * PATHS);
		char device[2] = {(char)('a' + what / PATHS), '\0'}, path[2] = {(char)('0' + what % PATHS), '\0'};

		if (next_random(&random) % 50 == 0) {
			readings_forget(heard.readings, bytes_text(device));
			model_remove(&model, what / PATHS * PATHS, (what / PATHS + 1) * PATHS);
		} else {
			put_sized(device, path, n, next_random(&random) % 100);
			model_put(&model, what, n);
		}
		what = next_random(&random) % (DEVICES * PATHS);
		device[0] = (char)('a' + what / PATHS);
		path[0] = (char)('0' + what % PATHS);
		ck_assert_int_eq(taken(device, path), model_taken(&model, what));
		ck_assert_uint_eq(stats().count, model.count);
	}
	ck_assert_uint_gt(stats().evicted, 1000);
	readings_free(heard.readings);
}
END_TEST

SUITE_MAIN("readings", keeps_the_last_of_each, a_late_verdict_does_not_bring_an_old_one_back,
	   each_has_an_etag_of_its_own, what_was_longest_unchanged_goes, bytes_are_bounded,
	   no_device_pushes_out_the_others, observers_hear_each_new_one, observers_are_bounded, forgets_a_device,
	   lists_the_newest_first, is_what_a_simple_model_says)
