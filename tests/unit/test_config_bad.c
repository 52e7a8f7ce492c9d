/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "config_fixture.h"
#include "core/config_text.h"
#include "suite.h"

#define GATEWAY   "gateway: { name = \"g\"; };\n"
#define FIELD     "{ name = \"field\"; adapter = \"field\"; listen = [ \"a\" ]; }"
#define CLOUD     "{ name = \"cloud\"; adapter = \"cloud\"; }"
#define ENDPOINTS "endpoints: ( " FIELD ",\n" CLOUD ",\n{ name = \"out\"; adapter = \"out\"; } );\n"
#define ROUTE(x)  GATEWAY ENDPOINTS "routes: ( { " x " } );\n"
#define WAY       "from = \"field\"; to = \"cloud\"; match = \"{path}\"; address = \"{path}\";"

static const struct fixture_bad bad[] = {
	{"", "tidegate.conf: gateway: \"name\" is missing (what this gateway is called: {gateway} in patterns and "
	     "addresses)\n"},
	{"gateway: { name = \"\"; };", "tidegate.conf:1: gateway: \"name\" is empty\n"},
	{"gateway: { name = 5; };", "tidegate.conf:1: gateway: \"name\" wants a text in quotes, not a whole number\n"},
	{"gateway: { name = \"g\"; };\n\nlimits: { stop_deadline_s = 0; };",
	 "tidegate.conf:3: limits: \"stop_deadline_s\" is 0, allowed is 1 to 300 s\n"},
	{GATEWAY "limits: { rate = 1.5; };",
	 "tidegate.conf:2: limits: \"rate\" wants a whole number, not a number with a fraction\n"},
	{GATEWAY "limits: { rate = 010; };", "tidegate.conf:2: the number 010 has a leading zero\n"},
	{GATEWAY "limits: { rate = 5000000000; };",
	 "tidegate.conf:2: limits: \"rate\" is 5000000000, allowed is 0 to 100000\n"},
	{GATEWAY "limits: { rate = 4294967296L; };",
	 "tidegate.conf:2: limits: \"rate\" is 4294967296, allowed is 0 to 100000\n"},
	{GATEWAY "limits: { rate = 99999999999999999999; };",
	 "tidegate.conf:2: the number 99999999999999999999 does not fit into 64 bits\n"},
	{GATEWAY "limits: { rate = 0xFFFFFFFF; };",
	 "tidegate.conf:2: limits: \"rate\" is 4294967295, allowed is 0 to 100000\n"},
	{GATEWAY "limits: { restart_min_ms = 2000; restart_max_ms = 1000; };",
	 "tidegate.conf:2: limits: \"restart_min_ms\" is larger than \"restart_max_ms\"\n"},
	{GATEWAY "log: { level = \"wrning\"; };", "tidegate.conf:2: log: \"level\" is \"wrning\", allowed is one of: "
						  "error warning notice info debug; did you mean "
						  "\"warning\"?\n"},
	{GATEWAY "log: { level = \"\"; };",
	 "tidegate.conf:2: log: \"level\" is \"\", allowed is one of: error warning notice info debug\n"},
	{GATEWAY "endpoint: ();", "tidegate.conf:2: unknown section \"endpoint\"; did you mean \"endpoints\"?\n"},
	{GATEWAY "xyzzy = 1;", "tidegate.conf:2: unknown section \"xyzzy\"\n"},
	{GATEWAY "limits = 1;", "tidegate.conf:2: \"limits\" wants a group, such as limits: { … };\n"},
	{GATEWAY "routes: { };",
	 "tidegate.conf:2: \"routes\" wants a list of groups, such as routes: ( { … }, { … } );\n"},
	{GATEWAY "routes: ( 1 );", "tidegate.conf:2: route 1 wants a group, not a whole number\n"},
	{GATEWAY "gateway: { };", "tidegate.conf:2: duplicate setting name\n"},
	{GATEWAY "limits: { rate = 1\n\n  burst = \"\" \n = };",
	 "tidegate.conf:5: syntax error (a ';' or ',' missing in the line before? a ',' before a closing bracket?)\n"},
	{GATEWAY "log: { level = \"x };\n", "tidegate.conf:2: a text begins here and has no end\n"},
	{GATEWAY "\n/* log: { };\n", "tidegate.conf:3: a comment begins here and has no end\n"},
	{GATEWAY "@include \"tidegate.conf\"\n",
	 "tidegate.conf:2: @include is not taken; files in conf.d beside the main file are read by themselves\n"},
	{"gateway: { name = \"g\";\nsite = \"a\\x00b\"; };", "tidegate.conf:2: a text has a \"\\x00\" in it\n"},
	{GATEWAY "log: { level = \"\\x01\"; };", "tidegate.conf:2: log: \"level\" has a control character in it\n"},
	{GATEWAY "a:((((((((((((((((((((((1))))))))))))))))))))));",
	 "tidegate.conf: groups and lists stand too deep in each other\n"},
	{GATEWAY "endpoints: ( { name = \"field\"; adapter = \"field\";\n lisen = [ \"a\" ]; } );",
	 "tidegate.conf:2: endpoint \"field\": \"listen\" is missing (addresses to listen at)\n"
	 "tidegate.conf:3: endpoint \"field\": unknown setting \"lisen\"; did you mean \"listen\"?\n"},
	{GATEWAY "endpoints: ( { name = \"field\"; adapter = \"feld\"; anything = 1; } );",
	 "tidegate.conf:2: endpoint \"field\": adapter \"feld\" is not installed; did you mean \"field\"?\n"},
	{GATEWAY "endpoints: ( { name = \"field\"; adapter = \"../../x\"; } );",
	 "tidegate.conf:2: endpoint \"field\": adapter \"../../x\" is not installed (nothing of that name in "
	 "/nonexistent)\n"},
	{GATEWAY "endpoints: ( { adapter = \"out\"; } );",
	 "tidegate.conf:2: endpoint 1: \"name\" is missing (what routes, the log and status call it: letters, digits, "
	 "'-', '_' "
	 "and '.')\n"},
	{GATEWAY "endpoints: ( { name = \"o\"; } );", "tidegate.conf:2: endpoint \"o\": \"adapter\" is missing (the "
						      "standard that it speaks: the name of an installed "
						      "adapter)\n"},
	{GATEWAY "endpoints: ( { name = \"a/b\"; adapter = \"out\"; } );",
	 "tidegate.conf:2: endpoint \"a/b\": \"name\" has something else than letters, digits, '-', '_' and '.' in "
	 "it\n"},
	{GATEWAY "endpoints: ( { name = \"o\"; adapter = \"out\"; },\n { name = \"o\"; adapter = \"out\"; } );",
	 "tidegate.conf:3: endpoint \"o\": there is an endpoint of this name already, at tidegate.conf:2\n"},
	{GATEWAY "endpoints: ( { name = \"o\"; adapter = \"out\"; workers = 2; } );",
	 "tidegate.conf:2: endpoint \"o\": adapter \"out\" cannot share its address between \"workers\"\n"},
	{GATEWAY "endpoints: ( { name = \"f\"; adapter = \"field\"; listen = \"a\"; } );",
	 "tidegate.conf:2: endpoint \"f\": \"listen\" wants a list of texts, such as [ \"a\", \"b\" ], not a text\n"},
	{GATEWAY "endpoints: ( { name = \"f\"; adapter = \"field\"; listen = [ 1 ]; } );",
	 "tidegate.conf:2: endpoint \"f\": \"listen\" wants a list of texts, such as [ \"a\", \"b\" ], its entry 1 is "
	 "a whole "
	 "number\n"},
	{GATEWAY "endpoints: ( { name = \"f\"; adapter = \"field\"; listen = []; } );",
	 "tidegate.conf:2: endpoint \"f\": \"listen\" is empty\n"},
	{GATEWAY "endpoints: ( { name = \"f\"; adapter = \"field\"; listen = [ \"1\", \"2\", \"3\", \"4\" ]; } );",
	 "tidegate.conf:2: endpoint \"f\": \"listen\" has a number of entries of 4, allowed is 1 to 3 entries\n"},
	{GATEWAY "endpoints: ( { name = \"c\"; adapter = \"cloud\"; client_id = \"123456789\"; } );",
	 "tidegate.conf:2: endpoint \"c\": \"client_id\" is a text of length 9, allowed is 0 to 8 characters\n"},
	{GATEWAY "endpoints: ( { name = \"c\"; adapter = \"cloud\"; outbox: { widow = 1; }; } );",
	 "tidegate.conf:2: endpoint \"c\": unknown setting \"widow\"; did you mean \"window\"?\n"},
	{GATEWAY
	 "endpoints: ( { name = \"f\"; adapter = \"field\"; listen = [ \"a\" ]; key = \"credential:../x\"; } );",
	 "tidegate.conf:2: endpoint \"f\": \"key\" wants the name of a credential behind \"credential:\"\n"},
	{ROUTE("name = \"r\"; from = \"feld\"; to = \"x\"; match = \"a\"; address = \"a\";"),
	 "tidegate.conf:5: route \"r\": \"from\" is \"feld\", but there is no such endpoint; did you mean \"field\"?\n"
	 "tidegate.conf:5: route \"r\": \"to\" is \"x\", but there is no such endpoint\n"},
	{ROUTE("name = \"r\"; from = \"out\"; to = \"cloud\"; match = \"a\"; address = \"a\";"),
	 "tidegate.conf:5: route \"r\": \"from\" is endpoint \"out\", but adapter \"out\" takes nothing in\n"},
	{ROUTE("name = \"r\"; from = \"field\"; to = \"cloud\"; match = \"{a\"; address = \"a\";"),
	 "tidegate.conf:5: route \"r\": \"match\" has a '{' without a name of letters, digits and '_' and a '}' behind "
	 "it\n"},
	{ROUTE("name = \"r\"; from = \"field\"; to = \"cloud\"; match = \"{a}\"; address = \"{b}\";"),
	 "tidegate.conf:5: route \"r\": \"address\" uses {b}, which \"match\" does not have\n"},
	{ROUTE("name = \"r\"; from = \"field\"; to = \"cloud\"; match = \"a\"; address = \"{site}\";"),
	 "tidegate.conf:5: route \"r\": \"address\" uses {site}, but the gateway has no \"site\"\n"},
	{ROUTE("name = \"r\"; formats = [ \"application/jso\", \"70000\" ]; " WAY),
	 "tidegate.conf:5: route \"r\": \"formats\" has \"application/jso\", which is neither a known media type nor a "
	 "number; "
	 "did you mean \"application/json\"?\n"
	 "tidegate.conf:5: route \"r\": \"formats\" has \"70000\", which is neither a known media type nor a number\n"},
	{ROUTE("name = \"r\"; formats = [ \"application/senml+json\", \"none\" ]; split = true; " WAY),
	 "tidegate.conf:5: route \"r\": \"formats\" has another one than application/senml+json and "
	 "application/senml+cbor, but the route reads SenML\n"},
	{ROUTE("name = \"r\"; format = \"senml-jsn\"; " WAY),
	 "tidegate.conf:5: route \"r\": \"format\" is \"senml-jsn\", allowed is one of: raw senml-json senml-cbor "
	 "json-envelope; did you mean \"senml-json\"?\n"},
	{ROUTE("name = \"r\"; qos = 3; ack = \"sure\"; retain = 1; expiry_s = -1; " WAY),
	 "tidegate.conf:5: route \"r\": \"qos\" is 3, allowed is 0 to 2\n"
	 "tidegate.conf:5: route \"r\": \"ack\" is \"sure\", allowed is one of: received safe delivered\n"
	 "tidegate.conf:5: route \"r\": \"retain\" wants true or false, not a whole number\n"
	 "tidegate.conf:5: route \"r\": \"expiry_s\" is -1, allowed is 0 to 4294967295 s\n"},
	{ROUTE("name = \"r\"; " WAY " }, { name = \"r\"; " WAY),
	 "tidegate.conf:5: route \"r\": there is a route of this name already, at tidegate.conf:5\n"},
	{ROUTE("name = \"r\";"),
	 "tidegate.conf:5: route \"r\": \"from\" is missing (the endpoint that the messages come from)\n"
	 "tidegate.conf:5: route \"r\": \"match\" is missing (the pattern of the paths that it takes)\n"
	 "tidegate.conf:5: route \"r\": \"to\" is missing (the endpoint that they go to)\n"
	 "tidegate.conf:5: route \"r\": \"address\" is missing (the address that they get there)\n"},
};

