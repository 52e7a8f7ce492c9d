/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust_sign.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#define DAY_S INT64_C(86400)

enum { SERIAL_BYTES = 16, SECURITY_BITS = 112, KEY_BITS_MAX = 8192 };

/* Positive, not zero, and 126 bits of it are random. */
static bool set_serial(X509 *certificate)
{
	unsigned char bytes[SERIAL_BYTES];
	ASN1_INTEGER *serial;
	BIGNUM *number;
	bool good;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	serial = number ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
	good = serial && X509_set_serialNumber(certificate, serial) == 1;
	ASN1_INTEGER_free(serial);
	BN_free(number);
	return good;
}

/* Not ASN1_TIME_set: its seconds end in 2038 where a long has 32 bits. */
static bool set_time(ASN1_TIME *time, int64_t wall_s)
{
	return ASN1_TIME_adj(time, 0, (int)(wall_s / DAY_S), (long)(wall_s % DAY_S)) != NULL;
}

bool trust_sign_begin(X509 *certificate, int64_t now_wall_us, int64_t until_s)
{
	int64_t from_s = now_wall_us / 1000000 - DAY_S;

	if (from_s < 0)
		from_s = 0;
	return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
	       set_time(X509_getm_notBefore(certificate), from_s) && set_time(X509_getm_notAfter(certificate), until_s);
}

bool trust_sign_name(X509_NAME *name, const char *common)
{
	return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)common, -1, -1,
					  0) == 1;
}

bool trust_sign_extend(X509 *certificate, X509 *issuer, const struct trust_extension *extensions, size_t count)
{
	X509V3_CTX context;
	bool good = true;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&context);
	for (size_t i = 0; i < count && good; i++) {
		X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, extensions[i].nid, extensions[i].value);

		good = extension && X509_add_ext(certificate, extension, -1) == 1;
		X509_EXTENSION_free(extension);
	}
	return good;
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 1034 section 3.5 as relaxed by RFC 1123: labels of letters, digits and inner hyphens. */
static bool is_host(const char *name)
{
	size_t label = 0;

	for (const char *p = name;; p++) {
		if (*p == '.' || !*p) {
			if (label == 0 || label > 63 || !is_alphanumeric(p[-1]))
				return false;
			if (!*p)
				return true;
			label = 0;
		} else if (is_alphanumeric(*p) || (*p == '-' && label > 0)) {
			label++;
		} else {
			return false;
		}
	}
}

/* RFC 3986: a scheme, and characters that may stand in a URI. A comma would end the value in openssl's notation, and is kept out. */
static bool is_uri(const char *name)
{
	size_t scheme = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	if (scheme == 0 || name[scheme] != ':' || !name[scheme + 1] || (name[0] >= '0' && name[0] <= '9'))
		return false;
	for (const char *p = name + scheme + 1; *p; p++)
		if (!is_alphanumeric(*p) && !strchr("-._~:/?#[]@!$&'()*+;=%", *p))
			return false;
	return true;
}

bool trust_sign_alternative(const char *name, char *ret_text, size_t room)
{
	bool uri = is_uri(name);

	*ret_text = '\0';
	if (!uri && !is_host(name))
		return false;
	return snprintf(ret_text, room, "%s:%s", uri ? "URI" : "DNS", name) < (int)room;
}

bool trust_sign_can_bear(const char *name, const char **ret_problem)
{
	char alternative[TRUST_NAME_MAX + 32];

	if (strlen(name) <= TRUST_COMMON_NAME_MAX || trust_sign_alternative(name, alternative, sizeof(alternative)))
		return true;
	*ret_problem = "a certificate can bear a name of more than 64 bytes only where it is a host name or a URI";
	return false;
}

int64_t trust_sign_time(const ASN1_TIME *time)
{
	struct tm broken;

	return ASN1_TIME_to_tm(time, &broken) == 1 ? clock_seconds(&broken) : 0;
}

