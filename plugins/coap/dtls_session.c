/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_session.h"
#include "dtls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* How many have to leave for their memory to be given back, and how long that waits for more of them. */
enum { SESSION_TRIM = 16, SESSION_TRIM_US = 1000000 };

/* An idle session keeps no buffers for records. OpenSSL makes them anew for reading, but not for writing with DTLS, where it would
 * write to NULL: SSL_alloc_buffers must come first. */

static void session_free(struct dtls_session *session)
{
	struct dtls *dtls = session->dtls;

	if (session->handshake)
		OPENSSL_cleanse(session->handshake, sizeof(*session->handshake));
	free(session->handshake);
	free(session->device);
	SSL_free(session->ssl);
	free(session);
	if (++dtls->freed == SESSION_TRIM && dtls->trim_timer)
		dtls->host->timer_set(dtls->trim_timer, dtls_now_us(dtls) + SESSION_TRIM_US);
}

int dtls_session_new(struct dtls *dtls, struct dtls_session **ret_session)
{
	struct dtls_session *session = calloc(1, sizeof(*session));

	if (!session)
		return -ENOMEM;
	session->dtls = dtls;
	session->state = DTLS_LISTENING;
	session->ssl = SSL_new(dtls->context);
	if (!session->ssl || dtls_bio_attach(session) < 0) {
		session_free(session);
		ERR_clear_error();
		return -ENOMEM;
	}
	SSL_set_app_data(session->ssl, session);
	SSL_set_accept_state(session->ssl);
	SSL_set_mtu(session->ssl, DTLS_CONTEXT_MTU);
	if (dtls->ticket_keys_count == 0 || dtls->limits.ticket_lifetime_us == 0)
		SSL_set_options(session->ssl, SSL_OP_NO_TICKET);
	*ret_session = session;
	return 0;
}

void dtls_session_enter(struct dtls_session *session)
{
	session->busy++;
}

void dtls_session_leave(struct dtls_session *session)
{
	if (--session->busy == 0 && session->state == DTLS_GONE)
		session_free(session);
}

void dtls_session_drop(struct dtls_session *session)
{
	if (!session || session->state == DTLS_GONE)
		return;
	dtls_session_enter(session);
	session->state = DTLS_GONE;
	(void)dtls_table_put(session->dtls->table, &session->entry, DTLS_PLACE_NONE);
	dtls_devices_remove(&session->dtls->devices, &session->of_device);
	dtls_timers_clear(&session->dtls->timers, &session->timer);
	dtls_session_leave(session);
}

void dtls_session_end(struct dtls_session *session, enum dtls_end why, bool notify)
{
	struct dtls *dtls = session->dtls;

	if (session->state != DTLS_ESTABLISHED)
		return;
	dtls_session_enter(session);
	/* After a fatal alert OpenSSL forbids it; the newer one at a peer's address would not understand it. */
	if (why != DTLS_END_ERROR && why != DTLS_END_REPLACED) {
		ERR_clear_error();
		if (SSL_alloc_buffers(session->ssl) == 1)
			(void)SSL_shutdown(session->ssl);
	}
	dtls_session_drop(session);
	if (notify)
		dtls->events->ended(dtls->arg, session, why);
	ERR_clear_error();
	dtls_session_leave(session);
}

void dtls_session_establish(struct dtls_session *session)
{
	struct dtls *dtls = session->dtls;
	struct dtls_entry *older = dtls_table_find(dtls->table, DTLS_PLACE_ESTABLISHED, &session->entry.peer);

	dtls_session_enter(session);
	if (older)
		dtls_session_end(dtls_session_of(older), DTLS_END_REPLACED, true);
	OPENSSL_cleanse(session->handshake, sizeof(*session->handshake));
	free(session->handshake);
	session->handshake = NULL;
	(void)SSL_SESSION_set1_ticket_appdata(SSL_get_session(session->ssl), NULL, 0);
	session->data_max = DTLS_get_data_mtu(session->ssl);
	session->established_us = session->heard_us = dtls_now_us(dtls);
	if (dtls_table_put(dtls->table, &session->entry, DTLS_PLACE_ESTABLISHED) < 0 ||
	    dtls_devices_add(&dtls->devices, &session->of_device, dtls_device(session)) < 0 ||
	    dtls_timers_set(&dtls->timers, &session->timer, session->heard_us + dtls->limits.idle_us) < 0) {
		dtls_report(dtls, &session->entry.peer, DTLS_END_HANDSHAKE, "out of memory");
		dtls_session_drop(session);
	} else {
		session->state = DTLS_ESTABLISHED;
		SSL_free_buffers(session->ssl);
		dtls_session_arm(dtls);
		dtls->events->established(dtls->arg, session);
		dtls_room_make(session);
	}
	dtls_session_leave(session);
}

