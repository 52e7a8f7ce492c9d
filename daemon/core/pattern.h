/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_PATTERN_H
#define CORE_PATTERN_H

/*
 * The syntax that routes share for what they match and for the address they make: text with names in braces. In a pattern
 * "{name}" takes one whole segment, or the part of it between literal text; "{path}" at the end takes the rest, one segment at
 * least. {site}, {gateway}, {device}, {endpoint} and {format} are given: a pattern wants the segment to name their value, an
 * address puts the value in. Compiled once with the configuration; matching and building take no memory.
 *
 * Where the source does not authenticate devices, {device} in a pattern is a capture like others: it says which device a
 * command is for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <tidegate/message.h>

#include "base/cleanup.h"
#include "core/pattern_escape.h"

enum pattern_given {
	PATTERN_SITE,
	PATTERN_GATEWAY,
	PATTERN_DEVICE,
	PATTERN_ENDPOINT, /* the source's name */
	PATTERN_FORMAT,   /* the content format's number, or "none" */
	PATTERN_GIVEN_COUNT
};

enum { PATTERN_CAPTURES_MAX = 16, PATTERN_PARTS_MAX = 128, PATTERN_NAME_MAX = 32, PATTERN_PROBLEM_SIZE = 256 };

struct pattern;

/* All borrowed. A captured piece is a view of the path. */
struct pattern_values {
	struct tg_bytes given[PATTERN_GIVEN_COUNT];
	struct tg_bytes captures[PATTERN_CAPTURES_MAX];
};

/* What a path has to look like. A leading '/' counts for nothing. `device_is_capture`: see above.
 * Ownership: pattern_free. Errors: -EINVAL, `ret_problem` says why; -ENOMEM. */
int pattern_new_match(const char *text, bool device_is_capture, struct pattern **ret_pattern,
		      char ret_problem[PATTERN_PROBLEM_SIZE]) WARN_UNUSED;

/* An address made from the captures of `match`, escaped with the sink's `reserved` characters (may be NULL). */
int pattern_new_address(const char *text, const struct pattern *match, const char *reserved,
			struct pattern **ret_pattern, char ret_problem[PATTERN_PROBLEM_SIZE]) WARN_UNUSED;

void pattern_free(struct pattern *pattern);
CLEANUP_DEFINE(struct pattern *, pattern_free)

/* Whether the path matches. `values->given` is read, `values->captures` is written. */
bool pattern_match(const struct pattern *pattern, struct tg_bytes path, struct pattern_values *values);

/* The place in `captures` of {device}, or -1 where it is given or not used. */
int pattern_device_capture(const struct pattern *pattern);

/* Whether the given value is used at all. */
bool pattern_uses(const struct pattern *pattern, enum pattern_given given);

/* Builds the address. Returns its length. Errors: -ENOBUFS: longer than `room`. */
ptrdiff_t pattern_build(const struct pattern *address, const struct pattern_values *values, char *out,
			size_t room) WARN_UNUSED;

/* Builds what is no address, but the name of a device: what is given stands as it is, of captured pieces every escape is undone
 * (pattern_unescape). Returns its length. Errors: -ENOBUFS: longer than `room`. */
ptrdiff_t pattern_build_name(const struct pattern *name, const struct pattern_values *values, char *out,
			     size_t room) WARN_UNUSED;

/* What paths match at all, for those who subscribe: "*" for a segment in which something is open, "**" for the rest. What is given and
 * not empty is put in. Terminated. Returns its length. Errors: -ENOBUFS: longer than `room`. */
ptrdiff_t pattern_outline(const struct pattern *pattern, const struct pattern_values *values, char *out,
			  size_t room) WARN_UNUSED;

/* Whether every path that matches `other` surely matches `pattern` too. */
bool pattern_covers(const struct pattern *pattern, const struct pattern *other);

/* A reserved character that stands in the literal text of an address, or '\0'. A '$' at the very beginning is let pass. */
char pattern_reserved_literal(const struct pattern *address);

#endif
