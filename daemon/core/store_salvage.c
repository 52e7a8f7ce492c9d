/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "core/store_exam.h"

/* A damaged tree can lead in circles: every walk through it is counted. */
enum { PROBES_MAX = 1000 * 1000, PROBES_IN_VAIN_MAX = 100 * 1000 };
enum { STEPS_LEAST = 100 * 1000, ROW_BYTES_LEAST = 32, BATCH_ROWS = 256 };

struct salvage {
	struct database *from;
	struct store_side *to;
	uint64_t last_seq;
	int64_t steps_left;
	int64_t rows;
	int open_rows; /* of the transaction that is open in `to`; -1: none is */
	int error;     /* of `to`: it ends everything */
};

static int flush(struct salvage *salvage)
{
	int r = 0;

	if (salvage->open_rows >= 0)
		r = store_side_set(salvage->to, bytes_text(""), STORE_LAST_SEQ, (int64_t)salvage->last_seq);
	if (salvage->open_rows >= 0 && r >= 0)
		r = store_side_commit(salvage->to);
	if (r < 0)
		store_side_rollback(salvage->to);
	salvage->open_rows = -1;
	return r;
}

/* 1: `to` has this very row; 0: it has none with this seq; -EEXIST: it has another one. */
static int compare(struct salvage *salvage, const struct store_view *view)
{
	struct store_view there;
	int r;

	database_bind_number(salvage->to->one, 1, (int64_t)view->row.seq);
	r = database_step(salvage->to->one);
	if (r > 0)
		r = store_row_read(salvage->to->one, &there) >= 0 && there.sum == view->sum ? 1 : -EEXIST;
	database_reset(salvage->to->one);
	return r;
}

static int take_row(struct salvage *salvage, struct store_view *view)
{
	int r = compare(salvage, view);

	if (r == 1)
		return 0;
	if (view->row.seq > salvage->last_seq)
		salvage->last_seq = view->row.seq;
	if (r == -EEXIST) {
		view->row.seq = ++salvage->last_seq;
		r = 0;
	}
	if (r >= 0 && salvage->open_rows < 0) {
		r = store_side_begin(salvage->to);
		salvage->open_rows = 0;
	}
	if (r >= 0)
		r = store_side_insert(salvage->to, &view->row, view->endpoint,
				      store_row_sum(&view->row, view->endpoint));
	if (r < 0)
		return r;
	salvage->rows++;
	return ++salvage->open_rows < BATCH_ROWS ? 0 : flush(salvage);
}

/* Reads rows up to the first that the damage makes unreachable. Returns 0: all were read; 1: there may be more. The seq of the last
 * good row is left in `*last`. */
static int walk(struct salvage *salvage, struct database_statement *rows, uint64_t from, uint64_t *last)
{
	struct store_view view;
	int r;

	database_bind_number(rows, 1, (int64_t)from);
	while ((r = database_step(rows)) > 0 && salvage->steps_left-- > 0) {
		if (store_row_read(rows, &view) < 0)
			continue;
		*last = view.row.seq;
		salvage->error = take_row(salvage, &view);
		if (salvage->error < 0)
			break;
	}
	database_reset(rows);
	return r != 0;
}

/* Asks for each row between two that can be reached. */
static void probe(struct salvage *salvage, struct database_statement *one, uint64_t low, uint64_t high)
{
	int64_t left = PROBES_MAX, vain = 0;

	while (++low < high && left-- > 0 && vain < PROBES_IN_VAIN_MAX && salvage->error >= 0) {
		uint64_t last = 0;

		(void)walk(salvage, one, low, &last);
		vain = last ? 0 : vain + 1;
	}
}

static void take_rows(struct salvage *salvage)
{
	CLEANUP_STATEMENT struct database_statement *up = NULL;
	CLEANUP_STATEMENT struct database_statement *down = NULL;
	CLEANUP_STATEMENT struct database_statement *one = NULL;
	uint64_t low = 0, high = INT64_MAX;
	int r;

	r = database_prepare(salvage->from, "SELECT " STORE_ROW_COLUMNS " FROM outbox WHERE seq > ? ORDER BY seq", &up);
	if (r >= 0)
		r = database_prepare(salvage->from,
				     "SELECT " STORE_ROW_COLUMNS " FROM outbox WHERE seq < ? ORDER BY seq DESC", &down);
	if (r >= 0)
		r = database_prepare(salvage->from, "SELECT " STORE_ROW_COLUMNS " FROM outbox WHERE seq = ?", &one);
	if (r < 0 || walk(salvage, up, low, &low) == 0 || salvage->error < 0)
		return;
	if (walk(salvage, down, high, &high) == 0 || salvage->error < 0)
		return;
	probe(salvage, one, low, high);
}

static void take_numbers(struct salvage *salvage)
{
	CLEANUP_STATEMENT struct database_statement *numbers = NULL;
	CLEANUP_STATEMENT struct database_statement *insert = NULL;

	if (database_prepare(salvage->from, "SELECT endpoint, item, value FROM numbers", &numbers) < 0 ||
	    database_prepare(salvage->to->database, "INSERT OR IGNORE INTO numbers VALUES (?, ?, ?)", &insert) < 0)
		return;
	while (database_step(numbers) > 0 && salvage->steps_left-- > 0) {
		struct tg_bytes name = database_column_bytes(numbers, 0);
		int64_t item = database_column_number(numbers, 1), value = database_column_number(numbers, 2);

		if (name.size == 0 && item == STORE_LAST_SEQ && value > 0 && (uint64_t)value > salvage->last_seq &&
		    value < INT64_MAX / 2)
			salvage->last_seq = (uint64_t)value;
		if (name.size == 0 || name.size > STORE_NAME_MAX || item < 0 || item >= LEDGER_ITEMS || value < 0 ||
		    value > INT64_MAX / 2)
			continue;
		database_bind_text(insert, 1, name);
		database_bind_number(insert, 2, item);
		database_bind_number(insert, 3, value);
		if (database_run(insert) < 0)
			return;
	}
}

int store_salvage(const char *from, struct store_side *to, uint64_t *last_seq, int64_t *ret_rows)
{
	CLEANUP_DATABASE struct database *database = NULL;
	struct salvage salvage = {.to = to, .last_seq = *last_seq, .open_rows = -1};
	struct stat st;
	int r;

	*ret_rows = 0;
	if (stat(from, &st) < 0 ||
	    database_open(from, &(struct database_settings){.exclusive = true, .keep = true}, &database) < 0)
		return 0;
	salvage.from = database;
	salvage.steps_left = STEPS_LEAST + st.st_size / ROW_BYTES_LEAST;
	take_numbers(&salvage);
	take_rows(&salvage);
	r = flush(&salvage);
	*last_seq = salvage.last_seq;
	*ret_rows = salvage.rows;
	return salvage.error < 0 ? salvage.error : r;
}
