/* SPDX-License-Identifier: Apache-2.0 */
#include "stack.h"

#include <arpa/inet.h>
#include <coap3/coap.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stack_internal.h"

/* Of a protected request, before it is. */
enum { STACK_LOG_LEVEL = 0, STACK_MESSAGE_MAX = 1152, MS = 1000 };

static int stack_event(coap_session_t *coap, const coap_event_t event)
{
	struct stack_session *session = coap_session_get_app_data(coap);

	if (session && session->guard)
		guard_event(session->guard, event);
	else if (session && event == COAP_EVENT_DTLS_CONNECTED)
		session->stack->calls->up(session->arg);
	else if (session && (event == COAP_EVENT_DTLS_CLOSED || event == COAP_EVENT_DTLS_ERROR))
		session->stack->calls->down(session->arg);
	tls_forget_errors();
	return 0;
}

static void stack_nack(coap_session_t *coap, const coap_pdu_t *sent, const coap_nack_reason_t reason,
		       const coap_mid_t id)
{
	struct stack_session *session = coap_session_get_app_data(coap);

	(void)id;
	if (session && reason == COAP_NACK_RST)
		session->stack->calls->failed(session->arg, stack_token(sent), STACK_RESET);
	else if (session && reason == COAP_NACK_TOO_MANY_RETRIES)
		session->stack->calls->failed(session->arg, stack_token(sent), STACK_TIMEOUT);
	else if (session)
		session->stack->calls->down(session->arg);
	if (session && session->guard)
		guard_failed(session->guard);
	tls_forget_errors();
}

static coap_response_t stack_response(coap_session_t *coap, const coap_pdu_t *sent, const coap_pdu_t *received,
				      const coap_mid_t id)
{
	struct stack_session *session = coap_session_get_app_data(coap);
	struct stack_message message;
	bool taken = false;

	(void)sent;
	(void)id;
	if (session && session->guard)
		guard_answered(session->guard, stack_token(received));
	if (session && stack_parse(received, &message)) {
		if (session->guard)
			message.has_number = guard_number(session->guard, coap_pdu_get_mid(received), &message.number);
		taken = session->stack->calls->response(session->arg, &message);
	}
	tls_forget_errors();
	return taken ? COAP_RESPONSE_OK : COAP_RESPONSE_FAIL;
}

/* While libcoap opens a session, nobody else can know whose its SSL is. */
static void stack_find(void *arg, const struct ssl_st *ssl, struct tls_peer **ret_peer)
{
	const struct stack *stack = arg;
	const coap_session_t *coap = stack_session_of(ssl);
	const struct stack_session *session = coap ? coap_session_get_app_data(coap) : NULL;

	*ret_peer = session ? session->tls : stack->opening;
}

/* A library that writes to the terminal has nothing to say there. */
static void stack_no_log(coap_log_t level, const char *text)
{
	(void)level;
	(void)text;
}

void stack_be_quiet(void)
{
	coap_set_log_handler(stack_no_log);
	coap_set_log_level((coap_log_t)STACK_LOG_LEVEL);
}

coap_context_t *stack_context_new(void)
{
	coap_context_t *context = coap_new_context(NULL);

	if (!context)
		return NULL;
	coap_register_event_handler(context, stack_event);
	coap_register_nack_handler(context, stack_nack);
	coap_register_response_handler(context, stack_response);
	return context;
}

int stack_new(const struct tg_host *host, const struct stack_calls *calls, struct stack **ret_stack)
{
	struct stack *stack = calloc(1, sizeof(*stack));
	struct ssl_ctx_st *ssl_context;
	int r;

	if (!stack)
		return -ENOMEM;
	*stack = (struct stack){.host = host, .calls = calls};
	coap_startup();
	stack->context = stack_context_new();
	r = stack->context ? stack_ssl_context(stack->context, &ssl_context) : -ENOMEM;
	if (r >= 0)
		r = tls_new(ssl_context, host, stack_find, stack, &stack->tls);
	if (r < 0) {
		stack_free(stack);
		return r;
	}
	*ret_stack = stack;
	return 0;
}

void stack_free(struct stack *stack)
{
	if (!stack)
		return;
	while (stack->sessions)
		stack_close(stack->sessions);
	stack->host->unwatch(stack->watch);
	tls_free(stack->tls);
	if (stack->context)
		coap_free_context(stack->context);
	coap_cleanup();
	free(stack);
}

struct tls *stack_tls(struct stack *stack)
{
	return stack->tls;
}

void stack_turn(struct stack *stack)
{
	coap_io_process(stack->context, COAP_IO_NO_WAIT);
	guard_turn_all(stack);
	tls_forget_errors();
}

static void stack_ready(void *arg, int fd, uint32_t ready)
{
	(void)fd;
	(void)ready;
	stack_turn(arg);
}

int stack_start(struct stack *stack)
{
	int fd = coap_context_get_coap_fd(stack->context);

	if (fd < 0)
		return -ENOTSUP;
	return stack->host->watch(stack->host, fd, TG_READABLE, stack_ready, stack, &stack->watch);
}