START_TEST(tells_every_problem)
{
	fixture_assert_bad(bad, sizeof(bad) / sizeof(bad[0]));
}
END_TEST

START_TEST(joins_the_files_of_the_folder)
{
	struct fixture f;

	fixture_init(&f);
	fixture_write(&f, "conf.d/20-b.conf", "routes: ( { name = \"second\"; " WAY " } ); limits: { burst = 3; };");
	fixture_write(&f, "conf.d/10-a.conf", "endpoints: ( " FIELD " ); routes: ( { name = \"first\"; " WAY " } );");
	fixture_write(&f, "conf.d/.hidden.conf", "nonsense");
	fixture_write(&f, "conf.d/30-c.conf~", "nonsense");
	fixture_write(&f, "conf.d/.conf", "nonsense");
	fixture_good(&f, GATEWAY "endpoints: ( " CLOUD " ); limits: { rate = 2; };");
	ck_assert_uint_eq(f.config->sources_count, 3);
	ck_assert_str_eq(f.config->endpoints[0].name, "cloud");
	ck_assert_str_eq(f.config->endpoints[1].name, "field");
	ck_assert_str_eq(f.config->routes[0].name, "first");
	ck_assert_str_eq(f.config->routes[1].name, "second");
	ck_assert_uint_eq(f.config->limits.rate, 2);
	ck_assert_uint_eq(f.config->limits.burst, 3);
	fixture_done(&f);
}
END_TEST

