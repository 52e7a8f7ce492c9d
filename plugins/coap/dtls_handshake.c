/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "dtls_context.h"
#include "dtls_session.h"
#include "dtls_verify.h"

enum handshake_alert { /* RFC 5246 section 7.2 */
		       HANDSHAKE_ACCESS_DENIED = 49,
		       HANDSHAKE_DECRYPT_ERROR = 51,
		       HANDSHAKE_INTERNAL_ERROR = 80
};

/* An unprotected fatal alert, for the failures that OpenSSL itself passes over in silence, so that the peer need not wait for
 * its timeout. The peer takes it, as it has not got our ChangeCipherSpec yet; the sequence number is above all used. */
static void handshake_alert(struct dtls_session *session, enum handshake_alert alert)
{
	const uint8_t record[] = {DTLS_CONTENT_ALERT, 0xfe, 0xfd, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 2, (uint8_t)alert};

	(void)dtls_socket_send(session->dtls->socket, &session->entry.peer, &session->local,
			       (struct tg_bytes){record, sizeof(record)});
}

void dtls_handshake_fail(struct dtls_session *session, enum dtls_end why, const char *detail)
{
	dtls_session_enter(session);
	dtls_session_drop(session);
	dtls_report(session->dtls, &session->entry.peer, why, detail);
	ERR_clear_error();
	dtls_session_leave(session);
}

/* What OpenSSL has read last from the peer. Its numbers of states differ between releases with one and the same soname, so a program
 * built with 3.0 would misunderstand 3.5; the names stay. */
static bool handshake_has_read(const struct dtls_session *session, const char *state)
{
	return strcmp(SSL_state_string(session->ssl), state) == 0;
}

#define HANDSHAKE_CLIENT_HELLO       "TRCH"
#define HANDSHAKE_CERTIFICATE_VERIFY "TRCV"
#define HANDSHAKE_CHANGE_CIPHER_SPEC "TRCCS"

static bool handshake_is_psk(const struct dtls_session *session)
{
	const SSL_CIPHER *cipher = SSL_get_pending_cipher(session->ssl);

	return cipher && SSL_CIPHER_get_auth_nid(cipher) == NID_auth_psk;
}

/* The key was wrong, or nobody has it. The same alert in both cases: no difference tells who is enrolled. */
static void handshake_fail_key(struct dtls_session *session)
{
	bool known = session->handshake->known;

	handshake_alert(session, HANDSHAKE_DECRYPT_ERROR);
	dtls_handshake_fail(session, known ? DTLS_END_WRONG_KEY : DTLS_END_UNKNOWN,
			    known ? "wrong key" : "unknown identity");
}

/* OpenSSL has given up, and has sent its alert. */
static void handshake_fail_error(struct dtls_session *session)
{
	unsigned long error = ERR_peek_error();
	long verified = SSL_get_verify_result(session->ssl);
	const char *detail = ERR_reason_error_string(error);
	enum dtls_end why = DTLS_END_HANDSHAKE;

	if (verified != X509_V_OK) {
		why = DTLS_END_BAD_CERTIFICATE;
		detail = *session->handshake->problem ? session->handshake->problem
						      : X509_verify_cert_error_string(verified);
	} else if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
		switch (ERR_GET_REASON(error)) {
		case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
		case SSL_R_CERTIFICATE_VERIFY_FAILED:
		case SSL_R_BAD_SIGNATURE:
		case SSL_R_WRONG_SIGNATURE_TYPE:
			why = DTLS_END_BAD_CERTIFICATE;
			break;
		case SSL_R_DATA_LENGTH_TOO_LONG:
			why = handshake_is_psk(session) ? DTLS_END_UNKNOWN : DTLS_END_HANDSHAKE;
			break;
		case SSL_R_DIGEST_CHECK_FAILED:
		case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
			why = DTLS_END_WRONG_KEY;
			break;
		default:
			break;
		}
	}
	dtls_handshake_fail(session, why, detail ? detail : "unknown");
}

static void handshake_done(struct dtls_session *session)
{
	/* ChangeCipherSpec is held until the answer has come, so this is what must never be. */
	if (!session->handshake->answered || !session->handshake->known) {
		dtls_handshake_fail(session, DTLS_END_UNKNOWN, "unknown identity");
		return;
	}
	/* By a list that came while it was under way, or since the session was made that it has resumed. */
	if (dtls_verify_is_revoked(session->dtls->context, session->ssl)) {
		handshake_alert(session, HANDSHAKE_ACCESS_DENIED);
		dtls_handshake_fail(session, DTLS_END_BAD_CERTIFICATE, "certificate is revoked");
		return;
	}
	bool resumed = session->handshake->resume == DTLS_RESUME_GRANTED;
	dtls_session_establish(session);
	/* Whoever resumes speaks last, and goes on to data at once: some can be there that came before the peer's Finished. */
	if (resumed && session->state == DTLS_ESTABLISHED)
		(void)dtls_session_feed(session, (struct tg_bytes){NULL, 0});
}

