/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_ticket.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <string.h>

#include "dtls_session.h"

enum { TICKET_FORM = 1, TICKET_HEAD = 4 + 8 + 8 + 8, TICKET_IV = 16 };

static uint8_t *ticket_put(uint8_t *at, uint64_t number)
{
	for (unsigned i = 0; i < 8; i++)
		at[i] = (uint8_t)(number >> (56 - 8 * i));
	return at + 8;
}

static const uint8_t *ticket_get(const uint8_t *at, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < 8; i++)
		number = number << 8 | at[i];
	*ret_number = number;
	return at + 8;
}

size_t dtls_ticket_pack(const struct dtls_ticket *ticket, uint8_t ret_data[DTLS_TICKET_SIZE])
{
	size_t size = strnlen(ticket->device, TG_DEVICE_MAX);
	uint8_t *at = ret_data;

	*at++ = TICKET_FORM;
	*at++ = (uint8_t)ticket->proof;
	*at++ = 0;
	*at++ = 0;
	at = ticket_put(at, ticket->generation);
	at = ticket_put(at, ticket->trust);
	at = ticket_put(at, (uint64_t)ticket->made_wall_us);
	memcpy(at, ticket->device, size);
	return TICKET_HEAD + size;
}

int dtls_ticket_unpack(struct tg_bytes data, struct dtls_ticket *ret_ticket)
{
	const uint8_t *at = data.data;
	struct dtls_ticket ticket = {.generation = 0};
	uint64_t made;

	if (data.size <= TICKET_HEAD || data.size > DTLS_TICKET_SIZE || at[0] != TICKET_FORM ||
	    (at[1] != TG_PROOF_PSK && at[1] != TG_PROOF_CERTIFICATE))
		return -EBADMSG;
	ticket.proof = (enum tg_proof)at[1];
	at = ticket_get(at + 4, &ticket.generation);
	at = ticket_get(at, &ticket.trust);
	at = ticket_get(at, &made);
	ticket.made_wall_us = (int64_t)made;
	if (memchr(at, '\0', data.size - TICKET_HEAD))
		return -EBADMSG;
	memcpy(ticket.device, at, data.size - TICKET_HEAD);
	*ret_ticket = ticket;
	return 0;
}

uint64_t dtls_ticket_trust(SSL_CTX *context)
{
	const STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
	uint8_t digest[EVP_MAX_MD_SIZE];
	uint64_t sum = 0, one;

	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		X509_OBJECT *object = sk_X509_OBJECT_value(all, i);
		const X509 *anchor = X509_OBJECT_get0_X509(object);
		const X509_CRL *list = X509_OBJECT_get0_X509_CRL(object);

		if (!(anchor && X509_digest(anchor, EVP_sha256(), digest, NULL) == 1) &&
		    !(list && X509_CRL_digest(list, EVP_sha256(), digest, NULL) == 1))
			continue;
		(void)ticket_get(digest, &one);
		sum ^= one;
	}
	return sum;
}

static const struct tg_ticket_key *ticket_key(const struct dtls *dtls, const uint8_t *name)
{
	for (size_t i = 0; i < dtls->ticket_keys_count; i++) {
		if (memcmp(dtls->ticket_keys[i].name, name, sizeof(dtls->ticket_keys[i].name)) == 0)
			return &dtls->ticket_keys[i];
	}
	return NULL;
}

static bool ticket_set_mac(EVP_MAC_CTX *mac, const struct tg_ticket_key *key)
{
	uint8_t secret[sizeof(key->authentication)];
	OSSL_PARAM params[3] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret, sizeof(secret)),
				OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
				OSSL_PARAM_construct_end()};

	memcpy(secret, key->authentication, sizeof(secret));
	bool set = EVP_MAC_CTX_set_params(mac, params) == 1;
	OPENSSL_cleanse(secret, sizeof(secret));
	return set;
}

/* What OpenSSL asks for: 1: here it is; 2: and the ticket should be made anew with a newer key; 0: none; -1: an error. */
static int ticket_keys(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
		       int make)
{
	const struct dtls_session *session = SSL_get_app_data(ssl);
	const struct dtls *dtls = session->dtls;
	const struct tg_ticket_key *key;

	if (make) {
		if (dtls->ticket_keys_count == 0)
			return 0;
		key = &dtls->ticket_keys[0];
		memcpy(name, key->name, sizeof(key->name));
		if (RAND_bytes(iv, TICKET_IV) != 1 ||
		    EVP_EncryptInit_ex2(cipher, EVP_aes_256_cbc(), key->encryption, iv, NULL) != 1)
			return -1;
	} else {
		key = ticket_key(dtls, name);
		if (!key)
			return 0;
		if (EVP_DecryptInit_ex2(cipher, EVP_aes_256_cbc(), key->encryption, iv, NULL) != 1)
			return -1;
	}
	if (!ticket_set_mac(mac, key))
		return -1;
	return make || key == &dtls->ticket_keys[0] ? 1 : 2;
}

