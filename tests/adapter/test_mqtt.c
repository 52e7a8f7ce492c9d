/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mqtt_rig.h"

START_TEST(connects_and_tells_that_it_is_online)
{
	char *line;

	rig_connect_and_subscribe();
	rig_expect_in(mock->link_detail, broker_url(&broker));
	rig_expect_in(mock->link_detail, "MQTT 5, TLSv1.3 TLS_");
	line = rig_wait_line("online");
	rig_expect_in(line, "\"qos\":1");
	rig_expect_in(line, "\"content-type\":\"application/json\"");
	rig_expect_in(line, "\\\"state\\\":\\\"online\\\"");
	rig_expect_in(line, "\\\"endpoint\\\":\\\"");
	free(line);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
	ck_assert_int_eq(mock_counter(mock, "receive_maximum"), 20);
	ck_assert_uint_gt(mock_logged(mock, "connected to"), 0);
}
END_TEST

START_TEST(a_broker_that_dies_and_comes_back)
{
	uint64_t ticket;

	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "connect_failures") >= 2, RIG_SOON_MS));
	ck_assert_uint_gt(mock_logged(mock, "Connection refused"), 0);
	ck_assert_int_eq(mock_deliver_text(mock, "a", "1", NULL), -EAGAIN);
	for (int i = 0; i < 3; i++) {
		broker_start(&broker);
		ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
		ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &ticket), 0);
		rig_expect_result(ticket, TG_CONFIRMED);
		broker_stop(&broker, i == 1 ? SIGTERM : SIGKILL);
		ck_assert(MOCK_UNTIL(mock, mock->link != TG_LINK_UP, RIG_SOON_MS));
		ck_assert_int_eq(mock_deliver_text(mock, "a", "2", NULL), -EAGAIN);
	}
	ck_assert_int_eq(mock_counter(mock, "connects"), 3);
	ck_assert_int_eq(mock_counter(mock, "in_flight"), 0);
}
END_TEST

/* A listening socket that nobody serves; with a backlog that is full, so that not even TCP answers. */
static int mute_listener(bool full)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(broker.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, full ? 0 : 16), 0);
	for (int i = 0; full && i < 4; i++) {
		int filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		ck_assert_int_ge(filler, 0);
		ck_assert(connect(filler, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EINPROGRESS);
	}
	return fd;
}

START_TEST(a_broker_that_does_not_answer)
{
	static const char *const causes[] = {"no answer from the broker in time", "no answer from the network in time"};
	char url[64];
	int fd = mute_listener(_i == 1);

	snprintf(url, sizeof(url), "mqtts://127.0.0.1:%u", broker.port);
	mock_set(mock, "broker", url);
	mock_set(mock, "connect_timeout_s", "1");
	rig_expect_failure(causes[_i]);
	/* A thread may still be waiting: a stop does not wait for it. */
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_CONNECTING, RIG_SOON_MS));
	mock_stop(mock);
	ck_assert(MOCK_UNTIL(mock, mock->stopped, 1000));
	close(fd);
}
END_TEST

START_TEST(a_host_without_an_address)
{
	/* No resolver asks the network for this one. */
	mock_set(mock, "broker", "mqtts://a..b");
	rig_expect_failure("Name or service not known");
}
END_TEST

START_TEST(what_is_no_broker_at_all)
{
	/* A broker without TLS on a port where TLS is spoken. */
	broker.server[0] = '\0';
	broker_start(&broker);
	broker.server[0] = 's';
	mock_set(mock, "broker", broker_url(&broker));
	rig_expect_failure(broker_url(&broker));
}
END_TEST

START_TEST(a_broker_of_another_ca)
{
	mock_set(mock, "trust", broker_file("other-ca.crt"));
	broker_start(&broker);
	rig_expect_failure("certificate verify failed: chain does not lead to a trust anchor");
}
END_TEST

START_TEST(a_broker_with_another_name)
{
	snprintf(broker.server, sizeof(broker.server), "stranger");
	broker_start(&broker);
	rig_expect_failure("server name mismatch: the broker's certificate is not for \"localhost\"");
}
END_TEST

