/* SPDX-License-Identifier: Apache-2.0 */

/* Which brokers are believed: chains, usage, strength, time, revocation lists, two anchors at once. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapter/mqtt_front.h"
#include "adapter/mqtt_taker.h"

START_TEST(chain)
{
	front_show(&front_chains[_i]);
	front_expect(front_chains[_i].cause);
}
END_TEST

START_TEST(another_authority_or_none)
{
	struct pki own;

	pki_make(&(struct pki_request){.name = "broker", .names = NAMES, .issuer = _i ? &other : NULL}, &own);
	front_start(&own, _i ? &other : NULL, NULL);
	rig_expect_failure(_i ? FAILED "chain does not lead" : FAILED "certificate is self-signed");
	pki_done(&own);
}
END_TEST

START_TEST(the_host_says_what_time_it_is)
{
	struct pki own;

	pki_make(&(struct pki_request){.name = "broker", .names = NAMES, .issuer = &root}, &own);
	front_start(&own, NULL, NULL);
	mock->wall_us = 1000000;
	rig_expect_failure(FAILED "certificate is not yet valid");
	mock->wall_us = 0;
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
	pki_done(&own);
}
END_TEST

/* The authority changes: first both are trusted, then the broker moves, then the old one goes. */
START_TEST(roll_over)
{
	struct pki old, new;

	pki_make(&(struct pki_request){.name = "broker", .names = NAMES, .issuer = &root}, &old);
	pki_make(&(struct pki_request){.name = "broker", .names = NAMES, .issuer = &other}, &new);
	front_start(&old, NULL, NULL);
	front_expect_up();
	front_save("root.crt", _i ? pki_certificate_fd(&root, &other) : pki_certificate_fd(&other, &root));
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "connects") == 2, RIG_SOON_MS));
	front_start(&new, NULL, NULL);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "connects") == 3, RIG_SOON_MS));
	front_save("root.crt", pki_certificate_fd(&other, NULL));
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "connects") == 4, RIG_SOON_MS));
	front_start(&old, NULL, NULL);
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, FAILED "chain does not lead") > 0, RIG_SOON_MS));
	pki_done(&old);
	pki_done(&new);
}
END_TEST

static void save_list(const struct pki_list *list)
{
	front_save("crl.pem", pki_lists_fd(list, 1));
	mock_set(mock, "crl", broker_file("crl.pem"));
}

START_TEST(revocation_lists)
{
	struct pki own, middle, below;

	pki_make(&(struct pki_request){.name = "broker", .names = NAMES, .issuer = &root}, &own);
	pki_make(&(struct pki_request){.name = "hall", .authority = true, .issuer = &root}, &middle);
	pki_make(&(struct pki_request){.name = "broker", .names = NAMES, .issuer = &middle}, &below);
	front_start(_i == 1 ? &below : &own, _i == 1 ? &middle : NULL, NULL);
	mock_set(mock, "crl_expired", _i == 3 ? "accept" : "refuse");
	save_list(&(struct pki_list){
		.issuer = &root, .revoked = _i == 0 ? &own : NULL, .from_s = -172800, .to_s = _i >= 2 ? -60 : 0});
	if (_i == 0)
		rig_expect_failure(FAILED "certificate is revoked");
	else if (_i == 1)
		rig_expect_failure(FAILED "no revocation list of the issuer");
	else if (_i == 2)
		rig_expect_failure(FAILED "revocation list of the issuer has expired");
	else
		front_expect_up();
	ck_assert_uint_eq(mock_logged(mock, "a revocation list in \"crl\" has expired"), _i >= 2);
	pki_done(&own);
	pki_done(&middle);
	pki_done(&below);
}
END_TEST

/* A new list that does not concern the broker leaves the link alone; one that does ends it at once. */
START_TEST(a_list_that_comes_later)
{
	struct pki own, stranger;

	pki_make(&(struct pki_request){.name = "broker", .names = NAMES, .issuer = &root}, &own);
	pki_make(&(struct pki_request){.name = "stranger", .issuer = &root}, &stranger);
	front_start(&own, NULL, NULL);
	front_expect_up();
	save_list(&(struct pki_list){.issuer = &root, .revoked = &stranger});
	ck_assert_int_eq(mock_reload(mock), 0);
	mock_settle(mock);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	save_list(&(struct pki_list){.issuer = &root, .revoked = &own});
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock->link != TG_LINK_UP, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "the broker's certificate is revoked"), 1);
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, FAILED "certificate is revoked") > 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
	save_list(&(struct pki_list){.issuer = &root});
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
	pki_done(&own);
	pki_done(&stranger);
}
END_TEST

