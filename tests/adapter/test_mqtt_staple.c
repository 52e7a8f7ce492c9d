/* SPDX-License-Identifier: Apache-2.0 */

/* What a broker staples: its OCSP response. */

#include <openssl/ocsp.h>
#include <stdio.h>
#include <string.h>

#include "adapter/mqtt_front.h"

enum about { NOTHING, OWN, STRANGER };
enum signer { AUTHORITY, RESPONDER, NO_RESPONDER, ANOTHER_AUTHORITY };

static const struct {
	const char *what;
	const char *mode;
	enum about about; /* what is stapled is about whom */
	int status;       /* V_OCSP_CERTSTATUS_… */
	enum signer signer;
	long from_s, to_s; /* both 0: of an hour */
	int error;         /* OCSP_RESPONSE_STATUS_… */
	const char *cause;
} staples[] = {
	{"good", "require", OWN, V_OCSP_CERTSTATUS_GOOD, AUTHORITY, 0, 0, 0, NULL},
	{"good, of a responder", "require", OWN, V_OCSP_CERTSTATUS_GOOD, RESPONDER, 0, 0, 0, NULL},
	{"absent", "accept", NOTHING, 0, AUTHORITY, 0, 0, 0, NULL},
	{"absent but required", "require", NOTHING, 0, AUTHORITY, 0, 0, 0,
	 FAILED "the broker has stapled no OCSP response"},
	{"revoked", "accept", OWN, V_OCSP_CERTSTATUS_REVOKED, AUTHORITY, 0, 0, 0, FAILED "certificate is revoked"},
	{"revoked", "require", OWN, V_OCSP_CERTSTATUS_REVOKED, RESPONDER, 0, 0, 0, FAILED "certificate is revoked"},
	{"revoked long ago", "accept", OWN, V_OCSP_CERTSTATUS_REVOKED, AUTHORITY, -172800, -86400, 0,
	 FAILED "certificate is revoked"},
	{"revoked, but nobody asks", "off", OWN, V_OCSP_CERTSTATUS_REVOKED, AUTHORITY, 0, 0, 0, NULL},
	{"not known", "accept", OWN, V_OCSP_CERTSTATUS_UNKNOWN, AUTHORITY, 0, 0, 0, "does not know the certificate"},
	{"another's", "accept", STRANGER, V_OCSP_CERTSTATUS_GOOD, AUTHORITY, 0, 0, 0, "about another certificate"},
	{"expired", "accept", OWN, V_OCSP_CERTSTATUS_GOOD, AUTHORITY, -172800, -86400, 0, "has expired"},
	{"not yet", "accept", OWN, V_OCSP_CERTSTATUS_GOOD, AUTHORITY, 3600, 7200, 0, "is not yet valid"},
	{"a minute early", "require", OWN, V_OCSP_CERTSTATUS_GOOD, AUTHORITY, 60, 7200, 0, NULL},
	{"not signed by a responder", "accept", OWN, V_OCSP_CERTSTATUS_GOOD, NO_RESPONDER, 0, 0, 0, "is not signed"},
	{"signed by another", "accept", OWN, V_OCSP_CERTSTATUS_GOOD, ANOTHER_AUTHORITY, 0, 0, 0, "is not signed"},
	{"no answer", "accept", OWN, 0, AUTHORITY, 0, 0, OCSP_RESPONSE_STATUS_TRYLATER, NULL},
	{"no answer", "require", OWN, 0, AUTHORITY, 0, 0, OCSP_RESPONSE_STATUS_TRYLATER,
	 "has stapled no OCSP response"},
};

static OCSP_BASICRESP *answer(int row, const struct pki *about, const struct pki *signer)
{
	bool always = staples[row].from_s == 0 && staples[row].to_s == 0;
	ASN1_TIME *from = X509_gmtime_adj(NULL, always ? -3600 : staples[row].from_s);
	ASN1_TIME *until = X509_gmtime_adj(NULL, always ? 3600 : staples[row].to_s);
	OCSP_CERTID *id = OCSP_cert_to_id(row % 2 ? EVP_sha1() : EVP_sha256(), about->certificate, root.certificate);
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();

	ck_assert_ptr_nonnull(OCSP_basic_add1_status(basic, id, staples[row].status, OCSP_REVOKED_STATUS_UNSPECIFIED,
						     from, from, until));
	ck_assert_int_eq(OCSP_basic_sign(basic, signer->certificate, signer->key, EVP_sha256(), NULL, 0), 1);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	return basic;
}

static void save_response(int error, OCSP_BASICRESP *basic)
{
	OCSP_RESPONSE *response = OCSP_response_create(error, error ? NULL : basic);
	unsigned char *bytes = NULL;
	int size = i2d_OCSP_RESPONSE(response, &bytes);
	FILE *file = fopen(broker_file("staple.der"), "w");

	ck_assert_int_gt(size, 0);
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, (size_t)size, file), (size_t)size);
	fclose(file);
	OPENSSL_free(bytes);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
}

START_TEST(stapled)
{
	const struct pki_request named = {.name = "broker", .names = NAMES, .issuer = &root};
	struct pki own, stranger, responder, plain;
	const struct pki *signers[] = {&root, &responder, &plain, &other};

	pki_make(&named, &own);
	pki_make(&named, &stranger);
	pki_make(&(struct pki_request){.name = "responder", .issuer = &root, .purpose = "OCSPSigning"}, &responder);
	pki_make(&(struct pki_request){.name = "plain", .issuer = &root}, &plain);
	if (staples[_i].about != NOTHING)
		save_response(staples[_i].error,
			      answer(_i, staples[_i].about == OWN ? &own : &stranger, signers[staples[_i].signer]));
	front_start(&own, NULL, staples[_i].about == NOTHING ? NULL : "staple.der");
	mock_set(mock, "ocsp", staples[_i].mode);
	front_expect(staples[_i].cause);
	pki_done(&own);
	pki_done(&stranger);
	pki_done(&responder);
	pki_done(&plain);
}
END_TEST

/* RFC 7633: the certificate itself says that a response comes with it. */
START_TEST(promised)
{
	struct pki own;

	pki_make(&(struct pki_request){.name = "broker", .names = NAMES, .issuer = &root, .feature = "status_request"},
		 &own);
	front_start(&own, NULL, NULL);
	mock_set(mock, "ocsp", _i ? "accept" : "off");
	front_expect(_i ? "though its certificate promises one" : NULL);
	pki_done(&own);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mqtt staple");
	TCase *tcase = tcase_create("mqtt staple");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, front_setup, front_teardown);
	tcase_add_loop_test(tcase, stapled, 0, COUNT(staples));
	tcase_add_loop_test(tcase, promised, 0, 2);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
