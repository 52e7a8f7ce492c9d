/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/bytes.h"
#include "config_fixture.h"
#include "core/method.h"
#include "core/router.h"
#include "suite.h"

/* Commands: whom they are for, what they ask, and where the outcome goes, made from paths that nobody wishes for. */

static const char endpoints[] =
	"gateway: { name = \"hall-3\"; site = \"plant-7\"; };\n"
	"endpoints: ( { name = \"cloud\"; adapter = \"cloud\"; }, { name = \"box\"; adapter = \"box\"; },\n"
	"  { name = \"field\"; adapter = \"field\"; listen = [ \"a\" ]; } );\n"
	"routes: ( %s );\n";

enum { CLOUD, BOX, FIELD };

struct bench {
	struct fixture fixture;
	struct router *router;
	struct router_walk walk;
};

static void begin(struct bench *bench, const char *routes)
{
	char text[4096];

	fixture_init(&bench->fixture);
	snprintf(text, sizeof(text), endpoints, routes);
	fixture_good(&bench->fixture, text);
	ck_assert_int_eq(router_new(bench->fixture.config, &bench->router), 0);
	memset(&bench->walk, 0xa5, sizeof(bench->walk));
}

static void end(struct bench *bench)
{
	router_free(bench->router);
	fixture_done(&bench->fixture);
}

/* What the first route makes of it. Returns false where no route takes it. */
static bool send(struct bench *bench, size_t from, struct tg_bytes device, struct tg_bytes path,
		 struct router_target *ret_target)
{
	const struct router_message message = {
		.kind = TG_TELEMETRY, .device = device, .path = path, .content_format = 50, .payload_bytes = 10};

	router_begin(bench->router, from, &message, &bench->walk);
	return router_next(&bench->walk, ret_target);
}

static struct router_target must_send(struct bench *bench, const char *path)
{
	struct router_target target;

	ck_assert(send(bench, CLOUD, bytes_text("cloud"), bytes_text(path), &target));
	return target;
}

static void must_refuse(struct bench *bench, const char *path, enum tg_verdict verdict)
{
	struct router_target target;
	uint32_t limit;

	ck_assert_msg(!send(bench, CLOUD, bytes_text("cloud"), bytes_text(path), &target), "%s", path);
	ck_assert_int_eq(router_refusal(&bench->walk, &limit), verdict);
}

static void is(struct tg_bytes bytes, const char *text)
{
	ck_assert_msg(bytes_equal(bytes, bytes_text(text)), "\"%.*s\" is not \"%s\"", BYTES_ARG(bytes), text);
}

START_TEST(made_from_captures)
{
	struct bench bench;
	struct router_target target;

	begin(&bench, "{ name = \"r\"; from = \"cloud\"; to = \"box\"; match = \"do/{who}/{verb}/{path}\"; "
		      "address = \"/{path}?by={who}\"; device = \"pump-{who}\"; method = \"{verb}\"; "
		      "response = \"{site}/{gateway}/{who}/done/{path}\"; }");
	target = must_send(&bench, "do/7/put/led/1");
	is(target.to_device, "pump-7");
	is(target.address, "/led/1?by=7");
	is(target.response, "plant-7/hall-3/7/done/led/1");
	is(target.device, "cloud");
	ck_assert_int_eq(target.method, TG_METHOD_PUT);
	target = must_send(&bench, "do/8/iPatch/x");
	ck_assert_int_eq(target.method, TG_METHOD_IPATCH);
	is(target.to_device, "pump-8");
	must_refuse(&bench, "do/8/put", TG_NO_ROUTE);
	must_refuse(&bench, "do/8/puts/x", TG_NOT_ALLOWED);
	must_refuse(&bench, "do/8/pu/x", TG_NOT_ALLOWED);
	must_refuse(&bench, "do/8/%2Fput/x", TG_NOT_ALLOWED);
	must_refuse(&bench, "do//put/x", TG_NO_ROUTE);
	end(&bench);
}
END_TEST

