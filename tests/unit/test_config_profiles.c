/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "config_fixture.h"
#include "core/config_print.h"
#include "suite.h"

#define GATEWAY     "gateway: { name = \"g\"; };\n"
#define PROFILE(x)  GATEWAY "profiles: ( { " x " } );\n"
#define ENDPOINTS   "endpoints: ( { name = \"out\"; adapter = \"out\"; } );\n"
#define BUILT_IN(f) (&(f).config->profiles[(f).config->profiles_count - 1].profile)

static const char good[] =
	GATEWAY "limits: { rate = 10; burst = 5; payload_max_bytes = 1000; };\n"
		"profiles: (\n"
		"  { name = \"default\"; rate = 1; },\n"
		"  { name = \"pumps\"; devices = [ \"pump-*\", \"valve\" ]; paths = [ \"/t/{path}\", \"{device}\" ];\n"
		"    methods = [ \"PUT\" ]; formats = [ \"application/json\", \"none\" ]; payload_max_bytes = 200;\n"
		"    burst = 2; outbox_share = 25; commands = false; },\n"
		"  { name = \"greedy\"; rate = 100; burst = 100; payload_max_bytes = 5000; }\n"
		");\n";

START_TEST(there_is_always_a_default)
{
	struct fixture f;
	const struct profile *profile;

	fixture_init(&f);
	fixture_good(&f, GATEWAY "limits: { rate = 7; burst = 9; payload_max_bytes = 77; };");
	ck_assert_uint_eq(f.config->profiles_count, 1);
	ck_assert_uint_eq(config_profiles_given(f.config), 0);
	profile = &config_profile(f.config, "default")->profile;
	ck_assert_ptr_eq(profile, BUILT_IN(f));
	ck_assert_uint_eq(profile->rate, 7);
	ck_assert_uint_eq(profile->burst, 9);
	ck_assert_uint_eq(profile->payload_max_bytes, 77);
	ck_assert_uint_eq(profile->outbox_share, 100);
	ck_assert_uint_eq(profile->paths_count + profile->formats_count + profile->methods, 0);
	ck_assert(profile->commands);
	fixture_good(&f, GATEWAY "profiles: ( { name = \"a\"; devices = [ \"*\" ]; } );");
	ck_assert_uint_eq(f.config->profiles_count, 2);
	ck_assert_uint_eq(config_profiles_given(f.config), 1);
	ck_assert_str_eq(BUILT_IN(f)->name, "default");
	ck_assert_uint_eq(BUILT_IN(f)->rate, 0);
	ck_assert_ptr_eq(f.config->profiles[0].profile.next, BUILT_IN(f));
	ck_assert_ptr_null(BUILT_IN(f)->next);
	fixture_done(&f);
}
END_TEST

START_TEST(a_profile_narrows_the_limits)
{
	struct fixture f;
	const struct profile *pumps, *greedy, *fallback;

	fixture_init(&f);
	fixture_good(&f, good);
	ck_assert_uint_eq(f.config->profiles_count, 3);
	fallback = &config_profile(f.config, "default")->profile;
	pumps = &config_profile(f.config, "pumps")->profile;
	greedy = &config_profile(f.config, "greedy")->profile;
	ck_assert_ptr_null(config_profile(f.config, "pump"));
	ck_assert_uint_eq(fallback->rate, 1);
	ck_assert_uint_eq(fallback->burst, 5);
	ck_assert_uint_eq(pumps->rate, 10);
	ck_assert_uint_eq(pumps->burst, 2);
	ck_assert_uint_eq(pumps->payload_max_bytes, 200);
	ck_assert_uint_eq(pumps->outbox_share, 25);
	ck_assert_uint_eq(pumps->methods, PROFILE_METHOD(TG_METHOD_PUT));
	ck_assert_uint_eq(pumps->devices_count, 2);
	ck_assert_str_eq(pumps->devices[1], "valve");
	ck_assert_uint_eq(pumps->paths_count, 2);
	ck_assert_uint_eq(pumps->formats_count, 2);
	ck_assert_int_eq(pumps->formats[0], 50);
	ck_assert_int_eq(pumps->formats[1], TG_FORMAT_NONE);
	ck_assert(!pumps->commands);
	ck_assert_uint_eq(greedy->rate, 10);
	ck_assert_uint_eq(greedy->burst, 5);
	ck_assert_uint_eq(greedy->payload_max_bytes, 1000);
	/* Where the gateway has no rate, its burst bounds nobody. */
	fixture_good(&f,
		     GATEWAY "profiles: ( { name = \"a\"; rate = 100; burst = 300; }, { name = \"b\"; rate = 3; } );");
	ck_assert_uint_eq(config_profile(f.config, "a")->profile.rate, 100);
	ck_assert_uint_eq(config_profile(f.config, "a")->profile.burst, 300);
	ck_assert_uint_eq(config_profile(f.config, "b")->profile.burst, 20);
	fixture_done(&f);
}
END_TEST

