/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/notes.h"

enum { SOON_US = 30 * 1000000, ANSWERS = 5000 };

static char folder[64];
static struct loop *loop;
static struct notes *notes;
static size_t n_answers;
static struct notes_asker askers[ANSWERS];
static int results[ANSWERS];
static char found[4096];
static char logged[4096];

static void on_line(void *arg, enum log_level level, const struct log_fields *fields, const char *text)
{
	(void)arg;
	(void)level;
	(void)fields;
	strncat(logged, text, sizeof(logged) - strlen(logged) - 1);
}

static void on_kept(void *arg, const struct notes_asker *asker, int result)
{
	(void)arg;
	ck_assert_uint_lt(n_answers, ANSWERS);
	askers[n_answers] = *asker;
	results[n_answers++] = result;
}

static int open_with(int64_t period_us, unsigned burst)
{
	const struct notes_settings settings = {folder, period_us, burst};

	return notes_new(loop, &settings, on_kept, NULL, &notes);
}

static void open_notes(void)
{
	ck_assert_int_eq(open_with(1, 1), 0);
}

static void reopen(void)
{
	notes_free(notes);
	notes = NULL;
	open_notes();
}

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/tidegate-notes-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(loop_new(&loop), 0);
	notes = NULL;
	n_answers = 0;
	logged[0] = '\0';
	log_set_sink(on_line, NULL);
}

