/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_FILES_H
#define CORE_FILES_H

/*
 * Watches files that others write (certificates, keys, trust anchors, revocation lists) and tells when one has new contents.
 * What counts is what stat says behind all symbolic links, so it does not matter whether a file is written in place, renamed over
 * the old one, or changed by turning a link around somewhere in its path. The kernel's events are only a reason to look; a look
 * now and then finds what it does not tell.
 *
 * Told is a change only when nothing of the group has changed for a while, so that a certificate and its key that are written one
 * after the other come as one change, and no more often than every few seconds. A file that is missing is no change: it will be one
 * when it is back.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct loop;
struct files;

/* Units: microseconds. */
struct files_times {
	int64_t settle_us; /* without a change until it is told */
	int64_t apart_us;  /* between two tellings of one group */
	int64_t look_us;   /* without an event */
};

struct files_events {
	/* One file of the group has new contents. */
	void (*changed)(void *arg, const char *group, const char *path);
	/* Every changed file of the group has been told. */
	void (*settled)(void *arg, const char *group);
	/* It was there and is not any more. */
	void (*missing)(void *arg, const char *group, const char *path);
};

int files_new(struct loop *loop, const struct files_times *times, const struct files_events *events, void *arg,
	      struct files **ret_files) WARN_UNUSED;
void files_free(struct files *files);

/* The group holds these files from now on; how they are at this moment is no change. The strings are copied. Errors: -ENOMEM. */
int files_set(struct files *files, const char *group, const char *const *paths, size_t count) WARN_UNUSED;
/* Forgets every group that `stays` does not want. */
void files_prune(struct files *files, bool (*stays)(void *arg, const char *group), void *arg);

#endif
