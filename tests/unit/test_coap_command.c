/* SPDX-License-Identifier: Apache-2.0 */

/* Commands in virtual time: losses, repeats, resets, late answers. */

#include "command_rig.h"
#include "suite.h"

START_TEST(an_answer_on_the_acknowledgement)
{
	command_rig_begin();
	begin(1, MESSAGE_PUT, "/a/b%20c?x=1&y=%26", "on");
	const struct coap_message *request = sent(1);
	ck_assert_int_eq(request->type, MESSAGE_CON);
	ck_assert_uint_eq(request->code, MESSAGE_PUT);
	ck_assert_uint_eq(request->token_size, COMMAND_TOKEN_SIZE);
	ck_assert_uint_eq(request->content_format, 42);
	assert_option(request, MESSAGE_URI_PATH, 0, "a");
	assert_option(request, MESSAGE_URI_PATH, 1, "b c");
	assert_option(request, MESSAGE_URI_QUERY, 0, "x=1");
	assert_option(request, MESSAGE_URI_QUERY, 1, "y=&");
	ck_assert_uint_eq(request->payload.size, 2);
	ck_assert_uint_eq(request->accept, MESSAGE_ABSENT);
	ck_assert(answer(MESSAGE_ACK, request, MESSAGE_CONTENT, "done"));
	assert_ended(1, COMMAND_ANSWERED, 205, "done");
	ck_assert_int_eq(command_next_us(rig.table), INT64_MAX);
	ck_assert_uint_eq(command_bytes(rig.table), 0);
	command_rig_end();
}
END_TEST

START_TEST(lost_requests_are_sent_again)
{
	command_rig_begin();
	begin(1, MESSAGE_GET, "/a", NULL);
	const struct coap_message first = *sent(1);
	int64_t begun_us = rig.now_us, due_us = 0, span_us = command_next_us(rig.table) - rig.now_us;
	ck_assert_int_ge(span_us, 2000000);
	ck_assert_int_le(span_us, 3000000);
	for (unsigned n = 2; n <= 5; n++) {
		due_us = command_next_us(rig.table);
		ck_assert_int_eq(due_us - rig.now_us, span_us << (n - 2));
		advance_to(due_us);
		ck_assert_uint_eq(sent(n)->id, first.id);
		ck_assert_mem_eq(sent(n)->token, first.token, COMMAND_TOKEN_SIZE);
	}
	advance_to(command_next_us(rig.table));
	ck_assert_uint_eq(rig.n_sent, 5);
	ck_assert_int_eq(rig.now_us - begun_us, span_us * 31); /* MAX_TRANSMIT_WAIT */
	assert_ended(1, COMMAND_UNANSWERED, 0, "no answer");
	command_rig_end();
}
END_TEST

START_TEST(the_same_message_when_given_again)
{
	command_rig_begin();
	begin(1, MESSAGE_PUT, "/a", "on");
	const struct coap_message first = *sent(1);
	pass_until_ended();
	ck_assert_int_eq(command_presence(&rig.peer, id_of(1)), COMMAND_KEPT);
	ck_assert_int_eq(command_presence(&rig.peer, id_of(2)), COMMAND_NONE);
	command_attach(rig.table, &rig.peer, 7, rig.now_us);
	const struct coap_message *again = sent(rig.n_sent);
	ck_assert_uint_eq(rig.n_sent, 6);
	ck_assert_uint_eq(again->id, first.id);
	ck_assert_mem_eq(again->token, first.token, COMMAND_TOKEN_SIZE);
	ck_assert_int_eq(command_presence(&rig.peer, id_of(1)), COMMAND_IN_FLIGHT);
	ck_assert_int_eq(command_presence(&rig.peer, id_of(2)), COMMAND_OTHER);
	ck_assert(answer(MESSAGE_ACK, again, MESSAGE_CHANGED, NULL));
	assert_ended(2, COMMAND_ANSWERED, 204, "");
	ck_assert_uint_eq(rig.ended.ticket, 7);
	command_rig_end();
}
END_TEST

START_TEST(another_message_when_its_lifetime_is_over)
{
	command_rig_begin();
	begin(1, MESSAGE_PUT, "/a", "on");
	const struct coap_message first = *sent(1);
	int64_t begun_us = rig.now_us;
	pass_until_ended();
	advance_to(begun_us + RECENT_EXCHANGE_LIFETIME_S * INT64_C(1000000) - 1);
	ck_assert_int_eq(command_presence(&rig.peer, id_of(1)), COMMAND_KEPT);
	advance_to(rig.now_us + 1);
	ck_assert_int_eq(command_presence(&rig.peer, id_of(1)), COMMAND_NONE);
	ck_assert_uint_eq(command_bytes(rig.table), 0);
	begin(1, MESSAGE_PUT, "/a", "on");
	ck_assert_uint_ne(sent(6)->id, first.id);
	ck_assert_mem_ne(sent(6)->token, first.token, COMMAND_TOKEN_SIZE);
	command_rig_end();
}
END_TEST

