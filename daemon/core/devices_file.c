/* SPDX-License-Identifier: Apache-2.0 */
#include "core/devices_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"

enum { PATH_TEXT = 1024 };

static void set_aside(const char *path)
{
	char name[DATABASE_PATH];
	int r = database_set_aside(path, name);

	log_error("registry \"%s\" is damaged; it is set aside as \"%s\"", path, name);
	if (r < 0)
		log_error("cannot set \"%s\" aside (%s)", path, strerror(-r));
}

/* Opens a whole file with the table in it. Errors: -EUCLEAN: damaged; -ENOTSUP: too new. */
static int open_whole(const char *path, const char *backup, struct database **ret_database)
{
	static const struct database_settings settings = {.exclusive = true, .secure_delete = true};
	struct database *database = NULL;
	int r = database_open(path, &settings, &database);

	if (r >= 0)
		r = database_check(database);
	if (r >= 0)
		r = devices_schema_bring_up(database, backup);
	if (r >= 0)
		r = database_exec(database, "SELECT " DEVICES_COLUMNS " FROM device LIMIT 0");
	if (r >= 0)
		r = database_exec(database, "SELECT name, value FROM value LIMIT 0");
	if (r < 0) {
		database_close(database);
		return r;
	}
	*ret_database = database;
	return 0;
}

/* Opens the file, or a new one in the place of a damaged one. */
static int open_or_renew(const char *path, const char *backup, bool *ret_renewed, struct database **ret_database)
{
	int r = open_whole(path, backup, ret_database);

	*ret_renewed = false;
	if (r != -EUCLEAN)
		return r;
	set_aside(path);
	*ret_renewed = true;
	return open_whole(path, backup, ret_database);
}

static int prepare(struct devices_file *file)
{
	int r = database_prepare(
		file->database,
		"INSERT INTO main.device (" DEVICES_COLUMNS
		") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
		" ON CONFLICT (name) DO UPDATE SET endpoint = ?2, proof = ?3, key = iif(?13, ?4, key), revoked = ?5,"
		" changed = ?7, profile = ?8, generation = ?9, next_key = iif(?13, ?10, next_key),"
		" next_generation = ?11, overlap_until = ?12",
		&file->put);

	if (r >= 0)
		r = database_prepare(file->database, "SELECT key, next_key FROM main.device WHERE name = ?1",
				     &file->keys);
	return r;
}

static int open_both(const char *state_dir, struct devices_file *file)
{
	char path[PATH_TEXT], mirror_path[PATH_TEXT];
	struct database *mirror = NULL;
	bool renewed, mirror_renewed;
	int r;

	if (snprintf(path, sizeof(path), "%s/devices.db", state_dir) >= (int)sizeof(path) ||
	    snprintf(mirror_path, sizeof(mirror_path), "%s/devices-mirror.db", state_dir) >= (int)sizeof(mirror_path))
		return -ENAMETOOLONG;
	snprintf(file->backup, sizeof(file->backup), "%s.before", path);
	r = open_or_renew(mirror_path, NULL, &mirror_renewed, &mirror);
	if (r < 0)
		return r;
	database_close(mirror);
	r = open_or_renew(path, file->backup, &renewed, &file->database);
	if (r >= 0)
		r = devices_mirror_attach(file, mirror_path);
	if (r >= 0 && renewed)
		r = devices_mirror_bring_back(file);
	if (r < 0)
		return r;
	if (renewed)
		log_error("registry: the devices came back from the mirror%s",
			  mirror_renewed ? ", which was damaged too: enrol them again" : "");
	r = devices_mirror_compare(file);
	/* A full disk must not keep the gateway from its devices: it is tried again. */
	return file->behind ? 0 : r;
}

int devices_file_open(const char *state_dir, struct devices_file **ret_file)
{
	struct devices_file *file = calloc(1, sizeof(*file));
	int r;

	if (!file)
		return -ENOMEM;
	r = open_both(state_dir, file);
	if (r >= 0)
		r = prepare(file);
	if (r < 0) {
		devices_file_close(file);
		return r;
	}
	*ret_file = file;
	return 0;
}

void devices_file_close(struct devices_file *file)
{
	if (!file)
		return;
	database_finalize(file->put);
	for (size_t i = 0; i < DEVICES_MIRROR_TABLES; i++)
		database_finalize(file->note[i]);
	database_finalize(file->keys);
	database_close(file->database);
	free(file);
}

int devices_file_begin(struct devices_file *file)
{
	return database_exec(file->database, "BEGIN IMMEDIATE");
}

int devices_file_commit(struct devices_file *file)
{
	int r = database_exec(file->database, "COMMIT");

	if (r < 0)
		database_rollback(file->database);
	else
		(void)!devices_mirror_copy(file); /* says so itself, and is done again */
	return r;
}

void devices_file_rollback(struct devices_file *file)
{
	database_rollback(file->database);
}

