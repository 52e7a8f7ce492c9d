/* SPDX-License-Identifier: Apache-2.0 */

/* The amqp adapter and peers that break the protocol, lie, send without end, or fall silent. */

#include <stdlib.h>
#include <string.h>

#include "amqp_fake.h"
#include "base/bytes.h"
#include "child.h"

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

enum { MEGABYTE = 1 << 20 };

static void setup(void)
{
	fake_setup(false);
	mock_set(mock, "backoff_min_ms", "10");
}

/* Up to OPEN; with a source its link is attached, on channel 0. */
static void begin(void)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connection();
	fake_login();
	fake_open(100);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
}

static void begin_receiving(void)
{
	fake_receive("hall");
	begin();
	fake_attach(0, true);
	rig_expect_counter("receivers", 1);
	fake_expect_performative(FAKE_FLOW);
}

static uint64_t begin_sending(void)
{
	uint64_t ticket;

	begin();
	ticket = rig_deliver("a", "x");
	fake_attach(0, false);
	return ticket;
}

/* One whole message, with this delivery-id. */
static void transfer(unsigned id, const char *body)
{
	uint8_t bytes[64] = {0, 0x53, 0x75, 0xa0, (uint8_t)strlen(body)};

	memcpy(bytes + 5, body, strlen(body));
	fake_say(0, FAKE_TRANSFER, "IIsIffp", 0u, id, "tag", 0u, bytes, 5 + strlen(body));
}

enum stage { HEADER, MECHANISMS, OUTCOME, SECOND_HEADER, OPEN };

