/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <tidegate/adapter.h>

#include "base/bytes.h"
#include "core/audit.h"
#include "core/audit_proc.h"
#include "core/trust_policy.h"
#include "suite.h"
#include "wire/crypto.h"

static const char status[] = "Name:\ttidegate-endpoi\nUmask:\t0027\nPPid:\t4711\nNoNewPrivs:\t1\nSeccomp:\t2\n"
			     "Seccomp_filters:\t1\nCapInh:\tffffffffffffffff\nCapPrm:\t0000000000000000\n"
			     "CapEff:\t0000000000000000\n";

START_TEST(reads_what_a_process_may_do)
{
	struct audit_process process;

	audit_process_parse(status, &process);
	ck_assert_str_eq(process.name, "tidegate-endpoi");
	ck_assert_int_eq(process.parent, 4711);
	ck_assert_int_eq(process.no_new_privileges, 1);
	ck_assert_int_eq(process.seccomp, 2);
	ck_assert(process.capabilities_known);
	ck_assert_uint_eq(process.capabilities, 0);
	/* What is permitted counts like what is effective: it can be taken at any time. */
	audit_process_parse("CapPrm:\t0000000000000400\nCapEff:\t0000000000000000\n", &process);
	ck_assert_uint_eq(process.capabilities, 0x400);
	ck_assert_int_eq(process.no_new_privileges, -1);
	ck_assert_int_eq(process.seccomp, -1);
	audit_process_parse("", &process);
	ck_assert(!process.capabilities_known);
	audit_process_parse("NoNewPrivs:\nSeccomp\nCapEff: x\nName:\n", &process);
	ck_assert(!process.capabilities_known);
	ck_assert_int_eq(process.seccomp, -1);
}
END_TEST

START_TEST(knows_when_no_core_file_is_written)
{
	static const char none[] = "Limit        Soft Limit  Hard Limit  Units\n"
				   "Max core file size        0                    0                    bytes     \n";
	static const char soft[] = "Max core file size        0                    unlimited            bytes     \n";

	ck_assert(audit_limits_no_core(none));
	ck_assert(!audit_limits_no_core(soft)); /* it can be raised again */
	ck_assert(!audit_limits_no_core("Max core file size        unlimited            unlimited            bytes\n"));
	ck_assert(!audit_limits_no_core(""));
}
END_TEST

static void collect(void *arg, const struct audit_socket *socket)
{
	char *text = arg;

	snprintf(text + strlen(text), 1024 - strlen(text), "%s %s %u %u %llu\n", socket->protocol, socket->address,
		 (unsigned)socket->port, (unsigned)socket->uid, (unsigned long long)socket->inode);
}

#define TITLES "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

START_TEST(finds_sockets_that_anybody_can_send_to)
{
	char text[1024] = "";

	audit_sockets_parse(
		TITLES
		"   0: 0100007F:1634 00000000:0000 0A 00000000:00000000 00:00000000 00000000   107        0 4242 1\n"
		"   1: 0100007F:1635 0100007F:ABCD 01 00000000:00000000 00:00000000 00000000   107        0 4243 1\n"
		"nonsense\n\n",
		"tcp", collect, text);
	ck_assert_str_eq(text, "tcp 127.0.0.1:5684 5684 107 4242\n");
	text[0] = '\0';
	audit_sockets_parse(
		TITLES
		" 100: 00000000:1634 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 7 2 0 0\n"
		" 101: 00000000:9999 08080808:0035 01 00000000:00000000 00:00000000 00000000     0        0 8 2 0 0\n",
		"udp", collect, text);
	ck_assert_str_eq(text, "udp 0.0.0.0:5684 5684 0 7\n");
	text[0] = '\0';
	audit_sockets_parse(TITLES
			    "  1: B80D0120000000000000000001000000:1634 00000000000000000000000000000000:0000 07 "
			    "00000000:00000000 00:00000000 00000000   1        0 9 2 0 0\n",
			    "udp6", collect, text);
	ck_assert_str_eq(text, "udp6 [2001:db8::1]:5684 5684 1 9\n");
	text[0] = '\0';
	audit_sockets_parse(TITLES "  1: xyz:1634 0:0000 0A 0:0 0:0 0 1 0 9\n  2: 0100007F 0 0A 0:0 0:0 0 1 0 9\n",
			    "tcp", collect, text);
	audit_sockets_parse("", "tcp", collect, text);
	audit_sockets_parse(TITLES, "tcp", collect, text);
	ck_assert_str_eq(text, "");
}
END_TEST

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

SUITE_MAIN("audit", reads_what_a_process_may_do, knows_when_no_core_file_is_written,
	   finds_sockets_that_anybody_can_send_to, the_worse_state_counts, judges_sessions, judges_certificates,
	   no_garbage_is_a_certificate)
