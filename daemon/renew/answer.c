/* SPDX-License-Identifier: Apache-2.0 */
#include "renew/answer.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

void answer_free(struct stack_st_X509 *certificates)
{
	sk_X509_pop_free(certificates, X509_free);
}

static bool is_space(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Base64 without its white space. `=` stands at the end only: OpenSSL's decoder would take it for zero bits elsewhere. */
static int squeeze(struct tg_bytes body, uint8_t *ret_text, size_t *ret_size, size_t *ret_padding)
{
	const uint8_t *from = body.data;
	size_t size = 0, padding = 0;

	for (size_t i = 0; i < body.size; i++) {
		if (is_space(from[i]))
			continue;
		if (from[i] == '=')
			padding++;
		else if (padding)
			return -EBADMSG;
		ret_text[size++] = from[i];
	}
	if (size == 0 || size % 4 != 0 || padding > 2)
		return -EBADMSG;
	*ret_size = size;
	*ret_padding = padding;
	return 0;
}

/* Ownership: free `*ret_der`. */
static int decode(struct tg_bytes body, uint8_t **ret_der, size_t *ret_size)
{
	CLEANUP_FREE uint8_t *text = malloc(body.size + 1);
	CLEANUP_FREE uint8_t *der = malloc(body.size + 1);
	size_t size, padding;
	int r;

	if (!text || !der)
		return -ENOMEM;
	r = squeeze(body, text, &size, &padding);
	if (r < 0)
		return r;
	r = EVP_DecodeBlock(der, text, (int)size);
	if (r < 0 || (size_t)r < padding)
		return -EBADMSG;
	*ret_size = (size_t)r - padding;
	*ret_der = der;
	der = NULL;
	return 0;
}

static int copy_certificates(const STACK_OF(X509) * from, STACK_OF(X509) * to)
{
	if (sk_X509_num(from) <= 0)
		return -EBADMSG;
	if (sk_X509_num(from) > ANSWER_CERTIFICATES)
		return -E2BIG;
	for (int i = 0; i < sk_X509_num(from); i++) {
		X509 *certificate = sk_X509_value(from, i);

		if (!X509_up_ref(certificate))
			return -ENOMEM;
		if (sk_X509_push(to, certificate) <= 0) {
			X509_free(certificate);
			return -ENOMEM;
		}
	}
	return 0;
}

static int take_certificates(const PKCS7 *pkcs7, STACK_OF(X509) * *ret_certificates)
{
	CLEANUP(answer_freep) STACK_OF(X509) *certificates = NULL;
	int r;

	if (!PKCS7_type_is_signed(pkcs7) || !pkcs7->d.sign || !pkcs7->d.sign->cert)
		return -EBADMSG;
	certificates = sk_X509_new_null();
	if (!certificates)
		return -ENOMEM;
	r = copy_certificates(pkcs7->d.sign->cert, certificates);
	if (r < 0)
		return r;
	*ret_certificates = certificates;
	certificates = NULL;
	return 0;
}

int answer_parse(struct tg_bytes body, struct stack_st_X509 **ret_certificates)
{
	CLEANUP_FREE uint8_t *der = NULL;
	const uint8_t *at;
	size_t size = 0;
	PKCS7 *pkcs7;
	int r;

	if (body.size > ANSWER_MAX)
		return -E2BIG;
	r = decode(body, &der, &size);
	if (r < 0)
		return r;
	at = der;
	pkcs7 = d2i_PKCS7(NULL, &at, (long)size);
	r = pkcs7 && at == der + size ? take_certificates(pkcs7, ret_certificates) : -EBADMSG;
	PKCS7_free(pkcs7);
	ERR_clear_error();
	return r;
}

/* Instead of asking at the terminal. */
static int no_password(char *ret_password, int size, int writing, void *arg)
{
	(void)ret_password;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int read_pem(BIO *bio, STACK_OF(X509) * certificates)
{
	X509 *next;

	while ((next = PEM_read_bio_X509(bio, NULL, no_password, NULL))) {
		if (sk_X509_num(certificates) >= ANSWER_CERTIFICATES || sk_X509_push(certificates, next) <= 0) {
			X509_free(next);
			return -E2BIG;
		}
	}
	/* The end of the file is the one good reason to stop. */
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return -EBADMSG;
	return sk_X509_num(certificates) > 0 ? 0 : -EBADMSG;
}

int answer_parse_pem(struct tg_bytes text, struct stack_st_X509 **ret_certificates)
{
	CLEANUP(answer_freep) STACK_OF(X509) *certificates = sk_X509_new_null();
	BIO *bio = text.size <= ANSWER_MAX
			   ? BIO_new_mem_buf(text.data ? text.data : (const uint8_t *)"", (int)text.size)
			   : NULL;
	int r = text.size > ANSWER_MAX ? -E2BIG : !bio || !certificates ? -ENOMEM : 0;

	ERR_clear_error();
	if (r >= 0)
		r = read_pem(bio, certificates);
	BIO_free(bio);
	ERR_clear_error();
	if (r < 0)
		return r;
	*ret_certificates = certificates;
	certificates = NULL;
	return 0;
}