static const struct {
	const char *what;
	enum stage stage;
	const char *data;
	size_t size;
	bool ends; /* the connection, by the peer */
} beginnings[] = {
#define BYTES(text) text, sizeof(text) - 1
	{"nothing", HEADER, BYTES(""), true},
	{"another protocol", HEADER, BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"), false},
	{"of another version", HEADER, BYTES("AMQP\0\0\x09\x01"), false},
	{"cut", HEADER, BYTES("AMQ"), true},
	{"no SASL", HEADER, BYTES("AMQP\0\1\0\0\0\0\0\x11\2\0\0\0\0S\x10\xc0\4\1\xa1\1p"), false},
	{"TLS", HEADER, BYTES("AMQP\2\1\0\0"), false},
	{"a frame of nothing", MECHANISMS, BYTES("\0\0\0\0"), true},
	{"a frame of seven", MECHANISMS, BYTES("\0\0\0\7\2\1\0\0"), false},
	{"a frame of all", MECHANISMS, BYTES("\xff\xff\xff\xff\2\1\0\0"), false},
	{"of no head", MECHANISMS, BYTES("\0\0\0\x08\0\1\0\0"), false},
	{"of more head than frame", MECHANISMS, BYTES("\0\0\0\x08\xff\1\0\0"), false},
	{"of too many", MECHANISMS, BYTES("\0\0\0\x14\2\1\0\0\0S\x40\xf0\0\0\0\x04\xff\xff\xff\xff"), false},
	{"others only", MECHANISMS, BYTES("\0\0\0\x15\2\1\0\0\0S\x40\xc0\x08\1\xa3\5PLAIN"), false},
	{"no performative", MECHANISMS, BYTES("\0\0\0\x09\2\1\0\0\0"), false},
	{"refused", OUTCOME, BYTES("\0\0\0\x10\2\1\0\0\0S\x44\xc0\3\1P\1"), false},
	{"of no code", OUTCOME, BYTES("\0\0\0\x0f\2\1\0\0\0S\x44\xc0\2\1@"), true},
	{"of a code of text", OUTCOME, BYTES("\0\0\0\x11\2\1\0\0\0S\x44\xc0\4\1\xa1\1x"), true},
	{"mechanisms again", OUTCOME,
	 BYTES("\0\0\0\x19\2\1\0\0\0S\x40\xc0\x0c\1\xa3\x09"
	       "ANONYMOUS"),
	 true},
	{"SASL again", SECOND_HEADER, BYTES("AMQP\3\1\0\0"), false},
	{"cut, the second", SECOND_HEADER, BYTES("AMQP\0\1"), true},
	{"nothing but frames", OPEN, BYTES("\0\0\0\x08\2\0\0\0\0\0\0\x08\2\0\0\0"), true},
	{"a frame that is too large", OPEN, BYTES("\0\1\0\0\2\0\0\0"), false},
	{"what no specification has", OPEN, BYTES("\0\0\0\x0c\2\0\0\0\0S\xee\x45"), true},
	{"of other types", OPEN, BYTES("\0\0\0\x13\2\0\0\0\0S\x10\xc0\6\3P\1A@\x43"), true},
	{"cut, then the end", OPEN, BYTES("\0\0\0\x40\2\0\0\0\0S\x10"), true},
	{"CLOSE", OPEN, BYTES("\0\0\0\x0c\2\0\0\0\0S\x18\x45"), false},
#undef BYTES
};

START_TEST(beginnings_that_are_none)
{
	enum stage stage = beginnings[_i].stage;
	uint64_t ticket;

	mock_set(mock, "connect_timeout_s", "300");
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connection();
	FAKE_EXPECT("AMQP\3\1\0\0");
	if (stage > HEADER)
		FAKE_SEND("AMQP\3\1\0\0");
	if (stage > MECHANISMS)
		fake_say(0, FAKE_MECHANISMS, "y", "ANONYMOUS");
	if (stage > OUTCOME)
		fake_say(0, FAKE_OUTCOME, "B", 0u);
	if (stage > SECOND_HEADER)
		FAKE_SEND("AMQP\0\1\0\0");
	fake_send(beginnings[_i].data, beginnings[_i].size);
	if (beginnings[_i].ends)
		fake_close();
	else
		fake_expect_end();
	ck_assert(MOCK_UNTIL(mock, mock->link != TG_LINK_UP, RIG_SOON_MS));
	ck_assert(mock_deliver_text(mock, "a", "x", &ticket) < 0);
	ck_assert_int_eq(mock_counter(mock, "confirmed"), 0);
	/* and then one that is honest */
	fake_expect_connection();
	fake_login();
	fake_open(100);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
}
END_TEST

/* The library would keep each of them. */
START_TEST(sessions_before_open_end_the_connection)
{
	mock_set(mock, "connect_timeout_s", "300");
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connection();
	fake_login();
	for (unsigned i = 0; i < 100000 && !fake_has_ended(); i++)
		fake_say(0, FAKE_BEGIN, "nIII", 0u, 1u, 1u);
	ck_assert(fake_has_ended());
}
END_TEST

START_TEST(a_login_without_end_ends_the_connection)
{
	mock_set(mock, "connect_timeout_s", "300");
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connection();
	FAKE_EXPECT("AMQP\3\1\0\0");
	FAKE_SEND("AMQP\3\1\0\0");
	for (unsigned i = 0; i < 100000 && !fake_has_ended(); i++)
		fake_say(0, FAKE_MECHANISMS, "y", "ANONYMOUS");
	ck_assert(fake_has_ended());
	ck_assert_uint_eq(mock_logged(mock, "too much is said before OPEN"), 1);
}
END_TEST

START_TEST(sessions_without_end_end_the_connection)
{
	begin();
	for (unsigned i = 0; i < 100000 && !fake_has_ended(); i++)
		fake_say(0, FAKE_BEGIN, "nIII", 0u, 1u, 1u);
	ck_assert(fake_has_ended());
}
END_TEST

START_TEST(links_without_end_end_the_connection)
{
	begin_receiving();
	for (unsigned i = 1; i < 100000 && !fake_has_ended(); i++)
		fake_say(0, FAKE_ATTACH, "sIfnnSTnnI", child_text("link-%u", i), i, "", "", 0u);
	ck_assert(fake_has_ended());
}
END_TEST

START_TEST(transfers_over_a_link_for_sending_end_the_connection)
{
	uint64_t ticket = begin_sending();

	fake_say(0, FAKE_FLOW, "IIIIIII", 0u, 1000u, 0u, 1000u, 0u, 0u, 10u);
	fake_expect_performative(FAKE_TRANSFER);
	for (unsigned i = 0; i < 100000 && !fake_has_ended(); i++)
		transfer(i, "unwanted");
	ck_assert(fake_has_ended());
	ck_assert_int_eq(mock_result(mock, ticket), -1);
}
END_TEST

/* The rest of what is too large is passed over, however much that is. */
START_TEST(a_message_without_end_is_no_burden)
{
	static uint8_t part[16000];

	begin_receiving();
	for (unsigned i = 0; i < 64 * MEGABYTE / sizeof(part); i++)
		fake_say(0, FAKE_TRANSFER, "IIsIftp", 0u, 0u, "tag", 0u, part, sizeof(part));
	fake_say(0, FAKE_TRANSFER, "IIsIffp", 0u, 0u, "tag", 0u, part, sizeof(part));
	FAKE_EXPECT("amqp:link:message-size-exceeded");
	transfer(1, "next");
	rig_expect_submission(1, "hall", "next");
	ck_assert_int_eq(mock_counter(mock, "refused"), 1);
}
END_TEST

START_TEST(more_than_the_credit_ends_the_connection)
{
	mock_set(mock, "receive_window", "10");
	begin_receiving();
	for (unsigned i = 0; i < 100000 && !fake_has_ended(); i++)
		transfer(i, "x");
	ck_assert(fake_has_ended());
	ck_assert_uint_gt(mock_logged(mock, "the peer sends more than it has credit for"), 0);
	ck_assert_int_eq(mock_counter(mock, "accepted"), 0);
}
END_TEST

/* A peer that says what is on its way was accepted, though there is nothing on its way. */
START_TEST(what_was_not_sent_is_not_confirmed)
{
	uint64_t ticket = begin_sending();

	fake_say(0, FAKE_DISPOSITION, "tIItA", 0u, 0xffffffffu);
	fake_say(0, FAKE_DISPOSITION, "tIItA", 0u, 1000u);
	fake_say(0, FAKE_DISPOSITION, "fIItA", 0u, 1000u);
	mock_settle(mock);
	ck_assert_int_eq(mock_counter(mock, "confirmed"), 0);
	ck_assert_int_eq(mock_result(mock, ticket), -1);
}
END_TEST

/* What came first is settled, but only by half of what that takes. */
START_TEST(accepted_but_not_settled_is_not_confirmed)
{
	uint64_t ticket = begin_sending();

	fake_say(0, FAKE_FLOW, "IIIIIII", 0u, 1000u, 0u, 1000u, 0u, 0u, 10u);
	fake_expect_performative(FAKE_TRANSFER);
	fake_say(0, FAKE_DISPOSITION, "tIIfA", 0u, 0u);
	mock_settle(mock);
	ck_assert_int_eq(mock_result(mock, ticket), -1);
	fake_say(0, FAKE_DISPOSITION, "tIItA", 0u, 0u);
	rig_expect_result(ticket, TG_CONFIRMED);
}
END_TEST

/* AMQP 1.0 part 2, 2.6.7: who is asked to drain says that there is nothing more. */
START_TEST(credit_that_is_to_be_used_up_is_given_back)
{
	begin_sending();
	fake_say(0, FAKE_FLOW, "IIIIIIInt", 0u, 1000u, 0u, 1000u, 0u, 0u, 10u);
	fake_expect_performative(FAKE_TRANSFER);
	fake_expect_performative(FAKE_FLOW);
}
END_TEST

/* An answer that comes when nobody waits for it any more is no link of the peer's own. */
START_TEST(a_late_answer_is_no_fault)
{
	struct tg_delivery response = rig_delivery("replies", "done");
	uint64_t ticket;

	mock_set(mock, "confirm_timeout_s", "1");
	begin();
	response.kind = TG_RESPONSE;
	ck_assert_int_eq(mock_deliver(mock, &response, &ticket), 0);
	fake_expect_performative(FAKE_ATTACH);
	rig_expect_result(ticket, TG_REJECTED);
	fake_say(0, FAKE_BEGIN, "HIII", 0u, 0u, 65535u, 65535u);
	fake_say(0, FAKE_ATTACH, "sItnnST", "to-1", 0u, "", "replies");
	fake_expect_performative(FAKE_END);
	fake_say(0, FAKE_DETACH, "It", 0u);
	fake_say(0, FAKE_END, "");
	rig_deliver("a", "x");
	fake_attach(0, false);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

/* One link for two that want it: who has waited for an answer gets it. */
START_TEST(one_link_serves_many)
{
	struct tg_delivery response = rig_delivery("replies", "done");
	uint64_t first, second;

	fake_stop();
	mock_set(mock, "broker", NULL);
	rig_start_peer(false);
	mock_set(mock, "links", "1");
	rig_begin();
	for (int i = 0; i < 5; i++) {
		response.kind = TG_RESPONSE;
		ck_assert_int_eq(mock_deliver(mock, &response, &first), 0);
		second = rig_deliver("a", "x");
		rig_expect_result(first, TG_CONFIRMED);
		rig_expect_result(second, TG_CONFIRMED);
	}
}
END_TEST

START_TEST(a_source_that_is_not_answered_is_told_of)
{
	fake_receive("hall");
	mock_set(mock, "confirm_timeout_s", "1");
	begin();
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "nothing is received from \"hall\"") > 0, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "no answer to ATTACH in time"), 1);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
}
END_TEST

