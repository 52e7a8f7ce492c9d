/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "core/trust_seal.h"

enum { KEY_BYTES = 16, LOCAL_BYTES = 32 };

struct trust {
	struct secret local;
};

int trust_new(struct trust **ret_trust)
{
	struct trust *trust = calloc(1, sizeof(*trust));
	int r;

	if (!trust)
		return -ENOMEM;
	r = trust_random(&trust->local, LOCAL_BYTES);
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
		r = trust_random(ret_key, KEY_BYTES);
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
