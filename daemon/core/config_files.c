/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/config_internal.h"
#include "core/suggest.h"

static int add_source(struct config *config, const char *label, const struct config_source **ret_source)
{
	struct config_source **sources;
	struct config_source *source;

	sources = reallocarray(config->sources, config->sources_count + 1, sizeof(struct config_source *));
	if (!sources)
		return -ENOMEM;
	config->sources = sources;
	source = calloc(1, sizeof(*source));
	if (!source)
		return -ENOMEM;
	source->label = strdup(label);
	if (!source->label) {
		free(source);
		return -ENOMEM;
	}
	source->order = (unsigned)config->sources_count + 1;
	sources[config->sources_count++] = source;
	*ret_source = source;
	return 0;
}

static int read_file(struct config_load *load, const char *path, const char *label)
{
	const struct config_source *source;
	struct config_node **roots;
	struct config_node *root;
	int r;

	r = add_source(load->config, label, &source);
	if (r < 0)
		return r;
	r = config_file_read(path, source, load->problems, &root);
	if (r == -EINVAL)
		load->incomplete = true;
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	roots = reallocarray(load->roots, load->roots_count + 1, sizeof(struct config_node *));
	if (!roots) {
		config_node_free(root);
		return -ENOMEM;
	}
	load->roots = roots;
	roots[load->roots_count++] = root;
	return 0;
}

static int read_from_folder(struct config_load *load, const char *name)
{
	CLEANUP_FREE char *path = NULL, *label = NULL;
	int r;

	if (asprintf(&label, "conf.d/%s", name) < 0) {
		label = NULL;
		return -ENOMEM;
	}
	r = config_trial_path(load->config, label, &path);
	return r < 0 ? r : read_file(load, path, label);
}

static int read_folder(struct config_load *load)
{
	int count, r = 0;
	char **names;

	count = config_trial_list(load->config, &names);
	if (count == -ENOMEM)
		return -ENOMEM;
	if (count < 0) {
		config_problem_error(load->problems, NULL, 0, "conf.d: cannot be read (%s)", strerror(-count));
		load->incomplete = true;
		return 0;
	}
	if (count > CONFIG_FILES_MAX)
		config_problem_error(load->problems, NULL, 0, "conf.d: has %d files, at most %d are read", count,
				     CONFIG_FILES_MAX);
	for (int i = 0; i < count; i++) {
		if (r >= 0 && i < CONFIG_FILES_MAX)
			r = read_from_folder(load, names[i]);
		free(names[i]);
	}
	free(names);
	return r;
}

void config_unknown(const struct config_load *load, const struct config_node *node, const char *where,
		    const struct tg_setting *const *tables, size_t tables_count, const char *group)
{
	struct suggest suggest;

	suggest_begin(&suggest, node->name);
	for (size_t i = 0; i < tables_count; i++)
		for (const struct tg_setting *row = tables[i]; row->name; row++)
			suggest_offer(&suggest, row->name);
	if (group)
		suggest_offer(&suggest, group);
	if (suggest_best(&suggest))
		config_problem_error(load->problems, node->source, node->line,
				     "%s: unknown setting \"%s\"; did you mean \"%s\"?", where, node->name,
				     suggest_best(&suggest));
	else
		config_problem_error(load->problems, node->source, node->line, "%s: unknown setting \"%s\"", where,
				     node->name);
}

int config_section_read(const struct config_load *load, struct config_section *section,
			const struct config_entry *entry)
{
	const struct config_node *group = entry->node;

	for (size_t i = 0; i < group->count; i++) {
		int r = config_section_take(section, &group->children[i], load->config->folder, entry->where,
					    load->problems);

		if (r == -ENOENT)
			config_unknown(load, &group->children[i], entry->where, &section->rows, 1, NULL);
		else if (r == -ENOMEM)
			return r;
	}
	config_section_check(section, entry->where, group->source, group->line, load->problems);
	return 0;
}