/* Each link has a session of its own; where the peer allows fewer, what is there is used, and the operator is told. */
START_TEST(fewer_sessions_than_sources_are_told_of)
{
	fake_receive("hall");
	fake_receive("depot");
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connection();
	fake_login();
	fake_open(0);
	fake_attach(0, true);
	rig_expect_counter("receivers", 1);
	ck_assert_uint_gt(mock_logged(mock, "the peer allows no more sessions"), 0);
	transfer(0, "x");
	rig_expect_submission(1, "hall", "x");
	ck_assert(!fake_has_ended());
}
END_TEST

/* With the only session in idle use for another address, that one makes room. */
START_TEST(fewer_sessions_than_addresses_serve_them_all)
{
	static const char *const addresses[] = {"a", "b", "a"};

	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connection();
	fake_login();
	fake_open(0);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
	for (int i = 0; i < 3; i++) {
		uint64_t ticket = rig_deliver(addresses[i], "x");

		if (i > 0) {
			fake_expect_performative(FAKE_END);
			fake_say(0, FAKE_DETACH, "It", 0u);
			fake_say(0, FAKE_END, "");
		}
		fake_attach(0, false);
		fake_say(0, FAKE_FLOW, "IIIIIII", 0u, 1000u, 0u, 1000u, 0u, 0u, 10u);
		fake_expect_performative(FAKE_TRANSFER);
		fake_say(0, FAKE_DISPOSITION, "tIItA", 0u, 0u);
		rig_expect_result(ticket, TG_CONFIRMED);
	}
	ck_assert_uint_eq(mock_logged(mock, "the peer allows no more sessions"), 1);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

/* A peer that lets in and throws out is one that cannot be used: the next one is tried. */
START_TEST(who_closes_at_once_is_passed_over)
{
	rig_start_peer(false);
	mock_set(mock, "connect_timeout_s", "300");
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connection();
	fake_login();
	fake_open(100);
	fake_say(0, FAKE_CLOSE, "");
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP && mock_logged(mock, "connected to \"amqp://localhost") > 0,
			     RIG_SOON_MS));
}
END_TEST

