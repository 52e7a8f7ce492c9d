/* SPDX-License-Identifier: Apache-2.0 */

/* The amqp adapter and the addresses for replies, which are strangers': whatever becomes of a response, readings go on. */

#include <stdlib.h>
#include <string.h>

#include "amqp_fake.h"
#include "base/bytes.h"

static void setup(void)
{
	fake_setup(true);
}

static uint64_t respond(const char *address)
{
	struct tg_delivery delivery = rig_delivery(address, "answer");
	uint64_t ticket = 0;

	delivery.kind = TG_RESPONSE;
	delivery.outcome = TG_OUTCOME_DELIVERED;
	delivery.code = 204;
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	return ticket;
}

static void expect_the_same_connection(void)
{
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
	ck_assert(!fake_has_ended());
}

START_TEST(a_queue_for_replies_that_goes_takes_its_response_only)
{
	uint64_t reading, response;

	fake_begin(100);
	reading = rig_deliver("a", "x");
	fake_let_go(0);
	response = respond("reply");
	fake_let_go(1);
	fake_say(1, FAKE_DETACH, "It", 0u);
	rig_expect_reason(response, "link");
	ck_assert_int_eq(mock_result(mock, reading), -1);
	fake_accept_up_to(0, 0);
	rig_expect_result(reading, TG_CONFIRMED);
	expect_the_same_connection();
}
END_TEST

/* Nobody waits for the link any more when it goes. */
START_TEST(a_queue_for_replies_that_never_took_one_may_go)
{
	uint64_t reading, response;

	fake_begin(100);
	response = respond("reply");
	fake_attach(0, false);
	rig_expect_counter("senders", 1);
	fake_set_confirm_timeout("1");
	rig_expect_reason(response, "nobody takes it");
	fake_set_confirm_timeout("300");
	fake_say(0, FAKE_DETACH, "It", 0u);
	fake_end_session(0);
	reading = rig_deliver("a", "x");
	fake_let_go(0);
	fake_accept_up_to(0, 0);
	rig_expect_result(reading, TG_CONFIRMED);
	expect_the_same_connection();
}
END_TEST

/* The link goes on, and an outcome that comes late after all is no fault. */
START_TEST(a_response_that_is_never_settled_is_given_up)
{
	uint64_t reading, response;

	fake_begin(100);
	response = respond("a");
	fake_let_go(0);
	fake_set_confirm_timeout("1");
	rig_expect_reason(response, "the peer does not say");
	fake_expect_performative(FAKE_DISPOSITION);
	fake_set_confirm_timeout("300");
	reading = rig_deliver("a", "x");
	fake_expect_performative(FAKE_TRANSFER);
	fake_accept_up_to(0, 1);
	rig_expect_result(reading, TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(mock, "confirmed"), 1);
	ck_assert_int_eq(mock_counter(mock, "in_flight"), 0);
	expect_the_same_connection();
}
END_TEST

/* Its session takes no frame at first: it leaves when nobody here waits for it. */
START_TEST(a_response_that_could_not_leave_is_given_up)
{
	uint64_t reading, response;

	fake_begin(100);
	response = respond("a");
	fake_attach(0, false);
	fake_say(0, FAKE_FLOW, "IIIIIII", 0u, 0u, 0u, 1000u, 0u, 0u, 10u);
	rig_expect_counter("in_flight", 1);
	fake_set_confirm_timeout("1");
	rig_expect_reason(response, "the peer does not say");
	fake_set_confirm_timeout("300");
	reading = rig_deliver("a", "x");
	fake_give_credit(0);
	fake_expect_performative(FAKE_TRANSFER);
	fake_expect_performative(FAKE_TRANSFER);
	fake_accept_up_to(0, 1);
	rig_expect_result(reading, TG_CONFIRMED);
	expect_the_same_connection();
}
END_TEST

/* While a reading is late the connection is of no use. */
START_TEST(a_reading_that_is_never_settled_ends_the_connection)
{
	uint64_t reading, response;

	fake_begin(100);
	response = respond("reply");
	fake_let_go(0);
	reading = rig_deliver("a", "x");
	fake_let_go(1);
	fake_set_confirm_timeout("1");
	rig_expect_reason(response, "the peer does not say");
	fake_expect_end();
	ck_assert_uint_eq(mock_logged(mock, "a message stayed unconfirmed for 1 s"), 1);
	ck_assert_int_eq(mock_result(mock, reading), -1);
}
END_TEST

START_TEST(a_response_that_is_given_back_is_dropped)
{
	uint64_t reading, response;

	fake_begin(100);
	reading = rig_deliver("a", "x");
	fake_attach(0, false);
	response = respond("reply");
	fake_let_go(1);
	fake_say(1, FAKE_DISPOSITION, "tIItR", 0u, 0u);
	rig_expect_reason(response, "given back by the peer");
	ck_assert_int_eq(mock_result(mock, reading), -1);
	ck_assert_int_eq(mock_counter(mock, "queued"), 1);
	fake_give_credit(0);
	fake_expect_performative(FAKE_TRANSFER);
	fake_accept_up_to(0, 0);
	rig_expect_result(reading, TG_CONFIRMED);
	expect_the_same_connection();
}
END_TEST

