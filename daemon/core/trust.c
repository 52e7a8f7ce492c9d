/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

enum { KEY_BYTES = 16, LOCAL_BYTES = 32 };

struct trust {
	struct secret local;
};

static int random_secret(struct secret *ret_secret, size_t size)
{
	if (RAND_bytes(ret_secret->data, (int)size) != 1) {
		ERR_clear_error();
		return -EIO;
	}
	ret_secret->size = size;
	return 0;
}

int trust_new(struct trust **ret_trust)
{
	struct trust *trust = calloc(1, sizeof(*trust));
	int r;

	if (!trust)
		return -ENOMEM;
	r = random_secret(&trust->local, LOCAL_BYTES);
	if (r < 0) {
		free(trust);
		return r;
	}
	*ret_trust = trust;
	return 0;
}

void trust_free(struct trust *trust)
{
	if (!trust)
		return;
	secret_wipe(&trust->local);
	free(trust);
}

/* Drawn again until no byte is zero: that costs less than a tenth of a bit, and client libraries that take a key as a C
 * string can be given it. */
int trust_make_key(struct secret *ret_key)
{
	int r;

	do {
		r = random_secret(ret_key, KEY_BYTES);
	} while (r >= 0 && memchr(ret_key->data, 0, KEY_BYTES));
	return r;
}

int trust_decoy_key(const struct trust *trust, struct tg_bytes identity, struct secret *ret_key)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (!HMAC(EVP_sha256(), trust->local.data, (int)trust->local.size, identity.size ? identity.data : "",
		  identity.size, digest, &size) ||
	    size < KEY_BYTES) {
		ERR_clear_error();
		return -EIO;
	}
	return secret_set(ret_key, (struct tg_bytes){.data = digest, .size = KEY_BYTES});
}
