/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "mqtt_peer.h"
#include "mqtt_rig.h"

/* Whatever the adapter has sent until now the broker has read, and what it answered is there. */
static void settle_with_broker(void)
{
	mock_settle(mock);
	peer_say(&broker, "elsewhere", "");
	mock_settle(mock);
}

START_TEST(without_routes_there_is_no_second_connection)
{
	broker_start(&broker);
	rig_begin();
	mock_settle(mock);
	ck_assert_int_eq(mock_counter(mock, "receiving"), 0);
	ck_assert_uint_eq(mock_logged(mock, "receiving from"), 0);
	ck_assert_uint_eq(mock->n_sessions, 1);
}
END_TEST

START_TEST(a_message_comes_in_with_its_properties)
{
	const struct mock_submission *s;
	uint8_t correlation[1024] = {0, 1, 0, 255};

	broker_start(&broker);
	rig_receive("hall/*/command/**");
	ck_assert_uint_eq(mock->n_sessions, 2);
	peer_publish(&broker, &(struct peer_message){.topic = "hall/pump%7/command/valve/1",
						     .payload = bytes_text("{\"v\":1}"),
						     .method = "put",
						     .content_type = "Application/JSON",
						     .reply_to = "answers/me",
						     .correlation = bytes_of(correlation, sizeof(correlation)),
						     .expiry_s = 1000,
						     .qos = 1});
	s = rig_expect_submission(1, "hall/pump%257/command/valve/1", "{\"v\":1}");
	ck_assert_uint_eq(s->kind, TG_TELEMETRY);
	ck_assert_uint_eq(s->method, TG_METHOD_PUT);
	ck_assert_int_eq(s->content_format, 50);
	ck_assert_str_eq(s->reply_to, "answers/me");
	ck_assert_uint_eq(s->correlation_size, sizeof(correlation));
	ck_assert_mem_eq(s->correlation, correlation, sizeof(correlation));
	ck_assert(s->expiry_s > 950 && s->expiry_s <= 1000);
	ck_assert(!s->repeated);
	ck_assert_int_eq(mock_counter(mock, "acknowledged"), 0);
	ck_assert_int_eq(mock_counter(mock, "waiting"), 1);
	mock_accept(mock, s->token);
	rig_expect_counter("acknowledged", 1);
	ck_assert_int_eq(mock_counter(mock, "waiting"), 0);
	peer_publish(&broker, &(struct peer_message){
				      .topic = "hall/x/command/y", .payload = bytes_text("t"), .utf8 = true, .qos = 2});
	s = rig_expect_submission(2, "hall/x/command/y", "t");
	ck_assert_int_eq(s->content_format, 0);
	ck_assert_uint_eq(s->method, TG_METHOD_NONE);
	ck_assert_uint_eq(s->correlation_size, 0);
	ck_assert_uint_eq(s->expiry_s, 0);
	mock_refuse(mock, s->token, TG_NOT_ALLOWED);
	rig_expect_counter("acknowledged", 2);
	ck_assert_int_eq(mock_counter(mock, "refused"), 1);
}
END_TEST

/* What the broker gives is bounded by what is not acknowledged: a proof that nothing is before its verdict. */
START_TEST(nothing_is_acknowledged_before_its_verdict)
{
	char text[16];

	mock_set(mock, "receive_window", "3");
	broker_start(&broker);
	rig_receive("a/**");
	for (int i = 0; i < 6; i++) {
		snprintf(text, sizeof(text), "%d", i);
		peer_say(&broker, "a/b", text);
	}
	rig_expect_submission(3, "a/b", "2");
	settle_with_broker();
	ck_assert_uint_eq(mock->n_submissions, 3);
	/* Out of order: the first one holds the others up. */
	mock_accept(mock, mock->submissions[2].token);
	mock_accept(mock, mock->submissions[1].token);
	settle_with_broker();
	ck_assert_int_eq(mock_counter(mock, "acknowledged"), 0);
	ck_assert_uint_eq(mock->n_submissions, 3);
	mock_accept(mock, mock->submissions[0].token);
	ck_assert_int_eq(mock_counter(mock, "acknowledged"), 3);
	rig_expect_submission(6, "a/b", "5");
	for (int i = 3; i < 6; i++)
		mock_accept(mock, mock->submissions[i].token);
	rig_expect_counter("acknowledged", 6);
}
END_TEST

