/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/profile.h"
#include "core/wildcard.h"
#include "suite.h"

static char all[] = "*", pumps[] = "pump-*", tanks[] = "tank-*-north", exact[] = "valve";
static char *const pump_devices[] = {exact, pumps}, *const tank_devices[] = {tanks}, *const all_devices[] = {all};

static const struct profile fallback = {.name = "default"};
static const struct profile tank = {
	.next = &fallback, .name = "tank", .devices = tank_devices, .devices_count = 1, .commands = true};
static const struct profile hidden = {.next = &tank, .name = "hidden"};
static const struct profile pump = {.next = &hidden, .name = "pump", .devices = pump_devices, .devices_count = 2};

START_TEST(a_star_stands_for_anything)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} rows[] = {
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "anything", true},
		{"a*", "a", true},
		{"a*", "ba", false},
		{"*a", "ba", true},
		{"*a", "ab", false},
		{"a*c", "abc", true},
		{"a*c", "ac", true},
		{"a*c", "abcd", false},
		{"a*b*c", "aXbYbZc", true},
		{"**", "x", true},
		{"a?c", "abc", false},
		{"[ab]", "a", false},
		{"a*a", "a", false},
		{"pump-*", "pump", false},
		{"*-1", "pump-1", true},
		{"*\xc3\xa4*", "t\xc3\xa4t", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(wildcard_match(rows[i].pattern, bytes_text(rows[i].text)) == rows[i].matches, "%s %s",
			      rows[i].pattern, rows[i].text);
	ck_assert(wildcard_match("*", bytes_of(NULL, 0)));
	ck_assert(!wildcard_match("x", bytes_of(NULL, 0)));
}
END_TEST

