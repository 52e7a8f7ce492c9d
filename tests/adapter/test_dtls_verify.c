/* SPDX-License-Identifier: Apache-2.0 */

/* Whose certificates are taken: chains, usage, names, two anchors at once, and the time that counts. */

#include <check.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "adapter/dtls_verify_rig.h"

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

#define DAY_US (INT64_C(86400) * 1000000)

static const struct {
	const char *what;
	struct pki_request middle; /* no name: issued by the anchor itself */
	struct pki_request device;
	bool sent;       /* the one in between comes along */
	const char *why; /* NULL: is let in */
} chains[] = {
	{"sent along", {.name = "hall", .authority = true}, {.name = "device-1"}, true, NULL},
	{"not sent along", {.name = "hall", .authority = true}, {.name = "device-1"}, false, "chain does not lead"},
	{"no authority", {.name = "device-2"}, {.name = "device-1"}, true, "issuer is not an authority"},
	{"no path length left",
	 {.name = "hall", .basic = "critical,CA:TRUE,pathlen:0", .authority = true},
	 {.name = "device-1"},
	 true,
	 NULL},
	{"key usage without signing certificates",
	 {.name = "hall", .authority = true, .usage = "critical,digitalSignature"},
	 {.name = "device-1"},
	 true,
	 "issuer is not an authority"},
	{"sha-1 in between",
	 {.name = "hall", .authority = true, .digest = "SHA1"},
	 {.name = "device-1"},
	 true,
	 "signature is too weak"},
	{"rsa 1024 in between",
	 {.name = "hall", .authority = true, .rsa_bits = 1024},
	 {.name = "device-1"},
	 true,
	 "key is too small"},
	{"in between for servers only",
	 {.name = "hall", .authority = true, .purpose = "serverAuth"},
	 {.name = "device-1"},
	 true,
	 "wrong usage"},
	{"in between expired",
	 {.name = "hall", .authority = true, .from_s = -172800, .to_s = -60},
	 {.name = "device-1"},
	 true,
	 "certificate has expired, \"CN = hall\""},
	{"name within the constraint",
	 {.name = "hall", .authority = true, .constraints = "critical,permitted;DNS:hall.example"},
	 {.name = "device-1", .dns = "device-1.hall.example"},
	 true,
	 NULL},
	{"name outside of the constraint",
	 {.name = "hall", .authority = true, .constraints = "critical,permitted;DNS:hall.example"},
	 {.name = "device-1", .dns = "device-1.roof.example"},
	 true,
	 "name is outside"},
	{"common name outside of the constraint",
	 {.name = "hall", .authority = true, .constraints = "critical,permitted;DNS:hall.example"},
	 {.name = "device-1.roof.example"},
	 true,
	 "name is outside"},
	{"excluded name",
	 {.name = "hall", .authority = true, .constraints = "critical,excluded;DNS:roof.example"},
	 {.name = "device-1", .dns = "device-1.roof.example"},
	 true,
	 "name is outside"},
	{"a key that may not sign",
	 {0},
	 {.name = "device-1", .usage = "critical,keyEncipherment"},
	 false,
	 "wrong usage"},
	{"a key that may", {0}, {.name = "device-1", .usage = "critical,digitalSignature"}, false, NULL},
	{"a server's", {0}, {.name = "device-1", .purpose = "serverAuth"}, false, "wrong usage"},
	{"any usage", {0}, {.name = "device-1", .purpose = "clientAuth,serverAuth"}, false, NULL},
	{"no usage", {0}, {.name = "device-1"}, false, NULL},
	{"sha-1", {0}, {.name = "device-1", .digest = "SHA1"}, false, "signature is too weak"},
	{"rsa 1024", {0}, {.name = "device-1", .rsa_bits = 1024}, false, "key is too small"},
	{"expired",
	 {0},
	 {.name = "device-1", .from_s = -172800, .to_s = -60},
	 false,
	 "certificate has expired, \"CN = device-1\""},
	{"not yet valid",
	 {0},
	 {.name = "device-1", .from_s = 3600, .to_s = 7200},
	 false,
	 "certificate is not yet valid"},
};