/* One that comes between the handshake and the broker's answer. */
START_TEST(a_list_that_comes_while_connecting)
{
	struct taker taker;
	struct pki own;

	front_end();
	taker_open(&taker);
	front_begin(taker.port);
	pki_make(&(struct pki_request){.name = "broker", .names = NAMES, .issuer = &root}, &own);
	front_start(&own, NULL, NULL);
	mock_set(mock, "broker", front_url());
	ck_assert_int_eq(mock_begin(mock), 0);
	taker_expect_connect(&taker);
	save_list(&(struct pki_list){.issuer = &root, .revoked = &own});
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert_int_eq(mock->link, TG_LINK_CONNECTING);
	TAKER_SEND(&taker, "\x20\3\0\0\0");
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "the broker's certificate is revoked") > 0, RIG_SOON_MS));
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, FAILED "certificate is revoked") > 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "connects"), 0);
	ck_assert_uint_eq(mock->n_sessions, 0);
	pki_done(&own);
	taker_close(&taker);
}
END_TEST

/* The policy counts for the next connection, and ends this one only where it has what is not wanted any more. */
START_TEST(policy)
{
	struct pki own;

	pki_make(&(struct pki_request){.name = "broker", .names = NAMES, .issuer = &root}, &own);
	front_start(&own, NULL, NULL);
	mock->crypto = "compatible";
	front_expect_up();
	rig_expect_in(mock->link_detail, "TLSv1.3");
	mock->crypto = "modern";
	ck_assert_int_eq(mock_reload(mock), 0);
	mock_settle(mock);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
	pki_done(&own);
}
END_TEST

START_TEST(policy_that_is_raised)
{
	struct pki own;

	pki_make(&(struct pki_request){.name = "broker", .names = NAMES, .issuer = &root}, &own);
	setenv("STAPLE_TLS12", "1", 1);
	front_start(&own, NULL, NULL);
	mock->crypto = "compatible";
	front_expect_up();
	rig_expect_in(mock->link_detail, "TLSv1.2");
	mock->crypto = "modern";
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock->link != TG_LINK_UP, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "the policy has other versions of TLS now"), 1);
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "protocol version") > 0, RIG_SOON_MS));
	mock->crypto = "compatible";
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
	pki_done(&own);
}
END_TEST

START_TEST(tells_of_its_session)
{
	struct pki own;

	pki_make(&(struct pki_request){.name = "broker", .names = NAMES, .issuer = &root}, &own);
	front_start(&own, NULL, NULL);
	front_expect_up();
	ck_assert_uint_eq(mock->n_sessions, 1);
	ck_assert_str_eq(mock->sessions[0].version, "TLSv1.3");
	rig_expect_in(mock->sessions[0].cipher, "TLS_");
	ck_assert_str_eq(mock->sessions[0].group, "x25519");
	rig_expect_in(mock->sessions[0].peer, "127.0.0.1:");
	ck_assert_str_eq(mock->sessions[0].device, "");
	ck_assert_int_eq((int)mock->sessions[0].certificate_size, i2d_X509(own.certificate, NULL));
	ck_assert_uint_eq(mock->sessions[0].proof, TG_PROOF_CERTIFICATE);
	front_stop();
	broker_stop(&broker, SIGKILL);
	ck_assert(MOCK_UNTIL(mock, mock->sessions[0].ended, RIG_SOON_MS));
	pki_done(&own);
}
END_TEST

static const struct {
	const char *trust, *crl;
	const char *told;
} bad_files[] = {
	{"crl.pem", NULL, "\"trust\" holds a revocation list"},
	{"root.crt", "root.crt", "no revocation list can be read from \"crl\""},
	{NULL, "crl.pem", "\"crl\" is of no use without \"trust\""},
};

START_TEST(files_that_cannot_be_used)
{
	save_list(&(struct pki_list){.issuer = &root});
	mock_set(mock, "trust", bad_files[_i].trust ? broker_file(bad_files[_i].trust) : NULL);
	mock_set(mock, "crl", bad_files[_i].crl ? broker_file(bad_files[_i].crl) : NULL);
	if (_i == 0) { /* a certificate and a list in one */
		char command[512];

		snprintf(command, sizeof(command), "cat %s >>%s", broker_file("root.crt"), broker_file("crl.pem"));
		ck_assert_int_eq(system(command), 0);
	}
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_ne(mock->link, TG_LINK_UP);
	ck_assert_uint_ge(mock_logged(mock, bad_files[_i].told), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mqtt trust");
	TCase *tcase = tcase_create("mqtt trust");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, front_setup, front_teardown);
	tcase_add_loop_test(tcase, chain, 0, FRONT_CHAINS);
	tcase_add_loop_test(tcase, another_authority_or_none, 0, 2);
	tcase_add_test(tcase, the_host_says_what_time_it_is);
	tcase_add_loop_test(tcase, roll_over, 0, 2);
	tcase_add_loop_test(tcase, revocation_lists, 0, 4);
	tcase_add_test(tcase, a_list_that_comes_later);
	tcase_add_test(tcase, a_list_that_comes_while_connecting);
	tcase_add_test(tcase, policy);
	tcase_add_test(tcase, policy_that_is_raised);
	tcase_add_test(tcase, tells_of_its_session);
	tcase_add_loop_test(tcase, files_that_cannot_be_used, 0, COUNT(bad_files));
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
