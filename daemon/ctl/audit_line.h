/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_AUDIT_LINE_H
#define CTL_AUDIT_LINE_H

/* A line of the audit that tidegatectl adds; it has the form of the gateway's own (see tidegatectl(1)). */

#include <jansson.h>

enum audit_state { AUDIT_OK, AUDIT_WARN, AUDIT_FAIL, AUDIT_UNKNOWN, AUDIT_STATES };

/* "ok", "warn", "fail", "unknown" */
const char *audit_state_name(enum audit_state state);

/* The worse of two; what is unknown is worse than good. */
enum audit_state audit_worse(enum audit_state a, enum audit_state b);

/* `advice` is left out where all is well. Returns the line's evidence, lent, to be filled with audit_note. */
json_t *audit_line(json_t *lines, const char *id, const char *provision, enum audit_state state, const char *advice,
		   const char *format, ...) __attribute__((format(printf, 6, 7)));
void audit_note(json_t *evidence, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
