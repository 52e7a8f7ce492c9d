/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/trial.h"
#include "suite.h"

static const struct trial_now now = {"6a1c0f9e-3f57-4a53-8a3c-0d6b7c2f4e11", 5000000};
static const struct trial_now later = {"6a1c0f9e-3f57-4a53-8a3c-0d6b7c2f4e11", 65000000};
static const struct trial_now other_boot = {"6a1c0f9e-3f57-4a53-8a3c-0d6b7c2f4e12", 1};

START_TEST(test_time)
{
	char text[TRIAL_NOTE_SIZE];
	struct trial trial;

	trial_format(&now, 60000000, text);
	trial = trial_parse(text, &now);
	ck_assert_int_eq(trial.state, TRIAL_PENDING);
	ck_assert_int_eq(trial.left_us, 60000000);
	ck_assert_int_eq(trial_parse(text, &later).state, TRIAL_OVER);
}
END_TEST

START_TEST(test_another_start_of_the_machine_ends_it)
{
	static const struct trial_now unknown = {"", 0};
	char text[TRIAL_NOTE_SIZE];

	trial_format(&now, 60000000, text);
	ck_assert_int_eq(trial_parse(text, &other_boot).state, TRIAL_OVER);
	ck_assert_int_eq(trial_parse(text, &unknown).state, TRIAL_OVER);
}
END_TEST

START_TEST(test_confirmed_for_good)
{
	char text[TRIAL_NOTE_SIZE];

	trial_format(&now, -1, text);
	ck_assert_int_eq(trial_parse(text, &other_boot).state, TRIAL_CONFIRMED);
}
END_TEST

/* A note that is cut short or changed anywhere is over, unless it still says the same time in other words. */
START_TEST(test_damaged_is_over)
{
	char text[TRIAL_NOTE_SIZE], broken[TRIAL_NOTE_SIZE];
	size_t size;

	trial_format(&now, 60000000, text);
	size = strlen(text);
	for (size_t cut = 0; cut < size; cut++) {
		memcpy(broken, text, size + 1);
		broken[cut] = '\0';
		ck_assert_int_eq(trial_parse(broken, &now).state, TRIAL_OVER);
		memcpy(broken, text, size + 1);
		broken[cut] = '~';
		ck_assert_int_eq(trial_parse(broken, &now).state, TRIAL_OVER);
	}
	ck_assert_int_eq(trial_parse("", &now).state, TRIAL_OVER);
	ck_assert_int_eq(trial_parse("confirmed\n", &now).state, TRIAL_OVER);
}
END_TEST

START_TEST(test_no_folder)
{
	struct trial_now here;

	ck_assert_int_eq(trial_now(&here), 0);
	ck_assert_uint_eq(strlen(here.boot), 32); /* whatever dashes it is written with */
	ck_assert_ptr_null(strchr(here.boot, '-'));
	ck_assert_int_gt(here.time_us, 0);
	ck_assert_int_eq(trial_read("/nonexistent/trial", &here).state, TRIAL_NONE);
}
END_TEST

START_TEST(test_files)
{
	char folder[] = "/tmp/test_trial.XXXXXX", path[64];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(trial_read(folder, &now).state, TRIAL_OVER);
	ck_assert_int_eq(trial_write(folder, &now, 1000000), 0);
	ck_assert_int_eq(trial_read(folder, &now).state, TRIAL_PENDING);
	ck_assert_int_eq(trial_write(folder, &now, -1), 0);
	ck_assert_int_eq(trial_read(folder, &later).state, TRIAL_CONFIRMED);
	snprintf(path, sizeof(path), "%s/until", folder);
	unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
	ck_assert_int_lt(trial_write(folder, &now, -1), 0);
}
END_TEST

SUITE_MAIN("trial", test_time, test_another_start_of_the_machine_ends_it, test_confirmed_for_good, test_damaged_is_over,
	   test_no_folder, test_files)
