/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_TARGET_H
#define HYPERCAT_TARGET_H

/* What a request asks for: the path and the query of its URL, taken apart. Pure; allocates nothing. */

#include <stdbool.h>
#include <tidegate/message.h>

enum { TARGET_PARAMETERS_MAX = 16, TARGET_VALUE_MAX = 2048 };

enum target_kind {
	TARGET_UNKNOWN,
	TARGET_CATALOGUE, /* /cat, or of one device /cat/DEVICE */
	TARGET_LINKS,     /* /.well-known/core */
	TARGET_EVENTS,    /* /events */
	TARGET_READINGS   /* /readings/... */
};

struct target {
	enum target_kind kind;
	char device[TG_DEVICE_MAX + 1]; /* TARGET_CATALOGUE: "" is all; TARGET_READINGS: the first segment */
	size_t device_size;
	/* TARGET_READINGS: what is behind the device, and all of it, as in tg_submission.path. */
	char path[TG_PATH_MAX];
	size_t path_size;
	size_t rest;       /* where in `path` what is behind the first segment begins; path_size: nothing */
	const char *query; /* behind '?'; "": none. Borrowed */
};

/* Returns 0 or a status of HTTP: 400, 404, 414. */
int target_read(const char *uri, struct target *ret_target);

/* The next parameter of the query; `*at` is target.query at first. Returns 1, 0 behind the last one, or -1 where it is broken or too long. */
int target_parameter(const char **at, char ret_name[TARGET_VALUE_MAX], char ret_value[TARGET_VALUE_MAX]);

#endif
