/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/schema.h"
#include "core/suggest.h"
#include "wire/frame.h"

/* A key or certificate that systemd hands over (LoadCredential=) is written "credential:NAME". */
static const char credential_prefix[] = "credential:";
static const char credential_folder[] = "/run/credentials/tidegate.service";

enum { ITEMS_MAX = 4096 };

struct reader {
	const struct tg_setting *row;
	const char *folder;
	const char *where;
	const struct config_node *node;
	struct config_problems *problems; /* NULL: a default is read, nobody is told */
};

void config_value_done(struct config_value *value)
{
	for (size_t i = 0; i < value->count; i++)
		free(value->items[i]);
	free(value->items);
	free(value->text);
	*value = (struct config_value){0};
}

/* Adds a problem about the setting and returns -EINVAL. */
static int refuse(const struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(const struct reader *reader, const char *format, ...)
{
	CLEANUP_FREE char *text = NULL;
	va_list args;
	int written;

	if (!reader->problems)
		return -EINVAL;
	va_start(args, format);
	written = vasprintf(&text, format, args);
	va_end(args);
	if (written < 0)
		text = NULL;
	config_problem_error(reader->problems, reader->node->source, reader->node->line, "%s: \"%s\" %s", reader->where,
			     reader->row->name, text ? text : "is wrong");
	return -EINVAL;
}

static int check_text(const struct reader *reader, const char *text)
{
	for (const char *at = text; *at; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return refuse(reader, "has a control character in it");
	}
	if (strlen(text) > FRAME_VALUE_MAX)
		return refuse(reader, "is longer than %d characters", FRAME_VALUE_MAX);
	return 0;
}

static int check_range(const struct reader *reader, const char *what, int64_t number)
{
	char range[SCHEMA_RANGE_SIZE];

	if (!schema_is_limited(reader->row) || (number >= reader->row->lowest && number <= reader->row->highest))
		return 0;
	schema_range(reader->row, range);
	return refuse(reader, "%s %" PRId64 ", allowed is %s", what, number, range);
}

static int check_choice(const struct reader *reader, const char *text)
{
	CLEANUP_FREE char *choices = NULL;
	struct suggest suggest;
	char *rest, *word;

	if (schema_is_choice(reader->row, text))
		return 0;
	choices = strdup(reader->row->choices ? reader->row->choices : "");
	if (!choices)
		return -ENOMEM;
	suggest_begin(&suggest, text);
	rest = choices;
	while ((word = strsep(&rest, " ")))
		suggest_offer(&suggest, word);
	if (suggest_best(&suggest))
		return refuse(reader, "is \"%s\", allowed is one of: %s; did you mean \"%s\"?", text,
			      reader->row->choices, suggest_best(&suggest));
	return refuse(reader, "is \"%s\", allowed is one of: %s", text, reader->row->choices);
}

static int set_path(const struct reader *reader, const char *text, struct config_value *value)
{
	const char *folder = reader->folder ? reader->folder : ".";
	const char *given;
	size_t prefix = strlen(credential_prefix);

	if (strncmp(text, credential_prefix, prefix) == 0) {
		text += prefix;
		if (!*text || strchr(text, '/') || text[0] == '.')
			return refuse(reader, "wants the name of a credential behind \"%s\"", credential_prefix);
		given = secure_getenv("CREDENTIALS_DIRECTORY");
		folder = given && given[0] == '/' ? given : credential_folder;
	}
	if (!*text || *text == '/')
		value->text = strdup(text);
	else if (asprintf(&value->text, "%s/%s", folder, text) < 0)
		value->text = NULL;
	if (!value->text)
		return -ENOMEM;
	return strlen(value->text) > FRAME_VALUE_MAX ? refuse(reader, "is too long a path") : 0;
}

static int set_text(const struct reader *reader, const char *text, struct config_value *value)
{
	int r = check_text(reader, text);

	if (r < 0)
		return r;
	if (!*text && reader->row->flags & TG_REQUIRED)
		return refuse(reader, "is empty");
	if (reader->row->type == TG_FILE || reader->row->type == TG_KEY_FILE)
		return set_path(reader, text, value);
	if (reader->row->type == TG_CHOICE)
		r = check_choice(reader, text);
	else
		r = check_range(reader, "is a text of length", (int64_t)strlen(text));
	if (r < 0)
		return r;
	value->text = strdup(text);
	return value->text ? 0 : -ENOMEM;
}

static int set_items(const struct reader *reader, const struct config_node *node, struct config_value *value)
{
	int r;

	if (node->count > ITEMS_MAX)
		return refuse(reader, "has more than %d entries", ITEMS_MAX);
	if (node->count == 0 && reader->row->flags & TG_REQUIRED)
		return refuse(reader, "is empty");
	r = check_range(reader, "has a number of entries of", (int64_t)node->count);
	if (r < 0)
		return r;
	value->items = calloc(node->count ? node->count : 1, sizeof(*value->items));
	if (!value->items)
		return -ENOMEM;
	for (size_t i = 0; i < node->count; i++) {
		if (node->children[i].type != CONFIG_NODE_TEXT)
			return refuse(reader, "wants %s, its entry %zu is %s", schema_type_name(reader->row->type),
				      i + 1, config_node_type_name(&node->children[i]));
		r = check_text(reader, node->children[i].text);
		if (r < 0)
			return r;
		value->items[i] = strdup(node->children[i].text);
		if (!value->items[i])
			return -ENOMEM;
		value->count++;
	}
	return 0;
}

static enum config_node_type wanted_type(const struct tg_setting *row)
{
	switch (row->type) {
	case TG_BOOL:
		return CONFIG_NODE_BOOL;
	case TG_INT:
		return CONFIG_NODE_INT;
	case TG_LIST:
		return CONFIG_NODE_LIST;
	default:
		return CONFIG_NODE_TEXT;
	}
}

static int read_value(const struct reader *reader, const struct config_node *node, struct config_value *ret_value)
{
	struct config_value value = {.source = node->source, .line = node->line};
	int r = 0;

	if (node->type != wanted_type(reader->row))
		return refuse(reader, "wants %s, not %s", schema_type_name(reader->row->type),
			      config_node_type_name(node));
	if (node->type == CONFIG_NODE_BOOL)
		value.boolean = node->boolean;
	else if (node->type == CONFIG_NODE_LIST)
		r = set_items(reader, node, &value);
	else if (node->type == CONFIG_NODE_TEXT)
		r = set_text(reader, node->text, &value);
	else {
		value.number = node->number;
		r = check_range(reader, "is", node->number);
	}
	if (r < 0) {
		config_value_done(&value);
		return r;
	}
	*ret_value = value;
	return 0;
}

int config_value_read(const struct tg_setting *row, const struct config_node *node, const char *folder,
		      const char *where, struct config_problems *problems, struct config_value *ret_value)
{
	const struct reader reader = {row, folder, where, node, problems};

	return read_value(&reader, node, ret_value);
}

/* A default is "written as in the file"; for texts the quotes may be left away. */
static bool is_bare(const struct tg_setting *row)
{
	return wanted_type(row) == CONFIG_NODE_TEXT && row->fallback[0] != '"';
}

static int parse_default(const struct tg_setting *row, struct config_node **ret_root)
{
	static const struct config_source nowhere = {.label = NULL};
	CLEANUP_FREE char *text = NULL;
	struct config_problems problems;
	int r;

	if (asprintf(&text, "value = %s;", row->fallback) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	config_problems_init(&problems);
	r = config_file_parse(text, strlen(text), &nowhere, &problems, ret_root);
	if (r >= 0 && problems.errors) {
		config_node_free(*ret_root);
		r = -EINVAL;
	}
	config_problems_done(&problems);
	return r;
}

int config_value_default(const struct tg_setting *row, const char *folder, struct config_value *ret_value)
{
	CLEANUP_CONFIG_NODE struct config_node *root = NULL;
	struct config_node bare = {.type = CONFIG_NODE_TEXT};
	const struct reader reader = {.row = row, .folder = folder, .where = ""};
	int r;

	*ret_value = (struct config_value){0};
	if (!row->fallback || row->flags & TG_REQUIRED) {
		ret_value->text = strdup("");
		return ret_value->text ? 0 : -ENOMEM;
	}
	if (is_bare(row)) {
		/* An empty default stands for "none", and need not be within the range. */
		if (!*row->fallback)
			return (ret_value->text = strdup("")) ? 0 : -ENOMEM;
		bare.text = strdup(row->fallback);
		r = bare.text ? read_value(&reader, &bare, ret_value) : -ENOMEM;
		free(bare.text);
		return r;
	}
	r = parse_default(row, &root);
	if (r < 0)
		return r;
	if (root->count != 1)
		return -EINVAL;
	r = read_value(&reader, &root->children[0], ret_value);
	ret_value->source = NULL;
	return r;
}

bool config_value_same(const struct tg_setting *row, const struct config_value *a, const struct config_value *b)
{
	switch (wanted_type(row)) {
	case CONFIG_NODE_BOOL:
		return a->boolean == b->boolean;
	case CONFIG_NODE_INT:
		return a->number == b->number;
	case CONFIG_NODE_LIST:
		if (a->count != b->count)
			return false;
		for (size_t i = 0; i < a->count; i++)
			if (strcmp(a->items[i], b->items[i]) != 0)
				return false;
		return true;
	default:
		return strcmp(a->text, b->text) == 0;
	}
}

static void write_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

char *config_value_format(const struct tg_setting *row, const struct config_value *value)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (row->type == TG_BOOL)
		fputs(value->boolean ? "true" : "false", out);
	else if (row->type == TG_INT)
		fprintf(out, "%" PRId64, value->number);
	else if (row->type == TG_LIST) {
		fputs(value->count ? "[ " : "[", out);
		for (size_t i = 0; i < value->count; i++) {
			fputs(i ? ", " : "", out);
			write_quoted(out, value->items[i]);
		}
		fputs(value->count ? " ]" : "]", out);
	} else
		write_quoted(out, value->text);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
