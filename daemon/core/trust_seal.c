/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust_seal.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <string.h>

enum { NONCE_BYTES = 12, TAG_BYTES = 16, PIECE_MAX = 1024 * 1024 };

static void free_context(EVP_CIPHER_CTX **cipher)
{
	EVP_CIPHER_CTX_free(*cipher);
}

#define CLEANUP_CIPHER CLEANUP(free_context)

int trust_random(struct secret *ret_secret, size_t size)
{
	if (size > SECRET_MAX || RAND_bytes(ret_secret->data, (int)size) != 1) {
		ERR_clear_error();
		return -EIO;
	}
	ret_secret->size = size;
	return 0;
}

/* Encrypts or decrypts `in`, and authenticates it together with `context`. */
static bool run(EVP_CIPHER_CTX *cipher, struct tg_bytes context, struct tg_bytes in, uint8_t *ret_out)
{
	int size;

	if (context.size > 0 && EVP_CipherUpdate(cipher, NULL, &size, context.data, (int)context.size) != 1)
		return false;
	return in.size == 0 || EVP_CipherUpdate(cipher, ret_out, &size, in.data, (int)in.size) == 1;
}

int trust_seal(const struct secret *key, struct tg_bytes context, struct tg_bytes clear, uint8_t *ret_sealed)
{
	CLEANUP_CIPHER EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	uint8_t *nonce = ret_sealed, *text = nonce + NONCE_BYTES, *tag = text + clear.size;
	int size;
	bool good = cipher && key->size == TRUST_SEAL_KEY && clear.size <= PIECE_MAX && context.size <= PIECE_MAX &&
		    RAND_bytes(nonce, NONCE_BYTES) == 1 &&
		    EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key->data, nonce) == 1 &&
		    run(cipher, context, clear, text) && EVP_EncryptFinal_ex(cipher, tag, &size) == 1 &&
		    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag) == 1;

	ERR_clear_error();
	return good ? 0 : -EIO;
}

int trust_unseal(const struct secret *key, struct tg_bytes context, struct tg_bytes sealed, uint8_t *ret_clear)
{
	CLEANUP_CIPHER EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	const uint8_t *nonce = sealed.data;
	uint8_t tag[TAG_BYTES], none[TAG_BYTES];
	struct tg_bytes text;
	int size;
	bool good;

	if (!cipher || key->size != TRUST_SEAL_KEY || sealed.size < TRUST_SEAL_EXTRA || sealed.size > PIECE_MAX ||
	    context.size > PIECE_MAX)
		return cipher ? -EKEYREJECTED : -ENOMEM;
	text = (struct tg_bytes){nonce + NONCE_BYTES, sealed.size - TRUST_SEAL_EXTRA};
	memcpy(tag, nonce + NONCE_BYTES + text.size, TAG_BYTES);
	good = EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key->data, nonce) == 1 &&
	       run(cipher, context, text, ret_clear) &&
	       EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1 &&
	       EVP_DecryptFinal_ex(cipher, none, &size) == 1;
	ERR_clear_error();
	if (!good)
		explicit_bzero(ret_clear, text.size);
	return good ? (int)text.size : -EKEYREJECTED;
}
