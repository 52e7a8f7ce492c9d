/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DATABASE_H
#define CORE_DATABASE_H

/*
 * The one door to SQLite, for the store and for the registry of devices: a file opened the way that a box
 * whose power is cut at will needs it (WAL, synchronous FULL), statements, and errors as negative errno.
 *
 * A database and its statements belong to one thread at a time; they may be handed on. Errors everywhere:
 * -ENOSPC: disk or limit full; -EUCLEAN: the file is damaged or is no database; -EIO; -EROFS; -ENOMEM; -EBUSY:
 * another process has it; -EEXIST: a constraint; -EMSGSIZE: a value is too long for SQLite.
 */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/cleanup.h"

/* Bytes, the end included: the longest path of a database, 1,023, and what is hung on to it when it is set aside. */
enum { DATABASE_PATH = 1088 };

struct database;
struct database_statement;

struct database_settings {
	bool exclusive;       /* lock everybody else out as long as it is open; there is no -shm file then */
	bool keep;            /* reading only; not one byte of an existing file is changed, not even by closing it */
	bool secure_delete;   /* overwrite what is deleted (keys); costs up to five times the writing */
	int64_t limit_bytes;  /* the file grows no further (its WAL apart); 0: no limit */
	int checkpoint_pages; /* the WAL is carried over into the file when it has grown to this; 0: 1000 */
};

/* Opens the file, or makes it (0600). Blocks: reads and writes the disk, as do all functions below. */
int database_open(const char *path, const struct database_settings *settings,
		  struct database **ret_database) WARN_UNUSED;
/* Accepts NULL. All statements must have ended. */
void database_close(struct database *database);

/* Runs statements that give no rows back. */
int database_exec(struct database *database, const char *sql) WARN_UNUSED;
/* The first value of the first row. Errors: -ENOENT: no row. */
int database_number(struct database *database, const char *sql, int64_t *ret_number) WARN_UNUSED;
/* Whether the file is whole in structure (quick_check). Returns 0, or -EUCLEAN. */
int database_check(struct database *database) WARN_UNUSED;
/*
 * The version of what is in the file, 0 where nobody has put one in: the lower half of SQLite's user_version. The upper half is the
 * lowest version whose programs can still read and write it, 0 for the version itself. A version that only adds columns with defaults,
 * tables and numbers puts the one before there, and that one then works with the file and leaves alone what it does not know.
 * `known`: the program's. Errors: -ENOTSUP: it is too new for the program.
 */
int database_version(struct database *database, unsigned known, unsigned *ret_version) WARN_UNUSED;
/* Gives a damaged file, and what SQLite keeps beside it, new names that say when: `ret_name` is that of the file. To be called while it is not
 * open. Errors: -errno of the first that could not be renamed; the others are all the same. */
int database_set_aside(const char *path, char ret_name[DATABASE_PATH]) WARN_UNUSED;
/* Writes all that is in it to a new file (0600) of that name, in the place of one that is there. */
int database_copy(struct database *database, const char *path) WARN_UNUSED;
/* Changes settings.limit_bytes. What is there stays. */
int database_set_limit(struct database *database, int64_t limit_bytes) WARN_UNUSED;
/* Rolls an open transaction back, if there is one. */
void database_rollback(struct database *database);
/* Rows that the last INSERT, UPDATE or DELETE has changed. */
int64_t database_changes(struct database *database);
/* What went wrong last, in SQLite's words. Lent until the next call. */
const char *database_error(struct database *database);

/* Compiles one statement. Ownership: ends with database_finalize. */
int database_prepare(struct database *database, const char *sql, struct database_statement **ret_statement) WARN_UNUSED;
void database_finalize(struct database_statement *statement); /* accepts NULL */

/* Values for the parameters, from 1 on. Bytes are borrowed until database_reset. A failure comes out at database_step. */
void database_bind_number(struct database_statement *statement, int place, int64_t number);
void database_bind_text(struct database_statement *statement, int place, struct tg_bytes text);
void database_bind_bytes(struct database_statement *statement, int place, struct tg_bytes bytes);
void database_bind_null(struct database_statement *statement, int place);

/* Returns 1: a row is there; 0: done. After 0 or an error the statement is to be reset before it is used again. */
int database_step(struct database_statement *statement) WARN_UNUSED;
/* Steps a statement without rows and resets it. */
int database_run(struct database_statement *statement) WARN_UNUSED;
void database_reset(struct database_statement *statement);

/* Values of the row, from 0 on. Bytes are lent until the next step or reset; of NULL they are empty. */
int64_t database_column_number(struct database_statement *statement, int place);
struct tg_bytes database_column_bytes(struct database_statement *statement, int place);
bool database_column_is_null(struct database_statement *statement, int place);

static inline void database_closep(struct database **database)
{
	database_close(*database);
}

static inline void database_finalizep(struct database_statement **statement)
{
	database_finalize(*statement);
}

#define CLEANUP_DATABASE  CLEANUP(database_closep)
#define CLEANUP_STATEMENT CLEANUP(database_finalizep)

#endif
