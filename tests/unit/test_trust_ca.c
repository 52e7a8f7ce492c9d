/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/bytes.h"
#include "core/trust_ca.h"

#define S_US   INT64_C(1000000)
#define DAY_US (86400 * S_US)
#define NOW_US (1800000000 * S_US)

static struct trust_ca *new_ca(const char *gateway)
{
	struct trust_ca *ca;

	ck_assert_int_ge(trust_ca_new(gateway, NOW_US, &ca), 0);
	return ca;
}

static X509 *certificate_of(const struct trust_ca *ca)
{
	uint8_t der[TRUST_CA_MAX];
	const unsigned char *at = der;
	int size = trust_ca_certificate(ca, der, sizeof(der));
	X509 *certificate;

	ck_assert_int_gt(size, 0);
	certificate = d2i_X509(NULL, &at, size);
	ck_assert_ptr_nonnull(certificate);
	return certificate;
}

static X509 *read_certificate(const struct trust_pem *pem)
{
	BIO *in = BIO_new_mem_buf(pem->text, (int)pem->size);
	X509 *certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);

	BIO_free(in);
	ck_assert_ptr_nonnull(certificate);
	return certificate;
}

/* What a server does with a client's certificate; X509_V_OK or why not. */
static int verify(X509 *ca, X509 *leaf, int64_t at_us, int purpose)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	int error;

	ck_assert_int_eq(X509_STORE_add_cert(store, ca), 1);
	ck_assert_int_eq(X509_STORE_CTX_init(context, store, leaf, NULL), 1);
	X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), (time_t)(at_us / S_US));
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(context), 2);
	X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT);
	X509_STORE_CTX_set_purpose(context, purpose);
	X509_verify_cert(context);
	error = X509_STORE_CTX_get_error(context);
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	return error;
}

static struct trust_issued issue(const struct trust_ca *ca, const char *name, const char *request)
{
	const struct trust_wish wish = {
		.name = name, .request = bytes_text(request), .now_wall_us = NOW_US, .lifetime_us = 100 * DAY_US};
	struct trust_issued issued;
	const char *problem;
	int r = trust_ca_issue(ca, &wish, &issued, &problem);

	ck_assert_msg(r >= 0, "%s: %s", name, problem);
	return issued;
}

