/* SPDX-License-Identifier: Apache-2.0 */

/* The parts of tidegate-renew that read what others wrote, and those that make keys and requests. */

#include <check.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "renew/answer.h"
#include "renew/check.h"
#include "renew/est_url.h"
#include "renew/job.h"
#include "renew/key.h"
#include "renew/names.h"
#include "renew/request.h"
#include "suite.h"

#define NOW_S INT64_C(1790000000)

static bool add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool good = extension && X509_add_ext(certificate, extension, -1) == 1;

	X509_EXTENSION_free(extension);
	return good;
}

/* Signed by itself where `issuer` is NULL. `begin_s` and `end_s` count from NOW_S. */
static X509 *certificate_new(const char *name, const char *names, EVP_PKEY *key, const X509 *issuer,
			     EVP_PKEY *issuer_key, long begin_s, long end_s)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	time_t now = (time_t)NOW_S;

	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
	X509_time_adj_ex(X509_getm_notBefore(certificate), 0, begin_s, &now);
	X509_time_adj_ex(X509_getm_notAfter(certificate), 0, end_s, &now);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : subject);
	X509_set_pubkey(certificate, key);
	ck_assert(add_extension(certificate, NID_basic_constraints, issuer ? "critical,CA:FALSE" : "critical,CA:TRUE"));
	if (names)
		ck_assert(add_extension(certificate, NID_subject_alt_name, names));
	ck_assert_int_gt(X509_sign(certificate, issuer ? issuer_key : key, EVP_sha256()), 0);
	return certificate;
}

static EVP_PKEY *new_key(void)
{
	EVP_PKEY *key = NULL;

	ck_assert_int_eq(key_make(NULL, &key), 0);
	return key;
}

/* As an EST server would send it. Ownership: free it. */
static char *certs_only(X509 *certificate, unsigned times)
{
	PKCS7 *pkcs7 = PKCS7_new();
	uint8_t *der = NULL;
	char *text;
	int size;

	PKCS7_set_type(pkcs7, NID_pkcs7_signed);
	PKCS7_content_new(pkcs7, NID_pkcs7_data);
	for (unsigned i = 0; i < times; i++) {
		X509 *copy = X509_dup(certificate);

		ASN1_INTEGER_set(X509_get_serialNumber(copy), 100 + (long)i);
		ck_assert_int_eq(PKCS7_add_certificate(pkcs7, copy), 1);
		X509_free(copy);
	}
	size = i2d_PKCS7(pkcs7, &der);
	ck_assert_int_gt(size, 0);
	text = malloc((size_t)size * 2 + 8);
	EVP_EncodeBlock((unsigned char *)text, der, size);
	OPENSSL_free(der);
	PKCS7_free(pkcs7);
	return text;
}

static int parse(const char *text)
{
	struct stack_st_X509 *list = NULL;
	int r = answer_parse(bytes_text(text), &list);

	if (r >= 0)
		r = sk_X509_num(list);
	answer_free(list);
	return r;
}

START_TEST(answers_are_read_with_and_without_line_ends)
{
	EVP_PKEY *key = new_key();
	X509 *certificate = certificate_new("a", NULL, key, NULL, NULL, -10, 10);
	char *text = certs_only(certificate, 2), *lines = malloc(strlen(text) * 2);
	size_t used = 0;

	ck_assert_int_eq(parse(text), 2);
	for (size_t i = 0; text[i]; i++) {
		lines[used++] = text[i];
		if (i % 64 == 63) {
			lines[used++] = '\r';
			lines[used++] = '\n';
		}
	}
	lines[used] = 0;
	ck_assert_int_eq(parse(lines), 2);
	free(lines);
	free(text);
	text = certs_only(certificate, ANSWER_CERTIFICATES + 1);
	ck_assert_int_eq(parse(text), -E2BIG);
	free(text);
	text = certs_only(certificate, 0);
	ck_assert_int_eq(parse(text), -EBADMSG);
	free(text);
	X509_free(certificate);
	key_free(key);
}
END_TEST

START_TEST(what_is_no_answer_is_refused)
{
	static const char *const bad[] = {
		"", "=", "====", "AAA", "AA=A", "A===", "<html>", "AAAA", "MAA=", "\xff\xfe\xfd\xfc", "    \r\n\t"};
	char *large = malloc(ANSWER_MAX + 8);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(parse(bad[i]), -EBADMSG);
	memset(large, 'A', ANSWER_MAX + 4);
	large[ANSWER_MAX + 4] = 0;
	ck_assert_int_eq(parse(large), -E2BIG);
	free(large);
}
END_TEST

