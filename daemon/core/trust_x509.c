/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust_x509.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

/* Instead of asking on a terminal. */
static int no_password(char *buffer, int size, int writing, void *arg)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static void text_of_bio(BIO *bio, char *text, size_t size)
{
	int n = BIO_read(bio, text, (int)size - 1);

	text[n > 0 ? n : 0] = '\0';
	/* What stands in a certificate was chosen by others; the cut may fall into a character. */
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			*p = '?';
	}
}

static void read_name(const X509_NAME *name, char text[TRUST_X509_NAME_SIZE])
{
	BIO *bio = BIO_new(BIO_s_mem());

	*text = '\0';
	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0)
		text_of_bio(bio, text, TRUST_X509_NAME_SIZE);
	BIO_free(bio);
}

/* RFC 5280 section 4.1.2.5: 99991231235959Z means never. */
static int64_t read_time(const ASN1_TIME *time, int64_t none)
{
	struct tm tm;
	int64_t seconds;

	if (!time || ASN1_TIME_to_tm(time, &tm) != 1)
		return none;
	seconds = clock_seconds(&tm);
	return seconds >= INT64_C(253402300799) ? INT64_MAX : seconds * CLOCK_S_US;
}

static void read_hex(const uint8_t *bytes, unsigned size, char *text, size_t text_size)
{
	*text = '\0';
	for (unsigned i = 0; i < size && 2 * i + 2 < text_size; i++)
		snprintf(text + 2 * (size_t)i, 3, "%02x", bytes[i]);
}

static void read_names(X509 *certificate, char text[TRUST_X509_NAMES_SIZE])
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	BIO *bio = BIO_new(BIO_s_mem());

	*text = '\0';
	for (int i = 0; bio && i < sk_GENERAL_NAME_num(names); i++) {
		if (i > 0)
			BIO_puts(bio, ", ");
		GENERAL_NAME_print(bio, sk_GENERAL_NAME_value(names, i));
	}
	if (bio)
		text_of_bio(bio, text, TRUST_X509_NAMES_SIZE);
	BIO_free(bio);
	GENERAL_NAMES_free(names);
}

static void read_key(X509 *certificate, struct trust_x509 *facts)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	const char *type = key ? EVP_PKEY_get0_type_name(key) : NULL;

	snprintf(facts->key, sizeof(facts->key), "%s", type ? type : "unknown");
	facts->bits = key ? (unsigned)EVP_PKEY_get_bits(key) : 0;
	facts->key_strength = key ? EVP_PKEY_get_security_bits(key) : 0;
	if (!key || EVP_PKEY_get_group_name(key, facts->group, sizeof(facts->group), NULL) != 1)
		facts->group[0] = '\0';
}

static void read_signature(X509 *certificate, struct trust_x509 *facts)
{
	int strength = 0;
	uint32_t flags;

	snprintf(facts->signature, sizeof(facts->signature), "%s", OBJ_nid2ln(X509_get_signature_nid(certificate)));
	if (X509_get_signature_info(certificate, NULL, NULL, &strength, &flags) != 1)
		strength = 0;
	facts->signature_strength = X509_self_signed(certificate, 0) == 1 ? -1 : strength;
}

static void read_certificate(X509 *certificate, struct trust_x509 *facts)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	*facts = (struct trust_x509){.authority = X509_check_ca(certificate) > 0};
	read_name(X509_get_subject_name(certificate), facts->subject);
	read_name(X509_get_issuer_name(certificate), facts->issuer);
	read_names(certificate, facts->names);
	read_hex(ASN1_STRING_get0_data(serial), (unsigned)ASN1_STRING_length(serial), facts->serial,
		 sizeof(facts->serial));
	read_key(certificate, facts);
	read_signature(certificate, facts);
	if (X509_digest(certificate, EVP_sha256(), digest, &size) == 1)
		read_hex(digest, size, facts->fingerprint, sizeof(facts->fingerprint));
	facts->from_wall_us = read_time(X509_get0_notBefore(certificate), 0);
	facts->until_wall_us = read_time(X509_get0_notAfter(certificate), 0);
}