/* Each pause is twice the one before, or half of that. */
START_TEST(who_is_thrown_out_comes_back_ever_more_slowly)
{
	int64_t begin_us = mock_deadline(0);

	mock_set(mock, "backoff_min_ms", "20");
	mock_set(mock, "backoff_max_s", "1");
	ck_assert_int_eq(mock_begin(mock), 0);
	for (int i = 0; i < 8; i++) {
		fake_expect_connection();
		fake_login();
		fake_open(100);
		ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
	}
	ck_assert_int_ge(mock_deadline(0) - begin_us, (10 + 20 + 40 + 80 + 160 + 320 + 500) * INT64_C(1000));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		sessions_before_open_end_the_connection,
		a_login_without_end_ends_the_connection,
		sessions_without_end_end_the_connection,
		links_without_end_end_the_connection,
		transfers_over_a_link_for_sending_end_the_connection,
		a_message_without_end_is_no_burden,
		more_than_the_credit_ends_the_connection,
		what_was_not_sent_is_not_confirmed,
		accepted_but_not_settled_is_not_confirmed,
		credit_that_is_to_be_used_up_is_given_back,
		a_late_answer_is_no_fault,
		one_link_serves_many,
		a_source_that_is_not_answered_is_told_of,
		fewer_sessions_than_sources_are_told_of,
		fewer_sessions_than_addresses_serve_them_all,
		who_closes_at_once_is_passed_over,
		who_is_thrown_out_comes_back_ever_more_slowly,
	};
	Suite *suite = suite_create("amqp hostile");
	TCase *group = tcase_create("amqp hostile");

	tcase_set_timeout(group, 180);
	tcase_add_checked_fixture(group, setup, fake_teardown);
	tcase_add_loop_test(group, beginnings_that_are_none, 0, COUNT(beginnings));
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(group, tests[i]);
	suite_add_tcase(suite, group);
	return rig_main(suite, false);
}
