/* SPDX-License-Identifier: Apache-2.0 */
#include "renew/key.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

enum { RSA_LEAST = 2048, RSA_MOST = 4096 };

void key_free(struct evp_pkey_st *key)
{
	EVP_PKEY_free(key);
}

static EVP_PKEY *make_ec(const EVP_PKEY *old)
{
	static const char *const curves[] = {"P-256", "P-384", "P-521"};
	static const char *const names[] = {"prime256v1", "secp384r1", "secp521r1"};
	char name[64] = "";
	size_t curve = 0;

	if (old)
		EVP_PKEY_get_utf8_string_param(old, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name), NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			curve = i;
	}
	return EVP_EC_gen(curves[curve]);
}

static EVP_PKEY *make_rsa(const EVP_PKEY *old)
{
	int bits = EVP_PKEY_get_bits(old);

	return EVP_RSA_gen((size_t)(bits < RSA_LEAST ? RSA_LEAST : bits > RSA_MOST ? RSA_MOST : bits));
}

int key_make(const struct evp_pkey_st *old, struct evp_pkey_st **ret_key)
{
	int kind = old ? EVP_PKEY_get_base_id(old) : EVP_PKEY_EC;
	EVP_PKEY *key;

	if (kind == EVP_PKEY_RSA)
		key = make_rsa(old);
	else if (kind == EVP_PKEY_ED25519)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		key = make_ec(kind == EVP_PKEY_EC ? old : NULL);
	ERR_clear_error();
	if (!key)
		return -EIO;
	*ret_key = key;
	return 0;
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

int key_read(struct tg_bytes text, struct evp_pkey_st **ret_key)
{
	BIO *bio = text.size > 0 && text.size <= INT32_MAX ? BIO_new_mem_buf(text.data, (int)text.size) : NULL;
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (!key)
		return -ENOENT;
	*ret_key = key;
	return 0;
}