START_TEST(an_answer_after_the_acknowledgement)
{
	command_rig_begin();
	begin(1, MESSAGE_GET, "/a", NULL);
	const struct coap_message request = *sent(1);
	ck_assert(settle(MESSAGE_ACK, request.id));
	advance_to(rig.now_us + 59 * INT64_C(1000000));
	ck_assert_uint_eq(rig.n_sent, 1);
	ck_assert(answer_as(MESSAGE_CON, 900, &request, MESSAGE_CONTENT, "done"));
	assert_ended(1, COMMAND_ANSWERED, 205, "done");
	assert_empty(2, MESSAGE_ACK, 900);
	/* Our acknowledgement was lost. */
	ck_assert(answer_as(MESSAGE_CON, 900, &request, MESSAGE_CONTENT, "done"));
	assert_empty(3, MESSAGE_ACK, 900);
	ck_assert_uint_eq(rig.n_ended, 1);
	command_rig_end();
}
END_TEST

START_TEST(an_answer_before_or_without_the_acknowledgement)
{
	command_rig_begin();
	begin(1, MESSAGE_GET, "/a", NULL);
	const struct coap_message request = *sent(1);
	ck_assert(answer_as(MESSAGE_NON, 901, &request, MESSAGE_CONTENT, "done"));
	assert_ended(1, COMMAND_ANSWERED, 205, "done");
	ck_assert(!settle(MESSAGE_ACK, request.id));
	ck_assert(answer_as(MESSAGE_NON, 901, &request, MESSAGE_CONTENT, "done"));
	ck_assert_uint_eq(rig.n_sent, 1);
	ck_assert_uint_eq(rig.n_ended, 1);
	command_rig_end();
}
END_TEST

START_TEST(acknowledged_and_never_answered)
{
	command_rig_begin();
	begin(1, MESSAGE_GET, "/a", NULL);
	const struct coap_message request = *sent(1);
	ck_assert(settle(MESSAGE_ACK, request.id));
	advance_to(rig.now_us + 60 * INT64_C(1000000));
	assert_ended(1, COMMAND_UNANSWERED, 0, "acknowledged, but not answered in time");
	/* It comes in the end, and nobody waits for it. */
	ck_assert(answer_as(MESSAGE_CON, 900, &request, MESSAGE_CONTENT, "late"));
	assert_ended(2, COMMAND_ANSWERED, 205, "late");
	ck_assert_uint_eq(rig.ended.ticket, 0);
	ck_assert_int_eq(command_presence(&rig.peer, id_of(1)), COMMAND_NONE);
	command_rig_end();
}
END_TEST

START_TEST(resets)
{
	command_rig_begin();
	begin(1, MESSAGE_GET, "/a", NULL);
	ck_assert(!settle(MESSAGE_RST, (uint16_t)(sent(1)->id + 1)));
	ck_assert_uint_eq(rig.n_ended, 0);
	ck_assert(settle(MESSAGE_RST, sent(1)->id));
	assert_ended(1, COMMAND_REJECTED, 0, "the device does not know this");
	command_rig_end();
}
END_TEST

START_TEST(answers_to_something_else)
{
	command_rig_begin();
	begin(1, MESSAGE_GET, "/a", NULL);
	const struct coap_message request = *sent(1);
	struct coap_message other = request;
	other.token[0] ^= 1;
	ck_assert(answer_as(MESSAGE_ACK, request.id, &other, MESSAGE_CONTENT, "no")); /* in silence */
	ck_assert_uint_eq(rig.n_sent, 1);
	ck_assert(answer_as(MESSAGE_CON, 900, &other, MESSAGE_CONTENT, "no"));
	assert_empty(2, MESSAGE_RST, 900);
	ck_assert(answer_as(MESSAGE_NON, 901, &other, MESSAGE_CONTENT, "no"));
	ck_assert_uint_eq(rig.n_sent, 2);
	ck_assert(notify(902, &other)); /* RFC 7641: so that no more come */
	assert_empty(3, MESSAGE_RST, 902);
	other = request;
	other.token_size = 4;
	ck_assert(answer_as(MESSAGE_CON, 903, &other, MESSAGE_CONTENT, "no"));
	assert_empty(4, MESSAGE_RST, 903);
	ck_assert_uint_eq(rig.n_ended, 0);
	ck_assert(answer(MESSAGE_ACK, &request, MESSAGE_NOT_FOUND, "there is none"));
	assert_ended(1, COMMAND_ANSWERED, 404, "there is none");
	command_rig_end();
}
END_TEST