static void teardown(void)
{
	char command[128];

	notes_free(notes);
	loop_free(loop);
	log_set_sink(NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void keep(const char *endpoint, const char *name, const char *value)
{
	const struct notes_asker asker = {7, 2, n_answers + 1};

	ck_assert_int_eq(notes_keep(notes, endpoint, bytes_text(name), bytes_text(value), &asker), 0);
}

static void await(size_t n)
{
	int64_t until_us = clock_now_us() + SOON_US;

	while (n_answers < n && clock_now_us() < until_us)
		ck_assert_int_ge(loop_turn(loop, 10000), 0);
	ck_assert_uint_eq(n_answers, n);
}

static int keep_and_wait(const char *endpoint, const char *name, const char *value)
{
	keep(endpoint, name, value);
	await(n_answers + 1);
	return results[n_answers - 1];
}

static int add_found(void *arg, struct tg_bytes name, struct tg_bytes value)
{
	size_t used = strlen(found);

	(void)arg;
	snprintf(found + used, sizeof(found) - used, "%.*s=%.*s ", BYTES_ARG(name), BYTES_ARG(value));
	return 0;
}

static const char *all_of(const char *endpoint)
{
	found[0] = '\0';
	ck_assert_int_eq(notes_each(notes, endpoint, add_found, NULL), 0);
	return found;
}

static void spoil(const char *name, const char *with)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq((int)write(fd, with, strlen(with)), (int)strlen(with));
	close(fd);
}

START_TEST(notes_are_there_again)
{
	struct notes_stats stats;

	open_notes();
	ck_assert_str_eq(all_of("field"), "");
	ck_assert_int_eq(keep_and_wait("field", "a", "1"), 0);
	ck_assert_int_eq(keep_and_wait("field", "b", "2"), 0);
	ck_assert_int_eq(keep_and_wait("field", "a", "3"), 0);
	ck_assert_int_eq(keep_and_wait("cloud", "a", "other"), 0);
	ck_assert_str_eq(all_of("field"), "a=3 b=2 ");
	ck_assert_uint_eq(askers[0].instance, 7);
	ck_assert_uint_eq(askers[0].generation, 2);
	ck_assert_uint_eq(askers[0].number, 1);
	reopen();
	ck_assert_str_eq(all_of("field"), "a=3 b=2 ");
	ck_assert_str_eq(all_of("cloud"), "a=other ");
	ck_assert_str_eq(all_of("nobody"), "");
	ck_assert_int_eq(keep_and_wait("field", "b", ""), 0);
	ck_assert_int_eq(keep_and_wait("field", "not there", ""), 0);
	notes_stats(notes, &stats);
	ck_assert_uint_eq(stats.count, 2);
	ck_assert_uint_eq(stats.pending, 0);
	reopen();
	ck_assert_str_eq(all_of("field"), "a=3 ");
	ck_assert_uint_eq(notes_loss(notes), 0);
}
END_TEST

START_TEST(what_waits_is_written_at_the_end)
{
	open_notes();
	keep("field", "a", "1");
	ck_assert_uint_eq(n_answers, 0);
	ck_assert_str_eq(all_of("field"), "");
	reopen();
	ck_assert_uint_eq(n_answers, 0);
	ck_assert_str_eq(all_of("field"), "a=1 ");
}
END_TEST

START_TEST(a_name_for_the_whole_gateway_has_one_owner)
{
	open_notes();
	ck_assert_int_eq(keep_and_wait("field", "!key", "1"), 0);
	ck_assert_int_eq(keep_and_wait("cloud", "!key", "2"), -EEXIST);
	ck_assert_int_eq(keep_and_wait("field", "!key", "3"), 0);
	ck_assert_str_eq(all_of("cloud"), "");
	ck_assert_str_eq(all_of("field"), "!key=3 ");
	ck_assert_int_eq(keep_and_wait("field", "!key", ""), 0);
	ck_assert_int_eq(keep_and_wait("cloud", "!key", "4"), 0);
}
END_TEST

START_TEST(a_refusal_leaves_the_rest_of_its_batch)
{
	open_notes();
	ck_assert_int_eq(keep_and_wait("field", "!key", "1"), 0);
	keep("cloud", "a", "1");
	keep("cloud", "!key", "1");
	keep("cloud", "b", "1");
	await(4);
	ck_assert_int_eq(results[1], 0);
	ck_assert_int_eq(results[2], -EEXIST);
	ck_assert_int_eq(results[3], 0);
	ck_assert_str_eq(all_of("cloud"), "a=1 b=1 ");
}
END_TEST

START_TEST(there_is_an_end_to_them)
{
	struct notes_stats stats;
	char name[16];

	open_notes();
	for (unsigned i = 0; i <= TG_NOTES_MAX; i++) {
		snprintf(name, sizeof(name), "%u", i);
		keep("field", name, "1");
	}
	await(TG_NOTES_MAX + 1);
	for (unsigned i = 0; i < TG_NOTES_MAX; i++)
		ck_assert_int_eq(results[i], 0);
	ck_assert_int_eq(results[TG_NOTES_MAX], -ENOSPC);
	notes_stats(notes, &stats);
	ck_assert_uint_eq(stats.count, TG_NOTES_MAX);
	ck_assert_uint_le(stats.commits, 2);
	ck_assert_int_eq(keep_and_wait("field", "0", "2"), 0);
	ck_assert_int_eq(keep_and_wait("cloud", "0", "2"), 0);
	ck_assert_int_eq(keep_and_wait("field", "0", ""), 0);
	ck_assert_int_eq(keep_and_wait("field", "new", "2"), 0);
}
END_TEST

START_TEST(too_many_at_once_are_refused_at_once)
{
	const struct notes_asker asker = {1, 1, 1};

	ck_assert_int_eq(open_with(SOON_US, 0), 0);
	for (unsigned i = 0; i < NOTES_PENDING_MAX; i++)
		ck_assert_int_eq(notes_keep(notes, "field", bytes_text("a"), bytes_text("1"), &asker), 0);
	ck_assert_int_eq(notes_keep(notes, "field", bytes_text("a"), bytes_text("1"), &asker), -ENOBUFS);
}
END_TEST

/* The period is long, so that how loaded the machine is decides nothing. */
START_TEST(flash_is_spared)
{
	struct notes_stats stats;

	ck_assert_int_eq(open_with(3600 * CLOCK_S_US, 4), 0);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(keep_and_wait("field", "a", "1"), 0);
	for (unsigned i = 0; i < 100; i++)
		keep("field", "a", "2");
	for (unsigned i = 0; i < 20; i++)
		ck_assert_int_ge(loop_turn(loop, 5000), 0);
	ck_assert_uint_eq(n_answers, 4);
	notes_stats(notes, &stats);
	ck_assert_uint_eq(stats.commits, 4);
	ck_assert_uint_eq(stats.pending, 100);
}
END_TEST

START_TEST(a_damaged_file_is_a_loss)
{
	uint64_t loss;

	open_notes();
	ck_assert_int_eq(keep_and_wait("field", "a", "1"), 0);
	notes_free(notes);
	notes = NULL;
	spoil("notes.db", "this is no database, and was one before");
	open_notes();
	loss = notes_loss(notes);
	ck_assert_uint_ne(loss, 0);
	ck_assert_str_eq(all_of("field"), "");
	ck_assert_ptr_nonnull(strstr(logged, "are damaged; they are set aside as"));
	ck_assert_ptr_nonnull(strstr(logged, "are lost"));
	reopen();
	ck_assert_uint_eq(notes_loss(notes), loss);
	notes_free(notes);
	notes = NULL;
	spoil("notes.db", "again");
	open_notes();
	ck_assert_uint_ne(notes_loss(notes), loss);
	ck_assert_uint_ne(notes_loss(notes), 0);
}
END_TEST

START_TEST(a_missing_file_is_a_loss_where_there_was_one)
{
	char path[128];

	open_notes();
	ck_assert_uint_eq(notes_loss(notes), 0);
	ck_assert_str_eq(logged, "");
	notes_free(notes);
	notes = NULL;
	snprintf(path, sizeof(path), "%s/notes.db", folder);
	ck_assert_int_eq(unlink(path), 0);
	open_notes();
	ck_assert_uint_ne(notes_loss(notes), 0);
	ck_assert_ptr_nonnull(strstr(logged, "are lost"));
}
END_TEST

static int refuse(void *arg, struct tg_bytes name, struct tg_bytes value)
{
	(void)name;
	(void)value;
	++*(int *)arg;
	return -ENOBUFS;
}

START_TEST(a_walk_ends_where_it_is_told_to)
{
	int calls = 0;

	open_notes();
	ck_assert_int_eq(keep_and_wait("field", "a", "1"), 0);
	ck_assert_int_eq(keep_and_wait("field", "b", "1"), 0);
	ck_assert_int_eq(notes_each(notes, "field", refuse, &calls), -ENOBUFS);
	ck_assert_int_eq(calls, 1);
	ck_assert_str_eq(all_of("field"), "a=1 b=1 ");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notes");
	TCase *cases = tcase_create("notes");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, notes_are_there_again);
	tcase_add_test(cases, what_waits_is_written_at_the_end);
	tcase_add_test(cases, a_name_for_the_whole_gateway_has_one_owner);
	tcase_add_test(cases, a_refusal_leaves_the_rest_of_its_batch);
	tcase_add_test(cases, there_is_an_end_to_them);
	tcase_add_test(cases, too_many_at_once_are_refused_at_once);
	tcase_add_test(cases, flash_is_spared);
	tcase_add_test(cases, a_damaged_file_is_a_loss);
	tcase_add_test(cases, a_missing_file_is_a_loss_where_there_was_one);
	tcase_add_test(cases, a_walk_ends_where_it_is_told_to);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