START_TEST(finds_the_profile_of_a_device)
{
	static const struct {
		const char *named, *device;
		enum profile_origin origin;
		const struct profile *profile;
	} rows[] = {
		{NULL, "pump-1", PROFILE_NAME, &pump},
		{"", "pump-1", PROFILE_NAME, &pump},
		{NULL, "valve", PROFILE_NAME, &pump},
		{NULL, "tank-4-north", PROFILE_NAME, &tank},
		{NULL, "tank-4", PROFILE_FALLBACK, &fallback},
		{NULL, "", PROFILE_FALLBACK, &fallback},
		{"hidden", "pump-1", PROFILE_REGISTRY, &hidden},
		{"default", "pump-1", PROFILE_REGISTRY, &fallback},
		{"gone", "pump-1", PROFILE_MISSING, NULL},
		{"Pump", "pump-1", PROFILE_MISSING, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct profile *found = &pump;

		ck_assert_int_eq(profile_find(&pump, rows[i].named, rows[i].device, &found), rows[i].origin);
		ck_assert_ptr_eq(found, rows[i].profile);
	}
}
END_TEST

START_TEST(the_first_that_matches_counts)
{
	const struct profile second = {.next = &fallback, .name = "b", .devices = pump_devices, .devices_count = 2};
	const struct profile first = {.next = &second, .name = "a", .devices = all_devices, .devices_count = 1};
	const struct profile *found;

	ck_assert_int_eq(profile_find(&first, NULL, "pump-1", &found), PROFILE_NAME);
	ck_assert_ptr_eq(found, &first);
	ck_assert_int_eq(profile_find(&second, NULL, "pump-1", &found), PROFILE_NAME);
	ck_assert_ptr_eq(found, &second);
}
END_TEST

START_TEST(remembers_until_something_changes)
{
	struct profile_use use = {.epoch = 0};
	const struct profile other = {.name = "default"};

	ck_assert_ptr_eq(profile_of(&pump, 1, NULL, "pump-1", &use), &pump);
	/* Of the same epoch the list is not looked at again. */
	ck_assert_ptr_eq(profile_of(&other, 1, NULL, "pump-1", &use), &pump);
	ck_assert_ptr_eq(profile_of(&other, 2, NULL, "pump-1", &use), &other);
	ck_assert_int_eq(use.origin, PROFILE_FALLBACK);
	/* The registry's word counts at once. */
	ck_assert_ptr_eq(profile_of(&pump, 3, "hidden", "pump-1", &use), &hidden);
	ck_assert_ptr_eq(profile_of(&pump, 3, "tank", "pump-1", &use), &tank);
	ck_assert_ptr_eq(profile_of(&pump, 3, "", "pump-1", &use), &pump);
	ck_assert_ptr_null(profile_of(&pump, 3, "gone", "pump-1", &use));
	ck_assert_int_eq(use.origin, PROFILE_MISSING);
	ck_assert_ptr_eq(profile_of(&pump, 3, NULL, "pump-1", &use), &pump);
}
END_TEST

static const struct tg_bytes *given(void)
{
	static struct tg_bytes values[PATTERN_GIVEN_COUNT];

	values[PATTERN_SITE] = bytes_text("plant");
	values[PATTERN_GATEWAY] = bytes_text("hall");
	values[PATTERN_DEVICE] = bytes_text("pump-1");
	values[PATTERN_ENDPOINT] = bytes_text("field");
	return values;
}

static enum tg_verdict judge(const struct profile *profile, const char *path, uint32_t method, int32_t format,
			     size_t size)
{
	const struct profile_request request = {bytes_text(path), method, format, size, given()};
	const char *reason = NULL;
	enum tg_verdict verdict = profile_judge(profile, &request, &reason);

	ck_assert((verdict == TG_ACCEPTED) == (reason == NULL));
	return verdict;
}

START_TEST(judges_paths)
{
	char problem[PATTERN_PROBLEM_SIZE];
	struct pattern *paths[3] = {NULL};
	struct profile profile = {.name = "p", .paths = paths, .payload_max_bytes = 10};

	ck_assert_int_eq(pattern_new_match("/t/{path}", false, &paths[0], problem), 0);
	ck_assert_int_eq(pattern_new_match("alarm", false, &paths[1], problem), 0);
	ck_assert_int_eq(pattern_new_match("of/{device}/{site}/{x}", false, &paths[2], problem), 0);
	ck_assert_int_eq(judge(&profile, "anything", TG_METHOD_POST, 0, 1), TG_ACCEPTED);
	profile.paths_count = 3;
	ck_assert_int_eq(judge(&profile, "t/1", TG_METHOD_POST, 0, 1), TG_ACCEPTED);
	ck_assert_int_eq(judge(&profile, "t/1/2", TG_METHOD_POST, 0, 1), TG_ACCEPTED);
	ck_assert_int_eq(judge(&profile, "alarm", TG_METHOD_POST, 0, 1), TG_ACCEPTED);
	ck_assert_int_eq(judge(&profile, "of/pump-1/plant/x", TG_METHOD_POST, 0, 1), TG_ACCEPTED);
	ck_assert_int_eq(judge(&profile, "of/pump-2/plant/x", TG_METHOD_POST, 0, 1), TG_NOT_ALLOWED);
	ck_assert_int_eq(judge(&profile, "t", TG_METHOD_POST, 0, 1), TG_NOT_ALLOWED);
	ck_assert_int_eq(judge(&profile, "tt/1", TG_METHOD_POST, 0, 1), TG_NOT_ALLOWED);
	ck_assert_int_eq(judge(&profile, "alarm/1", TG_METHOD_POST, 0, 1), TG_NOT_ALLOWED);
	ck_assert_int_eq(judge(&profile, "", TG_METHOD_POST, 0, 1), TG_NOT_ALLOWED);
	for (size_t i = 0; i < 3; i++)
		pattern_free(paths[i]);
}
END_TEST

START_TEST(judges_methods_formats_and_size)
{
	static const int32_t formats[] = {50, TG_FORMAT_NONE};
	const struct profile profile = {.name = "p",
					.methods = PROFILE_METHOD(TG_METHOD_PUT),
					.formats = formats,
					.formats_count = 2,
					.payload_max_bytes = 10};
	const struct profile open = {.name = "open", .payload_max_bytes = SIZE_MAX};

	ck_assert_int_eq(judge(&profile, "t", TG_METHOD_PUT, 50, 10), TG_ACCEPTED);
	ck_assert_int_eq(judge(&profile, "t", TG_METHOD_PUT, TG_FORMAT_NONE, 0), TG_ACCEPTED);
	ck_assert_int_eq(judge(&profile, "t", 0, 50, 10), TG_ACCEPTED); /* no methods in its standard */
	ck_assert_int_eq(judge(&profile, "t", TG_METHOD_POST, 50, 10), TG_NOT_ALLOWED);
	ck_assert_int_eq(judge(&profile, "t", 1, 50, 10), TG_NOT_ALLOWED);
	ck_assert_int_eq(judge(&profile, "t", 31, 50, 10), TG_NOT_ALLOWED);
	ck_assert_int_eq(judge(&profile, "t", 32 + TG_METHOD_PUT, 50, 10), TG_NOT_ALLOWED);
	ck_assert_int_eq(judge(&profile, "t", UINT32_MAX, 50, 10), TG_NOT_ALLOWED);
	ck_assert_int_eq(judge(&profile, "t", TG_METHOD_PUT, 0, 10), TG_WRONG_FORMAT);
	ck_assert_int_eq(judge(&profile, "t", TG_METHOD_PUT, 50, 11), TG_TOO_LARGE);
	ck_assert_int_eq(judge(&open, "t", TG_METHOD_POST, UINT16_MAX, SIZE_MAX), TG_ACCEPTED);
	ck_assert_int_eq(judge(&open, "t", TG_METHOD_PUT, UINT16_MAX, SIZE_MAX), TG_ACCEPTED);
	ck_assert_int_eq(judge(&open, "t", TG_METHOD_PATCH, UINT16_MAX, SIZE_MAX), TG_NOT_ALLOWED);
	ck_assert_int_eq(judge(&open, "t", TG_METHOD_IPATCH, UINT16_MAX, SIZE_MAX), TG_NOT_ALLOWED);
}
END_TEST

START_TEST(the_rate_is_exact)
{
	const struct profile profile = {.name = "p", .rate = 4, .burst = 3};
	struct profile_use use = {.epoch = 0};
	int64_t now_us = 77;

	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(profile_take(&profile, &use, now_us), 0);
	ck_assert_uint_eq(profile_take(&profile, &use, now_us), 1);
	ck_assert_uint_eq(profile_take(&profile, &use, now_us + 249999), 1);
	ck_assert_uint_eq(profile_take(&profile, &use, now_us + 250000), 0);
	ck_assert_uint_eq(profile_take(&profile, &use, now_us + 250000), 1);
	now_us += 250000 + 750000;
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(profile_take(&profile, &use, now_us), 0);
	ck_assert_uint_eq(profile_take(&profile, &use, now_us), 1);
	/* No more than the burst is saved up, however long nothing comes. */
	now_us += INT64_MAX / 2;
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(profile_take(&profile, &use, now_us), 0);
	ck_assert_uint_eq(profile_take(&profile, &use, now_us), 1);
}
END_TEST

START_TEST(nothing_is_lost_by_rounding)
{
	static const uint32_t rates[] = {1, 3, 7, 1000, 99999, 100000};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		const struct profile profile = {.name = "p", .rate = rates[i], .burst = 2};
		struct profile_use use = {.epoch = 0};
		uint32_t taken = 0;

		/* Asked every microsecond for a second: the burst, and the rate. */
		for (int64_t us = 1; us <= CLOCK_S_US + 1; us++)
			taken += profile_take(&profile, &use, us) == 0;
		ck_assert_uint_eq(taken, rates[i] + 2);
	}
}
END_TEST

