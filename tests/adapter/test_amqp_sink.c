/* SPDX-License-Identifier: Apache-2.0 */

/* The amqp adapter as a sink, with a peer of Qpid Proton's that accepts, rejects, gives back and falls silent as it is told. */

#include <stdlib.h>
#include <string.h>

#include "amqp_rig.h"
#include "base/bytes.h"
#include "child.h"

static void begin(bool tls)
{
	rig_start_peer(tls);
	rig_begin();
}

static char *expect_message(const char *payload)
{
	return talker_expect(&peer, child_text("{\"message\": \"%s\"", payload), RIG_SOON_MS);
}

static void expect_in(const char *line, const char *text)
{
	ck_assert_msg(strstr(line, text) != NULL, "no %s in %s", text, line);
}

START_TEST(what_is_accepted_is_confirmed)
{
	uint64_t ticket;
	char *line;

	begin(true);
	ck_assert_uint_eq(mock->n_sessions, 1);
	ck_assert_str_eq(mock->sessions[0].version, "TLSv1.3");
	ck_assert_msg(strstr(mock->link_detail, "SASL EXTERNAL"), "%s", mock->link_detail);
	ticket = rig_deliver("readings/hall", "21.5");
	line = expect_message("21.5");
	expect_in(line, "\"at\": \"readings/hall\"");
	expect_in(line, "\"durable\": true");
	expect_in(line, "\"subject\": \"hall/temp\"");
	expect_in(line, "\"device\": \"pump-7\"");
	expect_in(line, "\"path\": \"hall/temp\"");
	expect_in(line, "\"inferred\": true");
	free(line);
	rig_expect_result(ticket, TG_CONFIRMED);
	rig_expect_counter("confirmed", 1);
}
END_TEST

START_TEST(a_message_keeps_what_it_is)
{
	struct tg_delivery delivery = rig_delivery("a", "{}");
	uint64_t ticket;
	char *line;

	begin(true);
	delivery.content_format = 50;
	delivery.expiry_s = 90;
	delivery.time_wall_us = INT64_C(1777863721123456);
	memcpy(delivery.id, "\x01\x89\x0a\x5d\xac\x96\x77\x4b\xbc\xce\xb3\x02\x09\x9a\x80\x57", TG_ID_SIZE);
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	line = expect_message("{}");
	expect_in(line, "\"id\": [\"str\", \"01890a5d-ac96-774b-bcce-b302099a8057\"]");
	expect_in(line, "\"content_type\": \"application/json\"");
	expect_in(line, "\"time\": \"2026-05-04T03:02:01.123456Z\"");
	expect_in(line, "\"ttl\": 90.0");
	expect_in(line, "\"created\": 1777863721.123");
	free(line);
	rig_expect_result(ticket, TG_CONFIRMED);
}
END_TEST

START_TEST(with_a_target_the_address_is_the_subject)
{
	uint64_t ticket;
	char *line;

	rig_start_peer(true);
	mock_set(mock, "target", "/exchange/readings");
	rig_begin();
	rig_expect("\"attached\": \"/exchange/readings\"");
	ticket = rig_deliver("plant-7.hall", "1");
	line = expect_message("1");
	expect_in(line, "\"at\": \"/exchange/readings\"");
	expect_in(line, "\"subject\": \"plant-7.hall\"");
	free(line);
	rig_expect_result(ticket, TG_CONFIRMED);
}
END_TEST

START_TEST(what_is_rejected_is_dropped_with_the_reason)
{
	begin(true);
	rig_tell("{'do': 'answer', 'how': 'reject'}");
	rig_expect_reason(rig_deliver("a", "x"), "amqp:precondition-failed, not to my taste");
	rig_tell("{'do': 'answer', 'how': 'undeliverable'}");
	rig_expect_reason(rig_deliver("a", "y"), "cannot be delivered");
	rig_tell("{'do': 'answer', 'how': 'accept'}");
	rig_expect_result(rig_deliver("a", "z"), TG_CONFIRMED);
	rig_expect_counter("rejected", 2);
}
END_TEST

