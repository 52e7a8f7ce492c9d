/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_AUDIT_LINE_H
#define WIRE_AUDIT_LINE_H

/*
 * The lines of an audit: each says in a sentence how one thing is, with its evidence and what to do about it. A line belongs to a
 * provision of ETSI EN 303 645 ("5.5"). What the core can see goes into its lines; tidegatectl adds those that only it can see.
 */

#include <jansson.h>

enum audit_state {
	AUDIT_OK,
	AUDIT_WARN,    /* it works, and could be safer */
	AUDIT_FAIL,    /* to be mended */
	AUDIT_UNKNOWN, /* it could not be looked at */
	AUDIT_STATES
};

/* "ok", "warn", "fail", "unknown" */
const char *audit_state_name(enum audit_state state);

/* The worse of two; what is unknown is worse than good. */
enum audit_state audit_worse(enum audit_state a, enum audit_state b);

/* Adds a line. `id` is for programs and never changes; `advice` is left out where all is well. Returns the line's evidence, lent,
 * to be filled with audit_note. */
json_t *audit_line(json_t *lines, const char *id, const char *provision, enum audit_state state, const char *advice,
		   const char *format, ...) __attribute__((format(printf, 6, 7)));
void audit_note(json_t *evidence, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