START_TEST(a_changed_profile_counts_at_once)
{
	struct profile profile = {.name = "p", .rate = 1, .burst = 1000000};
	struct profile_use use = {.epoch = 0};

	ck_assert_uint_eq(profile_take(&profile, &use, 1), 0);
	profile.burst = 2; /* what was saved up is cut */
	ck_assert_uint_eq(profile_take(&profile, &use, 1), 0);
	ck_assert_uint_eq(profile_take(&profile, &use, 1), 0);
	ck_assert_uint_eq(profile_take(&profile, &use, 1), 1);
	profile.rate = 0;
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(profile_take(&profile, &use, 2), 0);
	profile.rate = 1;
	ck_assert_uint_eq(profile_take(&profile, &use, 2), 1);
	/* A clock that stands, or goes back, gives nothing and takes nothing. */
	ck_assert_uint_eq(profile_take(&profile, &use, 1), 1);
	ck_assert_uint_eq(profile_take(&profile, &use, CLOCK_S_US), 0);
}
END_TEST

START_TEST(says_when_to_come_again)
{
	const struct profile slow = {.name = "p", .rate = 1, .burst = 1},
			     fast = {.name = "p", .rate = 100000, .burst = 1};
	struct profile_use use = {.epoch = 0}, other = {.epoch = 0};

	ck_assert_uint_eq(profile_take(&slow, &use, 1), 0);
	ck_assert_uint_eq(profile_take(&slow, &use, 1), 1);
	ck_assert_uint_eq(profile_take(&slow, &use, CLOCK_S_US), 1);
	ck_assert_uint_eq(profile_take(&slow, &use, CLOCK_S_US + 1), 0);
	ck_assert_uint_eq(profile_take(&fast, &other, 1), 0);
	ck_assert_uint_eq(profile_take(&fast, &other, 1), 1);
	ck_assert_uint_eq(profile_take(&fast, &other, 11), 0);
}
END_TEST

