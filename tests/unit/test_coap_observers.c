/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coap/exchange.h"
#include "observe_rig.h"

START_TEST(silence_ends_it)
{
	struct observer *observer = rig_add(1, 3);
	rig_tell(observer, "a");
	rig_advance(92 * (int64_t)S);
	ck_assert_uint_eq(rig.n_sent, 1 + EXCHANGE_MAX_RETRANSMIT);
	int64_t span_us = rig.sent[1].at_us - rig.sent[0].at_us;
	ck_assert_int_ge(span_us, 2 * S);
	ck_assert_int_le(span_us, 3 * S);
	for (size_t i = 1; i < rig.n_sent; i++) {
		ck_assert_int_eq(rig.sent[i].at_us - rig.sent[i - 1].at_us, span_us << (i - 1));
		ck_assert_uint_eq(rig.sent[i].size, rig.sent[0].size);
		ck_assert_mem_eq(rig.sent[i].wire, rig.sent[0].wire, rig.sent[0].size);
	}
	rig_advance(10 * S);
	ck_assert_uint_eq(rig.n_ended, 1);
	ck_assert_ptr_eq(rig.ended, &rig.owners[3]);
	ck_assert_uint_eq(rig.counts[OBSERVE_COUNT_GIVEN_UP], 1);
	ck_assert_uint_eq(rig.counts[OBSERVE_COUNT_RETRANSMIT], EXCHANGE_MAX_RETRANSMIT);
}
END_TEST

/* RFC 7641 section 4.5.2: a newer state does not begin the patience anew. */
START_TEST(a_newer_state_takes_the_place_of_a_retransmission)
{
	struct observer *observer = rig_add(1, 0);
	rig_tell(observer, "a");
	rig_advance(S);
	rig_tell(observer, "b");
	ck_assert_uint_eq(rig.n_sent, 1);
	rig_advance(3 * S);
	ck_assert_uint_eq(rig.n_sent, 2);
	rig_assert_sent(1, MESSAGE_CON, "b");
	ck_assert_uint_ne(rig.sent[1].message.id, rig.sent[0].message.id);
	ck_assert(rig_settle(MESSAGE_ACK, rig.sent[0].message.id)); /* the old one: not what is waited for */
	rig_advance(100 * (int64_t)S);
	ck_assert_uint_eq(rig.n_sent, 1 + EXCHANGE_MAX_RETRANSMIT);
	ck_assert_uint_eq(rig.n_ended, 1);
}
END_TEST

START_TEST(a_reset_ends_it)
{
	struct observer *first = rig_known();
	rig_advance(S);
	rig_tell(first, "b");
	rig_assert_sent(1, MESSAGE_NON, "b");
	ck_assert(!rig_settle(MESSAGE_RST, (uint16_t)(rig.sent[1].message.id + 1)));
	ck_assert_uint_eq(rig.n_ended, 0);
	ck_assert(rig_settle(MESSAGE_RST, rig.sent[1].message.id));
	ck_assert_uint_eq(rig.n_ended, 1);

	struct observer *second = rig_add(2, 1);
	rig_tell(second, "c");
	rig_assert_sent(2, MESSAGE_CON, "c");
	ck_assert(rig_settle(MESSAGE_RST, rig.sent[2].message.id));
	ck_assert_uint_eq(rig.n_ended, 2);
	ck_assert_ptr_eq(rig.ended, &rig.owners[1]);
	ck_assert_uint_eq(rig.counts[OBSERVE_COUNT_RESET], 2);
}
END_TEST

START_TEST(the_reset_of_one_that_was_sent_shortly_before_counts)
{
	struct observer *observer = rig_known();
	rig_advance(S);
	rig_tell(observer, "b");
	rig_advance(S);
	rig_tell(observer, "c");
	ck_assert_uint_eq(rig.n_sent, 3);
	ck_assert(rig_settle(MESSAGE_RST, rig.sent[1].message.id));
	ck_assert_uint_eq(rig.n_ended, 1);
}
END_TEST

START_TEST(other_messages_settle_nothing)
{
	struct observer *observer = rig_add(1, 0);
	rig_tell(observer, "a");
	uint16_t id = rig.sent[0].message.id;
	const struct coap_message filled = {.type = MESSAGE_ACK, .code = MESSAGE_CONTENT, .id = id};
	const struct coap_message ping = {.type = MESSAGE_CON, .code = MESSAGE_EMPTY, .id = id};
	ck_assert(!observe_settle(rig.table, &rig.peer, &filled, rig.now_us));
	ck_assert(!observe_settle(rig.table, &rig.peer, &ping, rig.now_us));
	ck_assert(!rig_settle(MESSAGE_ACK, (uint16_t)(id + 1)));
	const struct coap_message good = {.type = MESSAGE_ACK, .code = MESSAGE_EMPTY, .id = id};
	ck_assert(!observe_settle(rig.table, &rig.others[0], &good, rig.now_us));
	rig_advance(4 * S);
	ck_assert_uint_eq(rig.n_sent, 2);
	observe_remove(rig.table, observer);
}
END_TEST

