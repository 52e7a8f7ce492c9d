/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RENEWAL_PAIR_H
#define CORE_RENEWAL_PAIR_H

/* A certificate and its key in files of ours: whether they are usable, how long, and for whom. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

enum { RENEWAL_PAIR_HASH = 32 };

struct renewal_pair {
	bool usable; /* both can be read, and belong together; the rest counts only then */
	int64_t begin_s;
	int64_t end_s;                     /* wall time */
	uint32_t seed;                     /* of the certificate */
	uint8_t names[RENEWAL_PAIR_HASH];  /* of subject and subjectAltName: the same in its successor */
	uint8_t digest[RENEWAL_PAIR_HASH]; /* of the certificate */
	bool has_replaced;
	uint8_t replaced[RENEWAL_PAIR_HASH]; /* digest of the configured certificate that it took the place of */
};

/* Reads them from their start; the descriptors stay the caller's, and may be the same. -1 or whatever cannot be read: not usable. */
void renewal_pair_read(int certificate_fd, int key_fd, struct renewal_pair *ret_pair);

/* The line that goes behind a pair to tell what it takes the place of. */
enum { RENEWAL_PAIR_LINE = 96 };
void renewal_pair_line(const struct renewal_pair *replaced, char ret_line[RENEWAL_PAIR_LINE]);

/* Opens a file that the configuration names, or a slot. Errors: -errno; -EINVAL: not a regular file; -ENOENT also for "". */
int renewal_pair_open(const char *path) WARN_UNUSED;

bool renewal_pair_same_names(const struct renewal_pair *a, const struct renewal_pair *b);

/* Which of the two to use, `old` from the configuration, `slot` from our own folder: 0, 1, or -1 where none is usable. One that is valid
 * goes before one that has expired, ours before the one that it was made to replace, another name in the configuration before ours, then the
 * one that begins later, then ours. */
int renewal_pair_choose(const struct renewal_pair *configured, const struct renewal_pair *slot, int64_t now_s);

#endif
