/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_TICKET_H
#define COAP_DTLS_TICKET_H

/*
 * Session tickets. A ticket holds, encrypted, what a session was agreed on, so that a device that comes back needs neither a key
 * exchange nor a signature, and the gateway remembers nothing. OpenSSL makes and reads them with the keys of the endpoint
 * (dtls_set_tickets); what binds one to its device stands in it beside the session.
 *
 * A ticket that cannot be good any more (too old, its certificate expired, its suite struck from the policy, other trust
 * anchors or revocation lists than it was made under) is passed over, and a full handshake follows at once. One that could be good stops the
 * handshake before anything is answered, and the owner is asked about its device (dtls_resume.c).
 *
 * Source: RFC 5077; RFC 5246 appendix F.1.4; RFC 9325 section 3.4.
 */

#include <openssl/ssl.h>

#include "dtls.h"

enum { DTLS_TICKET_SIZE = 4 + 8 + 8 + 8 + TG_DEVICE_MAX };

struct dtls_ticket {
	enum tg_proof proof; /* of the full handshake: a key or a certificate */
	uint64_t generation; /* of the device's key, at that time */
	uint64_t trust;      /* dtls_ticket_trust at that time; 0 with a key */
	int64_t made_wall_us;
	char device[TG_DEVICE_MAX + 1];
};

/* Returns the size. */
size_t dtls_ticket_pack(const struct dtls_ticket *ticket, uint8_t ret_data[DTLS_TICKET_SIZE]);
/* Errors: -EBADMSG. */
int dtls_ticket_unpack(struct tg_bytes data, struct dtls_ticket *ret_ticket);

/* A number that changes when the trust anchors or revocation lists of the context do, whatever their order. A ticket holds no
 * chain that could be judged by new ones. */
uint64_t dtls_ticket_trust(SSL_CTX *context);

/* Has the context's sessions make and take tickets. */
bool dtls_ticket_set(SSL_CTX *context);

#endif
