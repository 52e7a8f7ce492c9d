/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/bytes.h"
#include "config_fixture.h"
#include "core/router.h"
#include "suite.h"

/* Whom a message is from where its source authenticates no devices, and the way back to that source. */

#define ENDPOINTS                                                                                                      \
	"endpoints: ( { name = \"near\"; adapter = \"cloud\"; }, { name = \"far\"; adapter = \"cloud\"; },\n"          \
	"{ name = \"field\"; adapter = \"field\"; listen = [ \"a\" ]; }, { name = \"box\"; adapter = \"box\"; } );\n"
#define ROUTES(x) "gateway: { name = \"g\"; };\n" ENDPOINTS "routes: ( " x " );\n"
#define WAY                                                                                                            \
	"name = \"r\"; from = \"near\"; to = \"far\"; match = \"s/{sensor}/{path}\"; address = \"{device}/{path}\";\n"
#define AT(line, text) "tidegate.conf:" #line ": route \"r\": " text "\n"

static const struct fixture_bad bad[] = {
	{ROUTES("{ " WAY "source_device = \"{senso}\"; }"),
	 AT(5, "\"source_device\" uses {senso}, which \"match\" does not have; did you mean {sensor}?")},
	{ROUTES("{ " WAY "source_device = \"{site}-x\"; }"),
	 AT(5, "\"source_device\" uses {site}, but the gateway has no \"site\"")},
	{ROUTES("{ " WAY "source_device = 7; }"),
	 AT(5, "\"source_device\" wants a text in quotes, not a whole number")},
	{ROUTES("{ " WAY "impersonate = true; }"), AT(5, "\"impersonate\" is for names that \"source_device\" makes")},
	{ROUTES("{ name = \"r\"; from = \"field\"; to = \"far\"; match = \"{path}\"; address = \"{path}\";\n"
		"source_device = \"x\"; }"),
	 AT(5,
	    "\"source_device\" is for endpoints that authenticate no devices; those of this one prove who they are")},
	{ROUTES("{ name = \"r\"; from = \"near\"; to = \"box\"; match = \"{device}\"; address = \"x\";\n"
		"source_device = \"x\"; }"),
	 AT(5, "\"source_device\" is for readings, and this route makes commands")},
	{ROUTES("{ name = \"r\"; from = \"near\";\nto = \"near\"; match = \"a/{path}\"; address = \"b/{path}\"; }"),
	 AT(5, "\"to\" is the endpoint that the messages come from; where that is meant, set back = true")},
	{ROUTES("{ " WAY "back = true; }"),
	 AT(5, "\"back\" is for messages that go back to the endpoint that they come from, which these do not")},
	{ROUTES("{ name = \"r\"; from = \"box\"; to = \"box\"; match = \"{path}\"; address = \"x\";\ndevice = \"d\"; "
		"back = true; }"),
	 AT(5, "\"back\" is for messages that go back to the endpoint that they come from, which these do not")},
};

START_TEST(tells_every_problem)
{
	fixture_assert_bad(bad, sizeof(bad) / sizeof(bad[0]));
}
END_TEST

struct bench {
	struct fixture fixture;
	struct router *router;
	char room[TG_DEVICE_MAX];
};

static void begin(struct bench *bench, const char *text)
{
	fixture_init(&bench->fixture);
	fixture_good(&bench->fixture, text);
	ck_assert_int_eq(router_new(bench->fixture.config, &bench->router), 0);
}

static void end(struct bench *bench)
{
	router_free(bench->router);
	fixture_done(&bench->fixture);
}

static struct router_message from(const char *device, const char *path)
{
	return (struct router_message){.kind = TG_TELEMETRY,
				       .device = bytes_text(device),
				       .path = bytes_text(path),
				       .content_format = TG_FORMAT_NONE};
}

static const struct config_route *must_be(struct bench *bench, const char *path, const char *wanted)
{
	const struct router_message message = from("near", path);
	const struct config_route *route;
	struct tg_bytes device;

	ck_assert(router_source(bench->router, 0, &message, bench->room, &device, &route));
	ck_assert_msg(bytes_equal(device, bytes_text(wanted)), "%s: \"%.*s\"", path, BYTES_ARG(device));
	return route;
}

static void must_be_nobody(struct bench *bench, const char *path)
{
	const struct router_message message = from("near", path);
	const struct config_route *route;
	struct tg_bytes device;

	ck_assert_msg(!router_source(bench->router, 0, &message, bench->room, &device, &route), "%s", path);
}

/* What the first route makes of a message that is from `device`. */
static void must_go(struct bench *bench, const char *device, const char *path, const char *address)
{
	struct router_message message = from(device, path);
	struct router_target target;
	struct router_walk walk;

	message.sourced = true;
	memset(&walk, 0xa5, sizeof(walk));
	router_begin(bench->router, 0, &message, &walk);
	ck_assert(router_next(&walk, &target));
	ck_assert_msg(bytes_equal(target.address, bytes_text(address)), "%.*s", BYTES_ARG(target.address));
	ck_assert(bytes_equal(target.device, bytes_text(device)));
}

