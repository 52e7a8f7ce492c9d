/* SPDX-License-Identifier: Apache-2.0 */

/* What becomes of a command, published to where its sender wants it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mqtt_peer.h"
#include "mqtt_rig.h"

static struct tg_delivery response(const char *address)
{
	struct tg_delivery d = rig_delivery(address, "21.5", 1);

	d.kind = TG_RESPONSE;
	d.path = bytes_text("valve/1");
	d.outcome = TG_OUTCOME_DELIVERED;
	d.code = 205;
	d.content_format = 0;
	for (uint8_t i = 0; i < TG_ID_SIZE; i++)
		d.command[i] = i;
	return d;
}

START_TEST(a_response_says_how_the_command_ended)
{
	static const struct {
		uint32_t outcome, code;
		const char *told, *code_told;
	} rows[] = {{TG_OUTCOME_DELIVERED, 205, "\"outcome\":\"delivered\"", "\"code\":\"2.05\""},
		    {TG_OUTCOME_DELIVERED, 404, "\"outcome\":\"delivered\"", "\"code\":\"4.04\""},
		    {TG_OUTCOME_REFUSED, 0, "\"outcome\":\"refused\"", NULL},
		    {TG_OUTCOME_EXPIRED, 0, "\"outcome\":\"expired\"", NULL}};
	struct tg_delivery delivery = response("answers/me");
	uint64_t ticket;
	char *line;

	delivery.outcome = rows[_i].outcome;
	delivery.code = rows[_i].code;
	delivery.correlation = bytes_text("c-17");
	rig_connect_and_subscribe();
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	line = rig_wait_line("answers/me");
	rig_expect_in(line, rows[_i].told);
	if (rows[_i].code_told)
		rig_expect_in(line, rows[_i].code_told);
	else
		ck_assert_ptr_null(strstr(line, "\"code\""));
	rig_expect_in(line, "\"device\":\"pump-7\"");
	rig_expect_in(line, "\"path\":\"valve/1\"");
	rig_expect_in(line, "\"command\":\"00010203-0405-0607-0809-0a0b0c0d0e0f\"");
	rig_expect_in(line, "\"id\":\"");
	rig_expect_in(line, "\"correlation-data\":\"c-17\"");
	rig_expect_in(line, "\"content-type\":\"text/plain;charset=utf-8\"");
	rig_expect_in(line, "\"payload\":\"21.5\"");
	free(line);
}
END_TEST

START_TEST(a_reading_has_nothing_of_a_response)
{
	uint64_t ticket;
	char *line;

	rig_connect_and_subscribe();
	ck_assert_int_eq(mock_deliver_text(mock, "a/b", "1", &ticket), 0);
	line = rig_wait_line("\"topic\":\"a/b\"");
	ck_assert_ptr_null(strstr(line, "outcome"));
	ck_assert_ptr_null(strstr(line, "\"command\""));
	ck_assert_ptr_null(strstr(line, "\"path\""));
	ck_assert_ptr_null(strstr(line, "\"via\""));
	ck_assert_ptr_null(strstr(line, "correlation-data"));
	free(line);
}
END_TEST

START_TEST(correlation_data_goes_back_untouched)
{
	static const size_t sizes[] = {0, 1, TG_CORRELATION_MAX};
	struct tg_delivery delivery = response("answers/me");
	uint8_t correlation[TG_CORRELATION_MAX] = {0};
	const struct peer_heard *heard;
	struct peer *peer;
	uint64_t ticket;

	correlation[1] = 0xff;
	correlation[TG_CORRELATION_MAX - 1] = 7;
	delivery.correlation = bytes_of(correlation, sizes[_i]);
	rig_connect_and_subscribe();
	peer = peer_listen(&broker, "answers/#");
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	ck_assert(MOCK_UNTIL(mock, (heard = peer_heard(peer))->heard, RIG_SOON_MS));
	ck_assert_uint_eq(heard->correlation_size, sizes[_i]);
	ck_assert_mem_eq(heard->correlation, correlation, sizes[_i]);
	peer_free(peer);
}
END_TEST

START_TEST(what_is_no_response_topic_is_rejected)
{
	static char large[65536];
	const struct {
		const char *address;
		size_t size;
		const char *reason;
	} rows[] = {
		{"a/+/b", 5, "wildcard"},
		{"a/#", 3, "wildcard"},
		{"#", 1, "wildcard"},
		{"", 0, "empty"},
		{"a\0b", 3, "zero byte"},
		{"$SYS/x", 6, "begins with $"},
		{"$share/g/a", 10, "begins with $"},
		{"a\xff", 2, "UTF-8"},
		{large, sizeof(large), "too long"},
	};
	struct tg_delivery delivery = response("a");
	uint64_t ticket;

	memset(large, 'a', sizeof(large));
	rig_connect_and_subscribe();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		delivery.address = bytes_of(rows[i].address, rows[i].size);
		ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
		rig_expect_result(ticket, TG_REJECTED);
		rig_expect_in(mock->tickets[ticket - 1].reason, rows[i].reason);
	}
	/* The broker's own topics are closed to strangers' wishes alone. */
	delivery = response("answers/$SYS");
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