/* Every byte of an answer is cut, turned and doubled: nothing crashes, and nothing that is read is more than it may be. */
START_TEST(mutated_answers_do_no_harm)
{
	EVP_PKEY *key = new_key();
	X509 *certificate = certificate_new("a", "DNS:a.example,URI:urn:a", key, NULL, NULL, -10, 10);
	char *text = certs_only(certificate, 1);
	size_t size = strlen(text);
	uint64_t random = 88172645463325252u;
	unsigned good = 0;

	for (unsigned i = 0; i < 20000; i++) {
		CLEANUP_FREE char *copy = strdup(text);
		int r;

		for (unsigned n = 0; n <= i % 3; n++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			copy[random % size] =
				"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \n"[random >> 32 &
												       63];
		}
		if (i % 7 == 0)
			copy[(random >> 20) % size] = 0;
		r = parse(copy);
		ck_assert(r == 1 || r == -EBADMSG || r == -E2BIG);
		good += r == 1;
	}
	ck_assert_uint_gt(good, 0);
	ck_assert_uint_lt(good, 19000);
	free(text);
	X509_free(certificate);
	key_free(key);
}
END_TEST

static int bits_like(EVP_PKEY *old)
{
	EVP_PKEY *key = NULL;
	int bits;

	ck_assert_int_eq(key_make(old, &key), 0);
	bits = EVP_PKEY_get_bits(key);
	ck_assert_int_eq(EVP_PKEY_get_base_id(key), old ? EVP_PKEY_get_base_id(old) : EVP_PKEY_EC);
	ck_assert(!old || EVP_PKEY_eq(key, old) != 1);
	key_free(key);
	key_free(old);
	return bits;
}

START_TEST(keys_are_of_the_old_kind)
{
	ck_assert_int_eq(bits_like(NULL), 256);
	ck_assert_int_eq(bits_like(EVP_EC_gen("P-384")), 384);
	ck_assert_int_eq(bits_like(EVP_EC_gen("secp256k1")), 256);
	ck_assert_int_eq(bits_like(EVP_RSA_gen(1024)), 2048);
	ck_assert_int_eq(bits_like(EVP_RSA_gen(3072)), 3072);
	ck_assert_int_ge(bits_like(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")), 253);
}
END_TEST

START_TEST(requests_carry_the_old_names)
{
	EVP_PKEY *key = new_key(), *other = new_key();
	X509 *old = certificate_new("hall-3", "DNS:a.example,URI:urn:a", key, NULL, NULL, -10, 10);
	X509_REQ *request = NULL, *again = NULL;
	STACK_OF(X509_EXTENSION) * extensions;
	char *text;

	ck_assert_int_eq(request_make(key, old, "unused", &request), 0);
	ck_assert_int_eq(X509_NAME_cmp(X509_REQ_get_subject_name(request), X509_get_subject_name(old)), 0);
	extensions = X509_REQ_get_extensions(request);
	ck_assert_int_ge(X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, -1), 0);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	ck_assert(request_fits(request, key, old, ""));
	ck_assert(!request_fits(request, other, old, ""));
	ck_assert(!request_fits(request, key, NULL, "another"));
	text = request_to_base64(request);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\n"),
			  strlen(text));
	free(text);
	ck_assert_int_eq(request_make(key, NULL, "hall-3", &again), 0);
	ck_assert(request_fits(again, key, NULL, "hall-3"));
	request_free(request);
	request_free(again);
	X509_free(old);
	key_free(key);
	key_free(other);
}
END_TEST

/* A family of an authority and keys, and what is to be checked. */
struct family {
	EVP_PKEY *root_key, *key;
	X509 *root, *old;
	struct stack_st_X509 *anchors;
	char cause[CHECK_CAUSE_SIZE];
};

static void family_init(struct family *family)
{
	*family = (struct family){.root_key = new_key(), .key = new_key()};
	family->root = certificate_new("root", NULL, family->root_key, NULL, NULL, -10, 100000);
	family->old = certificate_new("hall-3", "DNS:a.example,DNS:b.example", family->root_key, family->root,
				      family->root_key, -10, 10);
	family->anchors = sk_X509_new_null();
	X509_add_cert(family->anchors, family->root, X509_ADD_FLAG_UP_REF);
}

static void family_done(struct family *family)
{
	answer_free(family->anchors);
	X509_free(family->root);
	X509_free(family->old);
	key_free(family->root_key);
	key_free(family->key);
}

/* Checks one certificate (taken), returns the length of its chain or the error. */
static int check_one(struct family *family, X509 *new)
{
	struct stack_st_X509 *given = sk_X509_new_null(), *chain = NULL;
	const struct check check = {
		.key = family->key, .old = family->old, .common_name = "", .anchors = family->anchors, .now_s = NOW_S};
	int r;

	X509_add_cert(given, family->root, X509_ADD_FLAG_UP_REF);
	sk_X509_push(given, new);
	r = check_certificates(&check, given, family->cause, &chain);
	if (r >= 0)
		r = sk_X509_num(chain);
	answer_free(chain);
	answer_free(given);
	return r;
}

