/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config_section.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/schema.h"

int config_section_init(struct config_section *section, const struct tg_setting *rows, const char *folder)
{
	size_t count = schema_count(rows);
	int r = 0;

	*section = (struct config_section){.rows = rows};
	section->values = calloc(count ? count : 1, sizeof(*section->values));
	if (!section->values)
		return -ENOMEM;
	for (; section->count < count && r >= 0; section->count++)
		r = config_value_default(&rows[section->count], folder, &section->values[section->count]);
	if (r < 0)
		config_section_done(section);
	return r;
}

void config_section_done(struct config_section *section)
{
	for (size_t i = 0; i < section->count; i++)
		config_value_done(&section->values[i]);
	free(section->values);
	*section = (struct config_section){0};
}

static struct config_value *find(const struct config_section *section, const char *name)
{
	for (size_t i = 0; i < section->count; i++)
		if (strcmp(section->rows[i].name, name) == 0)
			return &section->values[i];
	return NULL;
}

int config_section_take(struct config_section *section, const struct config_node *node, const char *folder,
			const char *where, struct config_problems *problems)
{
	struct config_value *value = find(section, node->name);
	struct config_value now;
	int r;

	if (!value)
		return -ENOENT;
	if (value->source) {
		config_problem_error(problems, node->source, node->line, "%s: \"%s\" is given twice, first at %s:%u",
				     where, node->name, value->source->label, value->line);
		return -EINVAL;
	}
	r = config_value_read(&section->rows[value - section->values], node, folder, where, problems, &now);
	/* What was given wrongly counts as given: one problem is enough. */
	value->source = node->source;
	value->line = node->line;
	if (r < 0)
		return r;
	config_value_done(value);
	*value = now;
	return 0;
}

void config_section_check(const struct config_section *section, const char *where, const struct config_source *source,
			  unsigned line, struct config_problems *problems)
{
	for (size_t i = 0; i < section->count; i++) {
		if (!(section->rows[i].flags & TG_REQUIRED) || section->values[i].source)
			continue;
		config_problem_error(problems, source, line, "%s: \"%s\" is missing (%s)", where, section->rows[i].name,
				     section->rows[i].help);
	}
}

const struct config_value *config_section_value(const struct config_section *section, const char *name)
{
	return find(section, name);
}

static const struct config_value *must_find(const struct config_section *section, const char *name)
{
	const struct config_value *value = find(section, name);

	assert(value);
	return value;
}

bool config_section_bool(const struct config_section *section, const char *name)
{
	return must_find(section, name)->boolean;
}

int64_t config_section_int(const struct config_section *section, const char *name)
{
	return must_find(section, name)->number;
}

const char *config_section_text(const struct config_section *section, const char *name)
{
	const char *text = must_find(section, name)->text;

	return text ? text : "";
}

const char *config_section_item(const struct config_section *section, const char *name, size_t index)
{
	const struct config_value *value = must_find(section, name);

	return index < value->count ? value->items[index] : NULL;
}

size_t config_section_count(const struct config_section *section, const char *name)
{
	return must_find(section, name)->count;
}
