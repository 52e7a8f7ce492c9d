/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The mirror of the registry. A change is committed to the registry alone, and then copied: one transaction over two files is two
 * commits, of which the second may fail when the first cannot be taken back. What the mirror does not have yet is noted in tables in
 * memory, which follow the transactions of both.
 */

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "core/devices_file.h"

#define DIFFERENT(table, columns)                                                                                      \
	"INSERT OR IGNORE INTO temp.stale_" table " "                                                                  \
	"SELECT name FROM (SELECT " columns " FROM main." table " EXCEPT SELECT " columns " FROM mirror." table ") "   \
	"UNION SELECT name FROM (SELECT " columns " FROM mirror." table " EXCEPT SELECT " columns " FROM main." table  \
	")"

#define DROP(table)                                                                                                    \
	"DELETE FROM mirror." table " WHERE name IN (SELECT name FROM temp.stale_" table ") "                          \
	"AND name NOT IN (SELECT name FROM main." table ")"

#define COPY(table, columns)                                                                                           \
	"INSERT INTO mirror." table " (" columns ") SELECT " columns " FROM main." table                               \
	" WHERE name IN (SELECT name FROM temp.stale_" table ") ON CONFLICT (name) DO UPDATE SET "

static int attach(struct database *database, const char *path)
{
	CLEANUP_STATEMENT struct database_statement *attach = NULL;
	int r = database_prepare(database, "ATTACH ?1 AS mirror", &attach);

	if (r < 0)
		return r;
	database_bind_text(attach, 1, bytes_text(path));
	r = database_run(attach);
	return r < 0 ? r : database_exec(database, "PRAGMA mirror.synchronous = FULL");
}

static int prepare(struct devices_file *file)
{
	int r = database_prepare(file->database, "INSERT OR IGNORE INTO temp.stale_device VALUES (?1)",
				 &file->note[DEVICES_MIRROR_DEVICE]);

	if (r >= 0)
		r = database_prepare(file->database, "INSERT OR IGNORE INTO temp.stale_value VALUES (?1)",
				     &file->note[DEVICES_MIRROR_VALUE]);
	return r;
}

int devices_mirror_attach(struct devices_file *file, const char *path)
{
	int r = attach(file->database, path);

	if (r >= 0)
		r = database_exec(file->database, "CREATE TEMP TABLE stale_device (name TEXT PRIMARY KEY);"
						  "CREATE TEMP TABLE stale_value (name TEXT PRIMARY KEY)");
	return r < 0 ? r : prepare(file);
}

int devices_mirror_bring_back(struct devices_file *file)
{
	return database_exec(file->database,
			     "BEGIN;"
			     "INSERT OR IGNORE INTO main.device (" DEVICES_COLUMNS ") "
			     "SELECT " DEVICES_COLUMNS " FROM mirror.device;"
			     "INSERT OR IGNORE INTO main.value (name, value) SELECT name, value FROM mirror.value;"
			     "COMMIT");
}

int devices_mirror_compare(struct devices_file *file)
{
	int r = database_exec(file->database,
			      DIFFERENT("device", DEVICES_COLUMNS) ";" DIFFERENT("value", "name, value"));

	return r < 0 ? r : devices_mirror_copy(file);
}

int devices_mirror_note(struct devices_file *file, enum devices_mirror_table table, const char *name)
{
	database_bind_text(file->note[table], 1, bytes_text(name));
	return database_run(file->note[table]);
}

static int copy(struct devices_file *file)
{
	static const char *const steps[] = {
		"BEGIN",
		DROP("device"),
		COPY("device", DEVICES_COLUMNS) "endpoint = excluded.endpoint, proof = excluded.proof, key = "
						"excluded.key, revoked = excluded.revoked, "
						"created = excluded.created, changed = excluded.changed, profile = "
						"excluded.profile, "
						"generation = excluded.generation, next_key = excluded.next_key, "
						"next_generation = excluded.next_generation, overlap_until = "
						"excluded.overlap_until",
		DROP("value"),
		COPY("value", "name, value") "value = excluded.value",
		"DELETE FROM temp.stale_device",
		"DELETE FROM temp.stale_value",
		"COMMIT",
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && r >= 0; i++)
		r = database_exec(file->database, steps[i]);
	if (r < 0)
		database_rollback(file->database);
	return r;
}

int devices_mirror_copy(struct devices_file *file)
{
	int r = copy(file);

	if (r < 0 && !file->behind)
		log_warning(
			"the mirror of the registry cannot be written (%s); the registry itself is whole, and it is "
			"tried again",
			strerror(-r));
	else if (r >= 0 && file->behind)
		log_notice("the mirror of the registry is up to date again");
	file->behind = r < 0;
	return r;
}
