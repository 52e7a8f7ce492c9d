/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "core/store.h"
#include "store_fixture.h"
#include "suite.h"

enum { ROWS = 600 };

START_TEST(test_keeps_rows_and_order)
{
	struct fixture fixture;
	struct fixture_op op;
	uint64_t before;

	fixture_init(&fixture);
	fixture_open(&fixture, &fixture_both);
	fixture_put(&fixture, "cloud", ROWS);
	fixture_put(&fixture, "other", 3);
	before = store_next_seq(fixture.store);
	fixture_assert_all(&fixture, "cloud", ROWS);
	fixture_assert_all(&fixture, "other", 3);
	fixture_close(&fixture);

	fixture_open(&fixture, &fixture_both);
	ck_assert_uint_ge(store_next_seq(fixture.store), before);
	ck_assert_str_eq(store_endpoint_name(fixture.store, 0), "cloud");
	ck_assert_ptr_null(store_endpoint_name(fixture.store, 2));
	ck_assert_int_eq(store_found_rows(fixture.store, 0), ROWS);
	ck_assert_int_eq(fixture_found(&fixture, "cloud", LEDGER_ACCEPTED), ROWS);
	fixture_assert_balanced(&fixture, "cloud");
	fixture_assert_all(&fixture, "cloud", ROWS);
	fixture_delete(&fixture, &op, 0, 1, LEDGER_DELIVERED);
	ck_assert_int_eq(fixture_wait(&fixture, &op), 0);
	fixture_delete(&fixture, &op, 0, 2, LEDGER_REJECTED);
	ck_assert_int_eq(fixture_wait(&fixture, &op), 0);
	fixture_delete(&fixture, &op, 0, 2, LEDGER_REJECTED); /* twice counts once */
	ck_assert_int_eq(fixture_wait(&fixture, &op), 0);
	fixture_close(&fixture);

	fixture_open(&fixture, &fixture_both);
	ck_assert_int_eq(store_found_rows(fixture.store, 0), ROWS - 2);
	ck_assert_int_eq(fixture_found(&fixture, "cloud", LEDGER_DELIVERED), 1);
	ck_assert_int_eq(fixture_found(&fixture, "cloud", LEDGER_REJECTED), 1);
	fixture_assert_balanced(&fixture, "cloud");
	ck_assert_int_eq(fixture_stats(&fixture).set_aside, 0);
	fixture_done(&fixture);
}
END_TEST

/* Deleting everything must not let the numbers start over. */
START_TEST(test_seq_survives_an_empty_store)
{
	struct fixture fixture;
	struct fixture_op op;

	fixture_init(&fixture);
	fixture_open(&fixture, &fixture_both);
	fixture_put(&fixture, "cloud", 5);
	for (uint64_t seq = 1; seq <= 5; seq++) {
		fixture_delete(&fixture, &op, 0, seq, LEDGER_DELIVERED);
		ck_assert_int_eq(fixture_wait(&fixture, &op), 0);
	}
	fixture_close(&fixture);
	fixture_open(&fixture, &fixture_both);
	ck_assert_uint_eq(store_next_seq(fixture.store), 6);
	fixture_done(&fixture);
}
END_TEST

