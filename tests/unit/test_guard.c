/* SPDX-License-Identifier: Apache-2.0 */
#include "core/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "suite.h"

#define S    CLOCK_S_US
#define HOUR (3600 * S)
#define DAY  (24 * HOUR)
#define YEAR (365 * DAY)

/* 2026-01-01; the gateway was built then and last seen running half a year later. */
#define BUILD (INT64_C(1767225600) * S)
#define SEEN  (BUILD + YEAR / 2)
#define START (1000 * S)

static const struct guard_settings plain = {.believe_after_us = 600 * S};
static struct guard guard;

static void begin(int64_t synchronised_wall_us, int64_t wall_us)
{
	guard_init(&guard, &plain, BUILD, &(struct guard_seen){synchronised_wall_us, wall_us}, START);
}

/* A look `after_us` after the start. */
static enum guard_news look(int64_t after_us, int64_t wall_us, bool synchronised)
{
	return guard_look(&guard, &(struct guard_look){START + after_us, wall_us, synchronised}).news;
}

static int64_t now(int64_t after_us)
{
	return guard_now(&guard, START + after_us);
}

START_TEST(a_good_clock_is_simply_the_time)
{
	begin(SEEN, SEEN);
	ck_assert_int_eq(look(0, SEEN + 3 * DAY, false), GUARD_QUIET);
	ck_assert_int_eq(guard.state, GUARD_FREE);
	ck_assert_int_eq(now(0), SEEN + 3 * DAY);
	ck_assert_int_eq(now(HOUR), SEEN + 3 * DAY + HOUR);
	ck_assert_int_eq(look(HOUR, SEEN + 3 * DAY + HOUR + 20 * S, true), GUARD_QUIET);
	ck_assert_int_eq(guard.state, GUARD_SYNCHRONISED);
	ck_assert_int_eq(now(HOUR), SEEN + 3 * DAY + HOUR + 20 * S);
}
END_TEST

START_TEST(a_clock_of_1970_is_not_believed)
{
	struct guard_report report;

	begin(SEEN, SEEN + DAY);
	report = guard_look(&guard, &(struct guard_look){START, 5 * S, false});
	ck_assert_int_eq(report.news, GUARD_DOUBTED);
	ck_assert_int_eq(report.to_wall_us, 5 * S);
	ck_assert_int_eq(report.from_wall_us, SEEN + DAY);
	ck_assert_int_eq(guard.state, GUARD_BEHIND);
	for (int i = 1; i < 100; i++) /* for ever, and said once */
		ck_assert_int_eq(look(i * DAY, 5 * S + i * DAY, i % 2), GUARD_QUIET);
	ck_assert_int_eq(now(99 * DAY), SEEN + 100 * DAY);
	/* Set by hand or by NTP: right at once, also when far ahead. */
	ck_assert_int_eq(look(100 * DAY, SEEN + YEAR, false), GUARD_RIGHT);
	ck_assert_int_eq(now(100 * DAY), SEEN + YEAR);
}
END_TEST

START_TEST(nothing_seen_yet_leaves_the_build_date)
{
	begin(0, 0);
	ck_assert_int_eq(now(0), BUILD);
	ck_assert_int_eq(look(0, 0, false), GUARD_DOUBTED);
	ck_assert_int_eq(now(HOUR), BUILD + HOUR);
}
END_TEST

START_TEST(a_clock_of_2099_is_not_believed_without_synchronisation)
{
	begin(SEEN, SEEN);
	ck_assert_int_eq(look(0, BUILD + 73 * YEAR, false), GUARD_DOUBTED);
	ck_assert_int_eq(guard.state, GUARD_AHEAD);
	ck_assert_int_eq(look(30 * DAY, BUILD + 73 * YEAR + 30 * DAY, false), GUARD_QUIET);
	ck_assert_int_eq(now(30 * DAY), SEEN + 30 * DAY);
	/* And is not kept. */
	ck_assert_int_eq(guard_seen(&guard, START + 30 * DAY).wall_us, SEEN + 30 * DAY);
	ck_assert_int_eq(guard_seen(&guard, START + 30 * DAY).synchronised_wall_us, SEEN);
	ck_assert_int_eq(look(31 * DAY, SEEN + 31 * DAY, true), GUARD_RIGHT);
	ck_assert_int_eq(guard.state, GUARD_SYNCHRONISED);
}
END_TEST