START_TEST(commands_and_reads_are_rules_of_a_profile)
{
	struct fixture f;
	const struct profile *profile;

	fixture_init(&f);
	fixture_good(&f, PROFILE("name = \"a\"; command_paths = [ \"valve/{n}\", \"/{device}/{path}\" ];\n"
				 "command_methods = [ \"GET\", \"iPATCH\" ];\n"
				 "reads = [ \"pump-*/temp\", \"*/{path}\", \"a/b/{c}\" ];"));
	profile = &config_profile(f.config, "a")->profile;
	ck_assert(profile->commands);
	ck_assert_uint_eq(profile->command_paths_count, 2);
	ck_assert_uint_eq(profile->command_methods, PROFILE_METHOD(TG_METHOD_GET) | PROFILE_METHOD(TG_METHOD_IPATCH));
	ck_assert_uint_eq(profile->methods, 0);
	ck_assert_uint_eq(profile->reads_count, 3);
	ck_assert_str_eq(profile->reads[0].device, "pump-*");
	ck_assert_str_eq(profile->reads[1].device, "*");
	ck_assert_str_eq(profile->reads[2].device, "a");
	ck_assert(profile_may_read(profile, bytes_text("a"), bytes_text("b/c")));
	ck_assert_uint_eq(BUILT_IN(f)->reads_count + BUILT_IN(f)->command_paths_count, 0);
	ck_assert(!profile_may_read(BUILT_IN(f), bytes_text("a"), bytes_text("b")));
	fixture_done(&f);
}
END_TEST

START_TEST(joins_the_lists_of_the_files)
{
	struct fixture f;

	fixture_init(&f);
	fixture_write(&f, "conf.d/10-a.conf", "profiles: ( { name = \"second\"; } );");
	fixture_good(&f, PROFILE("name = \"first\";"));
	ck_assert_uint_eq(f.config->profiles_count, 3);
	ck_assert_str_eq(f.config->profiles[0].profile.name, "first");
	ck_assert_str_eq(f.config->profiles[1].profile.name, "second");
	fixture_done(&f);
}
END_TEST

#define READS                                                                                                          \
	"tidegate.conf:2: profile \"p\": \"reads\" wants DEVICE/PATH; '*' stands for characters of the device's "      \
	"name, "                                                                                                       \
	"of the path \"{name}\" for a segment and a last \"{path}\" for the rest\n"

