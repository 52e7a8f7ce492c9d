/* SPDX-License-Identifier: Apache-2.0 */

/* The amqp adapter and a real RabbitMQ: logging in, addresses, failover, and what its queues say. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp_rig.h"
#include "base/bytes.h"
#include "child.h"

/* A client of the broker's, for the other end. */
static void client(void)
{
	char port[8];

	snprintf(port, sizeof(port), "%u", rabbit_plain);
	const char *script = child_text("%s/tests/adapter/amqp_peer.py", getenv("TG_SOURCE"));
	const char *const arguments[] = {"/usr/bin/python3", "-B", script, "connect", port, NULL};

	talker_start(&peer, arguments);
	rig_expect("\"opened\"");
}

static void listen_to(const char *address)
{
	rig_tell(child_text("{'do': 'receive', 'address': '%s'}", address));
}

static void expect_message(const char *payload)
{
	rig_expect(child_text("{\"message\": \"%s\"", payload));
}

static void begin(void)
{
	rig_set_broker((uint16_t)rabbit_port, true);
	rig_begin();
}

START_TEST(a_certificate_logs_in)
{
	client();
	listen_to("/amq/queue/hall");
	begin();
	ck_assert_msg(strstr(mock->link_detail, "TLSv1.3") && strstr(mock->link_detail, "SASL EXTERNAL"), "%s",
		      mock->link_detail);
	rig_expect_result(rig_deliver("/amq/queue/hall", "by-name"), TG_CONFIRMED);
	rig_expect_result(rig_deliver("/queue/fresh", "by-queue"), TG_CONFIRMED);
	rig_expect_result(rig_deliver("/exchange/readings/any.key", "by-exchange"), TG_CONFIRMED);
	expect_message("by-name");
	expect_message("by-exchange");
}
END_TEST

static void write_password(const char *password)
{
	child_shell("printf '%s\\n' >%s && chmod 600 %s", password, broker_file("password"), broker_file("password"));
	mock_set(mock, "username", "tester");
	mock_set(mock, "password_file", broker_file("password"));
}

START_TEST(a_password_logs_in)
{
	write_password("no-secret");
	mock_set(mock, "trust", broker_file("ca.crt"));
	mock_add(mock, "broker", child_text("amqps://localhost:%u", rabbit_port));
	rig_begin();
	ck_assert_msg(strstr(mock->link_detail, "SASL PLAIN"), "%s", mock->link_detail);
	rig_expect_result(rig_deliver("/amq/queue/depot", "x"), TG_CONFIRMED);
}
END_TEST

START_TEST(a_wrong_password_is_told)
{
	write_password("guess");
	mock_set(mock, "trust", broker_file("ca.crt"));
	mock_add(mock, "broker", child_text("amqps://localhost:%u", rabbit_port));
	rig_expect_failure("Authentication failed");
	ck_assert_uint_eq(mock_logged(mock, "guess"), 0);
}
END_TEST

START_TEST(who_cannot_log_in_is_not_connected)
{
	mock_set(mock, "trust", broker_file("ca.crt"));
	mock_add(mock, "broker", child_text("amqps://localhost:%u", rabbit_port));
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, "nobody could log in"), 1);
	ck_assert_int_eq(mock->link, TG_LINK_DOWN);
}
END_TEST

START_TEST(a_password_without_tls_is_not_sent)
{
	write_password("no-secret");
	mock_set(mock, "insecure", _i == 1 ? "true" : "false");
	mock_add(mock, "broker", child_text("amqp://localhost:%u", rabbit_plain));
	ck_assert_int_lt(mock_begin(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, "would be spoken to without TLS"), _i == 0);
	ck_assert_uint_eq(mock_logged(mock, "would get the password without TLS"), _i == 1);
}
END_TEST

START_TEST(another_name_or_authority_is_not_connected)
{
	rig_set_broker((uint16_t)rabbit_port, true);
	if (_i == 0)
		mock_set(mock, "server_name", "other.example");
	else
		mock_set(mock, "trust", broker_file("other-ca.crt"));
	rig_expect_failure(_i == 0 ? "server name mismatch" : "chain does not lead to a trust anchor");
}
END_TEST

START_TEST(the_next_broker_of_the_list_is_taken)
{
	rig_set_broker(child_free_port(), true);
	mock_add(mock, "broker", child_text("amqps://localhost:%u", rabbit_port));
	rig_begin();
	ck_assert_int_eq(mock_counter(mock, "connect_failures"), 1);
	rig_expect_result(rig_deliver("/amq/queue/depot", "x"), TG_CONFIRMED);
}
END_TEST