START_TEST(another_name_where_it_is_configured)
{
	snprintf(broker.server, sizeof(broker.server), "stranger");
	mock_set(mock, "server_name", "stranger.example");
	rig_connect_and_subscribe();
}
END_TEST

START_TEST(an_address_in_the_certificate)
{
	char url[64];

	snprintf(url, sizeof(url), "mqtts://127.0.0.1:%u", broker.port);
	mock_set(mock, "broker", url);
	rig_connect_and_subscribe();
}
END_TEST

START_TEST(no_client_certificate)
{
	mock_set(mock, "certificate", NULL);
	mock_set(mock, "key", NULL);
	broker_start(&broker);
	rig_expect_failure("certificate required");
}
END_TEST

START_TEST(a_broker_that_only_knows_tls_12)
{
	FILE *file = fopen(broker_file("tls12.cnf"), "w");

	/* mosquitto's own tls_version means "at least"; this means "at most", for the broker alone. */
	ck_assert_ptr_nonnull(file);
	fputs("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMaxProtocol = TLSv1.2\n", file);
	fclose(file);
	setenv("OPENSSL_CONF", broker_file("tls12.cnf"), 1);
	broker_start(&broker);
	unsetenv("OPENSSL_CONF");
	if (_i == 0) {
		rig_expect_failure("protocol version");
	} else {
		mock->crypto = "compatible";
		subscriber_start(&subscriber, &broker, "#");
		ck_assert_int_eq(mock_begin(mock), 0);
		ck_assert_msg(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS), "%s", mock->link_detail);
		rig_expect_in(mock->link_detail, "TLSv1.2");
		free(rig_wait_line("online"));
	}
}
END_TEST

START_TEST(fails_over_in_order_and_back)
{
	struct broker second;
	uint64_t ticket;

	broker_init(&second, "second");
	mock_add(mock, "broker", broker_url(&second));
	mock_set(mock, "failback_s", "1");
	broker_start(&second);
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
	rig_expect_in(mock->link_detail, broker_url(&second));
	ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &ticket), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	broker_start(&broker);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP && strstr(mock->link_detail, broker_url(&broker)),
			     RIG_SOON_MS));
	broker_stop(&broker, SIGKILL);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP && strstr(mock->link_detail, broker_url(&second)),
			     RIG_SOON_MS));
	broker_stop(&second, SIGTERM);
}
END_TEST

START_TEST(a_stop_finishes_and_says_offline)
{
	uint64_t tickets[100];
	char *line;

	rig_connect_and_subscribe();
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &tickets[i]), 0);
	mock_stop(mock);
	ck_assert_int_eq(mock_deliver_text(mock, "a", "1", NULL), -EAGAIN);
	ck_assert(MOCK_UNTIL(mock, mock->stopped, RIG_SOON_MS));
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(mock_result(mock, tickets[i]), TG_CONFIRMED);
	line = rig_wait_line("offline");
	rig_expect_in(line, "\\\"reason\\\":\\\"stopped\\\"");
	free(line);
	ck_assert_int_eq(mock->link, TG_LINK_DOWN);
	/* The will was dropped: a message that comes later is the next one. */
	ck_assert_uint_eq(subscriber_count(&subscriber, "\\\"reason\\\":\\\"lost\\\""), 0);
}
END_TEST

START_TEST(a_stop_without_a_link_is_immediate)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	mock_stop(mock);
	ck_assert(MOCK_UNTIL(mock, mock->stopped, RIG_SOON_MS));
}
END_TEST

START_TEST(a_reload_uses_the_new_files)
{
	uint64_t ticket;

	rig_connect_and_subscribe();
	/* Nothing has changed: nothing happens. */
	ck_assert_int_eq(mock_reload(mock), 0);
	mock_settle(mock);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	/* A broken file: the old values stay. */
	mock_set(mock, "key", broker_file("server.key"));
	ck_assert_int_eq(mock_reload(mock), -EINVAL);
	ck_assert_uint_eq(mock_logged(mock, "is not the key of"), 1);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	/* Another pair: what is on its way is confirmed, then a new connection. */
	ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &ticket), 0);
	mock_set(mock, "certificate", broker_file("server.crt"));
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "connects") == 2, RIG_SOON_MS));
	ck_assert_int_eq(mock_result(mock, ticket), TG_CONFIRMED);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	ck_assert_uint_eq(subscriber_count(&subscriber, "\\\"reason\\\":\\\"lost\\\""), 0);
}
END_TEST