START_TEST(a_path_that_cannot_stand_in_mqtt_is_left_out)
{
	struct tg_delivery delivery = response("answers/me");
	uint64_t ticket;
	char *line;

	delivery.path = bytes_of("a\0b", 3);
	rig_connect_and_subscribe();
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	line = rig_wait_line("answers/me");
	ck_assert_ptr_null(strstr(line, "\"path\""));
	rig_expect_in(line, "\"outcome\":\"delivered\"");
	free(line);
}
END_TEST

/* Around the limit: whatever is let through must not cost the link. */
START_TEST(a_response_knows_its_size)
{
	static char large[3000], correlation[TG_CORRELATION_MAX];
	struct tg_delivery delivery = response("answers/me");
	uint64_t ticket;

	snprintf(broker.extra, sizeof(broker.extra), "max_packet_size 3000\n");
	memset(large, 'x', sizeof(large));
	mock_add_route(mock, "a/**"); /* with the mark of a gateway that receives */
	rig_connect_and_subscribe();
	delivery.correlation = bytes_of(correlation, sizeof(correlation));
	for (size_t size = 1500; size < 1900; size++) {
		delivery.payload = bytes_of(large, size);
		ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
		ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, RIG_SOON_MS));
		if (size == 1500)
			ck_assert_int_eq(mock_result(mock, ticket), TG_CONFIRMED);
	}
	ck_assert_int_eq(mock_result(mock, ticket), TG_REJECTED);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

/* A request and its response, as somebody else's tool makes them. */
START_TEST(mosquitto_rr_gets_its_answer)
{
	char command[1024], answer[64] = "";
	const struct mock_submission *s;
	struct tg_delivery delivery;
	uint64_t ticket;
	FILE *rr;

	mock_add_route(mock, "hall/*/command/**");
	rig_connect_and_subscribe();
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "subscriptions") == 1, RIG_SOON_MS));
	snprintf(command, sizeof(command),
		 "timeout 60 mosquitto_rr -V 5 -q 1 -h localhost -p %u --cafile %s --cert %s --key %s "
		 "-t hall/pump-7/command/valve -e answers/rr -m open -D publish user-property method POST "
		 "-D publish correlation-data 4711",
		 broker.port, broker_file("ca.crt"), broker_file("client.crt"), broker_file("client.key"));
	rr = popen(command, "re");
	ck_assert_ptr_nonnull(rr);
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 1, RIG_SOON_MS));
	s = &mock->submissions[0];
	ck_assert_str_eq(s->path, "hall/pump-7/command/valve");
	ck_assert_uint_eq(s->method, TG_METHOD_POST);
	mock_accept(mock, s->token);
	delivery = response(s->reply_to);
	delivery.correlation = bytes_of(s->correlation, s->correlation_size);
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	ck_assert_ptr_nonnull(fgets(answer, sizeof(answer), rr));
	ck_assert_str_eq(answer, "21.5\n");
	ck_assert_int_eq(pclose(rr), 0);
	free(rig_wait_line("\"correlation-data\":\"4711\""));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mqtt response");
	TCase *tcase = tcase_create("mqtt response");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
	tcase_add_loop_test(tcase, a_response_says_how_the_command_ended, 0, 4);
	tcase_add_test(tcase, a_reading_has_nothing_of_a_response);
	tcase_add_loop_test(tcase, correlation_data_goes_back_untouched, 0, 3);
	tcase_add_test(tcase, what_is_no_response_topic_is_rejected);
	tcase_add_test(tcase, a_path_that_cannot_stand_in_mqtt_is_left_out);
	tcase_add_test(tcase, a_response_knows_its_size);
	tcase_add_test(tcase, mosquitto_rr_gets_its_answer);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
