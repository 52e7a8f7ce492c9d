/* SPDX-License-Identifier: Apache-2.0 */

/* Sessions that OSCORE protects. Each has a libcoap context of its own, because libcoap looks for the keys of a message among all of a
 * context, frees them with it alone, and stands still with it while it waits. */

#include <errno.h>
#include <stdlib.h>

#include "gate.h"
#include "stack_internal.h"

struct waiting {
	struct waiting *next;
	uint64_t token;
	coap_pdu_t *pdu;
};

struct guard {
	struct guard *next_unsettled;
	bool is_unsettled;
	struct stack_session *session;
	struct sequence *sequence;
	coap_context_t *context;
	struct gate *gate;
	struct tg_watch *watch;
	struct waiting *first, **last;
	uint64_t outstanding; /* the request whose answer libcoap waits for; 0: none */
	bool suspicious;      /* an answer was not verified, and libcoap may have given up the request for it */
	bool failed;
};

static void unsettle(struct guard *guard)
{
	struct stack *stack = guard->session->stack;

	if (guard->is_unsettled)
		return;
	guard->is_unsettled = true;
	guard->next_unsettled = stack->unsettled;
	stack->unsettled = guard;
}

static void guard_down(struct guard *guard)
{
	if (!guard->failed)
		guard->session->stack->calls->down(guard->session->arg);
	guard->failed = true;
}

static void drop_first(struct guard *guard)
{
	struct waiting *first = guard->first;

	guard->first = first->next;
	if (!guard->first)
		guard->last = &guard->first;
	free(first);
}

/* Each takes a number. */
static void send_next(struct guard *guard)
{
	coap_pdu_t *pdu;

	if (guard->failed || guard->outstanding || !guard->first || !sequence_may(guard->sequence))
		return;
	pdu = guard->first->pdu;
	guard->outstanding = guard->first->token;
	drop_first(guard);
	if (coap_send(guard->session->coap, pdu) == COAP_INVALID_MID)
		guard_down(guard);
	guard->session->stack->calls->used(guard->session->arg);
}

static void guard_turn(struct guard *guard)
{
	send_next(guard);
	coap_io_process(guard->context, COAP_IO_NO_WAIT);
	if (guard->suspicious && guard->outstanding && coap_can_exit(guard->context))
		guard_down(guard);
	guard->suspicious = false;
}

void guard_turn_all(struct stack *stack)
{
	struct guard *guard;

	while ((guard = stack->unsettled) != NULL) {
		stack->unsettled = guard->next_unsettled;
		guard->is_unsettled = false;
		guard_turn(guard);
	}
}

static void on_ready(void *arg, int fd, uint32_t ready)
{
	struct guard *guard = arg;

	(void)fd;
	(void)ready;
	guard_turn(guard);
}

static bool on_expects(void *arg, uint64_t token)
{
	const struct guard *guard = arg;
	const struct stack_session *session = guard->session;

	return token != 0 && (token == guard->outstanding || session->stack->calls->expects(session->arg, token));
}

static void on_passed(void *arg)
{
	guard_turn(arg);
}

static void on_refused(void *arg, const char *why)
{
	const struct guard *guard = arg;

	guard->session->stack->calls->refused(guard->session->arg, why);
}

static void on_down(void *arg)
{
	guard_down(arg);
}

static const struct gate_calls gate_calls = {
	.expects = on_expects, .passed = on_passed, .refused = on_refused, .down = on_down};

int guard_send(struct guard *guard, coap_pdu_t *pdu, uint64_t token)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (!waiting) {
		coap_delete_pdu(pdu);
		return -ENOMEM;
	}
	*waiting = (struct waiting){.token = token, .pdu = pdu};
	*guard->last = waiting;
	guard->last = &waiting->next;
	unsettle(guard);
	return 0;
}

void guard_answered(struct guard *guard, uint64_t token)
{
	if (token == guard->outstanding)
		guard->outstanding = 0;
	unsettle(guard);
}

