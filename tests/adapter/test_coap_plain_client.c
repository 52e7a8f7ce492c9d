/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Listeners at coap:// with clients that are not ours: coap-client-notls of libcoap, and aiocoap for Python. A client that is not here
 * is skipped, and the test says so.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "coap_rig.h"

enum { WAIT_MS = 60000, BODY = 5000, COMMAND_MAX = 1024 };

static char output[8192];

static bool is_here(const char *what, const char *command)
{
	if (system(command) == 0)
		return true;
	fprintf(stderr, "SKIPPED: no %s here\n", what);
	return false;
}

static void setup(void)
{
	rig_setup();
	mock_set(rig, "listen", "coap://127.0.0.1:0");
	mock_set(rig, "insecure", "true");
	mock_set(rig, "insecure_device", "meter-1");
	mock_set(rig, "readings", NULL); /* the list of links is short */
	rig->accept_all = true;
	rig_begin();
}

/* A line for the shell; what it writes is in `output`. */
static void run(const char *command)
{
	char file[] = "/tmp/tidegate-test-XXXXXX";
	int out = mkstemp(file), status = -1;
	bool ended = false;

	ck_assert_int_ge(out, 0);
	unlink(file);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	ck_assert(MOCK_UNTIL(rig, ended || (ended = waitpid(pid, &status, WNOHANG) == pid), WAIT_MS));
	child_read(out, output, sizeof(output));
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: %s", command, output);
}

static void run_notls(const char *arguments, const char *path)
{
	char command[COMMAND_MAX];

	snprintf(command, sizeof(command), "exec coap-client-notls -B 10 -v 6 %s 'coap://127.0.0.1:%u/%s'", arguments,
		 rig_port(0), path);
	run(command);
}

START_TEST(libcoap)
{
	if (!is_here("coap-client-notls", "command -v coap-client-notls >/dev/null"))
		return;
	run_notls("-m post -t text/plain -e 21.5", "hall/temperature");
	ck_assert_msg(strstr(output, "2.04"), "%s", output);
	run_notls("-m get", ".well-known/core");
	ck_assert_msg(strstr(output, "</.well-known/core>;ct=40"), "%s", output);
	run_notls("-N -m put -e x", "a/b");
	run_notls("-m delete", "a");
	ck_assert_msg(strstr(output, "4.05"), "%s", output);
	ck_assert_uint_eq(rig->n_submissions, 2);
	ck_assert_str_eq(rig->submissions[0].device, "meter-1");
	ck_assert_str_eq(rig->submissions[0].path, "hall/temperature");
	ck_assert_str_eq((const char *)rig->submissions[0].payload, "21.5");
	ck_assert_str_eq(rig->submissions[1].path, "a/b");
}
END_TEST

START_TEST(aiocoap)
{
	static const char expected[] = "post 2.04 \n"
				       "put 2.04 \n"
				       "fetch 4.05 \n"
				       "delete 4.05 \n"
				       "links 2.05 </.well-known/core>;ct=40\n"
				       "whole 2.05 </>;rt=\"tidegate.readings\";title=\"POST or PUT a reading to any "
				       "path\",</.well-known/core>;ct=40\n"
				       "body 2.04 \n";
	char command[COMMAND_MAX];

	if (!is_here("aiocoap", "python3 -c 'import aiocoap' 2>/dev/null"))
		return;
	snprintf(command, sizeof(command), "exec python3 \"$TG_SOURCE/tests/adapter/aiocoap_client.py\" %u",
		 rig_port(0));
	run(command);
	ck_assert_str_eq(output, expected);
	ck_assert_uint_eq(rig->n_submissions, 3);
	ck_assert_str_eq(rig->submissions[0].device, "meter-1");
	ck_assert_uint_eq(rig->submissions[2].payload_size, BODY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_plain_client");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, rig_teardown);
	tcase_set_timeout(tcase, 240);
	tcase_add_test(tcase, libcoap);
	tcase_add_test(tcase, aiocoap);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
