/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_PATTERN_ESCAPE_H
#define CORE_PATTERN_ESCAPE_H

/*
 * Percent-encoding of what devices put into addresses, so that no name or path can mean more in the sink's standard than a
 * name or a path. Encoded (RFC 3986 section 2.1, upper-case digits) are: '%', '/', controls (C0, DEL and C1), Unicode
 * non-characters, bytes that are not UTF-8 (RFC 3629), the characters that the sink reserves, and a piece that is "." or
 * "..". Everything else stands as it came. Different pieces never become the same.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/cleanup.h"

enum pattern_form {
	PATTERN_PLAIN,   /* a name as it is: '%' becomes %25 */
	PATTERN_SEGMENT, /* a segment of a path, where %25 and %2F stand for '%' and '/' already, and stay */
	PATTERN_REST     /* segments separated by '/', which stays */
};

/* For each ASCII character whether it is to be encoded. */
struct pattern_reserved {
	bool encode[128];
};

/* `reserved` may be NULL: none beyond those of the standard of tidegate itself. */
void pattern_reserved_init(struct pattern_reserved *table, const char *reserved);

/* Writes the encoded piece. Returns its length. Errors: -ENOBUFS: longer than `room`. */
ptrdiff_t pattern_escape(const struct pattern_reserved *table, enum pattern_form form, struct tg_bytes piece, char *out,
			 size_t room) WARN_UNUSED;

/* Undoes PATTERN_PLAIN for a segment of a path that somebody copied from an address: first the path's own %25 and %2F,
 * then every %XX. Returns the length. Errors: -ENOBUFS. */
ptrdiff_t pattern_unescape(struct tg_bytes segment, char *out, size_t room) WARN_UNUSED;

/* Whether the segment of a path names `value`, as it is or as pattern_escape writes it. */
bool pattern_segment_is(struct tg_bytes segment, struct tg_bytes value);

#endif
