/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/crypto.h"

#include <string.h>

enum { TLS_1_2 = 0x0303, TLS_1_3 = 0x0304, DTLS_1_2 = 0xfefd, LEVEL_112_BITS = 2 };

#define SUITES_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

#define SUITES_12                                                                                                      \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"                   \
	"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"

/* Forward secrecy first. The only suites without it are those that RFC 7925 asks of the smallest devices, and their siblings. */
#define PSK_MODERN                                                                                                     \
	"ECDHE-PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384:PSK-CHACHA20-POLY1305:"               \
	"PSK-AES128-CCM:PSK-AES256-CCM:PSK-AES128-CCM8:PSK-AES256-CCM8"
#define PSK_COMPATIBLE PSK_MODERN ":ECDHE-PSK-AES128-CBC-SHA256"

#define ECDSA                                                                                                          \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"                   \
	"ECDHE-ECDSA-AES128-CCM:ECDHE-ECDSA-AES256-CCM:ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES256-CCM8"
#define RSA "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"

/* RSA+SHA256 and its siblings are how RSA certificates are signed, whatever the handshake itself uses. */
#define SIGNATURES                                                                                                     \
	"ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:"                      \
	"rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512"

static const struct tg_crypto policies[] = {
	{
		.size = sizeof(struct tg_crypto),
		.policy = "modern",
		.tls_min = TLS_1_3,
		.tls_max = TLS_1_3,
		.dtls_min = DTLS_1_2,
		.dtls_max = DTLS_1_2,
		.tls13_suites = SUITES_13,
		.tls12_suites = "",
		.dtls_psk_suites = PSK_MODERN,
		.dtls_certificate_suites = ECDSA ":" RSA,
		.groups = "X25519:P-256:P-384",
		.signatures = SIGNATURES,
		.level = LEVEL_112_BITS,
	},
	{
		.size = sizeof(struct tg_crypto),
		.policy = "compatible",
		.tls_min = TLS_1_2,
		.tls_max = TLS_1_3,
		.dtls_min = DTLS_1_2,
		.dtls_max = DTLS_1_2,
		.tls13_suites = SUITES_13,
		.tls12_suites = SUITES_12,
		.dtls_psk_suites = PSK_COMPATIBLE,
		.dtls_certificate_suites = ECDSA ":" RSA,
		.groups = "X25519:P-256:P-384:P-521",
		.signatures = SIGNATURES,
		.level = LEVEL_112_BITS,
	},
};

const struct tg_crypto *crypto_policy(const char *name)
{
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		if (strcmp(policies[i].policy, name) == 0)
			return &policies[i];
	}
	return NULL;
}
