/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_NOTES_FILE_H
#define CORE_NOTES_FILE_H

/* notes.db, for notes.c alone. All functions block. */

#include <stdint.h>
#include <tidegate/message.h>

#include "base/cleanup.h"

struct notes_file;

/* Errors: -ENAMETOOLONG; -errno; as database.h. */
int notes_file_open(const char *folder, struct notes_file **ret_file) WARN_UNUSED;
void notes_file_close(struct notes_file *file); /* accepts NULL */

uint64_t notes_file_loss(const struct notes_file *file);
size_t notes_file_count(const struct notes_file *file);

/* Changes belong into a transaction; they are on disk when commit returns, and a failure of it has rolled back. */
int notes_file_begin(struct notes_file *file) WARN_UNUSED;
int notes_file_commit(struct notes_file *file) WARN_UNUSED;
void notes_file_rollback(struct notes_file *file);

/* Errors: -EDQUOT: too many; -EEXIST: another endpoint has it. After these the transaction goes on; after others it is to be ended. */
int notes_file_put(struct notes_file *file, struct tg_bytes endpoint, struct tg_bytes name,
		   struct tg_bytes value) WARN_UNUSED;

int notes_file_each(struct notes_file *file, struct tg_bytes endpoint,
		    int (*fn)(void *arg, struct tg_bytes name, struct tg_bytes value), void *arg) WARN_UNUSED;

#endif
