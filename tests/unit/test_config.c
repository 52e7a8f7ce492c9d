/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "config_fixture.h"
#include "suite.h"

/* libconfig 1.5 forgets the text at which it gives up. The sanitizer asks for this by its name. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\n";
}

#define GATEWAY "gateway: { name = \"g\"; };\n"
#define FIELD   "{ name = \"field\"; adapter = \"field\"; listen = [ \"a\" ]; }"
#define CLOUD   "{ name = \"cloud\"; adapter = \"cloud\"; }"
#define WAY     "from = \"field\"; to = \"cloud\"; match = \"{path}\"; address = \"{path}\";"

static const char good[] =
	"# the one of the manual\n"
	"gateway: { name = \"hall-3\"; site = \"plant-7\"; };\n"
	"outbox = { hold_ms = 100; window = 7; };\n"
	"limits: { rate = 5; };\n"
	"log: { level = \"debug\"; };\n"
	"endpoints: (\n"
	"  { name = \"field\"; adapter = \"field\"; listen = [ \"a\", \"b\" ]; key = \"pki/g.key\"; workers = 2;\n"
	"    outbox: { window = 9; }; },\n"
	"  { name = \"cloud\"; adapter = \"cloud\"; enabled = false; large = 5000000000; }\n"
	");\n"
	"routes: (\n"
	"  { name = \"telemetry\"; from = \"field\"; match = \"/{path}\";\n"
	"    to = \"cloud\"; address = \"{site}/{gateway}/{device}/{path}\"; ack = \"delivered\"; qos = 2; },\n"
	"  { name = \"commands\"; from = \"cloud\"; match = \"{site}/{device}/command/{path}\";\n"
	"    to = \"field\"; address = \"/{path}\"; formats = [ \"application/json\", \"none\", \"60\" ]; }\n"
	");\n";

START_TEST(reads_a_good_file)
{
	struct fixture f;
	const struct config_endpoint *field, *cloud;
	char path[128];

	fixture_init(&f);
	fixture_good(&f, good);
	ck_assert_str_eq(f.config->gateway, "hall-3");
	ck_assert_str_eq(f.config->site, "plant-7");
	ck_assert_int_eq(f.config->log_level, TG_LOG_DEBUG);
	ck_assert_int_eq(f.config->limits.rate, 5);
	ck_assert_int_eq(f.config->limits.stop_deadline_us, 10000000);
	ck_assert_uint_eq(f.config->endpoints_count, 2);
	field = config_endpoint(f.config, "field");
	cloud = config_endpoint(f.config, "cloud");
	ck_assert_ptr_null(config_endpoint(f.config, "other"));
	ck_assert_uint_eq(field->workers, 2);
	ck_assert_uint_eq(field->outbox.window, 9);
	ck_assert_int_eq(field->outbox.hold_us, 100000);
	ck_assert_uint_eq(cloud->outbox.window, 7);
	ck_assert_uint_eq(cloud->outbox.memory_messages, 16384);
	ck_assert(field->enabled && !cloud->enabled);
	ck_assert_uint_eq(config_section_count(&field->settings, "listen"), 2);
	ck_assert_str_eq(config_section_item(&field->settings, "listen", 1), "b");
	ck_assert_ptr_null(config_section_item(&field->settings, "listen", 2));
	ck_assert_int_eq(config_section_int(&field->settings, "idle_s"), 60);
	ck_assert(!config_section_bool(&field->settings, "insecure"));
	snprintf(path, sizeof(path), "%s/pki/g.key", f.folder);
	ck_assert_str_eq(config_section_text(&field->settings, "key"), path);
	ck_assert_str_eq(config_section_text(&cloud->settings, "client_id"), "");
	ck_assert_str_eq(config_section_text(&cloud->settings, "flavour"), "modern");
	ck_assert_str_eq(config_section_item(&cloud->settings, "alpn", 0), "mqtt");
	ck_assert(config_section_int(&cloud->settings, "large") == INT64_C(5000000000));
	fixture_done(&f);
}
END_TEST

START_TEST(reads_the_routes)
{
	struct fixture f;
	const struct config_route *telemetry, *commands;

	fixture_init(&f);
	fixture_good(&f, good);
	telemetry = config_route(f.config, "telemetry");
	commands = config_route(f.config, "commands");
	ck_assert_uint_eq(telemetry->from, 0);
	ck_assert_uint_eq(telemetry->to, 1);
	ck_assert_int_eq(telemetry->ack, CONFIG_ACK_DELIVERED);
	ck_assert_uint_eq(telemetry->qos, 2);
	ck_assert_uint_eq(telemetry->payload_max_bytes, 65536);
	ck_assert_int_eq(commands->ack, CONFIG_ACK_SAFE);
	ck_assert_uint_eq(commands->qos, 1);
	ck_assert_uint_eq(commands->formats_count, 3);
	ck_assert_int_eq(commands->formats[0], 50);
	ck_assert_int_eq(commands->formats[1], TG_FORMAT_NONE);
	ck_assert_int_eq(commands->formats[2], 60);
	ck_assert(!commands->enabled);
	fixture_done(&f);
}
END_TEST

static int collect(void *arg, const char *name, uint32_t index, const char *value, bool file)
{
	char *text = arg;

	snprintf(text + strlen(text), 1024 - strlen(text), "%s[%u]=%s%s\n", name, index, value, file ? " (file)" : "");
	return 0;
}

START_TEST(hands_every_setting_to_the_wire)
{
	struct fixture f;
	char text[1024] = "", expected[1024];

	fixture_init(&f);
	fixture_good(&f, good);
	ck_assert_int_eq(config_each_setting(config_endpoint(f.config, "field"), collect, text), 0);
	snprintf(expected, sizeof(expected),
		 "listen[0]=a\nlisten[1]=b\ninsecure[0]=false\nidle_s[0]=60\nkey[0]=%s/pki/g.key (file)\n", f.folder);
	ck_assert_str_eq(text, expected);
	text[0] = '\0';
	ck_assert_int_eq(config_each_setting(config_endpoint(f.config, "cloud"), collect, text), 0);
	ck_assert_str_eq(text, "flavour[0]=modern\nalpn[0]=mqtt\nalpn[1]=x\nlarge[0]=5000000000\nclient_id[0]=\n");
	fixture_done(&f);
}
END_TEST

static void add_change(void *arg, const struct config_change *change)
{
	char *text = arg;

	snprintf(text + strlen(text), 2048 - strlen(text), "%s\n", change->text);
}

START_TEST(tells_what_a_reload_changes)
{
	struct fixture f;
	struct config *before;
	char text[2048] = "";

	fixture_init(&f);
	fixture_good(&f,
		     "gateway: { name = \"g\"; }; endpoints: ( " FIELD ", " CLOUD
		     ", { name = \"old\"; adapter = \"out\"; } );"
		     "routes: ( { name = \"a\"; " WAY " }, { name = \"b\"; " WAY " }, { name = \"c\"; " WAY " } );");
	before = config_ref(f.config);
	ck_assert_int_eq(config_diff(before, f.config, add_change, text), 0);
	fixture_good(
		&f, "gateway: { name = \"h\"; }; limits: { rate = 9; };"
		    "endpoints: ( { name = \"field\"; adapter = \"field\"; listen = [ \"a\", \"b\\\"\" ]; idle_s = 120;"
		    "  outbox: { window = 5; }; }, { name = \"cloud\"; adapter = \"out\"; }, { name = \"new\"; adapter "
		    "= \"out\"; } );"
		    "routes: ( { name = \"b\"; " WAY " }, { name = \"a\"; qos = 0; " WAY " }, { name = \"d\"; " WAY
		    " } );");
	ck_assert_int_eq(config_diff(before, f.config, add_change, text), 12);
	ck_assert_str_eq(
		text, "gateway: name \"g\" -> \"h\" (live)\n"
		      "limits: rate 0 -> 9 (live)\n"
		      "endpoint old: removed (live)\n"
		      "endpoint field: outbox: window 8192 -> 5 (live)\n"
		      "endpoint field: listen [ \"a\" ] -> [ \"a\", \"b\\\"\" ] (waits for a restart of the endpoint)\n"
		      "endpoint field: idle_s 60 -> 120 (live)\n"
		      "endpoint cloud: adapter \"cloud\" -> \"out\" (waits for a restart of the endpoint)\n"
		      "endpoint new: added (live)\n"
		      "route c: removed (live)\n"
		      "route a: qos 1 -> 0 (live)\n"
		      "route d: added (live)\n"
		      "routes: another order (live)\n");
	config_unref(before);
	fixture_done(&f);
}
END_TEST

START_TEST(warns_of_what_may_not_be_meant)
{
	struct fixture f;
	char *problems, expected[2048];

	fixture_init(&f);
	fixture_write(&f, "open.key", "x");
	fixture_good(&f, GATEWAY
		     "endpoints: (\n { name = \"field\"; adapter = \"field\"; listen = [ \"a\" ]; insecure = true;\n "
		     "key = \"open.key\"; },"
		     "{ name = \"second\"; adapter = \"field\"; listen = [ \"b\" ];\n key = \"none.key\"; },\n" CLOUD
		     ");\n"
		     "routes: ( { name = \"all\"; " WAY
		     " },\n{ name = \"late\"; from = \"field\"; to = \"cloud\"; match = \"a/{b}\";\n"
		     "address = \"+/{b}\"; } );");
	config_warn(f.config, &f.problems);
	problems = fixture_problems(&f);
	snprintf(expected, sizeof(expected),
		 "warning: tidegate.conf:3: endpoint \"field\": is insecure: anybody on its network can read, forge "
		 "and drop "
		 "messages\n"
		 "warning: tidegate.conf:4: endpoint \"field\": \"key\": %s/open.key may be read by others and will be "
		 "refused "
		 "(mode 0644, wanted 0600)\n"
		 "warning: tidegate.conf:4: endpoint \"second\": no route comes from it or goes to it\n"
		 "warning: tidegate.conf:5: endpoint \"second\": \"key\": %s/none.key: No such file or directory\n"
		 "warning: tidegate.conf:8: route \"late\": never matches, route \"all\" before it takes everything\n"
		 "warning: tidegate.conf:9: route \"late\": \"address\" has a '+', which has a meaning of its own in "
		 "cloud "
		 "addresses\n",
		 f.folder, f.folder);
	ck_assert_str_eq(problems, expected);
	free(problems);
	fixture_done(&f);
}
END_TEST

START_TEST(warns_of_what_this_build_cannot_do)
{
	static const char old[] =
		"{\"name\":\"old\",\"major\":1,\"minor\":0,\"roles\":[\"source\"],\"needs\":[],\"flags\":[],"
		"\"settings\":["
		"{\"name\":\"new\",\"type\":2,\"flags\":{\"live\":true,\"required\":false,\"absent\":true},"
		"\"lowest\":0,\"highest\":99}]}";
	char problem[DESCRIPTOR_PROBLEM_SIZE], *problems;
	struct descriptor *descriptor;
	struct fixture f;

	fixture_init(&f);
	ck_assert_int_eq(descriptor_parse("old", bytes_text(old), &descriptor, problem), 0);
	ck_assert_int_eq(descriptor_set_add(f.adapters, descriptor), 0);
	fixture_good(&f, GATEWAY
		     "endpoints: (\n { name = \"a\"; adapter = \"old\"; },\n"
		     "{ name = \"b\"; adapter = \"old\";\n new = 1; },\n" CLOUD ");\n"
		     "routes: ( { name = \"a\"; from = \"a\"; to = \"cloud\"; match = \"{x}\"; address = \"{x}\"; },"
		     "{ name = \"b\"; from = \"b\"; to = \"cloud\"; match = \"{x}\"; address = \"{x}\"; } );");
	config_warn(f.config, &f.problems);
	problems = fixture_problems(&f);
	ck_assert_str_eq(problems,
			 "warning: tidegate.conf:5: endpoint \"b\": \"new\": a library that adapter old was built "
			 "with is too old for it, or was built without it\n");
	free(problems);
	fixture_done(&f);
}
END_TEST

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Changes, drops or doubles a few pieces of the text. */
static size_t mutate(uint32_t *state, char *text, size_t size)
{
	static const char spice[] = "{}()[];:=,\"\\#/*@+-0123456789LxXeE. \n\tatrue\x80\xff";
	size_t changes = 1 + next_random(state) % 3;

	for (size_t i = 0; i < changes && size > 4; i++) {
		size_t at = next_random(state) % size, length = 1 + next_random(state) % 12;

		if (length > size - at)
			length = size - at;
		switch (next_random(state) % 4) {
		case 0:
			text[at] = spice[next_random(state) % (sizeof(spice) - 1)];
			break;
		case 1:
			text[at] = (char)next_random(state);
			break;
		case 2:
			memmove(text + at, text + at + length, size - at - length);
			size -= length;
			break;
		default:
			memmove(text + at + length, text + at, size - at);
			size += length;
		}
	}
	return size;
}

