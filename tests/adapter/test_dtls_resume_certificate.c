/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapter/dtls_server.h"

#define LIFETIME_S 3600

static const struct tg_ticket_key keys[1] = {{.name = "key-one", .encryption = "1", .authentication = "a"}};
static struct server server;
static struct pki anchor, other_anchor, gateway, device, weak_device;
static SSL_SESSION *session; /* of the last sensor */

static void credentials(const struct pki *trusted, struct dtls_credentials *ret_credentials)
{
	*ret_credentials = (struct dtls_credentials){
		.certificate_fd = pki_certificate_fd(&gateway, NULL),
		.key_fd = pki_key_fd(&gateway),
		.trust_fd = pki_certificate_fd(trusted, trusted == &anchor ? NULL : &anchor),
		.crl_fd = -1,
	};
}

static void credentials_close(const struct dtls_credentials *files)
{
	close(files->certificate_fd);
	close(files->key_fd);
	close(files->trust_fd);
}

static void setup(void)
{
	struct dtls_credentials files;

	pki_make(&(struct pki_request){.name = "devices", .authority = true}, &anchor);
	pki_make(&(struct pki_request){.name = "more devices", .authority = true}, &other_anchor);
	pki_make(&(struct pki_request){.name = "gateway", .issuer = &anchor}, &gateway);
	pki_make(&(struct pki_request){.name = "device-1", .issuer = &anchor, .to_s = 3 * LIFETIME_S}, &device);
	pki_make(&(struct pki_request){.name = "device-2", .issuer = &anchor, .to_s = LIFETIME_S / 2}, &weak_device);
	credentials(&anchor, &files);
	server_start(NULL, &files, &server);
	credentials_close(&files);
	server.generation = 7;
	dtls_set_tickets(server.dtls, keys, 1);
	session = NULL;
}

static void teardown(void)
{
	SSL_SESSION_free(session);
	server_stop(&server);
	pki_done(&anchor);
	pki_done(&other_anchor);
	pki_done(&gateway);
	pki_done(&device);
	pki_done(&weak_device);
}

static bool visit(struct client *client)
{
	return server_visit(&server, client, &session);
}

static struct client *certificate_sensor(const struct pki *certificate)
{
	struct client_options options = {.port = dtls_port(server.dtls), .certificate = certificate, .resume = session};
	struct client *client;

	client_new(&options, &client);
	return client;
}

START_TEST(a_ticket_spares_the_certificate)
{
	uint8_t der[4096];

	ck_assert(!visit(certificate_sensor(&device)));
	ck_assert_uint_eq(server.proof, TG_PROOF_CERTIFICATE);
	struct client *client = certificate_sensor(&device);
	ck_assert(server_connect(&server, client));
	SERVER_UNTIL(&server, client, server.resumed == 1);
	ck_assert_uint_eq(server.proof, TG_PROOF_RESUMED);
	ck_assert_str_eq(server.device, "device-1");
	/* What it proved itself by is known still. */
	ck_assert_int_eq(dtls_certificate(server.session, der, sizeof(der)), i2d_X509(device.certificate, NULL));
	ck_assert_int_eq(dtls_certificate(server.session, der, 10), -EMSGSIZE);
	server_echo(&server, client, "21.5");
	client_free(client);
}
END_TEST

START_TEST(a_certificate_that_has_expired_since)
{
	struct client *client;

	ck_assert(!visit(certificate_sensor(&weak_device)));
	ck_assert(visit(certificate_sensor(&weak_device)));
	server.mock->wall_us =
		server.mock->host.now_wall_us(&server.mock->host) + (LIFETIME_S / 2 + 1) * INT64_C(1000000);
	client = certificate_sensor(&weak_device);
	server_connect(&server, client);
	ck_assert_uint_eq(server.resumed, 1);
	client_free(client);
}
END_TEST

/* What was let in under anchors that are no more has to show its certificate again. */
START_TEST(other_anchors_need_a_full_handshake)
{
	struct dtls_credentials files;
	const char *problem;

	ck_assert(!visit(certificate_sensor(&device)));
	credentials(&other_anchor, &files);
	ck_assert_int_ge(dtls_set_credentials(server.dtls, &files, &problem), 0);
	credentials_close(&files);
	ck_assert(!visit(certificate_sensor(&device)));
	ck_assert(visit(certificate_sensor(&device)));
	/* The same ones again are no others. */
	credentials(&other_anchor, &files);
	ck_assert_int_ge(dtls_set_credentials(server.dtls, &files, &problem), 0);
	credentials_close(&files);
	ck_assert(visit(certificate_sensor(&device)));
}
END_TEST

static Suite *resume_suite(void)
{
	Suite *suite = suite_create("dtls resume with certificates");
	TCase *certificate = tcase_create("certificate");

	tcase_add_checked_fixture(certificate, setup, teardown);
	tcase_add_test(certificate, a_ticket_spares_the_certificate);
	tcase_add_test(certificate, a_certificate_that_has_expired_since);
	tcase_add_test(certificate, other_anchors_need_a_full_handshake);
	suite_add_tcase(suite, certificate);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(resume_suite());

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