static int take_group(struct config_load *load, enum schema_place place, const struct config_node *group)
{
	const struct schema_section *section = schema_section(place);
	int r;

	if (group->type != CONFIG_NODE_GROUP) {
		config_problem_error(load->problems, group->source, group->line,
				     "\"%s\" wants a group, such as %s: { … };", section->name, section->name);
		return 0;
	}
	for (size_t i = 0; i < group->count; i++) {
		r = config_section_take(&load->config->groups[place], &group->children[i], load->config->folder,
					section->one, load->problems);
		if (r == -ENOENT)
			config_unknown(load, &group->children[i], section->one, &section->rows, 1, NULL);
		else if (r == -ENOMEM)
			return r;
	}
	return 0;
}

static const char *find_text(const struct config_node *group, const char *name)
{
	for (size_t i = 0; i < group->count; i++)
		if (strcmp(group->children[i].name, name) == 0 && group->children[i].type == CONFIG_NODE_TEXT)
			return group->children[i].text;
	return NULL;
}

static int take_list(struct config_load *load, enum schema_place place, const struct config_node *list)
{
	const struct schema_section *section = schema_section(place);
	size_t *count = &load->entries_count[place];
	struct config_entry *entries;
	const char *name;

	if (list->type != CONFIG_NODE_LIST) {
		config_problem_error(load->problems, list->source, list->line,
				     "\"%s\" wants a list of groups, such as %s: ( { … }, { … } );", section->name,
				     section->name);
		return 0;
	}
	entries = reallocarray(load->entries[place], *count + list->count + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	load->entries[place] = entries;
	for (size_t i = 0; i < list->count; i++) {
		const struct config_node *node = &list->children[i];

		if (node->type != CONFIG_NODE_GROUP) {
			config_problem_error(load->problems, node->source, node->line, "%s %zu wants a group, not %s",
					     section->one, i + 1, config_node_type_name(node));
			continue;
		}
		entries[*count].node = node;
		name = find_text(node, "name");
		if (name)
			snprintf(entries[*count].where, sizeof(entries[*count].where), "%s \"%.80s\"", section->one,
				 name);
		else
			snprintf(entries[*count].where, sizeof(entries[*count].where), "%s %zu", section->one, i + 1);
		(*count)++;
	}
	return 0;
}

static void unknown_at_top(struct config_load *load, const struct config_node *node)
{
	struct suggest suggest;

	suggest_begin(&suggest, node->name);
	for (int place = 0; place < SCHEMA_PLACES; place++)
		suggest_offer(&suggest, schema_section((enum schema_place)place)->name);
	if (suggest_best(&suggest))
		config_problem_error(load->problems, node->source, node->line,
				     "unknown section \"%s\"; did you mean \"%s\"?", node->name,
				     suggest_best(&suggest));
	else
		config_problem_error(load->problems, node->source, node->line, "unknown section \"%s\"", node->name);
}

static int take_top(struct config_load *load, const struct config_node *node)
{
	for (int i = 0; i < SCHEMA_PLACES; i++) {
		enum schema_place place = (enum schema_place)i;

		if (strcmp(schema_section(place)->name, node->name) == 0)
			return schema_section(place)->list ? take_list(load, place, node)
							   : take_group(load, place, node);
	}
	unknown_at_top(load, node);
	return 0;
}

int config_load_files(struct config_load *load)
{
	struct config *config = load->config;
	const char *slash = strrchr(config->file, '/'), *name = slash ? slash + 1 : config->file;
	CLEANUP_FREE char *path = NULL;
	int r;

	r = config_trial_path(config, name, &path);
	if (r >= 0)
		r = read_file(load, path, name);
	if (r >= 0)
		r = read_folder(load);
	for (int place = SCHEMA_GATEWAY; place <= SCHEMA_LOG && r >= 0; place++)
		r = config_section_init(&config->groups[place], schema_section((enum schema_place)place)->rows,
					config->folder);
	for (size_t i = 0; i < load->roots_count; i++)
		for (size_t j = 0; j < load->roots[i]->count && r >= 0; j++)
			r = take_top(load, &load->roots[i]->children[j]);
	for (int place = SCHEMA_GATEWAY; place <= SCHEMA_LOG && r >= 0 && !load->incomplete; place++)
		config_section_check(&config->groups[place], schema_section((enum schema_place)place)->one,
				     config->sources[0], 0, load->problems);
	return r;
}
