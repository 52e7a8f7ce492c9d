/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/control.h"

static char folder[64];
static char path[96];
static struct loop *loop;
static struct control *control;
static struct control_call *kept;
static struct loop_io *watch;
static bool turned_away;
static char got[1 << 17];
static size_t n_got;

static void echo(void *arg, struct control_call *call, const json_t *request)
{
	(void)arg;
	control_reply(call, json_incref(json_object_get(request, "text")));
}

static void keep(void *arg, struct control_call *call, const json_t *request)
{
	(void)arg;
	(void)request;
	kept = call;
	loop_exit(loop, 0);
}

static void give_up(void *arg, struct control_call *call, const json_t *request)
{
	(void)arg;
	(void)request;
	control_fail(call, "failed", "because of %d", 7);
}

static void tail(void *arg, struct control_call *call, const json_t *request)
{
	(void)arg;
	control_stream(call, json_string_value(json_object_get(request, "device")));
}

/* More than a page of errors, cut within a character. */
static void give_up_at_length(void *arg, struct control_call *call, const json_t *request)
{
	(void)arg;
	(void)request;
	control_fail(call, "failed", "%*s%s", 5000, "", "\xc3\xa4\xc3");
}

static const struct control_command commands[] = {{"echo", echo},    {"keep", keep},
						  {"fail", give_up}, {"fail-long", give_up_at_length},
						  {"tail", tail},    {NULL, NULL}};

static bool turn_away(void *arg, pid_t pid)
{
	(void)arg;
	ck_assert_int_eq(pid, getpid());
	return turned_away;
}

static void set_up(void)
{
	turned_away = false;
	kept = NULL;
	snprintf(folder, sizeof(folder), "%s", "/tmp/tidegate-control-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/control.sock", folder);
	ck_assert_int_ge(loop_new(&loop), 0);
	ck_assert_int_ge(control_new(loop, path, commands, turn_away, NULL, &control), 0);
}

static void tear_down(void)
{
	control_free(control);
	loop_free(loop);
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_eq(rmdir(folder), 0);
}

static int open_client(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void on_client(void *arg, int fd, uint32_t ready)
{
	ssize_t n = recv(fd, got + n_got, sizeof(got) - 1 - n_got, MSG_DONTWAIT);

	(void)arg;
	(void)ready;
	n_got += n > 0 ? (size_t)n : 0;
	got[n_got] = 0;
	if (n <= 0 || got[n_got - 1] == '\n')
		loop_exit(loop, 0);
}

/* Runs the gateway's side until the client has a whole line, or the end. */
static const char *await_line(int fd)
{
	n_got = 0;
	got[0] = 0;
	ck_assert_int_ge(loop_io_new(loop, fd, LOOP_READABLE, on_client, NULL, &watch), 0);
	ck_assert_int_eq(loop_run(loop), 0);
	loop_io_free(watch);
	return got;
}

static void say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

START_TEST(answers)
{
	int fd = open_client();
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0660);
	say(fd, "{\"command\":\"echo\",\"text\":\"a\"}\n");
	ck_assert_str_eq(await_line(fd), "{\"ok\":true,\"result\":\"a\"}\n");
	say(fd, "{\"command\":\"fail\"}\n");
	ck_assert_str_eq(await_line(fd), "{\"ok\":false,\"code\":\"failed\",\"error\":\"because of 7\"}\n");
	close(fd);
}
END_TEST

START_TEST(answers_one_after_the_other)
{
	int fd = open_client();

	say(fd, "{\"command\":\"echo\",\"text\":\"a\"}\n{\"command\":\"ec");
	ck_assert_str_eq(await_line(fd), "{\"ok\":true,\"result\":\"a\"}\n");
	say(fd, "ho\",\"text\":\"b\"}\n");
	ck_assert_str_eq(await_line(fd), "{\"ok\":true,\"result\":\"b\"}\n");
	close(fd);
}
END_TEST

static const char *const bad[] = {"\n",
				  "nonsense\n",
				  "[]\n",
				  "{}\n",
				  "{\"command\":7}\n",
				  "{\"command\":\"x\"}\n",
				  "{\"command\":\"echo\",\"command\":\"echo\"}\n"};

START_TEST(says_what_is_wrong_with_a_request)
{
	int fd = open_client();

	say(fd, bad[_i]);
	ck_assert_ptr_nonnull(strstr(await_line(fd), "{\"ok\":false,\"code\":\"invalid\",\"error\":"));
	say(fd, "{\"command\":\"echo\",\"text\":\"still here\"}\n");
	ck_assert_ptr_nonnull(strstr(await_line(fd), "still here"));
	close(fd);
}
END_TEST