/* libcoap takes no wait for an acknowledgement below a second, and says nothing: the setting has none. */
void stack_set_timing(coap_session_t *coap, const struct stack_timing *timing)
{
	coap_session_set_ack_timeout(coap, (coap_fixed_point_t){(uint16_t)(timing->ack_timeout_ms / MS),
								(uint16_t)(timing->ack_timeout_ms % MS)});
	coap_session_set_max_retransmit(coap, timing->retransmissions);
}

static coap_session_t *stack_connect(struct stack *stack, const struct sockaddr *address, struct tls_peer *tls)
{
	size_t size = address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	coap_address_t remote;

	coap_address_init(&remote);
	memcpy(&remote.addr, address, size);
	remote.size = (socklen_t)size;
	stack->opening = tls;
	coap_session_t *coap =
		coap_new_client_session(stack->context, NULL, &remote, tls ? COAP_PROTO_DTLS : COAP_PROTO_UDP);
	stack->opening = NULL;
	tls_forget_errors();
	return coap;
}

int stack_open(struct stack *stack, const struct sockaddr *address, struct tls_peer *tls,
	       const struct stack_timing *timing, void *arg, struct stack_session **ret_session)
{
	struct stack_session *session = calloc(1, sizeof(*session));

	if (!session)
		return -ENOMEM;
	*session = (struct stack_session){.stack = stack, .tls = tls, .arg = arg};
	session->coap = stack_connect(stack, address, tls);
	if (!session->coap) {
		free(session);
		return -EHOSTUNREACH;
	}
	coap_session_set_app_data(session->coap, session);
	stack_set_timing(session->coap, timing);
	session->next = stack->sessions;
	stack->sessions = session;
	*ret_session = session;
	return 0;
}

void stack_close(struct stack_session *session)
{
	struct stack_session **at;

	if (!session)
		return;
	for (at = &session->stack->sessions; *at != session; at = &(*at)->next)
		;
	*at = session->next;
	coap_session_set_app_data(session->coap, NULL);
	/* Takes back what is still on its way; each of those messages holds the session. */
	coap_session_disconnected(session->coap, COAP_NACK_NOT_DELIVERABLE);
	coap_session_release(session->coap);
	guard_free(session->guard);
	tls_forget_errors();
	free(session);
}

/* coap_new_pdu waits for answers under OSCORE. */
static coap_pdu_t *stack_pdu(const struct stack_session *session, uint32_t code)
{
	coap_session_t *coap = session->coap;

	if (session->guard)
		return coap_pdu_init(COAP_MESSAGE_CON, (coap_pdu_code_t)code, coap_new_message_id(coap),
				     STACK_MESSAGE_MAX);
	return coap_new_pdu(COAP_MESSAGE_CON, (coap_pdu_code_t)code, coap);
}

int stack_send(struct stack_session *session, const struct stack_message *request)
{
	coap_pdu_t *pdu = stack_pdu(session, request->code);
	int r = pdu ? stack_write(pdu, request) : -ENOMEM;

	if (r < 0) {
		if (pdu)
			coap_delete_pdu(pdu);
		return r;
	}
	if (session->guard)
		return guard_send(session->guard, pdu, request->token);
	r = coap_send(session->coap, pdu) == COAP_INVALID_MID ? -EIO : 0;
	tls_forget_errors();
	return r;
}

static void stack_address_text(const coap_session_t *coap, char ret_text[STACK_PEER_TEXT])
{
	const coap_address_t *remote = coap_session_get_addr_remote(coap);
	char address[INET6_ADDRSTRLEN] = "?";
	bool v6 = remote->addr.sa.sa_family == AF_INET6;

	inet_ntop(remote->addr.sa.sa_family,
		  v6 ? (const void *)&remote->addr.sin6.sin6_addr : (const void *)&remote->addr.sin.sin_addr, address,
		  sizeof(address));
	snprintf(ret_text, STACK_PEER_TEXT, v6 ? "[%s]:%u" : "%s:%u", address, coap_address_get_port(remote));
}

void stack_describe(const struct stack_session *session, uint8_t *ret_certificate, char ret_peer[STACK_PEER_TEXT],
		    struct tg_session *ret_session)
{
	coap_tls_library_t library;
	const struct ssl_st *ssl = coap_session_get_tls(session->coap, &library);

	*ret_session = (struct tg_session){.size = sizeof(*ret_session), .version = "", .cipher = "", .group = ""};
	stack_address_text(session->coap, ret_peer);
	ret_session->peer = ret_peer;
	if (ssl && library == COAP_TLS_LIBRARY_OPENSSL)
		tls_describe(ssl, ret_certificate, ret_session);
}

uint32_t stack_random(void)
{
	uint32_t random = 0;

	coap_prng(&random, sizeof(random));
	return random;
}

const char *stack_library(void)
{
	return coap_package_version();
}
