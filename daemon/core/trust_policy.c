/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust_policy.h"

#include <openssl/ssl.h>
#include <string.h>
#include <strings.h>

/* Source: SSL_CTX_set_security_level(3). */
static int strength_of(uint32_t level)
{
	static const int bits[] = {0, 80, 112, 128, 192, 256};

	return bits[level < 6 ? level : 5];
}

const char *trust_below(const struct trust_x509 *facts, const struct tg_crypto *policy)
{
	int wanted = strength_of(policy->level);

	if (facts->list)
		return NULL;
	if (facts->key_strength < wanted)
		return "its key is too short";
	if (facts->signature_strength >= 0 && facts->signature_strength < wanted)
		return "its signature is of a hash that is too weak";
	return NULL;
}

/* Whether the word is one of the list's, which ':' keeps apart. */
static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; at && length; at = strchr(at, ':')) {
		at += *at == ':';
		if (strncasecmp(at, word, length) == 0 && (at[length] == ':' || at[length] == '\0'))
			return true;
	}
	return false;
}

/* The lists of a policy have OpenSSL's names, a session tells the standard's; those of TLS 1.3 are the same. */
static bool has_suite(const char *list, const char *cipher)
{
	return has_word(list, cipher) || has_word(list, OPENSSL_cipher_name(cipher));
}

static bool has_group(const char *list, const char *group)
{
	static const char *const names[][2] = {
		{"prime256v1", "P-256"}, {"secp256r1", "P-256"}, {"secp384r1", "P-384"}, {"secp521r1", "P-521"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(group, names[i][0]) == 0)
			group = names[i][1];
	return has_word(list, group);
}

const char *trust_session_below(const struct tg_crypto *policy, bool psk, const char *version, const char *cipher,
				const char *group)
{
	const char *suites;

	if (strcmp(version, "DTLSv1.2") == 0 && policy->dtls_min == DTLS1_2_VERSION)
		suites = psk ? policy->dtls_psk_suites : policy->dtls_certificate_suites;
	else if (strcmp(version, "TLSv1.3") == 0 && policy->tls_max >= TLS1_3_VERSION)
		suites = policy->tls13_suites;
	else if (strcmp(version, "TLSv1.2") == 0 && policy->tls_min <= TLS1_2_VERSION)
		suites = policy->tls12_suites;
	else
		return "its protocol version is not in the policy";
	if (!has_suite(suites, cipher))
		return "its cipher suite is not in the policy";
	if (*group && !has_group(policy->groups, group))
		return "its key exchange group is not in the policy";
	return NULL;
}
