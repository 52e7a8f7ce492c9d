/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DEVICES_FILE_H
#define CORE_DEVICES_FILE_H

/*
 * devices.db and its mirror: every change goes to both, so that a damaged registry locks no device out. A change is made when it is in
 * the registry; the mirror follows, at once or, where it cannot be written, as soon as it can. For the files of the registry alone
 * (devices_*.c), which never hand it a key that is not sealed.
 */

#include "core/database.h"
#include "core/devices.h"

enum { DEVICES_PATH_SIZE = 1088 };

#define DEVICES_COLUMNS                                                                                                \
	"name, endpoint, proof, key, revoked, created, changed, profile, generation, next_key, next_generation, "      \
	"overlap_until"

enum devices_mirror_table { DEVICES_MIRROR_DEVICE, DEVICES_MIRROR_VALUE, DEVICES_MIRROR_TABLES };

/* Statements are compiled once. */
struct devices_file {
	struct database *database;
	struct database_statement *put;
	struct database_statement *keys;
	struct database_statement *note[DEVICES_MIRROR_TABLES];
	bool behind;                    /* the mirror lacks something that could not be written */
	char backup[DEVICES_PATH_SIZE]; /* the registry as an older version has left it; goes with what is scrubbed */
};

/* Units: bytes, of a sealed key. */
enum { DEVICES_SEALED_MAX = SECRET_MAX + 28 };

struct devices_keys {
	size_t size; /* 0: none */
	size_t next_size;
	uint8_t key[DEVICES_SEALED_MAX];
	uint8_t next[DEVICES_SEALED_MAX];
};

/* devices_schema.c: brings the file up to this version, having copied it to `backup` as it was (NULL: without). One of a newer version that this
 * one can use stays as it is. Errors: -ENOTSUP: too new. */
int devices_schema_bring_up(struct database *database, const char *backup) WARN_UNUSED;

int devices_file_open(const char *state_dir, struct devices_file **ret_file) WARN_UNUSED;
void devices_file_close(struct devices_file *file); /* accepts NULL */

/* Changes belong into a transaction; they are on disk when commit returns. A failure of it has rolled back. That of the mirror is none:
 * it is `behind` then. */
int devices_file_begin(struct devices_file *file) WARN_UNUSED;
int devices_file_commit(struct devices_file *file) WARN_UNUSED;
void devices_file_rollback(struct devices_file *file);

/* Calls `fn` for each row in the order of names, the strings lent for the call; ends at the first negative return, and gives it back. */
int devices_file_each(struct devices_file *file, int (*fn)(void *arg, const struct device *device),
		      void *arg) WARN_UNUSED;

/* Writes the row of this device anew; without `keys` those that it has stay. */
int devices_file_put(struct devices_file *file, const struct device *device,
		     const struct devices_keys *keys) WARN_UNUSED;

/* The sealed keys of a device. Errors: -ENOENT: no such row; -EMSGSIZE: not of our making. */
int devices_file_keys(struct devices_file *file, struct tg_bytes name, struct devices_keys *ret_keys) WARN_UNUSED;

/* Named values beside the rows: what the keys are sealed with, the authority. Returns the size. Errors: -ENOENT; -EMSGSIZE. */
int devices_file_value(struct devices_file *file, const char *name, uint8_t *ret_value, size_t room) WARN_UNUSED;
int devices_file_set_value(struct devices_file *file, const char *name, struct tg_bytes value) WARN_UNUSED;

/* Leaves nothing of what was overwritten in the files. */
int devices_file_scrub(struct devices_file *file) WARN_UNUSED;

/* devices_mirror.c: */
int devices_mirror_attach(struct devices_file *file, const char *path) WARN_UNUSED;
/* Its rows come back into a renewed registry. */
int devices_mirror_bring_back(struct devices_file *file) WARN_UNUSED;
/* Makes it hold the same as the registry. */
int devices_mirror_compare(struct devices_file *file) WARN_UNUSED;
/* Within a transaction: the row of that name has changed. */
int devices_mirror_note(struct devices_file *file, enum devices_mirror_table table, const char *name) WARN_UNUSED;
/* Gives it what it lacks. Errors: those of the file; `behind`. */
int devices_mirror_copy(struct devices_file *file) WARN_UNUSED;

#endif
