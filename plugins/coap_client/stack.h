/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_STACK_H
#define COAP_CLIENT_STACK_H

/*
 * The door to libcoap: one context, sessions with devices, single CoAP messages. Retransmission, matching of acknowledgements and
 * DTLS are libcoap's; what a message means, blocks and observations are not: the library's own handling of blocks is left off,
 * because it cannot be bounded.
 *
 * The functions of struct stack_calls are called from within libcoap: they may send, but must not end a session.
 */

#include <sys/socket.h>
#include <tidegate/adapter.h>

#include "sequence.h"
#include "tls.h"

enum { STACK_ETAG_MAX = 8, STACK_ECHO_MAX = 40, STACK_PEER_TEXT = 64 };

struct stack;
struct stack_session;
struct texts_parts;

struct stack_block { /* RFC 7959 section 2.2 */
	bool given;
	bool more;
	uint32_t number;
	uint8_t szx; /* blocks have 16 << szx bytes */
};

/* A response, or one that is to be sent. Bytes are borrowed. */
struct stack_message {
	uint32_t code;   /* a request's method, or a response code as a decimal number: 205 */
	uint64_t token;  /* 0: not one of ours, which have 8 bytes */
	int32_t observe; /* -1: not there. Under OSCORE it says no more than that */
	bool has_number; /* a protected one's own Partial IV, in a message of its own */
	uint64_t number;
	int32_t format;    /* or TG_FORMAT_NONE */
	int64_t max_age_s; /* -1: not there */
	uint8_t etag[STACK_ETAG_MAX];
	size_t etag_size;
	uint8_t echo[STACK_ECHO_MAX]; /* RFC 9175 section 2.2 */
	size_t echo_size;
	struct stack_block block1;
	struct stack_block block2;
	uint32_t size1;            /* 0: not there; only sent */
	struct texts_parts *parts; /* of a request: where it goes */
	struct tg_bytes payload;
};

enum stack_failure {
	STACK_RESET = 1,  /* the device answered with RST */
	STACK_TIMEOUT = 2 /* not acknowledged, however often it was sent */
};

struct stack_calls {
	void (*up)(void *arg);                                            /* the handshake is over */
	void (*down)(void *arg);                                          /* the session has ended by itself */
	bool (*response)(void *arg, const struct stack_message *message); /* false: unknown, answer with RST */
	void (*failed)(void *arg, uint64_t token, enum stack_failure failure);
	/* For protected sessions. Whether a notification with this token may come. */
	bool (*expects)(void *arg, uint64_t token);
	void (*refused)(void *arg, const char *why); /* something came that is not what the device protects */
	void (*used)(void *arg);                     /* sequence numbers were used */
};

/* OSCORE (RFC 8613). */
struct stack_protection {
	struct tg_bytes conf;      /* in libcoap's format; borrowed for the call */
	struct sequence *sequence; /* lent for the life of the session */
};

struct stack_timing {
	uint32_t ack_timeout_ms;
	uint16_t retransmissions;
};

/* Takes the library's own log away; before anything of it is used. */
void stack_be_quiet(void);

/* Ownership: stack_free, which ends all sessions. Errors: -ENOMEM; -ENOTSUP: this libcoap has no OpenSSL. */
int stack_new(const struct tg_host *host, const struct stack_calls *calls, struct stack **ret_stack);
void stack_free(struct stack *stack);

struct tls *stack_tls(struct stack *stack);

/* Begins to watch the sockets. */
int stack_start(struct stack *stack);

/* Does what is due; to be called after sending. Not from within a callback. */
void stack_turn(struct stack *stack);

/* Opens a session; with DTLS the handshake has begun, without one it is up at once (no call of `up`). `tls` stays the caller's and
 * lives as long as the session; NULL: no DTLS. Ownership: stack_close. Errors: -EHOSTUNREACH; -EPROTO. */
int stack_open(struct stack *stack, const struct sockaddr *address, struct tls_peer *tls,
	       const struct stack_timing *timing, void *arg, struct stack_session **ret_session);

/* Whether this libcoap has OSCORE. */
bool stack_has_oscore(void);

/* The same without DTLS, its messages protected by OSCORE. libcoap would wait, and all else with it, for the answer to one request before
 * it sends the next: they go out one after the other here, those that wait in order, and as far as there are sequence numbers.
 * Errors: -ENOTSUP: this libcoap cannot do it; -errno. */
int stack_open_protected(struct stack *stack, const struct sockaddr *address, const struct stack_protection *protection,
			 const struct stack_timing *timing, void *arg, struct stack_session **ret_session);

/* Nobody waits for the answer to this request any more. A protected session that only waits for it ends. */
void stack_forget(struct stack_session *session, uint64_t token);

/* There are numbers again: what waits can go out, with the next stack_turn. */
void stack_resume(struct stack_session *session);

/* Ends it; nothing comes for it any more. Accepts NULL. */
void stack_close(struct stack_session *session);

/* Sends a confirmable request. Errors: -EMSGSIZE, -EIO. */
int stack_send(struct stack_session *session, const struct stack_message *request);

/* What there is to tell of a live session; `ret_certificate` has TLS_CERTIFICATE_MAX bytes, and what is told may lie in both. */
void stack_describe(const struct stack_session *session, uint8_t *ret_certificate, char ret_peer[STACK_PEER_TEXT],
		    struct tg_session *ret_session);

uint32_t stack_random(void);

/* "libcoap 4.3.1" */
const char *stack_library(void);

#endif