/* Hands out one record's data. Returns whether there may be more. */
static bool session_read(struct dtls_session *session, bool *ret_own)
{
	struct dtls *dtls = session->dtls;

	ERR_clear_error();
	int n = SSL_read(session->ssl, dtls->plain, sizeof(dtls->plain));
	if (n > 0) {
		*ret_own = true;
		session->heard_us = dtls_now_us(dtls);
		dtls_table_touch(dtls->table, &session->entry);
		dtls->events->received(dtls->arg, session, (struct tg_bytes){dtls->plain, (size_t)n});
		return session->state == DTLS_ESTABLISHED;
	}
	int error = SSL_get_error(session->ssl, n);
	if (error == SSL_ERROR_WANT_READ)
		return false;
	*ret_own = true;
	dtls_session_end(session, error == SSL_ERROR_ZERO_RETURN ? DTLS_END_PEER : DTLS_END_ERROR, true);
	return false;
}

/* Whether each protected record is long enough to hold what the cipher adds. One that is not OpenSSL 3.5 does not drop but takes for a
 * reason to end the session, which anybody who can forge an address could make use of. */
static bool session_takes(const struct dtls_session *session, struct tg_bytes datagram)
{
	size_t least = DTLS_CONTEXT_MTU - session->data_max, size;
	struct dtls_record record;

	while ((size = dtls_record_next(datagram, &record)) > 0) {
		if (record.epoch > 0 && size < least)
			return false;
		datagram = (struct tg_bytes){(const uint8_t *)datagram.data + size, datagram.size - size};
	}
	return datagram.size == 0;
}

bool dtls_session_feed(struct dtls_session *session, struct tg_bytes datagram)
{
	bool own = false;

	if (!session_takes(session, datagram))
		return false;
	dtls_session_enter(session);
	session->in = datagram;
	while (session_read(session, &own))
		;
	session->in = (struct tg_bytes){NULL, 0};
	if (session->state == DTLS_ESTABLISHED)
		SSL_free_buffers(session->ssl);
	dtls_session_leave(session);
	return own;
}

int dtls_send(struct dtls_session *session, struct tg_bytes datagram)
{
	if (session->state != DTLS_ESTABLISHED)
		return -ENOTCONN;
	if (datagram.size == 0)
		return -EINVAL;
	if (datagram.size > session->data_max)
		return -EMSGSIZE;
	if (dtls_socket_is_full(session->dtls->socket))
		return -ENOBUFS;
	ERR_clear_error();
	if (SSL_alloc_buffers(session->ssl) != 1)
		return -ENOBUFS;
	int n = SSL_write(session->ssl, datagram.data, (int)datagram.size);
	SSL_free_buffers(session->ssl);
	return n > 0 ? 0 : -ENOTCONN;
}

size_t dtls_data_max(const struct dtls_session *session)
{
	return session->data_max;
}

void dtls_close(struct dtls_session *session)
{
	dtls_session_end(session, DTLS_END_LOCAL, false);
}

uint64_t dtls_handle(const struct dtls_session *session)
{
	return session->entry.handle;
}

const char *dtls_device(const struct dtls_session *session)
{
	return session->device ? session->device : "";
}

int64_t dtls_established_us(const struct dtls_session *session)
{
	return session->established_us;
}

const char *dtls_cipher(const struct dtls_session *session)
{
	return SSL_CIPHER_standard_name(SSL_get_current_cipher(session->ssl));
}

bool dtls_is_resumed(const struct dtls_session *session)
{
	return SSL_session_reused(session->ssl) == 1;
}

static enum tg_proof session_proof(const struct dtls_session *session)
{
	if (dtls_is_resumed(session))
		return TG_PROOF_RESUMED;
	return SSL_get0_peer_certificate(session->ssl) ? TG_PROOF_CERTIFICATE : TG_PROOF_PSK;
}

/* OpenSSL keeps the group with the session, so that a resumed one tells that of its full handshake. */
static const char *session_group(const struct dtls_session *session)
{
	int group = (int)SSL_get_negotiated_group(session->ssl);
	const char *name = group > 0 ? SSL_group_to_name(session->ssl, group) : NULL;

	return name ? name : "";
}

void dtls_describe(const struct dtls_session *session, struct tg_session *ret_session)
{
	const char *device = dtls_device(session);

	*ret_session = (struct tg_session){.size = sizeof(*ret_session),
					   .proof = session_proof(session),
					   .device = {device, strlen(device)},
					   .version = SSL_get_version(session->ssl),
					   .cipher = dtls_cipher(session),
					   .group = session_group(session),
					   .generation = session->generation};
}

int dtls_certificate(const struct dtls_session *session, uint8_t *ret_der, size_t size)
{
	X509 *certificate = SSL_get0_peer_certificate(session->ssl);
	int need = certificate ? i2d_X509(certificate, NULL) : 0;

	if (need <= 0)
		return -ENOENT;
	if ((size_t)need > size)
		return -EMSGSIZE;
	return i2d_X509(certificate, &ret_der);
}

void dtls_address(const struct dtls_session *session, struct sockaddr_storage *ret_address)
{
	union dtls_address address;

	memset(ret_address, 0, sizeof(*ret_address));
	memcpy(ret_address, &address,
	       dtls_peer_address(&session->entry.peer, dtls_socket_family(session->dtls->socket), &address));
}

void *dtls_user(const struct dtls_session *session)
{
	return session->user;
}

void dtls_set_user(struct dtls_session *session, void *user)
{
	session->user = user;
}
