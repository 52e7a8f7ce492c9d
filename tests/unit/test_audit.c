/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <tidegate/adapter.h>

#include "base/bytes.h"
#include "core/trust_policy.h"
#include "suite.h"
#include "wire/audit_line.h"
#include "wire/crypto.h"

START_TEST(the_worse_state_counts)
{
	ck_assert_int_eq(audit_worse(AUDIT_OK, AUDIT_UNKNOWN), AUDIT_UNKNOWN);
	ck_assert_int_eq(audit_worse(AUDIT_WARN, AUDIT_UNKNOWN), AUDIT_WARN);
	ck_assert_int_eq(audit_worse(AUDIT_FAIL, AUDIT_WARN), AUDIT_FAIL);
	ck_assert_int_eq(audit_worse(AUDIT_OK, AUDIT_OK), AUDIT_OK);
}
END_TEST

static bool is_good(const char *policy, bool psk, const char *version, const char *cipher, const char *group)
{
	return trust_session_below(crypto_policy(policy), psk, version, cipher, group) == NULL;
}

START_TEST(judges_sessions)
{
	ck_assert(is_good("modern", true, "DTLSv1.2", "TLS_PSK_WITH_AES_128_CCM_8", ""));
	ck_assert(is_good("modern", true, "DTLSv1.2", "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", "x25519"));
	ck_assert(is_good("modern", false, "DTLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", "secp256r1"));
	ck_assert(is_good("modern", false, "TLSv1.3", "TLS_AES_256_GCM_SHA384", "X25519"));
	ck_assert(is_good("compatible", false, "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "P-256"));
	ck_assert(!is_good("modern", false, "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "P-256"));
	ck_assert(is_good("compatible", true, "DTLSv1.2", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", "x25519"));
	ck_assert(!is_good("modern", true, "DTLSv1.2", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", "x25519"));
	/* A suite of the other kind of proof is none of this one. */
	ck_assert(!is_good("modern", false, "DTLSv1.2", "TLS_PSK_WITH_AES_128_CCM_8", ""));
	ck_assert(!is_good("modern", true, "DTLSv1", "TLS_PSK_WITH_AES_128_CCM_8", ""));
	ck_assert(!is_good("modern", true, "", "TLS_PSK_WITH_AES_128_CCM_8", ""));
	ck_assert(!is_good("modern", false, "TLSv1.3", "", "x25519"));
	ck_assert(!is_good("modern", false, "TLSv1.3", "NONE", "x25519"));
	ck_assert(!is_good("modern", false, "TLSv1.3", "TLS_AES_256_GCM_SHA384", "secp521r1"));
	ck_assert(is_good("compatible", false, "TLSv1.3", "TLS_AES_256_GCM_SHA384", "secp521r1"));
	ck_assert(!is_good("modern", false, "TLSv1.3", "TLS_AES_256_GCM_SHA384", "brainpoolP256r1"));
}
END_TEST

START_TEST(judges_certificates)
{
	struct trust_x509 facts = {.key_strength = 112, .signature_strength = 112};
	const struct tg_crypto *policy = crypto_policy("modern");

	ck_assert_ptr_null(trust_below(&facts, policy));
	facts.key_strength = 111;
	ck_assert_str_eq(trust_below(&facts, policy), "its key is too short");
	facts.key_strength = 128;
	facts.signature_strength = 63;
	ck_assert_str_eq(trust_below(&facts, policy), "its signature is of a hash that is too weak");
	facts.signature_strength = -1; /* its own */
	ck_assert_ptr_null(trust_below(&facts, policy));
	facts = (struct trust_x509){.list = true};
	ck_assert_ptr_null(trust_below(&facts, policy));
}
END_TEST

static void count(void *arg, const struct trust_x509 *facts)
{
	unsigned *counted = arg;

	(void)facts;
	++*counted;
}

START_TEST(no_garbage_is_a_certificate)
{
	static const char *const texts[] = {"", "x", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
					    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
					    "-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n"};
	struct trust_x509 facts;
	unsigned counted = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ck_assert_int_le(trust_x509_read_pem(bytes_text(texts[i]), count, &counted), 0);
		ck_assert_int_lt(trust_x509_read_der(bytes_text(texts[i]), &facts), 0);
	}
	ck_assert_uint_eq(counted, 0);
}
END_TEST

SUITE_MAIN("audit", the_worse_state_counts, judges_sessions, judges_certificates, no_garbage_is_a_certificate)
