/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENDPOINT_SETTINGS_H
#define ENDPOINT_SETTINGS_H

/*
 * The values of one endpoint's settings, by the rows of its adapter's table. They arrive as text, one by one, are checked
 * against their row's type on the way in (the core has checked the ranges) and are lent to the adapter as it asks. A reload
 * fills a second set and swaps the two.
 *
 * A name that has no row, or a row of another type, is a bug of the adapter when it reads: the process ends. When it
 * comes from the core it is an error.
 */

#include <stdbool.h>
#include <tidegate/adapter.h>

#include "base/cleanup.h"

enum { SETTINGS_ITEMS_MAX = 4096, SETTINGS_SOCKETS_MAX = 256 };

struct settings;

/* Every row reads as "", 0, no or an empty list. `rows` (NULL: none) must live as long. */
int settings_new(const struct tg_setting *rows, struct settings **ret_settings) WARN_UNUSED;
void settings_free(struct settings *settings);
CLEANUP_DEFINE(struct settings *, settings_free)

/* Takes one value; a list's entries come in the order of their `index`. Errors: -ENOENT: no such row; -EINVAL: not of the
 * row's type; -E2BIG: too many entries; -ENOMEM. */
int settings_put(struct settings *settings, struct tg_bytes name, uint32_t index, struct tg_bytes value) WARN_UNUSED;

/* The file of a row that names one: a descriptor, or -1 and why there is none (-errno).
 * Ownership: `fd` is taken, also on failure. Errors: -ENOENT, -EINVAL. */
int settings_put_file(struct settings *settings, struct tg_bytes name, int fd, int error) WARN_UNUSED;

/* One more socket for the entry at `index` of a list. Ownership: `fd` is taken, also on failure. Errors: -ENOENT: no such row; -EINVAL:
 * no list; -E2BIG; -ENOMEM. */
int settings_put_socket(struct settings *settings, struct tg_bytes name, uint32_t index, int fd) WARN_UNUSED;

/* One more pattern of a route. Errors: -E2BIG: too many; -ENOMEM. */
int settings_add_route(struct settings *settings, struct tg_bytes pattern) WARN_UNUSED;
/* The one at `index`, or NULL behind the last. */
const char *settings_route(const struct settings *settings, size_t index);

/* Undoes every change of a row without TG_LIVE, taking the value from `old`; the contents of a file may change where its
 * name has not. Returns the name of a row that was kept back, NULL where there is none. */
const char *settings_keep_fixed(struct settings *settings, struct settings *old);

bool settings_bool(const struct settings *settings, const char *name);
int64_t settings_int(const struct settings *settings, const char *name);
const char *settings_text(const struct settings *settings, const char *name);
const char *settings_item(const struct settings *settings, const char *name, size_t index);

/* A descriptor of its own at the file's start. Ownership: the caller closes it. Errors: -ENOENT: the setting is empty; or why
 * there is none. */
int settings_file(const struct settings *settings, const char *name);

/* A descriptor of its own of the socket at `number` of the list's entry at `index`. Ownership: the caller closes it.
 * Errors: -ENOENT: there is none. */
int settings_socket(const struct settings *settings, const char *name, size_t index, size_t number);

#endif