/* In a process of its own, which dies with SIGKILL once the condition holds. */
static void die_with_one(bool accepted)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		/* A loop does not survive a fork. */
		if (mock_host_new(mock_adapter("mqtt"), &mock) < 0)
			_exit(1);
		rig_set_defaults();
		rig_receive("a/**");
		peer_say(&broker, "a/b", "once");
		rig_expect_submission(1, "a/b", "once");
		if (accepted)
			mock_accept(mock, mock->submissions[0].token);
		settle_with_broker();
		kill(getpid(), SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(a_kill_before_the_verdict_loses_nothing)
{
	const struct mock_submission *s;

	broker_start(&broker);
	die_with_one(false);
	rig_receive("a/**");
	s = rig_expect_submission(1, "a/b", "once");
	ck_assert(s->repeated);
	ck_assert_uint_eq(mock_logged(mock, "session resumed"), 1);
	mock_accept(mock, s->token);
	rig_expect_counter("acknowledged", 1);
}
END_TEST

START_TEST(a_kill_behind_the_verdict_repeats_nothing)
{
	broker_start(&broker);
	die_with_one(true);
	rig_receive("a/**");
	peer_say(&broker, "a/b", "another");
	rig_expect_submission(1, "a/b", "another");
	mock_settle(mock);
	ck_assert_uint_eq(mock->n_submissions, 1);
}
END_TEST

START_TEST(what_comes_while_the_gateway_is_away_is_kept)
{
	broker_start(&broker);
	rig_receive("a/**");
	mock_stop(mock);
	ck_assert(MOCK_UNTIL(mock, mock->stopped, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "receiving"), 0);
	mock_host_free(mock);
	peer_say(&broker, "a/b", "kept");
	ck_assert_int_eq(mock_host_new(mock_adapter("mqtt"), &mock), 0);
	rig_set_defaults();
	rig_receive("a/**");
	ck_assert(!rig_expect_submission(1, "a/b", "kept")->repeated);
}
END_TEST

START_TEST(what_is_not_taken_now_is_handed_in_again)
{
	static const enum tg_verdict verdicts[] = {TG_FULL, TG_UNAVAILABLE};
	struct tg_answer later = {.verdict = verdicts[_i], .max_age_s = 1};

	broker_start(&broker);
	rig_receive("a/**");
	peer_say(&broker, "a/b", "1");
	rig_expect_submission(1, "a/b", "1");
	mock_answer(mock, mock->submissions[0].token, &later);
	/* A younger one of the same topic does not overtake it, others do. */
	peer_say(&broker, "a/b", "2");
	peer_say(&broker, "a/c", "3");
	rig_expect_submission(2, "a/c", "3");
	mock_accept(mock, mock->submissions[1].token);
	rig_expect_submission(3, "a/b", "1");
	ck_assert_int_eq(mock->submissions[2].repeated, verdicts[_i] == TG_UNAVAILABLE);
	ck_assert_int_eq(mock_counter(mock, "acknowledged"), 0);
	mock_accept(mock, mock->submissions[2].token);
	rig_expect_submission(4, "a/b", "2");
	mock_accept(mock, mock->submissions[3].token);
	rig_expect_counter("acknowledged", 3);
	ck_assert_int_eq(mock_counter(mock, "received"), 3);
	ck_assert_int_eq(mock_counter(mock, "refused"), 0);
}
END_TEST

START_TEST(a_host_without_room_is_asked_again)
{
	broker_start(&broker);
	rig_receive("a/**");
	mock->submit_error = -ENOBUFS;
	peer_say(&broker, "a/b", "1");
	rig_expect_counter("waiting", 1);
	mock->submit_error = 0;
	rig_expect_submission(1, "a/b", "1");
	mock_accept(mock, mock->submissions[0].token);
	rig_expect_counter("acknowledged", 1);
}
END_TEST

/* The same session goes on behind the broker's restart: what was handed in already is not handed in twice. */
START_TEST(a_broker_that_goes_and_comes_back)
{
	int64_t again;

	snprintf(broker.extra, sizeof(broker.extra), "persistence true\npersistence_location %s\n", broker_file(""));
	broker_start(&broker);
	rig_receive("a/**");
	peer_say(&broker, "a/b", "1");
	peer_say(&broker, "a/b", "2");
	rig_expect_submission(2, "a/b", "2");
	broker_stop(&broker, SIGTERM);
	rig_expect_counter("receiving", 0);
	mock_accept(mock, mock->submissions[0].token);
	broker_start(&broker);
	rig_expect_subscriptions(1);
	rig_expect_counter("received_again", 2);
	rig_expect_counter("acknowledged", 1);
	again = mock_counter(mock, "received");
	mock_accept(mock, mock->submissions[1].token);
	rig_expect_counter("acknowledged", 2);
	ck_assert_int_eq(again, 2);
	peer_say(&broker, "a/b", "3");
	rig_expect_submission(3, "a/b", "3");
	ck_assert_uint_eq(mock->n_submissions, 3);
}
END_TEST

START_TEST(keep_alive_goes_on_while_a_verdict_is_due)
{
	int64_t until_us;

	mock_set(mock, "keepalive_s", "10");
	broker_start(&broker);
	rig_receive("a/**");
	peer_say(&broker, "a/b", "1");
	rig_expect_submission(1, "a/b", "1");
	/* The broker gives a silent client one and a half times as long. */
	until_us = mock->now_us + INT64_C(22000000);
	ck_assert(MOCK_UNTIL(mock, mock->now_us >= until_us, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "receiving from"), 1);
	ck_assert_int_eq(mock_counter(mock, "receiving"), 1);
	mock_accept(mock, mock->submissions[0].token);
	peer_say(&broker, "a/b", "2");
	rig_expect_submission(2, "a/b", "2");
	ck_assert_uint_eq(mock_logged(mock, "receiving from"), 1);
}
END_TEST

START_TEST(a_reload_changes_what_is_subscribed_to)
{
	broker_start(&broker);
	rig_receive("a/**");
	mock_clear_routes(mock);
	mock_add_route(mock, "b/*");
	mock_add_route(mock, "c/d");
	mock_add_route(mock, "c/*"); /* covers the one before */
	mock_add_route(mock, "e+f/x");
	ck_assert_int_eq(mock_reload(mock), 0);
	rig_expect_subscriptions(2);
	ck_assert_uint_eq(mock_logged(mock, "not subscribed to"), 1);
	peer_say(&broker, "a/b", "not any more");
	peer_say(&broker, "c/d", "once");
	peer_say(&broker, "b/x", "and this");
	rig_expect_submission(1, "c/d", "once");
	rig_expect_submission(2, "b/x", "and this");
	ck_assert_uint_eq(mock->n_submissions, 2);
	ck_assert_uint_eq(mock_logged(mock, "receiving from"), 1);
	/* Nothing at all: no connection, and no session left behind. */
	mock_clear_routes(mock);
	ck_assert_int_eq(mock_reload(mock), 0);
	rig_expect_counter("receiving", 0);
	peer_say(&broker, "b/x", "nobody is there");
	mock_add_route(mock, "b/*");
	ck_assert_int_eq(mock_reload(mock), 0);
	rig_expect_subscriptions(1);
	ck_assert_uint_eq(mock_logged(mock, "new session"), 2);
	peer_say(&broker, "b/y", "back");
	rig_expect_submission(3, "b/y", "back");
	/* The connection that publishes is none the wiser. */
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

START_TEST(a_stop_waits_for_the_verdicts)
{
	broker_start(&broker);
	rig_receive("a/**");
	peer_say(&broker, "a/b", "1");
	rig_expect_submission(1, "a/b", "1");
	mock_stop(mock);
	mock_settle(mock);
	ck_assert(!mock->stopped);
	mock_accept(mock, mock->submissions[0].token);
	ck_assert(MOCK_UNTIL(mock, mock->stopped, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "acknowledged"), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mqtt source");
	TCase *tcase = tcase_create("mqtt source");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
	tcase_add_test(tcase, without_routes_there_is_no_second_connection);
	tcase_add_test(tcase, a_message_comes_in_with_its_properties);
	tcase_add_test(tcase, nothing_is_acknowledged_before_its_verdict);
	tcase_add_test(tcase, a_kill_before_the_verdict_loses_nothing);
	tcase_add_test(tcase, a_kill_behind_the_verdict_repeats_nothing);
	tcase_add_test(tcase, what_comes_while_the_gateway_is_away_is_kept);
	tcase_add_loop_test(tcase, what_is_not_taken_now_is_handed_in_again, 0, 2);
	tcase_add_test(tcase, a_host_without_room_is_asked_again);
	tcase_add_test(tcase, a_broker_that_goes_and_comes_back);
	tcase_add_test(tcase, keep_alive_goes_on_while_a_verdict_is_due);
	tcase_add_test(tcase, a_reload_changes_what_is_subscribed_to);
	tcase_add_test(tcase, a_stop_waits_for_the_verdicts);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
