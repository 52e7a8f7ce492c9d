/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/bytes.h"
#include "config_fixture.h"
#include "core/router.h"
#include "suite.h"

static const char two_endpoints[] =
	"gateway: { name = \"hall-3\"; site = \"plant-7\"; };\n"
	"endpoints: ( { name = \"field\"; adapter = \"field\"; listen = [ \"a\" ]; },\n"
	"  { name = \"cloud\"; adapter = \"cloud\"; }, { name = \"out\"; adapter = \"out\"; enabled = %s; } );\n"
	"routes: ( %s );\n";

struct bench {
	struct fixture fixture;
	struct router *router;
	struct router_walk walk;
};

static void begin(struct bench *bench, const char *enabled, const char *routes)
{
	char text[4096];

	fixture_init(&bench->fixture);
	snprintf(text, sizeof(text), two_endpoints, enabled, routes);
	fixture_good(&bench->fixture, text);
	ck_assert_int_eq(router_new(bench->fixture.config, &bench->router), 0);
}

static void end(struct bench *bench)
{
	router_free(bench->router);
	fixture_done(&bench->fixture);
}

static struct router_message reading(const char *path)
{
	return (struct router_message){.kind = TG_TELEMETRY,
				       .device = bytes_text("pump"),
				       .path = bytes_text(path),
				       .content_format = 50,
				       .payload_bytes = 10};
}

static void expect(struct bench *bench, const char *route, const char *address)
{
	struct router_target target;
	char text[256];

	ck_assert(router_next(&bench->walk, &target));
	ck_assert_str_eq(target.route->name, route);
	snprintf(text, sizeof(text), "%.*s", BYTES_ARG(target.address));
	ck_assert_str_eq(text, address);
}

static void expect_end(struct bench *bench, enum tg_verdict verdict, uint32_t limit)
{
	struct router_target target;
	uint32_t limit_bytes;

	ck_assert(!router_next(&bench->walk, &target));
	ck_assert_int_eq(router_refusal(&bench->walk, &limit_bytes), verdict);
	ck_assert_uint_eq(limit_bytes, limit);
}

static void send(struct bench *bench, size_t from, struct router_message message)
{
	router_begin(bench->router, from, &message, &bench->walk);
}

#define TO_CLOUD                                                                                                       \
	"from = \"field\"; to = \"cloud\"; address = \"{site}/{gateway}/{device}/{path}\"; match = \"/{path}\";"

START_TEST(first_match_wins)
{
	struct bench bench;

	begin(&bench, "true",
	      "{ name = \"alarms\"; from = \"field\"; to = \"out\"; match = \"alarm/{what}\"; address = \"{what}\"; },"
	      "{ name = \"all\"; " TO_CLOUD " }, { name = \"late\"; " TO_CLOUD " }");
	send(&bench, 0, reading("alarm/fire"));
	expect(&bench, "alarms", "fire");
	expect_end(&bench, TG_ACCEPTED, 0);
	send(&bench, 0, reading("temp"));
	expect(&bench, "all", "plant-7/hall-3/pump/temp");
	expect_end(&bench, TG_ACCEPTED, 0);
	send(&bench, 0, reading(""));
	expect_end(&bench, TG_NO_ROUTE, 0);
	send(&bench, 1, reading("temp"));
	expect_end(&bench, TG_NO_ROUTE, 0);
	end(&bench);
}
END_TEST

START_TEST(goes_on_where_told)
{
	struct bench bench;

	begin(&bench, "true",
	      "{ name = \"copy\"; continue = true; from = \"field\"; to = \"out\"; match = \"{path}\"; address = "
	      "\"x\"; },"
	      "{ name = \"all\"; " TO_CLOUD " }");
	send(&bench, 0, reading("temp"));
	expect(&bench, "copy", "x");
	expect(&bench, "all", "plant-7/hall-3/pump/temp");
	expect_end(&bench, TG_ACCEPTED, 0);
	end(&bench);
}
END_TEST

START_TEST(refusals_name_the_nearest_reason)
{
	struct bench bench;
	struct router_message message = reading("temp");

	begin(&bench, "true",
	      "{ name = \"json\"; formats = [ \"application/json\" ]; payload_max_bytes = 100; " TO_CLOUD " },"
	      "{ name = \"cbor\"; formats = [ \"60\", \"none\" ]; payload_max_bytes = 200; " TO_CLOUD " }");
	send(&bench, 0, message);
	expect(&bench, "json", "plant-7/hall-3/pump/temp");
	message.content_format = TG_FORMAT_NONE;
	send(&bench, 0, message);
	expect(&bench, "cbor", "plant-7/hall-3/pump/temp");
	message.content_format = 0;
	send(&bench, 0, message);
	expect_end(&bench, TG_WRONG_FORMAT, 0);
	message.content_format = 60;
	message.payload_bytes = 201;
	send(&bench, 0, message);
	expect_end(&bench, TG_TOO_LARGE, 200);
	message.content_format = 50;
	message.payload_bytes = 101;
	send(&bench, 0, message);
	expect_end(&bench, TG_TOO_LARGE, 100);
	end(&bench);
}
END_TEST