START_TEST(what_is_given_back_is_tried_again)
{
	static const char *const ways[] = {"release", "modify", "settle"};

	begin(true);
	for (size_t i = 0; i < 3; i++) {
		rig_tell(child_text("{'do': 'answer', 'how': '%s'}", ways[i]));
		rig_expect_result(rig_deliver("a", "x"), TG_RETRY);
	}
	rig_expect_counter("released", 3);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	ck_assert_int_eq(mock_counter(mock, "rejected"), 0);
}
END_TEST

/* With it goes what waits behind it, so that nothing that has not left yet overtakes it. */
START_TEST(what_waits_behind_a_message_given_back_goes_back_too)
{
	uint64_t first, second;

	rig_start_peer(true);
	mock_set(mock, "window", "1");
	rig_begin();
	rig_tell("{'do': 'answer', 'how': 'hold'}");
	first = rig_deliver("a", "1");
	second = rig_deliver("a", "2");
	free(expect_message("1"));
	rig_tell("{'do': 'settle', 'how': 'release'}");
	rig_expect_result(first, TG_RETRY);
	rig_expect_result(second, TG_RETRY);
	ck_assert_int_eq(mock_counter(mock, "sent"), 1);
}
END_TEST

START_TEST(a_poison_message_goes_where_the_settings_say_so)
{
	struct tg_delivery delivery = rig_delivery("a", "poison");
	uint64_t ticket;

	rig_start_peer(true);
	mock_set(mock, "release_limit", "3");
	rig_begin();
	rig_tell("{'do': 'answer', 'how': 'modify'}");
	memset(delivery.id, 7, sizeof(delivery.id));
	for (int i = 1; i <= 3; i++) {
		ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
		rig_expect_result(ticket, i < 3 ? TG_RETRY : TG_REJECTED);
	}
	rig_expect_reason(ticket, "given back by the peer 3 times");
}
END_TEST

START_TEST(credit_bounds_what_is_on_its_way)
{
	uint64_t tickets[10];

	rig_start_peer(true);
	rig_begin();
	rig_tell("{'do': 'credit', 'n': 0}");
	rig_tell("{'do': 'answer', 'how': 'hold'}");
	for (int i = 0; i < 10; i++)
		tickets[i] = rig_deliver("a", child_text("m%d", i));
	rig_expect("\"attached\": \"a\"");
	rig_tell("{'do': 'credit', 'n': 3}");
	rig_expect_counter("sent", 3);
	rig_expect_counter("in_flight", 3);
	rig_expect_counter("queued", 7);
	rig_tell("{'do': 'settle', 'how': 'accept'}");
	rig_tell("{'do': 'credit', 'n': 100}");
	for (int i = 0; i < 10; i++)
		rig_expect_result(tickets[i], TG_CONFIRMED);
}
END_TEST

START_TEST(order_is_kept_over_addresses)
{
	begin(true);
	for (int i = 0; i < 40; i++)
		rig_deliver(child_text("address-%d", i % 4), child_text("n%d-", i));
	for (int i = 0; i < 40; i++)
		free(talker_expect(&peer, child_text("{\"message\": \"n%d-\"", i), RIG_SOON_MS));
	rig_expect_counter("senders", 4);
}
END_TEST

START_TEST(the_link_not_used_for_longest_makes_room)
{
	rig_start_peer(true);
	mock_set(mock, "links", "2");
	rig_begin();
	for (int i = 0; i < 5; i++)
		rig_expect_result(rig_deliver(child_text("address-%d", i), "x"), TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(mock, "senders"), 2);
	rig_expect_result(rig_deliver("address-0", "x"), TG_CONFIRMED);
}
END_TEST

