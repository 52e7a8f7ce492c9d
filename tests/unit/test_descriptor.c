/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "config_fixture.h"
#include "suite.h"

enum { TIMEOUT_MS = 3000 }; /* within which the good ones answer on a busy machine, too */

#define HEAD    "\"name\":\"x\",\"major\":1,\"minor\":0"
#define ROLES   "\"roles\":[\"sink\"],\"needs\":[],\"flags\":[]"
#define SET(x)  "{" HEAD "," ROLES ",\"settings\":[" x "]}"
#define NUMBERS "\"lowest\":0,\"highest\":9"
#define FLAGS   "\"flags\":{\"live\":true,\"required\":false}"

START_TEST(reads_a_descriptor)
{
	struct descriptor *d;
	char problem[DESCRIPTOR_PROBLEM_SIZE];
	const struct tg_setting *row;

	ck_assert_int_eq(descriptor_parse("field", bytes_text(fixture_field), &d, problem), 0);
	ck_assert_str_eq(d->name, "field");
	ck_assert_str_eq(d->summary, "devices");
	ck_assert_uint_eq(d->roles, TG_SOURCE | TG_SINK);
	ck_assert_uint_eq(d->needs, TG_NEED_LISTEN);
	ck_assert_uint_eq(d->flags, TG_DEVICES | TG_WORKERS);
	ck_assert_str_eq(d->reserved, "?");
	ck_assert_uint_eq(d->counters_count, 1);
	ck_assert_str_eq(d->counters[0], "sessions");
	ck_assert_uint_eq(d->settings_count, 4);
	row = &d->settings[2];
	ck_assert_str_eq(row->name, "idle_s");
	ck_assert_uint_eq(row->type, TG_INT);
	ck_assert_uint_eq(row->flags, TG_LIVE);
	ck_assert_str_eq(row->unit, "s");
	ck_assert_str_eq(row->fallback, "60");
	ck_assert_int_eq(row->highest, 86400);
	ck_assert_uint_eq(d->settings[0].flags, TG_REQUIRED);
	ck_assert_ptr_null(d->settings[0].fallback);
	ck_assert_ptr_null(d->settings[4].name);
	descriptor_unref(descriptor_ref(d));
	descriptor_unref(d);
}
END_TEST

static const struct {
	const char *answer;
	const char *problem; /* its beginning */
} bad[] = {
	{"", "its answer is not JSON"},
	{"{", "its answer is not JSON"},
	{"[]", "its answer is not an object"},
	{"{}", "\"name\" is missing"},
	{"{\"name\":5}", "\"name\" is not a text of reasonable length"},
	{"{\"name\":\"y\"}", "calls itself by another name"},
	{"{\"name\":\"x\",\"name\":\"x\"}", "its answer is not JSON"},
	{"{\"name\":\"x\"}", "\"major\" is not a number in its range"},
	{"{\"name\":\"x\",\"major\":2,\"minor\":0}", "is made for another tidegate (interface 2, this one has 1)"},
	{"{\"name\":\"x\",\"major\":1,\"minor\":-1}", "\"minor\" is not a number in its range"},
	{"{" HEAD "}", "\"roles\" is not a list"},
	{"{" HEAD ",\"roles\":[\"thief\"]}", "\"roles\" has an unknown entry"},
	{"{" HEAD ",\"roles\":[1]}", "\"roles\" has an unknown entry"},
	{"{" HEAD ",\"roles\":[]}", "is neither source nor sink"},
	{"{" HEAD ",\"roles\":[\"sink\"],\"needs\":[\"root\"]}", "\"needs\" has an unknown entry"},
	{"{" HEAD "," ROLES ",\"counters\":[\"A\"]}", "\"counters\" has an entry that is no name"},
	{"{" HEAD "," ROLES ",\"counters\":5}", "\"counters\" is not a list of at most 128"},
	{"{" HEAD "," ROLES "}", "\"settings\" is not a list of at most 256"},
	{"{" HEAD "," ROLES ",\"reserved\":\"\xc3\xa4\",\"settings\":[]}",
	 "\"reserved\" has a character that is not ASCII"},
	{"{" HEAD "," ROLES ",\"summary\":\"a\\nb\",\"settings\":[]}", "\"summary\" has a control character in it"},
	{SET("5"), "a setting is not an object"},
	{SET("{}"), "\"name\" is missing"},
	{SET("{\"name\":\"a b\",\"type\":1," FLAGS "," NUMBERS "}"), "a setting has an impossible name"},
	{SET("{\"name\":\"a\",\"type\":9," FLAGS "," NUMBERS "}"), "\"type\" is not a number in its range"},
	{SET("{\"name\":\"a\",\"type\":1,\"flags\":[]," NUMBERS "}"), "\"flags\" of a setting is not an object"},
	{SET("{\"name\":\"a\",\"type\":2," FLAGS ",\"lowest\":3,\"highest\":1}"),
	 "its setting \"a\" has an empty range"},
	{SET("{\"name\":\"name\",\"type\":3," FLAGS "," NUMBERS "}"),
	 "its setting \"name\" has a name that belongs to the gateway"},
	{SET("{\"name\":\"outbox\",\"type\":3," FLAGS "," NUMBERS "}"),
	 "its setting \"outbox\" has a name that belongs to the gateway"},
	{SET("{\"name\":\"a\",\"type\":2," FLAGS "," NUMBERS "},{\"name\":\"a\",\"type\":2," FLAGS "," NUMBERS "}"),
	 "has the setting \"a\" twice"},
	{SET("{\"name\":\"a\",\"type\":2,\"fallback\":\"10\"," FLAGS "," NUMBERS "}"),
	 "its setting \"a\" has a default that it would not take"},
	{SET("{\"name\":\"a\",\"type\":2,\"fallback\":\"x; y = 3\"," FLAGS "," NUMBERS "}"),
	 "its setting \"a\" has a default that it would not take"},
	{SET("{\"name\":\"a\",\"type\":5,\"fallback\":\"x\",\"choices\":\"y z\"," FLAGS "," NUMBERS "}"),
	 "its setting \"a\" has a default that it would not take"},
};

