/* SPDX-License-Identifier: Apache-2.0 */
#include "core/database.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/clock.h"

enum { PAGE_BYTES = 4096, CHECKPOINT_PAGES = 1000, WAL_KEEP_BYTES = 1024 * 1024, CACHE_KIB = 1024, BUSY_MS = 2000 };

struct database {
	sqlite3 *handle;
};

struct database_statement {
	struct database *database;
	sqlite3_stmt *handle;
	int bind_error;
};

static int from_sqlite(sqlite3 *handle, int code)
{
	int cause;

	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
		return -EUCLEAN;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_TOOBIG:
		return -EMSGSIZE;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		cause = handle ? sqlite3_system_errno(handle) : 0;
		if (code == SQLITE_IOERR_NOMEM)
			return -ENOMEM;
		return cause == ENOSPC || cause == EDQUOT || cause == EACCES || cause == ENOENT ? -cause : -EIO;
	default:
		return -EIO;
	}
}

/* An empty file is an empty database: made by us, so that nobody else can read it. */
static int make_file(const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : 0;
}

static int set_pragma(struct database *database, const char *name, int64_t value)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "PRAGMA %s = %lld", name, (long long)value);
	return database_exec(database, sql);
}

/* Has to come before the first page is written; later it would only cost a transaction. */
static int set_vacuum(struct database *database)
{
	int64_t pages = 0;
	int r = database_number(database, "PRAGMA page_count", &pages);

	return r < 0 || pages > 0 ? r : database_exec(database, "PRAGMA auto_vacuum = INCREMENTAL");
}

