/* SPDX-License-Identifier: Apache-2.0 */

/* The hypercat_client adapter with a server that we did not write: nginx. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapter/dtls_pki.h"
#include "adapter/hypercat_client_rig.h"

static void begin(void)
{
	ck_assert_int_eq(mock_begin(mock), 0);
}

static void begin_and_read(void)
{
	begin();
	ck_assert_msg(MOCK_UNTIL(mock, rig_readings_of("a.txt") == 1 && rig_readings_of("b.json") == 1, RIG_SOON_MS),
		      "%s", mock->link_detail);
}

START_TEST(what_is_listed_is_read)
{
	begin_and_read();
	ck_assert_str_eq((const char *)rig_last_of("a.txt")->payload, "21.5");
	ck_assert_int_eq(rig_last_of("a.txt")->content_format, 0);
	ck_assert_str_eq((const char *)rig_last_of("b.json")->payload, "{\"v\":7}");
	ck_assert_int_eq(rig_last_of("b.json")->content_format, 50);
	ck_assert_uint_eq(rig_last_of("a.txt")->kind, TG_TELEMETRY);
	ck_assert_str_eq(rig_last_of("a.txt")->device, mock->host.endpoint(&mock->host));
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	ck_assert_str_eq(mock->link_detail, "2 resources of 1 catalogues");
}
END_TEST

START_TEST(connections_are_told_and_used_again)
{
	size_t before;

	begin_and_read();
	ck_assert(MOCK_UNTIL(mock, rig_asked("a.txt", 0) >= 3, RIG_SOON_MS));
	ck_assert_uint_ge(mock->n_sessions, 1);
	ck_assert_uint_le(mock->n_sessions, 2);
	ck_assert_str_eq(mock->sessions[0].version, "TLSv1.3");
	ck_assert_uint_gt(mock->sessions[0].certificate_size, 0);
	ck_assert_int_eq(mock_counter(mock, "sessions"), (int64_t)mock->n_sessions);
	before = mock->n_sessions;
	mock->adapter->joined(mock->state);
	ck_assert_uint_eq(mock->n_sessions, 2 * before);
}
END_TEST

START_TEST(what_has_not_changed_is_no_reading)
{
	begin_and_read();
	ck_assert(MOCK_UNTIL(mock, rig_asked("a.txt", 304) >= 2 && rig_asked("cat", 304) >= 2, RIG_SOON_MS));
	ck_assert_uint_eq(mock->n_submissions, 2);
	rig_put("a.txt", "22");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("a.txt") == 2, RIG_SOON_MS));
	ck_assert_str_eq((const char *)rig_last_of("a.txt")->payload, "22");
	/* Perhaps a new ETag, but the same bytes. */
	rig_put("a.txt", "22");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "unchanged") >= 5, RIG_SOON_MS));
	ck_assert_uint_eq(rig_readings_of("a.txt"), 2);
}
END_TEST

static void refuse(uint64_t token, enum tg_verdict verdict)
{
	mock_answer(mock, token,
		    &(struct tg_answer){.size = sizeof(struct tg_answer), .verdict = verdict, .max_age_s = 1});
}

/* And its resource is not asked for until then. */
START_TEST(a_reading_that_finds_no_room_is_handed_in_again)
{
	static const enum tg_verdict verdicts[] = {TG_FULL, TG_UNAVAILABLE, TG_TOO_FAST};

	mock->accept_all = false;
	rig_list((const char *const[]){"/a.txt", NULL});
	begin();
	for (size_t i = 0; i < 3; i++) {
		ck_assert(MOCK_UNTIL(mock, mock->n_submissions == i + 1, RIG_SOON_MS));
		ck_assert_str_eq((const char *)mock->submissions[i].payload, "21.5");
		refuse(mock->submissions[i].token, verdicts[i]);
	}
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 4, RIG_SOON_MS));
	ck_assert_uint_eq(rig_asked("a.txt", 0), 1);
	ck_assert_int_eq(mock_counter(mock, "readings_later"), 3);
	mock_accept(mock, mock->submissions[3].token);
	ck_assert(MOCK_UNTIL(mock, rig_asked("a.txt", 304) >= 1, RIG_SOON_MS));
	ck_assert_uint_eq(mock->n_submissions, 4);
}
END_TEST

