/* SPDX-License-Identifier: Apache-2.0 */

/* The adapter with clients that are not ours: those of libcoap, with OpenSSL and with GnuTLS. */

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "coap_rig.h"

enum { ARGUMENTS_MAX = 20, WAIT_MS = 60000, PAYLOAD = 20000 };

static const char *const clients[] = {"coap-client-openssl", "coap-client-gnutls"};

enum { CLIENTS = sizeof(clients) / sizeof(clients[0]) };

static const char *client;
static char output[8192];

/* Whether there is this client; where not, it is said. */
static bool use_client(int place)
{
	char command[128];

	client = clients[place];
	snprintf(command, sizeof(command), "command -v %s >/dev/null", client);
	if (system(command) == 0)
		return true;
	fprintf(stderr, "SKIPPED: no %s here\n", client);
	return false;
}

static void setup(void)
{
	rig_setup();
	rig->accept_all = true;
	rig_begin();
}

/* Runs the client with these arguments (NULL behind the last) and the PSK of sensor-1; its output is in `output`. */
static void run(const char *path, const char *const *arguments)
{
	const char *list[ARGUMENTS_MAX] = {client, "-u", "sensor-1", "-k", RIG_KEY, "-B", "10"};
	char uri[128], file[] = "/tmp/tidegate-test-XXXXXX";
	int out = mkstemp(file), status, at = 7;

	ck_assert_int_ge(out, 0);
	unlink(file);
	for (; *arguments; arguments++)
		list[at++] = *arguments;
	snprintf(uri, sizeof(uri), "coaps://127.0.0.1:%u/%s", rig_port(0), path);
	list[at] = uri;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execvp(list[0], (char *const *)(uintptr_t)list);
		_exit(127);
	}
	bool ended = false;
	ck_assert(MOCK_UNTIL(rig, ended || (ended = waitpid(pid, &status, WNOHANG) == pid), WAIT_MS));
	child_read(out, output, sizeof(output));
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: %s", client, output);
}

START_TEST(a_reading)
{
	const char *const arguments[] = {"-m", "post", "-t", "text/plain", "-e", "21.5", "-v", "6", NULL};

	if (!use_client(_i))
		return;
	run("hall/temperature", arguments);
	ck_assert_uint_eq(rig->n_submissions, 1);
	ck_assert_str_eq(rig->submissions[0].device, "device-1");
	ck_assert_str_eq(rig->submissions[0].path, "hall/temperature");
	ck_assert_str_eq((const char *)rig->submissions[0].payload, "21.5");
	ck_assert_int_eq(rig->submissions[0].content_format, 0);
	ck_assert_msg(strstr(output, "2.04"), "%s", output);
}
END_TEST

START_TEST(a_reading_that_nobody_waits_for)
{
	const char *const arguments[] = {"-N", "-m", "put", "-e", "x", NULL};

	if (!use_client(_i))
		return;
	run("a%2Fb/c", arguments);
	ck_assert_uint_eq(rig->n_submissions, 1);
	ck_assert_str_eq(rig->submissions[0].path, "a%2Fb/c");
}
END_TEST

START_TEST(a_payload_in_blocks)
{
	static uint8_t payload[PAYLOAD];
	char file[] = "/tmp/tidegate-test-XXXXXX";
	int fd = mkstemp(file);

	if (!use_client(_i))
		return;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)('a' + i % 26);
	ck_assert_int_eq(write(fd, payload, sizeof(payload)), sizeof(payload));
	close(fd);
	const char *const whole[] = {"-m", "put", "-f", file, "-v", "6", NULL};
	run("big", whole);
	const char *const small[] = {"-m", "put", "-b", "256", "-f", file, NULL};
	run("big", small);
	unlink(file);
	ck_assert_uint_eq(rig->n_submissions, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(rig->submissions[i].payload_size, sizeof(payload));
		ck_assert_mem_eq(rig->submissions[i].payload, payload, sizeof(payload));
	}
}
END_TEST

START_TEST(the_links)
{
	const char *const whole[] = {"-m", "get", NULL};
	const char *const pieces[] = {"-m", "get", "-b", "16", NULL};

	if (!use_client(_i))
		return;
	run(".well-known/core", whole);
	ck_assert_msg(strstr(output, "</>;"), "%s", output);
	run(".well-known/core", pieces);
	ck_assert_msg(strstr(output, "</>;") && strstr(output, "</.well-known/core>;ct=40"), "%s", output);
	run(".well-known/core?rt=tidegate*", whole);
	ck_assert_msg(strstr(output, "</>;") && !strstr(output, "</.well-known/core>"), "%s", output);
	run("elsewhere", whole);
	ck_assert_msg(strstr(output, "4.05"), "%s", output);
}
END_TEST

START_TEST(patches)
{
	const char *const patch[] = {"-m", "patch", "-e", "1", "-v", "6", NULL};
	const char *const ipatch[] = {"-m", "ipatch", "-e", "2", "-v", "6", NULL};

	if (!use_client(_i))
		return;
	run("a", patch);
	ck_assert_msg(strstr(output, "2.04"), "%s", output);
	run("a", ipatch);
	ck_assert_uint_eq(rig->n_submissions, 2);
	ck_assert_uint_eq(rig->submissions[0].method, TG_METHOD_PATCH);
	ck_assert_uint_eq(rig->submissions[1].method, TG_METHOD_IPATCH);
}
END_TEST

/* Options by number: No-Response for 2.xx, a hop limit, a critical one that nobody knows. */
START_TEST(options_of_any_number)
{
	const char *const unwanted[] = {"-m", "post", "-e", "1", "-v", "6", "-O", "258,0x02", "-B", "2", NULL};
	const char *const hops[] = {"-m", "post", "-e", "1", "-O", "16,0x00", NULL};
	const char *const unknown[] = {"-m", "post", "-e", "1", "-O", "65001,x", NULL};

	if (!use_client(_i))
		return;
	run("a", unwanted);
	ck_assert_msg(!strstr(output, "2.04"), "%s", output);
	ck_assert_int_eq(mock_counter(rig, "responses_unwanted"), 1);
	run("a", hops);
	ck_assert_msg(strstr(output, "4.00"), "%s", output);
	run("a", unknown);
	ck_assert_msg(strstr(output, "4.02") && strstr(output, "option 65001"), "%s", output);
	ck_assert_uint_eq(rig->n_submissions, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_client");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, rig_teardown);
	tcase_set_timeout(tcase, 240);
	tcase_add_loop_test(tcase, a_reading, 0, CLIENTS);
	tcase_add_loop_test(tcase, a_reading_that_nobody_waits_for, 0, CLIENTS);
	tcase_add_loop_test(tcase, a_payload_in_blocks, 0, CLIENTS);
	tcase_add_loop_test(tcase, the_links, 0, CLIENTS);
	tcase_add_loop_test(tcase, patches, 0, CLIENTS);
	tcase_add_loop_test(tcase, options_of_any_number, 0, CLIENTS);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
