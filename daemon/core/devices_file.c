/* SPDX-License-Identifier: Apache-2.0 */
#include "core/devices_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"

enum { PATH_TEXT = 1024 };

#define DEVICE_TABLE                                                                                                   \
	"device (name TEXT PRIMARY KEY, endpoint TEXT NOT NULL, proof INTEGER NOT NULL, key BLOB, revoked INTEGER "    \
	"NOT NULL,"                                                                                                    \
	" created INTEGER NOT NULL, changed INTEGER NOT NULL, profile TEXT NOT NULL DEFAULT '') WITHOUT ROWID"
#define COLUMNS "name, endpoint, proof, key, revoked, created, changed, profile"

/* The file under a new name, with what SQLite keeps beside it. */
static void set_aside(const char *path)
{
	static const char *const companions[] = {"", "-wal", "-journal"};
	long long wall_s = (long long)(clock_wall_us() / CLOCK_S_US);

	log_error("registry \"%s\" is damaged; it is set aside as \"%s.corrupt-%lld\"", path, path, wall_s);
	for (size_t i = 0; i < sizeof(companions) / sizeof(companions[0]); i++) {
		char from[PATH_TEXT], to[PATH_TEXT + 64];

		snprintf(from, sizeof(from), "%s%s", path, companions[i]);
		snprintf(to, sizeof(to), "%s.corrupt-%lld%s", path, wall_s, companions[i]);
		if (rename(from, to) < 0 && errno != ENOENT)
			log_error("cannot set \"%s\" aside (%s)", from, strerror(errno));
	}
}

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

/* Opens a whole file with the table in it. Errors: -EUCLEAN: damaged. */
static int open_whole(const char *path, struct database **ret_database)
{
	static const struct database_settings settings = {.exclusive = true, .secure_delete = true};
	struct database *database = NULL;
	int r = database_open(path, &settings, &database);

	if (r >= 0)
		r = database_check(database);
	if (r >= 0)
		r = database_exec(database, "CREATE TABLE IF NOT EXISTS " DEVICE_TABLE);
	if (r >= 0)
		r = add_column(database, "profile", "TEXT NOT NULL DEFAULT ''");
	if (r >= 0)
		r = database_exec(database, "SELECT " COLUMNS " FROM device LIMIT 0");
	if (r < 0) {
		database_close(database);
		return r;
	}
	*ret_database = database;
	return 0;
}

/* Opens the file, or a new one in the place of a damaged one. */
static int open_or_renew(const char *path, bool *ret_renewed, struct database **ret_database)
{
	int r = open_whole(path, ret_database);

	*ret_renewed = false;
	if (r != -EUCLEAN)
		return r;
	set_aside(path);
	*ret_renewed = true;
	return open_whole(path, ret_database);
}

static int attach_mirror(struct database *database, const char *path)
{
	CLEANUP_STATEMENT struct database_statement *attach = NULL;
	int r = database_prepare(database, "ATTACH ?1 AS mirror", &attach);

	if (r < 0)
		return r;
	database_bind_text(attach, 1, bytes_text(path));
	r = database_run(attach);
	return r < 0 ? r : database_exec(database, "PRAGMA mirror.synchronous = FULL");
}

/* Makes both hold the same: the mirror's rows come back into a renewed registry, otherwise the registry is right. */
static int make_equal(struct database *database, bool renewed)
{
	int64_t differ = 0;
	int r = 0;

	if (renewed)
		r = database_exec(database, "INSERT OR IGNORE INTO main.device (" COLUMNS ") SELECT " COLUMNS
					    " FROM mirror.device");
	if (r >= 0)
		r = database_number(database,
				    "SELECT EXISTS(SELECT " COLUMNS " FROM main.device EXCEPT SELECT " COLUMNS
				    " FROM mirror.device) OR EXISTS(SELECT " COLUMNS
				    " FROM mirror.device EXCEPT SELECT " COLUMNS " FROM main.device)",
				    &differ);
	if (r >= 0 && differ)
		r = database_exec(database, "BEGIN; DELETE FROM mirror.device; INSERT INTO mirror.device (" COLUMNS
					    ") SELECT " COLUMNS " FROM main.device; COMMIT");
	return r;
}

int devices_file_open(const char *state_dir, struct database **ret_database)
{
	char path[PATH_TEXT], mirror_path[PATH_TEXT];
	struct database *database = NULL, *mirror = NULL;
	bool renewed, mirror_renewed;
	int r;

	if (snprintf(path, sizeof(path), "%s/devices.db", state_dir) >= (int)sizeof(path) ||
	    snprintf(mirror_path, sizeof(mirror_path), "%s/devices-mirror.db", state_dir) >= (int)sizeof(mirror_path))
		return -ENAMETOOLONG;
	r = open_or_renew(mirror_path, &mirror_renewed, &mirror);
	if (r < 0)
		return r;
	database_close(mirror);
	r = open_or_renew(path, &renewed, &database);
	if (r < 0)
		return r;
	r = attach_mirror(database, mirror_path);
	if (r >= 0)
		r = make_equal(database, renewed);
	if (r < 0) {
		database_close(database);
		return r;
	}
	if (renewed)
		log_error("registry: the devices came back from the mirror%s",
			  mirror_renewed ? ", which was damaged too: enrol them again" : "");
	*ret_database = database;
	return 0;
}

static int put_into(struct database *database, const char *sql, const struct device *device, const struct secret *key)
{
	CLEANUP_STATEMENT struct database_statement *put = NULL;
	int r = database_prepare(database, sql, &put);

	if (r < 0)
		return r;
	database_bind_text(put, 1, bytes_text(device->name));
	database_bind_text(put, 2, bytes_text(device->endpoint));
	database_bind_number(put, 3, device->proof);
	if (key)
		database_bind_bytes(put, 4, secret_bytes(key));
	else
		database_bind_null(put, 4);
	database_bind_number(put, 5, device->revoked);
	database_bind_number(put, 6, device->created_wall_us);
	database_bind_number(put, 7, device->changed_wall_us);
	database_bind_text(put, 8, bytes_text(device->profile));
	return database_run(put);
}

#define PUT(schema)                                                                                                    \
	"INSERT INTO " schema ".device (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"                          \
	" ON CONFLICT (name) DO UPDATE SET endpoint = ?2, proof = ?3, key = coalesce(?4, key), revoked = ?5, changed " \
	"= ?7, profile = ?8"

int devices_file_put(struct database *database, const struct device *device, const struct secret *key)
{
	int r = database_exec(database, "BEGIN IMMEDIATE");

	if (r < 0)
		return r;
	r = put_into(database, PUT("main"), device, key);
	if (r >= 0)
		r = put_into(database, PUT("mirror"), device, key);
	if (r >= 0)
		r = database_exec(database, "COMMIT");
	if (r < 0)
		database_rollback(database);
	return r;
}