START_TEST(believes_nothing_unchecked)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char problem[DESCRIPTOR_PROBLEM_SIZE] = "";
		struct descriptor *d;

		ck_assert_msg(descriptor_parse("x", bytes_text(bad[i].answer), &d, problem) == -EBADMSG, "%s",
			      bad[i].answer);
		ck_assert_msg(strncmp(problem, bad[i].problem, strlen(bad[i].problem)) == 0, "%s: %s", bad[i].answer,
			      problem);
	}
}
END_TEST

START_TEST(knows_names)
{
	ck_assert(descriptor_is_name("coap"));
	ck_assert(descriptor_is_name("a-b_3"));
	ck_assert(!descriptor_is_name(""));
	ck_assert(!descriptor_is_name("Coap"));
	ck_assert(!descriptor_is_name("../x"));
	ck_assert(!descriptor_is_name("-x"));
	ck_assert(!descriptor_is_name("abcdefghijklmnopqrstuvwxyz-0123456"));
}
END_TEST

/* A program that does what the adapter's name says; the descriptors are files of the adapter folder. */
static const char program[] = "#!/bin/sh\n"
			      "[ \"$1 $3\" = '--describe --adapters' ] || exit 9\n"
			      "case $2 in\n"
			      "silent) exit 0;;\n"
			      "failing) echo \"no such library\" >&2; echo more >&2; exit 1;;\n"
			      "mute) exit 3;;\n"
			      "killed) kill -9 $$;;\n"
			      "hanging) sleep 60;;\n"
			      "leaving) exec >&- 2>&-; sleep 60;;\n"
			      "haunting) cat \"$4/field.json\"; sleep 60 & exit 0;;\n"
			      "endless) exec yes;;\n"
			      "noisy) head -c 100000 /dev/zero >&2; cat \"$4/out.json\" | sed s/out/noisy/;;\n"
			      "*) cat \"$4/$2.json\";;\n"
			      "esac\n";

static void write_program(struct fixture *f, char *path, size_t size)
{
	fixture_write(f, "program", program);
	fixture_write(f, "field.json", fixture_field);
	fixture_write(f, "out.json", fixture_out);
	fixture_write(f, "broken.json", "{ \"name\": ");
	snprintf(path, size, "%s/program", f->folder);
	ck_assert_int_eq(chmod(path, 0700), 0);
}

static void expect_failure(const struct descriptor_request *request, const char *problem)
{
	ck_assert_ptr_null(request->descriptor);
	ck_assert_msg(strncmp(request->problem, problem, strlen(problem)) == 0, "%s: %s", request->name,
		      request->problem);
}

START_TEST(asks_many_programs_at_once)
{
	struct descriptor_request requests[] = {{.name = "field"},   {.name = "silent"},   {.name = "failing"},
						{.name = "mute"},    {.name = "killed"},   {.name = "hanging"},
						{.name = "leaving"}, {.name = "haunting"}, {.name = "endless"},
						{.name = "broken"},  {.name = "noisy"}};
	size_t count = sizeof(requests) / sizeof(requests[0]);
	struct fixture f;
	char path[128];
	int64_t begin_us;

	fixture_init(&f);
	write_program(&f, path, sizeof(path));
	begin_us = clock_now_us();
	descriptor_fetch(path, f.folder, requests, count, TIMEOUT_MS);
	ck_assert_int_lt(clock_now_us() - begin_us, 5 * TIMEOUT_MS * CLOCK_MS_US);
	ck_assert_ptr_nonnull(requests[0].descriptor);
	ck_assert_str_eq(requests[0].descriptor->name, "field");
	expect_failure(&requests[1], "its answer is not JSON");
	expect_failure(&requests[2], "cannot be described (no such library)");
	expect_failure(&requests[3], "cannot be described (no reason given)");
	expect_failure(&requests[4], "cannot be described (killed by signal 9)");
	expect_failure(&requests[5], "does not answer in time");
	expect_failure(&requests[6], "does not answer in time");
	expect_failure(&requests[7], "does not answer in time");
	expect_failure(&requests[8], "its answer is longer than 256 KiB");
	expect_failure(&requests[9], "its answer is not JSON");
	ck_assert_ptr_nonnull(requests[10].descriptor);
	for (size_t i = 0; i < count; i++)
		descriptor_unref(requests[i].descriptor);
	fixture_done(&f);
}
END_TEST

