/* SPDX-License-Identifier: Apache-2.0 */
#include "core/notes_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/random.h"
#include "core/database.h"
#include "core/notes.h"

enum { PATH_TEXT = 1024, LIMIT_BYTES = 64 * 1024 * 1024 };

#define NOTE_TABLE                                                                                                     \
	"note (endpoint TEXT NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (endpoint, name)) "        \
	"WITHOUT ROWID"
#define LOSS_TABLE "loss (number INTEGER NOT NULL)"

struct notes_file {
	struct database *database;
	uint64_t loss;
	size_t count;
	size_t count_committed;
	struct database_statement *update, *insert, *remove, *count_of, *owner, *each;
};

static void set_aside(const char *path)
{
	char name[DATABASE_PATH];
	int r = database_set_aside(path, name);

	log_error("notes \"%s\" are damaged; they are set aside as \"%s\"", path, name);
	if (r < 0)
		log_error("cannot set \"%s\" aside (%s)", path, strerror(-r));
}

/* Errors: -EUCLEAN: damaged. */
static int open_whole(const char *path, struct database **ret_database)
{
	static const struct database_settings settings = {.exclusive = true, .limit_bytes = LIMIT_BYTES};
	struct database *database = NULL;
	int r = database_open(path, &settings, &database);

	if (r >= 0)
		r = database_check(database);
	if (r >= 0)
		r = database_exec(database, "CREATE TABLE IF NOT EXISTS " NOTE_TABLE);
	if (r >= 0)
		r = database_exec(database, "CREATE INDEX IF NOT EXISTS note_name ON note (name)");
	if (r >= 0)
		r = database_exec(database, "CREATE TABLE IF NOT EXISTS " LOSS_TABLE);
	if (r >= 0)
		r = database_exec(database, "SELECT endpoint, name, value FROM note LIMIT 0");
	if (r < 0) {
		database_close(database);
		return r;
	}
	*ret_database = database;
	return 0;
}

/* A file without a number has just been made: it says from now on whether there was one before it. */
static int read_loss(struct notes_file *file, bool lost)
{
	char sql[80];
	int64_t number = 0;
	int r = database_number(file->database, "SELECT number FROM loss", &number);

	if (r == -ENOENT) {
		while (lost && number <= 0) {
			random_bytes(&number, sizeof(number));
			number &= INT64_MAX;
		}
		snprintf(sql, sizeof(sql), "INSERT INTO loss VALUES (%lld)", (long long)number);
		r = database_exec(file->database, sql);
		if (r >= 0 && lost)
			log_error(
				"the notes that were kept for endpoints are lost: what they used up counts as used up, "
				"and OSCORE contexts need new keys");
	}
	file->loss = (uint64_t)number;
	return r;
}

static int count_all(struct notes_file *file)
{
	int64_t count = 0;
	int r = database_number(file->database, "SELECT count(*) FROM note", &count);

	file->count = file->count_committed = (size_t)count;
	return r;
}

static int prepare(struct notes_file *file)
{
	const struct {
		const char *sql;
		struct database_statement **statement;
	} all[] = {
		{"UPDATE note SET value = ?3 WHERE endpoint = ?1 AND name = ?2", &file->update},
		{"INSERT INTO note (endpoint, name, value) VALUES (?1, ?2, ?3)", &file->insert},
		{"DELETE FROM note WHERE endpoint = ?1 AND name = ?2", &file->remove},
		{"SELECT count(*) FROM note WHERE endpoint = ?1", &file->count_of},
		{"SELECT count(*) FROM note WHERE name = ?2 AND endpoint <> ?1", &file->owner},
		{"SELECT name, value FROM note WHERE endpoint = ?1", &file->each},
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && r >= 0; i++)
		r = database_prepare(file->database, all[i].sql, all[i].statement);
	return r;
}

static int open_or_renew(const char *path, bool used, struct notes_file *file)
{
	int r = open_whole(path, &file->database);

	if (r == -EUCLEAN) {
		set_aside(path);
		used = true;
		r = open_whole(path, &file->database);
	}
	if (r >= 0)
		r = read_loss(file, used);
	if (r >= 0)
		r = count_all(file);
	return r < 0 ? r : prepare(file);
}