/* RabbitMQ ends the session of a link to what is not there. */
START_TEST(an_exchange_that_is_not_there_is_told)
{
	mock_set(mock, "address_refused", "reject");
	begin();
	rig_expect_reason(rig_deliver("/exchange/nowhere/key", "x"), "amqp:not-found");
	rig_expect_result(rig_deliver("/amq/queue/depot", "x"), TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

START_TEST(messages_come_from_queues_and_exchanges)
{
	static const char *const addresses[] = {"/amq/queue/safe", "/exchange/readings/plant.#"};

	client();
	mock_add(mock, "sources", addresses[_i]);
	mock_add_route(mock, _i == 0 ? "amq/queue/safe/**" : "exchange/readings/**");
	begin();
	rig_expect_counter("receivers", 1);
	rig_tell(child_text("{'do': 'send', 'address': '%s', 'message': {'body': 'x', 'subject': 's', "
			    "'content_type': 'application/json', 'properties': {'method': 'PUT'}}}",
			    _i == 0 ? "/amq/queue/safe" : "/exchange/readings/plant.7"));
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 1, RIG_SOON_MS));
	ck_assert_str_eq(mock->submissions[0].path, _i == 0 ? "amq/queue/safe/s" : "exchange/readings/plant.#/s");
	ck_assert_int_eq(mock->submissions[0].content_format, 50);
	ck_assert_uint_eq(mock->submissions[0].method, TG_METHOD_PUT);
	mock_accept(mock, mock->submissions[0].token);
	rig_expect_counter("accepted", 1);
}
END_TEST

START_TEST(what_is_refused_becomes_a_dead_letter)
{
	client();
	listen_to("/amq/queue/dead");
	mock_add(mock, "sources", "/amq/queue/letters");
	mock_add_route(mock, "amq/queue/letters");
	begin();
	rig_expect_counter("receivers", 1);
	rig_tell("{'do': 'send', 'address': '/amq/queue/letters', 'message': {'body': 'poison'}}");
	rig_expect_submission(1, "amq/queue/letters", "poison");
	mock_refuse(mock, mock->submissions[0].token, TG_NOT_ALLOWED);
	expect_message("poison");
}
END_TEST

/* Nothing was settled: everything comes again, marked so. */
START_TEST(a_connection_lost_before_the_verdict_loses_nothing)
{
	client();
	mock_add(mock, "sources", "/amq/queue/kept");
	mock_add_route(mock, "amq/queue/kept");
	begin();
	rig_expect_counter("receivers", 1);
	rig_tell("{'do': 'send', 'address': '/amq/queue/kept', 'times': 20, 'message': {'body': 'kept'}}");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 20, RIG_SOON_MS));
	mock_host_free(mock);
	rig_setup();
	mock_add(mock, "sources", "/amq/queue/kept");
	mock_add_route(mock, "amq/queue/kept");
	mock->accept_all = true;
	begin();
	rig_expect_counter("accepted", 20);
	ck_assert(mock->submissions[0].repeated);
}
END_TEST

START_TEST(a_killed_broker_loses_nothing_that_it_confirmed)
{
	begin();
	for (int i = 0; i < 10; i++)
		rig_expect_result(rig_deliver("/amq/queue/again", child_text("n%d", i)), TG_CONFIRMED);
	talker_tell(&rabbit, "kill");
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_DOWN, RIG_SOON_MS));
	talker_tell(&rabbit, "start");
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_START_MS));
	mock_host_free(mock);
	rig_setup();
	mock_add(mock, "sources", "/amq/queue/again");
	mock_add_route(mock, "amq/queue/again");
	mock->accept_all = true;
	begin();
	rig_expect_counter("accepted", 10);
	ck_assert_str_eq((const char *)mock->submissions[9].payload, "n9");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_certificate_logs_in,
		a_password_logs_in,
		a_wrong_password_is_told,
		who_cannot_log_in_is_not_connected,
		the_next_broker_of_the_list_is_taken,
		an_exchange_that_is_not_there_is_told,
		what_is_refused_becomes_a_dead_letter,
		a_connection_lost_before_the_verdict_loses_nothing,
		a_killed_broker_loses_nothing_that_it_confirmed,
	};
	Suite *suite = suite_create("amqp rabbit");
	TCase *group = tcase_create("amqp rabbit");

	tcase_set_timeout(group, 240);
	tcase_add_checked_fixture(group, rig_setup, rig_teardown);
	tcase_add_loop_test(group, a_password_without_tls_is_not_sent, 0, 2);
	tcase_add_loop_test(group, another_name_or_authority_is_not_connected, 0, 2);
	tcase_add_loop_test(group, messages_come_from_queues_and_exchanges, 0, 2);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(group, tests[i]);
	suite_add_tcase(suite, group);
	return rig_main(suite, true);
}
