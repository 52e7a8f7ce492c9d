/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trouble.h"

#include "base/clock.h"
#include "suite.h"

#define S     CLOCK_S_US
#define START (7 * S)

static struct trouble trouble;

static enum trouble_news note(bool is_there, int64_t at_us)
{
	return trouble_note(&trouble, is_there, START + at_us);
}

START_TEST(beginning_and_end_are_told_once)
{
	trouble = (struct trouble){.told = false};
	ck_assert_int_eq(note(false, 0), TROUBLE_NO_NEWS);
	ck_assert_int_eq(note(true, 1), TROUBLE_BEGINS);
	ck_assert_int_eq(note(true, 2), TROUBLE_NO_NEWS);
	ck_assert_int_eq(note(true, 3600 * S), TROUBLE_NO_NEWS);
	ck_assert_int_eq(note(false, 3601 * S), TROUBLE_ENDS);
	ck_assert_int_eq(note(false, 3602 * S), TROUBLE_NO_NEWS);
	ck_assert_int_eq(note(true, 3603 * S), TROUBLE_BEGINS);
}
END_TEST

START_TEST(what_flickers_is_told_once_a_minute)
{
	unsigned begins = 0, ends = 0;

	trouble = (struct trouble){.told = false};
	for (int64_t at_us = 0; at_us < 600 * S; at_us += S / 10) {
		enum trouble_news news = note(at_us / (S / 10) % 2 == 0, at_us);

		begins += news == TROUBLE_BEGINS;
		ends += news == TROUBLE_ENDS;
	}
	ck_assert_uint_eq(begins, 10);
	ck_assert_uint_eq(ends, 10);
}
END_TEST

START_TEST(a_minute_has_sixty_seconds)
{
	trouble = (struct trouble){.told = false};
	ck_assert_int_eq(note(true, 0), TROUBLE_BEGINS);
	ck_assert_int_eq(note(false, 1), TROUBLE_ENDS);
	ck_assert_int_eq(note(true, 60 * S - 1), TROUBLE_NO_NEWS);
	ck_assert_int_eq(note(true, 60 * S), TROUBLE_BEGINS);
}
END_TEST

SUITE_MAIN("trouble", beginning_and_end_are_told_once, what_flickers_is_told_once_a_minute, a_minute_has_sixty_seconds)