START_TEST(chain)
{
	struct pki_request request = chains[_i].middle;
	bool has_middle = request.name != NULL;
	struct pki middle = {NULL, NULL}, pki;

	request.issuer = &root;
	if (has_middle)
		pki_make(&request, &middle);
	request = chains[_i].device;
	request.issuer = has_middle ? &middle : &root;
	pki_make(&request, &pki);
	if (chains[_i].why)
		verify_expect_out(&pki, chains[_i].sent ? &middle : NULL, chains[_i].why);
	else
		verify_expect_in(&pki, chains[_i].sent ? &middle : NULL);
	pki_done(&pki);
	pki_done(&middle);
}
END_TEST

START_TEST(intermediate_found_in_trust)
{
	struct pki middle, pki;

	pki_make(&(struct pki_request){.name = "hall", .authority = true, .issuer = &root}, &middle);
	pki_make(&(struct pki_request){.name = "device-1", .issuer = &middle}, &pki);
	verify_expect_out(&pki, NULL, "chain does not lead");
	verify_trust(&root, &middle);
	verify_expect_in(&pki, NULL);
	pki_done(&pki);
	pki_done(&middle);
}
END_TEST

/* Devices move from one authority to the next: for a time both stand in one file, in any order, and nobody is cut off. */
START_TEST(roll_over)
{
	struct pki old, new;

	pki_make(&(struct pki_request){.name = "device-1", .issuer = &root}, &old);
	pki_make(&(struct pki_request){.name = "device-1", .issuer = &next_root}, &new);
	struct client *live = verify_device(&old, NULL);
	ck_assert(server_connect(&server, live));
	verify_expect_out(&new, NULL, "chain does not lead");
	verify_trust(_i ? &root : &next_root, _i ? &next_root : &root);
	verify_expect_in(&old, NULL);
	verify_expect_in(&new, NULL);
	verify_trust(&next_root, NULL);
	verify_expect_out(&old, NULL, "chain does not lead");
	verify_expect_in(&new, NULL);
	server_echo(&server, live, "still there");
	verify_trust(&root, NULL); /* and back */
	verify_expect_in(&old, NULL);
	verify_expect_out(&new, NULL, "chain does not lead");
	client_free(live);
	pki_done(&old);
	pki_done(&new);
}
END_TEST

/* The same name with a new key, as many authorities do it. */
START_TEST(roll_over_of_the_key_alone)
{
	struct pki again, old, new;

	pki_make(&(struct pki_request){.name = "devices", .authority = true}, &again);
	pki_make(&(struct pki_request){.name = "device-1", .issuer = &root}, &old);
	pki_make(&(struct pki_request){.name = "device-1", .issuer = &again}, &new);
	verify_trust(_i ? &root : &again, _i ? &again : &root);
	verify_expect_in(&old, NULL);
	verify_expect_in(&new, NULL);
	pki_done(&again);
	pki_done(&old);
	pki_done(&new);
}
END_TEST

START_TEST(the_host_says_what_time_it_is)
{
	struct pki pki;

	pki_make(&(struct pki_request){.name = "device-1", .issuer = &root}, &pki);
	server.mock->wall_us = INT64_C(1000000);
	verify_expect_out(&pki, NULL, "certificate is not yet valid");
	server.mock->wall_us = 0;
	verify_expect_in(&pki, NULL);
	server.mock->wall_us = server.mock->host.now_wall_us(&server.mock->host) + 3 * DAY_US;
	verify_expect_out(&pki, NULL, "certificate has expired");
	pki_done(&pki);
}
END_TEST