START_TEST(hangs_up_on_a_request_without_end)
{
	char *huge = malloc(200 * 1024);
	int fd = open_client();

	memset(huge, 'x', 200 * 1024);
	ck_assert_int_gt(send(fd, huge, 200 * 1024, MSG_DONTWAIT), 64 * 1024);
	ck_assert_str_eq(await_line(fd), "");
	close(fd);
	free(huge);
}
END_TEST

START_TEST(outlives_a_client_that_goes_before_its_answer)
{
	int fd = open_client(), other = open_client();

	say(fd, "{\"command\":\"keep\"}\n");
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_ptr_nonnull(kept);
	close(fd);
	say(other, "{\"command\":\"echo\",\"text\":\"b\"}\n");
	await_line(other);
	control_reply(kept, json_true());
	close(other);
}
END_TEST

START_TEST(streams_to_those_who_watch)
{
	int all = open_client(), one = open_client();

	ck_assert(!control_has_streams(control));
	say(all, "{\"command\":\"tail\"}\n");
	await_line(all);
	say(one, "{\"command\":\"tail\",\"device\":\"b\"}\n");
	await_line(one);
	ck_assert(control_has_streams(control));
	control_publish(control, "a", json_pack("{s:i}", "n", 1));
	control_publish(control, "b", json_pack("{s:i}", "n", 2));
	ck_assert_str_eq(await_line(all), "{\"event\":{\"n\":1}}\n{\"event\":{\"n\":2}}\n");
	ck_assert_str_eq(await_line(one), "{\"event\":{\"n\":2}}\n");
	close(all);
	close(one);
}
END_TEST

START_TEST(tells_all_of_a_long_error)
{
	int fd = open_client();

	say(fd, "{\"command\":\"fail-long\"}\n");
	ck_assert_uint_gt(strlen(await_line(fd)), 5000);
	ck_assert_ptr_nonnull(strstr(got, "  \xc3\xa4\"}\n"));
	close(fd);
}
END_TEST

START_TEST(makes_text_of_what_is_not_utf8)
{
	json_t *text = control_text((struct tg_bytes){"\xff after all", 11});

	ck_assert_str_eq(json_string_value(text), "(not UTF-8)");
	json_decref(text);
	text = control_text((struct tg_bytes){NULL, 0});
	ck_assert_str_eq(json_string_value(text), "");
	json_decref(text);
}
END_TEST

/* Its requests are not even read: one under way could not tell its answer from an event. */
START_TEST(takes_no_request_from_a_watcher)
{
	int fd = open_client();

	say(fd, "{\"command\":\"tail\"}\n{\"command\":\"keep\"}\n");
	await_line(fd);
	say(fd, "{\"command\":\"keep\"}\n");
	control_publish(control, NULL, json_pack("{s:i}", "n", 1));
	ck_assert_str_eq(await_line(fd), "{\"event\":{\"n\":1}}\n");
	ck_assert_ptr_null(kept);
	close(fd);
}
END_TEST

/* A watcher that does not read costs a bounded amount, and is told what it missed. */
START_TEST(leaves_out_what_a_slow_watcher_cannot_take)
{
	char *text = calloc(1, 4096);
	int fd = open_client();

	memset(text, 'x', 4095);
	say(fd, "{\"command\":\"tail\"}\n");
	await_line(fd);
	for (int i = 0; i < 2000; i++)
		control_publish(control, NULL, json_pack("{s:s}", "text", text));
	for (int i = 0; i < 10000 && !strstr(got, "\"missed\""); i++) {
		n_got = 0;
		await_line(fd);
		control_publish(control, NULL, json_pack("{s:s}", "text", "later"));
	}
	ck_assert_ptr_nonnull(strstr(got, "\"what\":\"missed\",\"count\":"));
	close(fd);
	free(text);
}
END_TEST

START_TEST(turns_endpoint_processes_away)
{
	int fd;

	turned_away = true;
	fd = open_client();
	ck_assert_str_eq(await_line(fd), "");
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("control");
	TCase *tcase = tcase_create("socket");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, answers);
	tcase_add_test(tcase, answers_one_after_the_other);
	tcase_add_loop_test(tcase, says_what_is_wrong_with_a_request, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tcase, hangs_up_on_a_request_without_end);
	tcase_add_test(tcase, outlives_a_client_that_goes_before_its_answer);
	tcase_add_test(tcase, streams_to_those_who_watch);
	tcase_add_test(tcase, leaves_out_what_a_slow_watcher_cannot_take);
	tcase_add_test(tcase, tells_all_of_a_long_error);
	tcase_add_test(tcase, makes_text_of_what_is_not_utf8);
	tcase_add_test(tcase, takes_no_request_from_a_watcher);
	tcase_add_test(tcase, turns_endpoint_processes_away);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
