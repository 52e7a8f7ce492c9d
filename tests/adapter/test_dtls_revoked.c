/* SPDX-License-Identifier: Apache-2.0 */

/* Certificate revocation lists: what they keep out, what they end, and what happens without them. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapter/dtls_verify_rig.h"

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

START_TEST(revoked_device_is_refused)
{
	struct pki good, bad;

	pki_make(&(struct pki_request){.name = "device-1", .issuer = &root}, &good);
	pki_make(&(struct pki_request){.name = "device-2", .issuer = &root}, &bad);
	verify_lists(&(struct pki_list){.issuer = &root, .revoked = &bad}, 1, false);
	verify_expect_out(&bad, NULL, "certificate is revoked, \"CN = device-2\"");
	verify_expect_in(&good, NULL);
	pki_done(&good);
	pki_done(&bad);
}
END_TEST

START_TEST(live_session_of_a_revoked_device_ends)
{
	struct pki good, bad;

	pki_make(&(struct pki_request){.name = "device-1", .issuer = &root}, &good);
	pki_make(&(struct pki_request){.name = "device-2", .issuer = &root}, &bad);
	verify_lists(&(struct pki_list){.issuer = &root}, 1, false);
	struct client *one = verify_device(&good, NULL), *two = verify_device(&bad, NULL);
	ck_assert(server_connect(&server, one));
	ck_assert(server_connect(&server, two));
	verify_lists(&(struct pki_list){.issuer = &root, .revoked = &bad}, 1, false);
	SERVER_UNTIL(&server, two, two->closed);
	ck_assert_uint_eq(server.ended[DTLS_END_REVOKED], 1);
	ck_assert_uint_eq(dtls_sessions(server.dtls), 1);
	server_echo(&server, one, "not me");
	client_free(one);
	client_free(two);
	pki_done(&good);
	pki_done(&bad);
}
END_TEST

START_TEST(sessions_under_a_revoked_authority_end)
{
	struct pki middle, pki;
	struct pki_list both[2] = {{.issuer = &root}, {.issuer = &middle}};

	pki_make(&(struct pki_request){.name = "hall", .authority = true, .issuer = &root}, &middle);
	pki_make(&(struct pki_request){.name = "device-1", .issuer = &middle}, &pki);
	verify_lists(both, 2, false);
	struct client *client = verify_device(&pki, &middle);
	ck_assert_msg(server_connect(&server, client), "%s", server.detail);
	both[0].revoked = &middle;
	verify_lists(both, 2, false);
	SERVER_UNTIL(&server, client, client->closed);
	ck_assert_uint_eq(server.ended[DTLS_END_REVOKED], 1);
	verify_expect_out(&pki, &middle, "certificate is revoked, \"CN = hall\"");
	client_free(client);
	pki_done(&middle);
	pki_done(&pki);
}
END_TEST

/* The list comes between the verification of its certificate and the end of the handshake. */
START_TEST(revoked_during_the_handshake)
{
	struct pki pki;

	pki_make(&(struct pki_request){.name = "device-1", .issuer = &root}, &pki);
	struct client *client = verify_device(&pki, NULL);
	server.by_hand = true;
	SERVER_UNTIL(&server, client, server.asked == 1);
	verify_lists(&(struct pki_list){.issuer = &root, .revoked = &pki}, 1, false);
	server_answer(&server, server.handle, TG_PROOF_CERTIFICATE, server.identity);
	SERVER_UNTIL(&server, client, server.failed[DTLS_END_BAD_CERTIFICATE] == 1);
	ck_assert_uint_eq(server.established, 0);
	client_free(client);
	pki_done(&pki);
}
END_TEST

/* What it was let in with once is no good any more, and neither is what it got for that. */
START_TEST(a_ticket_does_not_bring_it_back)
{
	static const struct tg_ticket_key keys[1] = {{.name = "key-one", .encryption = "1", .authentication = "a"}};
	SSL_SESSION *session = NULL;
	struct pki pki;

	pki_make(&(struct pki_request){.name = "device-1", .issuer = &root}, &pki);
	dtls_set_tickets(server.dtls, keys, 1);
	verify_lists(&(struct pki_list){.issuer = &root}, 1, false);
	ck_assert(!server_visit(&server, verify_device(&pki, NULL), &session));
	struct client_options options = {.port = dtls_port(server.dtls), .certificate = &pki, .resume = session};
	struct client *client;
	client_new(&options, &client);
	ck_assert(server_visit(&server, client, &session));
	verify_lists(&(struct pki_list){.issuer = &root, .revoked = &pki}, 1, false);
	unsigned before = server.established;
	options.resume = session;
	client_new(&options, &client);
	server_connect(&server, client);
	server_settle(&server, client);
	ck_assert_uint_eq(server.established, before);
	ck_assert_uint_eq(dtls_sessions(server.dtls), 0);
	ck_assert_uint_eq(server.failed[DTLS_END_BAD_CERTIFICATE], 1);
	client_free(client);
	SSL_SESSION_free(session);
	pki_done(&pki);
}
END_TEST

