/* SPDX-License-Identifier: Apache-2.0 */
#include "core/store_exam.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"

struct store_holding *store_holding(struct store_exam *exam, struct tg_bytes name)
{
	struct store_holding *holding;

	for (size_t i = 0; i < exam->count; i++) {
		if (bytes_equal(bytes_text(exam->holdings[i].name), name))
			return &exam->holdings[i];
	}
	if (exam->count == STORE_ENDPOINTS_MAX || name.size == 0 || name.size > STORE_NAME_MAX)
		return NULL;
	holding = &exam->holdings[exam->count++];
	*holding = (struct store_holding){.rows = 0};
	memcpy(holding->name, name.data, name.size);
	return holding;
}

static int scan_rows(struct database *database, struct store_exam *exam)
{
	CLEANUP_STATEMENT struct database_statement *rows = NULL;
	struct store_view view;
	int r = database_prepare(database, "SELECT " STORE_ROW_COLUMNS " FROM outbox ORDER BY seq", &rows);

	while (r >= 0 && (r = database_step(rows)) > 0) {
		struct store_holding *holding;
		int64_t cost;

		r = store_row_read(rows, &view);
		if (r < 0)
			break;
		cost = store_row_cost(&view.row);
		holding = store_holding(exam, view.endpoint);
		if (holding) {
			holding->rows++;
			holding->cost_bytes += cost;
			share_add(&holding->shares, view.message.device, 0, cost);
		}
		exam->cost_bytes += cost;
		if (view.row.seq > exam->last_seq)
			exam->last_seq = view.row.seq;
	}
	return r;
}

static void take_number(struct store_exam *exam, struct tg_bytes name, int64_t item, int64_t value)
{
	struct store_holding *holding;

	if (name.size == 0 && item == STORE_GENERATION)
		exam->generation = value;
	else if (name.size == 0 && item == STORE_LAST_SEQ && (uint64_t)value > exam->last_seq)
		exam->last_seq = (uint64_t)value;
	holding = store_holding(exam, name);
	if (holding && item >= 0 && item < LEDGER_ITEMS)
		holding->number[item] = value;
}

static int scan_numbers(struct database *database, struct store_exam *exam)
{
	CLEANUP_STATEMENT struct database_statement *numbers = NULL;
	int r = database_prepare(database, "SELECT endpoint, item, value FROM numbers", &numbers);

	while (r >= 0 && (r = database_step(numbers)) > 0) {
		int64_t value = database_column_number(numbers, 2);

		if (value < 0)
			return -EUCLEAN;
		take_number(exam, database_column_bytes(numbers, 0), database_column_number(numbers, 1), value);
	}
	return r;
}

int store_scan(struct database *database, struct store_exam *ret_exam)
{
	int r;

	ret_exam->state = STORE_WHOLE;
	ret_exam->generation = 0;
	ret_exam->last_seq = 0;
	ret_exam->cost_bytes = 0;
	ret_exam->count = 0;
	r = scan_rows(database, ret_exam);
	return r < 0 ? r : scan_numbers(database, ret_exam);
}

void store_exam_done(struct store_exam *exam)
{
	for (size_t i = 0; i < exam->count; i++)
		shares_done(&exam->holdings[i].shares);
	exam->count = 0;
}

static bool is_damage(int r)
{
	return r == -EUCLEAN || r == -EIO || r == -EMSGSIZE;
}

int store_examine(const char *path, struct store_exam *ret_exam)
{
	CLEANUP_DATABASE struct database *database = NULL;
	struct stat st;
	int r;

	ret_exam->state = STORE_MISSING;
	ret_exam->generation = -1;
	ret_exam->count = 0;
	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (st.st_size == 0)
		return 0;
	r = database_open(path, &(struct database_settings){.exclusive = true, .keep = true}, &database);
	if (r >= 0)
		r = database_check(database);
	if (r >= 0) {
		r = store_side_version(database);
		if (r == 0)
			return 0;
	}
	if (r >= 0)
		r = store_scan(database, ret_exam);
	if (r < 0 && !is_damage(r))
		return r;
	if (r < 0) {
		ret_exam->state = STORE_DAMAGED;
		ret_exam->generation = -1;
	}
	return 0;
}