START_TEST(a_jump_is_believed_at_once_when_synchronised)
{
	begin(SEEN, SEEN);
	look(0, SEEN, true);
	struct guard_report report = guard_look(&guard, &(struct guard_look){START + S, SEEN + YEAR, true});
	ck_assert_int_eq(report.news, GUARD_MOVED);
	ck_assert_int_eq(report.from_wall_us, SEEN + S);
	ck_assert_int_eq(report.to_wall_us, SEEN + YEAR);
	ck_assert_int_eq(now(S), SEEN + YEAR);
}
END_TEST

START_TEST(a_jump_without_synchronisation_has_to_hold)
{
	for (int back = 0; back < 2; back++) {
		int64_t to = back ? SEEN + DAY : SEEN + YEAR;

		begin(SEEN, SEEN + 30 * DAY);
		look(0, SEEN + 60 * DAY, false);
		ck_assert_int_eq(look(S, to, false), GUARD_DOUBTED);
		ck_assert_int_eq(guard.state, GUARD_JUMPED);
		ck_assert_int_eq(look(500 * S, to + 499 * S, false), GUARD_QUIET);
		ck_assert_int_eq(now(500 * S), SEEN + 60 * DAY + 500 * S);
		/* Another jump begins anew. */
		ck_assert_int_eq(look(501 * S, to + HOUR + 500 * S, false), GUARD_DOUBTED);
		ck_assert_int_eq(look(602 * S, to + HOUR + 601 * S, false), GUARD_QUIET);
		ck_assert_int_eq(guard.state, GUARD_JUMPED);
		ck_assert_int_eq(look(1101 * S, to + HOUR + 1100 * S, false), GUARD_RIGHT);
		ck_assert_int_eq(guard.state, GUARD_FREE);
		ck_assert_int_eq(now(1101 * S), to + HOUR + 1100 * S);
		ck_assert_int_eq(guard_seen(&guard, START + 1101 * S).wall_us, to + HOUR + 1100 * S);
	}
}
END_TEST

START_TEST(a_jump_that_is_taken_back_leaves_nothing)
{
	begin(SEEN, SEEN);
	look(0, SEEN, false);
	ck_assert_int_eq(look(S, SEEN + YEAR, false), GUARD_DOUBTED);
	ck_assert_int_eq(look(2 * S, SEEN + 2 * S, false), GUARD_RIGHT);
	ck_assert_int_eq(now(2 * S), SEEN + 2 * S);
	ck_assert_int_eq(look(3 * S, SEEN + 3 * S, false), GUARD_QUIET);
}
END_TEST

START_TEST(a_wrong_time_without_synchronisation_is_no_floor_for_ever)
{
	/* A real-time clock three years ahead was believed; then the network came. */
	begin(SEEN, SEEN);
	look(0, SEEN + 3 * YEAR, false);
	struct guard_seen seen = guard_seen(&guard, START + HOUR);
	ck_assert_int_eq(seen.wall_us, SEEN + 3 * YEAR + HOUR);
	ck_assert_int_eq(seen.synchronised_wall_us, SEEN);
	guard_init(&guard, &plain, BUILD, &seen, START);
	ck_assert_int_eq(look(0, SEEN + DAY, true), GUARD_MOVED);
	ck_assert_int_eq(now(0), SEEN + DAY);
	ck_assert_int_eq(guard_seen(&guard, START).wall_us, SEEN + DAY);
}
END_TEST

START_TEST(synchronised_time_never_runs_back)
{
	begin(SEEN, SEEN);
	look(0, SEEN + DAY, true);
	ck_assert_int_eq(look(S, SEEN, true), GUARD_DOUBTED);
	ck_assert_int_eq(guard.state, GUARD_BEHIND);
	ck_assert_int_eq(now(S), SEEN + DAY + S);
	/* A small step back is taken, but not below what was seen. */
	ck_assert_int_eq(look(HOUR, SEEN + DAY + HOUR, true), GUARD_RIGHT);
	ck_assert_int_eq(look(HOUR + S, SEEN + DAY + HOUR - 5 * S, true), GUARD_QUIET);
	ck_assert_int_eq(now(HOUR + S), SEEN + DAY + HOUR);
	ck_assert_int_eq(now(HOUR + 10 * S), SEEN + DAY + HOUR + 4 * S);
}
END_TEST

