/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "suite.h"

/* The last line that the sink got. */
struct heard {
	int count;
	enum log_level level;
	char device[32];
	char text[2048];
};

static void hear(void *arg, enum log_level level, const struct log_fields *fields, const char *text)
{
	struct heard *heard = arg;

	heard->count++;
	heard->level = level;
	snprintf(heard->device, sizeof(heard->device), "%s", fields->device ? fields->device : "");
	snprintf(heard->text, sizeof(heard->text), "%s", text);
}

START_TEST(test_level_and_fields)
{
	struct heard heard = {0};

	log_set_sink(hear, &heard);
	log_debug("not asked for");
	ck_assert_int_eq(heard.count, 0);
	log_fields_write(LOG_LEVEL_WARNING, &(struct log_fields){.device = "pump-1"}, "refused (%s)", "too fast");
	ck_assert_int_eq(heard.count, 1);
	ck_assert_int_eq(heard.level, LOG_LEVEL_WARNING);
	ck_assert_str_eq(heard.device, "pump-1");
	ck_assert_str_eq(heard.text, "refused (too fast)");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("now it is");
	ck_assert_int_eq(heard.count, 2);
	ck_assert_str_eq(heard.device, "");
}
END_TEST

START_TEST(test_no_peer_starts_a_line)
{
	struct heard heard = {0};

	log_set_sink(hear, &heard);
	log_error("device '%s'", "a\nerror: forged\x1b[2J\x7f");
	ck_assert_int_eq(heard.count, 1);
	ck_assert_str_eq(heard.text, "device 'a?error: forged?[2J?'");
}
END_TEST

START_TEST(test_long_lines_are_cut)
{
	struct heard heard = {0};
	char text[4000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	log_set_sink(hear, &heard);
	log_error("%s", text);
	ck_assert_uint_eq(strlen(heard.text), 1023);
}
END_TEST

START_TEST(test_limit_counts_what_it_left_out)
{
	struct log_limit limit = {.span_us = CLOCK_S_US, .burst = 2};
	const int64_t start_us = 1000 * CLOCK_S_US;
	unsigned left_out = 99;

	ck_assert(log_limit_pass(&limit, start_us, &left_out));
	ck_assert_uint_eq(left_out, 0);
	ck_assert(log_limit_pass(&limit, start_us + 1, &left_out));
	for (int i = 0; i < 7; i++)
		ck_assert(!log_limit_pass(&limit, start_us + CLOCK_S_US - 1, &left_out));
	ck_assert(log_limit_pass(&limit, start_us + CLOCK_S_US, &left_out));
	ck_assert_uint_eq(left_out, 7);
	ck_assert(log_limit_pass(&limit, start_us + CLOCK_S_US, &left_out));
	ck_assert_uint_eq(left_out, 0);
	ck_assert(!log_limit_pass(&limit, start_us + CLOCK_S_US, &left_out));
}
END_TEST

SUITE_MAIN("log", test_level_and_fields, test_no_peer_starts_a_line, test_long_lines_are_cut,
	   test_limit_counts_what_it_left_out)