/* Sets when it is to be looked at again: to repeat our last flight, or because it took too long. */
static void handshake_arm(struct dtls_session *session)
{
	struct dtls *dtls = session->dtls;
	const struct dtls_handshake *handshake = session->handshake;
	int64_t at_us = handshake->end_us;
	struct timeval left;

	/* While the peer's answer is being looked at, there is nothing to repeat. */
	if ((!handshake->asked || handshake->answered) && DTLSv1_get_timeout(session->ssl, &left) == 1) {
		int64_t repeat_us = dtls_now_us(dtls) + left.tv_sec * 1000000 + left.tv_usec;

		if (repeat_us < at_us)
			at_us = repeat_us;
	}
	if (at_us != session->timer.at_us && dtls_timers_set(&dtls->timers, &session->timer, at_us) < 0)
		dtls_handshake_fail(session, DTLS_END_HANDSHAKE, "out of memory");
	else
		dtls_session_arm(dtls);
}

static void handshake_ask(struct dtls_session *session, enum tg_proof proof, struct tg_bytes identity)
{
	struct dtls *dtls = session->dtls;
	struct dtls_handshake *handshake = session->handshake;

	handshake->asked = true;
	handshake->proof = proof;
	memcpy(handshake->identity, identity.data, identity.size);
	handshake->identity[identity.size] = '\0';
	if (dtls->events->authenticate(dtls->arg, session->entry.handle, proof, identity) >= 0)
		return;
	if (session->state != DTLS_HALF_OPEN)
		return;
	handshake_alert(session, HANDSHAKE_INTERNAL_ERROR);
	dtls_handshake_fail(session, DTLS_END_HANDSHAKE, "identities cannot be looked up now");
}

/* Lets OpenSSL work on `in`, and looks what became of it. */
static void handshake_step(struct dtls_session *session, struct tg_bytes in)
{
	ERR_clear_error();
	session->in = in;
	int r = SSL_do_handshake(session->ssl);
	session->in = (struct tg_bytes){NULL, 0};
	if (r == 1) {
		handshake_done(session);
		return;
	}
	if (!handshake_has_read(session, HANDSHAKE_CLIENT_HELLO) && dtls_resume_asks(session)) {
		const char *device = session->handshake->ticket.device;

		handshake_ask(session, TG_PROOF_RESUMED, (struct tg_bytes){device, strlen(device)});
		return;
	}
	if (SSL_get_error(session->ssl, r) != SSL_ERROR_WANT_READ) {
		handshake_fail_error(session);
		return;
	}
	/* A protected record that cannot be read is dropped without a word (RFC 6347 section 4.1.2.7), and the peer would only
	 * learn by its timeout that the key is wrong. One who could forge such a record could forge an alert as well. */
	if (session->handshake->protected_seen && handshake_has_read(session, HANDSHAKE_CHANGE_CIPHER_SPEC))
		handshake_fail_key(session);
}

static void handshake_hold(struct dtls_handshake *handshake, const struct dtls_record *record)
{
	if (record->bytes.size > sizeof(handshake->held) - handshake->held_size)
		return; /* it will be sent again */
	memcpy(handshake->held + handshake->held_size, record->bytes.data, record->bytes.size);
	handshake->held_size += record->bytes.size;
}

/* Asks who the identity in a ClientKeyExchange is, before OpenSSL sees it and wants the key. */
static void handshake_ask_psk(struct dtls_session *session, const struct dtls_record *record)
{
	struct tg_bytes identity;

	if (session->handshake->asked || !handshake_is_psk(session) || !dtls_record_identity(record, &identity))
		return;
	/* OpenSSL takes it for a C string, so we do. */
	if (identity.size > 0)
		identity.size = strnlen(identity.data, identity.size);
	if (identity.size <= DTLS_IDENTITY_MAX)
		handshake_ask(session, TG_PROOF_PSK, identity);
}

/* Asks who the owner of a verified certificate is, once it has proved to have the key (CertificateVerify). */
static void handshake_ask_certificate(struct dtls_session *session)
{
	char *name;

	if (session->handshake->asked || handshake_is_psk(session) ||
	    (!handshake_has_read(session, HANDSHAKE_CERTIFICATE_VERIFY) &&
	     !handshake_has_read(session, HANDSHAKE_CHANGE_CIPHER_SPEC)))
		return;
	X509 *certificate = SSL_get0_peer_certificate(session->ssl);
	if (!certificate || SSL_get_verify_result(session->ssl) != X509_V_OK ||
	    dtls_context_name(certificate, &name) < 0) {
		handshake_alert(session, HANDSHAKE_ACCESS_DENIED);
		dtls_handshake_fail(session, DTLS_END_BAD_CERTIFICATE, "the certificate has no usable name");
		return;
	}
	handshake_ask(session, TG_PROOF_CERTIFICATE, (struct tg_bytes){name, strlen(name)});
	free(name);
}

