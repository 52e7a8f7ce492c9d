/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls_internal.h"

enum { TLS_FRAGMENT = 1280 };

static int tls_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

static struct tls *tls_of(const SSL *ssl)
{
	return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), tls_index());
}

static struct tls_peer *tls_peer_of(const SSL *ssl)
{
	const struct tls *tls = tls_of(ssl);
	struct tls_peer *peer = NULL;

	if (tls)
		tls->find(tls->arg, ssl, &peer);
	return peer;
}

static unsigned tls_psk(SSL *ssl, const char *hint, char *ret_identity, unsigned identity_room, unsigned char *ret_key,
			unsigned key_room)
{
	const struct tls_peer *peer = tls_peer_of(ssl);

	(void)hint;
	if (!peer || peer->key_size == 0 || peer->key_size > key_room || strlen(peer->identity) >= identity_room)
		return 0;
	memcpy(ret_identity, peer->identity, strlen(peer->identity) + 1);
	memcpy(ret_key, peer->key, peer->key_size);
	return (unsigned)peer->key_size;
}

/* Who has a key speaks with it alone; the SSL_CTX has the list of those who have none. */
static void tls_begin(const struct tls *tls, SSL *ssl, const struct tls_peer *peer)
{
	if (peer && peer->key_size > 0 && tls->psk_suites)
		SSL_set_cipher_list(ssl, tls->psk_suites);
}

static void tls_info(const SSL *ssl, int where, int ret)
{
	const struct tls *tls = tls_of(ssl);
	struct tls_peer *peer = tls_peer_of(ssl);

	if (!tls)
		return;
	if (where == SSL_CB_HANDSHAKE_START && !SSL_is_init_finished(ssl))
		tls_begin(tls, (SSL *)(uintptr_t)ssl, peer);
	if (peer && where & SSL_CB_ALERT && ret >> 8 == SSL3_AL_FATAL && peer->problem[0] == '\0')
		snprintf(peer->problem, sizeof(peer->problem), "%s: %s",
			 where & SSL_CB_READ ? "the device ended it" : "refused", SSL_alert_desc_string_long(ret));
	if (tls->info)
		tls->info(ssl, where, ret);
}

static bool tls_list(SSL_CTX *context, int what, const char *list)
{
	return SSL_CTX_ctrl(context, what, 0, (void *)(uintptr_t)list) == 1;
}

static void tls_suites_free(struct tls *tls)
{
	free(tls->psk_suites);
	free(tls->certificate_suites);
	tls->psk_suites = tls->certificate_suites = NULL;
}

/* Security level 0, without which OpenSSL does not offer the CCM_8 suites of RFC 7925, lets everything pass: the lists of the policy
 * alone say what may be. */
static bool tls_suites(struct tls *tls, const struct tg_crypto *crypto)
{
	tls_suites_free(tls);
	if (asprintf(&tls->psk_suites, "%s:@SECLEVEL=0", crypto->dtls_psk_suites) < 0)
		tls->psk_suites = NULL;
	if (asprintf(&tls->certificate_suites, "%s:@SECLEVEL=0", crypto->dtls_certificate_suites) < 0)
		tls->certificate_suites = NULL;
	return tls->psk_suites && tls->certificate_suites;
}

static const char *tls_policy(struct tls *tls)
{
	const struct tg_crypto *crypto = tls->host->crypto(tls->host);
	SSL_CTX *context = tls->context;

	/* With encrypt-then-MAC (RFC 7366) OpenSSL ends a DTLS session for one forged record instead of dropping that. */
	SSL_CTX_set_options(context, SSL_OP_NO_ENCRYPT_THEN_MAC | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_QUERY_MTU |
					     SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	SSL_CTX_clear_options(context, SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_security_level(context, (int)crypto->level);
	if (SSL_CTX_set_min_proto_version(context, (int)crypto->dtls_min) != 1 ||
	    SSL_CTX_set_max_proto_version(context, (int)crypto->dtls_max) != 1 ||
	    SSL_CTX_set_max_send_fragment(context, TLS_FRAGMENT) != 1 ||
	    !tls_list(context, SSL_CTRL_SET_GROUPS_LIST, crypto->groups) ||
	    !tls_list(context, SSL_CTRL_SET_SIGALGS_LIST, crypto->signatures) || !tls_suites(tls, crypto) ||
	    SSL_CTX_set_cipher_list(context, tls->certificate_suites) != 1 ||
	    SSL_CTX_set_ciphersuites(context, "") != 1)
		return "openssl: does not support what is needed";
	return NULL;
}

int tls_new(SSL_CTX *context, const struct tg_host *host, tls_find_fn *find, void *arg, struct tls **ret_tls)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (!tls || tls_index() < 0) {
		free(tls);
		return -ENOMEM;
	}
	*tls = (struct tls){.context = context, .host = host, .find = find, .arg = arg};
	tls->info = SSL_CTX_get_info_callback(context);
	SSL_CTX_set_ex_data(context, tls_index(), tls);
	SSL_CTX_set_info_callback(context, tls_info);
	SSL_CTX_set_psk_client_callback(context, tls_psk);
	SSL_CTX_set_cert_verify_callback(context, tls_verify, tls);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	*ret_tls = tls;
	return 0;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_set_ex_data(tls->context, tls_index(), NULL);
	SSL_CTX_set_info_callback(tls->context, tls->info);
	tls_suites_free(tls);
	free(tls);
}

int tls_load(struct tls *tls)
{
	X509_STORE *store = NULL;
	const char *problem = tls_policy(tls);

	if (!problem)
		problem = tls_files_load(tls, &store);
	tls_forget_errors();
	if (problem) {
		tls->host->log(tls->host, TG_LOG_ERROR, NULL, "%s", problem);
		return -EINVAL;
	}
	tls->trust = store != NULL;
	if (store)
		SSL_CTX_set_cert_store(tls->context, store);
	return 0;
}

bool tls_has_trust(const struct tls *tls)
{
	return tls->trust;
}

void tls_describe(const SSL *ssl, uint8_t *ret_certificate, struct tg_session *ret_session)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	int group = (int)SSL_get_negotiated_group((SSL *)(uintptr_t)ssl);
	const char *name = group > 0 ? SSL_group_to_name((SSL *)(uintptr_t)ssl, group) : NULL;
	int size = certificate ? i2d_X509(certificate, NULL) : 0;

	ret_session->version = SSL_get_version(ssl);
	ret_session->cipher = cipher ? SSL_CIPHER_standard_name(cipher) : "";
	ret_session->group = name ? name : "";
	if (size > 0 && size <= TLS_CERTIFICATE_MAX) {
		i2d_X509(certificate, &(uint8_t *){ret_certificate});
		ret_session->certificate = (struct tg_bytes){.data = ret_certificate, .size = (size_t)size};
	}
	tls_forget_errors();
}

void tls_wipe(struct tls_peer *peer)
{
	OPENSSL_cleanse(peer->key, sizeof(peer->key));
	peer->key_size = 0;
}

void tls_forget_errors(void)
{
	ERR_clear_error();
}