/* The policy is raised: from then on nobody new comes in with what is gone, and who is in stays. */
START_TEST(new_policy_for_new_handshakes)
{
	struct client_options options = {.port = dtls_port(server.dtls),
					 .identity = "sensor-1",
					 .key = SERVER_KEY,
					 .suites = "ECDHE-PSK-AES128-CBC-SHA256:@SECLEVEL=0"};
	struct client *before, *after;

	client_new(&options, &before);
	client_new(&options, &after);
	ck_assert(server_connect(&server, before));
	ck_assert_str_eq(server.cipher, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256");
	server.mock->crypto = "modern";
	verify_trust(&root, NULL);
	ck_assert(!server_connect(&server, after));
	ck_assert_uint_eq(server.failed[DTLS_END_HANDSHAKE], 1);
	server_echo(&server, before, "still there");
	client_free(before);
	client_free(after);
}
END_TEST

static const struct {
	const char *names; /* subject alternative names */
	const char *name;  /* as it is asked for */
} names[] = {
	{"DNS:device-1,DNS:device-2", "device-1"},
	{"URI:urn:device-1,URI:urn:device-2", "urn:device-1"},
	{"email:device@example.com,DNS:device-3", "device-3"},
	{"IP:192.0.2.1", "device-cn"},
};

START_TEST(name_of_several)
{
	struct pki_request request = {.name = "device-cn", .issuer = &root, .names = names[_i].names};
	struct pki pki;

	pki_make(&request, &pki);
	verify_expect_in(&pki, NULL);
	ck_assert_str_eq(server.device, names[_i].name);
	pki_done(&pki);
}
END_TEST

static const struct {
	const char *bytes;
	int size;
	int type;
} odd[] = {
	{"", 0, GEN_URI},   {"", 0, GEN_DNS}, {"device-1\0.evil", 14, GEN_DNS}, {"device-1\0.evil", 14, GEN_URI},
	{"\0", 1, GEN_DNS},
};

/* Nothing else is looked at behind a broken one, so that nobody can choose which of his names counts. */
START_TEST(odd_name)
{
	GENERAL_NAMES *all = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	struct pki pki;

	ck_assert_int_eq(ASN1_STRING_set(text, odd[_i].bytes, odd[_i].size), 1);
	GENERAL_NAME_set0_value(name, odd[_i].type, text);
	sk_GENERAL_NAME_push(all, name);
	pki_make(&(struct pki_request){.name = "device-1", .issuer = &root}, &pki);
	ck_assert_int_eq(X509_add1_ext_i2d(pki.certificate, NID_subject_alt_name, all, 0, 0), 1);
	ck_assert_int_gt(X509_sign(pki.certificate, root.key, EVP_sha256()), 0);
	GENERAL_NAMES_free(all);
	struct client *client = verify_device(&pki, NULL);
	ck_assert(!server_connect(&server, client));
	ck_assert_uint_eq(server.failed[DTLS_END_BAD_CERTIFICATE], 1);
	ck_assert_uint_eq(server.asked, 0);
	client_free(client);
	pki_done(&pki);
}
END_TEST

START_TEST(name_that_is_too_long)
{
	char text[TG_DEVICE_MAX + 32] = "DNS:device-";
	size_t used = strlen(text), wanted = TG_DEVICE_MAX + 4 + (size_t)_i;
	struct pki pki;

	memset(text + used, 'x', wanted - used);
	pki_make(&(struct pki_request){.name = "device", .issuer = &root, .names = text}, &pki);
	struct client *client = verify_device(&pki, NULL);
	ck_assert_int_eq(server_connect(&server, client), _i == 0);
	ck_assert_uint_eq(server.failed[DTLS_END_BAD_CERTIFICATE], _i != 0);
	client_free(client);
	pki_done(&pki);
}
END_TEST

static Suite *verify_suite(void)
{
	Suite *suite = suite_create("dtls verify");
	TCase *tcase = tcase_create("verify");

	tcase_add_checked_fixture(tcase, verify_setup, verify_teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, chain, 0, COUNT(chains));
	tcase_add_test(tcase, intermediate_found_in_trust);
	tcase_add_loop_test(tcase, roll_over, 0, 2);
	tcase_add_loop_test(tcase, roll_over_of_the_key_alone, 0, 2);
	tcase_add_test(tcase, the_host_says_what_time_it_is);
	tcase_add_test(tcase, new_policy_for_new_handshakes);
	tcase_add_loop_test(tcase, name_of_several, 0, COUNT(names));
	tcase_add_loop_test(tcase, odd_name, 0, COUNT(odd));
	tcase_add_loop_test(tcase, name_that_is_too_long, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(verify_suite());

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
