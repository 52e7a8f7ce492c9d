/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "store_fixture.h"
#include "suite.h"

enum { ROWS = 600 };

/* Fills two files with ROWS rows, stops in good order, lets `name` be damaged, and opens again. */
static void damage(struct fixture *fixture, const struct store_settings *settings, const char *name, long offset,
		   long length)
{
	fixture_open(fixture, settings);
	fixture_put(fixture, "cloud", ROWS);
	fixture_close(fixture);
	fixture_spoil(fixture, name, offset, length);
	fixture_open(fixture, settings);
}

START_TEST(test_garbage_in_one_file_loses_nothing)
{
	static const struct {
		const char *name;
		long offset, length;
	} cases[] = {
		{"outbox.db", 0, -1},        {"outbox.db", 0, 100},       {"outbox.db", 40000, 4096},
		{"outbox.db", 33000, 20},    {"outbox-mirror.db", 0, -1}, {"outbox-mirror.db", 50000, 8192},
		{"outbox-mirror.db", 0, 16}, {"outbox.db", 4096, 100000},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture fixture;

		fixture_init(&fixture);
		damage(&fixture, &fixture_both, cases[i].name, cases[i].offset, cases[i].length);
		fixture_assert_all(&fixture, "cloud", ROWS);
		fixture_assert_balanced(&fixture, "cloud");
		ck_assert_int_eq(fixture_found(&fixture, "cloud", LEDGER_ACCEPTED), ROWS);
		ck_assert_int_eq(fixture_stats(&fixture).set_aside, 1);
		ck_assert_int_eq(fixture_stats(&fixture).unreadable, 0);
		ck_assert_int_ge(fixture_count_files(&fixture, cases[i].name), 2);
		fixture_put(&fixture, "more", 10);
		fixture_close(&fixture);

		/* Nothing of it is left: the next start is an ordinary one, and either file would do. */
		unlink(fixture_path(&fixture, i % 2 ? "outbox.db" : "outbox-mirror.db"));
		fixture_open(&fixture, &fixture_both);
		fixture_assert_all(&fixture, "cloud", ROWS);
		fixture_assert_all(&fixture, "more", 10);
		ck_assert_int_eq(fixture_stats(&fixture).set_aside, 0);
		fixture_done(&fixture);
	}
}
END_TEST

/* A few bytes inside a long payload: the structure is whole, and only the row's sum tells. */
START_TEST(test_garbage_inside_a_payload_is_found)
{
	struct fixture fixture;
	struct stat st;

	fixture_init(&fixture);
	fixture_open(&fixture, &fixture_both);
	fixture_put(&fixture, "cloud", ROWS);
	fixture_close(&fixture);
	ck_assert_int_eq(stat(fixture_path(&fixture, "outbox.db"), &st), 0);
	/* Every tenth row has pages of its own: one of these three is hit behind its header. */
	for (long page = 100; page < 103; page++)
		fixture_spoil(&fixture, "outbox.db", page * 4096 + 3000, 8);
	fixture_open(&fixture, &fixture_both);
	ck_assert_int_eq(fixture_stats(&fixture).set_aside, 1);
	fixture_assert_all(&fixture, "cloud", ROWS);
	fixture_done(&fixture);
}
END_TEST