START_TEST(a_full_queue_is_waited_for)
{
	mock->submit_error = -ENOBUFS;
	begin();
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "readings") == 2, RIG_SOON_MS));
	mock->submit_error = 0;
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("a.txt") == 1 && rig_readings_of("b.json") == 1, RIG_SOON_MS));
}
END_TEST

START_TEST(what_is_refused_for_good_is_not_handed_in_again)
{
	mock->accept_all = false;
	rig_list((const char *const[]){"/a.txt", NULL});
	begin();
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 1, RIG_SOON_MS));
	mock_refuse(mock, mock->submissions[0].token, TG_NOT_ALLOWED);
	ck_assert(MOCK_UNTIL(mock, rig_asked("a.txt", 304) >= 1, RIG_SOON_MS));
	ck_assert_uint_eq(mock->n_submissions, 1);
	ck_assert_int_eq(mock_counter(mock, "refused"), 1);
	ck_assert_uint_eq(mock_logged(mock, "was refused"), 1);
}
END_TEST

START_TEST(a_resource_ends_while_its_verdict_is_out)
{
	mock->accept_all = false;
	begin();
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 2, RIG_SOON_MS));
	rig_list((const char *const[]){NULL});
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "resources") == 0, RIG_SOON_MS));
	mock_accept(mock, mock->submissions[0].token);
	mock_refuse(mock, mock->submissions[1].token, TG_FULL);
	rig_list((const char *const[]){"/a.txt", NULL});
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 3, RIG_SOON_MS));
	mock_accept(mock, mock->submissions[2].token);
}
END_TEST

START_TEST(routes_say_what_is_taken)
{
	mock_clear_routes(mock);
	mock_add_route(mock, "b.json");
	begin();
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("b.json") == 1 && mock_counter(mock, "harvests") >= 2, RIG_SOON_MS));
	ck_assert_uint_eq(rig_asked("a.txt", 0), 0);
	mock_add_route(mock, "a.*");
	mock_add_route(mock, "*.txt");
	mock_add_route(mock, "*");
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("a.txt") == 1, RIG_SOON_MS));
	ck_assert_uint_eq(rig_readings_of("b.json"), 1);
}
END_TEST

START_TEST(a_reload_takes_over_or_leaves_all_as_it_was)
{
	begin_and_read();
	mock_set(mock, "host_in_path", "true");
	ck_assert_int_eq(mock_reload(mock), 0);
	rig_put("a.txt", "23");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("localhost/a.txt") == 1, RIG_SOON_MS));
	ck_assert_uint_eq(rig_readings_of("localhost/b.json"), 0);
	mock_set(mock, "trust", rig_file("server.key"));
	ck_assert_int_lt(mock_reload(mock), 0);
	rig_put("a.txt", "24.125"); /* of another size: the server's ETags know nothing shorter than a second */
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("localhost/a.txt") == 2, RIG_SOON_MS));
}
END_TEST

START_TEST(a_server_that_comes_and_goes)
{
	struct pki again = {.key = NULL};

	begin_and_read();
	rig_stop_server();
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_DOWN, RIG_SOON_MS));
	ck_assert_uint_ge(mock_logged(mock, "does not serve"), 1);
	rig_put("a.txt", "25");
	rig_serve(&rig_root, "DNS:localhost", &again);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP && rig_readings_of("a.txt") == 2, RIG_SOON_MS));
	ck_assert_uint_ge(mock_logged(mock, "serves again"), 1);
	pki_done(&again);
}
END_TEST

static void expect_no_server(const char *cause)
{
	begin();
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "catalogues_failed") >= 2, RIG_SOON_MS));
	ck_assert_msg(mock_logged(mock, cause) >= 1, "%s", mock->lines[0].text);
	ck_assert_int_eq(mock->link, TG_LINK_DOWN);
	ck_assert_uint_eq(mock->n_sessions, 0);
	ck_assert_uint_eq(rig_asked("cat", 0), 0);
}

START_TEST(another_authority_is_not_trusted)
{
	struct pki other, own = {.key = NULL};

	pki_make(&(struct pki_request){.name = "other", .authority = true}, &other);
	rig_serve(&other, "DNS:localhost", &own);
	expect_no_server("chain does not lead to a trust anchor");
	pki_done(&other);
	pki_done(&own);
}
END_TEST