/* libcoap would wait for the answer that does not come: the session is made anew. */
void guard_failed(struct guard *guard)
{
	guard_down(guard);
}

bool guard_number(const struct guard *guard, coap_mid_t id, uint64_t *ret_number)
{
	return gate_number(guard->gate, (uint16_t)id, ret_number);
}

void guard_event(struct guard *guard, coap_event_t event)
{
	const char *why = oscore_refusal(event);

	if (!why)
		return;
	guard->suspicious = true;
	guard->session->stack->calls->refused(guard->session->arg, why);
}

void stack_forget(struct stack_session *session, uint64_t token)
{
	struct guard *guard = session ? session->guard : NULL;

	if (!guard)
		return;
	if (token == guard->outstanding) {
		guard_down(guard);
		return;
	}
	for (struct waiting **at = &guard->first; *at; at = &(*at)->next) {
		struct waiting *waiting = *at;

		if (waiting->token != token)
			continue;
		*at = waiting->next;
		if (!*at)
			guard->last = at;
		coap_delete_pdu(waiting->pdu);
		free(waiting);
		return;
	}
}

void stack_resume(struct stack_session *session)
{
	if (session && session->guard)
		unsettle(session->guard);
}

/* The session is half made, and the gate is there. */
static int connect_guard(struct guard *guard, const struct stack_protection *protection)
{
	struct stack_session *session = guard->session;
	const struct tg_host *host = session->stack->host;
	const coap_address_t *local;
	coap_address_t remote;

	guard->context = stack_context_new();
	if (!guard->context)
		return -ENOMEM;
	coap_address_init(&remote);
	remote.addr.sin = *(const struct sockaddr_in *)gate_address(guard->gate);
	remote.size = sizeof(remote.addr.sin);
	session->coap = oscore_session(guard->context, &remote, protection->conf, protection->sequence);
	if (!session->coap)
		return -ENOTSUP;
	local = coap_session_get_addr_local(session->coap);
	if (gate_attach(guard->gate, &local->addr.sa, local->size) < 0)
		return -EIO;
	return host->watch(host, coap_context_get_coap_fd(guard->context), TG_READABLE, on_ready, guard, &guard->watch);
}

int stack_open_protected(struct stack *stack, const struct sockaddr *address, const struct stack_protection *protection,
			 const struct stack_timing *timing, void *arg, struct stack_session **ret_session)
{
	struct stack_session *session = calloc(1, sizeof(*session));
	struct guard *guard = calloc(1, sizeof(*guard));
	int r = session && guard ? 0 : -ENOMEM;

	if (r >= 0) {
		*session = (struct stack_session){.stack = stack, .guard = guard, .arg = arg};
		*guard = (struct guard){.session = session, .sequence = protection->sequence};
		guard->last = &guard->first;
		r = gate_new(stack->host, address, protection->sequence, &gate_calls, guard, &guard->gate);
	}
	if (r >= 0)
		r = connect_guard(guard, protection);
	if (r < 0) {
		if (session && session->coap)
			coap_session_release(session->coap);
		guard_free(guard);
		free(session);
		return r;
	}
	coap_session_set_app_data(session->coap, session);
	stack_set_timing(session->coap, timing);
	session->next = stack->sessions;
	stack->sessions = session;
	*ret_session = session;
	return 0;
}

static void settle(struct guard *guard)
{
	struct guard **at;

	if (!guard->is_unsettled)
		return;
	for (at = &guard->session->stack->unsettled; *at != guard; at = &(*at)->next_unsettled)
		;
	*at = guard->next_unsettled;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	if (guard->session)
		settle(guard);
	while (guard->first) {
		coap_delete_pdu(guard->first->pdu);
		drop_first(guard);
	}
	if (guard->watch)
		guard->session->stack->host->unwatch(guard->watch);
	if (guard->context)
		coap_free_context(guard->context);
	gate_free(guard->gate);
	free(guard);
}
