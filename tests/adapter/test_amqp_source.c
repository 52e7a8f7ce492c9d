/* SPDX-License-Identifier: Apache-2.0 */

/* The amqp adapter as a source, with a peer of Qpid Proton's that sends what it is told and says how it was settled. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "amqp_rig.h"
#include "base/bytes.h"
#include "child.h"

/* Receives from "hall", which a route takes everything from. */
static void begin(void)
{
	rig_start_peer(true);
	mock_add(mock, "sources", "hall");
	mock_add_route(mock, "hall/**");
	mock_add_route(mock, "hall");
	rig_begin();
	rig_expect("\"attached\": \"hall\"");
	rig_expect_counter("receivers", 1);
}

static void send_one(const char *message)
{
	rig_tell(child_text("{'do': 'send', 'address': 'hall', 'message': {%s}}", message));
}

START_TEST(a_message_comes_in_with_its_properties)
{
	const struct mock_submission *got;

	begin();
	send_one("'subject': 'pump-7/t%', 'body_hex': '3231', 'content_type': 'application/json', 'ttl': 90, "
		 "'reply_to': 'answers', 'correlation_id': ['str', 'job-1'], 'properties': {'method': 'PUT'}");
	got = rig_expect_submission(1, "hall/pump-7/t%25", "21");
	ck_assert_str_eq(got->device, mock->host.endpoint(&mock->host));
	ck_assert_int_eq(got->content_format, 50);
	ck_assert_uint_eq(got->method, TG_METHOD_PUT);
	ck_assert_uint_eq(got->expiry_s, 90);
	ck_assert_str_eq(got->reply_to, "answers");
	ck_assert_uint_eq(got->correlation_size, 6);
	ck_assert_mem_eq(got->correlation, "sjob-1", 6);
	ck_assert_int_eq(mock_counter(mock, "accepted"), 0);
	mock_accept(mock, got->token);
	rig_expect("\"outcome\": \"accepted\"");
	rig_expect_counter("accepted", 1);
	rig_expect_counter("waiting", 0);
}
END_TEST

START_TEST(a_string_is_text_and_an_id_stands_in_for_a_correlation)
{
	begin();
	send_one("'body': 'warm', 'id': ['ulong', '258']");
	rig_expect_submission(1, "hall", "warm");
	ck_assert_int_eq(mock->submissions[0].content_format, 0);
	ck_assert_mem_eq(mock->submissions[0].correlation, "l\0\0\0\0\0\0\1\2", 9);
}
END_TEST

START_TEST(what_is_refused_is_rejected_with_the_reason)
{
	static const struct {
		enum tg_verdict verdict;
		const char *told;
	} rows[] = {
		{TG_NO_ROUTE, "\"name\": \"amqp:not-found\""},
		{TG_NOT_ALLOWED, "\"name\": \"amqp:unauthorized-access\""},
		{TG_TOO_LARGE, "\"name\": \"amqp:link:message-size-exceeded\""},
		{TG_WRONG_FORMAT, "\"name\": \"amqp:decode-error\""},
	};

	begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		send_one("'body': 'x'");
		rig_expect_submission(i + 1, "hall", "x");
		mock_refuse(mock, mock->submissions[i].token, rows[i].verdict);
		rig_expect(rows[i].told);
	}
	rig_expect_counter("refused", 4);
}
END_TEST

/* Not settled meanwhile, and nothing of the same path overtakes it. */
START_TEST(what_is_not_taken_now_is_handed_in_again)
{
	const struct tg_answer later = {
		.size = sizeof(later), .verdict = _i == 0 ? TG_FULL : TG_TOO_FAST, .max_age_s = 1};

	begin();
	send_one("'body': 'first'");
	send_one("'body': 'second'");
	send_one("'body': 'other', 'subject': 'aside'");
	rig_expect_submission(3, "hall/aside", "other");
	mock_answer(mock, mock->submissions[0].token, &later);
	mock_answer(mock, mock->submissions[1].token, &later);
	rig_expect_submission(4, "hall", "first");
	mock_settle(mock);
	ck_assert_uint_eq(mock->n_submissions, 4);
	ck_assert_int_eq(mock_counter(mock, "accepted") + mock_counter(mock, "refused"), 0);
	mock_accept(mock, mock->submissions[3].token);
	rig_expect_submission(5, "hall", "second");
	mock_accept(mock, mock->submissions[4].token);
	mock_accept(mock, mock->submissions[2].token);
	rig_expect_counter("accepted", 3);
}
END_TEST

