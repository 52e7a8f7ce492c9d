/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DEVICES_FILE_H
#define CORE_DEVICES_FILE_H

/* devices.db and its mirror: every change goes to both, so that a damaged registry locks no device out. For devices.c alone. */

#include "core/database.h"
#include "core/devices.h"

int devices_file_open(const char *state_dir, struct database **ret_database) WARN_UNUSED;

/* Writes the row of this device anew; without a `key` the one that it has stays. On disk when it returns. */
int devices_file_put(struct database *database, const struct device *device, const struct secret *key) WARN_UNUSED;

#endif