START_TEST(the_last_word_is_confirmed_and_ends_it)
{
	struct observer *observer = rig_known();
	rig_advance(S);
	rig_tell_last(observer, MESSAGE_FORBIDDEN);
	ck_assert_uint_eq(rig.n_sent, 2);
	ck_assert_int_eq(rig.sent[1].message.type, MESSAGE_CON);
	ck_assert_uint_eq(rig.sent[1].message.code, MESSAGE_FORBIDDEN);
	ck_assert_uint_eq(rig.sent[1].message.observe, MESSAGE_ABSENT);
	ck_assert_uint_eq(rig.n_ended, 0);
	rig_acknowledge();
	ck_assert_uint_eq(rig.n_ended, 1);
}
END_TEST

START_TEST(the_last_word_waits_for_what_is_under_way)
{
	struct observer *observer = rig_add(1, 0);
	rig_tell(observer, "a");
	rig_tell_last(observer, MESSAGE_NOT_FOUND);
	ck_assert_uint_eq(rig.n_sent, 1);
	rig_acknowledge();
	rig_advance(10 * S);
	ck_assert_uint_ge(rig.n_sent, 2);
	ck_assert_uint_eq(rig.sent[1].message.code, MESSAGE_NOT_FOUND);
	rig_advance(100 * (int64_t)S);
	ck_assert_uint_eq(rig.n_ended, 1);
	ck_assert_uint_eq(rig.counts[OBSERVE_COUNT_GIVEN_UP], 1);
}
END_TEST

START_TEST(observers_are_bounded)
{
	struct observer *all[RIG_IN_ALL], *more;

	for (uint8_t i = 0; i < RIG_A_PEER; i++)
		all[i] = rig_add(i, i);
	ck_assert_int_eq(observe_add(rig.table, &rig.peer, (struct tg_bytes){"x", 1}, rig.owners, &more), -EDQUOT);
	for (int i = RIG_A_PEER; i < RIG_IN_ALL; i++)
		ck_assert_int_eq(
			observe_add(rig.table, &rig.others[i - RIG_A_PEER], (struct tg_bytes){0}, rig.owners, &all[i]),
			0);
	ck_assert_int_eq(observe_add(rig.table, &rig.others[2], (struct tg_bytes){0}, rig.owners, &more), -ENOBUFS);
	observe_remove(rig.table, all[1]);
	ck_assert_int_eq(observe_add(rig.table, &rig.others[2], (struct tg_bytes){0}, rig.owners, &all[1]), 0);
	ck_assert_uint_eq(observe_observers(rig.table), RIG_IN_ALL);
	for (int i = 0; i < RIG_IN_ALL; i++)
		observe_remove(rig.table, all[i]);
}
END_TEST

START_TEST(a_token_finds_its_own)
{
	static const uint8_t long_token[] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct observer *none, *eight;

	struct observer *one = rig_add(1, 0);
	ck_assert_int_eq(observe_add(rig.table, &rig.peer, (struct tg_bytes){0}, &rig.owners[1], &none), 0);
	ck_assert_int_eq(observe_add(rig.table, &rig.peer, (struct tg_bytes){long_token, 8}, &rig.owners[2], &eight),
			 0);
	ck_assert_ptr_eq(observe_find(&rig.peer, (struct tg_bytes){long_token, 1}), &rig.owners[0]);
	ck_assert_ptr_eq(observe_find(&rig.peer, (struct tg_bytes){0}), &rig.owners[1]);
	ck_assert_ptr_eq(observe_find(&rig.peer, (struct tg_bytes){long_token, 8}), &rig.owners[2]);
	ck_assert_ptr_null(observe_find(&rig.peer, (struct tg_bytes){long_token, 7}));
	ck_assert_ptr_null(observe_find(&rig.others[0], (struct tg_bytes){long_token, 8}));
	observe_remove(rig.table, none);
	observe_remove(rig.table, one);
	ck_assert_ptr_eq(observe_find(&rig.peer, (struct tg_bytes){long_token, 8}), &rig.owners[2]);
	observe_remove(rig.table, eight);
}
END_TEST