START_TEST(responses_have_a_window_of_their_own)
{
	uint64_t reading, response;

	mock_set(mock, "window", "1");
	fake_begin(100);
	response = respond("reply");
	fake_let_go(0);
	respond("reply");
	reading = rig_deliver("a", "x");
	fake_let_go(1);
	fake_accept_up_to(1, 0);
	rig_expect_result(reading, TG_CONFIRMED);
	ck_assert_int_eq(mock_result(mock, response), -1);
	ck_assert_int_eq(mock_counter(mock, "sent"), 2);
}
END_TEST

/* With a target a route's address is a subject only: whoever gives the same for a reply has no say over readings. */
START_TEST(a_subject_is_no_address)
{
	uint64_t reading, response;

	mock_set(mock, "target", "all");
	mock_set(mock, "address_refused", "reject");
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connection();
	fake_login();
	fake_open(100);
	fake_attach(0, false);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
	reading = rig_deliver("b", "x");
	response = respond("b");
	fake_let_go(1);
	fake_say(1, FAKE_DETACH, "It", 0u);
	rig_expect_result(response, TG_REJECTED);
	ck_assert_int_eq(mock_result(mock, reading), -1);
	fake_give_credit(0);
	fake_expect_performative(FAKE_TRANSFER);
	fake_accept_up_to(0, 0);
	rig_expect_result(reading, TG_CONFIRMED);
	expect_the_same_connection();
}
END_TEST

/* The only link there may be goes over to another address. */
static void pass_on(uint16_t from, uint16_t to)
{
	fake_attach(to, false);
	fake_end_session(from);
}

/* The same, where the peer allows one session only. */
static void pass_on_the_session(uint16_t from, uint16_t to)
{
	(void)to;
	fake_end_session(from);
	fake_attach(0, false);
}

/* A place for one, and two that want it: a response, whose address gives no credit, and a reading. */
START_TEST(nobody_is_driven_out_before_it_was_of_use)
{
	bool session = _i == 1;
	void (*pass)(uint16_t from, uint16_t to) = session ? pass_on_the_session : pass_on;
	uint64_t first, second, response;

	mock_set(mock, "links", session ? "32" : "1");
	fake_begin(session ? 0 : 100);
	first = rig_deliver("a", "x");
	fake_let_go(0);
	fake_accept_up_to(0, 0);
	rig_expect_result(first, TG_CONFIRMED);
	response = respond("reply");
	second = rig_deliver("a", "y");
	pass(0, 1);
	pass(session ? 0 : 1, 0);
	fake_give_credit(0);
	fake_expect_performative(FAKE_TRANSFER);
	fake_accept_up_to(0, 0);
	rig_expect_result(second, TG_CONFIRMED);
	ck_assert_int_eq(mock_result(mock, response), -1);
	expect_the_same_connection();
}
END_TEST

START_TEST(readings_and_responses_take_turns)
{
	uint64_t reading, responses[3];

	mock_set(mock, "links", "1");
	fake_begin(100);
	for (int i = 0; i < 3; i++)
		responses[i] = respond((const char *[]){"r0", "r1", "r2"}[i]);
	reading = rig_deliver("a", "x");
	fake_let_go(0);
	fake_accept_up_to(0, 0);
	rig_expect_result(responses[0], TG_CONFIRMED);
	pass_on(0, 1);
	fake_give_credit(1);
	fake_expect_performative(FAKE_TRANSFER);
	fake_accept_up_to(1, 0);
	rig_expect_result(reading, TG_CONFIRMED);
	ck_assert_int_eq(mock_result(mock, responses[1]), -1);
	pass_on(1, 0);
	fake_give_credit(0);
	fake_expect_performative(FAKE_TRANSFER);
	fake_accept_up_to(0, 0);
	rig_expect_result(responses[1], TG_CONFIRMED);
	ck_assert_int_eq(mock_result(mock, responses[2]), -1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_queue_for_replies_that_goes_takes_its_response_only,
		a_queue_for_replies_that_never_took_one_may_go,
		a_response_that_is_never_settled_is_given_up,
		a_response_that_could_not_leave_is_given_up,
		a_reading_that_is_never_settled_ends_the_connection,
		a_response_that_is_given_back_is_dropped,
		responses_have_a_window_of_their_own,
		a_subject_is_no_address,
		readings_and_responses_take_turns,
	};
	Suite *suite = suite_create("amqp answers");
	TCase *group = tcase_create("amqp answers");

	tcase_set_timeout(group, 180);
	tcase_add_checked_fixture(group, setup, fake_teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(group, tests[i]);
	tcase_add_loop_test(group, nobody_is_driven_out_before_it_was_of_use, 0, 2);
	suite_add_tcase(suite, group);
	return rig_main(suite, false);
}