/* No file can do more than be refused; what is refused is told, and what is taken can be walked through. */
START_TEST(no_mutation_does_harm)
{
	struct fixture f;
	uint32_t state = 815;
	unsigned taken = 0;
	static char text[sizeof(good) + 512];

	fixture_init(&f);
	for (int i = 0; i < 2000; i++) {
		char wire[1024] = "";
		int r;

		memcpy(text, good, sizeof(good));
		fixture_write_bytes(&f, "tidegate.conf", text, mutate(&state, text, sizeof(good) - 1));
		r = fixture_load(&f);
		ck_assert(r == 0 || r == -EINVAL);
		ck_assert((r == 0) == (f.problems.errors == 0));
		if (r < 0)
			continue;
		taken++;
		for (size_t j = 0; j < f.config->endpoints_count; j++)
			ck_assert_int_eq(config_each_setting(&f.config->endpoints[j], collect, wire), 0);
		config_warn(f.config, &f.problems);
	}
	ck_assert_uint_gt(taken, 50);
	ck_assert_uint_lt(taken, 1900);
	fixture_done(&f);
}
END_TEST

SUITE_MAIN("config", reads_a_good_file, reads_the_routes, hands_every_setting_to_the_wire, tells_what_a_reload_changes,
	   warns_of_what_may_not_be_meant, warns_of_what_this_build_cannot_do, no_mutation_does_harm)
