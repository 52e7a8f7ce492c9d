/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exchange_rig.h"

START_TEST(an_answer_at_once_rides_on_the_acknowledgement)
{
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 0x55), EXCHANGE_NEW);
	exchange_reply(rig.table, &rig.request, &rig_changed, rig.now_us);
	ck_assert_uint_eq(rig.n_sent, 1);
	rig_assert_sent(0, MESSAGE_ACK, MESSAGE_CHANGED, 7);
	ck_assert_uint_eq(rig.sent[0].message.token_size, 1);
	ck_assert_uint_eq(rig.sent[0].message.token[0], 0x55);
	ck_assert_uint_eq(rig.counts[EXCHANGE_COUNT_RESPONSES_2], 1);
}
END_TEST

START_TEST(an_answer_within_the_delay_rides_on_the_acknowledgement)
{
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 0x55), EXCHANGE_NEW);
	uint64_t token = rig_open(0x1234);
	uint64_t context;
	rig_advance(200 * MS - 1);
	ck_assert_uint_eq(rig.n_sent, 0);
	ck_assert_int_eq(exchange_context(rig.table, token, &context), 0);
	ck_assert_uint_eq(context, 0x1234);
	rig_finish(token);
	ck_assert_uint_eq(rig.n_sent, 1);
	rig_assert_sent(0, MESSAGE_ACK, MESSAGE_CHANGED, 7);
	ck_assert_uint_eq(rig.sent[0].message.token[0], 0x55);
	ck_assert_uint_eq(exchange_waiting(rig.table), 0);
	rig_advance(60 * (int64_t)S);
	ck_assert_uint_eq(rig.n_sent, 1);
	ck_assert_int_eq(exchange_finish(rig.table, token, &rig_changed, rig.now_us), -ENOENT);
	ck_assert_int_eq(exchange_context(rig.table, token, &context), -ENOENT);
}
END_TEST

START_TEST(a_late_answer_is_a_message_of_its_own)
{
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 0x55), EXCHANGE_NEW);
	uint64_t token = rig_open(0);
	rig_advance(200 * MS);
	ck_assert_uint_eq(rig.n_sent, 1);
	rig_assert_sent(0, MESSAGE_ACK, MESSAGE_EMPTY, 7);
	rig_advance(3 * S);
	ck_assert_uint_eq(rig.n_sent, 1);
	rig_finish(token);
	ck_assert_uint_eq(rig.n_sent, 2);
	rig_assert_sent(1, MESSAGE_CON, MESSAGE_CHANGED, rig.sent[1].message.id);
	ck_assert_uint_eq(rig.sent[1].message.token[0], 0x55);
	ck_assert_uint_eq(exchange_waiting(rig.table), 0);
	ck_assert_int_eq(rig_receive(MESSAGE_ACK, MESSAGE_EMPTY, rig.sent[1].message.id, 0), EXCHANGE_DONE);
	rig_advance(200 * (int64_t)S);
	ck_assert_uint_eq(rig.n_sent, 2);
	ck_assert_uint_eq(rig.peer->open, 0);
	ck_assert_uint_eq(rig.counts[EXCHANGE_COUNT_SEPARATE], 1);
	ck_assert_uint_eq(rig.counts[EXCHANGE_COUNT_GIVEN_UP], 0);
}
END_TEST

/* RFC 7252 section 4.2: 2 to 3 s at first, then doubled four times. */
START_TEST(a_separate_response_is_retransmitted_and_given_up)
{
	rig_late_answer(7);
	rig_advance(300 * (int64_t)S);
	ck_assert_uint_eq(rig.n_sent, 2 + EXCHANGE_MAX_RETRANSMIT);
	int64_t span_us = rig.sent[2].at_us - rig.sent[1].at_us;
	ck_assert_int_ge(span_us, 2 * S);
	ck_assert_int_le(span_us, 3 * S);
	for (size_t i = 2; i < rig.n_sent; i++) {
		ck_assert_int_eq(rig.sent[i].at_us - rig.sent[i - 1].at_us, span_us << (i - 2));
		ck_assert_uint_eq(rig.sent[i].size, rig.sent[1].size);
		ck_assert_mem_eq(rig.sent[i].wire, rig.sent[1].wire, rig.sent[1].size);
	}
	ck_assert_uint_eq(rig.counts[EXCHANGE_COUNT_RETRANSMIT], EXCHANGE_MAX_RETRANSMIT);
	ck_assert_uint_eq(rig.counts[EXCHANGE_COUNT_GIVEN_UP], 1);
	ck_assert_uint_eq(rig.peer->open, 0);
}
END_TEST

