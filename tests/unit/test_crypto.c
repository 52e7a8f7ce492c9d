/* SPDX-License-Identifier: Apache-2.0 */

/* Every list of every policy means to this OpenSSL what it says: nothing in it is unknown, and nothing is there that must not be. */

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "wire/crypto.h"

static const char *const names[] = {"modern", "compatible"};

/* OpenSSL passes over names that it does not know: each one is counted. */
static int count_of(const char *list)
{
	int count = *list ? 1 : 0;

	for (; *list; list++)
		count += *list == ':';
	return count;
}

static void assert_suites(SSL_CTX *context, const char *list)
{
	char with_level[2048];

	snprintf(with_level, sizeof(with_level), "%s:@SECLEVEL=0", list);
	ck_assert_int_eq(SSL_CTX_set_ciphersuites(context, ""), 1);
	ck_assert_int_eq(SSL_CTX_set_cipher_list(context, with_level), 1);
	ck_assert_int_eq(sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(context)), count_of(list));
	for (int i = 0; i < count_of(list); i++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(SSL_CTX_get_ciphers(context), i);

		ck_assert_int_ge(SSL_CIPHER_get_bits(cipher, NULL), 128);
		ck_assert_int_ne(SSL_CIPHER_get_auth_nid(cipher), NID_auth_null);
		ck_assert_int_ne(SSL_CIPHER_get_digest_nid(cipher), NID_sha1);
	}
}

/* The list is const by what OpenSSL does with it, but not by its types. */
static long set_list(SSL_CTX *context, int what, const char *list)
{
	return SSL_CTX_ctrl(context, what, 0, (void *)(uintptr_t)list);
}

START_TEST(test_lists_are_understood)
{
	const struct tg_crypto *policy = crypto_policy(names[_i]);
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	ck_assert_ptr_nonnull(policy);
	ck_assert_str_eq(policy->policy, names[_i]);
	assert_suites(context, policy->dtls_psk_suites);
	assert_suites(context, policy->dtls_certificate_suites);
	if (*policy->tls12_suites)
		assert_suites(context, policy->tls12_suites);
	ck_assert_int_eq(SSL_CTX_set_ciphersuites(context, policy->tls13_suites), 1);
	ck_assert_int_eq(set_list(context, SSL_CTRL_SET_GROUPS_LIST, policy->groups), 1);
	ck_assert_int_eq(set_list(context, SSL_CTRL_SET_SIGALGS_LIST, policy->signatures), 1);
	ck_assert_ptr_null(strstr(policy->signatures, "SHA1"));
	SSL_CTX_free(context);
}
END_TEST

START_TEST(test_floors)
{
	const struct tg_crypto *policy = crypto_policy(names[_i]);

	ck_assert_uint_ge(policy->tls_min, TLS1_2_VERSION);
	ck_assert_uint_eq(policy->tls_max, TLS1_3_VERSION);
	ck_assert_uint_eq(policy->dtls_min, DTLS1_2_VERSION);
	ck_assert_uint_ge(policy->level, 2);
	/* RFC 7925 sections 4.2 and 4.4 */
	ck_assert_ptr_nonnull(strstr(policy->dtls_psk_suites, "PSK-AES128-CCM8"));
	ck_assert_ptr_nonnull(strstr(policy->dtls_certificate_suites, "ECDHE-ECDSA-AES128-CCM8"));
	ck_assert_ptr_nonnull(strstr(policy->groups, "P-256"));
}
END_TEST

static void assert_all(const char *list, const char *each, const char *none)
{
	char copy[2048], *rest = copy, *name;

	snprintf(copy, sizeof(copy), "%s", list);
	while ((name = strsep(&rest, ":"))) {
		ck_assert_msg(strstr(name, each) != NULL, "%s has no %s", name, each);
		ck_assert_msg(strstr(name, none) == NULL, "%s has %s", name, none);
	}
}

/* RFC 9325 section 4: forward secrecy, but for the plain PSK suites of RFC 7925; no suite that authenticates what it encrypts
 * after the fact, but for one that old devices have, behind all others. */
START_TEST(test_advice)
{
	const struct tg_crypto *policy = crypto_policy(names[_i]);
	const char *cbc = strstr(policy->dtls_psk_suites, "CBC");

	assert_all(policy->dtls_certificate_suites, "ECDHE-", "CBC");
	assert_all(policy->dtls_psk_suites, "PSK-", "NULL");
	assert_all(policy->tls13_suites, "TLS_", "CCM_8");
	if (*policy->tls12_suites)
		assert_all(policy->tls12_suites, "ECDHE-", "CBC");
	ck_assert_int_eq(strncmp(policy->dtls_psk_suites, "ECDHE-PSK-", 10), 0);
	if (strcmp(policy->policy, "modern") == 0)
		ck_assert_ptr_null(cbc);
	else
		ck_assert(!cbc || !strchr(cbc, ':'));
}
END_TEST

START_TEST(test_names)
{
	ck_assert_ptr_null(crypto_policy(""));
	ck_assert_ptr_null(crypto_policy("gateway"));
	ck_assert_ptr_null(crypto_policy("modern "));
	ck_assert_str_eq(CRYPTO_POLICIES, "modern compatible");
	ck_assert_uint_eq(crypto_policy("modern")->tls_min, TLS1_3_VERSION);
	ck_assert_uint_eq(crypto_policy("compatible")->tls_min, TLS1_2_VERSION);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crypto");
	TCase *tcase = tcase_create("crypto");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_lists_are_understood, 0, 2);
	tcase_add_loop_test(tcase, test_floors, 0, 2);
	tcase_add_loop_test(tcase, test_advice, 0, 2);
	tcase_add_test(tcase, test_names);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
