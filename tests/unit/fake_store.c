/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_store.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "core/store_private.h"

enum { ROWS_MAX = 4000 };

static struct {
	struct store_queue queue, begun;
	struct store_row rows[ROWS_MAX]; /* in order of seq */
	bool bad[ROWS_MAX];
	unsigned count, writes;
	bool stopped;
	bool half; /* what fails is on disk all the same */
	uint64_t last_seq;
	int64_t room;
	int64_t numbers[LEDGER_ITEMS];
	int64_t found[LEDGER_ITEMS]; /* as they were at the start of this life */
	int64_t found_rows;
} world;

static void start_life(void)
{
	store_queue_init(&world.queue);
	store_queue_init(&world.begun);
	fake_world_begin();
	world.stopped = false;
	memcpy(world.found, world.numbers, sizeof(world.found));
	world.found_rows = world.count;
}

void fake_init(uint32_t seed)
{
	memset(&world, 0, sizeof(world));
	fake_world_init(seed);
	world.room = -1;
	start_life();
}

static void remove_row(unsigned at)
{
	store_row_done(&world.rows[at]);
	world.count--;
	memmove(&world.rows[at], &world.rows[at + 1], (world.count - at) * sizeof(world.rows[0]));
	memmove(&world.bad[at], &world.bad[at + 1], (world.count - at) * sizeof(world.bad[0]));
}

void fake_done(void)
{
	while (world.count)
		remove_row(world.count - 1);
}

void fake_begin_life(void)
{
	start_life();
}

static int find_row(uint64_t seq)
{
	for (unsigned i = world.count; i-- > 0;) {
		if (world.rows[i].seq == seq)
			return (int)i;
	}
	return -1;
}

static int find_number(unsigned number)
{
	for (unsigned i = 0; i < world.count; i++) {
		if (memcmp(world.rows[i].message->id, &number, sizeof(number)) == 0)
			return (int)i;
	}
	return -1;
}

const struct store_row *fake_row(unsigned number)
{
	int at = find_number(number);

	return at < 0 ? NULL : &world.rows[at];
}

unsigned fake_rows(void)
{
	return world.count;
}

unsigned fake_rows_of(unsigned number)
{
	unsigned n = 0;

	for (unsigned i = 0; i < world.count; i++)
		n += memcmp(world.rows[i].message->id, &number, sizeof(number)) == 0;
	return n;
}

void fake_ruin(unsigned number, bool disappear)
{
	int at = find_number(number);

	ck_assert_int_ge(at, 0);
	if (disappear)
		remove_row((unsigned)at);
	else
		world.bad[at] = true;
}

int64_t fake_number(enum ledger_item item)
{
	return world.numbers[item];
}

bool fake_balanced(void)
{
	const int64_t *n = world.numbers;

	return n[LEDGER_ACCEPTED] == n[LEDGER_DELIVERED] + n[LEDGER_REJECTED] + n[LEDGER_EXPIRED] +
					     n[LEDGER_UNREADABLE] + n[LEDGER_PURGED] + world.count;
}

void fake_set_room(int64_t rows)
{
	world.room = rows;
}

static void insert_row(const struct store_row *row)
{
	struct store_view view = {.row = *row};
	unsigned at = world.count;

	if (find_row(row->seq) >= 0)
		return;
	ck_assert_uint_lt(world.count, ROWS_MAX);
	view.message = *row->message;
	while (at > 0 && world.rows[at - 1].seq > row->seq)
		at--;
	memmove(&world.rows[at + 1], &world.rows[at], (world.count - at) * sizeof(world.rows[0]));
	memmove(&world.bad[at + 1], &world.bad[at], (world.count - at) * sizeof(world.bad[0]));
	ck_assert_int_eq(store_row_copy(&view, &world.rows[at]), 0);
	world.bad[at] = false;
	world.count++;
	world.numbers[LEDGER_ACCEPTED]++;
}

static void delete_rows(const struct store_deletion *deletion)
{
	for (uint32_t i = 0; i < deletion->count; i++) {
		int at = find_row(deletion->gone[i].seq);

		if (at < 0)
			continue;
		remove_row((unsigned)at);
		world.numbers[deletion->gone[i].item] += deletion->gone[i].item == LEDGER_ACCEPTED ? -1 : 1;
	}
}

static void add_numbers(const struct store_count *count)
{
	for (int item = 0; item < LEDGER_ITEMS; item++)
		world.numbers[item] += count->add[item];
}

static void load_rows(struct store_load *load)
{
	size_t bytes = 0;

	load->rows = calloc(load->limit_rows, sizeof(*load->rows));
	load->bad = calloc(load->limit_rows, sizeof(*load->bad));
	for (unsigned i = 0; i < world.count && load->count + load->bad_count < load->limit_rows; i++) {
		struct store_view view = {.row = world.rows[i]};

		if (view.row.seq <= load->after)
			continue;
		if (world.bad[i]) {
			load->bad[load->bad_count++] = view.row.seq;
			continue;
		}
		if (load->count && bytes >= load->limit_bytes)
			break;
		view.message = *world.rows[i].message;
		ck_assert_int_eq(store_row_copy(&view, &load->rows[load->count++]), 0);
		bytes += message_size(world.rows[i].message);
	}
}