START_TEST(timeouts_differ)
{
	int64_t first_us = 0;

	for (uint16_t id = 1; id <= 3; id++) {
		rig.n_sent = 0;
		rig_late_answer(id);
		rig_advance(4 * S);
		ck_assert_uint_eq(rig.n_sent, 3);
		if (id > 1)
			ck_assert_int_ne(rig.sent[2].at_us - rig.sent[1].at_us, first_us);
		first_us = rig.sent[2].at_us - rig.sent[1].at_us;
		rig_receive(MESSAGE_ACK, MESSAGE_EMPTY, rig.sent[1].message.id, 0);
	}
}
END_TEST

START_TEST(a_reset_ends_a_separate_response)
{
	rig_late_answer(7);
	rig_receive(MESSAGE_RST, MESSAGE_EMPTY, (uint16_t)(rig.sent[1].message.id + 1), 0);
	ck_assert_uint_eq(rig.peer->open, 1);
	rig_receive(MESSAGE_RST, MESSAGE_EMPTY, rig.sent[1].message.id, 0);
	ck_assert_uint_eq(rig.peer->open, 0);
	rig_advance(100 * (int64_t)S);
	ck_assert_uint_eq(rig.n_sent, 2);
	ck_assert_uint_eq(rig.counts[EXCHANGE_COUNT_GIVEN_UP], 1);
}
END_TEST

START_TEST(an_acknowledgement_of_another_peer_ends_nothing)
{
	rig_late_answer(7);
	rig_receive_from(rig.other, MESSAGE_ACK, MESSAGE_EMPTY, rig.sent[1].message.id, 0);
	ck_assert_uint_eq(rig.peer->open, 1);
}
END_TEST

/* RFC 7967: what No-Response names is not sent; a confirmable request is acknowledged all the same. */
START_TEST(an_unwanted_response_is_not_sent)
{
	rig_receive(MESSAGE_CON, MESSAGE_POST, 1, 1);
	rig.message.no_response = 0x02;
	exchange_reply(rig.table, &rig.request, &rig_changed, rig.now_us);
	rig_assert_sent(0, MESSAGE_ACK, MESSAGE_EMPTY, 1);

	rig_receive(MESSAGE_NON, MESSAGE_POST, 2, 1);
	rig.message.no_response = 0x02;
	rig_finish(rig_open(0));
	ck_assert_uint_eq(rig.n_sent, 1);

	rig_receive(MESSAGE_CON, MESSAGE_POST, 3, 1);
	rig.message.no_response = 0x02;
	uint64_t token = rig_open(0);
	rig_advance(200 * MS);
	rig_assert_sent(1, MESSAGE_ACK, MESSAGE_EMPTY, 3);
	rig_finish(token);
	rig_advance(100 * (int64_t)S);
	ck_assert_uint_eq(rig.n_sent, 2);
	ck_assert_uint_eq(rig.peer->open, 0);
	ck_assert_uint_eq(rig.counts[EXCHANGE_COUNT_UNWANTED], 3);
	ck_assert_uint_eq(rig.counts[EXCHANGE_COUNT_RESPONSES_2], 0);
}
END_TEST

