/* SPDX-License-Identifier: Apache-2.0 */

/* The tables of the registry, and how a file of an older version gets them. */

#include <stdio.h>

#include "core/devices_file.h"

enum { VERSION = 1 };

#define DEVICE_TABLE                                                                                                   \
	"device (name TEXT PRIMARY KEY, endpoint TEXT NOT NULL, proof INTEGER NOT NULL, key BLOB, revoked INTEGER "    \
	"NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID"
#define VALUE_TABLE "value (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"

/* Columns that came after the first version. */
static const struct {
	const char *name;
	const char *definition;
} later_columns[] = {
	{"profile", "TEXT NOT NULL DEFAULT ''"},
	{"generation", "INTEGER NOT NULL DEFAULT 1"},
	{"next_key", "BLOB"},
	{"next_generation", "INTEGER NOT NULL DEFAULT 0"},
	{"overlap_until", "INTEGER NOT NULL DEFAULT 0"},
};

/* A file of an older version gets the columns that came later. */
static int add_column(struct database *database, const char *name, const char *definition)
{
	char sql[160];
	int64_t there = 0;
	int r;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM pragma_table_info('device') WHERE name = '%s'", name);
	r = database_number(database, sql, &there);
	if (r < 0 || there > 0)
		return r;
	snprintf(sql, sizeof(sql), "ALTER TABLE device ADD COLUMN %s %s", name, definition);
	return database_exec(database, sql);
}

/* The tables, and whatever a file of an older version lacks, all or nothing. */
static int migrate(struct database *database)
{
	char sql[64];
	int r = database_exec(database, "BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS " DEVICE_TABLE);

	if (r >= 0)
		r = database_exec(database, "CREATE TABLE IF NOT EXISTS " VALUE_TABLE);
	for (size_t i = 0; i < sizeof(later_columns) / sizeof(later_columns[0]) && r >= 0; i++)
		r = add_column(database, later_columns[i].name, later_columns[i].definition);
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d; COMMIT", VERSION);
	if (r >= 0)
		r = database_exec(database, sql);
	if (r < 0)
		database_rollback(database);
	return r;
}

int devices_schema_bring_up(struct database *database, const char *backup)
{
	unsigned version = 0;
	int64_t tables = 0;
	int r = database_version(database, VERSION, &version);

	if (r >= 0)
		r = database_number(database, "SELECT count(*) FROM sqlite_schema", &tables);
	if (r < 0 || version >= VERSION)
		return r;
	if (tables > 0 && backup)
		r = database_copy(database, backup);
	return r < 0 ? r : migrate(database);
}