START_TEST(every_authority_needs_its_list)
{
	struct pki middle, direct, below;

	pki_make(&(struct pki_request){.name = "hall", .authority = true, .issuer = &root}, &middle);
	pki_make(&(struct pki_request){.name = "device-1", .issuer = &root}, &direct);
	pki_make(&(struct pki_request){.name = "device-2", .issuer = &middle}, &below);
	verify_lists(&(struct pki_list){.issuer = &root}, 1, _i);
	verify_expect_in(&direct, NULL);
	verify_expect_out(&below, &middle, "no revocation list of the issuer in \"crl\", \"CN = device-2\"");
	pki_done(&middle);
	pki_done(&direct);
	pki_done(&below);
}
END_TEST

/* An intermediate authority as the anchor: nobody can be asked about itself, and nobody needs to. */
START_TEST(an_anchor_needs_no_list)
{
	const char *problem = "";
	struct pki middle, pki;

	pki_make(&(struct pki_request){.name = "hall", .authority = true, .issuer = &root}, &middle);
	pki_make(&(struct pki_request){.name = "device-1", .issuer = &middle}, &pki);
	int lists_fd = pki_lists_fd(&(struct pki_list){.issuer = &middle}, 1);
	ck_assert_int_eq(verify_take_over(pki_certificate_fd(&middle, NULL), lists_fd, false, &problem), 0);
	verify_expect_in(&pki, NULL);
	pki_done(&middle);
	pki_done(&pki);
}
END_TEST

static const struct {
	long from_s, to_s;
	const char *why;
} stale[] = {
	{-172800, -60, "revocation list of the issuer has expired"},
	{3600, 7200, "revocation list of the issuer is not yet valid"},
};

/* The box is not bricked because nobody brought a new list; who stands on the old one stays out all the same. */
START_TEST(stale_list)
{
	struct pki good, bad;
	struct pki_list list = {.issuer = &root, .from_s = stale[_i].from_s, .to_s = stale[_i].to_s};

	pki_make(&(struct pki_request){.name = "device-1", .issuer = &root}, &good);
	pki_make(&(struct pki_request){.name = "device-2", .issuer = &root}, &bad);
	list.revoked = &bad;
	verify_lists(&list, 1, false);
	verify_expect_out(&good, NULL, stale[_i].why);
	verify_lists(&list, 1, true);
	verify_expect_in(&good, NULL);
	verify_expect_out(&bad, NULL, "certificate is revoked");
	ck_assert_int_lt(dtls_lists_until_s(server.dtls), INT64_MAX);
	pki_done(&good);
	pki_done(&bad);
}
END_TEST

/* A list that somebody else signed in the authority's name says nothing. */
START_TEST(forged_list)
{
	struct pki forger, pki;

	pki_make(&(struct pki_request){.name = "devices", .authority = true}, &forger);
	pki_make(&(struct pki_request){.name = "device-1", .issuer = &root}, &pki);
	verify_lists(&(struct pki_list){.issuer = &forger}, 1, true);
	verify_expect_out(&pki, NULL, "CRL signature failure");
	pki_done(&forger);
	pki_done(&pki);
}
END_TEST

START_TEST(unusable_files_say_why)
{
	const char *problem = NULL;
	int list = pki_lists_fd(&(struct pki_list){.issuer = &root}, 1);

	ck_assert_int_eq(verify_take_over(dup(list), -1, true, &problem), -EKEYREJECTED);
	ck_assert_str_eq(problem, "trust: holds a revocation list, which belongs into 'crl'");
	ck_assert_int_eq(verify_take_over(-1, dup(list), true, &problem), -EKEYREJECTED);
	ck_assert_str_eq(problem, "crl: is of no use without 'trust'");
	ck_assert_int_eq(
		verify_take_over(pki_certificate_fd(&root, NULL), pki_certificate_fd(&root, NULL), true, &problem),
		-EKEYREJECTED);
	ck_assert_str_eq(problem, "crl: no revocation list in PEM form found");
	ck_assert_int_eq(ftruncate(list, 100), 0);
	ck_assert_int_eq(verify_take_over(pki_certificate_fd(&root, NULL), list, true, &problem), -EKEYREJECTED);
	ck_assert_str_eq(problem, "crl: a revocation list is broken");
}
END_TEST

static Suite *revoked_suite(void)
{
	Suite *suite = suite_create("dtls revoked");
	TCase *tcase = tcase_create("revoked");

	tcase_add_checked_fixture(tcase, verify_setup, verify_teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, revoked_device_is_refused);
	tcase_add_test(tcase, live_session_of_a_revoked_device_ends);
	tcase_add_test(tcase, sessions_under_a_revoked_authority_end);
	tcase_add_test(tcase, revoked_during_the_handshake);
	tcase_add_test(tcase, a_ticket_does_not_bring_it_back);
	tcase_add_loop_test(tcase, every_authority_needs_its_list, 0, 2);
	tcase_add_test(tcase, an_anchor_needs_no_list);
	tcase_add_loop_test(tcase, stale_list, 0, COUNT(stale));
	tcase_add_test(tcase, forged_list);
	tcase_add_test(tcase, unusable_files_say_why);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(revoked_suite());

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