START_TEST(another_name_is_not_trusted)
{
	struct pki own = {.key = NULL};

	rig_serve(&rig_root, "DNS:elsewhere.example", &own);
	expect_no_server("server name mismatch");
	pki_done(&own);
}
END_TEST

START_TEST(a_revoked_certificate_is_not_trusted)
{
	struct pki own = {.key = NULL};

	rig_serve(&rig_root, "DNS:localhost", &own);
	rig_save("crl.pem", pki_lists_fd(&(struct pki_list){.issuer = &rig_root, .revoked = &own}, 1));
	mock_set(mock, "crl", rig_file("crl.pem"));
	expect_no_server("certificate is revoked");
	pki_done(&own);
}
END_TEST

START_TEST(loopback_wants_to_be_named)
{
	mock_set(mock, "hosts", NULL);
	begin();
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "refused_addresses") >= 1, RIG_SOON_MS));
	ck_assert_uint_ge(mock_logged(mock, "is loopback, and 'hosts' does not name it"), 1);
	ck_assert_uint_eq(rig_asked("cat", 0), 0);
}
END_TEST

/* "Basic c2VzYW1lOg==" is "sesame:". */
START_TEST(the_token_is_shown)
{
	struct pki own = {.key = NULL};

	rig_configure("if ($http_authorization != \"Basic c2VzYW1lOg==\") { return 401; }");
	rig_serve(&rig_root, "DNS:localhost", &own);
	rig_save("token", pki_text_fd("sesame\n"));
	mock_set(mock, "token", rig_file("token"));
	begin_and_read();
	rig_save("token", pki_text_fd("two words\n"));
	ck_assert_int_lt(mock_reload(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, "sesame"), 0);
	pki_done(&own);
}
END_TEST

START_TEST(a_bearer_token_is_shown)
{
	struct pki own = {.key = NULL};

	rig_configure("if ($http_authorization != \"Bearer open:sesame\") { return 401; }");
	rig_serve(&rig_root, "DNS:localhost", &own);
	rig_save("token", pki_text_fd("open:sesame"));
	mock_set(mock, "token", rig_file("token"));
	mock_set(mock, "token_as", "bearer");
	begin_and_read();
	pki_done(&own);
}
END_TEST

START_TEST(broken_settings_are_told)
{
	static const char *const bad[][2] = {{"catalogues", "http://localhost/cat"},
					     {"catalogues", "https://user@localhost/"},
					     {"hosts", "https://x/"},
					     {"hosts", "a b"},
					     {"take", " x"}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		mock_host_free(mock);
		ck_assert_int_eq(mock_host_new(mock_adapter("hypercat_client"), &mock), 0);
		mock_add(mock, "catalogues", "https://localhost/cat");
		mock_set(mock, "trust", rig_file("root.crt"));
		mock_add(mock, bad[i][0], bad[i][1]);
		ck_assert_int_lt(mock_open(mock), 0);
		ck_assert_uint_eq(mock_logged(mock, bad[i][1]), 1);
	}
}
END_TEST

START_TEST(it_stops_at_any_time)
{
	mock->accept_all = false;
	begin();
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions >= 1, RIG_SOON_MS));
	mock_stop(mock);
	ck_assert(mock->stopped);
	for (size_t i = 0; i < mock->n_submissions; i++)
		mock_accept(mock, mock->submissions[i].token);
	mock_settle(mock);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_is_listed_is_read,
		connections_are_told_and_used_again,
		what_has_not_changed_is_no_reading,
		a_reading_that_finds_no_room_is_handed_in_again,
		a_full_queue_is_waited_for,
		what_is_refused_for_good_is_not_handed_in_again,
		a_resource_ends_while_its_verdict_is_out,
		routes_say_what_is_taken,
		a_reload_takes_over_or_leaves_all_as_it_was,
		a_server_that_comes_and_goes,
		another_authority_is_not_trusted,
		another_name_is_not_trusted,
		a_revoked_certificate_is_not_trusted,
		loopback_wants_to_be_named,
		the_token_is_shown,
		a_bearer_token_is_shown,
		broken_settings_are_told,
		it_stops_at_any_time,
	};
	Suite *suite = suite_create("hypercat_client");
	TCase *cases = tcase_create("nginx");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(cases, rig_setup, rig_teardown);
	tcase_set_timeout(cases, 300);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(cases, tests[i]);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