START_TEST(problems_stand_in_the_order_of_the_files)
{
	struct fixture f;
	char *problems;

	fixture_init(&f);
	fixture_write(&f, "tidegate.conf", "gateway: { name = \"g\"; };\nlimits: { rate = -1; };");
	fixture_write(&f, "conf.d/10-a.conf", "gateway: { name = \"h\"; };\nrouts = ();\n");
	fixture_write(&f, "conf.d/20-b.conf", "oh no");
	ck_assert_int_eq(fixture_load(&f), -EINVAL);
	problems = fixture_problems(&f);
	ck_assert_str_eq(
		problems,
		"tidegate.conf:2: limits: \"rate\" is -1, allowed is 0 to 100000\n"
		"conf.d/10-a.conf:1: gateway: \"name\" is given twice, first at tidegate.conf:1\n"
		"conf.d/10-a.conf:2: unknown section \"routs\"; did you mean \"routes\"?\n"
		"conf.d/20-b.conf:1: syntax error (a ';' or ',' missing in the line before? a ',' before a closing "
		"bracket?)\n");
	free(problems);
	fixture_done(&f);
}
END_TEST

static void expect_problem(struct fixture *f, const char *expected)
{
	char *problems;

	ck_assert_int_eq(fixture_load(f), -EINVAL);
	problems = fixture_problems(f);
	ck_assert_str_eq(problems, expected);
	free(problems);
}