static int carry_out(struct store_op *op, int error)
{
	if (op->state == STORE_CANCELLED)
		return -ECANCELED;
	if (op->kind == STORE_LOAD)
		load_rows(op->load);
	if (op->kind == STORE_LOAD || op->kind == STORE_BARRIER)
		return 0;
	if (error < 0 && world.half && op->kind == STORE_INSERT)
		insert_row(op->what);
	if (error < 0)
		return error;
	world.writes++;
	if (op->kind == STORE_INSERT)
		insert_row(op->what);
	else if (op->kind == STORE_DELETE)
		delete_rows(op->what);
	else
		add_numbers(op->what);
	return 0;
}

void fake_begin(unsigned n)
{
	struct store_op *op;

	while (n-- > 0 && (op = store_queue_pop(&world.queue))) {
		if (op->state == STORE_QUEUED)
			op->state = STORE_BEGUN;
		store_queue_push(&world.begun, op);
	}
}

void fake_finish(int error)
{
	struct store_queue ended;
	struct store_op *op;

	store_queue_init(&ended);
	while ((op = store_queue_pop(&world.begun))) {
		op->result = carry_out(op, error);
		store_queue_push(&ended, op);
	}
	while ((op = store_queue_pop(&ended)))
		op->done(op, op->result);
}

void fake_finish_half(int error)
{
	world.half = true;
	fake_finish(error);
	world.half = false;
}

void fake_run(void)
{
	for (unsigned rounds = 0; world.begun.first || world.queue.first; rounds++) {
		ck_assert_uint_lt(rounds, 100000);
		fake_begin(256);
		fake_finish(0);
	}
}

void fake_end(int error)
{
	fake_finish(error);
	fake_begin(UINT_MAX);
	fake_finish(-ESHUTDOWN);
	ck_assert_ptr_null(world.queue.first);
	ck_assert_uint_eq(fake_timers(), 0);
}

void fake_stop(void)
{
	fake_begin(UINT_MAX);
	world.stopped = true;
	fake_finish(0);
}

unsigned fake_waiting(void)
{
	unsigned n = 0;

	for (const struct store_op *op = world.queue.first; op; op = op->next)
		n++;
	return n;
}

unsigned fake_writes(void)
{
	return world.writes;
}

static void hand_in(struct store_op *op, enum store_kind kind, store_done_fn *done)
{
	op->kind = (uint8_t)kind;
	op->state = STORE_QUEUED;
	op->result = 0;
	op->done = done;
	if (world.stopped)
		done(op, -ESHUTDOWN);
	else
		store_queue_push(&world.queue, op);
}

void store_insert(struct store *store, struct store_op *op, const struct store_row *row, store_done_fn *done)
{
	(void)store;
	op->what = row;
	hand_in(op, STORE_INSERT, done);
}

bool store_cancel(struct store *store, struct store_op *op)
{
	(void)store;
	if (op->state != STORE_QUEUED)
		return false;
	op->state = STORE_CANCELLED;
	return true;
}

void store_delete(struct store *store, struct store_op *op, const struct store_deletion *deletion, store_done_fn *done)
{
	(void)store;
	op->what = deletion;
	hand_in(op, STORE_DELETE, done);
}

void store_add(struct store *store, struct store_op *op, const struct store_count *count, store_done_fn *done)
{
	(void)store;
	op->what = count;
	hand_in(op, STORE_ADD, done);
}

void store_load(struct store *store, struct store_op *op, struct store_load *load, store_done_fn *done)
{
	(void)store;
	load->count = load->bad_count = 0;
	op->load = load;
	hand_in(op, STORE_LOAD, done);
}

void store_load_done(struct store_load *load)
{
	for (uint32_t i = 0; i < load->count; i++)
		store_row_done(&load->rows[i]);
	free(load->rows);
	free(load->bad);
	load->rows = NULL;
	load->bad = NULL;
	load->count = load->bad_count = 0;
}

void store_barrier(struct store *store, struct store_op *op, store_done_fn *done)
{
	(void)store;
	hand_in(op, STORE_BARRIER, done);
}

int store_endpoint(struct store *store, const char *name, uint32_t *ret_endpoint)
{
	(void)store;
	ck_assert_str_eq(name, "cloud");
	*ret_endpoint = 0;
	return 0;
}

const char *store_endpoint_name(const struct store *store, uint32_t endpoint)
{
	(void)store;
	return endpoint == 0 ? "cloud" : NULL;
}

int64_t store_found_rows(const struct store *store, uint32_t endpoint)
{
	(void)store;
	(void)endpoint;
	return world.found_rows;
}

int64_t store_found_cost(const struct store *store, uint32_t endpoint)
{
	(void)store;
	(void)endpoint;
	return world.found_rows * 100;
}

void store_take_shares(struct store *store, uint32_t endpoint, struct shares *ret_shares)
{
	(void)store;
	(void)endpoint;
	*ret_shares = (struct shares){.table = NULL};
	for (unsigned i = 0; i < world.count; i++)
		share_add(ret_shares, world.rows[i].message->device, 0, store_row_cost(&world.rows[i]));
}

int64_t store_found_count(const struct store *store, uint32_t endpoint, enum ledger_item item)
{
	(void)store;
	(void)endpoint;
	return world.found[item];
}

uint64_t store_next_seq(struct store *store)
{
	(void)store;
	return ++world.last_seq;
}

bool store_has_room(const struct store *store, int64_t cost)
{
	(void)store;
	(void)cost;
	return world.room < 0 || world.count < world.room;
}