/* Confirmed, or taken back by the core when the link goes down for a moment: never left behind. */
START_TEST(a_reload_under_load_leaves_nothing_behind)
{
	enum { N = 150 };
	uint64_t tickets[N];
	int confirmed = 0;

	mock_set(mock, "status", "false");
	snprintf(broker.extra, sizeof(broker.extra), "max_inflight_messages 10\n");
	rig_connect_and_subscribe();
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &tickets[i]), 0);
	mock_set(mock, "certificate", broker_file("server.crt"));
	mock_set(mock, "key", broker_file("server.key"));
	ck_assert_int_eq(mock_reload(mock), 0);
	if (_i == 1) {
		mock_stop(mock);
		ck_assert(MOCK_UNTIL(mock, mock->stopped, RIG_SOON_MS));
	} else {
		ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "connects") == 2, RIG_SOON_MS));
	}
	for (int i = 0; i < N; i++)
		confirmed += mock_result(mock, tickets[i]) == TG_CONFIRMED;
	/* Whatever was published was confirmed before the link went, so that nothing is sent twice. */
	ck_assert_int_eq(confirmed, _i == 1 ? N : 10);
	ck_assert(MOCK_UNTIL(mock, (int)subscriber_count(&subscriber, "\"topic\":\"a\"") == confirmed, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "published"), confirmed);
	ck_assert_int_eq(mock_counter(mock, "queued"), 0);
}
END_TEST

START_TEST(a_link_that_confirms_nothing_is_made_anew)
{
	uint64_t ticket;

	rig_connect_and_subscribe();
	free(rig_wait_line("online"));
	rig_expect_counter("in_flight", 0);
	kill(broker.pid, SIGSTOP);
	ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &ticket), 0);
	mock_set(mock, "confirm_timeout_s", "1"); /* not for what the broker was asked before */
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "stayed unconfirmed for 1 s") > 0, RIG_SOON_MS));
	ck_assert_int_ne(mock->link, TG_LINK_UP);
	ck_assert_int_eq(mock_result(mock, ticket), -1);
	kill(broker.pid, SIGCONT);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
}
END_TEST

START_TEST(the_will_tells_of_a_kill)
{
	pid_t pid;
	int status;
	char *line;

	broker_start(&broker);
	subscriber_start(&subscriber, &broker, "#");
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		/* A loop does not survive a fork. */
		if (mock_host_new(mock_adapter("mqtt"), &mock) < 0)
			_exit(1);
		rig_set_defaults();
		if (mock_begin(mock) == 0 && MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS))
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	line = rig_wait_line("\\\"reason\\\":\\\"lost\\\"");
	rig_expect_in(line, "\\\"state\\\":\\\"offline\\\"");
	rig_expect_in(line, "\\\"since\\\":\\\"");
	free(line);
	/* Retained, as the one of a stop. */
	subscriber_stop(&subscriber);
	subscriber_start(&subscriber, &broker, "#");
	line = rig_wait_line("offline");
	rig_expect_in(line, "\"retain\":1");
	free(line);
}
END_TEST

START_TEST(settings_that_do_not_fit_are_refused)
{
	static const struct {
		const char *name, *value, *told;
	} rows[] = {
		{"broker", "https://localhost", "mqtts://host"},
		{"broker", "mqtts://[::1", "mqtts://host"},
		{"status_topic", "{site}/#", "not a topic"},
		{"status_topic", "{plant}/status", "braces"},
		{"client_id", "{device}", "braces"},
	};

	mock_set(mock, rows[_i].name, rows[_i].value);
	ck_assert_int_lt(mock_open(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, rows[_i].told), 1);
}
END_TEST

