/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "dtls_context.h"
#include "dtls_session.h"

void dtls_resume_keep(struct dtls_session *session, struct tg_bytes bytes)
{
	struct dtls_handshake *handshake = session->handshake;

	/* Too long to be kept: its ticket is not looked at. */
	if (session->dtls->ticket_keys_count == 0 || bytes.size > sizeof(handshake->held) - handshake->held_size) {
		handshake->held_size = handshake->hello_size = 0;
		return;
	}
	memcpy(handshake->held + handshake->held_size, bytes.data, bytes.size);
	handshake->held_size += bytes.size;
	if (handshake->hello_size == 0)
		handshake->hello_size = bytes.size;
}

/* A full handshake, as if there had been no ticket. */
static void resume_not(struct dtls_session *session)
{
	struct dtls_handshake *handshake = session->handshake;

	handshake->resume = DTLS_RESUME_REFUSED;
	handshake->asked = handshake->answered = handshake->known = false;
	handshake->proof = 0;
	free(session->device);
	session->device = NULL;
	session->generation = 0;
}

bool dtls_resume_asks(struct dtls_session *session)
{
	struct dtls_handshake *handshake = session->handshake;

	if (handshake->resume == DTLS_RESUME_ASK)
		return !handshake->asked;
	/* It was granted, but OpenSSL has reasons of its own (RFC 7627 section 5.3). */
	if (handshake->resume == DTLS_RESUME_GRANTED && SSL_session_reused(session->ssl) != 1)
		resume_not(session);
	if (handshake->hello_size > 0)
		handshake->held_size = handshake->hello_size = 0;
	return false;
}

bool dtls_resume_is_bound(const struct dtls_session *session, const struct tg_identity *identity)
{
	const struct dtls_ticket *ticket = &session->handshake->ticket;

	return identity->generation == ticket->generation && identity->device.size == strlen(ticket->device) &&
	       memcmp(identity->device.data, ticket->device, identity->device.size) == 0;
}

bool dtls_resume_again(struct dtls_session *session, struct tg_bytes hello)
{
	if (session->handshake->resume == DTLS_RESUME_REFUSED)
		resume_not(session);
	ERR_clear_error();
	session->in = hello;
	int r = DTLSv1_listen(session->ssl, session->dtls->nobody);
	session->in = (struct tg_bytes){NULL, 0};
	SSL_set_mtu(session->ssl, DTLS_CONTEXT_MTU); /* forgotten with the version that it had agreed on */
	return r > 0;
}
