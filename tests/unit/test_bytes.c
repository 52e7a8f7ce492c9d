/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "suite.h"

START_TEST(test_equal)
{
	ck_assert(bytes_equal(bytes_text("abc"), bytes_of("abcd", 3)));
	ck_assert(!bytes_equal(bytes_text("abc"), bytes_text("abd")));
	ck_assert(!bytes_equal(bytes_text("abc"), bytes_text("ab")));
	ck_assert(bytes_equal(bytes_text(NULL), bytes_text("")));
	ck_assert(bytes_equal(bytes_of(NULL, 0), bytes_of(NULL, 0)));
}
END_TEST

START_TEST(test_to_text)
{
	CLEANUP_FREE char *text = bytes_to_text(bytes_of("hall-3 and more", 6));
	CLEANUP_FREE char *nothing = bytes_to_text(bytes_of(NULL, 0));

	ck_assert_str_eq(text, "hall-3");
	ck_assert_str_eq(nothing, "");
	ck_assert_ptr_null(bytes_to_text(bytes_of("ha\0l", 4)));
}
END_TEST

/* The first and last sequence of each length, and the corners of RFC 3629 section 4. */
START_TEST(test_good_utf8)
{
	static const char *const good[] = {"",
					   "plain",
					   "\x01\x7f",
					   "\xc2\x80",
					   "\xdf\xbf",
					   "\xe0\xa0\x80",
					   "\xed\x9f\xbf",
					   "\xee\x80\x80",
					   "\xef\xbf\xbf",
					   "\xf0\x90\x80\x80",
					   "\xf4\x8f\xbf\xbf",
					   "Zähler-3/μ€😀"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(bytes_is_utf8(bytes_text(good[i])), "good[%zu]", i);
}
END_TEST

START_TEST(test_bad_utf8)
{
	static const char *const bad[] = {"\x80",             /* continuation alone */
					  "\xc0\x80",         /* overlong NUL */
					  "\xc1\xbf",         /* overlong */
					  "\xc2",             /* cut short */
					  "\xc2\x41",         /* no continuation */
					  "\xe0\x9f\xbf",     /* overlong */
					  "\xe1\x80",         /* cut short */
					  "\xed\xa0\x80",     /* surrogate */
					  "\xf0\x8f\xbf\xbf", /* overlong */
					  "\xf1\x80\x80",     /* cut short */
					  "\xf4\x90\x80\x80", /* above U+10FFFF */
					  "\xf5\x80\x80\x80",
					  "\xfe",
					  "\xff",
					  "good until here \xe2\x82"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!bytes_is_utf8(bytes_text(bad[i])), "bad[%zu]", i);
	ck_assert(!bytes_is_utf8(bytes_of("a\0b", 3)));
}
END_TEST

SUITE_MAIN("bytes", test_equal, test_to_text, test_good_utf8, test_bad_utf8)