/* What is looked at whenever it is needed is taken over by the connection that is there. */
START_TEST(window_and_links_change_on_the_live_connection)
{
	uint64_t tickets[10];

	rig_start_peer(true);
	mock_set(mock, "window", "2");
	rig_begin();
	rig_tell("{'do': 'answer', 'how': 'hold'}");
	for (int i = 0; i < 10; i++)
		tickets[i] = rig_deliver("a", "x");
	rig_expect_counter("sent", 2);
	mock_set(mock, "window", "6");
	mock_set(mock, "links", "2");
	mock_set(mock, "address_refused", "reject");
	ck_assert_int_eq(mock_reload(mock), 0);
	rig_expect_counter("sent", 6);
	for (int i = 0; i < 6; i++)
		free(expect_message("x"));
	rig_tell("{'do': 'settle', 'how': 'accept'}");
	for (int i = 0; i < 10; i++)
		rig_expect_result(tickets[i], TG_CONFIRMED);
	for (int i = 0; i < 5; i++)
		rig_expect_result(rig_deliver(child_text("address-%d", i), "x"), TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(mock, "senders"), 2);
	rig_tell("{'do': 'refuse', 'address': 'nowhere'}");
	rig_expect_reason(rig_deliver("nowhere", "x"), "amqp:not-found");
	mock_set(mock, "links", "1");
	ck_assert_int_eq(mock_reload(mock), 0);
	rig_expect_result(rig_deliver("b", "x"), TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(mock, "senders"), 1);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

START_TEST(a_refused_address_keeps_the_message)
{
	uint64_t ticket;

	rig_start_peer(true);
	rig_begin();
	rig_tell("{'do': 'refuse', 'address': 'nowhere'}");
	ticket = rig_deliver("nowhere", "x");
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_DOWN, RIG_SOON_MS));
	ck_assert_msg(strstr(mock->link_detail, "address \"nowhere\" refused: amqp:not-found"), "%s",
		      mock->link_detail);
	ck_assert_int_ne(mock_result(mock, ticket), TG_REJECTED);
	ck_assert_int_eq(mock_counter(mock, "rejected"), 0);
}
END_TEST

START_TEST(a_refused_address_drops_the_message_where_the_settings_say_so)
{
	rig_start_peer(true);
	mock_set(mock, "address_refused", "reject");
	rig_begin();
	rig_tell("{'do': 'refuse', 'address': 'nowhere'}");
	rig_expect_reason(rig_deliver("nowhere", "x"), "amqp:not-found");
	rig_expect_result(rig_deliver("a", "y"), TG_CONFIRMED);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
}
END_TEST

static uint64_t respond(const char *address, const char *correlation, size_t size)
{
	struct tg_delivery delivery = rig_delivery(address, "done");
	uint64_t ticket;

	delivery.kind = TG_RESPONSE;
	delivery.outcome = TG_OUTCOME_DELIVERED;
	delivery.code = 204;
	delivery.correlation = (struct tg_bytes){.data = correlation, .size = size};
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	return ticket;
}

START_TEST(a_response_goes_to_its_own_address_with_its_correlation)
{
	static const struct {
		const char *correlation;
		size_t size;
		const char *told;
	} rows[] = {
		{"sjob-1", 6, "[\"str\", \"job-1\"]"},
		{"b\x01\xff", 3, "[\"bytes\", \"01ff\"]"},
		{"l\0\0\0\0\0\0\1\2", 9, "[\"int\", \"258\"]"},
		{"u\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08", 17, "[\"UUID\", \"01020304-0506-0708-0102-030405060708\"]"},
		{"\x01\x02", 2, "[\"bytes\", \"0102\"]"},
	};

	rig_start_peer(true);
	mock_set(mock, "target", "everything");
	rig_begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ticket = respond("replies", rows[i].correlation, rows[i].size);
		char *line = expect_message("done");

		expect_in(line, "\"at\": \"replies\"");
		expect_in(line, rows[i].told);
		expect_in(line, "\"outcome\": \"delivered\"");
		expect_in(line, "\"code\": \"2.04\"");
		expect_in(line, "\"command\": ");
		free(line);
		rig_expect_result(ticket, TG_CONFIRMED);
	}
}
END_TEST

/* The address for a reply is a stranger's: whatever it is, readings go on. */
START_TEST(a_bad_reply_address_holds_up_nothing)
{
	rig_start_peer(true);
	rig_begin();
	rig_tell("{'do': 'refuse', 'address': 'nowhere'}");
	rig_expect_reason(respond("nowhere", "sx", 2), "amqp:not-found");
	rig_expect_reason(respond("", "sx", 2), "address is empty");
	rig_expect_result(rig_deliver("a", "y"), TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

START_TEST(a_peer_that_never_settles_is_left)
{
	uint64_t ticket;

	rig_start_peer(true);
	mock_set(mock, "confirm_timeout_s", "1");
	rig_begin();
	rig_tell("{'do': 'answer', 'how': 'hold'}");
	ticket = rig_deliver("a", "x");
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "a message stayed unconfirmed for 1 s") > 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_result(mock, ticket), -1); /* the core takes it back with the link */
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "connects") == 2, RIG_SOON_MS));
}
END_TEST

