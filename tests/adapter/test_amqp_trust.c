/* SPDX-License-Identifier: Apache-2.0 */

/* Which peers the amqp adapter believes. How lists and staples are judged is common/tls.c's, and looked at in full with the mqtt
 * adapter; here is one of each, through this adapter's settings. */

#include <openssl/ocsp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapter/amqp_rig.h"
#include "adapter/child.h"
#include "adapter/tls_front.h"

/* SASL is ANONYMOUS, which only `insecure` allows; the certificate is looked at all the same, since there is `trust`. */
static void setup(void)
{
	rig_setup();
	rig_start_peer(false);
	front_begin(peer_port);
	mock_set(mock, "broker", NULL);
	mock_add(mock, "broker", child_text("amqps://localhost:%u", front_port));
	mock_set(mock, "trust", broker_file("root.crt"));
}

static void teardown(void)
{
	front_end();
	rig_teardown();
}

static void expect(const char *cause)
{
	if (cause)
		rig_expect_failure(cause);
	else
		rig_begin();
}

START_TEST(chain)
{
	front_show(&front_chains[_i]);
	expect(front_chains[_i].cause);
}
END_TEST

static void make_broker(const struct pki *issuer, struct pki *ret_own)
{
	pki_make(&(struct pki_request){.name = "broker", .names = NAMES, .issuer = issuer}, ret_own);
}

START_TEST(another_authority)
{
	struct pki own;

	make_broker(_i ? &other : NULL, &own);
	front_start(&own, _i ? &other : NULL, NULL);
	rig_expect_failure(_i ? FAILED "chain does not lead" : FAILED "certificate is self-signed");
	pki_done(&own);
}
END_TEST

static void save_list(const struct pki *revoked)
{
	front_save("crl.pem", pki_lists_fd(&(struct pki_list){.issuer = &root, .revoked = revoked}, 1));
	mock_set(mock, "crl", broker_file("crl.pem"));
}

/* A list that does not concern the peer leaves the link alone; one that does ends it at once. */
START_TEST(revoked)
{
	struct pki own, stranger;

	make_broker(&root, &own);
	make_broker(&root, &stranger);
	front_start(&own, NULL, NULL);
	save_list(&stranger);
	rig_begin();
	save_list(NULL);
	ck_assert_int_eq(mock_reload(mock), 0);
	rig_expect_result(rig_deliver("a", "x"), TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
	save_list(&own);
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, FAILED "certificate is revoked") > 0, RIG_SOON_MS));
	ck_assert_uint_gt(mock_logged(mock, "the broker's certificate is revoked"), 0);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
	save_list(NULL);
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
	pki_done(&own);
	pki_done(&stranger);
}
END_TEST

static void save_response(const struct pki *about, int status)
{
	ASN1_TIME *from = X509_gmtime_adj(NULL, -3600), *until = X509_gmtime_adj(NULL, 3600);
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha256(), about->certificate, root.certificate);
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_RESPONSE *response;
	unsigned char *bytes = NULL;
	FILE *file = fopen(broker_file("staple.der"), "w");
	int size;

	ck_assert_ptr_nonnull(
		OCSP_basic_add1_status(basic, id, status, OCSP_REVOKED_STATUS_UNSPECIFIED, from, from, until));
	ck_assert_int_eq(OCSP_basic_sign(basic, root.certificate, root.key, EVP_sha256(), NULL, 0), 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	size = i2d_OCSP_RESPONSE(response, &bytes);
	ck_assert_uint_eq(fwrite(bytes, 1, (size_t)size, file), (size_t)size);
	fclose(file);
	OPENSSL_free(bytes);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
}

static const struct {
	const char *mode;
	int status; /* V_OCSP_CERTSTATUS_…; -1: nothing is stapled */
	const char *cause;
} staples[] = {
	{"require", V_OCSP_CERTSTATUS_GOOD, NULL},
	{"accept", -1, NULL},
	{"require", -1, FAILED "the broker has stapled no OCSP response"},
	{"accept", V_OCSP_CERTSTATUS_REVOKED, FAILED "certificate is revoked"},
	{"off", V_OCSP_CERTSTATUS_REVOKED, NULL},
};

START_TEST(stapled)
{
	struct pki own;

	make_broker(&root, &own);
	if (staples[_i].status >= 0)
		save_response(&own, staples[_i].status);
	front_start(&own, NULL, staples[_i].status >= 0 ? "staple.der" : NULL);
	mock_set(mock, "ocsp", staples[_i].mode);
	expect(staples[_i].cause);
	pki_done(&own);
}
END_TEST

static const struct {
	const char *newest; /* what the peer knows no newer version than */
	const char *crypto;
	bool good;
} versions[] = {
	{"STAPLE_TLS12", "modern", false},
	{"STAPLE_TLS12", "compatible", true},
	{"STAPLE_TLS11", "compatible", false},
};

START_TEST(version)
{
	struct pki own;

	make_broker(&root, &own);
	setenv(versions[_i].newest, "1", 1);
	front_start(&own, NULL, NULL);
	mock->crypto = versions[_i].crypto;
	expect(versions[_i].good ? NULL : "protocol version");
	if (versions[_i].good)
		ck_assert_msg(strstr(mock->link_detail, "TLSv1.2"), "%s", mock->link_detail);
	pki_done(&own);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("amqp trust");
	TCase *tcase = tcase_create("amqp trust");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, chain, 0, FRONT_CHAINS);
	tcase_add_loop_test(tcase, another_authority, 0, 2);
	tcase_add_test(tcase, revoked);
	tcase_add_loop_test(tcase, stapled, 0, COUNT(staples));
	tcase_add_loop_test(tcase, version, 0, COUNT(versions));
	suite_add_tcase(suite, tcase);
	return rig_main(suite, false);
}
