/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_STACK_INTERNAL_H
#define COAP_CLIENT_STACK_INTERNAL_H

/* Shared by the parts of stack.h: stack.c keeps context and sessions, stack_message.c turns messages into libcoap's and back,
 * stack_ssl.c gets hold of what OpenSSL keeps for libcoap. */

#include <coap3/coap.h>

#include "stack.h"

struct stack {
	const struct tg_host *host;
	const struct stack_calls *calls;
	coap_context_t *context;
	struct tls *tls;
	struct tls_peer *opening; /* of the session that libcoap is just making */
	struct stack_session *sessions;
	struct tg_watch *watch;
};

struct stack_session {
	struct stack_session *next;
	struct stack *stack;
	coap_session_t *coap;
	struct tls_peer *tls;
	void *arg;
};

uint64_t stack_token(const coap_pdu_t *pdu);

/* False: cannot be read. What it points to is the PDU's. */
bool stack_parse(const coap_pdu_t *pdu, struct stack_message *ret_message);

/* Errors: -EMSGSIZE, -ENOMEM. */
int stack_write(coap_pdu_t *pdu, const struct stack_message *message);

/* The SSL_CTX that all sessions of the context are made from; it lives as long as the context.
 * Errors: -ENOTSUP: there is none. */
int stack_ssl_context(coap_context_t *context, struct ssl_ctx_st **ret_ssl_context);

/* The session that libcoap made this SSL for; NULL: none. */
const coap_session_t *stack_session_of(const struct ssl_st *ssl);

#endif