START_TEST(commands_are_taken_where_the_profile_says_so)
{
	ck_assert(profile_takes_commands(&tank));
	ck_assert(!profile_takes_commands(&pump));
	ck_assert(!profile_takes_commands(NULL));
}
END_TEST

static enum tg_verdict command(const struct profile *profile, const char *path, uint32_t method)
{
	const char *reason = NULL;
	enum tg_verdict verdict = profile_judge_command(profile, bytes_text(path), method, given(), &reason);

	ck_assert((verdict == TG_ACCEPTED) == (reason == NULL));
	return verdict;
}

START_TEST(judges_commands)
{
	char problem[PATTERN_PROBLEM_SIZE];
	struct pattern *paths[2] = {NULL};
	struct profile profile = {.name = "p", .command_paths = paths};

	ck_assert_int_eq(pattern_new_match("/valve/{n}", false, &paths[0], problem), 0);
	ck_assert_int_eq(pattern_new_match("of/{device}/{path}", false, &paths[1], problem), 0);
	ck_assert_int_eq(command(NULL, "a", TG_METHOD_GET), TG_NOT_ALLOWED);
	ck_assert_int_eq(command(&profile, "a", TG_METHOD_GET), TG_NOT_ALLOWED);
	profile.commands = true;
	for (uint32_t method = TG_METHOD_GET; method <= TG_METHOD_DELETE; method++)
		ck_assert_int_eq(command(&profile, "a", method), TG_ACCEPTED);
	ck_assert_int_eq(command(&profile, "", TG_METHOD_GET), TG_ACCEPTED);
	ck_assert_int_eq(command(&profile, "/", TG_METHOD_GET), TG_ACCEPTED);
	ck_assert_int_eq(command(&profile, "a", TG_METHOD_NONE), TG_NOT_ALLOWED);
	ck_assert_int_eq(command(&profile, "a", TG_METHOD_FETCH), TG_NOT_ALLOWED);
	ck_assert_int_eq(command(&profile, "a", TG_METHOD_IPATCH), TG_NOT_ALLOWED);
	ck_assert_int_eq(command(&profile, "a", UINT32_MAX), TG_NOT_ALLOWED);
	profile.command_paths_count = 2;
	profile.command_methods = PROFILE_METHOD(TG_METHOD_PUT) | PROFILE_METHOD(TG_METHOD_FETCH);
	ck_assert_int_eq(command(&profile, "valve/1", TG_METHOD_PUT), TG_ACCEPTED);
	ck_assert_int_eq(command(&profile, "/valve/1", TG_METHOD_FETCH), TG_ACCEPTED);
	ck_assert_int_eq(command(&profile, "valve/1", TG_METHOD_GET), TG_NOT_ALLOWED);
	ck_assert_int_eq(command(&profile, "//valve/1", TG_METHOD_PUT), TG_NOT_ALLOWED);
	ck_assert_int_eq(command(&profile, "valve/1/2", TG_METHOD_PUT), TG_NOT_ALLOWED);
	ck_assert_int_eq(command(&profile, "valve", TG_METHOD_PUT), TG_NOT_ALLOWED);
	ck_assert_int_eq(command(&profile, "", TG_METHOD_PUT), TG_NOT_ALLOWED);
	ck_assert_int_eq(command(&profile, "of/pump-1/a/b", TG_METHOD_PUT), TG_ACCEPTED);
	ck_assert_int_eq(command(&profile, "of/pump-2/a/b", TG_METHOD_PUT), TG_NOT_ALLOWED);
	/* What it hands in is judged by other rows. */
	ck_assert_int_eq(judge(&profile, "valve/1", TG_METHOD_POST, 0, 0), TG_ACCEPTED);
	for (size_t i = 0; i < 2; i++)
		pattern_free(paths[i]);
}
END_TEST