int devices_file_each(struct devices_file *file, int (*fn)(void *arg, const struct device *device), void *arg)
{
	CLEANUP_STATEMENT struct database_statement *rows = NULL;
	int r = database_prepare(file->database, "SELECT " DEVICES_COLUMNS " FROM main.device ORDER BY name", &rows);

	while (r >= 0 && (r = database_step(rows)) > 0) {
		CLEANUP_FREE char *name = bytes_to_text(database_column_bytes(rows, 0));
		CLEANUP_FREE char *endpoint = bytes_to_text(database_column_bytes(rows, 1));
		CLEANUP_FREE char *profile = bytes_to_text(database_column_bytes(rows, 7));
		const struct device device = {
			.name = name,
			.endpoint = endpoint,
			.profile = profile,
			.proof = (enum device_proof)database_column_number(rows, 2),
			.revoked = database_column_number(rows, 4) != 0,
			.created_wall_us = database_column_number(rows, 5),
			.changed_wall_us = database_column_number(rows, 6),
			.generation = (uint64_t)database_column_number(rows, 8),
			.next_generation = (uint64_t)database_column_number(rows, 10),
			.overlap_until_wall_us = database_column_number(rows, 11),
		};

		r = name && endpoint && profile ? fn(arg, &device) : -ENOMEM;
	}
	return r < 0 ? r : 0;
}

static void bind_key(struct database_statement *put, int place, const uint8_t *key, size_t size)
{
	if (size)
		database_bind_bytes(put, place, bytes_of(key, size));
	else
		database_bind_null(put, place);
}

static int put_into(struct database_statement *put, const struct device *device, const struct devices_keys *keys)
{
	database_bind_text(put, 1, bytes_text(device->name));
	database_bind_text(put, 2, bytes_text(device->endpoint));
	database_bind_number(put, 3, device->proof);
	bind_key(put, 4, keys ? keys->key : NULL, keys ? keys->size : 0);
	database_bind_number(put, 5, device->revoked);
	database_bind_number(put, 6, device->created_wall_us);
	database_bind_number(put, 7, device->changed_wall_us);
	database_bind_text(put, 8, bytes_text(device->profile));
	database_bind_number(put, 9, (int64_t)device->generation);
	bind_key(put, 10, keys ? keys->next : NULL, keys ? keys->next_size : 0);
	database_bind_number(put, 11, (int64_t)device->next_generation);
	database_bind_number(put, 12, device->overlap_until_wall_us);
	database_bind_number(put, 13, keys != NULL);
	return database_run(put);
}

int devices_file_put(struct devices_file *file, const struct device *device, const struct devices_keys *keys)
{
	int r = put_into(file->put, device, keys);

	return r < 0 ? r : devices_mirror_note(file, DEVICES_MIRROR_DEVICE, device->name);
}

static int take_key(struct tg_bytes bytes, uint8_t *ret_key, size_t *ret_size)
{
	if (bytes.size > DEVICES_SEALED_MAX)
		return -EMSGSIZE;
	if (bytes.size)
		memcpy(ret_key, bytes.data, bytes.size);
	*ret_size = bytes.size;
	return 0;
}

int devices_file_keys(struct devices_file *file, struct tg_bytes name, struct devices_keys *ret_keys)
{
	int r;

	database_bind_text(file->keys, 1, name);
	r = database_step(file->keys);
	if (r == 0)
		r = -ENOENT;
	if (r > 0)
		r = take_key(database_column_bytes(file->keys, 0), ret_keys->key, &ret_keys->size);
	if (r >= 0)
		r = take_key(database_column_bytes(file->keys, 1), ret_keys->next, &ret_keys->next_size);
	database_reset(file->keys);
	return r;
}

int devices_file_value(struct devices_file *file, const char *name, uint8_t *ret_value, size_t room)
{
	CLEANUP_STATEMENT struct database_statement *get = NULL;
	struct tg_bytes value;
	int r = database_prepare(file->database, "SELECT value FROM main.value WHERE name = ?1", &get);

	if (r < 0)
		return r;
	database_bind_text(get, 1, bytes_text(name));
	r = database_step(get);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	value = database_column_bytes(get, 0);
	if (value.size > room)
		return -EMSGSIZE;
	if (value.size)
		memcpy(ret_value, value.data, value.size);
	return (int)value.size;
}

int devices_file_set_value(struct devices_file *file, const char *name, struct tg_bytes value)
{
	CLEANUP_STATEMENT struct database_statement *put = NULL;
	int r = database_prepare(file->database, "INSERT OR REPLACE INTO main.value (name, value) VALUES (?1, ?2)",
				 &put);

	if (r < 0)
		return r;
	database_bind_text(put, 1, bytes_text(name));
	database_bind_bytes(put, 2, value);
	r = database_run(put);
	return r < 0 ? r : devices_mirror_note(file, DEVICES_MIRROR_VALUE, name);
}

int devices_file_scrub(struct devices_file *file)
{
	int r = file->behind ? devices_mirror_copy(file) : 0;

	if (r >= 0 && unlink(file->backup) < 0 && errno != ENOENT)
		r = -errno;
	return r < 0 ? r
		     : database_exec(file->database,
				     "VACUUM main; VACUUM mirror; PRAGMA main.wal_checkpoint(TRUNCATE); PRAGMA "
				     "mirror.wal_checkpoint(TRUNCATE)");
}