START_TEST(a_host_without_room_is_asked_again)
{
	begin();
	mock->submit_error = -ENOBUFS;
	send_one("'body': 'x'");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "waiting") == 1, RIG_SOON_MS));
	mock->submit_error = 0;
	rig_expect_submission(1, "hall", "x");
}
END_TEST

START_TEST(credit_is_the_window)
{
	rig_start_peer(true);
	mock_add(mock, "sources", "hall");
	mock_add_route(mock, "hall");
	mock_set(mock, "receive_window", "4");
	rig_begin();
	rig_expect("\"attached\": \"hall\"");
	rig_tell("{'do': 'send', 'address': 'hall', 'times': 50, 'message': {'body': 'x'}}");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 4, RIG_SOON_MS));
	for (size_t done = 0; done < 50; done++) {
		ck_assert(MOCK_UNTIL(mock, mock->n_submissions > done, RIG_SOON_MS));
		ck_assert_uint_le(mock->n_submissions, done + 4);
		mock_accept(mock, mock->submissions[done].token);
	}
	rig_expect_counter("accepted", 50);
}
END_TEST

START_TEST(a_large_message_comes_whole_and_a_giant_one_is_refused)
{
	rig_start_peer(true);
	mock_add(mock, "sources", "hall");
	mock_add_route(mock, "hall");
	mock->accept_all = true;
	rig_begin();
	rig_expect("\"attached\": \"hall\"");
	rig_tell("{'do': 'send', 'address': 'hall', 'message': {'size': 1048576}}");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 1, RIG_SOON_MS));
	ck_assert_uint_eq(mock->submissions[0].payload_size, 1048576);
	rig_tell("{'do': 'send', 'address': 'hall', 'message': {'size': 1048577}}");
	rig_expect("\"name\": \"amqp:decode-error\", \"text\": \"payload is too large\"");
	rig_tell("{'do': 'send', 'address': 'hall', 'message': {'size': 4000000}}");
	rig_expect("\"name\": \"amqp:link:message-size-exceeded\"");
	rig_tell("{'do': 'send', 'address': 'hall', 'times': 40, 'message': {'size': 1000000}}");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 41, RIG_SOON_MS));
	rig_expect_counter("refused", 2);
}
END_TEST

/* Header, properties, application properties, data or value, each a section of its own; cut, doubled, or something else. */
START_TEST(what_is_no_message_is_rejected)
{
	static const char *const raw[] = {
		"00",
		"ff00ff00",
		"a10378797a",               /* a string, bare */
		"005375a003",               /* data, cut short */
		"005376450053764500",       /* sequences */
		"005377c1030201a1",         /* a map, cut short */
		"005377c10100",             /* a map */
		"00537855",                 /* a footer that is none */
		"005377d0000000ffffffffff", /* a list of four thousand million */
	};

	begin();
	for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++) {
		rig_tell(child_text("{'do': 'send', 'address': 'hall', 'raw': '%s'}", raw[i]));
		rig_expect("\"outcome\": \"rejected\", \"name\": \"amqp:decode-error\"");
	}
	rig_tell("{'do': 'send', 'address': 'hall', 'raw': '005375a0023132005375a0023334'}");
	rig_expect_submission(1, "hall", "1234");
	send_one("'body': 'x', 'properties': {'method': 'BREW'}");
	rig_expect("\"text\": \"method is not known\"");
	rig_tell("{'do': 'send', 'address': 'hall', 'aborted': true, 'message': {'body': 'never'}}");
	send_one("'body': 'good'");
	rig_expect_submission(2, "hall", "good");
	ck_assert_int_eq(mock->link, TG_LINK_UP);
}
END_TEST

START_TEST(what_this_gateway_has_sent_is_ignored)
{
	begin();
	send_one(child_text("'body': 'own', 'properties': {'via': '%s-%s'}", mock->host.gateway(&mock->host),
			    mock->host.endpoint(&mock->host)));
	rig_expect("\"outcome\": \"accepted\"");
	rig_expect_counter("ignored", 1);
	ck_assert_uint_eq(mock->n_submissions, 0);
}
END_TEST