/* RFC 7641 section 4.5.1, RFC 7252 section 4.7: NSTART is 1 for a peer, however many observers it has. */
START_TEST(one_is_under_way_to_a_peer)
{
	struct observer *all[RIG_A_PEER], *elsewhere;

	for (uint8_t i = 0; i < RIG_A_PEER; i++) {
		all[i] = rig_add(i, i);
		rig_tell(all[i], "a");
	}
	ck_assert_uint_eq(rig.n_sent, 1);
	ck_assert_int_eq(observe_add(rig.table, &rig.others[0], (struct tg_bytes){0}, rig.owners, &elsewhere), 0);
	rig_tell(elsewhere, "b");
	ck_assert_uint_eq(rig.n_sent, 2);
	ck_assert(rig_settle(MESSAGE_ACK, rig.sent[0].message.id));
	for (size_t n = 3; n <= 1 + RIG_A_PEER; n++) {
		rig_advance(0);
		ck_assert_uint_eq(rig.n_sent, n);
		rig_acknowledge();
	}
	for (size_t i = 0; i < RIG_A_PEER; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(rig.sent[i + (i > 0)].message.token[0],
					  rig.sent[j + (j > 0)].message.token[0]);
	rig_advance(S);
	rig_tell(all[2], "c");
	rig_tell(all[3], "d");
	rig_assert_sent(1 + RIG_A_PEER, MESSAGE_NON, "c"); /* those need not wait for each other */
	rig_assert_sent(2 + RIG_A_PEER, MESSAGE_NON, "d");
	for (size_t i = 0; i < RIG_A_PEER; i++)
		observe_remove(rig.table, all[i]);
	observe_remove(rig.table, elsewhere);
}
END_TEST

START_TEST(when_the_one_under_way_is_removed_the_next_has_its_turn)
{
	struct observer *first = rig_add(1, 0), *second = rig_add(2, 1), *third = rig_add(3, 2);

	rig_tell(first, "a");
	rig_tell(second, "b");
	rig_tell(third, "c");
	observe_remove(rig.table, first);
	rig_advance(0);
	ck_assert_uint_eq(rig.n_sent, 2);
	ck_assert(rig_settle(MESSAGE_RST, rig.sent[1].message.id));
	rig_advance(0);
	ck_assert_uint_eq(rig.n_sent, 3);
	ck_assert_uint_eq(rig.n_ended, 1);
	observe_remove(rig.table, rig.ended == &rig.owners[1] ? third : second);
}
END_TEST

START_TEST(silence_ends_those_that_wait_behind_it)
{
	struct observer *idle = rig_known(), *elsewhere;

	for (uint8_t i = 2; i < 2 + RIG_A_PEER - 1; i++)
		rig_tell(rig_add(i, i), "a");
	ck_assert_int_eq(observe_add(rig.table, &rig.others[0], (struct tg_bytes){0}, rig.owners, &elsewhere), 0);
	ck_assert_uint_eq(rig.n_sent, 2);
	rig_advance(100 * (int64_t)S);
	ck_assert_uint_eq(rig.n_sent, 2 + EXCHANGE_MAX_RETRANSMIT);
	ck_assert_uint_eq(rig.n_ended, RIG_A_PEER - 1);
	ck_assert_uint_eq(rig.counts[OBSERVE_COUNT_GIVEN_UP], RIG_A_PEER - 1);
	rig_tell(idle, "b");
	rig_assert_sent(rig.n_sent - 1, MESSAGE_CON, "b");
	observe_remove(rig.table, idle);
	observe_remove(rig.table, elsewhere);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_observers");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
	tcase_add_test(tcase, silence_ends_it);
	tcase_add_test(tcase, a_newer_state_takes_the_place_of_a_retransmission);
	tcase_add_test(tcase, a_reset_ends_it);
	tcase_add_test(tcase, the_reset_of_one_that_was_sent_shortly_before_counts);
	tcase_add_test(tcase, other_messages_settle_nothing);
	tcase_add_test(tcase, the_last_word_is_confirmed_and_ends_it);
	tcase_add_test(tcase, the_last_word_waits_for_what_is_under_way);
	tcase_add_test(tcase, observers_are_bounded);
	tcase_add_test(tcase, a_token_finds_its_own);
	tcase_add_test(tcase, one_is_under_way_to_a_peer);
	tcase_add_test(tcase, when_the_one_under_way_is_removed_the_next_has_its_turn);
	tcase_add_test(tcase, silence_ends_those_that_wait_behind_it);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