START_TEST(says_when_there_is_no_program)
{
	struct descriptor_request request = {.name = "field"};

	descriptor_fetch("/nonexistent/program", "/nonexistent", &request, 1, TIMEOUT_MS);
	expect_failure(&request, "cannot be described (\"/nonexistent/program\": No such file or directory)");
}
END_TEST

START_TEST(a_set_knows_what_is_installed)
{
	static const char *const names[] = {"field", "failing", "field", "unknown", "out"};
	struct descriptor_set *set;
	const struct descriptor *const *list;
	const char *problem;
	struct fixture f;
	char path[128];

	fixture_init(&f);
	write_program(&f, path, sizeof(path));
	fixture_write(&f, "field.so", "");
	fixture_write(&f, "failing.so", "");
	fixture_write(&f, "out.so", "");
	fixture_write(&f, "No Name.so", "");
	ck_assert_int_eq(descriptor_set_new(path, f.folder, &set), 0);
	ck_assert_int_eq(descriptor_set_load(set, names, 2), 0);
	ck_assert_ptr_nonnull(descriptor_set_find(set, "field", &problem));
	ck_assert_ptr_null(descriptor_set_find(set, "out", &problem));
	ck_assert_ptr_null(problem);
	ck_assert_int_eq(descriptor_set_load(set, names, 5), 0);
	ck_assert_ptr_null(descriptor_set_find(set, "failing", &problem));
	ck_assert_str_eq(problem, "cannot be described (no such library)");
	ck_assert_ptr_null(descriptor_set_find(set, "unknown", &problem));
	ck_assert_ptr_null(problem);
	ck_assert_str_eq(descriptor_set_nearest(set, "feild"), "field");
	ck_assert_int_eq(descriptor_set_load_all(set), 0);
	ck_assert_uint_eq(descriptor_set_list(set, &list), 2);
	ck_assert_str_eq(list[0]->name, "field");
	ck_assert_str_eq(list[1]->name, "out");
	/* Another file in the place of the first, one gone, one that is there at last. */
	fixture_write(&f, "field.json", "{ \"name\": ");
	fixture_write(&f, "field.so", "new");
	snprintf(path, sizeof(path), "%s/out.so", f.folder);
	ck_assert_int_eq(remove(path), 0);
	fixture_write(&f, "noisy.so", "");
	ck_assert_int_eq(descriptor_set_load_all(set), 0);
	ck_assert_uint_eq(descriptor_set_list(set, &list), 1);
	ck_assert_str_eq(list[0]->name, "noisy");
	ck_assert_ptr_null(descriptor_set_find(set, "field", &problem));
	ck_assert_ptr_nonnull(problem);
	descriptor_set_free(set);
	fixture_done(&f);
}
END_TEST

START_TEST(a_check_prints_what_it_found)
{
	struct fixture f;
	struct config_places places;
	char path[128], *text = NULL;
	size_t size = 0;
	FILE *out;

	fixture_init(&f);
	write_program(&f, path, sizeof(path));
	fixture_write(&f, "field.so", "");
	fixture_write(&f, "failing.so", "");
	places = (struct config_places){.adapter_dir = f.folder, .endpoint_program = path};
	out = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(out);
	fixture_write(
		&f, "tidegate.conf",
		"gateway: { name = \"g\"; }; endpoints: ( { name = \"f\"; adapter = \"field\"; listen = [ \"a\" ]; },"
		"{ name = \"i\"; adapter = \"field\"; listen = [ \"a\" ]; } ); routes: ( { name = \"r\"; from = \"f\"; "
		"to = \"i\";"
		"match = \"{path}\"; address = \"{path}\"; } );");
	ck_assert_int_eq(config_check(f.file, &places, out), 0);
	fixture_write(&f, "tidegate.conf",
		      "gateway: { name = \"g\"; }; endpoints: ( { name = \"f\"; adapter = \"failing\"; },"
		      "{ name = \"g\"; adapter = \"feld\"; });");
	ck_assert_int_eq(config_check(f.file, &places, out), -EINVAL);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(
		text,
		"tidegate.conf: good: 2 endpoints, 1 route\n"
		"tidegate.conf:1: endpoint \"f\": adapter \"failing\" cannot be used: cannot be described (no such "
		"library)\n"
		"tidegate.conf:1: endpoint \"g\": adapter \"feld\" is not installed; did you mean \"field\"?\n"
		"tidegate.conf: 2 errors\n");
	free(text);
	fixture_done(&f);
}
END_TEST

SUITE_MAIN("descriptor", reads_a_descriptor, believes_nothing_unchecked, knows_names, asks_many_programs_at_once,
	   says_when_there_is_no_program, a_set_knows_what_is_installed, a_check_prints_what_it_found)
