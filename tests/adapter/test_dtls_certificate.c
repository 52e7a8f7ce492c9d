/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapter/dtls_server.h"

static struct server server;
static struct pki authority, own, other_authority;
static struct dtls_credentials credentials;

static void open_credentials(const struct pki *certificate, const struct pki *key, const struct pki *trust)
{
	credentials.certificate_fd = pki_certificate_fd(certificate, NULL);
	credentials.key_fd = pki_key_fd(key);
	credentials.trust_fd = trust ? pki_certificate_fd(trust, NULL) : -1;
	credentials.crl_fd = -1;
}

static void close_credentials(void)
{
	close(credentials.certificate_fd);
	close(credentials.key_fd);
	if (credentials.trust_fd >= 0)
		close(credentials.trust_fd);
}

static void start(unsigned rsa_bits)
{
	pki_make(&(struct pki_request){.name = "devices", .authority = true}, &authority);
	pki_make(&(struct pki_request){.name = "others", .authority = true}, &other_authority);
	pki_make(&(struct pki_request){.name = "gateway", .issuer = &authority, .rsa_bits = rsa_bits}, &own);
	open_credentials(&own, &own, &authority);
	server_start(NULL, &credentials, &server);
	close_credentials();
}

static void setup(void)
{
	start(0);
}

static void setup_rsa(void)
{
	start(2048);
}

static void teardown(void)
{
	server_stop(&server);
	pki_done(&authority);
	pki_done(&own);
	pki_done(&other_authority);
}

static struct client *device(const struct pki *pki, const struct pki *issuer, const char *suites)
{
	struct client_options options = {
		.port = dtls_port(server.dtls), .certificate = pki, .certificate_issuer = issuer, .suites = suites};
	struct client *client;

	client_new(&options, &client);
	return client;
}