/* Without a mirror, or with both damaged, what can be read is saved, the rest is counted, and the start goes on. */
START_TEST(test_salvages_row_by_row)
{
	static const struct {
		bool mirror;
		long length, at_least;
	} cases[] = {{false, 8192, ROWS / 2}, {true, 8192, ROWS * 9 / 10}, {false, 65536, 10}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture fixture;
		bool there[ROWS];
		unsigned n;

		fixture_init(&fixture);
		fixture_open(&fixture, cases[i].mirror ? &fixture_both : &fixture_single);
		fixture_put(&fixture, "cloud", ROWS);
		fixture_close(&fixture);
		fixture_spoil(&fixture, "outbox.db", 81920, cases[i].length);
		if (cases[i].mirror)
			fixture_spoil(&fixture, "outbox-mirror.db", 163840, cases[i].length);
		fixture_open(&fixture, cases[i].mirror ? &fixture_both : &fixture_single);
		n = fixture_look(&fixture, "cloud", there, ROWS, false);
		ck_assert_uint_ge(n, (unsigned)cases[i].at_least);
		if (cases[i].mirror)
			ck_assert_uint_eq(n, ROWS); /* the holes are in different places */
		ck_assert_int_eq(fixture_stats(&fixture).salvaged, n);
		ck_assert_int_eq(fixture_stats(&fixture).set_aside, cases[i].mirror ? 2 : 1);
		ck_assert_int_eq(fixture_found(&fixture, "cloud", LEDGER_ACCEPTED), ROWS);
		ck_assert_int_eq(fixture_found(&fixture, "cloud", LEDGER_UNREADABLE), ROWS - n);
		ck_assert_int_eq(fixture_stats(&fixture).unreadable, ROWS - n);
		fixture_assert_balanced(&fixture, "cloud");
		fixture_done(&fixture);
	}
}
END_TEST

START_TEST(test_starts_when_both_are_garbage)
{
	static const long lengths[] = {-1, 100};

	for (size_t i = 0; i < 2; i++) {
		struct fixture fixture;

		fixture_init(&fixture);
		fixture_open(&fixture, &fixture_both);
		fixture_put(&fixture, "cloud", ROWS);
		fixture_close(&fixture);
		fixture_spoil(&fixture, "outbox.db", 0, lengths[i]);
		fixture_spoil(&fixture, "outbox-mirror.db", 0, lengths[i]);
		fixture_open(&fixture, &fixture_both);
		ck_assert_int_eq(fixture_stats(&fixture).set_aside, 2);
		fixture_put(&fixture, "cloud", 10);
		fixture_assert_all(&fixture, "cloud", 10);
		fixture_done(&fixture);
	}
}
END_TEST

START_TEST(test_truncated)
{
	static const long sizes[] = {0, 100, 4096, 5000, 40960};

	for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct fixture fixture;

		fixture_init(&fixture);
		fixture_open(&fixture, &fixture_both);
		fixture_put(&fixture, "cloud", ROWS);
		fixture_close(&fixture);
		ck_assert_int_eq(
			truncate(fixture_path(&fixture, i % 2 ? "outbox.db" : "outbox-mirror.db"), sizes[i / 2]), 0);
		fixture_open(&fixture, &fixture_both);
		fixture_assert_all(&fixture, "cloud", ROWS);
		fixture_assert_balanced(&fixture, "cloud");
		fixture_done(&fixture);
	}
}
END_TEST

static void copy_file(const struct fixture *fixture, const char *from, const char *to)
{
	char command[3 * PATH_MAX];

	snprintf(command, sizeof(command), "cp '%s/%s' '%s/%s'", fixture->folder, from, fixture->folder, to);
	ck_assert_int_eq(system(command), 0);
}

/* Somebody puts an old copy back: it is whole, but not the truth. */
START_TEST(test_the_later_file_counts)
{
	struct fixture fixture;
	struct fixture_op op;

	fixture_init(&fixture);
	fixture_open(&fixture, &fixture_both);
	fixture_put(&fixture, "cloud", 100);
	fixture_close(&fixture);
	copy_file(&fixture, "outbox.db", "old.db");
	fixture_open(&fixture, &fixture_both);
	for (uint64_t seq = 1; seq <= 100; seq++) {
		fixture_delete(&fixture, &op, 0, seq, LEDGER_DELIVERED);
		ck_assert_int_eq(fixture_wait(&fixture, &op), 0);
	}
	fixture_put(&fixture, "cloud", 5);
	fixture_close(&fixture);
	copy_file(&fixture, "old.db", "outbox.db");
	fixture_open(&fixture, &fixture_both);
	fixture_assert_all(&fixture, "cloud", 5);
	ck_assert_int_eq(fixture_found(&fixture, "cloud", LEDGER_DELIVERED), 100);
	fixture_done(&fixture);
}
END_TEST

