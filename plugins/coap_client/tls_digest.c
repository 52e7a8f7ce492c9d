/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_digest.h"

#include <endian.h>
#include <openssl/evp.h>

bool tls_digest(const struct tg_bytes *pieces, size_t count, uint8_t ret_digest[TLS_DIGEST_SIZE])
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	bool good = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; i < count && good; i++) {
		uint32_t size = htole32((uint32_t)pieces[i].size);

		good = EVP_DigestUpdate(digest, &size, sizeof(size)) == 1 &&
		       EVP_DigestUpdate(digest, pieces[i].data, pieces[i].size) == 1;
	}
	good = good && EVP_DigestFinal_ex(digest, ret_digest, NULL) == 1;
	EVP_MD_CTX_free(digest);
	return good;
}