/* The endpoint starts with its link down, says why, and connects as soon as the file is good. */
START_TEST(a_file_that_cannot_be_used_is_waited_for)
{
	static const struct {
		const char *name, *value, *told;
	} rows[] = {
		{"trust", NULL, "\"trust\" is empty"},           {"key", NULL, "must be set together"},
		{"trust", "client.key", "no trust anchor"},      {"certificate", "client.key", "no certificate"},
		{"key", "client.crt", "no private key"},         {"key", "nothing-there", "cannot be read"},
		{"password_file", "client.key", "\"username\""},
	};
	uint64_t ticket;

	broker_start(&broker);
	mock_set(mock, rows[_i].name, rows[_i].value ? broker_file(rows[_i].value) : NULL);
	ck_assert_int_eq(mock_begin(mock), 0);
	mock_settle(mock);
	ck_assert_uint_eq(mock_logged(mock, rows[_i].told), 1);
	ck_assert_uint_eq(mock_logged(mock, "messages are kept meanwhile"), 1);
	ck_assert_int_eq(mock->link, TG_LINK_DOWN);
	ck_assert_msg(strstr(mock->link_detail, rows[_i].told), "%s", mock->link_detail);
	ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &ticket), -EAGAIN);
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert_int_eq(mock->link, TG_LINK_DOWN);

	mock_set(mock, "password_file", NULL);
	rig_set_defaults();
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert_msg(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS), "down: %s", mock->link_detail);
}
END_TEST

START_TEST(user_name_and_password)
{
	FILE *file = fopen(broker_file("password"), "w");
	char command[256];

	ck_assert_ptr_nonnull(file);
	fputs(_i == 0 ? "right\n" : "wrong\n", file);
	fclose(file);
	snprintf(command, sizeof(command), "mosquitto_passwd -b -c %s hall-3 right", broker_file("passwords"));
	ck_assert_int_eq(system(command), 0);
	snprintf(broker.extra, sizeof(broker.extra), "allow_anonymous false\npassword_file %s\n",
		 broker_file("passwords"));
	mock_set(mock, "username", "hall-3");
	mock_set(mock, "password_file", broker_file("password"));
	broker_start(&broker);
	if (_i == 1) {
		rig_expect_failure("refused by the broker: Not authorized");
		return;
	}
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_msg(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS), "%s", mock->link_detail);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mqtt");
	TCase *tcase = tcase_create("mqtt");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
	tcase_add_test(tcase, connects_and_tells_that_it_is_online);
	tcase_add_test(tcase, a_broker_that_dies_and_comes_back);
	tcase_add_loop_test(tcase, a_broker_that_does_not_answer, 0, 2);
	tcase_add_test(tcase, a_host_without_an_address);
	tcase_add_test(tcase, what_is_no_broker_at_all);
	tcase_add_test(tcase, a_broker_of_another_ca);
	tcase_add_test(tcase, a_broker_with_another_name);
	tcase_add_test(tcase, another_name_where_it_is_configured);
	tcase_add_test(tcase, an_address_in_the_certificate);
	tcase_add_test(tcase, no_client_certificate);
	tcase_add_loop_test(tcase, a_broker_that_only_knows_tls_12, 0, 2);
	tcase_add_loop_test(tcase, user_name_and_password, 0, 2);
	tcase_add_test(tcase, fails_over_in_order_and_back);
	tcase_add_test(tcase, a_stop_finishes_and_says_offline);
	tcase_add_test(tcase, a_stop_without_a_link_is_immediate);
	tcase_add_test(tcase, a_reload_uses_the_new_files);
	tcase_add_loop_test(tcase, a_reload_under_load_leaves_nothing_behind, 0, 2);
	tcase_add_test(tcase, a_link_that_confirms_nothing_is_made_anew);
	tcase_add_test(tcase, the_will_tells_of_a_kill);
	tcase_add_loop_test(tcase, settings_that_do_not_fit_are_refused, 0, 5);
	tcase_add_loop_test(tcase, a_file_that_cannot_be_used_is_waited_for, 0, 7);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
