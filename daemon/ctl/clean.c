/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"

/* C0, DEL, and C1, which is two bytes in UTF-8. */
static bool is_control(const char *p, bool lines)
{
	return ((unsigned char)*p < 0x20 && !(lines && (*p == '\n' || *p == '\t'))) || *p == 0x7f ||
	       (*p == '\xc2' && (unsigned char)p[1] < 0xa0);
}

static void clean_text(json_t *text, bool lines)
{
	char *copy = strdup(json_string_value(text)), *to = copy;

	if (!copy)
		abort();
	for (const char *from = copy; *from; from++) {
		bool control = is_control(from, lines);

		from += control && *from == '\xc2';
		*to++ = control ? '?' : *from;
	}
	*to = 0;
	json_string_set(text, copy);
	free(copy);
}

static bool has_lines(const char *key)
{
	static const char *const keys[] = {"text", "certificate", "private_key", "authority"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static void clean(json_t *value, bool lines)
{
	json_t *member;
	const char *key;
	size_t i;

	if (json_is_string(value))
		clean_text(value, lines);
	json_array_foreach(value, i, member) clean(member, false);
	json_object_foreach(value, key, member) clean(member, has_lines(key));
}

void ctl_clean(json_t *answer)
{
	clean(answer, false);
}