START_TEST(refuses_what_is_no_text_file)
{
	struct fixture f;
	char *large = calloc(1, CONFIG_FILE_MAX + 1);

	ck_assert_ptr_nonnull(large);
	memset(large, ' ', CONFIG_FILE_MAX + 1);
	fixture_init(&f);
	expect_problem(&f, "tidegate.conf: cannot be read (No such file or directory)\n");
	fixture_write_bytes(&f, "tidegate.conf", large, CONFIG_FILE_MAX + 1);
	expect_problem(&f, "tidegate.conf: larger than 4 MiB\n");
	fixture_write_bytes(&f, "tidegate.conf", "a = 1;\n\0b", 9);
	expect_problem(&f, "tidegate.conf:2: has a NUL byte: not a text file\n");
	fixture_write(&f, "tidegate.conf", "# \xc3\xa4\n# \xff\n");
	expect_problem(&f, "tidegate.conf:2: is not UTF-8 text\n");
	ck_assert_int_eq(remove(f.file), 0);
	ck_assert_int_eq(mkdir(f.file, 0700), 0);
	expect_problem(&f, "tidegate.conf: is a folder\n");
	ck_assert_int_eq(remove(f.file), 0);
	ck_assert_int_eq(mkfifo(f.file, 0600), 0);
	expect_problem(&f, "tidegate.conf: is not a regular file\n");
	free(large);
	fixture_done(&f);
}
END_TEST

START_TEST(marks_large_numbers_and_nothing_else)
{
	static const char text[] =
		"a1 = 5000000000; # 5000000000\n// 010\n/* 010 *//b = \"5000000000 \\\" 010\"; c-9 = -2147483648;"
		" d = 2147483647; e = 2147483648L; f = 1.5e-10; g = 0x80000000; h = 5000000000LL; i = +1;";
	static const char expected[] =
		"a1 = 5000000000L; # 5000000000\n// 010\n/* 010 *//b = \"5000000000 \\\" 010\"; c-9 = -2147483648L;"
		" d = 2147483647; e = 2147483648L; f = 1.5e-10; g = 0x80000000L; h = 5000000000LL; i = +1;";
	struct config_source source = {(char *)(uintptr_t) "x", 1};
	struct config_problems problems;
	char *prepared;

	config_problems_init(&problems);
	ck_assert_int_eq(config_text_prepare(text, strlen(text), &source, &problems, &prepared), 0);
	ck_assert_str_eq(prepared, expected);
	ck_assert_uint_eq(problems.errors, 0);
	free(prepared);
	config_problems_done(&problems);
}
END_TEST

SUITE_MAIN("config_bad", tells_every_problem, joins_the_files_of_the_folder, problems_stand_in_the_order_of_the_files,
	   refuses_what_is_no_text_file, marks_large_numbers_and_nothing_else)
