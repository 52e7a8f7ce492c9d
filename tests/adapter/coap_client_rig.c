/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_client_rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

const char *const rig_programs[2] = {"coap-server-openssl", "coap-server-gnutls"};
struct mock_host *mock;
struct coap_server server;

static void setup(void)
{
	ck_assert_int_eq(mock_host_new(mock_adapter("coap_client"), &mock), 0);
	mock->accept_all = true;
	mock_set(mock, "backoff_min_ms", "50");
	mock_set(mock, "backoff_max_s", "1");
	mock_set(mock, "ack_timeout_ms", "1000");
	mock_set(mock, "retransmissions", "2");
	coap_server_init(&server, rig_programs[0]);
}

static void teardown(void)
{
	mock_host_free(mock);
	coap_server_stop(&server);
}

void rig_enroll(void)
{
	mock_enroll(mock, "meter-3", "meter-3", bytes_text(COAP_SERVER_KEY));
}

void rig_begin(const char *list, const char *entry)
{
	mock_add(mock, "devices", coap_server_entry(&server, "meter-3", true));
	if (list)
		mock_add(mock, list, entry);
	ck_assert_int_eq(mock_begin(mock), 0);
}

size_t rig_readings_of(const char *path)
{
	size_t n = 0;

	for (size_t i = 0; i < mock->n_submissions; i++)
		n += strcmp(mock->submissions[i].path, path) == 0;
	return n;
}

const struct mock_submission *rig_last_of(const char *path)
{
	for (size_t i = mock->n_submissions; i-- > 0;)
		if (strcmp(mock->submissions[i].path, path) == 0)
			return &mock->submissions[i];
	ck_abort_msg("no reading of %s", path);
	return NULL;
}

int rig_main(const char *name, void (*add_tests)(TCase *cases))
{
	Suite *suite = suite_create(name);
	TCase *cases = tcase_create("servers");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_set_timeout(cases, 300);
	add_tests(cases);
	suite_add_tcase(suite, cases);
	coap_server_make_pki();
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	coap_server_remove_pki();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