START_TEST(test_does_not_collect_damaged_files_for_ever)
{
	struct fixture fixture;

	fixture_init(&fixture);
	for (unsigned i = 0; i < 12; i++) {
		fixture_open(&fixture, &fixture_both);
		fixture_put(&fixture, "cloud", i == 0 ? 5 : 0);
		fixture_close(&fixture);
		fixture_spoil(&fixture, i % 2 ? "outbox.db" : "outbox-mirror.db", 0, -1);
	}
	fixture_open(&fixture, &fixture_both);
	fixture_assert_all(&fixture, "cloud", 5);
	fixture_close(&fixture);
	ck_assert_int_le(fixture_count_files(&fixture, "outbox"), 8 + 2);
	fixture_done(&fixture);
}
END_TEST

START_TEST(test_mirror_off_and_on)
{
	struct fixture fixture;

	fixture_init(&fixture);
	fixture_open(&fixture, &fixture_both);
	fixture_put(&fixture, "a", 50);
	fixture_close(&fixture);
	fixture_open(&fixture, &fixture_single);
	ck_assert_int_eq(fixture_count_files(&fixture, "outbox-mirror.db"), 0);
	fixture_put(&fixture, "b", 50);
	fixture_close(&fixture);
	fixture_open(&fixture, &fixture_both);
	fixture_close(&fixture);
	fixture_spoil(&fixture, "outbox.db", 0, -1);
	fixture_open(&fixture, &fixture_both);
	fixture_assert_all(&fixture, "a", 50);
	fixture_assert_all(&fixture, "b", 50);
	fixture_done(&fixture);
}
END_TEST

START_TEST(test_a_newer_version_is_left_alone)
{
	struct fixture fixture;
	struct store *store = NULL;

	fixture_init(&fixture);
	fixture_open(&fixture, &fixture_single);
	fixture_put(&fixture, "a", 5);
	fixture_close(&fixture);
	/* The user version stands at offset 60 of the header, big-endian. */
	{
		CLEANUP_CLOSE int fd = open(fixture_path(&fixture, "outbox.db"), O_RDWR | O_CLOEXEC);

		ck_assert_int_eq(pwrite(fd, "\0\0\0\7", 4, 60), 4);
	}
	ck_assert_int_eq(loop_new(&fixture.loop), 0);
	ck_assert_int_eq(store_new(fixture.loop, fixture.folder, &fixture_single, &store), -ENOTSUP);
	ck_assert_int_eq(fixture_count_files(&fixture, "outbox.db.corrupt"), 0);
	fixture_done(&fixture);
}
END_TEST

/* The file is overwritten under the running store: it repairs itself from its mirror, or at the latest the next start does. */
START_TEST(test_garbage_while_running)
{
	struct fixture fixture;

	fixture_init(&fixture);
	fixture_open(&fixture, &fixture_both);
	fixture_put(&fixture, "cloud", ROWS);
	fixture_close(&fixture); /* empties the WAL */
	fixture_open(&fixture, &fixture_both);
	fixture_spoil(&fixture, "outbox.db", 4096, -1);
	fixture_assert_all(&fixture, "cloud", ROWS);
	fixture_put(&fixture, "other", ROWS);
	fixture_assert_all(&fixture, "other", ROWS);
	fixture_close(&fixture);
	fixture_open(&fixture, &fixture_both);
	fixture_assert_all(&fixture, "cloud", ROWS);
	fixture_assert_all(&fixture, "other", ROWS);
	fixture_assert_balanced(&fixture, "cloud");
	fixture_done(&fixture);
}
END_TEST

SUITE_MAIN("store_files", test_garbage_in_one_file_loses_nothing, test_garbage_inside_a_payload_is_found,
	   test_salvages_row_by_row, test_starts_when_both_are_garbage, test_truncated, test_the_later_file_counts,
	   test_does_not_collect_damaged_files_for_ever, test_mirror_off_and_on, test_a_newer_version_is_left_alone,
	   test_garbage_while_running)
