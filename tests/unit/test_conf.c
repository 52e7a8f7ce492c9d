/* SPDX-License-Identifier: Apache-2.0 */

/* The configuration files that are installed, read with the real adapters. */

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "config_fixture.h"
#include "suite.h"

static struct fixture begin(void)
{
	struct fixture f;

	fixture_init(&f);
	descriptor_set_free(f.adapters);
	ck_assert_int_eq(descriptor_set_new(ENDPOINT_PROGRAM, ADAPTER_FOLDER, &f.adapters), 0);
	return f;
}

static void expect_good(struct fixture *f)
{
	if (fixture_load(f) != 0)
		ck_abort_msg("%s: %s", f->file, fixture_problems(f));
}

START_TEST(the_default_does_nothing)
{
	struct fixture f = begin();

	snprintf(f.file, sizeof(f.file), "%s/tidegate.conf", CONF_FOLDER);
	expect_good(&f);
	ck_assert_uint_eq(f.config->endpoints_count, 0);
	ck_assert_uint_eq(f.config->routes_count, 0);
	fixture_done(&f);
}
END_TEST

/* Takes away the '#' of lines where it is not followed by a space. */
static void uncomment(char *text)
{
	char *out = text;

	for (char *at = text; *at; at++) {
		if (*at == '#' && (at == text || at[-1] == '\n') && at[1] != ' ' && at[1] != '\n')
			continue;
		*out++ = *at;
	}
	*out = '\0';
}

static void expect_good_without_signs(const char *path, size_t endpoints, size_t routes)
{
	struct fixture f = begin();
	char text[16384];
	FILE *file = fopen(path, "r");
	size_t size;

	ck_assert_ptr_nonnull(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	ck_assert_int_eq(fclose(file), 0);
	text[size] = '\0';
	uncomment(text);
	fixture_good(&f, text);
	ck_assert_uint_eq(f.config->endpoints_count, endpoints);
	ck_assert_uint_eq(f.config->routes_count, routes);
	fixture_done(&f);
}

START_TEST(what_is_commented_out_is_good)
{
	expect_good_without_signs(CONF_FOLDER "/tidegate.conf", 2, 2);
	expect_good_without_signs(CONF_FOLDER "/examples/energy.conf", 4, 6);
}
END_TEST

START_TEST(the_examples_are_good)
{
	static const char *const names[] = {"amqp",   "assets",          "cities",   "commands",        "dds",
					    "energy", "healthcare",      "hypercat", "hypercat-client", "readers",
					    "senml",  "several-brokers", "strict",   "transport",       "trial"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct fixture f = begin();

		snprintf(f.file, sizeof(f.file), "%s/examples/%s.conf", CONF_FOLDER, names[i]);
		expect_good(&f);
		ck_assert_uint_ge(f.config->endpoints_count, 2);
		fixture_done(&f);
	}
}
END_TEST

SUITE_MAIN("conf", the_default_does_nothing, what_is_commented_out_is_good, the_examples_are_good)
