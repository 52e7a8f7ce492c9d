/* SPDX-License-Identifier: Apache-2.0 */
#include "core/store_side.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum { VERSION = 1, CHECKPOINT_PAGES = 256 };

static const char schema_sql[] =
	"BEGIN IMMEDIATE;" STORE_ROW_TABLE ";"
	"CREATE TABLE numbers (endpoint TEXT NOT NULL, item INTEGER NOT NULL, value INTEGER NOT NULL, "
	"PRIMARY KEY (endpoint, item)) STRICT, WITHOUT ROWID;"
	"PRAGMA application_id = 0x54476f62; PRAGMA user_version = 1; COMMIT";

int store_side_version(struct database *database)
{
	unsigned version = 0;
	int64_t tables = 0;
	int r = database_number(database, "SELECT count(*) FROM sqlite_schema", &tables);

	if (r >= 0)
		r = database_version(database, VERSION, &version);
	if (r < 0)
		return r;
	if (version == 0 && tables == 0)
		return 0;
	return version >= VERSION ? 1 : -EUCLEAN;
}

static int prepare_all(struct store_side *side)
{
	const struct {
		struct database_statement **statement;
		const char *sql;
	} all[] = {
		{&side->begin, "BEGIN IMMEDIATE"},
		{&side->commit, "COMMIT"},
		{&side->insert, "INSERT OR IGNORE INTO outbox (" STORE_ROW_COLUMNS ") "
				"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
		{&side->erase, "DELETE FROM outbox WHERE seq = ?"},
		{&side->add, "INSERT INTO numbers VALUES (?, ?, ?) "
			     "ON CONFLICT (endpoint, item) DO UPDATE SET value = value + excluded.value"},
		{&side->set, "INSERT OR REPLACE INTO numbers VALUES (?, ?, ?)"},
		{&side->load, "SELECT " STORE_ROW_COLUMNS " FROM outbox WHERE seq > ? AND endpoint = ? ORDER BY seq"},
		{&side->one, "SELECT " STORE_ROW_COLUMNS " FROM outbox WHERE seq = ?"},
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && r >= 0; i++)
		r = database_prepare(side->database, all[i].sql, all[i].statement);
	return r;
}

int store_side_open(struct store_side *side, const char *path, int64_t limit_bytes)
{
	struct database_settings settings = {
		.exclusive = true, .limit_bytes = limit_bytes, .checkpoint_pages = CHECKPOINT_PAGES};
	int r = database_open(path, &settings, &side->database);

	if (r >= 0)
		r = store_side_version(side->database);
	if (r == 0)
		r = database_exec(side->database, schema_sql);
	if (r >= 0)
		r = prepare_all(side);
	if (r < 0)
		store_side_close(side);
	return r < 0 ? r : 0;
}

void store_side_close(struct store_side *side)
{
	struct database_statement *all[] = {side->begin, side->commit, side->insert, side->erase,
					    side->add,   side->set,    side->load,   side->one};

	if (side->database)
		database_rollback(side->database);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		database_finalize(all[i]);
	database_close(side->database);
	*side = (struct store_side){.database = NULL};
}

static void clear_tally(struct store_side *side)
{
	for (size_t i = 0; i < STORE_ENDPOINTS_MAX; i++) {
		if (side->touched[i])
			memset(side->tally[i], 0, sizeof(side->tally[i]));
	}
	memset(side->touched, 0, sizeof(side->touched));
	side->rows = 0;
}

int store_side_begin(struct store_side *side)
{
	clear_tally(side);
	return database_run(side->begin);
}

static void count(struct store_side *side, uint32_t endpoint, int item, int64_t add)
{
	side->touched[endpoint] = true;
	side->tally[endpoint][item] += add;
}

int store_side_insert(struct store_side *side, const struct store_row *row, struct tg_bytes name, int64_t sum)
{
	uint8_t mark[MESSAGE_MARK_MAX];
	int64_t added;
	int r;

	store_row_bind(side->insert, row, name, sum, mark);
	r = database_run(side->insert);
	if (r < 0)
		return r;
	added = database_changes(side->database);
	count(side, row->endpoint, LEDGER_ACCEPTED, added);
	side->rows += added;
	return 0;
}

int store_side_delete(struct store_side *side, const struct store_deletion *deletion)
{
	for (uint32_t i = 0; i < deletion->count; i++) {
		const struct store_gone *gone = &deletion->gone[i];
		int64_t removed;
		int r;

		database_bind_number(side->erase, 1, (int64_t)gone->seq);
		r = database_run(side->erase);
		if (r < 0)
			return r;
		removed = database_changes(side->database);
		count(side, deletion->endpoint, gone->item, gone->item == LEDGER_ACCEPTED ? -removed : removed);
		side->rows -= removed;
	}
	return 0;
}

void store_side_add(struct store_side *side, const struct store_count *add)
{
	for (int item = 0; item < LEDGER_ITEMS; item++) {
		if (add->add[item])
			count(side, add->endpoint, item, add->add[item]);
	}
}

static int write_number(struct database_statement *statement, struct tg_bytes name, int item, int64_t value)
{
	database_bind_text(statement, 1, name);
	database_bind_number(statement, 2, item);
	database_bind_number(statement, 3, value);
	return database_run(statement);
}

int store_side_set(struct store_side *side, struct tg_bytes name, int item, int64_t value)
{
	return write_number(side->set, name, item, value);
}

int store_side_finish(struct store_side *side, char *const names[STORE_ENDPOINTS_MAX], int64_t generation,
		      uint64_t last_seq)
{
	int r = store_side_set(side, bytes_text(""), STORE_GENERATION, generation);

	if (r >= 0)
		r = store_side_set(side, bytes_text(""), STORE_LAST_SEQ, (int64_t)last_seq);
	for (size_t i = 0; i < STORE_ENDPOINTS_MAX; i++) {
		for (int item = 0; item < LEDGER_ITEMS && side->touched[i] && r >= 0; item++) {
			if (side->tally[i][item])
				r = write_number(side->add, bytes_text(names[i]), item, side->tally[i][item]);
		}
	}
	return r;
}

int store_side_commit(struct store_side *side)
{
	return database_run(side->commit);
}

void store_side_rollback(struct store_side *side)
{
	if (side->database)
		database_rollback(side->database);
}