static const struct {
	const char *openssl;
	const char *standard;
} suites[] = {
	{"ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"},
	{"ECDHE-ECDSA-AES128-CCM", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"},
	{"ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
	{"ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
	{NULL, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
};

static void expect_session(struct client *client, const char *name, const char *suite)
{
	ck_assert(server_connect(&server, client));
	SERVER_UNTIL(&server, client, server.established == 1);
	ck_assert_str_eq(server.device, name);
	ck_assert_str_eq(server.cipher, suite);
	ck_assert_int_eq(server.proof, TG_PROOF_CERTIFICATE);
	server_echo(&server, client, "21.5");
	client_free(client);
}

START_TEST(good_certificate_opens_a_session)
{
	struct pki pki;

	pki_make(&(struct pki_request){.name = "device-1", .issuer = &authority, .purpose = "clientAuth"}, &pki);
	expect_session(device(&pki, NULL, suites[_i].openssl), "device-1", suites[_i].standard);
	pki_done(&pki);
}
END_TEST

START_TEST(rsa_on_both_sides)
{
	struct pki pki;

	pki_make(&(struct pki_request){.name = "device-1", .issuer = &authority, .rsa_bits = 2048}, &pki);
	expect_session(device(&pki, NULL, NULL), "device-1", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
	pki_done(&pki);
}
END_TEST

START_TEST(intermediate_authority)
{
	struct pki middle, pki;

	pki_make(&(struct pki_request){.name = "hall 3", .issuer = &authority, .authority = true}, &middle);
	pki_make(&(struct pki_request){.name = "device-1", .issuer = &middle}, &pki);
	expect_session(device(&pki, &middle, NULL), "device-1", suites[4].standard);
	pki_done(&middle);
	pki_done(&pki);
}
END_TEST

START_TEST(intermediate_authority_as_anchor)
{
	const char *problem;
	struct pki middle, pki, other;

	pki_make(&(struct pki_request){.name = "hall 3", .issuer = &authority, .authority = true}, &middle);
	pki_make(&(struct pki_request){.name = "device-1", .issuer = &middle}, &pki);
	pki_make(&(struct pki_request){.name = "device-2", .issuer = &authority}, &other);
	open_credentials(&own, &own, &middle);
	ck_assert_int_eq(dtls_set_credentials(server.dtls, &credentials, &problem), 0);
	close_credentials();
	struct client *client = device(&other, NULL, NULL);
	ck_assert(!server_connect(&server, client));
	ck_assert_uint_eq(server.failed[DTLS_END_BAD_CERTIFICATE], 1);
	client_free(client);
	expect_session(device(&pki, NULL, NULL), "device-1", suites[4].standard);
	pki_done(&middle);
	pki_done(&pki);
	pki_done(&other);
}
END_TEST

static const struct {
	struct pki_request request;
	const char *name;
} names[] = {
	{{.name = "device-cn", .dns = "device-dns", .uri = "urn:device-uri"}, "urn:device-uri"},
	{{.name = "device-cn", .dns = "device-dns"}, "device-dns"},
	{{.name = "device-cn", .uri = "urn:device-uri"}, "urn:device-uri"},
	{{.name = "device-\xc3\xa9"}, "device-\xc3\xa9"},
	{{.dns = "device-dns"}, "device-dns"},
};

START_TEST(name_in_the_certificate)
{
	struct pki_request request = names[_i].request;
	struct pki pki;

	request.issuer = &authority;
	pki_make(&request, &pki);
	expect_session(device(&pki, NULL, NULL), names[_i].name, suites[4].standard);
	pki_done(&pki);
}
END_TEST

enum issuer { AUTHORITY, OTHER, SELF };

static const struct {
	const char *what;
	struct pki_request request;
	enum issuer issuer;
	enum dtls_end why;
} bad[] = {
	{"another authority", {.name = "device-1"}, OTHER, DTLS_END_BAD_CERTIFICATE},
	{"self-signed", {.name = "device-1"}, SELF, DTLS_END_BAD_CERTIFICATE},
	{"expired", {.name = "device-1", .from_s = -172800, .to_s = -60}, AUTHORITY, DTLS_END_BAD_CERTIFICATE},
	{"not yet valid", {.name = "device-1", .from_s = 3600, .to_s = 7200}, AUTHORITY, DTLS_END_BAD_CERTIFICATE},
	{"rsa 1024", {.name = "device-1", .rsa_bits = 1024}, AUTHORITY, DTLS_END_BAD_CERTIFICATE},
	{"sha-1", {.name = "device-1", .digest = "SHA1"}, AUTHORITY, DTLS_END_BAD_CERTIFICATE},
	{"a small curve", {.name = "device-1", .curve = "secp160r1"}, AUTHORITY, DTLS_END_REASONS},
	{"a server's", {.name = "device-1", .purpose = "serverAuth"}, AUTHORITY, DTLS_END_BAD_CERTIFICATE},
	{"no name", {.name = NULL}, AUTHORITY, DTLS_END_BAD_CERTIFICATE},
	{"not enrolled", {.name = "somebody"}, AUTHORITY, DTLS_END_UNKNOWN},
};

START_TEST(bad_certificate_opens_none)
{
	struct pki_request request = bad[_i].request;
	const struct pki *issuers[] = {[AUTHORITY] = &authority, [OTHER] = &other_authority, [SELF] = NULL};
	struct pki pki;

	request.issuer = issuers[bad[_i].issuer];
	pki_make(&request, &pki);
	struct client *client = device(&pki, NULL, NULL);
	ck_assert_msg(!server_connect(&server, client), "%s", bad[_i].what);
	ck_assert_uint_ne(client->alert, 0);
	if (bad[_i].why != DTLS_END_REASONS)
		ck_assert_msg(server.failed[bad[_i].why] == 1, "%s: %s", bad[_i].what, server.detail);
	ck_assert_uint_eq(server.established, 0);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 0);
	ck_assert_uint_eq(server.asked, bad[_i].why == DTLS_END_UNKNOWN);
	client_free(client);
	pki_done(&pki);
}
END_TEST

START_TEST(no_certificate_opens_none)
{
	struct client *client = device(NULL, NULL, NULL);

	ck_assert(!server_connect(&server, client));
	ck_assert_uint_eq(server.failed[DTLS_END_BAD_CERTIFICATE], 1);
	ck_assert_uint_eq(server.asked, 0);
	client_free(client);
}
END_TEST

/* Puts a NUL into the common name, which looks like another one's to whoever reads it as a C string. */
START_TEST(nul_in_the_name)
{
	struct pki pki;

	pki_make(&(struct pki_request){.name = "device-1", .issuer = &authority}, &pki);
	X509_NAME *name = X509_get_subject_name(pki.certificate);
	X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, 0));
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"device-1\0.evil", 14, -1, 0);
	ck_assert_int_gt(X509_sign(pki.certificate, authority.key, EVP_sha256()), 0);
	struct client *client = device(&pki, NULL, NULL);
	ck_assert(!server_connect(&server, client));
	ck_assert_uint_eq(server.failed[DTLS_END_BAD_CERTIFICATE], 1);
	ck_assert_uint_eq(server.asked, 0);
	client_free(client);
	pki_done(&pki);
}
END_TEST

START_TEST(nothing_flows_before_the_answer)
{
	struct pki pki;

	pki_make(&(struct pki_request){.name = "device-1", .issuer = &authority}, &pki);
	struct client *client = device(&pki, NULL, NULL);
	server.by_hand = true;
	SERVER_UNTIL(&server, client, server.asked == 1);
	server_settle(&server, client);
	ck_assert(!client->connected);
	ck_assert_uint_eq(server.established, 0);
	server_answer(&server, server.handle, TG_PROOF_CERTIFICATE, server.identity);
	ck_assert(server_connect(&server, client));
	server_echo(&server, client, "now");
	client_free(client);
	pki_done(&pki);
}
END_TEST

enum { KEPT = 8 };

struct flight {
	uint8_t datagrams[KEPT][1500];
	size_t sizes[KEPT];
	unsigned count;
};

static bool keep(void *arg, uint8_t *datagram, size_t *size)
{
	struct flight *flight = arg;

	ck_assert_uint_lt(flight->count, KEPT);
	memcpy(flight->datagrams[flight->count], datagram, *size);
	flight->sizes[flight->count++] = *size;
	return false;
}

/* Finished comes before there is anybody to ask about. */
START_TEST(flight_that_arrives_backwards)
{
	static struct flight flight;
	struct pki pki;

	pki_make(&(struct pki_request){.name = "device-1", .issuer = &authority}, &pki);
	struct client *client = device(&pki, NULL, NULL);
	client->options.separate = true;
	SERVER_UNTIL(&server, client, dtls_half_open(server.dtls) == 1);
	client->options.filter = keep;
	client->options.filter_arg = &flight;
	SERVER_UNTIL(&server, client, flight.count >= 5);
	client->options.filter = NULL;
	while (flight.count > 0) {
		flight.count--;
		client_raw(client, flight.datagrams[flight.count], flight.sizes[flight.count]);
	}
	/* What OpenSSL drops (a ChangeCipherSpec that is too early) the client sends again, after a second. */
	ck_assert(server_connect(&server, client));
	ck_assert_str_eq(server.device, "device-1");
	server_echo(&server, client, "21.5");
	client_free(client);
	pki_done(&pki);
}
END_TEST

START_TEST(keys_beside_certificates)
{
	struct client_options options = {
		.port = dtls_port(server.dtls), .identity = "sensor-1", .key = SERVER_KEY, .suites = "ALL:@SECLEVEL=0"};
	struct client *client;

	client_new(&options, &client);
	ck_assert(server_connect(&server, client));
	ck_assert_str_eq(server.device, "sensor-1");
	client_free(client);
}
END_TEST

START_TEST(new_credentials_for_new_handshakes)
{
	const struct dtls_credentials none = {-1, -1, -1, -1, false};
	const char *problem = NULL;
	struct pki old, new;

	pki_make(&(struct pki_request){.name = "device-1", .issuer = &authority}, &old);
	pki_make(&(struct pki_request){.name = "device-2", .issuer = &other_authority}, &new);
	struct client *live = device(&old, NULL, NULL);
	ck_assert(server_connect(&server, live));
	open_credentials(&own, &own, &other_authority);
	ck_assert_int_eq(dtls_set_credentials(server.dtls, &credentials, &problem), 0);
	close_credentials();
	struct client *late = device(&old, NULL, NULL);
	ck_assert(!server_connect(&server, late));
	struct client *fresh = device(&new, NULL, NULL);
	ck_assert(server_connect(&server, fresh));
	server_echo(&server, live, "still there");
	ck_assert_int_eq(dtls_set_credentials(server.dtls, &none, &problem), 0);
	struct client *nobody = device(&new, NULL, NULL);
	ck_assert(!server_connect(&server, nobody));
	client_free(live);
	client_free(late);
	client_free(fresh);
	client_free(nobody);
	pki_done(&old);
	pki_done(&new);
}
END_TEST

START_TEST(unusable_credentials_say_why)
{
	const char *problem = NULL;
	struct pki weak;

	pki_make(&(struct pki_request){.name = "weak", .issuer = &authority, .rsa_bits = 1024}, &weak);
	open_credentials(&own, &other_authority, NULL);
	ck_assert_int_eq(dtls_set_credentials(server.dtls, &credentials, &problem), -EKEYREJECTED);
	ck_assert_str_eq(problem, "key: does not belong to the certificate");
	close_credentials();
	open_credentials(&weak, &weak, NULL);
	ck_assert_int_eq(dtls_set_credentials(server.dtls, &credentials, &problem), -EKEYREJECTED);
	ck_assert_str_eq(problem, "certificate: too weak or of an unknown kind");
	close_credentials();
	credentials = (struct dtls_credentials){-1, -1, pki_text_fd("nothing\n")};
	ck_assert_int_eq(dtls_set_credentials(server.dtls, &credentials, &problem), -EKEYREJECTED);
	ck_assert_str_eq(problem, "trust: no certificate in PEM form found");
	close(credentials.trust_fd);
	pki_done(&weak);
	/* The old ones are still in use. */
	pki_make(&(struct pki_request){.name = "device-1", .issuer = &authority}, &weak);
	expect_session(device(&weak, NULL, NULL), "device-1", suites[4].standard);
	pki_done(&weak);
}
END_TEST

static Suite *certificate_suite(void)
{
	Suite *suite = suite_create("dtls certificates");
	TCase *ec = tcase_create("elliptic"), *rsa = tcase_create("rsa");

	tcase_add_checked_fixture(ec, setup, teardown);
	tcase_set_timeout(ec, 60);
	tcase_add_loop_test(ec, good_certificate_opens_a_session, 0, sizeof(suites) / sizeof(suites[0]));
	tcase_add_test(ec, intermediate_authority);
	tcase_add_test(ec, intermediate_authority_as_anchor);
	tcase_add_loop_test(ec, name_in_the_certificate, 0, sizeof(names) / sizeof(names[0]));
	tcase_add_loop_test(ec, bad_certificate_opens_none, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(ec, no_certificate_opens_none);
	tcase_add_test(ec, nul_in_the_name);
	tcase_add_test(ec, nothing_flows_before_the_answer);
	tcase_add_test(ec, flight_that_arrives_backwards);
	tcase_add_test(ec, keys_beside_certificates);
	tcase_add_test(ec, new_credentials_for_new_handshakes);
	tcase_add_test(ec, unusable_credentials_say_why);
	suite_add_tcase(suite, ec);
	tcase_add_checked_fixture(rsa, setup_rsa, teardown);
	tcase_set_timeout(rsa, 60);
	tcase_add_test(rsa, rsa_on_both_sides);
	suite_add_tcase(suite, rsa);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(certificate_suite());

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