START_TEST(our_own_ids_do_not_repeat)
{
	for (uint16_t id = 1; id <= 40; id++) {
		ck_assert_int_eq(rig_receive(MESSAGE_NON, MESSAGE_POST, id, 1), EXCHANGE_NEW);
		exchange_reply(rig.table, &rig.request, &rig_changed, rig.now_us);
		if (id > 1)
			ck_assert_uint_eq(rig.sent[id - 1].message.id, (uint16_t)(rig.sent[id - 2].message.id + 1));
	}
}
END_TEST

START_TEST(a_ping_gets_a_reset)
{
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_EMPTY, 9, 0), EXCHANGE_DONE);
	ck_assert_uint_eq(rig.n_sent, 1);
	rig_assert_sent(0, MESSAGE_RST, MESSAGE_EMPTY, 9);
	ck_assert_uint_eq(rig.counts[EXCHANGE_COUNT_PING], 1);
}
END_TEST

/* RFC 7252 sections 4.2 and 4.3. */
START_TEST(what_belongs_to_nothing_is_rejected_or_ignored)
{
	static const struct {
		enum message_type type;
		uint8_t code;
		bool reset;
	} rows[] = {
		{MESSAGE_CON, MESSAGE_CONTENT, true},                                             /* a response */
		{MESSAGE_CON, MESSAGE_CODE(4, 4), true}, {MESSAGE_CON, MESSAGE_CODE(1, 1), true}, /* reserved classes */
		{MESSAGE_CON, MESSAGE_CODE(6, 0), true}, {MESSAGE_CON, MESSAGE_CODE(7, 31), true},
		{MESSAGE_NON, MESSAGE_CONTENT, false},   {MESSAGE_NON, MESSAGE_CODE(1, 1), false},
		{MESSAGE_NON, MESSAGE_EMPTY, false},     {MESSAGE_ACK, MESSAGE_EMPTY, false},
		{MESSAGE_ACK, MESSAGE_CONTENT, false},   {MESSAGE_ACK, MESSAGE_POST, false},
		{MESSAGE_RST, MESSAGE_EMPTY, false},     {MESSAGE_RST, MESSAGE_POST, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig.n_sent = 0;
		ck_assert_int_eq(rig_receive(rows[i].type, rows[i].code, 9, 0), EXCHANGE_DONE);
		ck_assert_uint_eq(rig.n_sent, rows[i].reset);
		if (rows[i].reset)
			rig_assert_sent(0, MESSAGE_RST, MESSAGE_EMPTY, 9);
	}
	ck_assert_uint_eq(rig.counts[EXCHANGE_COUNT_PING], 0);
}
END_TEST

START_TEST(a_session_that_ends_takes_all_with_it)
{
	uint64_t context;

	rig_receive(MESSAGE_CON, MESSAGE_POST, 1, 1);
	uint64_t token = rig_open(0);
	rig_late_answer(2);
	rig.n_sent = 0;
	exchange_peer_done(rig.table, rig.peer);
	memset(rig.peer, 0, sizeof(*rig.peer));
	ck_assert_uint_eq(exchange_waiting(rig.table), 0);
	ck_assert_int_eq(exchange_context(rig.table, token, &context), -ENOENT);
	ck_assert_int_eq(exchange_finish(rig.table, token, &rig_changed, rig.now_us), -ENOENT);
	ck_assert_int_eq(exchange_next_us(rig.table), INT64_MAX);
	rig_advance(100 * (int64_t)S);
	ck_assert_uint_eq(rig.n_sent, 0);

	/* the place is used again, the token is not */
	exchange_peer_init(rig.table, rig.peer);
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 1, 1), EXCHANGE_NEW);
	ck_assert_uint_ne(rig_open(0), token);
	ck_assert_int_eq(exchange_context(rig.table, token, &context), -ENOENT);
}
END_TEST