START_TEST(reads_what_is_named_and_nothing_else)
{
	char problem[PATTERN_PROBLEM_SIZE];
	struct profile_read reads[2] = {{.device = pumps}, {.device = tanks}};
	struct profile profile = {.name = "p", .reads = reads};
	static const struct {
		const char *device, *path;
		bool allowed;
	} rows[] = {
		{"pump-1", "temp", true},       {"pump-", "temp", true},     {"pump-1", "temp/x", false},
		{"pump-1", "tem", false},       {"valve", "temp", false},    {"", "temp", false},
		{"pump-1", "", false},          {"tank-4-north", "a", true}, {"tank-4-north", "a/b/c", true},
		{"tank-4-south", "a/b", false}, {"tank-/-north", "a", true}, {"*", "temp", false},
	};

	ck_assert_int_eq(pattern_new_match("temp", false, &reads[0].path, problem), 0);
	ck_assert_int_eq(pattern_new_match("{path}", false, &reads[1].path, problem), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tg_bytes device = bytes_text(rows[i].device), path = bytes_text(rows[i].path);

		ck_assert(!profile_may_read(NULL, device, path));
		profile.reads_count = 0;
		ck_assert(!profile_may_read(&profile, device, path));
		profile.reads_count = 2;
		ck_assert_msg(profile_may_read(&profile, device, path) == rows[i].allowed, "%s/%s", rows[i].device,
			      rows[i].path);
	}
	for (size_t i = 0; i < 2; i++)
		pattern_free(reads[i].path);
}
END_TEST

SUITE_MAIN("profile", a_star_stands_for_anything, finds_the_profile_of_a_device, the_first_that_matches_counts,
	   remembers_until_something_changes, judges_paths, judges_methods_formats_and_size, the_rate_is_exact,
	   nothing_is_lost_by_rounding, a_changed_profile_counts_at_once, says_when_to_come_again,
	   commands_are_taken_where_the_profile_says_so, judges_commands, reads_what_is_named_and_nothing_else)