START_TEST(an_authority_that_is_one)
{
	struct trust_ca *ca = new_ca("hall-3");
	X509 *certificate = certificate_of(ca);
	int64_t late_us =
		sizeof(time_t) > 4 ? NOW_US + 29 * 365 * DAY_US : INT32_MAX * S_US; /* that a time_t still holds */

	ck_assert_int_eq(X509_check_ca(certificate), 1);
	ck_assert_int_eq(X509_get_pathlen(certificate), 0);
	ck_assert_uint_eq(X509_get_key_usage(certificate), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	ck_assert_int_eq(verify(certificate, certificate, NOW_US, X509_PURPOSE_ANY), X509_V_OK);
	ck_assert_int_eq(verify(certificate, certificate, late_us, X509_PURPOSE_ANY), X509_V_OK);
	X509_free(certificate);
	trust_ca_free(ca);
}
END_TEST

START_TEST(gateways_of_any_name)
{
	static const char *const names[] = {"", "ü",
					    "Übermäßig lange Namen sind für Gateways nicht verboten, und müssen gehen",
					    "äääääääääääääääääääääääääääääääääääääääääääää", "x,CN=y/O=z+\"\\"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct trust_ca *ca = new_ca(names[i]);
		X509 *certificate = certificate_of(ca);

		ck_assert_int_eq(X509_NAME_entry_count(X509_get_subject_name(certificate)), 1);
		ck_assert_int_eq(verify(certificate, certificate, NOW_US, X509_PURPOSE_ANY), X509_V_OK);
		X509_free(certificate);
		trust_ca_free(ca);
	}
}
END_TEST

START_TEST(it_is_the_same_when_it_comes_back)
{
	struct trust_ca *ca = new_ca("hall-3"), *other = new_ca("hall-3"), *again;
	struct secret key, other_key;
	uint8_t der[TRUST_CA_MAX], same[TRUST_CA_MAX];
	int size = trust_ca_certificate(ca, der, sizeof(der));
	struct trust_issued issued;
	X509 *certificate = certificate_of(ca), *leaf;

	ck_assert_int_ge(trust_ca_key(ca, &key), 0);
	ck_assert_uint_eq(key.size, 32);
	ck_assert_int_ge(trust_ca_key(other, &other_key), 0);
	ck_assert_int_eq(trust_ca_load(&other_key, bytes_of(der, (size_t)size), &again), -EBADMSG);
	ck_assert_int_eq(trust_ca_load(&key, bytes_of(der, (size_t)size - 1), &again), -EBADMSG);
	ck_assert_int_eq(trust_ca_load(&key, bytes_of("", 0), &again), -EBADMSG);
	ck_assert_int_eq(trust_ca_certificate(ca, same, 100), -EMSGSIZE);
	ck_assert_int_ge(trust_ca_load(&key, bytes_of(der, (size_t)size), &again), 0);
	ck_assert_int_eq(trust_ca_certificate(again, same, sizeof(same)), size);
	ck_assert_mem_eq(same, der, (size_t)size);
	issued = issue(again, "pump-1", NULL);
	leaf = read_certificate(&issued.certificate);
	ck_assert_int_eq(verify(certificate, leaf, NOW_US, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
	X509_free(leaf);
	X509_free(certificate);
	trust_issued_done(&issued);
	trust_ca_free(ca);
	trust_ca_free(other);
	trust_ca_free(again);
}
END_TEST

START_TEST(a_device_can_use_its_certificate)
{
	struct trust_ca *ca = new_ca("hall-3");
	struct trust_issued issued = issue(ca, "pump-1", NULL), another = issue(ca, "pump-1", NULL);
	X509 *authority = certificate_of(ca), *leaf = read_certificate(&issued.certificate),
	     *second = read_certificate(&another.certificate);
	BIO *in = BIO_new_mem_buf(issued.key.text, (int)issued.key.size);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);

	ck_assert_int_eq(X509_check_private_key(leaf, key), 1);
	ck_assert_int_eq(X509_check_private_key(second, key), 0);
	ck_assert_int_ne(ASN1_INTEGER_cmp(X509_get0_serialNumber(leaf), X509_get0_serialNumber(second)), 0);
	ck_assert_int_eq(X509_check_ca(leaf), 0);
	ck_assert_uint_eq(X509_get_key_usage(leaf), KU_DIGITAL_SIGNATURE);
	ck_assert_uint_eq(X509_get_extended_key_usage(leaf), XKU_SSL_CLIENT);
	ck_assert_int_eq(verify(authority, leaf, NOW_US, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
	ck_assert_int_ne(verify(authority, leaf, NOW_US, X509_PURPOSE_SSL_SERVER), X509_V_OK);
	/* A device's clock may be behind; the end is where it was told. */
	ck_assert_int_eq(verify(authority, leaf, NOW_US - DAY_US / 2, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
	ck_assert_int_eq(issued.until_wall_us, NOW_US + 100 * DAY_US);
	ck_assert_int_eq(verify(authority, leaf, NOW_US + 99 * DAY_US, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
	ck_assert_int_eq(verify(authority, leaf, NOW_US + 101 * DAY_US, X509_PURPOSE_SSL_CLIENT),
			 X509_V_ERR_CERT_HAS_EXPIRED);
	EVP_PKEY_free(key);
	BIO_free(in);
	X509_free(leaf);
	X509_free(second);
	X509_free(authority);
	trust_issued_done(&issued);
	trust_issued_done(&another);
	trust_ca_free(ca);
}
END_TEST

START_TEST(no_longer_than_the_authority)
{
	struct trust_ca *ca = new_ca("hall-3");
	const struct trust_wish wish = {.name = "a", .now_wall_us = NOW_US, .lifetime_us = 31 * 366 * DAY_US};
	X509 *authority = certificate_of(ca), *leaf;
	struct trust_issued issued;
	const char *problem;

	ck_assert_int_ge(trust_ca_issue(ca, &wish, &issued, &problem), 0);
	leaf = read_certificate(&issued.certificate);
	ck_assert_int_eq(ASN1_TIME_compare(X509_get0_notAfter(leaf), X509_get0_notAfter(authority)), 0);
	X509_free(leaf);
	X509_free(authority);
	trust_issued_done(&issued);
	trust_ca_free(ca);
}
END_TEST

/* The first name of that type in the certificate, "" where there is none. */
static void alternative(X509 *leaf, int type, char *ret_text, size_t room)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);

	*ret_text = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == type)
			snprintf(ret_text, room, "%.*s", ASN1_STRING_length(name->d.ia5),
				 (const char *)ASN1_STRING_get0_data(name->d.ia5));
	}
	ck_assert_int_le(sk_GENERAL_NAME_num(names), 1);
	GENERAL_NAMES_free(names);
}

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *name;
	int type; /* 0: the common name alone; -1: it cannot be borne */
} names[] = {
	{"pump-1", GEN_DNS},
	{"sensor-7.hall-3.example.com", GEN_DNS},
	{"urn:dev:ow:10e2073a01080063", GEN_URI},
	{"coaps://pump-1.example.com/a?b=c", GEN_URI},
	{X50 "." X50 "." X50, GEN_DNS},
	{"urn:x:" X50 X50 X50 X50, GEN_URI},
	{"pump_1", 0},
	{"pump 1", 0},
	{"k\xc3\xbc"
	 "che 7",
	 0},
	{"-pump", 0},
	{"pump-", 0},
	{"a..b", 0},
	{"a,URI:b", 0},
	{"urn:a,DNS:b", 0},
	{"@section", 0},
	{"x\"y'z\\", 0},
	{"critical,CA:TRUE", 0},
	{":", 0},
	{X50 X50, -1},
	{X50 "_" X50, -1},
	{"urn:a,b" X50 X50, -1},
};

START_TEST(names_where_they_are_looked_for)
{
	struct trust_ca *ca = new_ca("hall-3");
	const char *name = names[_i].name, *problem = NULL;
	const struct trust_wish wish = {.name = name, .now_wall_us = NOW_US, .lifetime_us = DAY_US};
	char text[300], common[300] = "";
	struct trust_issued issued;
	X509 *authority = certificate_of(ca), *leaf;

	if (names[_i].type < 0) {
		ck_assert_int_eq(trust_ca_issue(ca, &wish, &issued, &problem), -EINVAL);
		ck_assert_ptr_nonnull(problem);
	} else {
		issued = issue(ca, name, NULL);
		leaf = read_certificate(&issued.certificate);
		alternative(leaf, GEN_DNS, text, sizeof(text));
		ck_assert_str_eq(text, names[_i].type == GEN_DNS ? name : "");
		alternative(leaf, GEN_URI, text, sizeof(text));
		ck_assert_str_eq(text, names[_i].type == GEN_URI ? name : "");
		X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, common, sizeof(common));
		if (strlen(name) <= 64 && strcmp(name, "k\xc3\xbc"
						       "che 7") != 0)
			ck_assert_str_eq(common, name);
		ck_assert_int_eq(verify(authority, leaf, NOW_US, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
		X509_free(leaf);
		trust_issued_done(&issued);
	}
	X509_free(authority);
	trust_ca_free(ca);
}
END_TEST

/* A request in PEM with that key; `other` signs it in its place. */
static void make_request(EVP_PKEY *key, EVP_PKEY *other, char *ret_text, size_t room)
{
	X509_REQ *request = X509_REQ_new();
	BIO *out = BIO_new(BIO_s_mem());
	int size;

	X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request), NID_commonName, MBSTRING_UTF8,
				   (const unsigned char *)"somebody else", -1, -1, 0);
	ck_assert_int_eq(X509_REQ_set_pubkey(request, key), 1);
	ck_assert_int_gt(X509_REQ_sign(request, other ? other : key,
				       EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256()),
			 0);
	ck_assert_int_eq(PEM_write_bio_X509_REQ(out, request), 1);
	size = BIO_read(out, ret_text, (int)room - 1);
	ck_assert_int_gt(size, 0);
	ret_text[size] = '\0';
	BIO_free(out);
	X509_REQ_free(request);
}

static EVP_PKEY *make_key(int kind)
{
	switch (kind) {
	case 0:
		return EVP_EC_gen("P-256");
	case 1:
		return EVP_EC_gen("P-384");
	case 2:
		return EVP_RSA_gen(2048);
	case 3:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case 4:
		return EVP_RSA_gen(1024);
	default:
		return EVP_EC_gen("secp192k1");
	}
}

START_TEST(only_the_key_of_a_request_counts)
{
	struct trust_ca *ca = new_ca("hall-3");
	EVP_PKEY *key = make_key(_i), *other = EVP_EC_gen("P-256");
	struct trust_issued issued;
	const char *problem = NULL;
	char text[8192];
	struct trust_wish wish = {.name = "pump-1", .now_wall_us = NOW_US, .lifetime_us = DAY_US};
	X509 *authority = certificate_of(ca), *leaf;

	make_request(key, NULL, text, sizeof(text));
	wish.request = bytes_text(text);
	if (_i >= 4) {
		ck_assert_int_eq(trust_ca_issue(ca, &wish, &issued, &problem), -EINVAL);
		ck_assert_ptr_nonnull(strstr(problem, "too weak"));
	} else {
		issued = issue(ca, "pump-1", text);
		ck_assert_ptr_null(issued.key.text);
		leaf = read_certificate(&issued.certificate);
		ck_assert_int_eq(X509_check_private_key(leaf, key), 1);
		ck_assert_int_eq(verify(authority, leaf, NOW_US, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
		X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, text, sizeof(text));
		ck_assert_str_eq(text, "pump-1");
		X509_free(leaf);
		trust_issued_done(&issued);
	}
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	X509_free(authority);
	trust_ca_free(ca);
}
END_TEST

START_TEST(requests_that_are_none)
{
	static char large[TRUST_REQUEST_MAX + 2];
	struct trust_ca *ca = new_ca("hall-3");
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	struct trust_wish wish = {.name = "pump-1", .now_wall_us = NOW_US, .lifetime_us = DAY_US};
	struct trust_issued issued;
	const char *problem = NULL;
	char text[8192];

	make_request(key, other, text, sizeof(text));
	wish.request = bytes_text(text);
	ck_assert_int_eq(trust_ca_issue(ca, &wish, &issued, &problem), -EINVAL);
	ck_assert_ptr_nonnull(strstr(problem, "not signed with its own key"));
	make_request(key, NULL, text, sizeof(text));
	for (size_t size = 0; size + 40 < strlen(text); size += 7) {
		wish.request = bytes_of(text, size);
		ck_assert_int_eq(trust_ca_issue(ca, &wish, &issued, &problem), -EINVAL);
	}
	memset(large, 'A', sizeof(large) - 1);
	wish.request = bytes_text(large);
	ck_assert_int_eq(trust_ca_issue(ca, &wish, &issued, &problem), -EINVAL);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	trust_ca_free(ca);
}
END_TEST

START_TEST(found_among_others)
{
	struct trust_ca *ca = new_ca("hall-3"), *other = new_ca("hall-3");
	uint8_t der[TRUST_CA_MAX], der_other[TRUST_CA_MAX];
	struct tg_bytes mine = bytes_of(der, (size_t)trust_ca_certificate(ca, der, sizeof(der)));
	struct tg_bytes others = bytes_of(der_other, (size_t)trust_ca_certificate(other, der_other, sizeof(der_other)));
	struct trust_pem pem = {0}, pem_other = {0};
	char both[8192];

	ck_assert_int_ge(trust_pem_of(mine, &pem), 0);
	ck_assert_int_ge(trust_pem_of(others, &pem_other), 0);
	ck_assert_int_eq(trust_pem_of(bytes_of("x", 1), &pem), -EBADMSG);
	snprintf(both, sizeof(both), "# bundle\n%s\n%s", pem_other.text, pem.text);
	ck_assert(trust_is_among(mine, bytes_text(both)));
	ck_assert(trust_is_among(others, bytes_text(both)));
	ck_assert(!trust_is_among(mine, bytes_text(pem_other.text)));
	ck_assert(!trust_is_among(mine, bytes_text("nothing")));
	ck_assert(!trust_is_among(mine, bytes_of("", 0)));
	trust_pem_done(&pem);
	trust_pem_done(&pem_other);
	trust_ca_free(ca);
	trust_ca_free(other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trust_ca");
	TCase *tcase = tcase_create("authority");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, an_authority_that_is_one);
	tcase_add_test(tcase, gateways_of_any_name);
	tcase_add_test(tcase, it_is_the_same_when_it_comes_back);
	tcase_add_test(tcase, a_device_can_use_its_certificate);
	tcase_add_test(tcase, no_longer_than_the_authority);
	tcase_add_loop_test(tcase, names_where_they_are_looked_for, 0, sizeof(names) / sizeof(names[0]));
	tcase_add_loop_test(tcase, only_the_key_of_a_request_counts, 0, 6);
	tcase_add_test(tcase, requests_that_are_none);
	tcase_add_test(tcase, found_among_others);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