START_TEST(the_device_of_the_match)
{
	struct bench bench;
	struct router_target target;

	begin(&bench,
	      "{ name = \"r\"; from = \"cloud\"; to = \"box\"; match = \"{device}/{path}\"; address = \"/{path}\"; }");
	target = must_send(&bench, "pump/led");
	is(target.to_device, "pump");
	is(target.device, "pump");
	ck_assert_int_eq(target.method, TG_METHOD_NONE);
	ck_assert_uint_eq(target.response.size, 0);
	end(&bench);
}
END_TEST

/* Names of devices are what they are: nobody gets another one's commands by the way in which a name is written. */
START_TEST(hostile_names)
{
	static const struct {
		const char *path;
		const char *device; /* NULL: none */
	} names[] = {
		{"do/a%2Fb", "a/b"},
		{"do/a%252Fb", "a/b"},
		{"do/a%25252Fb", "a%2Fb"},
		{"do/a%2520b", "a b"},
		{"do/100%25", "100%"},
		{"do/%25zz", "%zz"},
		{"do/%2500", NULL},
		{"do/a%2500b", NULL},
		{"do/..", ".."},
		{"do/%252e%252e", ".."},
		{"do/%2B%23", "+#"},
		{"do/\xc3\xa4", "\xc3\xa4"},
		{"do/%25c3%25a4", "\xc3\xa4"},
		{"do/a%2", "a%2"},
		{"do/%2F", "/"},
	};
	struct bench bench;
	char path[2000];

	begin(&bench,
	      "{ name = \"r\"; from = \"cloud\"; to = \"box\"; match = \"do/{who}\"; address = \"/x\"; device = "
	      "\"{who}\"; }");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].device)
			is(must_send(&bench, names[i].path).to_device, names[i].device);
		else
			must_refuse(&bench, names[i].path, TG_NOT_ALLOWED);
	}
	memset(path, 'x', sizeof(path));
	memcpy(path, "do/", 3);
	path[3 + TG_DEVICE_MAX] = '\0';
	ck_assert_uint_eq(must_send(&bench, path).to_device.size, TG_DEVICE_MAX);
	path[3 + TG_DEVICE_MAX] = 'x';
	path[3 + TG_DEVICE_MAX + 1] = '\0';
	must_refuse(&bench, path, TG_NOT_ALLOWED);
	for (size_t i = 0; i < TG_DEVICE_MAX; i++) /* what is long only as it is written is not too long */
		memcpy(path + 3 + 5 * i, "%2541", 6);
	ck_assert_uint_eq(must_send(&bench, path).to_device.size, TG_DEVICE_MAX);
	is(bytes_of(must_send(&bench, path).to_device.data, 3), "AAA");
	memcpy(path + 3 + 5 * TG_DEVICE_MAX, "x", 2);
	must_refuse(&bench, path, TG_NOT_ALLOWED);
	end(&bench);
}
END_TEST

/* The source's own device, in a name: as it is. */
START_TEST(from_device_to_device)
{
	static const char *const names[] = {"pump", "a/b",   "a%2Fb", "a%252Fb",  "%",
					    "%2",   "a+#?b", "..",    "\xc3\xa4", "\xff"};
	struct bench bench;
	struct router_target target;

	begin(&bench,
	      "{ name = \"r\"; from = \"field\"; to = \"box\"; match = \"{path}\"; address = \"/{path}\"; device = "
	      "\"{device}-lamp\"; method = \"PUT\"; }");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char wanted[64];

		ck_assert(send(&bench, FIELD, bytes_text(names[i]), bytes_text("x"), &target));
		snprintf(wanted, sizeof(wanted), "%s-lamp", names[i]);
		is(target.to_device, wanted);
		is(target.device, names[i]);
	}
	ck_assert(!send(&bench, FIELD, bytes_of("a\0b", 3), bytes_text("x"), &target));
	end(&bench);
}
END_TEST

