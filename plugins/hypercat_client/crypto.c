/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

bool crypto_digest(struct tg_bytes bytes, uint8_t ret_digest[CRYPTO_DIGEST])
{
	return EVP_Digest(bytes.size > 0 ? bytes.data : "", bytes.size, ret_digest, NULL, EVP_sha256(), NULL) == 1;
}

bool crypto_prepare(void)
{
	uint8_t digest[CRYPTO_DIGEST];

	return RAND_bytes(digest, sizeof(digest)) == 1 && crypto_digest((struct tg_bytes){.data = NULL}, digest);
}

void crypto_forget_errors(void)
{
	ERR_clear_error();
}

void crypto_wipe(void *data, size_t size)
{
	OPENSSL_cleanse(data, size);
}
