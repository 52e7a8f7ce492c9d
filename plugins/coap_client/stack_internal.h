/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_STACK_INTERNAL_H
#define COAP_CLIENT_STACK_INTERNAL_H

/* Shared by the parts of stack.h: stack.c keeps context and sessions, stack_message.c turns messages into libcoap's and back,
 * stack_ssl.c gets hold of what OpenSSL keeps for libcoap, stack_guard.c has the sessions that OSCORE protects, stack_oscore.c what
 * not every libcoap has. */

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
	struct guard *unsettled; /* a list of those that have something to do */
};

struct guard;

struct stack_session {
	struct stack_session *next;
	struct stack *stack;
	coap_session_t *coap;
	struct tls_peer *tls;
	struct guard *guard; /* NULL: not protected */
	void *arg;
};

/* stack.c. A context whose sessions' events come to struct stack_calls. NULL: no memory. */
coap_context_t *stack_context_new(void);
void stack_set_timing(coap_session_t *coap, const struct stack_timing *timing);

/* stack_guard.c */
void guard_free(struct guard *guard); /* after its libcoap session; accepts NULL */
/* Takes the PDU over. Errors: -ENOMEM. */
int guard_send(struct guard *guard, coap_pdu_t *pdu, uint64_t token);
/* From within libcoap: an answer was verified, a request has failed, an event. */
void guard_answered(struct guard *guard, uint64_t token);
void guard_failed(struct guard *guard);
/* The Partial IV of the message with this id. */
bool guard_number(const struct guard *guard, coap_mid_t id, uint64_t *ret_number);
void guard_event(struct guard *guard, coap_event_t event);
/* Does what is due of all of them. */
void guard_turn_all(struct stack *stack);

/* stack_oscore.c. NULL: cannot be made, or this libcoap has none. `conf` is a secret. */
coap_session_t *oscore_session(coap_context_t *context, const coap_address_t *remote, struct tg_bytes conf,
			       struct sequence *sequence);
/* Why a message was not taken; NULL: the event is about something else. */
const char *oscore_refusal(coap_event_t event);

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