START_TEST(options_that_are_not_understood)
{
	static const enum message_type types[] = {MESSAGE_ACK, MESSAGE_CON, MESSAGE_NON};
	for (unsigned i = 0; i < 3; i++) {
		command_rig_begin();
		begin(1, MESSAGE_GET, "/a", NULL);
		const struct coap_message request = *sent(1);
		ck_assert(answer_with(types[i], types[i] == MESSAGE_ACK ? request.id : 900, &request, 65001));
		ck_assert_uint_eq(rig.n_sent, types[i] == MESSAGE_CON ? 2 : 1);
		if (types[i] == MESSAGE_CON)
			assert_empty(2, MESSAGE_RST, 900);
		assert_ended(1, COMMAND_REJECTED, 0, "the answer has an option that is critical and not understood");
		command_rig_end();
	}
}
END_TEST

START_TEST(requests_are_somebody_elses)
{
	command_rig_begin();
	begin(1, MESSAGE_GET, "/a", NULL);
	const struct coap_message request = *sent(1);
	ck_assert(!answer_as(MESSAGE_CON, 900, &request, MESSAGE_POST, "21.5"));
	ck_assert(!settle(MESSAGE_CON, 901));
	ck_assert_uint_eq(rig.n_sent, 1);
	command_rig_end();
}
END_TEST

START_TEST(ends_from_outside)
{
	command_rig_begin();
	begin(1, MESSAGE_GET, "/a", NULL);
	command_void_tickets(rig.table);
	command_interrupt(rig.table, &rig.peer, "gone");
	assert_ended(1, COMMAND_UNANSWERED, 0, "gone");
	ck_assert_uint_eq(rig.ended.ticket, 0);
	begin(2, MESSAGE_GET, "/a", NULL);
	pass_until_ended();
	command_interrupt_all(rig.table, "gone"); /* what is kept has ended before */
	ck_assert_uint_eq(rig.n_ended, 2);
	begin(3, MESSAGE_GET, "/a", NULL);
	command_interrupt_all(rig.table, "gone");
	assert_ended(3, COMMAND_UNANSWERED, 0, "gone");
	ck_assert_int_eq(command_next_us(rig.table), INT64_MAX);
	ck_assert_uint_eq(command_bytes(rig.table), 0);
	command_rig_end();
}
END_TEST

START_TEST(what_cannot_be_sent)
{
	static const char *const wrong[] = {"", "a", "/a#b", "/.", "/..", "/a/%2e%2E", "/%", "/%1", "/%zz/b", "?a"};
	command_rig_begin();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_int_eq(try_begin(1, MESSAGE_GET, wrong[i], (struct tg_bytes){0}), -EINVAL);
	char path[4000];
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[257] = '\0';
	ck_assert_int_eq(try_begin(1, MESSAGE_GET, path, (struct tg_bytes){0}), -EINVAL); /* 256 bytes in a segment */
	path[256] = '\0';
	ck_assert_int_eq(try_begin(1, MESSAGE_GET, path, (struct tg_bytes){0}), 0);
	command_interrupt(rig.table, &rig.peer, "gone");
	memset(path, '/', sizeof(path));
	path[2000] = '\0';
	ck_assert_int_eq(try_begin(1, MESSAGE_GET, path, (struct tg_bytes){0}), -E2BIG);
	ck_assert_int_eq(try_begin(1, MESSAGE_PUT, "/a", (struct tg_bytes){rig.large, RIG_BODY_BYTES + 1}), -EMSGSIZE);
	ck_assert_uint_eq(rig.n_sent, 1);
	command_rig_end();
}
END_TEST

START_TEST(many_peers_at_once)
{
	static struct command_peer peers[200];
	command_rig_begin();
	for (unsigned i = 0; i < 200; i++)
		ck_assert_int_eq(begin_at(&peers[i], (uint8_t)i, "/a"), 0);
	for (unsigned i = 0; i < 200; i += 2)
		command_peer_done(rig.table, &peers[i]);
	advance_to(rig.now_us + 100 * INT64_C(1000000));
	ck_assert_uint_eq(rig.n_ended, 100);
	advance_to(rig.now_us + 200 * INT64_C(1000000));
	ck_assert_uint_eq(command_bytes(rig.table), 0);
	ck_assert_uint_eq(rig.counts[COMMAND_COUNT_RETRANSMIT], 400);
	command_rig_end();
}
END_TEST

SUITE_MAIN("coap_command", an_answer_on_the_acknowledgement, lost_requests_are_sent_again,
	   the_same_message_when_given_again, another_message_when_its_lifetime_is_over,
	   an_answer_after_the_acknowledgement, an_answer_before_or_without_the_acknowledgement,
	   acknowledged_and_never_answered, resets, answers_to_something_else, options_that_are_not_understood,
	   requests_are_somebody_elses, ends_from_outside, what_cannot_be_sent, many_peers_at_once)