static int prepare_file(struct database *database, const struct database_settings *settings)
{
	int checkpoint = settings->checkpoint_pages > 0 ? settings->checkpoint_pages : CHECKPOINT_PAGES;
	int r = 0;

	sqlite3_busy_timeout(database->handle, settings->exclusive ? 0 : BUSY_MS);
	sqlite3_db_config(database->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
	sqlite3_db_config(database->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
	if (settings->exclusive)
		r = database_exec(database, "PRAGMA locking_mode = EXCLUSIVE");
	if (r >= 0)
		r = database_exec(database, "PRAGMA cell_size_check = 1; PRAGMA temp_store = MEMORY");
	if (r >= 0)
		r = set_pragma(database, "cache_size", -CACHE_KIB);
	if (r < 0)
		return r;
	if (settings->keep) {
		sqlite3_db_config(database->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
		return database_exec(database, "PRAGMA query_only = 1");
	}
	r = set_vacuum(database);
	if (r >= 0)
		r = database_exec(database,
				  "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = 1");
	if (r >= 0)
		r = set_pragma(database, "secure_delete", settings->secure_delete);
	if (r >= 0)
		r = set_pragma(database, "wal_autocheckpoint", checkpoint);
	if (r >= 0)
		r = set_pragma(database, "journal_size_limit", WAL_KEEP_BYTES);
	if (r >= 0 && settings->limit_bytes > 0)
		r = database_set_limit(database, settings->limit_bytes);
	return r;
}

int database_open(const char *path, const struct database_settings *settings, struct database **ret_database)
{
	struct database *database;
	int r;

	r = settings->keep ? 0 : make_file(path);
	if (r < 0)
		return r;
	database = calloc(1, sizeof(*database));
	if (!database)
		return -ENOMEM;
	r = sqlite3_open_v2(path, &database->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	r = r == SQLITE_OK ? prepare_file(database, settings) : from_sqlite(database->handle, r);
	if (r < 0) {
		database_close(database);
		return r;
	}
	*ret_database = database;
	return 0;
}

void database_close(struct database *database)
{
	if (!database)
		return;
	sqlite3_close(database->handle);
	free(database);
}

int database_exec(struct database *database, const char *sql)
{
	return from_sqlite(database->handle, sqlite3_exec(database->handle, sql, NULL, NULL, NULL));
}

int database_number(struct database *database, const char *sql, int64_t *ret_number)
{
	CLEANUP_STATEMENT struct database_statement *statement = NULL;
	int r = database_prepare(database, sql, &statement);

	if (r >= 0)
		r = database_step(statement);
	if (r < 0)
		return r;
	if (r == 0)
		return -ENOENT;
	*ret_number = database_column_number(statement, 0);
	return 0;
}

int database_check(struct database *database)
{
	CLEANUP_STATEMENT struct database_statement *statement = NULL;
	struct tg_bytes answer;
	int r = database_prepare(database, "PRAGMA quick_check(1)", &statement);

	if (r >= 0)
		r = database_step(statement);
	if (r < 0)
		return r;
	answer = database_column_bytes(statement, 0);
	return answer.size == 2 && memcmp(answer.data, "ok", 2) == 0 ? 0 : -EUCLEAN;
}

int database_version(struct database *database, unsigned known, unsigned *ret_version)
{
	int64_t number = 0;
	int r = database_number(database, "PRAGMA user_version", &number);
	unsigned version = (unsigned)number & 0xffffu, oldest = (unsigned)number >> 16;

	if (r < 0)
		return r;
	if (version > known && (oldest == 0 || oldest > known))
		return -ENOTSUP;
	*ret_version = version;
	return 0;
}

int database_copy(struct database *database, const char *path)
{
	CLEANUP_STATEMENT struct database_statement *copy = NULL;
	int r = unlink(path) < 0 && errno != ENOENT ? -errno : make_file(path);

	if (r >= 0)
		r = database_prepare(database, "VACUUM INTO ?1", &copy);
	if (r < 0)
		return r;
	database_bind_text(copy, 1, bytes_text(path));
	r = database_run(copy);
	if (r < 0)
		unlink(path);
	return r;
}

int database_set_limit(struct database *database, int64_t limit_bytes)
{
	return set_pragma(database, "max_page_count", limit_bytes / PAGE_BYTES + 1);
}

void database_rollback(struct database *database)
{
	if (!sqlite3_get_autocommit(database->handle))
		(void)!database_exec(database, "ROLLBACK");
}

int64_t database_changes(struct database *database)
{
	return sqlite3_changes(database->handle);
}

const char *database_error(struct database *database)
{
	return sqlite3_errmsg(database->handle);
}

int database_prepare(struct database *database, const char *sql, struct database_statement **ret_statement)
{
	struct database_statement *statement = calloc(1, sizeof(*statement));
	int r;

	if (!statement)
		return -ENOMEM;
	statement->database = database;
	r = sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->handle, NULL);
	if (r != SQLITE_OK) {
		free(statement);
		/* A statement of ours that does not fit the schema: the schema is damaged. */
		return (r & 0xff) == SQLITE_ERROR ? -EUCLEAN : from_sqlite(database->handle, r);
	}
	*ret_statement = statement;
	return 0;
}

void database_finalize(struct database_statement *statement)
{
	if (!statement)
		return;
	sqlite3_finalize(statement->handle);
	free(statement);
}

static void note_bind(struct database_statement *statement, int code)
{
	if (code != SQLITE_OK)
		statement->bind_error = code;
}

void database_bind_number(struct database_statement *statement, int place, int64_t number)
{
	note_bind(statement, sqlite3_bind_int64(statement->handle, place, number));
}

void database_bind_text(struct database_statement *statement, int place, struct tg_bytes text)
{
	const char *data = text.size ? text.data : "";

	note_bind(statement,
		  sqlite3_bind_text64(statement->handle, place, data, text.size, SQLITE_STATIC, SQLITE_UTF8));
}

void database_bind_bytes(struct database_statement *statement, int place, struct tg_bytes bytes)
{
	const char *data = bytes.size ? bytes.data : "";

	note_bind(statement, sqlite3_bind_blob64(statement->handle, place, data, bytes.size, SQLITE_STATIC));
}

void database_bind_null(struct database_statement *statement, int place)
{
	note_bind(statement, sqlite3_bind_null(statement->handle, place));
}

int database_step(struct database_statement *statement)
{
	int code = statement->bind_error ? statement->bind_error : sqlite3_step(statement->handle);

	return code == SQLITE_ROW ? 1 : from_sqlite(statement->database->handle, code);
}

int database_run(struct database_statement *statement)
{
	int r = database_step(statement);

	database_reset(statement);
	return r < 0 ? r : 0;
}

void database_reset(struct database_statement *statement)
{
	sqlite3_reset(statement->handle);
	sqlite3_clear_bindings(statement->handle);
	statement->bind_error = 0;
}

int64_t database_column_number(struct database_statement *statement, int place)
{
	return sqlite3_column_int64(statement->handle, place);
}

struct tg_bytes database_column_bytes(struct database_statement *statement, int place)
{
	const void *data = sqlite3_column_blob(statement->handle, place);
	int size = sqlite3_column_bytes(statement->handle, place);

	return (struct tg_bytes){.data = data, .size = data && size > 0 ? (size_t)size : 0};
}

bool database_column_is_null(struct database_statement *statement, int place)
{
	return sqlite3_column_type(statement->handle, place) == SQLITE_NULL;
}

int database_set_aside(const char *path, char ret_name[DATABASE_PATH])
{
	static const char *const companions[] = {"", "-wal", "-journal"};
	int r = 0;

	snprintf(ret_name, DATABASE_PATH, "%s.corrupt-%lld", path, (long long)(clock_wall_us() / CLOCK_S_US));
	for (size_t i = 0; i < sizeof(companions) / sizeof(companions[0]); i++) {
		char from[DATABASE_PATH], to[DATABASE_PATH + 16];

		snprintf(from, sizeof(from), "%s%s", path, companions[i]);
		snprintf(to, sizeof(to), "%s%s", ret_name, companions[i]);
		if (rename(from, to) < 0 && errno != ENOENT && r == 0)
			r = -errno;
	}
	return r;
}
