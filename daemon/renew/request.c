/* SPDX-License-Identifier: Apache-2.0 */
#include "renew/request.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

void request_free(struct X509_req_st *request)
{
	X509_REQ_free(request);
}

/* Ownership: X509_NAME_free. */
static X509_NAME *make_subject(const X509 *old, const char *common_name)
{
	X509_NAME *name;

	if (old)
		return X509_NAME_dup(X509_get_subject_name(old));
	name = X509_NAME_new();
	if (name &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0) != 1) {
		X509_NAME_free(name);
		name = NULL;
	}
	return name;
}

/* The old certificate's subjectAltName as it stands, critical or not. */
static bool copy_names(X509_REQ *request, const X509 *old)
{
	int place = old ? X509_get_ext_by_NID(old, NID_subject_alt_name, -1) : -1;
	STACK_OF(X509_EXTENSION) * extensions;
	X509_EXTENSION *copy;
	bool good;

	if (place < 0)
		return true;
	extensions = sk_X509_EXTENSION_new_null();
	copy = X509_EXTENSION_dup(X509_get_ext(old, place));
	good = extensions && copy && sk_X509_EXTENSION_push(extensions, copy) > 0;
	if (!good)
		X509_EXTENSION_free(copy);
	good = good && X509_REQ_add_extensions(request, extensions) == 1;
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return good;
}

static bool sign(X509_REQ *request, EVP_PKEY *key)
{
	const EVP_MD *digest = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();

	return X509_REQ_set_pubkey(request, key) == 1 && X509_REQ_sign(request, key, digest) > 0;
}

int request_make(struct evp_pkey_st *key, const struct x509_st *old, const char *common_name,
		 struct X509_req_st **ret_request)
{
	CLEANUP(request_freep) X509_REQ *request = X509_REQ_new();
	X509_NAME *subject = make_subject(old, common_name);
	bool good;

	if (!subject) {
		ERR_clear_error();
		return -EINVAL;
	}
	good = request && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
	       X509_REQ_set_subject_name(request, subject) == 1 && copy_names(request, old) && sign(request, key);
	X509_NAME_free(subject);
	ERR_clear_error();
	if (!good)
		return -EIO;
	*ret_request = request;
	request = NULL;
	return 0;
}

int request_read(struct tg_bytes text, struct X509_req_st **ret_request)
{
	BIO *bio = text.size > 0 && text.size <= INT32_MAX ? BIO_new_mem_buf(text.data, (int)text.size) : NULL;
	X509_REQ *request = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (!request)
		return -ENOENT;
	*ret_request = request;
	return 0;
}

bool request_fits(struct X509_req_st *request, struct evp_pkey_st *key, const struct x509_st *old,
		  const char *common_name)
{
	X509_NAME *subject = make_subject(old, common_name);
	bool fits = subject && X509_NAME_cmp(X509_REQ_get_subject_name(request), subject) == 0 &&
		    X509_REQ_check_private_key(request, key) == 1 && X509_REQ_verify(request, key) == 1;

	X509_NAME_free(subject);
	ERR_clear_error();
	return fits;
}

char *request_to_base64(const struct X509_req_st *request)
{
	BIO *text = BIO_new(BIO_s_mem()), *base64 = BIO_new(BIO_f_base64());
	BUF_MEM *memory = NULL;
	char *copy = NULL;

	if (text && base64) {
		BIO_push(base64, text);
		if (i2d_X509_REQ_bio(base64, request) == 1 && BIO_flush(base64) == 1 &&
		    BIO_get_mem_ptr(text, &memory) == 1)
			copy = strndup(memory->data, memory->length);
	}
	BIO_free(base64);
	BIO_free(text);
	ERR_clear_error();
	return copy;
}
