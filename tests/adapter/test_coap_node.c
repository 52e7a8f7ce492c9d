/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The adapter with a client that is not ours and shares no code with the others: node-coap. It has no DTLS, and so it comes to a
 * listener at coap://. Where node-coap cannot be had the test says so and is skipped.
 */

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "coap_rig.h"

enum { WAIT_MS = 60000, BODY = 5000 };

/* Into the build folder, once. */
static const char install[] =
	"command -v node >/dev/null && command -v npm >/dev/null && mkdir -p \"$TG_NODE\" && cd \"$TG_NODE\" && "
	"cp \"$TG_SOURCE/tests/adapter/node_client.js\" . && { test -d node_modules/coap || { "
	"echo '{\"private\": true}' >package.json && "
	"timeout 120 npm install --no-package-lock --no-audit --no-fund coap@^1.4.1 >npm.log 2>&1; }; }";

static char folder[4096];
static char output[8192];

static pid_t node_start(uint16_t port, int out)
{
	char text[8];

	snprintf(text, sizeof(text), "%u", port);
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (chdir(folder) == 0)
		execlp("node", "node", "node_client.js", text, NULL);
	_exit(127);
}

static bool is_over(pid_t pid, int *ret_status)
{
	return waitpid(pid, ret_status, WNOHANG) == pid;
}

START_TEST(requests)
{
	static const char expected[] = "post 2.04 \n"
				       "put 2.04 \n"
				       "patch 2.04 \n"
				       "fetch 4.05 \n"
				       "delete 4.05 \n"
				       "links 2.05 </.well-known/core>;ct=40\n"
				       "whole 2.05 </>;rt=\"tidegate.readings\";title=\"POST or PUT a reading to any "
				       "path\",</.well-known/core>;ct=40\n"
				       "pieces 2.05 </.well-known/core>;ct=40\n"
				       "accept 4.06 \n"
				       "body 2.04 \n";
	char file[] = "/tmp/tidegate-test-XXXXXX";
	int out = mkstemp(file), status = 0;
	bool over = false;

	unlink(file);
	rig_setup();
	mock_set(rig, "listen", "coap://127.0.0.1:0");
	mock_set(rig, "insecure", "true");
	mock_set(rig, "insecure_device", "meter-1");
	mock_set(rig, "readings", NULL); /* the list of links is short */
	rig->accept_all = true;
	rig_begin();
	pid_t pid = node_start(rig_port(0), out);
	ck_assert_int_gt(pid, 0);
	ck_assert(MOCK_UNTIL(rig, over || (over = is_over(pid, &status)), WAIT_MS));
	child_read(out, output, sizeof(output));
	ck_assert_str_eq(output, expected);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(rig->n_submissions, 4);
	ck_assert_str_eq(rig->submissions[0].device, "meter-1");
	ck_assert_str_eq(rig->submissions[0].path, "hall/temperature");
	ck_assert_str_eq((const char *)rig->submissions[0].payload, "21.5");
	ck_assert_int_eq(rig->submissions[0].content_format, 0);
	ck_assert_uint_eq(rig->submissions[2].method, TG_METHOD_PATCH);
	ck_assert_uint_eq(rig->submissions[3].payload_size, BODY);
	ck_assert_int_ge(mock_counter(rig, "requests"), BODY / 256); /* it came in pieces */
	rig_teardown();
}
END_TEST

static bool node_install(void)
{
	const char *build = getenv("TG_BUILD");

	snprintf(folder, sizeof(folder), "%s/tests/adapter/node", build ? build : ".");
	if (setenv("TG_NODE", folder, 1) == 0 && system(install) == 0)
		return true;
	fprintf(stderr, "SKIPPED: node-coap cannot be had here (node, npm and the network are needed)\n");
	return false;
}

int main(void)
{
	Suite *suite = suite_create("coap_node");
	TCase *tcase = tcase_create("all");

	if (!node_install())
		return 77; /* skipped, for automake */
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, requests);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