START_TEST(a_route_says_whom_it_is_from)
{
	struct bench bench;

	begin(&bench, ROUTES("{ " WAY "source_device = \"near-{sensor}\"; }"));
	ck_assert(router_names_sources(bench.router, 0));
	ck_assert(!router_names_sources(bench.router, 1));
	must_be(&bench, "s/t1/temp", "near-t1");
	must_be(&bench, "s/t%25201/temp", "near-t 1");
	ck_assert_ptr_null(must_be(&bench, "elsewhere", "near"));
	must_go(&bench, "near-t1", "s/t1/temp", "near-t1/temp");
	end(&bench);
}
END_TEST

START_TEST(what_is_no_name_is_nobody)
{
	struct bench bench;
	char path[1024], name[TG_DEVICE_MAX + 1];

	begin(&bench, ROUTES("{ " WAY "source_device = \"{sensor}\"; }"));
	must_be_nobody(&bench, "s/a%2500b/temp");
	must_be_nobody(&bench, "s/a%250Ab/temp");
	must_be_nobody(&bench, "s/a%257Fb/temp");
	must_be_nobody(&bench, "s/%25FF/temp");
	memset(path, 'x', sizeof(path));
	memcpy(path, "s/", 2);
	memcpy(path + 2 + TG_DEVICE_MAX + 1, "/temp", sizeof("/temp"));
	must_be_nobody(&bench, path);
	memcpy(path + 2 + TG_DEVICE_MAX, "/temp", sizeof("/temp"));
	memset(name, 'x', TG_DEVICE_MAX);
	name[TG_DEVICE_MAX] = '\0';
	ck_assert_ptr_nonnull(must_be(&bench, path, name));
	end(&bench);
}
END_TEST

START_TEST(the_first_that_says_so_counts)
{
	struct bench bench;

	begin(&bench,
	      ROUTES("{ name = \"all\"; from = \"near\"; to = \"far\"; match = \"{path}\"; address = \"{device}\"; "
		     "continue = true; }, { name = \"one\"; from = \"near\"; to = \"far\"; match = "
		     "\"s/{device}/{path}\"; "
		     "address = \"{device}\"; source_device = \"one-{device}\"; continue = true; }, { " WAY
		     "source_device = \"two-{sensor}\"; impersonate = true; }"));
	ck_assert(!must_be(&bench, "s/t1/temp", "one-t1")->impersonate);
	must_go(&bench, "one-t1", "s/t1/temp", "one-t1");
	end(&bench);
}
END_TEST

START_TEST(its_devices_are_those_that_it_names)
{
	struct bench bench;

	begin(&bench, ROUTES("{ " WAY "source_device = \"{sensor}\"; devices = [ \"t*\" ]; impersonate = true; }"));
	ck_assert(must_be(&bench, "s/t1/temp", "t1")->impersonate);
	ck_assert_ptr_null(must_be(&bench, "s/pump/temp", "near"));
	end(&bench);
}
END_TEST

START_TEST(the_publisher_may_be_put_in)
{
	const struct router_message message = from("client-7", "s/t1/temp");
	const struct config_route *route;
	struct tg_bytes device;
	struct bench bench;

	begin(&bench, ROUTES("{ " WAY "source_device = \"{device}.{sensor}\"; }"));
	ck_assert(router_source(bench.router, 0, &message, bench.room, &device, &route));
	ck_assert(bytes_equal(device, bytes_text("client-7.t1")));
	end(&bench);
}
END_TEST

START_TEST(the_way_back_is_there_where_it_is_meant)
{
	struct bench bench;

	begin(&bench,
	      ROUTES("{ name = \"r\"; from = \"near\"; to = \"near\"; match = \"a/{path}\"; address = \"b/{path}\"; "
		     "back = true; }"));
	must_go(&bench, "near", "a/x", "b/x");
	end(&bench);
}
END_TEST

static void collect(void *arg, const struct router_target *target, enum router_step step, bool goes)
{
	char *text = arg;

	(void)goes;
	snprintf(text, 128, "%s: %.*s", router_step_text(step), BYTES_ARG(target->device));
}

START_TEST(a_test_shows_it)
{
	struct router_message message = from("near", "s/t1/temp");
	struct bench bench;
	char text[128];

	begin(&bench, ROUTES("{ " WAY "source_device = \"{sensor}\"; }"));
	router_test(bench.router, 0, &message, collect, text);
	ck_assert_str_eq(text, "takes it: t1");
	message.path = bytes_text("s/%2501/temp");
	router_test(bench.router, 0, &message, collect, text);
	ck_assert_str_eq(text, "does not take it: source_device cannot be a device's name: ");
	end(&bench);
}
END_TEST

SUITE_MAIN("router_source", tells_every_problem, a_route_says_whom_it_is_from, what_is_no_name_is_nobody,
	   the_first_that_says_so_counts, its_devices_are_those_that_it_names, the_publisher_may_be_put_in,
	   the_way_back_is_there_where_it_is_meant, a_test_shows_it)