static void refused(struct family *family, X509 *new, const char *words)
{
	ck_assert_int_eq(check_one(family, new), -EKEYREJECTED);
	ck_assert_msg(strstr(family->cause, words), "\"%s\" instead of \"%s\"", family->cause, words);
}

#define NEW(name, names, key, issuer_key, begin, end)                                                                  \
	certificate_new((name), (names), (key), family.root, (issuer_key), (begin), (end))

START_TEST(certificates_are_checked)
{
	const char *swapped = "DNS:b.example,DNS:a.example";
	struct family family;

	family_init(&family);
	ck_assert_int_eq(check_one(&family, NEW("hall-3", swapped, family.key, family.root_key, -5, 5000)), 1);
	/* A clock that is behind by an hour. */
	ck_assert_int_eq(check_one(&family, NEW("hall-3", swapped, family.key, family.root_key, 3600, 9000)), 1);
	refused(&family, NEW("hall-3", swapped, family.key, family.root_key, 90000, 95000), "not valid yet");
	refused(&family, NEW("hall-3", swapped, family.key, family.root_key, -50, -1), "expired");
	refused(&family, NEW("hall-4", swapped, family.key, family.root_key, -5, 5000), "another name");
	refused(&family, NEW("hall-3", "DNS:a.example", family.key, family.root_key, -5, 5000), "another name");
	refused(&family,
		NEW("hall-3", "DNS:a.example,DNS:b.example,DNS:c.example", family.key, family.root_key, -5, 5000),
		"another name");
	refused(&family, NEW("hall-3", NULL, family.key, family.root_key, -5, 5000), "another name");
	refused(&family, NEW("hall-3", swapped, family.root_key, family.root_key, -5, 5000), "another key");
	refused(&family, NEW("hall-3", swapped, family.key, family.key, -5, 5000), "does not stand under");
	family_done(&family);
}
END_TEST

START_TEST(the_first_certificate_has_the_name_asked_for)
{
	char detail[100];
	EVP_PKEY *key = new_key();
	X509 *certificate = certificate_new("hall-3", NULL, key, NULL, NULL, -10, 10);

	ck_assert(names_is(certificate, "hall-3", detail, sizeof(detail)));
	ck_assert(!names_is(certificate, "hall-30", detail, sizeof(detail)));
	ck_assert(!names_is(certificate, "", detail, sizeof(detail)));
	ck_assert_str_eq(detail, "its subject is \"/CN=hall-3\"");
	X509_free(certificate);
	key_free(key);
}
END_TEST

START_TEST(addresses_of_servers)
{
	static const char *const bad[] = {"",
					  "x",
					  "http://h",
					  "https://",
					  "https://u@h",
					  "https://h/?q",
					  "https://h/#f",
					  "ftp://h",
					  "https://h:99999",
					  "file:///x"};
	struct est_url url;

	ck_assert_int_eq(est_url_parse("https://est.example.com", &url), 0);
	ck_assert_str_eq(url.base, "https://est.example.com:443/.well-known/est");
	est_url_done(&url);
	ck_assert_int_eq(est_url_parse("https://[::1]:8443/.well-known/est/plant/", &url), 0);
	ck_assert_str_eq(url.base, "https://[::1]:8443/.well-known/est/plant");
	ck_assert_str_eq(url.host, "::1");
	ck_assert_str_eq(url.port, "8443");
	est_url_done(&url);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(est_url_parse(bad[i], &url) == -EINVAL, "%s", bad[i]);
}
END_TEST

START_TEST(jobs_are_read_strictly)
{
	static const char good[] =
		"{\"job\":\"enroll\",\"now_s\":5,\"timeout_s\":6,\"url\":\"u\",\"files\":{\"pending\":7,\"trust\":8}}";
	struct job job;

	ck_assert_int_eq(job_parse(good, strlen(good), &job), 0);
	ck_assert_int_eq(job.fds[JOB_PENDING], 7);
	ck_assert_int_eq(job.fds[JOB_TRUST], 8);
	ck_assert_int_eq(job.fds[JOB_KEY], -1);
	ck_assert_str_eq(job.url, "u");
	job_done(&job);
	for (size_t i = 0; i < strlen(good); i++)
		ck_assert_int_lt(job_parse(good, i, &job), 0);
}
END_TEST

SUITE_MAIN("renew", answers_are_read_with_and_without_line_ends, what_is_no_answer_is_refused,
	   mutated_answers_do_no_harm, keys_are_of_the_old_kind, requests_carry_the_old_names, certificates_are_checked,
	   the_first_certificate_has_the_name_asked_for, addresses_of_servers, jobs_are_read_strictly)