/* Refused, ignored or taken back in the middle of others: none of them is passed over. */
START_TEST(each_of_those_that_come_at_once_is_settled)
{
	begin();
	rig_tell("{'do': 'send', 'address': 'hall', 'raw': 'ff00ff00', 'times': 20}");
	for (int i = 0; i < 20; i++)
		rig_expect("\"outcome\": \"rejected\"");
	rig_tell(child_text("{'do': 'send', 'address': 'hall', 'times': 20, 'message': {'body': 'own', 'properties': "
			    "{'via': '%s-%s'}}}",
			    mock->host.gateway(&mock->host), mock->host.endpoint(&mock->host)));
	for (int i = 0; i < 20; i++)
		rig_expect("\"outcome\": \"accepted\"");
	rig_tell("{'do': 'send', 'address': 'hall', 'aborted': true, 'times': 20, 'message': {'body': 'never'}}");
	rig_tell("{'do': 'send', 'address': 'hall', 'times': 20, 'message': {'body': 'good'}}");
	for (size_t i = 1; i <= 20; i++)
		mock_accept(mock, rig_expect_submission(i, "hall", "good")->token);
	rig_expect_counter("accepted", 20);
	rig_expect_counter("waiting", 0);
	rig_expect_counter("refused", 20);
	rig_expect_counter("ignored", 20);
}
END_TEST

START_TEST(only_what_routes_take_is_received)
{
	rig_start_peer(true);
	mock_add(mock, "sources", "hall");
	mock_add(mock, "sources", "depot");
	mock_add_route(mock, "hall/*/temp");
	mock_add_route(mock, "attic");
	rig_begin();
	rig_expect("\"attached\": \"hall\"");
	ck_assert_uint_eq(mock_logged(mock, "nothing is received from \"depot\""), 1);
	ck_assert_uint_eq(mock_logged(mock, "has messages for the route of \"attic\""), 1);
	rig_expect_counter("receivers", 1);
	mock_add_route(mock, "depot");
	ck_assert_int_eq(mock_reload(mock), 0);
	rig_expect("\"attached\": \"depot\"");
	rig_expect_counter("receivers", 2);
}
END_TEST

START_TEST(a_source_that_is_refused_is_tried_again_and_the_link_stays)
{
	rig_start_peer(true);
	mock_add(mock, "sources", "hall");
	mock_add_route(mock, "hall");
	rig_tell("{'do': 'refuse', 'address': 'hall'}");
	rig_begin();
	rig_expect("\"refused\": \"hall\"");
	ck_assert(MOCK_UNTIL(mock,
			     mock_logged(mock, "nothing is received from \"hall\", trying on (amqp:not-found") > 0,
			     RIG_SOON_MS));
	rig_expect("\"refused\": \"hall\"");
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	rig_expect_result(rig_deliver("a", "x"), TG_CONFIRMED);
}
END_TEST

START_TEST(a_stop_waits_for_verdicts_and_gives_back_the_rest)
{
	const struct tg_answer later = {.size = sizeof(later), .verdict = TG_FULL, .max_age_s = 50};

	begin();
	send_one("'body': 'one'");
	send_one("'body': 'two', 'subject': 'b'");
	rig_expect_submission(2, "hall/b", "two");
	mock_answer(mock, mock->submissions[0].token, &later);
	mock_stop(mock);
	mock_settle(mock);
	ck_assert(!mock->stopped);
	mock_accept(mock, mock->submissions[1].token);
	ck_assert(MOCK_UNTIL(mock, mock->stopped, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "released_back"), 1);
	ck_assert_int_eq(mock_counter(mock, "accepted"), 1);
}
END_TEST

START_TEST(a_peer_that_opens_links_of_its_own_is_left)
{
	begin();
	rig_tell("{'do': 'open'}");
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "the peer has opened a session") > 0, RIG_SOON_MS));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_message_comes_in_with_its_properties,
		a_string_is_text_and_an_id_stands_in_for_a_correlation,
		what_is_refused_is_rejected_with_the_reason,
		a_host_without_room_is_asked_again,
		credit_is_the_window,
		a_large_message_comes_whole_and_a_giant_one_is_refused,
		what_is_no_message_is_rejected,
		what_this_gateway_has_sent_is_ignored,
		each_of_those_that_come_at_once_is_settled,
		only_what_routes_take_is_received,
		a_source_that_is_refused_is_tried_again_and_the_link_stays,
		a_stop_waits_for_verdicts_and_gives_back_the_rest,
		a_peer_that_opens_links_of_its_own_is_left,
	};
	Suite *suite = suite_create("amqp source");
	TCase *group = tcase_create("amqp source");

	tcase_set_timeout(group, 180);
	tcase_add_checked_fixture(group, rig_setup, rig_teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(group, tests[i]);
	tcase_add_loop_test(group, what_is_not_taken_now_is_handed_in_again, 0, 2);
	suite_add_tcase(suite, group);
	return rig_main(suite, false);
}
