/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "exchange_rig.h"

START_TEST(a_repeat_gets_the_same_answer)
{
	static const struct exchange_answer full = {.code = MESSAGE_UNAVAILABLE, .detail = 30};

	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 1), EXCHANGE_NEW);
	exchange_reply(rig.table, &rig.request, &full, rig.now_us);
	rig_advance(246 * (int64_t)S);
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 1), EXCHANGE_REPEAT);
	ck_assert_uint_eq(rig.before.code, MESSAGE_UNAVAILABLE);
	ck_assert_uint_eq(rig.before.detail, 30);
	exchange_repeat(rig.table, &rig.request, &rig.before);
	ck_assert_uint_eq(rig.n_sent, 2);
	ck_assert_uint_eq(rig.sent[1].size, rig.sent[0].size);
	ck_assert_mem_eq(rig.sent[1].wire, rig.sent[0].wire, rig.sent[0].size);
	ck_assert_uint_eq(rig.counts[EXCHANGE_COUNT_REPEAT], 1);
}
END_TEST

START_TEST(an_opened_request_is_remembered_once_answered)
{
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 1), EXCHANGE_NEW);
	rig_finish(rig_open(0));
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 1), EXCHANGE_REPEAT);
	ck_assert_uint_eq(rig.before.code, MESSAGE_CHANGED);
}
END_TEST

START_TEST(after_its_lifetime_an_id_is_new)
{
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 1), EXCHANGE_NEW);
	exchange_reply(rig.table, &rig.request, &rig_changed, rig.now_us);
	rig_advance(249 * (int64_t)S);
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 1), EXCHANGE_NEW);
	ck_assert_int_eq(exchange_next_us(rig.table), INT64_MAX);
}
END_TEST

START_TEST(a_repeat_in_progress_is_acknowledged)
{
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 1), EXCHANGE_NEW);
	uint64_t token = rig_open(0);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 1), EXCHANGE_DONE);
		ck_assert_uint_eq(rig.n_sent, i + 1);
		rig_assert_sent(i, MESSAGE_ACK, MESSAGE_EMPTY, 7);
	}
	rig_advance(S);
	ck_assert_uint_eq(rig.n_sent, 3); /* acknowledged already */
	rig_finish(token);
	rig_assert_sent(3, MESSAGE_CON, MESSAGE_CHANGED, rig.sent[3].message.id);
	ck_assert_uint_eq(rig.counts[EXCHANGE_COUNT_REPEAT], 3);
}
END_TEST

START_TEST(a_repeat_after_a_separate_response_is_acknowledged_only)
{
	rig_late_answer(7);
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 0x55), EXCHANGE_DONE);
	rig_assert_sent(2, MESSAGE_ACK, MESSAGE_EMPTY, 7);
	rig_receive(MESSAGE_ACK, MESSAGE_EMPTY, rig.sent[1].message.id, 0);
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 0x55), EXCHANGE_DONE);
	rig_assert_sent(3, MESSAGE_ACK, MESSAGE_EMPTY, 7);
	ck_assert_uint_eq(rig.n_sent, 4);
}
END_TEST

START_TEST(the_same_id_is_another_one_from_another_peer)
{
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 1), EXCHANGE_NEW);
	exchange_reply(rig.table, &rig.request, &rig_changed, rig.now_us);
	ck_assert_int_eq(rig_receive_from(rig.other, MESSAGE_CON, MESSAGE_POST, 7, 1), EXCHANGE_NEW);
}
END_TEST

/* A sender that uses an id again too early must not be told that this reading was taken. */
START_TEST(the_same_id_with_other_content_is_new)
{
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 1), EXCHANGE_NEW);
	rig_finish(rig_open(0));
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 2), EXCHANGE_NEW);
	uint64_t token = rig_open(0);
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 3), EXCHANGE_NEW);
	rig_finish(token);
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 1), EXCHANGE_REPEAT);
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, 7, 2), EXCHANGE_REPEAT);
}
END_TEST

START_TEST(non_confirmable_requests)
{
	ck_assert_int_eq(rig_receive(MESSAGE_NON, MESSAGE_POST, 7, 1), EXCHANGE_NEW);
	uint64_t token = rig_open(0);
	ck_assert_int_eq(rig_receive(MESSAGE_NON, MESSAGE_POST, 7, 1), EXCHANGE_DONE);
	rig_advance(10 * S);
	ck_assert_uint_eq(rig.n_sent, 0);
	rig_finish(token);
	ck_assert_uint_eq(rig.n_sent, 1);
	rig_assert_sent(0, MESSAGE_NON, MESSAGE_CHANGED, rig.sent[0].message.id);
	ck_assert_uint_eq(rig.sent[0].message.token[0], 1);
	rig_advance(144 * (int64_t)S);
	ck_assert_int_eq(rig_receive(MESSAGE_NON, MESSAGE_POST, 7, 1), EXCHANGE_DONE);
	ck_assert_uint_eq(rig.n_sent, 1);
	rig_advance(3 * S);
	ck_assert_int_eq(rig_receive(MESSAGE_NON, MESSAGE_POST, 7, 1), EXCHANGE_NEW);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_repeats");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
	tcase_add_test(tcase, a_repeat_gets_the_same_answer);
	tcase_add_test(tcase, an_opened_request_is_remembered_once_answered);
	tcase_add_test(tcase, after_its_lifetime_an_id_is_new);
	tcase_add_test(tcase, a_repeat_in_progress_is_acknowledged);
	tcase_add_test(tcase, a_repeat_after_a_separate_response_is_acknowledged_only);
	tcase_add_test(tcase, the_same_id_is_another_one_from_another_peer);
	tcase_add_test(tcase, the_same_id_with_other_content_is_new);
	tcase_add_test(tcase, non_confirmable_requests);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
