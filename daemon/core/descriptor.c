/* SPDX-License-Identifier: Apache-2.0 */
#include "core/descriptor.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/config_value.h"
#include "core/schema.h"
#include "wire/frame.h"

enum { SETTINGS_MAX = 256, COUNTERS_MAX = 128 };

struct word {
	const char *name;
	uint32_t bit;
};

static const struct word role_words[] = {{"source", TG_SOURCE}, {"sink", TG_SINK}, {NULL}};
static const struct word need_words[] = {{"listen", TG_NEED_LISTEN},
					 {"connect", TG_NEED_CONNECT},
					 {"resolve", TG_NEED_RESOLVE},
					 {"threads", TG_NEED_THREADS},
					 {NULL}};
static const struct word flag_words[] = {{"devices", TG_DEVICES},       {"workers", TG_WORKERS},
					 {"mailbox", TG_MAILBOX},       {"reaches", TG_REACHES},
					 {"publishers", TG_PUBLISHERS}, {NULL}};

struct reader {
	char *problem;
};

static int fail(const struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(const struct reader *reader, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reader->problem, DESCRIPTOR_PROBLEM_SIZE, format, args);
	va_end(args);
	return -EBADMSG;
}

struct descriptor *descriptor_ref(struct descriptor *descriptor)
{
	descriptor->refs++;
	return descriptor;
}

static void free_text(const char *text)
{
	/* The rows are const to all but the one who made their strings. */
	free((void *)(uintptr_t)text);
}

void descriptor_unref(struct descriptor *descriptor)
{
	if (!descriptor || --descriptor->refs > 0)
		return;
	for (size_t i = 0; i < descriptor->settings_count; i++) {
		free_text(descriptor->settings[i].name);
		free_text(descriptor->settings[i].unit);
		free_text(descriptor->settings[i].fallback);
		free_text(descriptor->settings[i].choices);
		free_text(descriptor->settings[i].help);
	}
	for (size_t i = 0; i < descriptor->counters_count; i++)
		free(descriptor->counters[i]);
	free(descriptor->settings);
	free(descriptor->counters);
	free(descriptor->name);
	free(descriptor->version);
	free(descriptor->summary);
	free(descriptor->reserved);
	free(descriptor);
}

static bool is_word(const char *text, size_t longest)
{
	size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return size > 0 && size <= longest && text[size] == '\0' && text[0] >= 'a' && text[0] <= 'z';
}

bool descriptor_is_name(const char *name)
{
	return is_word(name, DESCRIPTOR_NAME_MAX);
}

/* Text without controls. A missing member or null reads as `missing`, which is an error where that is NULL as well. */
static int read_text(const struct reader *reader, const json_t *object, const char *name, const char *missing,
		     char **ret_text)
{
	json_t *value = json_object_get(object, name);
	const char *text = missing;

	if (value && !json_is_null(value)) {
		text = json_string_value(value);
		if (!text || json_string_length(value) > FRAME_TEXT_MAX)
			return fail(reader, "\"%s\" is not a text of reasonable length", name);
	}
	if (!text)
		return fail(reader, "\"%s\" is missing", name);
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return fail(reader, "\"%s\" has a control character in it", name);
	*ret_text = strdup(text);
	return *ret_text ? 0 : -ENOMEM;
}

static int read_number(const struct reader *reader, const json_t *object, const char *name, int64_t lowest,
		       int64_t highest, int64_t *ret_number)
{
	json_t *value = json_object_get(object, name);

	if (!json_is_integer(value) || json_integer_value(value) < lowest || json_integer_value(value) > highest)
		return fail(reader, "\"%s\" is not a number in its range", name);
	*ret_number = json_integer_value(value);
	return 0;
}

/* A list of words, each of them known. An adapter that needs something that nobody has heard of is not to be run. */
static int read_bits(const struct reader *reader, const json_t *object, const char *name, const struct word *words,
		     uint32_t *ret_bits)
{
	json_t *list = json_object_get(object, name);

	*ret_bits = 0;
	if (!json_is_array(list))
		return fail(reader, "\"%s\" is not a list", name);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		const struct word *word = words;

		while (word->name && text && strcmp(word->name, text) != 0)
			word++;
		if (!text || !word->name)
			return fail(reader, "\"%s\" has an unknown entry", name);
		*ret_bits |= word->bit;
	}
	return 0;
}