static const struct fixture_bad bad[] = {
	{GATEWAY "profile: ();", "tidegate.conf:2: unknown section \"profile\"; did you mean \"profiles\"?\n"},
	{GATEWAY "profiles: { };",
	 "tidegate.conf:2: \"profiles\" wants a list of groups, such as profiles: ( { … }, { … } );\n"},
	{GATEWAY "profiles: ( \"pumps\" );", "tidegate.conf:2: profile 1 wants a group, not a text\n"},
	{PROFILE(""), "tidegate.conf:2: profile 1: \"name\" is missing (what the registry, the log and status call it: "
		      "letters, digits, "
		      "'-', '_' and '.'; \"default\" is for the devices that have no other)\n"},
	{PROFILE("name = \"a b\";"),
	 "tidegate.conf:2: profile \"a b\": \"name\" has something else than letters, digits, "
	 "'-', '_' and '.' in it\n"},
	{PROFILE("name = \"p\";\nrat = 1;"),
	 "tidegate.conf:3: profile \"p\": unknown setting \"rat\"; did you mean \"rate\"?\n"},
	{PROFILE("name = \"p\"; devices = \"pump-*\";"),
	 "tidegate.conf:2: profile \"p\": \"devices\" wants a list of texts, such as [ \"a\", \"b\" ], not a text\n"},
	{PROFILE("name = \"default\";\n devices = [ \"x\" ];"),
	 "tidegate.conf:3: profile \"default\": \"devices\" has no meaning here: this profile is for all that have no "
	 "other\n"},
	{PROFILE("name = \"p\"; methods = [ \"PUT\", \"GET\" ];"),
	 "tidegate.conf:2: profile \"p\": \"methods\" has \"GET\", which hands nothing in; POST, PUT, PATCH and iPATCH "
	 "do\n"},
	{PROFILE("name = \"p\"; methods = [ \"POTS\" ];"),
	 "tidegate.conf:2: profile \"p\": \"methods\" has \"POTS\", "
	 "which hands nothing in; POST, PUT, PATCH and iPATCH do; did you mean "
	 "\"POST\"?\n"},
	{PROFILE("name = \"p\"; paths = [ \"ok\", \"{a\" ];"),
	 "tidegate.conf:2: profile \"p\": \"paths\" has a '{' without a name of letters, digits and '_' and a '}' "
	 "behind "
	 "it\n"},
	{PROFILE("name = \"p\"; paths = [ \"{format}/x\" ];"),
	 "tidegate.conf:2: profile \"p\": \"paths\" uses {format}; which formats are taken is said in \"formats\"\n"},
	{PROFILE("name = \"p\"; paths = [ \"{site}/x\" ];"),
	 "tidegate.conf:2: profile \"p\": \"paths\" uses {site}, but the gateway has no \"site\"\n"},
	{PROFILE("name = \"p\"; command_methods = [ \"DELETE\", \"FETSCH\" ]; command_paths = [ \"{path}/a\" ];"),
	 "tidegate.conf:2: profile \"p\": \"command_methods\" has \"FETSCH\", which is no method; GET, POST, PUT, "
	 "DELETE, FETCH, PATCH and iPATCH are; did you mean \"FETCH\"?\n"
	 "tidegate.conf:2: profile \"p\": \"command_paths\" has {path} in the middle; it takes the whole rest and "
	 "stands last, behind a '/'\n"},
	{PROFILE("name = \"p\"; reads = [ \"*\" ];"), READS},
	{PROFILE("name = \"p\"; reads = [ \"a/\" ];"), READS},
	{PROFILE("name = \"p\"; reads = [ \"/a\" ];"), READS},
	{PROFILE("name = \"p\"; reads = [ \"a/*\" ];"), READS},
	{PROFILE("name = \"p\"; reads = [ \"a/{device}\" ];"),
	 "tidegate.conf:2: profile \"p\": \"reads\" uses a given name, which stands for nothing there\n"},
	{PROFILE("name = \"p\"; reads = [ \"a/{x\", \"a/b\" ];"),
	 "tidegate.conf:2: profile \"p\": \"reads\" has a '{' without a name of letters, digits and '_' and a '}' "
	 "behind "
	 "it\n"},
	{PROFILE("name = \"p\"; formats = [ \"application/jso\" ];"),
	 "tidegate.conf:2: profile \"p\": \"formats\" has \"application/jso\", which is neither a known media type nor "
	 "a "
	 "number; did you mean \"application/json\"?\n"},
	{PROFILE("name = \"p\"; outbox_share = 0; rate = -1; burst = 1000001; payload_max_bytes = 1048577; commands = "
		 "1;"),
	 "tidegate.conf:2: profile \"p\": \"outbox_share\" is 0, allowed is 1 to 100 percent\n"
	 "tidegate.conf:2: profile \"p\": \"rate\" is -1, allowed is 0 to 100000\n"
	 "tidegate.conf:2: profile \"p\": \"burst\" is 1000001, allowed is 0 to 1000000\n"
	 "tidegate.conf:2: profile \"p\": \"payload_max_bytes\" is 1048577, allowed is 0 to 1048576 bytes\n"
	 "tidegate.conf:2: profile \"p\": \"commands\" wants true or false, not a whole number\n"},
	{PROFILE("name = \"p\"; },\n { name = \"p\";"),
	 "tidegate.conf:3: profile \"p\": there is a profile of this name already, at tidegate.conf:2\n"},
};

START_TEST(tells_every_problem)
{
	fixture_assert_bad(bad, sizeof(bad) / sizeof(bad[0]));
}
END_TEST

