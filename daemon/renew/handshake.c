/* SPDX-License-Identifier: Apache-2.0 */
#include "renew/handshake.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

enum { ROUNDS = 16, LEVEL = 2 };

struct ends {
	SSL_CTX *contexts[2]; /* client, server */
	SSL *ssl[2];
};

static int trust_all(int good, X509_STORE_CTX *store)
{
	(void)good;
	(void)store;
	return 1;
}

static bool show(SSL_CTX *context, STACK_OF(X509) * chain, EVP_PKEY *key)
{
	bool good = SSL_CTX_use_certificate(context, sk_X509_value(chain, 0)) == 1;

	for (int i = 1; i < sk_X509_num(chain) && good; i++)
		good = SSL_CTX_add1_chain_cert(context, sk_X509_value(chain, i)) == 1;
	return good && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
}

/* A client's certificate is wanted by a server that has to have one itself: the same serves for both. */
static bool make_ends(struct ends *ends, STACK_OF(X509) * chain, EVP_PKEY *key)
{
	BIO *client = NULL, *server = NULL;

	ends->contexts[0] = SSL_CTX_new(TLS_client_method());
	ends->contexts[1] = SSL_CTX_new(TLS_server_method());
	for (int i = 0; i < 2; i++) {
		if (!ends->contexts[i])
			return false;
		SSL_CTX_set_security_level(ends->contexts[i], LEVEL);
		SSL_CTX_set_verify(ends->contexts[i], SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, trust_all);
		if (!show(ends->contexts[i], chain, key))
			return false;
		ends->ssl[i] = SSL_new(ends->contexts[i]);
	}
	if (!ends->ssl[0] || !ends->ssl[1] || BIO_new_bio_pair(&client, 0, &server, 0) != 1)
		return false;
	SSL_set_bio(ends->ssl[0], client, client);
	SSL_set_bio(ends->ssl[1], server, server);
	SSL_set_connect_state(ends->ssl[0]);
	SSL_set_accept_state(ends->ssl[1]);
	return true;
}

static bool shake(struct ends *ends)
{
	bool done[2] = {false, false};

	for (int round = 0; round < ROUNDS && !(done[0] && done[1]); round++) {
		for (int i = 0; i < 2; i++) {
			int r = SSL_do_handshake(ends->ssl[i]);

			if (r != 1 && SSL_get_error(ends->ssl[i], r) != SSL_ERROR_WANT_READ)
				return false;
			done[i] = r == 1;
		}
	}
	return done[0] && done[1];
}

int handshake_try(struct stack_st_X509 *chain, struct evp_pkey_st *key, bool server, char *ret_detail, size_t size)
{
	struct ends ends = {{NULL}, {NULL}};
	X509 *seen = NULL;
	bool good;

	ERR_clear_error();
	good = make_ends(&ends, chain, key) && shake(&ends);
	if (good)
		seen = SSL_get1_peer_certificate(ends.ssl[server ? 0 : 1]);
	good = seen && X509_cmp(seen, sk_X509_value(chain, 0)) == 0;
	if (!good) {
		const char *reason = ERR_reason_error_string(ERR_peek_error());

		snprintf(ret_detail, size, "%s", reason ? reason : "it does not come to an end");
	}
	X509_free(seen);
	for (int i = 0; i < 2; i++) {
		SSL_free(ends.ssl[i]);
		SSL_CTX_free(ends.contexts[i]);
	}
	ERR_clear_error();
	return good ? 0 : -EKEYREJECTED;
}