/* An empty file that says that there were notes in this folder, for when they are missing. */
static int mark(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int notes_file_open(const char *folder, struct notes_file **ret_file)
{
	struct notes_file *file = calloc(1, sizeof(*file));
	char path[PATH_TEXT], made[PATH_TEXT];
	int r = -ENAMETOOLONG;

	if (!file)
		return -ENOMEM;
	if (snprintf(path, sizeof(path), "%s/notes.db", folder) < (int)sizeof(path) &&
	    snprintf(made, sizeof(made), "%s/notes.made", folder) < (int)sizeof(made))
		r = open_or_renew(path, access(made, F_OK) == 0, file);
	if (r >= 0)
		r = mark(made);
	if (r < 0) {
		notes_file_close(file);
		return r;
	}
	*ret_file = file;
	return 0;
}

void notes_file_close(struct notes_file *file)
{
	if (!file)
		return;
	database_finalize(file->update);
	database_finalize(file->insert);
	database_finalize(file->remove);
	database_finalize(file->count_of);
	database_finalize(file->owner);
	database_finalize(file->each);
	database_close(file->database);
	free(file);
}

uint64_t notes_file_loss(const struct notes_file *file)
{
	return file->loss;
}

size_t notes_file_count(const struct notes_file *file)
{
	return file->count;
}

int notes_file_begin(struct notes_file *file)
{
	return database_exec(file->database, "BEGIN IMMEDIATE");
}

int notes_file_commit(struct notes_file *file)
{
	int r = database_exec(file->database, "COMMIT");

	if (r < 0)
		notes_file_rollback(file);
	file->count_committed = file->count;
	return r;
}

void notes_file_rollback(struct notes_file *file)
{
	database_rollback(file->database);
	file->count = file->count_committed;
}

static void bind(struct database_statement *statement, struct tg_bytes endpoint, struct tg_bytes name)
{
	database_bind_text(statement, 1, endpoint);
	database_bind_bytes(statement, 2, name);
}

/* One number that the statement, bound already, gives. */
static int ask(struct database_statement *statement, int64_t *ret_number)
{
	int r = database_step(statement);

	if (r > 0)
		*ret_number = database_column_number(statement, 0);
	database_reset(statement);
	return r < 0 ? r : 0;
}

static bool is_for_the_gateway(struct tg_bytes name)
{
	return name.size > 0 && *(const char *)name.data == '!';
}

static int add(struct notes_file *file, struct tg_bytes endpoint, struct tg_bytes name, struct tg_bytes value)
{
	int64_t others = 0, own = 0;
	int r = 0;

	if (is_for_the_gateway(name)) {
		bind(file->owner, endpoint, name);
		r = ask(file->owner, &others);
	}
	if (r < 0 || others > 0)
		return r < 0 ? r : -EEXIST;
	database_bind_text(file->count_of, 1, endpoint);
	r = ask(file->count_of, &own);
	if (r < 0)
		return r;
	if (own >= (int64_t)TG_NOTES_MAX || file->count >= NOTES_TOTAL_MAX)
		return -EDQUOT;
	bind(file->insert, endpoint, name);
	database_bind_bytes(file->insert, 3, value);
	r = database_run(file->insert);
	file->count += r >= 0;
	return r;
}

int notes_file_put(struct notes_file *file, struct tg_bytes endpoint, struct tg_bytes name, struct tg_bytes value)
{
	int r;

	if (value.size == 0) {
		bind(file->remove, endpoint, name);
		r = database_run(file->remove);
		file->count -= r >= 0 ? (size_t)database_changes(file->database) : 0;
		return r < 0 ? r : 0;
	}
	bind(file->update, endpoint, name);
	database_bind_bytes(file->update, 3, value);
	r = database_run(file->update);
	if (r < 0 || database_changes(file->database) > 0)
		return r < 0 ? r : 0;
	return add(file, endpoint, name, value);
}

int notes_file_each(struct notes_file *file, struct tg_bytes endpoint,
		    int (*fn)(void *arg, struct tg_bytes name, struct tg_bytes value), void *arg)
{
	int r, called = 0;

	database_bind_text(file->each, 1, endpoint);
	while (called >= 0 && (r = database_step(file->each)) > 0)
		called = fn(arg, database_column_bytes(file->each, 0), database_column_bytes(file->each, 1));
	database_reset(file->each);
	return called < 0 ? called : r;
}