START_TEST(test_files_are_private_and_locked)
{
	struct fixture fixture;
	struct store *second = NULL;
	struct stat st;

	fixture_init(&fixture);
	umask(0);
	fixture_open(&fixture, &fixture_both);
	fixture_put(&fixture, "cloud", 1);
	ck_assert_int_eq(stat(fixture_path(&fixture, "outbox.db"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(fixture_path(&fixture, "outbox-mirror.db-wal"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(store_new(fixture.loop, fixture.folder, &fixture_both, &second), -EBUSY);
	fixture_done(&fixture);
}
END_TEST

START_TEST(test_cancels_what_is_not_begun)
{
	struct fixture fixture;
	struct fixture_op ops[ROWS];
	unsigned cancelled = 0;
	bool there[ROWS];

	fixture_init(&fixture);
	fixture_open(&fixture, &fixture_both);
	fixture_put(&fixture, "cloud", 0);
	for (unsigned i = 0; i < ROWS; i++)
		fixture_insert(&fixture, &ops[i], 0, i, 64);
	for (unsigned i = 0; i < ROWS; i++) {
		bool yes = store_cancel(fixture.store, &ops[ROWS - 1 - i].op);

		cancelled += yes;
		ck_assert_int_eq(fixture_wait(&fixture, &ops[ROWS - 1 - i]), yes ? -ECANCELED : 0);
	}
	for (unsigned i = 0; i < ROWS; i++)
		fixture_op_done(&ops[i]);
	ck_assert_uint_gt(cancelled, 0); /* the last one cannot have been in the first batch */
	ck_assert_uint_eq(fixture_look(&fixture, "cloud", there, ROWS, true), ROWS - cancelled);
	fixture_close(&fixture);
	fixture_open(&fixture, &fixture_both);
	ck_assert_int_eq(fixture_found(&fixture, "cloud", LEDGER_ACCEPTED), ROWS - cancelled);
	fixture_done(&fixture);
}
END_TEST

START_TEST(test_stop_finishes_everything)
{
	struct fixture fixture;
	struct fixture_op ops[ROWS], late;

	fixture_init(&fixture);
	fixture_open(&fixture, &fixture_both);
	fixture_put(&fixture, "cloud", 0);
	for (unsigned i = 0; i < ROWS; i++)
		fixture_insert(&fixture, &ops[i], 0, i, 64);
	store_stop(fixture.store);
	for (unsigned i = 0; i < ROWS; i++) {
		ck_assert_int_eq(ops[i].result, 0);
		fixture_op_done(&ops[i]);
	}
	fixture_insert(&fixture, &late, 0, ROWS, 64);
	ck_assert_int_eq(late.result, -ESHUTDOWN);
	fixture_op_done(&late);
	fixture_close(&fixture);
	fixture_open(&fixture, &fixture_both);
	fixture_assert_all(&fixture, "cloud", ROWS);
	fixture_done(&fixture);
}
END_TEST

/* Inserts rows of this size until one is refused. Returns how many were taken. */
static unsigned fill_up(struct fixture *fixture, uint32_t endpoint, unsigned begin, size_t size, unsigned most)
{
	for (unsigned n = 0; n < most; n++) {
		struct fixture_op op;
		int r;

		fixture_insert(fixture, &op, endpoint, begin + n, size);
		r = fixture_wait(fixture, &op);
		fixture_op_done(&op);
		if (r == -ENOSPC)
			return n;
		ck_assert_int_eq(r, 0);
	}
	return most;
}

/* However full: what is there can be read and deleted, and then there is room again. */
static void assert_drains(struct fixture *fixture, unsigned n)
{
	struct store_load load = {.limit_rows = 256, .limit_bytes = 1024 * 1024};
	unsigned gone = 0;

	for (;;) {
		ck_assert_int_eq(fixture_load(fixture, &load), 0);
		if (load.count == 0)
			break;
		for (unsigned i = 0; i < load.count; i++) {
			struct fixture_op op;

			fixture_number(load.rows[i].message);
			load.after = load.rows[i].seq;
			fixture_delete(fixture, &op, 0, load.rows[i].seq, LEDGER_DELIVERED);
			ck_assert_int_eq(fixture_wait(fixture, &op), 0);
			gone++;
		}
		store_load_done(&load);
	}
	store_load_done(&load);
	ck_assert_uint_eq(gone, n);
	ck_assert_uint_ge(fill_up(fixture, 0, n, 1000, 10), 10);
}

/* The page limit behind the accounting: the store is told to keep filling although it says that it has no room. */
START_TEST(test_full_by_its_limit)
{
	struct store_settings small = {.disk_bytes = 512 * 1024, .mirror = true};
	struct fixture fixture;
	struct stat st;
	unsigned n;

	fixture_init(&fixture);
	fixture_open(&fixture, &small);
	fixture_put(&fixture, "cloud", 0);
	n = fill_up(&fixture, 0, 0, 1000, 100000);
	ck_assert_uint_gt(n, 256);
	ck_assert_uint_lt(n, 2000);
	ck_assert(!store_has_room(fixture.store, 1000));
	ck_assert_int_eq(fixture_stats(&fixture).error, -ENOSPC);
	assert_drains(&fixture, n);
	ck_assert_int_eq(fixture_stats(&fixture).error, 0);
	fixture_close(&fixture);
	ck_assert_int_eq(stat(fixture_path(&fixture, "outbox.db"), &st), 0);
	ck_assert_int_lt(st.st_size, 512 * 1024 + 257 * 4096 + 512 * 1024);
	fixture_open(&fixture, &small);
	fixture_assert_balanced(&fixture, "cloud");
	fixture_done(&fixture);
}
END_TEST

START_TEST(test_limit_can_be_changed)
{
	struct store_settings small = {.disk_bytes = 256 * 1024, .mirror = true};
	struct fixture fixture;
	unsigned n;

	fixture_init(&fixture);
	fixture_open(&fixture, &small);
	fixture_put(&fixture, "cloud", 0);
	n = fill_up(&fixture, 0, 0, 1000, 100000);
	store_set_disk_bytes(fixture.store, 1024 * 1024);
	ck_assert(store_has_room(fixture.store, -512 * 1024));
	ck_assert_uint_gt(fill_up(&fixture, 0, n, 1000, 100000), 400);
	fixture_done(&fixture);
}
END_TEST

/* What has room is taken also where something in the same batch has none. */
START_TEST(test_only_what_does_not_fit_fails)
{
	struct store_settings small = {.disk_bytes = 512 * 1024, .mirror = false};
	struct fixture fixture;
	struct fixture_op ops[40];
	unsigned taken = 0, refused = 0;

	fixture_init(&fixture);
	fixture_open(&fixture, &small);
	fixture_put(&fixture, "cloud", 0);
	for (unsigned i = 0; i < 40; i++)
		fixture_insert(&fixture, &ops[i], 0, i, i == 20 ? 4 * 1024 * 1024 / 4 : 100);
	for (unsigned i = 0; i < 40; i++) {
		int r = fixture_wait(&fixture, &ops[i]);

		taken += r == 0;
		refused += r == -ENOSPC;
		fixture_op_done(&ops[i]);
	}
	ck_assert_uint_eq(taken + refused, 40);
	ck_assert_uint_ge(taken, 39);
	fixture_done(&fixture);
}
END_TEST

/* The cost that the limit goes by must not be less than what the file takes. */
START_TEST(test_cost_is_honest)
{
	static const size_t sizes[] = {0, 64, 200, 900, 2000, 3000, 3990, 4100, 5000, 8000, 40000, 1024 * 1024};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned n = sizes[i] > 100000 ? 8 : 400;
		struct fixture fixture;
		struct stat st;
		int64_t cost;

		fixture_init(&fixture);
		fixture_open(&fixture, &fixture_single);
		fixture_put(&fixture, "cloud", 0);
		ck_assert_uint_eq(fill_up(&fixture, 0, 0, sizes[i], n), n);
		cost = fixture_stats(&fixture).used_bytes;
		fixture_close(&fixture);
		ck_assert_int_eq(stat(fixture_path(&fixture, "outbox.db"), &st), 0);
		ck_assert_int_le(st.st_size, cost + cost / 64 + 8 * 4096);
		ck_assert_int_ge(st.st_size * 2, cost); /* nor twice as much */
		fixture_open(&fixture, &fixture_single);
		ck_assert_int_eq(fixture_stats(&fixture).used_bytes, cost);
		fixture_done(&fixture);
	}
}
END_TEST

START_TEST(test_full_file_system)
{
	struct store_settings large = {
		.disk_bytes = 1024 * 1024 * 1024, .reserve_bytes = 4 * 1024 * 1024, .mirror = true};
	struct fixture fixture;
	unsigned n;

	fixture_init(&fixture);
	if (mount("none", fixture.folder, "tmpfs", 0, "size=12m") < 0) {
		fprintf(stderr, "SKIPPED test_full_file_system: cannot mount a tmpfs (%s)\n", strerror(errno));
		fixture_done(&fixture);
		return;
	}
	fixture_open(&fixture, &large);
	fixture_put(&fixture, "cloud", 0);
	n = fill_up(&fixture, 0, 0, 1000, 100000);
	ck_assert_uint_gt(n, 500);
	ck_assert_uint_lt(n, 10000);
	fixture_close(&fixture);
	fixture_open(&fixture, &large); /* also after a restart */
	ck_assert_int_eq(store_found_rows(fixture.store, 0), n);
	fixture_assert_balanced(&fixture, "cloud");
	assert_drains(&fixture, n);
	fixture_close(&fixture);
	umount(fixture.folder);
	fixture_done(&fixture);
}
END_TEST

/* Inserts until the file system is full, and on. Everything that was taken must be there after a restart; what was refused may be. */
static void fill_to_the_last_byte(struct fixture *fixture, size_t size)
{
	struct store_settings large = {.disk_bytes = 1024 * 1024 * 1024, .mirror = true};
	bool taken[20000] = {false}, there[20000];
	unsigned n = 0, refused = 0;

	fixture_open(fixture, &large);
	fixture_put(fixture, "cloud", 0);
	for (; n < 20000 && refused < 30; n++) {
		struct fixture_op op;

		fixture_insert(fixture, &op, 0, n, size);
		taken[n] = fixture_wait(fixture, &op) == 0;
		refused += !taken[n];
		fixture_op_done(&op);
	}
	ck_assert_uint_eq(refused, 30);
	fixture_close(fixture);
	fixture_open(fixture, &large);
	fixture_look(fixture, "cloud", there, n, true);
	for (unsigned i = 0; i < n; i++)
		ck_assert(there[i] || !taken[i]);
	fixture_assert_balanced(fixture, "cloud");
	ck_assert_int_eq(fixture_stats(fixture).corrected, 0);
	fixture_close(fixture);
}

/* Without any reserve the file system is full in the middle of a transaction. */
START_TEST(test_file_system_full_to_the_last_byte)
{
	for (unsigned i = 0; i < 6; i++) {
		struct fixture fixture;
		char size[32];

		fixture_init(&fixture);
		snprintf(size, sizeof(size), "size=%um", 4 + i);
		if (mount("none", fixture.folder, "tmpfs", 0, size) < 0) {
			fprintf(stderr, "SKIPPED test_file_system_full_to_the_last_byte: cannot mount a tmpfs (%s)\n",
				strerror(errno));
			fixture_done(&fixture);
			return;
		}
		fill_to_the_last_byte(&fixture, 700 + 100 * i);
		umount(fixture.folder);
		fixture_done(&fixture);
	}
}
END_TEST

START_TEST(test_space_goes_back)
{
	struct fixture fixture;
	struct fixture_op op;
	struct stat st;

	fixture_init(&fixture);
	fixture_open(&fixture, &fixture_both);
	fixture_put(&fixture, "cloud", ROWS);
	for (uint64_t seq = 1; seq <= ROWS; seq++) {
		fixture_delete(&fixture, &op, 0, seq, LEDGER_DELIVERED);
		ck_assert_int_eq(fixture_wait(&fixture, &op), 0);
	}
	fixture_barrier(&fixture);
	ck_assert_int_eq(stat(fixture_path(&fixture, "outbox.db"), &st), 0);
	ck_assert_int_lt(st.st_size, 70 * 4096);
	fixture_done(&fixture);
}
END_TEST

SUITE_MAIN("store", test_keeps_rows_and_order, test_seq_survives_an_empty_store, test_files_are_private_and_locked,
	   test_cancels_what_is_not_begun, test_stop_finishes_everything, test_full_by_its_limit,
	   test_limit_can_be_changed, test_only_what_does_not_fit_fails, test_cost_is_honest, test_full_file_system,
	   test_file_system_full_to_the_last_byte, test_space_goes_back)
