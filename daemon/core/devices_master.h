/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DEVICES_MASTER_H
#define CORE_DEVICES_MASTER_H

/*
 * The file of the master key that the registry's keys are sealed under: 64 hexadecimal digits and a line end, or 32 bytes as they are.
 * It comes from the operator, as a file or a credential of systemd, or lies beside the registry, where the gateway made it.
 */

#include "base/secret.h"

/* Errors: -ENOENT and others of open; -EPERM: others than its owner may read it (a credential of systemd is in a folder that nobody
 * else can enter); -EINVAL: not a key. */
int devices_master_read(const char *path, struct secret *ret_key) WARN_UNUSED;

/* From text of that form. Errors: -EINVAL. */
int devices_master_parse(const char *text, size_t size, struct secret *ret_key) WARN_UNUSED;

/* Writes a new file (0600), on disk when it returns. Errors: -EEXIST; -errno. */
int devices_master_write(const char *path, const struct secret *key) WARN_UNUSED;

/* Puts the file `path` in the place of `target`. Errors: -errno. */
int devices_master_move(const char *path, const char *target) WARN_UNUSED;

/* What an error of these functions, or of devices_unlock, means to the operator. */
const char *devices_master_problem(int error);

#endif
