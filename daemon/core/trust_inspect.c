/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust_inspect.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"

CLEANUP_DEFINE(BIO *, BIO_free_all)
CLEANUP_DEFINE(X509 *, X509_free)
CLEANUP_DEFINE(X509_CRL *, X509_CRL_free)

static int64_t time_of(const ASN1_TIME *time)
{
	struct tm tm;

	return time && ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) * CLOCK_S_US : 0;
}

static void write_name(const X509_NAME *name, char text[256])
{
	CLEANUP(BIO_free_allp) BIO *out = BIO_new(BIO_s_mem());
	char *data;
	long size;

	text[0] = '\0';
	if (!out || X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253) < 0)
		return;
	size = BIO_get_mem_data(out, &data);
	snprintf(text, 256, "%.*s", size > 0 ? (int)size : 0, data);
}

static void write_key(EVP_PKEY *key, struct trust_facts *facts)
{
	char group[48] = "";

	if (!key)
		return;
	facts->key_strength = EVP_PKEY_get_security_bits(key);
	if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1)
		snprintf(facts->key, sizeof(facts->key), "%s", group);
	else
		snprintf(facts->key, sizeof(facts->key), "%s %d bits", EVP_PKEY_get0_type_name(key),
			 EVP_PKEY_get_bits(key));
}

static void take_certificate(X509 *certificate, struct trust_facts *facts)
{
	int nid = X509_get_signature_nid(certificate), strength = -1;
	uint32_t flags;

	*facts = (struct trust_facts){.from_wall_us = time_of(X509_get0_notBefore(certificate)),
				      .until_wall_us = time_of(X509_get0_notAfter(certificate)),
				      .authority = X509_check_ca(certificate) > 0};
	write_name(X509_get_subject_name(certificate), facts->subject);
	write_key(X509_get0_pubkey(certificate), facts);
	snprintf(facts->signature, sizeof(facts->signature), "%s", nid == NID_undef ? "unknown" : OBJ_nid2ln(nid));
	if (X509_get_signature_info(certificate, NULL, NULL, &strength, &flags) != 1)
		strength = 0;
	facts->signature_strength = X509_self_signed(certificate, 0) == 1 ? -1 : strength;
}

int trust_inspect_der(struct tg_bytes der, struct trust_facts *ret_facts)
{
	const unsigned char *data = der.data;
	CLEANUP(X509_freep) X509 *certificate = der.size ? d2i_X509(NULL, &data, (long)der.size) : NULL;

	if (certificate)
		take_certificate(certificate, ret_facts);
	ERR_clear_error();
	return certificate ? 0 : -EBADMSG;
}

static int each_certificate(struct tg_bytes text, trust_facts_fn *fn, void *arg)
{
	CLEANUP(BIO_free_allp) BIO *in = BIO_new_mem_buf(text.data, (int)text.size);
	struct trust_facts facts;
	int count = 0;

	for (; in; count++) {
		CLEANUP(X509_freep) X509 *certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);

		if (!certificate)
			break;
		take_certificate(certificate, &facts);
		fn(arg, &facts);
	}
	return count;
}

static int each_list(struct tg_bytes text, trust_facts_fn *fn, void *arg)
{
	CLEANUP(BIO_free_allp) BIO *in = BIO_new_mem_buf(text.data, (int)text.size);
	struct trust_facts facts;
	int count = 0;

	for (; in; count++) {
		CLEANUP(X509_CRL_freep) X509_CRL *list = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL);

		if (!list)
			break;
		facts = (struct trust_facts){.revocation_list = true,
					     .signature_strength = -1,
					     .from_wall_us = time_of(X509_CRL_get0_lastUpdate(list)),
					     .until_wall_us = time_of(X509_CRL_get0_nextUpdate(list))};
		write_name(X509_CRL_get_issuer(list), facts.subject);
		fn(arg, &facts);
	}
	return count;
}

int trust_inspect_pem(struct tg_bytes text, trust_facts_fn *fn, void *arg)
{
	int count = 0;

	if (text.size > 0 && text.size <= INT32_MAX)
		count = each_certificate(text, fn, arg) + each_list(text, fn, arg);
	ERR_clear_error();
	return count;
}

/* Source: SSL_CTX_set_security_level(3). */
static int strength_of(uint32_t level)
{
	static const int bits[] = {0, 80, 112, 128, 192, 256};

	return bits[level < 6 ? level : 5];
}

const char *trust_below(const struct trust_facts *facts, const struct tg_crypto *policy)
{
	int wanted = strength_of(policy->level);

	if (facts->revocation_list)
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
