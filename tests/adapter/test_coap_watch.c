/* SPDX-License-Identifier: Apache-2.0 */

/* Last readings, got and observed by clients that are not ours: those of libcoap, with OpenSSL and with GnuTLS. */

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coap_rig.h"

enum { ARGUMENTS_MAX = 24, WAIT_MS = 90000, LARGE = 3000 };

static const char *const clients[] = {"coap-client-openssl", "coap-client-gnutls"};

enum { CLIENTS = sizeof(clients) / sizeof(clients[0]) };

static const char *client;
static pid_t pid;
static int out = -1;
static char output[65536];

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
	char file[] = "/tmp/tidegate-test-XXXXXX";

	rig_setup();
	rig_begin();
	out = mkstemp(file);
	ck_assert_int_ge(out, 0);
	unlink(file);
}

static void teardown(void)
{
	close(out);
	rig_teardown();
}

/* Begins the client with these arguments (NULL behind the last) and the PSK of sensor-1. */
static void begin(const char *path, const char *const *arguments)
{
	const char *list[ARGUMENTS_MAX] = {client, "-u", "sensor-1", "-k", RIG_KEY, "-v", "6", "-B", "60"};
	char uri[128];
	int at = 9;

	for (; *arguments; arguments++)
		list[at++] = *arguments;
	snprintf(uri, sizeof(uri), "coaps://127.0.0.1:%u/%s", rig_port(0), path);
	list[at] = uri;
	pid = fork();
	if (pid == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execvp(list[0], (char *const *)(uintptr_t)list);
		_exit(127);
	}
}

static bool has_said(const char *text)
{
	ssize_t size = pread(out, output, sizeof(output) - 1, 0);

	output[size > 0 ? size : 0] = '\0';
	return strstr(output, text) != NULL;
}

static void wait_for(const char *text)
{
	ck_assert_msg(MOCK_UNTIL(rig, has_said(text), WAIT_MS), "%s did not say '%s': %s", client, text, output);
}

static void wait_for_end(void)
{
	bool ended = false;
	int status;

	ck_assert(MOCK_UNTIL(rig, ended || (ended = waitpid(pid, &status, WNOHANG) == pid), WAIT_MS));
	has_said("");
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: %s", client, output);
}

static void wait_for_read(size_t count)
{
	ck_assert_msg(MOCK_UNTIL(rig, rig->n_reads >= count, WAIT_MS), "%s: %s", client, output);
	ck_assert_uint_eq(rig->n_reads, count);
	ck_assert_str_eq(rig->reads[count - 1].reader, "device-1");
	ck_assert_str_eq(rig->reads[count - 1].device, "device-2");
	ck_assert_str_eq(rig->reads[count - 1].path, "hall/temperature");
}

static void answer(size_t read, uint64_t etag, const char *text)
{
	const struct tg_reading reading = {
		.verdict = TG_ACCEPTED,
		.last = !rig->reads[read - 1].observe,
		.content_format = 0,
		.payload = {text, strlen(text)},
		.etag = etag,
		.max_age_s = 60,
	};

	mock_reading(rig, read - 1, &reading);
}

static void refuse(size_t read, enum tg_verdict verdict)
{
	const struct tg_reading reading = {.verdict = verdict, .last = true, .content_format = TG_FORMAT_NONE};

	mock_reading(rig, read - 1, &reading);
}

/* The client cancels when its time is over (Observe 1), and does not always wait for the answer. */
static void wait_for_cancellation(const char *text)
{
	ck_assert(MOCK_UNTIL(rig, rig->n_reads == 2, WAIT_MS));
	ck_assert(!rig->reads[1].observe);
	ck_assert(rig->reads[0].ended);
	if (!rig->reads[1].ended)
		answer(2, 3, text);
	wait_for_end();
}

START_TEST(a_reading_is_got)
{
	const char *const arguments[] = {"-m", "get", NULL};

	if (!use_client(_i))
		return;
	begin("readings/device-2/hall/temperature", arguments);
	wait_for_read(1);
	ck_assert(!rig->reads[0].observe);
	answer(1, 0xabcd, "only 21.5");
	wait_for_end();
	ck_assert_msg(strstr(output, "only 21.5") && strstr(output, "ETag:0xabcd") && strstr(output, "Max-Age:60"),
		      "%s", output);
}
END_TEST

START_TEST(a_reading_that_is_known_or_not_allowed)
{
	const char *const known[] = {"-m", "get", "-O", "4,0xabcd", NULL};
	const char *const any[] = {"-m", "get", NULL};

	if (!use_client(_i))
		return;
	begin("readings/device-2/hall/temperature", known);
	wait_for_read(1);
	answer(1, 0xabcd, "only 21.5");
	wait_for_end();
	ck_assert_msg(strstr(output, "2.03") && !strstr(output, "only 21.5"), "%s", output);
	begin("readings/device-2/hall/temperature", any);
	wait_for_read(2);
	refuse(2, TG_NOT_ALLOWED);
	wait_for_end();
	ck_assert_msg(strstr(output, "4.03"), "%s", output);
}
END_TEST

START_TEST(readings_are_observed)
{
	const char *const arguments[] = {"-m", "get", "-s", "6", NULL};

	if (!use_client(_i))
		return;
	begin("readings/device-2/hall/temperature", arguments);
	wait_for_read(1);
	ck_assert(rig->reads[0].observe);
	answer(1, 1, "the first");
	wait_for("the first");
	answer(1, 2, "the second");
	wait_for("the second");
	answer(1, 3, "the third");
	wait_for("the third");
	ck_assert(!rig->reads[0].ended);
	wait_for_cancellation("the third");
	ck_assert_int_eq(mock_counter(rig, "observers_reset"), 0);
	ck_assert_int_eq(mock_counter(rig, "notifications"), 2);
}
END_TEST

START_TEST(large_readings_are_observed)
{
	const char *const arguments[] = {"-m", "get", "-s", "6", NULL};
	char large[LARGE + 1];

	if (!use_client(_i))
		return;
	begin("readings/device-2/hall/temperature", arguments);
	wait_for_read(1);
	for (char letter = 'm'; letter <= 'n'; letter++) {
		memset(large, letter, LARGE);
		large[LARGE - 1] = '!';
		large[LARGE] = '\0';
		answer(1, (uint64_t)letter, large);
		large[LARGE - 1] = '\0';
		wait_for(letter == 'm' ? "mm!" : "nn!");
	}
	ck_assert_uint_eq(rig->n_reads, 1);
	wait_for_cancellation("n");
}
END_TEST

START_TEST(an_observer_is_told_that_it_is_over)
{
	const char *const arguments[] = {"-m", "get", "-s", "6", NULL};

	if (!use_client(_i))
		return;
	begin("readings/device-2/hall/temperature", arguments);
	wait_for_read(1);
	answer(1, 1, "the first");
	wait_for("the first");
	refuse(1, TG_NOT_ALLOWED);
	wait_for("4.03");
	wait_for_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_watch");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 240);
	tcase_add_loop_test(tcase, a_reading_is_got, 0, CLIENTS);
	tcase_add_loop_test(tcase, a_reading_that_is_known_or_not_allowed, 0, CLIENTS);
	tcase_add_loop_test(tcase, readings_are_observed, 0, CLIENTS);
	tcase_add_loop_test(tcase, large_readings_are_observed, 0, CLIENTS);
	tcase_add_loop_test(tcase, an_observer_is_told_that_it_is_over, 0, CLIENTS);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