static int ticket_made(SSL *ssl, void *arg)
{
	const struct dtls_session *session = SSL_get_app_data(ssl);
	struct dtls *dtls = session->dtls;
	const struct dtls_handshake *handshake = session->handshake;
	struct dtls_ticket ticket;
	uint8_t data[DTLS_TICKET_SIZE];

	(void)arg;
	if (!handshake || !handshake->known || !session->device)
		return 0;
	if (handshake->proof == TG_PROOF_RESUMED) {
		ticket = handshake->ticket; /* made anew it does not live longer */
	} else {
		bool certificate = handshake->proof == TG_PROOF_CERTIFICATE;

		ticket = (struct dtls_ticket){.proof = handshake->proof,
					      .generation = session->generation,
					      .trust = certificate ? dtls->trust : 0,
					      .made_wall_us = dtls->host->now_wall_us(dtls->host)};
		memcpy(ticket.device, session->device, strlen(session->device));
	}
	return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), data, dtls_ticket_pack(&ticket, data));
}

/* The policy of now, not of then. */
static bool ticket_suite_is_allowed(SSL *ssl, SSL_SESSION *resumed)
{
	const STACK_OF(SSL_CIPHER) *all = SSL_get_ciphers(ssl);

	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
		if (sk_SSL_CIPHER_value(all, i) == SSL_SESSION_get0_cipher(resumed))
			return true;
	}
	return false;
}

static bool ticket_certificate_is_good(const struct dtls *dtls, SSL_SESSION *resumed, const struct dtls_ticket *ticket)
{
	X509 *certificate = SSL_SESSION_get0_peer(resumed);
	time_t now_s = (time_t)(dtls->host->now_wall_us(dtls->host) / 1000000);

	return certificate && ticket->trust == dtls->trust &&
	       X509_cmp_time(X509_get0_notAfter(certificate), &now_s) > 0 &&
	       X509_cmp_time(X509_get0_notBefore(certificate), &now_s) < 0;
}

static bool ticket_is_good(SSL *ssl, SSL_SESSION *resumed, struct dtls_ticket *ret_ticket)
{
	const struct dtls_session *session = SSL_get_app_data(ssl);
	const struct dtls *dtls = session->dtls;
	void *data = NULL;
	size_t size = 0;

	if (SSL_SESSION_get0_ticket_appdata(resumed, &data, &size) != 1 || !data ||
	    dtls_ticket_unpack((struct tg_bytes){data, size}, ret_ticket) < 0)
		return false;
	int64_t age_us = dtls->host->now_wall_us(dtls->host) - ret_ticket->made_wall_us;
	if (age_us < 0 || age_us >= dtls->limits.ticket_lifetime_us || !ticket_suite_is_allowed(ssl, resumed))
		return false;
	return ret_ticket->proof != TG_PROOF_CERTIFICATE || ticket_certificate_is_good(dtls, resumed, ret_ticket);
}

static SSL_TICKET_RETURN ticket_came(SSL *ssl, SSL_SESSION *resumed, const unsigned char *name, size_t name_size,
				     SSL_TICKET_STATUS status, void *arg)
{
	const struct dtls_session *session = SSL_get_app_data(ssl);
	struct dtls_handshake *handshake = session->handshake;

	(void)name;
	(void)name_size;
	(void)arg;
	if (status == SSL_TICKET_EMPTY || status == SSL_TICKET_NO_DECRYPT)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_ABORT;
	if (!handshake)
		return SSL_TICKET_RETURN_IGNORE;
	if (handshake->resume == DTLS_RESUME_GRANTED)
		return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
	if (handshake->resume == DTLS_RESUME_NONE && handshake->hello_size > 0 &&
	    ticket_is_good(ssl, resumed, &handshake->ticket)) {
		handshake->resume = DTLS_RESUME_ASK;
		return SSL_TICKET_RETURN_ABORT;
	}
	return SSL_TICKET_RETURN_IGNORE_RENEW;
}

bool dtls_ticket_set(SSL_CTX *context)
{
	static const unsigned char name[] = "tidegate";

	return SSL_CTX_set_session_id_context(context, name, sizeof(name) - 1) == 1 &&
	       SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_keys) == 1 &&
	       SSL_CTX_set_session_ticket_cb(context, ticket_made, ticket_came, NULL) == 1;
}
