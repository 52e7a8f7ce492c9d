/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "core/database.h"
#include "store_fixture.h"
#include "suite.h"

static struct database *open_as(const struct fixture *fixture, const struct database_settings *settings)
{
	struct database *database = NULL;

	ck_assert_int_eq(database_open(fixture_path(fixture, "test.db"), settings, &database), 0);
	return database;
}

static int64_t number(struct database *database, const char *sql)
{
	int64_t value = -1;

	ck_assert_int_eq(database_number(database, sql, &value), 0);
	return value;
}

START_TEST(test_opens_for_a_box_without_mercy)
{
	struct fixture fixture;
	struct database *database;
	struct stat st;

	fixture_init(&fixture);
	umask(0);
	database = open_as(&fixture, &(struct database_settings){.limit_bytes = 1024 * 1024, .checkpoint_pages = 77});
	ck_assert_int_eq(number(database, "PRAGMA synchronous"), 2);
	ck_assert_int_eq(number(database, "PRAGMA auto_vacuum"), 2);
	ck_assert_int_eq(number(database, "PRAGMA secure_delete"), 0);
	ck_assert_int_eq(number(database, "PRAGMA wal_autocheckpoint"), 77);
	ck_assert_int_eq(number(database, "PRAGMA max_page_count"), 257);
	ck_assert_int_eq(number(database, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	ck_assert_int_eq(database_check(database), 0);
	ck_assert_int_eq(stat(fixture_path(&fixture, "test.db"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	database_close(database);
	database = open_as(&fixture, &(struct database_settings){.secure_delete = true, .exclusive = true});
	ck_assert_int_eq(number(database, "PRAGMA secure_delete"), 1);
	database_close(database);
	database_close(NULL);
	fixture_done(&fixture);
}
END_TEST

START_TEST(test_values_come_back)
{
	struct fixture fixture;
	struct database *database;
	struct database_statement *in, *out;
	int64_t none;

	fixture_init(&fixture);
	database = open_as(&fixture, &(struct database_settings){.exclusive = true});
	ck_assert_int_eq(database_exec(database, "CREATE TABLE t (a INTEGER, b TEXT, c BLOB, d TEXT)"), 0);
	ck_assert_int_eq(database_prepare(database, "INSERT INTO t VALUES (?, ?, ?, ?)", &in), 0);
	for (int64_t i = 0; i < 2; i++) {
		database_bind_number(in, 1, INT64_MAX - i);
		database_bind_text(in, 2, bytes_of("a\0b", 3));
		database_bind_bytes(in, 3, bytes_of(NULL, 0));
		database_bind_null(in, 4);
		ck_assert_int_eq(database_run(in), 0);
		ck_assert_int_eq(database_changes(database), 1);
	}
	ck_assert_int_eq(database_prepare(database, "SELECT * FROM t", &out), 0);
	ck_assert_int_eq(database_step(out), 1);
	ck_assert_int_eq(database_column_number(out, 0), INT64_MAX);
	ck_assert(bytes_equal(database_column_bytes(out, 1), bytes_of("a\0b", 3)));
	ck_assert_uint_eq(database_column_bytes(out, 2).size, 0);
	ck_assert(!database_column_is_null(out, 2));
	ck_assert(database_column_is_null(out, 3));
	ck_assert_int_eq(database_step(out), 1);
	ck_assert_int_eq(database_step(out), 0);
	ck_assert_int_eq(database_number(database, "SELECT a FROM t WHERE a = 1", &none), -ENOENT);
	database_finalize(in);
	database_finalize(out);
	database_finalize(NULL);
	database_close(database);
	fixture_done(&fixture);
}
END_TEST

START_TEST(test_errors)
{
	struct fixture fixture;
	struct database *database, *second = NULL;
	struct database_statement *statement;

	fixture_init(&fixture);
	database = open_as(&fixture, &(struct database_settings){.exclusive = true, .limit_bytes = 64 * 1024});
	ck_assert_int_eq(database_exec(database, "CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)"), 0);
	ck_assert_int_eq(database_open(fixture_path(&fixture, "test.db"),
				       &(struct database_settings){.exclusive = true}, &second),
			 -EBUSY);
	ck_assert_int_eq(database_exec(database, "INSERT INTO t VALUES (1, NULL); INSERT INTO t VALUES (1, NULL)"),
			 -EEXIST);
	ck_assert_int_eq(database_exec(database, "BEGIN; INSERT INTO t VALUES (2, zeroblob(100000))"), -ENOSPC);
	ck_assert(strlen(database_error(database)) > 0);
	database_rollback(database);
	database_rollback(database);
	ck_assert_int_eq(number(database, "SELECT count(*) FROM t"), 1);
	ck_assert_int_eq(database_prepare(database, "SELECT nothing FROM nowhere", &statement), -EUCLEAN);
	database_close(database);

	fixture_spoil(&fixture, "test.db", 0, 100);
	ck_assert_int_eq(database_open(fixture_path(&fixture, "test.db"),
				       &(struct database_settings){.exclusive = true}, &second),
			 -EUCLEAN);
	ck_assert_int_eq(database_open(fixture_path(&fixture, "no/such.db"),
				       &(struct database_settings){.exclusive = true}, &second),
			 -ENOENT);
	fixture_done(&fixture);
}
END_TEST

/* A file that is looked at only stays as it is, to the byte, with a WAL beside it. */
START_TEST(test_keep)
{
	struct fixture fixture;
	struct database *database, *other;
	char command[3 * PATH_MAX];

	fixture_init(&fixture);
	database = open_as(&fixture, &(struct database_settings){.exclusive = true});
	ck_assert_int_eq(database_exec(database, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (42)"), 0);
	snprintf(command, sizeof(command), "cd '%s' && mkdir copy && cp test.db test.db-wal copy && cp -r copy before",
		 fixture.folder);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(database_open(fixture_path(&fixture, "copy/test.db"),
				       &(struct database_settings){.exclusive = true, .keep = true}, &other),
			 0);
	ck_assert_int_eq(number(other, "SELECT a FROM t"), 42);
	ck_assert_int_lt(database_exec(other, "INSERT INTO t VALUES (43)"), 0);
	database_close(other);
	snprintf(command, sizeof(command), "diff -r '%s/copy' '%s/before'", fixture.folder, fixture.folder);
	ck_assert_int_eq(system(command), 0);
	database_close(database);
	fixture_done(&fixture);
}
END_TEST

SUITE_MAIN("database", test_opens_for_a_box_without_mercy, test_values_come_back, test_errors, test_keep)
