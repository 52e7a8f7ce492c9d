/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/clock.h"

const struct store_settings fixture_both = {.disk_bytes = 64 * 1024 * 1024, .mirror = true};
const struct store_settings fixture_single = {.disk_bytes = 64 * 1024 * 1024, .mirror = false};

void fixture_init(struct fixture *fixture)
{
	const char *tmp = getenv("TMPDIR");

	*fixture = (struct fixture){.loop = NULL};
	snprintf(fixture->folder, sizeof(fixture->folder), "%s/tidegate-store-XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(fixture->folder));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void fixture_done(struct fixture *fixture)
{
	fixture_close(fixture);
	nftw(fixture->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void fixture_open(struct fixture *fixture, const struct store_settings *settings)
{
	ck_assert_int_eq(loop_new(&fixture->loop), 0);
	ck_assert_int_eq(store_new(fixture->loop, fixture->folder, settings, &fixture->store), 0);
}

void fixture_close(struct fixture *fixture)
{
	store_free(fixture->store);
	loop_free(fixture->loop);
	fixture->store = NULL;
	fixture->loop = NULL;
}

const char *fixture_path(const struct fixture *fixture, const char *name)
{
	static char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
	return path;
}

int fixture_count_files(const struct fixture *fixture, const char *prefix)
{
	DIR *dir = opendir(fixture->folder);
	struct dirent *entry;
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		n += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(dir);
	return n;
}

void fixture_spoil(const struct fixture *fixture, const char *name, long offset, long length)
{
	CLEANUP_CLOSE int fd = open(fixture_path(fixture, name), O_RDWR | O_CLOEXEC);
	CLEANUP_FREE uint8_t *garbage = NULL;
	struct stat st;
	uint32_t random = 12345;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	if (length < 0)
		length = (long)st.st_size - offset;
	ck_assert_int_gt(length, 0);
	garbage = malloc((size_t)length);
	ck_assert_ptr_nonnull(garbage);
	for (long i = 0; i < length; i++) {
		random = random * 1664525 + 1013904223;
		garbage[i] = (uint8_t)(random >> 24);
	}
	ck_assert_int_eq(pwrite(fd, garbage, (size_t)length, offset), length);
}

static void on_done(struct store_op *op, int result)
{
	struct fixture_op *mine = (struct fixture_op *)((char *)op - offsetof(struct fixture_op, op));

	ck_assert(!mine->done);
	mine->done = true;
	mine->result = result;
}

void fixture_insert(struct fixture *fixture, struct fixture_op *op, uint32_t endpoint, unsigned number,
		    size_t payload_size)
{
	*op = (struct fixture_op){.done = false};
	op->row = (struct store_row){
		.seq = store_next_seq(fixture->store),
		.endpoint = endpoint,
		.qos = 1,
		.ack = 1,
		.message = fixture_message(number, payload_size),
		.address = bytes_text("plant/7"),
		.route = bytes_text("telemetry"),
	};
	store_insert(fixture->store, &op->op, &op->row, on_done);
}

void fixture_delete(struct fixture *fixture, struct fixture_op *op, uint32_t endpoint, uint64_t seq,
		    enum ledger_item item)
{
	*op = (struct fixture_op){.done = false};
	op->deletion.endpoint = endpoint;
	op->deletion.count = 1;
	op->deletion.gone[0] = (struct store_gone){.seq = seq, .item = (uint8_t)item};
	store_delete(fixture->store, &op->op, &op->deletion, on_done);
}

void fixture_until(struct loop *loop, const bool *flag)
{
	int64_t end_us = clock_now_us() + 20 * CLOCK_S_US;

	while (!*flag) {
		ck_assert_int_ge(loop_turn(loop, 100 * CLOCK_MS_US), 0);
		ck_assert_int_lt(clock_now_us(), end_us);
	}
}

int fixture_wait(struct fixture *fixture, struct fixture_op *op)
{
	fixture_until(fixture->loop, &op->done);
	return op->result;
}

void fixture_op_done(struct fixture_op *op)
{
	ck_assert(op->done);
	message_unref(op->row.message);
	op->row.message = NULL;
}

int fixture_barrier(struct fixture *fixture)
{
	struct fixture_op op = {.done = false};

	store_barrier(fixture->store, &op.op, on_done);
	return fixture_wait(fixture, &op);
}

int fixture_load(struct fixture *fixture, struct store_load *load)
{
	struct fixture_op op = {.done = false};

	store_load(fixture->store, &op.op, load, on_done);
	return fixture_wait(fixture, &op);
}

void fixture_put(struct fixture *fixture, const char *name, unsigned n)
{
	struct fixture_op *ops = calloc(n, sizeof(*ops));
	uint32_t endpoint;

	ck_assert_int_eq(store_endpoint(fixture->store, name, &endpoint), 0);
	for (unsigned i = 0; i < n; i++)
		fixture_insert(fixture, &ops[i], endpoint, i, i % 10 == 0 ? 6000 : 64);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_int_eq(fixture_wait(fixture, &ops[i]), 0);
		fixture_op_done(&ops[i]);
	}
	free(ops);
}

unsigned fixture_look(struct fixture *fixture, const char *name, bool *there, unsigned n, bool in_order)
{
	struct store_load load = {.limit_rows = 100, .limit_bytes = 1024 * 1024};
	unsigned count = 0, last = 0;

	memset(there, 0, n * sizeof(*there));
	ck_assert_int_eq(store_endpoint(fixture->store, name, &load.endpoint), 0);
	for (;;) {
		ck_assert_int_eq(fixture_load(fixture, &load), 0);
		if (load.count == 0)
			break;
		for (unsigned i = 0; i < load.count; i++) {
			unsigned number = fixture_number(load.rows[i].message);

			ck_assert_uint_lt(number, n);
			ck_assert(!there[number]);
			ck_assert(!in_order || count == 0 || number > last);
			ck_assert(bytes_equal(load.rows[i].address, bytes_text("plant/7")));
			ck_assert(bytes_equal(load.rows[i].route, bytes_text("telemetry")));
			there[number] = true;
			last = number;
			count++;
			load.after = load.rows[i].seq;
		}
		store_load_done(&load);
	}
	ck_assert_uint_eq(load.bad_count, 0);
	store_load_done(&load);
	return count;
}

void fixture_assert_all(struct fixture *fixture, const char *name, unsigned n)
{
	bool *there = calloc(n, sizeof(*there));

	ck_assert_uint_eq(fixture_look(fixture, name, there, n, true), n);
	free(there);
}

int64_t fixture_found(struct fixture *fixture, const char *name, enum ledger_item item)
{
	uint32_t endpoint;

	ck_assert_int_eq(store_endpoint(fixture->store, name, &endpoint), 0);
	return store_found_count(fixture->store, endpoint, item);
}

void fixture_assert_balanced(struct fixture *fixture, const char *name)
{
	uint32_t endpoint;

	ck_assert_int_eq(store_endpoint(fixture->store, name, &endpoint), 0);
	ck_assert_int_eq(
		fixture_found(fixture, name, LEDGER_ACCEPTED),
		fixture_found(fixture, name, LEDGER_DELIVERED) + fixture_found(fixture, name, LEDGER_REJECTED) +
			fixture_found(fixture, name, LEDGER_EXPIRED) + fixture_found(fixture, name, LEDGER_UNREADABLE) +
			fixture_found(fixture, name, LEDGER_PURGED) + store_found_rows(fixture->store, endpoint));
}

struct store_stats fixture_stats(struct fixture *fixture)
{
	struct store_stats stats;

	store_stats(fixture->store, &stats);
	return stats;
}