static int read_counters(const struct reader *reader, const json_t *object, struct descriptor *descriptor)
{
	json_t *list = json_object_get(object, "counters");
	size_t count = json_array_size(list);

	if (list && !json_is_null(list) && (!json_is_array(list) || count > COUNTERS_MAX))
		return fail(reader, "\"counters\" is not a list of at most %d", COUNTERS_MAX);
	descriptor->counters = calloc(count + 1, sizeof(*descriptor->counters));
	if (!descriptor->counters)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (!name || !is_word(name, FRAME_NAME_MAX))
			return fail(reader, "\"counters\" has an entry that is no name");
		descriptor->counters[i] = strdup(name);
		if (!descriptor->counters[i])
			return -ENOMEM;
		descriptor->counters_count++;
	}
	return 0;
}

static int read_flags(const struct reader *reader, const json_t *object, uint32_t *ret_flags)
{
	json_t *flags = json_object_get(object, "flags");

	if (!json_is_object(flags))
		return fail(reader, "\"flags\" of a setting is not an object");
	*ret_flags = (json_is_true(json_object_get(flags, "live")) ? TG_LIVE : 0u) |
		     (json_is_true(json_object_get(flags, "required")) ? TG_REQUIRED : 0u) |
		     (json_is_true(json_object_get(flags, "absent")) ? TG_ABSENT : 0u);
	return 0;
}

static int read_setting(const struct reader *reader, const json_t *object, struct tg_setting *row)
{
	char *name = NULL, *unit = NULL, *fallback = NULL, *choices = NULL, *help = NULL;
	int64_t type = 0;
	int r;

	if (!json_is_object(object))
		return fail(reader, "a setting is not an object");
	r = read_text(reader, object, "name", NULL, &name);
	if (r >= 0)
		r = read_text(reader, object, "unit", "", &unit);
	if (r >= 0 && json_is_string(json_object_get(object, "fallback")))
		r = read_text(reader, object, "fallback", "", &fallback);
	if (r >= 0)
		r = read_text(reader, object, "choices", "", &choices);
	if (r >= 0)
		r = read_text(reader, object, "help", "", &help);
	*row = (struct tg_setting){.name = name, .unit = unit, .fallback = fallback, .choices = choices, .help = help};
	if (r >= 0)
		r = read_number(reader, object, "type", TG_BOOL, TG_KEY_FILE, &type);
	if (r >= 0)
		r = read_number(reader, object, "lowest", INT64_MIN, INT64_MAX, &row->lowest);
	if (r >= 0)
		r = read_number(reader, object, "highest", INT64_MIN, INT64_MAX, &row->highest);
	if (r >= 0)
		r = read_flags(reader, object, &row->flags);
	row->type = (uint32_t)type;
	return r;
}

static int check_setting(const struct reader *reader, const struct descriptor *descriptor, const struct tg_setting *row)
{
	struct config_value value;
	const struct tg_setting *common = schema_section(SCHEMA_ENDPOINT)->rows;
	int r;

	if (!is_word(row->name, FRAME_NAME_MAX))
		return fail(reader, "a setting has an impossible name");
	if (schema_find(descriptor->settings, row->name) != row)
		return fail(reader, "has the setting \"%s\" twice", row->name);
	/* `workers` may be the adapter's own. */
	if ((schema_find(common, row->name) && strcmp(row->name, "workers") != 0) ||
	    strcmp(row->name, schema_section(SCHEMA_OUTBOX)->name) == 0)
		return fail(reader, "its setting \"%s\" has a name that belongs to the gateway", row->name);
	if (row->lowest > row->highest)
		return fail(reader, "its setting \"%s\" has an empty range", row->name);
	r = config_value_default(row, "/", &value);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return fail(reader, "its setting \"%s\" has a default that it would not take", row->name);
	config_value_done(&value);
	return 0;
}