static void handshake_record(struct dtls_session *session, const struct dtls_record *record)
{
	struct dtls_handshake *handshake = session->handshake;

	handshake_ask_psk(session, record);
	if (session->state != DTLS_HALF_OPEN)
		return;
	if (handshake->asked && !handshake->answered) {
		handshake_hold(handshake, record);
		return;
	}
	if (record->epoch > 0 && record->type == DTLS_CONTENT_HANDSHAKE)
		handshake->protected_seen = true;
	if (handshake->hello_size > 0)
		dtls_resume_keep(session, record->bytes);
	handshake_step(session, record->bytes);
	if (session->state == DTLS_HALF_OPEN)
		handshake_ask_certificate(session);
}

static void handshake_records(struct dtls_session *session, struct tg_bytes bytes)
{
	struct dtls_record record;
	size_t size;

	while ((session->state == DTLS_HALF_OPEN || session->state == DTLS_ESTABLISHED) &&
	       (size = dtls_record_next(bytes, &record)) > 0) {
		bytes = (struct tg_bytes){(const uint8_t *)bytes.data + size, bytes.size - size};
		if (session->state == DTLS_ESTABLISHED)
			(void)dtls_session_feed(session, record.bytes);
		else
			handshake_record(session, &record);
	}
}

static void handshake_again(struct dtls_session *session, struct tg_bytes hello)
{
	if (dtls_resume_again(session, hello))
		handshake_step(session, (struct tg_bytes){NULL, 0});
	else
		dtls_handshake_fail(session, DTLS_END_HANDSHAKE, "the cookie ran out during the look-up");
}

/* What was held, as soon as it need not be any more. */
static void handshake_release(struct dtls_session *session)
{
	struct dtls_handshake *handshake = session->handshake;
	uint8_t held[DTLS_HELD_MAX];

	if (session->state != DTLS_HALF_OPEN || !handshake->answered || handshake->held_size == 0)
		return;
	size_t size = handshake->held_size, hello_size = handshake->hello_size;
	memcpy(held, handshake->held, size);
	handshake->held_size = handshake->hello_size = 0;
	if (hello_size > 0)
		handshake_again(session, (struct tg_bytes){held, hello_size});
	handshake_records(session, (struct tg_bytes){held + hello_size, size - hello_size});
}

void dtls_handshake_begin(struct dtls_session *session, struct tg_bytes hello)
{
	dtls_session_enter(session);
	dtls_resume_keep(session, hello);
	handshake_step(session, (struct tg_bytes){NULL, 0});
	handshake_release(session);
	if (session->state == DTLS_HALF_OPEN)
		handshake_arm(session);
	dtls_session_leave(session);
}

void dtls_handshake_feed(struct dtls_session *session, struct tg_bytes datagram)
{
	dtls_session_enter(session);
	handshake_records(session, datagram);
	handshake_release(session);
	dtls_table_touch(session->dtls->table, &session->entry);
	if (session->state == DTLS_HALF_OPEN)
		handshake_arm(session);
	dtls_session_leave(session);
}

void dtls_handshake_resolve(struct dtls_session *session, const struct tg_identity *identity)
{
	struct dtls_handshake *handshake = session->handshake;

	if (!handshake->asked || handshake->answered)
		return;
	handshake->answered = true;
	handshake->known = identity->known && identity->device.size > 0;
	if (handshake->proof == TG_PROOF_RESUMED) {
		handshake->known = handshake->known && dtls_resume_is_bound(session, identity);
		handshake->resume = handshake->known ? DTLS_RESUME_GRANTED : DTLS_RESUME_REFUSED;
	}
	if (handshake->known) {
		session->device = strndup(identity->device.data, identity->device.size);
		session->generation = identity->generation;
		handshake->known = session->device != NULL;
	}
	if (handshake->proof == TG_PROOF_PSK && identity->key.size <= sizeof(handshake->key)) {
		memcpy(handshake->key, identity->key.data, identity->key.size);
		handshake->key_size = identity->key.size;
	}
	dtls_session_enter(session);
	if (handshake->proof == TG_PROOF_CERTIFICATE && !handshake->known) {
		handshake_alert(session, HANDSHAKE_ACCESS_DENIED);
		dtls_handshake_fail(session, DTLS_END_UNKNOWN, "unknown identity");
	} else if (session->busy == 1) {
		/* Otherwise dtls_handshake_feed is up the stack and goes on by itself. */
		dtls_handshake_feed(session, (struct tg_bytes){NULL, 0});
	}
	dtls_session_leave(session);
}

void dtls_handshake_timeout(struct dtls_session *session)
{
	const struct dtls_handshake *handshake = session->handshake;

	if (dtls_now_us(session->dtls) >= handshake->end_us) {
		bool waits = handshake->asked && !handshake->answered;

		dtls_handshake_fail(session, DTLS_END_TIMEOUT,
				    waits ? "no answer to the look-up" : "the peer fell silent");
		return;
	}
	dtls_session_enter(session);
	ERR_clear_error();
	if (DTLSv1_handle_timeout(session->ssl) < 0)
		handshake_fail_error(session);
	else
		handshake_arm(session);
	dtls_session_leave(session);
}
