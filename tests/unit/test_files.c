/* SPDX-License-Identifier: Apache-2.0 */

/* Files change in every way that operators and their tools have; each change is told once, when it has settled. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "core/files.h"
#include "suite.h"

enum { MS = 1000, PATH_SIZE = 256, SOON_MS = 30000 };

static struct loop *loop;
static struct files *files;
static char folder[64];
static unsigned changed, settled, missing;
static char last[PATH_SIZE];

static void on_changed(void *arg, const char *group, const char *path)
{
	(void)arg;
	ck_assert_str_eq(group, "field");
	snprintf(last, sizeof(last), "%s", path);
	changed++;
}

static void on_settled(void *arg, const char *group)
{
	(void)arg;
	ck_assert_str_eq(group, "field");
	settled++;
}

static void on_missing(void *arg, const char *group, const char *path)
{
	(void)arg;
	(void)group;
	(void)path;
	missing++;
}

static const struct files_events events = {on_changed, on_settled, on_missing};

static const char *at(const char *name)
{
	static char paths[8][PATH_SIZE];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, PATH_SIZE, "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(at(name), "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void turn_once(void)
{
	ck_assert_int_ge(loop_turn(loop, MS), 0);
}

#define UNTIL(condition)                                                                                               \
	do {                                                                                                           \
		int64_t end_ = clock_now_us() + SOON_MS * MS;                                                          \
		while (!(condition) && clock_now_us() < end_)                                                          \
			turn_once();                                                                                   \
		ck_assert(condition);                                                                                  \
	} while (0)

static void rest(int64_t us)
{
	int64_t end_us = clock_now_us() + us;

	while (clock_now_us() < end_us)
		turn_once();
}

/* `look_us`: of an hour, so that only the kernel's events can be what tells. */
static void start(int64_t settle_us, int64_t apart_us, int64_t look_us)
{
	const struct files_times times = {settle_us, apart_us, look_us};

	changed = settled = missing = 0;
	snprintf(folder, sizeof(folder), "/tmp/tg-files-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(loop_new(&loop), 0);
	ck_assert_int_eq(files_new(loop, &times, &events, NULL, &files), 0);
}

static void setup(void)
{
	start(20 * MS, 0, 3600 * CLOCK_S_US);
}

static void teardown(void)
{
	char command[PATH_SIZE];

	files_free(files);
	loop_free(loop);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void watch(const char *first, const char *second)
{
	const char *const paths[] = {first, second};

	ck_assert_int_eq(files_set(files, "field", paths, second ? 2 : 1), 0);
	turn_once();
}

START_TEST(test_written_in_place)
{
	put("ca.crt", "old");
	watch(at("ca.crt"), NULL);
	put("ca.crt", "newer");
	UNTIL(settled == 1);
	ck_assert_uint_eq(changed, 1);
	ck_assert_str_eq(last, at("ca.crt"));
	put("ca.crt", "other"); /* of the same size */
	UNTIL(settled == 2);
}
END_TEST

START_TEST(test_renamed_over)
{
	put("ca.crt", "old");
	watch(at("ca.crt"), NULL);
	put("ca.crt.new", "new");
	ck_assert_int_eq(rename(at("ca.crt.new"), at("ca.crt")), 0);
	UNTIL(settled == 1);
	rest(60 * MS);
	ck_assert_uint_eq(changed, 1);
}
END_TEST

/* As kubelet and certbot do it: what stands behind the name is turned around. */
START_TEST(test_links)
{
	ck_assert_int_eq(mkdir(at("1"), 0700), 0);
	ck_assert_int_eq(mkdir(at("2"), 0700), 0);
	put("1/ca.crt", "same");
	put("2/ca.crt", "same");
	ck_assert_int_eq(symlink("1", at("..data")), 0);
	ck_assert_int_eq(symlink("..data/ca.crt", at("ca.crt")), 0);
	watch(at("ca.crt"), NULL);
	ck_assert_int_eq(symlink("2", at("..new")), 0);
	ck_assert_int_eq(rename(at("..new"), at("..data")), 0);
	UNTIL(settled == 1);
	put("2/ca.crt", "written where the link leads to now");
	UNTIL(settled == 2);
	ck_assert_uint_eq(changed, 2);
}
END_TEST

/* No event comes from a link in the middle of the path. */
START_TEST(test_a_look_now_and_then)
{
	teardown();
	start(20 * MS, 0, 50 * MS);
	ck_assert_int_eq(mkdir(at("1"), 0700), 0);
	ck_assert_int_eq(mkdir(at("2"), 0700), 0);
	put("1/ca.crt", "one");
	put("2/ca.crt", "two");
	ck_assert_int_eq(symlink("1", at("pki")), 0);
	watch(at("pki/ca.crt"), NULL);
	ck_assert_int_eq(symlink("2", at("new")), 0);
	ck_assert_int_eq(rename(at("new"), at("pki")), 0);
	UNTIL(settled == 1);
}
END_TEST

START_TEST(test_a_pair_is_one_change)
{
	put("own.crt", "old");
	put("own.key", "old");
	watch(at("own.crt"), at("own.key"));
	put("own.crt", "new one");
	turn_once();
	put("own.key", "new one");
	UNTIL(settled == 1);
	ck_assert_uint_eq(changed, 2);
	rest(60 * MS);
	ck_assert_uint_eq(settled, 1);
}
END_TEST

START_TEST(test_nothing_before_it_has_settled)
{
	teardown();
	start(200 * MS, 0, 3600 * CLOCK_S_US);
	put("ca.crl", "");
	watch(at("ca.crl"), NULL);
	for (int i = 0; i < 20; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d", i);
		put("ca.crl", text);
		ck_assert_uint_eq(settled, 0);
		rest(MS);
	}
	UNTIL(settled == 1);
	ck_assert_uint_eq(changed, 1);
}
END_TEST

/* Somebody writes all the time: it is told now and then, not each time. */
START_TEST(test_no_storm)
{
	int64_t begin_us;

	teardown();
	start(5 * MS, 300 * MS, 3600 * CLOCK_S_US);
	put("ca.crl", "");
	watch(at("ca.crl"), NULL);
	begin_us = clock_now_us();
	for (int i = 0; clock_now_us() < begin_us + 1000 * MS; i++) {
		put("ca.crl", i % 2 ? "a" : "bb");
		rest(20 * MS);
	}
	UNTIL(settled >= 1);
	ck_assert_int_le(settled, (clock_now_us() - begin_us) / (300 * MS) + 1);
}
END_TEST

START_TEST(test_missing_and_back)
{
	put("ca.crt", "old");
	watch(at("ca.crt"), NULL);
	ck_assert_int_eq(unlink(at("ca.crt")), 0);
	UNTIL(missing == 1);
	rest(60 * MS);
	ck_assert_uint_eq(settled, 0);
	put("ca.crt", "back");
	UNTIL(settled == 1);
	ck_assert_uint_eq(missing, 1);
}
END_TEST

/* What could not be read, because of its mode or because it was not there, is told once it can. */
START_TEST(test_made_later)
{
	put("own.key", "x");
	ck_assert_int_eq(chmod(at("own.key"), 0), 0);
	watch(at("own.key"), at("later.crt"));
	ck_assert_int_eq(chmod(at("own.key"), 0600), 0);
	UNTIL(settled == 1);
	put("later.crt", "new");
	UNTIL(settled == 2);
	ck_assert_str_eq(last, at("later.crt"));
	ck_assert_uint_eq(missing, 0);
}
END_TEST

static bool stays_not(void *arg, const char *group)
{
	(void)arg;
	(void)group;
	return false;
}

START_TEST(test_set_anew_and_pruned)
{
	put("a", "1");
	put("b", "1");
	watch(at("a"), NULL);
	put("a", "22");
	watch(at("b"), NULL); /* what was sent with these settings is no change */
	rest(60 * MS);
	ck_assert_uint_eq(settled, 0);
	put("a", "333");
	rest(60 * MS);
	ck_assert_uint_eq(settled, 0);
	put("b", "22");
	UNTIL(settled == 1);
	files_prune(files, stays_not, NULL);
	put("b", "333");
	rest(60 * MS);
	ck_assert_uint_eq(settled, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("files");
	TCase *tcase = tcase_create("files");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_written_in_place);
	tcase_add_test(tcase, test_renamed_over);
	tcase_add_test(tcase, test_links);
	tcase_add_test(tcase, test_a_look_now_and_then);
	tcase_add_test(tcase, test_a_pair_is_one_change);
	tcase_add_test(tcase, test_nothing_before_it_has_settled);
	tcase_add_test(tcase, test_no_storm);
	tcase_add_test(tcase, test_missing_and_back);
	tcase_add_test(tcase, test_made_later);
	tcase_add_test(tcase, test_set_anew_and_pruned);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