static int read_settings(const struct reader *reader, const json_t *object, struct descriptor *descriptor)
{
	json_t *list = json_object_get(object, "settings");
	size_t count = json_array_size(list);
	int r = 0;

	if (!json_is_array(list) || count > SETTINGS_MAX)
		return fail(reader, "\"settings\" is not a list of at most %d", SETTINGS_MAX);
	descriptor->settings = calloc(count + 1, sizeof(*descriptor->settings));
	if (!descriptor->settings)
		return -ENOMEM;
	for (size_t i = 0; i < count && r >= 0; i++) {
		descriptor->settings_count++;
		r = read_setting(reader, json_array_get(list, i), &descriptor->settings[i]);
	}
	for (size_t i = 0; i < count && r >= 0; i++)
		r = check_setting(reader, descriptor, &descriptor->settings[i]);
	return r;
}

static int read_version(const struct reader *reader, const json_t *object, struct descriptor *descriptor)
{
	int64_t major = 0, minor = 0;
	int r = read_number(reader, object, "major", 0, UINT32_MAX, &major);

	if (r >= 0)
		r = read_number(reader, object, "minor", 0, UINT32_MAX, &minor);
	if (r < 0)
		return r;
	descriptor->major = (uint32_t)major;
	descriptor->minor = (uint32_t)minor;
	if (descriptor->major != TG_ADAPTER_MAJOR)
		return fail(reader, "is made for another tidegate (interface %u, this one has %u)", descriptor->major,
			    TG_ADAPTER_MAJOR);
	return 0;
}

static int read_all(const struct reader *reader, const char *name, const json_t *object, struct descriptor *descriptor)
{
	int r = read_text(reader, object, "name", NULL, &descriptor->name);

	if (r >= 0 && strcmp(descriptor->name, name) != 0)
		r = fail(reader, "calls itself by another name");
	if (r >= 0)
		r = read_text(reader, object, "version", "", &descriptor->version);
	if (r >= 0)
		r = read_text(reader, object, "summary", "", &descriptor->summary);
	if (r >= 0)
		r = read_text(reader, object, "reserved", "", &descriptor->reserved);
	if (r >= 0)
		r = read_version(reader, object, descriptor);
	if (r >= 0)
		r = read_bits(reader, object, "roles", role_words, &descriptor->roles);
	if (r >= 0 && descriptor->roles == 0)
		r = fail(reader, "is neither source nor sink");
	if (r >= 0)
		r = read_bits(reader, object, "needs", need_words, &descriptor->needs);
	if (r >= 0)
		r = read_bits(reader, object, "flags", flag_words, &descriptor->flags);
	if (r >= 0)
		r = read_counters(reader, object, descriptor);
	if (r >= 0)
		r = read_settings(reader, object, descriptor);
	for (const char *at = r >= 0 ? descriptor->reserved : ""; *at && r >= 0; at++)
		if ((unsigned char)*at >= 128)
			r = fail(reader, "\"reserved\" has a character that is not ASCII");
	return r;
}

int descriptor_parse(const char *name, struct tg_bytes answer, struct descriptor **ret_descriptor,
		     char ret_problem[DESCRIPTOR_PROBLEM_SIZE])
{
	const struct reader reader = {ret_problem};
	struct descriptor *descriptor;
	json_error_t error;
	json_t *object;
	int r;

	if (answer.size > DESCRIPTOR_ANSWER_MAX)
		return fail(&reader, "its answer is longer than %d KiB", DESCRIPTOR_ANSWER_MAX / 1024);
	object = json_loadb(answer.data ? answer.data : "", answer.size, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		return fail(&reader, "its answer is not JSON (%s)", error.text);
	descriptor = calloc(1, sizeof(*descriptor));
	if (descriptor) {
		descriptor->refs = 1;
		r = json_is_object(object) ? read_all(&reader, name, object, descriptor)
					   : fail(&reader, "its answer is not an object");
	} else
		r = -ENOMEM;
	json_decref(object);
	if (r < 0) {
		descriptor_unref(descriptor);
		return r;
	}
	*ret_descriptor = descriptor;
	return 0;
}