START_TEST(the_response_has_bounds_and_escapes)
{
	struct bench bench;
	static char path[TG_PATH_MAX + 1];
	struct router_target target;

	begin(&bench,
	      "{ name = \"r\"; from = \"cloud\"; to = \"box\"; match = \"{who}/{path}\"; address = \"/x\"; device = "
	      "\"pump\"; response = \"{path}/{who}\"; },"
	      "{ name = \"twice\"; from = \"cloud\"; to = \"box\"; match = \"{path}\"; address = \"/x\"; device = "
	      "\"pump\"; response = \"{path}/{path}\"; }");
	target = must_send(&bench, "a+b/#/c");
	is(target.response, "%23/c/a%2Bb");
	memset(path, '+', TG_PATH_MAX);
	memcpy(path, "a/", 2);
	target = must_send(&bench, path);
	ck_assert_uint_eq(target.response.size, 3 * (TG_PATH_MAX - 2) + 2);
	memset(path, '+', TG_PATH_MAX); /* one segment: the second route, whose response does not fit */
	must_refuse(&bench, path, TG_NOT_ALLOWED);
	end(&bench);
}
END_TEST

/* What one route has made does not stick to the next. */
START_TEST(other_routes_make_no_commands)
{
	struct bench bench;
	struct router_target target;

	begin(&bench,
	      "{ name = \"r\"; from = \"cloud\"; to = \"box\"; match = \"{path}\"; address = \"/x\"; device = "
	      "\"pump\"; method = \"GET\"; response = \"x\"; continue = true; },"
	      "{ name = \"mine\"; from = \"cloud\"; to = \"box\"; match = \"{device}/{path}\"; address = \"/y\"; "
	      "continue = true; },"
	      "{ name = \"copy\"; from = \"cloud\"; to = \"cloud\"; match = \"{path}\"; address = \"{path}\"; back = "
	      "true; }");
	target = must_send(&bench, "valve/x");
	is(target.to_device, "pump");
	ck_assert(router_next(&bench.walk, &target));
	is(target.to_device, "valve");
	ck_assert_int_eq(target.method, TG_METHOD_NONE);
	ck_assert_uint_eq(target.response.size, 0);
	ck_assert(router_next(&bench.walk, &target));
	ck_assert_str_eq(target.route->name, "copy");
	ck_assert_uint_eq(target.to_device.size + target.response.size, 0);
	is(target.device, "cloud");
	ck_assert_int_eq(target.method, TG_METHOD_NONE);
	ck_assert(!router_next(&bench.walk, &target));
	end(&bench);
}
END_TEST

START_TEST(names_of_methods)
{
	for (unsigned i = TG_METHOD_GET; i <= TG_METHOD_IPATCH; i++)
		ck_assert_int_eq(method_of_name(bytes_text(method_name(i))), i);
	ck_assert_int_eq(method_of_name(bytes_text("delete")), TG_METHOD_DELETE);
	ck_assert_int_eq(method_of_name(bytes_of("GETX", 3)), TG_METHOD_GET);
	ck_assert_int_eq(method_of_name(bytes_of("GET", 2)), TG_METHOD_NONE);
	ck_assert_int_eq(method_of_name(bytes_of("GE\0", 3)), TG_METHOD_NONE);
	ck_assert_int_eq(method_of_name(bytes_of(NULL, 0)), TG_METHOD_NONE);
	ck_assert_str_eq(method_name(TG_METHOD_NONE), "");
	ck_assert_str_eq(method_name(TG_METHOD_IPATCH + 1), "");
	ck_assert_str_eq(method_name(UINT32_MAX), "");
}
END_TEST

SUITE_MAIN("router_commands", made_from_captures, the_device_of_the_match, hostile_names, from_device_to_device,
	   the_response_has_bounds_and_escapes, other_routes_make_no_commands, names_of_methods)
