/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "core/descriptor.h"
#include "core/schema.h"

static const char *kind_word(uint32_t type)
{
	switch ((enum tg_setting_type)type) {
	case TG_BOOL:
		return "true or false";
	case TG_INT:
		return "number";
	case TG_TEXT:
		return "text";
	case TG_LIST:
		return "list of texts";
	case TG_CHOICE:
		return "one of";
	case TG_FILE:
		return "file";
	case TG_KEY_FILE:
		return "key file";
	}
	return "";
}

enum { LINE_MAX_WIDTH = 72, SENTENCE_SIZE = 2048 };

static void print_escaped_bytes(FILE *out, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\\')
			fputs("\\e", out);
		else if (text[i] == '"')
			fputs("\\(dq", out);
		else if (text[i] == '-')
			fputs("\\-", out);
		else
			fputc(text[i], out);
	}
}

/* Text for mdoc(7): what it takes for its own loses its meaning. */
static void print_escaped(FILE *out, const char *text)
{
	print_escaped_bytes(out, text, strlen(text));
}

/* The words of a text, on lines of which none is too long or taken for a command. */
static void print_wrapped(FILE *out, const char *text)
{
	size_t width = 0;

	while (*text) {
		size_t size = strcspn(text, " ");

		if (width > 0 && width + 1 + size > LINE_MAX_WIDTH) {
			fputc('\n', out);
			width = 0;
		}
		if (width > 0)
			fputc(' ', out);
		else if (*text == '.' || *text == '\'')
			fputs("\\&", out);
		print_escaped_bytes(out, text, size);
		width += (width > 0) + size;
		text += size;
		text += strspn(text, " ");
	}
}

/* A first letter made large: rows' help is lower case and without a full stop. */
static void print_sentence(FILE *out, const char *help)
{
	char text[SENTENCE_SIZE];

	if (!*help)
		return;
	snprintf(text, sizeof(text), "%s.", help);
	if (*text >= 'a' && *text <= 'z')
		*text = (char)(*text - 'a' + 'A');
	print_wrapped(out, text);
	fputc('\n', out);
}

static bool has_default(const struct tg_setting *row)
{
	return !(row->flags & TG_REQUIRED) && row->fallback && *row->fallback;
}

static void print_man_type(FILE *out, const struct tg_setting *row)
{
	char range[SCHEMA_RANGE_SIZE];

	schema_range(row, range);
	fputs("Type: ", out);
	print_escaped(out, kind_word(row->type));
	if (row->type == TG_CHOICE) {
		fputs(" ", out);
		print_escaped(out, row->choices);
	}
	if (*range) {
		fputs(", ", out);
		print_escaped(out, range);
	}
	fputs(".\n", out);
}

static void print_man_row(FILE *out, const struct tg_setting *row)
{
	fputs(".It Cm ", out);
	print_escaped(out, row->name);
	fputs("\n", out);
	print_sentence(out, row->help);
	print_man_type(out, row);
	if (row->flags & TG_REQUIRED)
		fputs("Required.\n", out);
	else if (has_default(row)) {
		fputs("Default:\n.Ql \"", out);
		print_escaped(out, row->fallback);
		fputs("\" .\n", out);
	}
	if (!(row->flags & TG_LIVE))
		fputs("A change waits for a restart.\n", out);
}

static void print_man_rows(FILE *out, const struct tg_setting *rows)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (; rows->name; rows++)
		print_man_row(out, rows);
	fputs(".El\n", out);
}

static void print_man_section(FILE *out, enum schema_place place)
{
	const struct schema_section *section = schema_section(place);

	fprintf(out, ".Ss %s\n", section->name);
	print_sentence(out, section->help);
	print_man_rows(out, section->rows);
}

