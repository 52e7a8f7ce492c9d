/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "config_fixture.h"
#include "core/schema.h"
#include "core/suggest.h"
#include "suite.h"
#include "wire/frame.h"

/* What every row must have, so that parser, manual and sample can rely on it. */
START_TEST(the_rows_are_whole)
{
	for (int place = 0; place < SCHEMA_PLACES; place++) {
		const struct tg_setting *rows = schema_section((enum schema_place)place)->rows;

		ck_assert_uint_gt(schema_count(rows), 0);
		for (const struct tg_setting *row = rows; row->name; row++) {
			struct config_value value;

			ck_assert_ptr_eq(schema_find(rows, row->name), row);
			ck_assert_msg(row->help && *row->help && row->help[strlen(row->help) - 1] != '.', "%s",
				      row->name);
			ck_assert_msg(row->unit != NULL, "%s", row->name);
			ck_assert_msg(row->lowest <= row->highest, "%s", row->name);
			ck_assert_msg((row->type == TG_CHOICE) == (row->choices != NULL), "%s", row->name);
			ck_assert_msg(row->type != TG_INT || row->fallback, "%s", row->name);
			ck_assert_msg(config_value_default(row, "/", &value) == 0, "%s", row->name);
			config_value_done(&value);
		}
	}
}
END_TEST

START_TEST(finds_choices)
{
	const struct tg_setting row = {.name = "x", .type = TG_CHOICE, .choices = "modern compatible"};

	ck_assert(schema_is_choice(&row, "modern"));
	ck_assert(schema_is_choice(&row, "compatible"));
	ck_assert(!schema_is_choice(&row, "mod"));
	ck_assert(!schema_is_choice(&row, ""));
	ck_assert(!schema_is_choice(&row, "modern compatible"));
}
END_TEST

START_TEST(suggests_what_may_be_meant)
{
	static const char *const names[] = {"listen", "certificate", "key", "trust", "idle_s"};
	static const struct {
		const char *word;
		const char *best;
	} rows[] = {{"lisen", "listen"}, {"litsen", "listen"}, {"cert", "certificate"},
		    {"kye", "key"},      {"broker", NULL},     {"idle", "idle_s"},
		    {"", NULL},          {"x", NULL},          {"truts", "trust"},
		    {"LISTEN", NULL}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct suggest suggest;
		const char *best;

		suggest_begin(&suggest, rows[i].word);
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			suggest_offer(&suggest, names[j]);
		best = suggest_best(&suggest);
		ck_assert_msg(rows[i].best ? best && strcmp(best, rows[i].best) == 0 : !best, "%s: %s", rows[i].word,
			      best ? best : "nothing");
	}
}
END_TEST

typedef void print_fn(FILE *out, const struct descriptor *const *adapters, size_t count);

static char *printed(print_fn *fn, struct fixture *f)
{
	const struct descriptor *const *list;
	size_t count = descriptor_set_list(f->adapters, &list), size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	fn(out, list, count);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static void expect_every_row(const char *text, const struct tg_setting *rows)
{
	for (; rows->name; rows++)
		ck_assert_msg(strstr(text, rows->name) != NULL, "%s", rows->name);
}

START_TEST(the_manual_has_every_row)
{
	struct fixture f;
	char *text;

	fixture_init(&f);
	text = printed(schema_print_man, &f);
	for (int place = 0; place < SCHEMA_PLACES; place++)
		expect_every_row(text, schema_section((enum schema_place)place)->rows);
	ck_assert_ptr_nonnull(strstr(text, ".Ss endpoints with adapter field\nDevices.\n"));
	ck_assert_ptr_nonnull(strstr(
		text, ".It Cm idle_s\nEnd idle sessions.\nType: number, 1 to 86400 s.\nDefault:\n.Ql \"60\" .\n"));
	free(text);
	fixture_done(&f);
}
END_TEST

/* Without its comment signs the sample is a configuration whose only faults are what has to be given. */
START_TEST(the_sample_is_a_configuration)
{
	struct fixture f;
	char *text, *out;

	fixture_init(&f);
	text = out = printed(schema_print_defaults, &f);
	for (char *at = text; *at; at++) {
		if (*at == '#' && (at == text || at[-1] == '\n') && at[1] != ' ')
			continue;
		*out++ = *at;
	}
	*out = '\0';
	fixture_write(&f, "tidegate.conf", text);
	ck_assert_int_eq(fixture_load(&f), -EINVAL);
	for (size_t i = 0; i < f.problems.count; i++)
		ck_assert_msg(strstr(f.problems.list[i].text, "is empty"), "%s", f.problems.list[i].text);
	ck_assert_uint_eq(f.problems.count, 12);
	ck_assert_ptr_nonnull(strstr(text, "memory_bytes = 8388608;"));
	ck_assert_ptr_nonnull(strstr(text, "alpn = [ \"mqtt\", \"x\" ];"));
	ck_assert_ptr_nonnull(strstr(text, "flavour = \"modern\";"));
	free(text);
	fixture_done(&f);
}
END_TEST

SUITE_MAIN("schema", the_rows_are_whole, finds_choices, suggests_what_may_be_meant, the_manual_has_every_row,
	   the_sample_is_a_configuration)