START_TEST(synchronisation_is_waited_for_but_not_for_ever)
{
	const struct guard_settings waits = {.believe_after_us = 600 * S, .sync_deadline_us = 100 * S};

	guard_init(&guard, &waits, BUILD, &(struct guard_seen){SEEN, SEEN}, START);
	ck_assert_int_eq(look(0, SEEN + DAY, false), GUARD_DOUBTED);
	ck_assert_int_eq(guard.state, GUARD_WAITING);
	ck_assert_int_eq(look(99 * S, SEEN + DAY + 99 * S, false), GUARD_QUIET);
	ck_assert_int_eq(now(99 * S), SEEN + 99 * S);
	ck_assert_int_eq(look(100 * S, SEEN + DAY + 100 * S, false), GUARD_RIGHT);
	ck_assert_int_eq(now(100 * S), SEEN + DAY + 100 * S);

	guard_init(&guard, &waits, BUILD, &(struct guard_seen){SEEN, SEEN}, START);
	look(0, SEEN + DAY, false);
	ck_assert_int_eq(look(3 * S, SEEN + DAY, true), GUARD_RIGHT);
	ck_assert_int_eq(now(3 * S), SEEN + DAY);
}
END_TEST

START_TEST(an_operator_who_knows_is_believed)
{
	begin(BUILD + 40 * YEAR, 0);
	ck_assert_int_eq(look(0, SEEN, true), GUARD_DOUBTED);
	ck_assert_int_eq(guard_accept(&guard, START, BUILD - 1), -ERANGE);
	ck_assert_int_eq(guard_accept(&guard, START, BUILD + 51 * YEAR), -ERANGE);
	ck_assert_int_eq(guard_accept(&guard, START, SEEN), 0);
	ck_assert_int_eq(now(0), SEEN);
	ck_assert_int_eq(look(S, SEEN + S, false), GUARD_QUIET);
	ck_assert_int_eq(guard_seen(&guard, START + S).synchronised_wall_us, SEEN);
}
END_TEST

START_TEST(what_was_seen_is_kept_as_text)
{
	const struct guard_seen seen = {SEEN, SEEN + 5 * S};
	char text[GUARD_TEXT_SIZE], bad[GUARD_TEXT_SIZE];
	struct guard_seen back;

	guard_seen_format(&seen, text);
	ck_assert_int_eq(guard_seen_parse(text, &back), 0);
	ck_assert_int_eq(back.synchronised_wall_us, SEEN);
	ck_assert_int_eq(back.wall_us, SEEN + 5 * S);
	for (size_t i = 0; text[i]; i++) { /* damage at any place is noticed */
		memcpy(bad, text, sizeof(bad));
		bad[i] ^= 1;
		ck_assert_msg(guard_seen_parse(bad, &back) == -EINVAL, "%s", bad);
		memcpy(bad, text, sizeof(bad));
		bad[i] = '\0';
		ck_assert_int_eq(guard_seen_parse(bad, &back), -EINVAL);
	}
	ck_assert_int_eq(guard_seen_parse("", &back), -EINVAL);
	ck_assert_int_eq(guard_seen_parse("tidegate clock 1\nsynchronised 99999999999999999999", &back), -EINVAL);
}
END_TEST

START_TEST(absurd_times_are_left_out)
{
	begin(BUILD + 60 * YEAR, INT64_MAX);
	ck_assert_int_eq(now(0), BUILD);
	begin(INT64_MIN, BUILD - DAY);
	ck_assert_int_eq(now(0), BUILD);
	begin(SEEN, BUILD + 51 * YEAR);
	ck_assert_int_eq(now(0), SEEN);
	/* The clock itself may say anything. */
	for (int i = 0; i < 2; i++) {
		look(i, INT64_MAX / 2, i);
		look(i, INT64_MIN / 2, i);
	}
}
END_TEST

SUITE_MAIN("guard", a_good_clock_is_simply_the_time, a_clock_of_1970_is_not_believed,
	   nothing_seen_yet_leaves_the_build_date, a_clock_of_2099_is_not_believed_without_synchronisation,
	   a_jump_is_believed_at_once_when_synchronised, a_jump_without_synchronisation_has_to_hold,
	   a_jump_that_is_taken_back_leaves_nothing, a_wrong_time_without_synchronisation_is_no_floor_for_ever,
	   synchronised_time_never_runs_back, synchronisation_is_waited_for_but_not_for_ever,
	   an_operator_who_knows_is_believed, what_was_seen_is_kept_as_text, absurd_times_are_left_out)