void schema_print_man(FILE *out, const struct descriptor *const *adapters, size_t count)
{
	for (int place = 0; place <= SCHEMA_ENDPOINT; place++)
		print_man_section(out, (enum schema_place)place);
	for (size_t i = 0; i < count; i++) {
		fputs(".Ss endpoints with adapter ", out);
		print_escaped(out, adapters[i]->name);
		fputs("\n", out);
		print_sentence(out, adapters[i]->summary);
		print_man_rows(out, adapters[i]->settings);
	}
	print_man_section(out, SCHEMA_ROUTE);
	print_man_section(out, SCHEMA_PROFILE);
}

static bool is_text(const struct tg_setting *row)
{
	return row->type != TG_BOOL && row->type != TG_INT && row->type != TG_LIST;
}

static void print_sample_value(FILE *out, const struct tg_setting *row)
{
	const char *fallback = row->flags & TG_REQUIRED || !row->fallback ? "" : row->fallback;

	if (row->type == TG_LIST)
		fputs(*fallback ? fallback : "[]", out);
	else if (row->type == TG_INT)
		fputs(*fallback ? fallback : "0", out);
	else if (row->type == TG_BOOL)
		fputs(*fallback ? fallback : "false", out);
	else if (is_text(row) && *fallback == '"')
		fputs(fallback, out);
	else
		fprintf(out, "\"%s\"", fallback);
}

static void print_sample_row(FILE *out, const struct tg_setting *row, const char *indent)
{
	char range[SCHEMA_RANGE_SIZE];

	schema_range(row, range);
	fprintf(out, "#%s# %s", indent, row->help);
	if (row->type == TG_CHOICE)
		fprintf(out, "; one of: %s", row->choices);
	if (*range)
		fprintf(out, "; %s", range);
	if (row->flags & TG_REQUIRED)
		fputs("; required", out);
	if (!(row->flags & TG_LIVE))
		fputs("; a change waits for a restart", out);
	fprintf(out, "\n#%s%s = ", indent, row->name);
	print_sample_value(out, row);
	fputs(";\n", out);
}

static void print_sample_rows(FILE *out, const struct tg_setting *rows, const char *indent)
{
	for (; rows->name; rows++)
		print_sample_row(out, rows, indent);
}

static void print_sample_group(FILE *out, enum schema_place place)
{
	const struct schema_section *section = schema_section(place);

	fprintf(out, "# %s\n#%s: {\n", section->help, section->name);
	print_sample_rows(out, section->rows, "\t");
	fputs("#};\n\n", out);
}

static void print_sample_adapter(FILE *out, const struct descriptor *adapter)
{
	for (const struct tg_setting *row = schema_section(SCHEMA_ENDPOINT)->rows; row->name; row++) {
		if (strcmp(row->name, "adapter") == 0)
			fprintf(out, "#\t\tadapter = \"%s\";\n", adapter->name);
		else if (strcmp(row->name, "workers") != 0 ||
			 (adapter->flags & TG_WORKERS && !schema_find(adapter->settings, row->name)))
			print_sample_row(out, row, "\t\t");
	}
	print_sample_rows(out, adapter->settings, "\t\t");
}

static void print_sample_list(FILE *out, enum schema_place place, const struct descriptor *const *adapters,
			      size_t count)
{
	const struct schema_section *section = schema_section(place);

	fprintf(out, "# %s\n#%s: (\n", section->help, section->name);
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "#\t# %s: %s\n#\t{\n", adapters[i]->name, adapters[i]->summary);
		print_sample_adapter(out, adapters[i]);
		fprintf(out, "#\t}%s\n", i + 1 < count ? "," : "");
	}
	if (count == 0) {
		fputs("#\t{\n", out);
		print_sample_rows(out, section->rows, "\t\t");
		fputs("#\t}\n", out);
	}
	fputs("#);\n\n", out);
}

void schema_print_defaults(FILE *out, const struct descriptor *const *adapters, size_t count)
{
	for (int place = 0; place <= SCHEMA_LOG; place++)
		print_sample_group(out, (enum schema_place)place);
	print_sample_list(out, SCHEMA_ENDPOINT, adapters, count);
	print_sample_list(out, SCHEMA_ROUTE, NULL, 0);
	print_sample_list(out, SCHEMA_PROFILE, NULL, 0);
}