static const char *check_public(EVP_PKEY *public)
{
	if (EVP_PKEY_get_base_id(public) != EVP_PKEY_EC && EVP_PKEY_get_base_id(public) != EVP_PKEY_RSA &&
	    EVP_PKEY_get_base_id(public) != EVP_PKEY_ED25519)
		return "the key of the request is of a kind that devices cannot use: EC, RSA or Ed25519 is wanted";
	if (EVP_PKEY_get_security_bits(public) < SECURITY_BITS)
		return "the key of the request is too weak: EC of 224 bits or RSA of 2048 is the least";
	if (EVP_PKEY_get_bits(public) > KEY_BITS_MAX)
		return "the key of the request is larger than 8192 bits";
	return NULL;
}

static int no_password(char *ret_password, int size, int writing, void *arg)
{
	(void)ret_password;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

int trust_sign_request(struct tg_bytes pem, EVP_PKEY **ret_public, const char **ret_problem)
{
	BIO *in = pem.size <= TRUST_REQUEST_MAX ? BIO_new_mem_buf(pem.data, (int)pem.size) : NULL;
	X509_REQ *request = in ? PEM_read_bio_X509_REQ(in, NULL, no_password, NULL) : NULL;
	EVP_PKEY *public = request ? X509_REQ_get_pubkey(request) : NULL;
	const char *problem = NULL;

	if (!request)
		problem = "there is no certificate request in PEM form";
	else if (!public)
		problem = "the request has no key that can be read";
	else
		problem = check_public(public);
	if (!problem && X509_REQ_verify(request, public) != 1)
		problem = "the request is not signed with its own key";
	X509_REQ_free(request);
	BIO_free(in);
	ERR_clear_error();
	if (problem) {
		EVP_PKEY_free(public);
		*ret_problem = problem;
		return -EINVAL;
	}
	*ret_public = public;
	return 0;
}

/* What was written, in memory that is wiped when it is freed. */
static int take_text(BIO *out, struct trust_pem *ret_pem)
{
	char *data;
	long size = BIO_get_mem_data(out, &data);
	struct trust_pem pem = {.text = malloc((size_t)size + 1), .size = (size_t)size};

	if (!pem.text)
		return -ENOMEM;
	memcpy(pem.text, data, pem.size);
	pem.text[pem.size] = '\0';
	*ret_pem = pem;
	return 0;
}

int trust_sign_write(X509 *certificate, struct trust_pem *ret_pem)
{
	BIO *out = BIO_new(BIO_s_mem());
	int r = out && PEM_write_bio_X509(out, certificate) == 1 ? take_text(out, ret_pem) : -EIO;

	BIO_free(out);
	return r;
}

int trust_sign_write_key(EVP_PKEY *key, struct trust_pem *ret_pem)
{
	BIO *out = BIO_new(BIO_s_secmem());
	int r = out && PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1 ? take_text(out, ret_pem)
											  : -EIO;

	BIO_free(out);
	return r;
}

int trust_pem_of(struct tg_bytes certificate, struct trust_pem *ret_pem)
{
	const unsigned char *at = certificate.data;
	X509 *read = d2i_X509(NULL, &at, (long)certificate.size);
	int r = read ? trust_sign_write(read, ret_pem) : -EBADMSG;

	X509_free(read);
	ERR_clear_error();
	return r;
}

bool trust_is_among(struct tg_bytes certificate, struct tg_bytes pem)
{
	const unsigned char *at = certificate.data;
	X509 *wanted = d2i_X509(NULL, &at, (long)certificate.size), *next;
	BIO *in = BIO_new_mem_buf(pem.data, (int)pem.size);
	bool found = false;

	while (wanted && in && !found && (next = PEM_read_bio_X509(in, NULL, no_password, NULL))) {
		found = X509_cmp(wanted, next) == 0;
		X509_free(next);
	}
	X509_free(wanted);
	BIO_free(in);
	ERR_clear_error();
	return found;
}
