/* SPDX-License-Identifier: Apache-2.0 */

/* The amqp adapter and peers that allow fewer sessions than there are addresses to send to and sources. */

#include <stdlib.h>
#include <string.h>

#include "amqp_fake.h"
#include "base/bytes.h"
#include "child.h"

static void setup(void)
{
	fake_setup(true);
}

static void expect_the_end_for_want_of_sessions(void)
{
	fake_set_confirm_timeout("1");
	fake_expect_end();
	ck_assert_uint_eq(mock_logged(mock, "the peer allows too few sessions"), 1);
	fake_set_confirm_timeout("300");
}

static void begin_again(uint16_t channel_max)
{
	fake_expect_connection();
	fake_login();
	fake_open(channel_max);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
}

START_TEST(who_keeps_a_session_that_has_ended_is_left)
{
	uint64_t ticket;

	fake_begin(0);
	ticket = rig_deliver("a", "x");
	fake_let_go(0);
	fake_accept_up_to(0, 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	ticket = rig_deliver("b", "x");
	fake_expect_performative(FAKE_END);
	expect_the_end_for_want_of_sessions();
	ck_assert_int_eq(mock_result(mock, ticket), -1);
	begin_again(0);
	ticket = rig_deliver("b", "x");
	fake_let_go(0);
	fake_accept_up_to(0, 0);
	rig_expect_result(ticket, TG_CONFIRMED);
}
END_TEST

/* Sources have all of them: where nothing can be sent for too long, the next connection has one for that. */
START_TEST(sources_leave_a_session_to_readings)
{
	uint64_t ticket;

	fake_receive("hall");
	fake_receive("depot");
	fake_begin(1);
	fake_begin_session(0);
	fake_begin_session(1);
	fake_attach_link(0, true);
	fake_attach_link(1, true);
	rig_expect_counter("receivers", 2);
	ticket = rig_deliver("a", "x");
	expect_the_end_for_want_of_sessions();
	ck_assert_int_eq(mock_result(mock, ticket), -1);
	begin_again(1);
	fake_attach(0, true);
	ticket = rig_deliver("a", "x");
	fake_let_go(1);
	fake_accept_up_to(1, 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(mock, "receivers"), 1);
	ck_assert_uint_gt(mock_logged(mock, "the peer allows no more sessions"), 0);
	ck_assert_int_eq(mock_counter(mock, "senders"), 1);
}
END_TEST

/* Its session was taken for a reading meanwhile. */
START_TEST(an_idle_link_makes_room_for_a_source_that_comes_back)
{
	uint64_t ticket;

	fake_receive("hall");
	fake_begin(0);
	fake_attach(0, true);
	rig_expect_counter("receivers", 1);
	ticket = rig_deliver("a", "x");
	rig_expect_counter("queued", 1);
	fake_say(0, FAKE_END, "");
	fake_expect_performative(FAKE_END);
	fake_let_go(0);
	fake_accept_up_to(0, 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	fake_end_session(0);
	fake_attach(0, true);
	rig_expect_counter("receivers", 1);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		who_keeps_a_session_that_has_ended_is_left,
		sources_leave_a_session_to_readings,
		an_idle_link_makes_room_for_a_source_that_comes_back,
	};
	Suite *suite = suite_create("amqp sessions");
	TCase *group = tcase_create("amqp sessions");

	tcase_set_timeout(group, 180);
	tcase_add_checked_fixture(group, setup, fake_teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(group, tests[i]);
	suite_add_tcase(suite, group);
	return rig_main(suite, false);
}
