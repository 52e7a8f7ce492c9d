/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "config_fixture.h"
#include "suite.h"

/* What a route says of commands: one file for each complaint, and those that have none. */

#define GATEWAY "gateway: { name = \"g\"; };\n"
#define SITE    "gateway: { name = \"g\"; site = \"s\"; };\n"
#define ENDPOINTS                                                                                                      \
	"endpoints: ( { name = \"cloud\"; adapter = \"cloud\"; }, { name = \"box\"; adapter = \"box\"; },\n"           \
	"{ name = \"other\"; adapter = \"cloud\"; }, { name = \"out\"; adapter = \"out\"; } );\n"
#define ROUTE(x) GATEWAY ENDPOINTS "routes: ( { name = \"r\"; " x " } );\n"
/* The route begins in line 4, what is behind WAY stands in line 5. */
#define WAY            "from = \"cloud\"; to = \"box\"; match = \"{device}/{verb}/{path}\"; address = \"/{path}\";\n"
#define BLIND          "from = \"cloud\"; to = \"box\"; match = \"{who}/{path}\"; address = \"/{path}\";\n"
#define AWAY           "from = \"box\"; to = \"cloud\"; match = \"{path}\"; address = \"{path}\";\n"
#define DROP           "from = \"box\"; to = \"box\"; match = \"{path}\"; address = \"/{path}\";\n"
#define AT(line, text) "tidegate.conf:" #line ": route \"r\": " text "\n"

static const struct fixture_bad bad[] = {
	{ROUTE(AWAY "device = \"x\";"), AT(5, "\"device\" is for commands, and those go to devices only")},
	{ROUTE(AWAY
	       "device = \"{\"; method = \"GET\";\nresponse = \"x\"; response_to = \"nobody\";\nresponse_allowed = "
	       "[ \"*\" ];"),
	 AT(5, "\"device\" is for commands, and those go to devices only")
		 AT(5, "\"method\" is for commands, and those go to devices only")
			 AT(6, "\"response\" is for commands, and those go to devices only")
				 AT(6, "\"response_to\" is for commands, and those go to devices only")
					 AT(7, "\"response_allowed\" is for commands, and those go to devices only")},
	{ROUTE(BLIND),
	 AT(4, "\"device\" has to say which device the commands are for, or \"match\" to capture {device}")},
	{ROUTE(DROP), /* the source's own devices are no capture */
	 AT(4, "\"device\" has to say which device the commands are for, or \"match\" to capture {device}")},
	{ROUTE(BLIND "device = \"\";"),
	 AT(5, "\"device\" has to say which device the commands are for, or \"match\" to capture {device}")},
	{ROUTE(BLIND "device = \"{what}\";"), AT(5, "\"device\" uses {what}, which \"match\" does not have")},
	{ROUTE(BLIND "device = \"{site}-1\";"), AT(5, "\"device\" uses {site}, but the gateway has no \"site\"")},
	{ROUTE(WAY "method = \"FETCHED\";"),
	 AT(5, "\"method\" is none of GET, POST, PUT, DELETE, FETCH, PATCH, IPATCH")},
	{ROUTE(WAY "method = \" GET\";"), AT(5, "\"method\" is none of GET, POST, PUT, DELETE, FETCH, PATCH, IPATCH")},
	{ROUTE(WAY "method = \"{verb\";"),
	 AT(5, "\"method\" has a '{' without a name of letters, digits and '_' and a '}' behind it")},
	{ROUTE(WAY "method = \"{verbs}\";"),
	 AT(5, "\"method\" uses {verbs}, which \"match\" does not have; did you mean {verb}?")},
	{ROUTE(WAY "method = \"{site}\";"), AT(5, "\"method\" uses {site}, but the gateway has no \"site\"")},
	{ROUTE(WAY "\nresponse = \"{x}\";"), AT(6, "\"response\" uses {x}, which \"match\" does not have")},
	{ROUTE(WAY "response = \"{site}/x\";"), AT(5, "\"response\" uses {site}, but the gateway has no \"site\"")},
	{ROUTE(WAY "response = \"x\"; response_to = \"nobody\";"),
	 AT(5, "\"response_to\" is \"nobody\", but there is no such endpoint")},
	{ROUTE(WAY "response = \"x\"; response_to = \"othr\";"),
	 AT(5, "\"response_to\" is \"othr\", but there is no such endpoint; did you mean \"other\"?")},
	{ROUTE(WAY "response = \"x\"; response_to = \"box\";"),
	 AT(5, "\"response_to\" is an endpoint that sends requests to devices, and publishes nothing")},
	{ROUTE(WAY "response_to = \"other\";"),
	 AT(5, "\"response_to\" is for outcomes, and there is no \"response\" to publish them at")},
	{ROUTE(DROP "device = \"x\"; response = \"x\";"),
	 AT(5, "\"response\" cannot be published by the endpoint that the commands come from; set \"response_to\"")},
	{ROUTE(WAY "method = 1; device = [ ]; response_allowed = \"x\";"),
	 AT(5, "\"method\" wants a text in quotes, not a whole number")
		 AT(5, "\"device\" wants a text in quotes, not a list")
			 AT(5, "\"response_allowed\" wants a list of texts, such as [ \"a\", \"b\" ], not a text")},
	{ROUTE(BLIND "method = \"x\"; response = \"{y}\";"),
	 AT(4, "\"device\" has to say which device the commands are for, or \"match\" to capture {device}")
		 AT(5, "\"response\" uses {y}, which \"match\" does not have")
			 AT(5, "\"method\" is none of GET, POST, PUT, DELETE, FETCH, PATCH, IPATCH")},
};