START_TEST(requests_in_progress_are_bounded)
{
	uint64_t token, first = 0;
	size_t opened = 0;
	struct exchange_peer many[40] = {0};

	for (uint16_t id = 0; id < 4; id++) {
		rig_receive(MESSAGE_CON, MESSAGE_POST, id, 1);
		token = rig_open(0);
		first = id == 0 ? token : first;
	}
	rig_receive(MESSAGE_CON, MESSAGE_POST, 4, 1);
	ck_assert_int_eq(exchange_open(rig.table, &rig.request, 0, rig.now_us, &token), -EDQUOT);
	exchange_cancel(rig.table, first);
	first = rig_open(0);
	for (size_t i = 0; i < 40; i++) {
		exchange_peer_init(rig.table, &many[i]);
		for (uint16_t id = 0; id < 4; id++) {
			rig_receive_from(&many[i], MESSAGE_CON, MESSAGE_POST, id, 1);
			int r = exchange_open(rig.table, &rig.request, 0, rig.now_us, &token);
			ck_assert(r == 0 || r == -ENOBUFS);
			opened += r == 0;
		}
	}
	ck_assert_uint_eq(opened, 96);
	ck_assert_uint_eq(exchange_waiting(rig.table), 100);
	rig_finish(first);
	rig_receive_from(&many[39], MESSAGE_CON, MESSAGE_POST, 9, 1);
	ck_assert_int_eq(exchange_open(rig.table, &rig.request, 0, rig.now_us, &token), 0);
	for (size_t i = 0; i < 40; i++)
		exchange_peer_done(rig.table, &many[i]);
}
END_TEST

START_TEST(a_cancelled_request_was_never_there)
{
	rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 1);
	exchange_cancel(rig.table, rig_open(0));
	rig_advance(S);
	ck_assert_uint_eq(rig.n_sent, 0);
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 1), EXCHANGE_NEW);
}
END_TEST

/* Acknowledgements leave in order, however the verdicts come. */
START_TEST(many_at_once)
{
	uint64_t tokens[4];

	for (uint16_t i = 0; i < 4; i++) {
		rig_receive(MESSAGE_CON, MESSAGE_POST, i, (uint8_t)i);
		tokens[i] = rig_open(i);
		rig_advance(10 * MS);
	}
	rig_finish(tokens[2]);
	rig_finish(tokens[0]);
	rig_advance(S);
	ck_assert_uint_eq(rig.n_sent, 4);
	rig_assert_sent(0, MESSAGE_ACK, MESSAGE_CHANGED, 2);
	rig_assert_sent(1, MESSAGE_ACK, MESSAGE_CHANGED, 0);
	rig_assert_sent(2, MESSAGE_ACK, MESSAGE_EMPTY, 1);
	rig_assert_sent(3, MESSAGE_ACK, MESSAGE_EMPTY, 3);
	ck_assert_int_eq(rig.sent[2].at_us, 1000 * (int64_t)S + 210 * MS);
	ck_assert_int_eq(rig.sent[3].at_us, 1000 * (int64_t)S + 230 * MS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_exchange");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
	tcase_add_test(tcase, an_answer_at_once_rides_on_the_acknowledgement);
	tcase_add_test(tcase, an_answer_within_the_delay_rides_on_the_acknowledgement);
	tcase_add_test(tcase, a_late_answer_is_a_message_of_its_own);
	tcase_add_test(tcase, a_separate_response_is_retransmitted_and_given_up);
	tcase_add_test(tcase, timeouts_differ);
	tcase_add_test(tcase, a_reset_ends_a_separate_response);
	tcase_add_test(tcase, an_acknowledgement_of_another_peer_ends_nothing);
	tcase_add_test(tcase, an_unwanted_response_is_not_sent);
	tcase_add_test(tcase, our_own_ids_do_not_repeat);
	tcase_add_test(tcase, a_ping_gets_a_reset);
	tcase_add_test(tcase, what_belongs_to_nothing_is_rejected_or_ignored);
	tcase_add_test(tcase, a_session_that_ends_takes_all_with_it);
	tcase_add_test(tcase, requests_in_progress_are_bounded);
	tcase_add_test(tcase, a_cancelled_request_was_never_there);
	tcase_add_test(tcase, many_at_once);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