START_TEST(the_end_of_a_link_session_or_connection_is_survived)
{
	static const char *const ends[] = {"link", "session", "connection"};

	rig_start_peer(true);
	rig_begin();
	for (size_t i = 0; i < 3; i++) {
		rig_tell("{'do': 'answer', 'how': 'accept'}");
		ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
		rig_expect_result(rig_deliver("a", "before"), TG_CONFIRMED);
		rig_tell("{'do': 'answer', 'how': 'hold'}");
		rig_deliver("a", child_text("held-%zu", i));
		free(expect_message(child_text("held-%zu", i)));
		rig_tell(child_text("{'do': 'end', 'what': '%s'}", ends[i]));
		ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "connects") == (int64_t)i + 2, RIG_SOON_MS));
	}
	rig_tell("{'do': 'answer', 'how': 'accept'}");
	rig_expect_result(rig_deliver("a", "after"), TG_CONFIRMED);
}
END_TEST

START_TEST(a_large_message_goes_whole)
{
	static char payload[TG_PAYLOAD_MAX];
	struct tg_delivery delivery = rig_delivery("a", "");
	uint64_t ticket;
	char *line;

	begin(true);
	memset(payload, 'q', sizeof(payload));
	delivery.payload = (struct tg_bytes){.data = payload, .size = sizeof(payload)};
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	line = talker_expect(&peer, "{\"message\": \"qqqq", RIG_SOON_MS);
	ck_assert_uint_gt(strlen(line), sizeof(payload));
	free(line);
	rig_expect_result(ticket, TG_CONFIRMED);
}
END_TEST

START_TEST(a_stop_leaves_nothing_unanswered)
{
	uint64_t tickets[20];

	begin(true);
	for (int i = 0; i < 20; i++)
		tickets[i] = rig_deliver("a", "x");
	mock_stop(mock);
	ck_assert(MOCK_UNTIL(mock, mock->stopped, RIG_SOON_MS));
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(mock_result(mock, tickets[i]), TG_CONFIRMED);
	rig_expect("\"connection_closed\"");
}
END_TEST

START_TEST(without_tls_only_where_the_settings_say_so)
{
	begin(false);
	ck_assert_uint_eq(mock_logged(mock, "insecure = true: anybody on the way"), 1);
	ck_assert_uint_eq(mock->n_sessions, 0);
	rig_expect_result(rig_deliver("a", "x"), TG_CONFIRMED);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_is_accepted_is_confirmed,
		a_message_keeps_what_it_is,
		with_a_target_the_address_is_the_subject,
		what_is_rejected_is_dropped_with_the_reason,
		what_is_given_back_is_tried_again,
		what_waits_behind_a_message_given_back_goes_back_too,
		a_poison_message_goes_where_the_settings_say_so,
		credit_bounds_what_is_on_its_way,
		order_is_kept_over_addresses,
		the_link_not_used_for_longest_makes_room,
		window_and_links_change_on_the_live_connection,
		a_refused_address_keeps_the_message,
		a_refused_address_drops_the_message_where_the_settings_say_so,
		a_response_goes_to_its_own_address_with_its_correlation,
		a_bad_reply_address_holds_up_nothing,
		a_peer_that_never_settles_is_left,
		the_end_of_a_link_session_or_connection_is_survived,
		a_large_message_goes_whole,
		a_stop_leaves_nothing_unanswered,
		without_tls_only_where_the_settings_say_so,
	};
	Suite *suite = suite_create("amqp sink");
	TCase *group = tcase_create("amqp sink");

	tcase_set_timeout(group, 180);
	tcase_add_checked_fixture(group, rig_setup, rig_teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(group, tests[i]);
	suite_add_tcase(suite, group);
	return rig_main(suite, false);
}
