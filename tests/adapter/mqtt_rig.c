/* SPDX-License-Identifier: Apache-2.0 */
#include "mqtt_rig.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct mock_host *mock;
struct broker broker;
struct subscriber subscriber;

void rig_set_defaults(void)
{
	mock_set(mock, "certificate", broker_file("client.crt"));
	mock_set(mock, "key", broker_file("client.key"));
	mock_set(mock, "trust", broker_file("ca.crt"));
	mock_set(mock, "backoff_min_ms", "20");
	mock_set(mock, "backoff_max_s", "1");
	mock_set(mock, "broker", broker_url(&broker));
}

void rig_setup(void)
{
	broker_init(&broker, "first");
	ck_assert_int_eq(mock_host_new(mock_adapter("mqtt"), &mock), 0);
	rig_set_defaults();
}

void rig_teardown(void)
{
	mock_host_free(mock);
	subscriber_stop(&subscriber);
	broker_stop(&broker, SIGTERM);
}

void rig_connect_and_subscribe(void)
{
	broker_start(&broker);
	subscriber_start(&subscriber, &broker, "#");
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_msg(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS), "down: %s", mock->link_detail);
}

void rig_expect_failure(const char *cause)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_msg(MOCK_UNTIL(mock, mock->link == TG_LINK_DOWN && strstr(mock->link_detail, cause), RIG_SOON_MS),
		      "wanted \"%s\", told \"%s\"", cause, mock->link_detail);
	ck_assert_uint_gt(mock_logged(mock, cause), 0);
	ck_assert_int_gt(mock_counter(mock, "connect_failures"), 0);
	ck_assert_int_eq(mock_counter(mock, "connects"), 0);
}

char *rig_wait_line(const char *text)
{
	char *line = NULL;

	ck_assert_msg(MOCK_UNTIL(mock, line || (line = subscriber_line(&subscriber, text)), RIG_SOON_MS),
		      "no \"%s\" in:\n%s", text, subscriber.text);
	return line;
}

void rig_expect_in(const char *line, const char *text)
{
	ck_assert_msg(strstr(line, text) != NULL, "no %s in %s", text, line);
}

void rig_expect_result(uint64_t ticket, int result)
{
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, RIG_SOON_MS));
	ck_assert_msg(mock_result(mock, ticket) == result, "%d (%s)", mock_result(mock, ticket),
		      mock->tickets[ticket - 1].reason);
}

struct tg_delivery rig_delivery(const char *address, const char *payload, uint8_t qos)
{
	return (struct tg_delivery){.address = bytes_text(address),
				    .payload = bytes_text(payload),
				    .device = bytes_text("pump-7"),
				    .content_format = TG_FORMAT_NONE,
				    .qos = qos};
}

void rig_begin(void)
{
	mock_set(mock, "status", "false");
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_msg(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS), "down: %s", mock->link_detail);
}

void rig_expect_subscriptions(int64_t n)
{
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "subscriptions") == n, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "receiving"), n > 0);
}

void rig_receive(const char *pattern)
{
	mock_add_route(mock, pattern);
	rig_begin();
	rig_expect_subscriptions(1);
}

const struct mock_submission *rig_expect_submission(size_t n, const char *path, const char *payload)
{
	ck_assert_msg(MOCK_UNTIL(mock, mock->n_submissions >= n, RIG_SOON_MS), "%zu of %zu", mock->n_submissions, n);
	ck_assert_str_eq(mock->submissions[n - 1].path, path);
	ck_assert_str_eq((const char *)mock->submissions[n - 1].payload, payload);
	return &mock->submissions[n - 1];
}

void rig_expect_counter(const char *name, int64_t value)
{
	ck_assert_msg(MOCK_UNTIL(mock, mock_counter(mock, name) == value, RIG_SOON_MS), "%s is %lld, not %lld", name,
		      (long long)mock_counter(mock, name), (long long)value);
}

int rig_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	broker_make_pki();
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	broker_remove_pki();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