START_TEST(tells_every_problem)
{
	fixture_assert_bad(bad, sizeof(bad) / sizeof(bad[0]));
}
END_TEST

static const struct config_command *load(struct fixture *f, const char *text)
{
	fixture_good(f, text);
	ck_assert_uint_eq(f->config->routes_count, 1);
	return &f->config->routes[0].command;
}

START_TEST(reads_what_is_good)
{
	const struct config_command *command;
	struct fixture f;

	fixture_init(&f);
	command = load(&f, ROUTE(AWAY));
	ck_assert(!command->wanted);
	ck_assert(!command->device && !command->method && !command->response);
	command = load(&f, ROUTE(WAY));
	ck_assert(command->wanted);
	ck_assert(!command->device && !command->method && !command->response);
	ck_assert_uint_eq(command->allowed_count, 0);
	ck_assert_uint_eq(command->response_to, 0);
	command = load(&f, ROUTE(BLIND "device = \"pump-{who}\"; method = \"delete\"; response = \"done/{who}\"; "
				       "response_allowed = [ \"a/*\", \"b\" ];"));
	ck_assert(command->device && command->method && command->response);
	ck_assert_uint_eq(command->response_to, 0);
	ck_assert_uint_eq(command->allowed_count, 2);
	ck_assert_str_eq(command->allowed[0], "a/*");
	ck_assert_str_eq(command->allowed[1], "b");
	command = load(&f, ROUTE(DROP "device = \"{device}\"; method = \"{path}\"; response = \"x\"; response_to = "
				      "\"out\";"));
	ck_assert_uint_eq(command->response_to, 3);
	command = load(&f, SITE ENDPOINTS "routes: ( { name = \"r\"; " WAY "device = \"{site}\"; method = \"{verb}\"; "
					  "response = \"{site}/{gateway}\"; response_to = \"other\"; } );\n");
	ck_assert_uint_eq(command->response_to, 2);
	ck_assert_str_eq(f.config->endpoints[command->response_to].name, "other");
	fixture_done(&f);
}
END_TEST

SUITE_MAIN("config_commands", tells_every_problem, reads_what_is_good)