static void read_list(X509_CRL *list, struct trust_x509 *facts)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	*facts = (struct trust_x509){.list = true, .signature_strength = -1};
	read_name(X509_CRL_get_issuer(list), facts->issuer);
	snprintf(facts->subject, sizeof(facts->subject), "%s", facts->issuer);
	snprintf(facts->signature, sizeof(facts->signature), "%s", OBJ_nid2ln(X509_CRL_get_signature_nid(list)));
	if (X509_CRL_digest(list, EVP_sha256(), digest, &size) == 1)
		read_hex(digest, size, facts->fingerprint, sizeof(facts->fingerprint));
	facts->from_wall_us = read_time(X509_CRL_get0_lastUpdate(list), 0);
	facts->until_wall_us = read_time(X509_CRL_get0_nextUpdate(list), INT64_MAX);
}

static BIO *open_bytes(struct tg_bytes bytes)
{
	return bytes.size > 0 && bytes.size <= INT32_MAX ? BIO_new_mem_buf(bytes.data, (int)bytes.size) : NULL;
}

/* Returns 1 where it was one of the two, 0 where it was something else. */
static int read_block(const char *label, const unsigned char *data, long size, trust_x509_fn *fn, void *arg)
{
	struct trust_x509 facts;

	if (strcmp(label, PEM_STRING_X509) == 0 || strcmp(label, PEM_STRING_X509_OLD) == 0) {
		X509 *certificate = d2i_X509(NULL, &data, size);

		if (!certificate)
			return -EINVAL;
		read_certificate(certificate, &facts);
		X509_free(certificate);
	} else if (strcmp(label, PEM_STRING_X509_CRL) == 0) {
		X509_CRL *list = d2i_X509_CRL(NULL, &data, size);

		if (!list)
			return -EINVAL;
		read_list(list, &facts);
		X509_CRL_free(list);
	} else {
		return 0;
	}
	fn(arg, &facts);
	return 1;
}

int trust_x509_read_pem(struct tg_bytes pem, trust_x509_fn *fn, void *arg)
{
	char *label = NULL, *header = NULL;
	unsigned char *data = NULL;
	int count = 0, r = 0;
	BIO *bio;
	long size;

	if (pem.size == 0)
		return 0;
	bio = open_bytes(pem);
	if (!bio)
		return -ENOMEM;
	ERR_clear_error();
	while (r >= 0 && PEM_read_bio(bio, &label, &header, &data, &size) == 1) {
		r = read_block(label, data, size, fn, arg);
		count += r > 0;
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)size); /* a key may stand in the file as well */
	}
	if (r >= 0 && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		r = -EINVAL;
	ERR_clear_error();
	BIO_free(bio);
	return r < 0 ? r : count;
}

int trust_x509_read_der(struct tg_bytes der, struct trust_x509 *ret_facts)
{
	const unsigned char *data = der.data;
	X509 *certificate = der.size <= INT32_MAX ? d2i_X509(NULL, &data, (long)der.size) : NULL;

	ERR_clear_error();
	if (!certificate)
		return -EINVAL;
	read_certificate(certificate, ret_facts);
	X509_free(certificate);
	ERR_clear_error();
	return 0;
}

int trust_x509_check_key(struct tg_bytes certificate_pem, struct tg_bytes key_pem)
{
	BIO *first = open_bytes(certificate_pem), *second = open_bytes(key_pem);
	X509 *certificate = first ? PEM_read_bio_X509(first, NULL, no_password, NULL) : NULL;
	EVP_PKEY *key = second ? PEM_read_bio_PrivateKey(second, NULL, no_password, NULL) : NULL;
	int r = 0;

	if (!certificate)
		r = -EINVAL;
	else if (!key)
		r = -ENOENT;
	else if (X509_check_private_key(certificate, key) != 1)
		r = -EKEYREJECTED;
	X509_free(certificate);
	EVP_PKEY_free(key);
	BIO_free(first);
	BIO_free(second);
	ERR_clear_error();
	return r;
}