START_TEST(an_address_too_long_is_not_allowed)
{
	struct bench bench;
	static char path[TG_PATH_MAX + 1];
	char routes[512];

	memset(path, '+', TG_PATH_MAX);
	snprintf(routes, sizeof(routes),
		 "{ name = \"twice\"; from = \"field\"; to = \"cloud\"; match = \"{path}\"; "
		 "address = \"{path}/{path}\"; }");
	begin(&bench, "true", routes);
	send(&bench, 0, reading(path));
	expect_end(&bench, TG_NOT_ALLOWED, 0);
	end(&bench);
}
END_TEST

START_TEST(devices_by_wildcard)
{
	struct bench bench;
	struct router_message message = reading("temp");

	begin(&bench, "true", "{ name = \"some\"; devices = [ \"pump-*\", \"*-b*c\" ]; " TO_CLOUD " }");
	message.device = bytes_text("pump-1");
	send(&bench, 0, message);
	expect(&bench, "some", "plant-7/hall-3/pump-1/temp");
	message.device = bytes_text("x-bbcc");
	send(&bench, 0, message);
	expect(&bench, "some", "plant-7/hall-3/x-bbcc/temp");
	message.device = bytes_text("x-bbcd");
	send(&bench, 0, message);
	expect_end(&bench, TG_NO_ROUTE, 0);
	message.device = bytes_text("pump");
	send(&bench, 0, message);
	expect_end(&bench, TG_NO_ROUTE, 0);
	end(&bench);
}
END_TEST

START_TEST(a_command_finds_its_device)
{
	struct bench bench;
	struct router_target target;
	struct router_message message = reading("plant-7/hall-3/pump%252B1/command/led/1");

	begin(&bench, "true",
	      "{ name = \"commands\"; from = \"cloud\"; to = \"field\"; match = "
	      "\"{site}/{gateway}/{device}/command/{path}\"; "
	      "address = \"/{path}\"; }");
	message.device = bytes_text("cloud");
	send(&bench, 1, message);
	ck_assert(router_next(&bench.walk, &target));
	ck_assert(bytes_equal(target.device, bytes_text("pump+1")));
	ck_assert(bytes_equal(target.address, bytes_text("/led/1")));
	message.path = bytes_text("plant-8/hall-3/pump/command/led");
	send(&bench, 1, message);
	expect_end(&bench, TG_NO_ROUTE, 0);
	message.path = bytes_text("plant-7/hall-3/a%2500b/command/led");
	send(&bench, 1, message);
	expect_end(&bench, TG_NO_ROUTE, 0);
	end(&bench);
}
END_TEST

START_TEST(routes_of_disabled_endpoints_are_left_out)
{
	struct bench bench;

	begin(&bench, "false",
	      "{ name = \"off\"; from = \"field\"; to = \"out\"; match = \"{path}\"; address = \"x\"; },"
	      "{ name = \"all\"; " TO_CLOUD " }");
	send(&bench, 0, reading("temp"));
	expect(&bench, "all", "plant-7/hall-3/pump/temp");
	end(&bench);
}
END_TEST

START_TEST(given_names_reach_the_address)
{
	struct bench bench;
	struct router_message message = reading("temp");

	begin(&bench, "true",
	      "{ name = \"all\"; from = \"field\"; to = \"cloud\"; match = \"{x}\"; address = "
	      "\"{endpoint}/{format}/{x}\"; }");
	send(&bench, 0, message);
	expect(&bench, "all", "field/50/temp");
	message.content_format = TG_FORMAT_NONE;
	send(&bench, 0, message);
	expect(&bench, "all", "field/none/temp");
	end(&bench);
}
END_TEST

static void collect(void *arg, const struct router_target *target, enum router_step step, bool goes)
{
	char *text = arg;

	snprintf(text + strlen(text), 512 - strlen(text), "%s %s%s %.*s\n", target->route->name, goes ? "goes " : "",
		 router_step_text(step), BYTES_ARG(target->address));
}

START_TEST(tells_what_each_route_says)
{
	struct bench bench;
	struct router_message message = reading("temp");
	char text[512] = "";

	begin(&bench, "true",
	      "{ name = \"json\"; formats = [ \"60\" ]; " TO_CLOUD " },"
	      "{ name = \"x\"; from = \"field\"; to = \"out\"; match = \"x\"; address = \"x\"; },"
	      "{ name = \"all\"; " TO_CLOUD " }, { name = \"late\"; " TO_CLOUD " }");
	router_test(bench.router, 0, &message, collect, text);
	ck_assert_str_eq(text, "json takes other content formats \nx takes other paths \n"
			       "all goes takes it plant-7/hall-3/pump/temp\nlate takes it plant-7/hall-3/pump/temp\n");
	end(&bench);
}
END_TEST

SUITE_MAIN("router", first_match_wins, goes_on_where_told, refusals_name_the_nearest_reason,
	   an_address_too_long_is_not_allowed, devices_by_wildcard, a_command_finds_its_device,
	   routes_of_disabled_endpoints_are_left_out, given_names_reach_the_address, tells_what_each_route_says)
