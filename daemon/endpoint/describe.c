/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint/describe.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct bit {
	uint32_t bit;
	const char *name;
};

static const struct bit roles[] = {{TG_SOURCE, "source"}, {TG_SINK, "sink"}, {0, NULL}};
static const struct bit needs[] = {{TG_NEED_LISTEN, "listen"},
				   {TG_NEED_CONNECT, "connect"},
				   {TG_NEED_RESOLVE, "resolve"},
				   {TG_NEED_THREADS, "threads"},
				   {0, NULL}};
static const struct bit flags[] = {{TG_DEVICES, "devices"}, {TG_WORKERS, "workers"},       {TG_MAILBOX, "mailbox"},
				   {TG_REACHES, "reaches"}, {TG_PUBLISHERS, "publishers"}, {0, NULL}};
/* NULL stands for itself: no fallback is something else than an empty one. */
static json_t *text(const char *value)
{
	return value ? json_string(value) : json_null();
}

static json_t *bits(uint32_t value, const struct bit *names)
{
	json_t *array = json_array();

	for (; names->name; names++) {
		if (value & names->bit)
			json_array_append_new(array, json_string(names->name));
	}
	return array;
}

static json_t *setting(const struct tg_setting *row)
{
	return json_pack("{s:s, s:i, s:{s:b, s:b, s:b}, s:s, s:o, s:I, s:I, s:o, s:s}", "name", row->name, "type",
			 (int)row->type, "flags", "live", (row->flags & TG_LIVE) != 0, "required",
			 (row->flags & TG_REQUIRED) != 0, "absent", (row->flags & TG_ABSENT) != 0, "unit",
			 row->unit ? row->unit : "", "fallback", text(row->fallback), "lowest", (json_int_t)row->lowest,
			 "highest", (json_int_t)row->highest, "choices", text(row->choices), "help",
			 row->help ? row->help : "");
}

int describe_adapter(const struct tg_adapter *a)
{
	json_t *settings = json_array(), *counters = json_array(), *root;
	int r = 0;

	for (const struct tg_setting *row = a->settings; row && row->name; row++)
		r |= json_array_append_new(settings, setting(row));
	for (const char *const *name = a->counters; name && *name; name++)
		r |= json_array_append_new(counters, json_string(*name));
	root = json_pack("{s:s, s:s, s:s, s:i, s:i, s:o, s:o, s:o, s:s, s:o, s:o}", "name", a->name, "version",
			 a->version ? a->version : "", "summary", a->summary ? a->summary : "", "major", (int)a->major,
			 "minor", (int)a->minor, "roles", bits(a->roles, roles), "needs", bits(a->needs, needs),
			 "flags", bits(a->flags, flags), "reserved", a->reserved ? a->reserved : "", "counters",
			 counters, "settings", settings);
	if (!root || r) {
		json_decref(root);
		return -ENOMEM;
	}
	r = json_dumpf(root, stdout, JSON_COMPACT);
	json_decref(root);
	return r < 0 || putchar('\n') < 0 || fflush(stdout) < 0 ? -EIO : 0;
}