START_TEST(too_many_are_an_error)
{
	static char text[32768];
	struct fixture f;
	size_t used;
	char *problems;

	fixture_init(&f);
	used = (size_t)snprintf(text, sizeof(text), GATEWAY "profiles: (");
	for (int i = 0; i <= CONFIG_PROFILES_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s{ name = \"p%d\"; }", i ? "," : "", i);
	snprintf(text + used, sizeof(text) - used, ");");
	fixture_write(&f, "tidegate.conf", text);
	ck_assert_int_eq(fixture_load(&f), -EINVAL);
	problems = fixture_problems(&f);
	ck_assert_str_eq(problems, "tidegate.conf: 257 profiles, at most 256 are possible\n");
	free(problems);
	fixture_done(&f);
}
END_TEST

START_TEST(warns_of_what_counts_for_nothing)
{
	struct fixture f;
	char *problems;

	fixture_init(&f);
	fixture_good(&f,
		     GATEWAY ENDPOINTS "limits: { rate = 10; burst = 5; payload_max_bytes = 1000; };\n"
				       "profiles: ( { name = \"a\"; rate = 11; burst = 6; payload_max_bytes = 1001;\n"
				       "devices = [ \"x\", \"**\" ]; },\n"
				       "{ name = \"b\"; rate = 10; devices = [ \"y\" ]; }, { name = \"c\"; } );");
	config_warn(f.config, &f.problems);
	problems = fixture_problems(&f);
	ck_assert_str_eq(
		problems,
		"warning: tidegate.conf:2: endpoint \"out\": no route comes from it or goes to it\n"
		"warning: tidegate.conf:4: profile \"a\": \"payload_max_bytes\" is more than the gateway's, which "
		"counts (1000)\n"
		"warning: tidegate.conf:4: profile \"a\": \"rate\" is more than the gateway's, which counts (10)\n"
		"warning: tidegate.conf:4: profile \"a\": \"burst\" is more than the gateway's, which counts (5)\n"
		"warning: tidegate.conf:6: profile \"b\": no device gets it by its name, profile \"a\" before it "
		"takes them all\n");
	free(problems);
	fixture_done(&f);
}
END_TEST

static void add_change(void *arg, const struct config_change *change)
{
	char *text = arg;

	ck_assert_int_eq(change->effect, CONFIG_LIVE);
	snprintf(text + strlen(text), 2048 - strlen(text), "%s\n", change->text);
}

START_TEST(tells_what_a_reload_changes)
{
	struct fixture f;
	struct config *before;
	char text[2048] = "";

	fixture_init(&f);
	fixture_good(&f,
		     GATEWAY "profiles: ( { name = \"a\"; devices = [ \"x\" ]; }, { name = \"b\"; devices = [ \"y\" ]; "
			     "}, { name = \"c\"; } );");
	before = config_ref(f.config);
	ck_assert_int_eq(config_diff(before, f.config, add_change, text), 0);
	fixture_good(&f,
		     GATEWAY "profiles: ( { name = \"default\"; rate = 3; }, { name = \"b\"; devices = [ \"y\" ]; }, "
			     "{ name = \"a\"; devices = [ \"x\", \"z\" ]; }, { name = \"d\"; } );");
	ck_assert_int_eq(config_diff(before, f.config, add_change, text), 5);
	ck_assert_str_eq(text, "profile c: removed (live)\n"
			       "profile default: rate 0 -> 3 (live)\n"
			       "profile a: devices [ \"x\" ] -> [ \"x\", \"z\" ] (live)\n"
			       "profile d: added (live)\n"
			       "profiles: another order (live)\n");
	config_unref(before);
	fixture_done(&f);
}
END_TEST

/* What is printed is a configuration that means the same. */
START_TEST(prints_what_can_be_read_again)
{
	struct fixture f;
	struct config *before;
	char *text = NULL, changes[2048] = "";
	size_t size = 0;
	FILE *out;

	fixture_init(&f);
	fixture_good(&f, good);
	before = config_ref(f.config);
	out = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(out);
	config_print(before, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_ptr_nonnull(strstr(text, "outbox_share = 25;  # tidegate.conf:7"));
	fixture_good(&f, text);
	ck_assert_uint_eq(config_profiles_given(f.config), 3);
	ck_assert_int_eq(config_diff(before, f.config, add_change, changes), 0);
	config_unref(before);
	free(text);
	fixture_done(&f);
}
END_TEST

SUITE_MAIN("config_profiles", there_is_always_a_default, a_profile_narrows_the_limits,
	   commands_and_reads_are_rules_of_a_profile, joins_the_lists_of_the_files, tells_every_problem,
	   too_many_are_an_error, warns_of_what_counts_for_nothing, tells_what_a_reload_changes,
	   prints_what_can_be_read_again)
