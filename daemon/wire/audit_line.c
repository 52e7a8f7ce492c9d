/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/audit_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[AUDIT_STATES] = {"ok", "warn", "fail", "unknown"};

const char *audit_state_name(enum audit_state state)
{
	return names[state];
}

enum audit_state audit_worse(enum audit_state a, enum audit_state b)
{
	static const int order[] = {[AUDIT_OK] = 0, [AUDIT_UNKNOWN] = 1, [AUDIT_WARN] = 2, [AUDIT_FAIL] = 3};

	return order[a] >= order[b] ? a : b;
}

static json_t *format_text(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* A character that was cut at the end is left out. */
static json_t *format_text(const char *format, va_list args)
{
	char text[1024];
	json_t *string = NULL;

	vsnprintf(text, sizeof(text), format, args);
	for (size_t size = strlen(text), cut = 0; !string && cut <= 3 && cut <= size; cut++)
		string = json_stringn(text, size - cut);
	return string ? string : json_string("(not UTF-8)");
}

json_t *audit_line(json_t *lines, const char *id, const char *provision, enum audit_state state, const char *advice,
		   const char *format, ...)
{
	json_t *evidence = json_array();
	va_list args;

	va_start(args, format);
	json_array_append_new(lines, json_pack("{s:s,s:s,s:s,s:o,s:O,s:s}", "id", id, "provision", provision, "state",
					       names[state], "sentence", format_text(format, args), "evidence",
					       evidence, "advice", state == AUDIT_OK || !advice ? "" : advice));
	va_end(args);
	json_decref(evidence); /* the line has it */
	return evidence;
}

void audit_note(json_t *evidence, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	json_array_append_new(evidence, format_text(format, args));
	va_end(args);
}
