/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_H
#define COAP_DTLS_H

/*
 * A DTLS 1.2 server on one UDP socket, on OpenSSL; knows no CoAP. Datagrams come in batches (recvmmsg), are matched to their
 * session by a hash of the peer's address, and what is sent in one turn leaves as one batch (sendmmsg). Nothing is kept for a
 * peer before it has returned its cookie (RFC 6347 section 4.2.1). The cost of a datagram does not depend on the number of
 * sessions.
 *
 * Who a peer is, the owner decides: during the handshake (PSK) or at its end (certificate, resumption) `authenticate` is called,
 * and the session waits, without holding up any other, until dtls_resolve. Only then is `established` called and can data flow.
 */

#include <netinet/in.h>
#include <sys/socket.h>
#include <tidegate/adapter.h>

#include "dtls_bind.h"

struct dtls;
struct dtls_session;

/* Why a session ended, or a handshake did not succeed; each is counted. */
enum dtls_end {
	DTLS_END_PEER,            /* close_notify */
	DTLS_END_IDLE,            /* nothing heard for idle_us, or for less where it makes room */
	DTLS_END_LOCAL,           /* dtls_close: revoked, shutting down; or its device has too many */
	DTLS_END_REVOKED,         /* a revocation list that came later names its certificate */
	DTLS_END_ERROR,           /* fatal alert */
	DTLS_END_REPLACED,        /* the same peer address completed a new handshake (RFC 6347 section 4.2.8) */
	DTLS_END_TIMEOUT,         /* handshake not finished in time */
	DTLS_END_UNKNOWN,         /* identity not known (PSK, certificate or resumed) */
	DTLS_END_WRONG_KEY,       /* PSK: finished message did not verify */
	DTLS_END_BAD_CERTIFICATE, /* none, not under the trust anchor, expired, not yet valid … */
	DTLS_END_HANDSHAKE,       /* any other failure of a handshake */
	DTLS_END_LIMIT,           /* a handshake not begun: one of dtls_limits is reached. Nothing is answered */
	DTLS_END_REASONS
};

struct dtls_events {
	/* Asks for dtls_resolve on `handle`. `identity`: PSK identity, the name in the verified certificate (SAN URI or DNS, else
	 * CN), or the device that the resumed session was bound to. Borrowed. A negative return fails the handshake. */
	int (*authenticate)(void *arg, uint64_t handle, enum tg_proof proof, struct tg_bytes identity);
	void (*established)(void *arg, struct dtls_session *session);
	/* One datagram of application data. Borrowed. */
	void (*received)(void *arg, struct dtls_session *session, struct tg_bytes datagram);
	/* The session is freed when this returns. Called for established sessions only. */
	void (*ended)(void *arg, struct dtls_session *session, enum dtls_end why);
	/* A handshake failed, or a datagram was dropped (`why` DTLS_END_REASONS: malformed or unknown). For the counters and the log. */
	void (*failed)(void *arg, const struct sockaddr *peer, enum dtls_end why, const char *detail);
};

struct dtls_limits {
	size_t sessions; /* established and half-open together; where one was not heard for five minutes it makes room for a new one
			      * as soon as that is established */
	size_t sessions_a_device; /* established; the one beyond that was not heard for the longest time ends */
	size_t half_open; /* handshakes that have returned their cookie and are not finished; where there are more, the one
				      * that has made no progress for the longest time makes room */
	size_t half_open_an_address;    /* the same, for one IP address (IPv6: one /64) */
	uint32_t handshakes_an_address; /* begun a second, of such an address; and as many at once after a pause: */
	uint32_t handshakes_burst;
	int64_t idle_us;
	int64_t handshake_us;       /* the longest that one may take */
	int64_t ticket_lifetime_us; /* from the full handshake on; 0: no tickets */
};

/* Credentials are PEM, read from open descriptors (which stay the caller's); -1: none. Without a certificate only PSK suites are
 * offered, without trust anchors no client certificate is accepted. */
struct dtls_credentials {
	int certificate_fd; /* chain, own certificate first */
	int key_fd;
	int trust_fd;
	int crl_fd;       /* certificate revocation lists; with them every authority below the anchor must have one */
	bool expired_crl; /* a list that has run out is still taken */
};

/* Binds `place`, or takes what is bound there already; IPv6 sockets take IPv4 too. The server must stay where it is until
 * dtls_free. Errors: -errno of socket or bind; -EKEYREJECTED: credentials unusable, *ret_problem says in words (static or
 * thread-local storage). */
int dtls_new(const struct tg_host *host, const struct dtls_bind *place, const struct dtls_limits *limits,
	     const struct dtls_credentials *credentials, const struct dtls_events *events, void *arg,
	     struct dtls **ret_dtls, const char **ret_problem);
/* Whether a flood of ClientHellos leaves the datagrams of live sessions alone. */
bool dtls_is_sorted(const struct dtls *dtls);
/* Begins to read. */
int dtls_start(struct dtls *dtls);
/* Takes no new handshakes any more. */
void dtls_stop_accepting(struct dtls *dtls);
/* Ends all sessions with close_notify, without calling `ended`. Accepts NULL. */
void dtls_free(struct dtls *dtls);

/* New handshakes use these, and the policy of now; live sessions keep theirs, but end where a revocation list names their
 * certificate. On failure the old ones stay. Errors: as dtls_new. */
int dtls_set_credentials(struct dtls *dtls, const struct dtls_credentials *credentials, const char **ret_problem);
void dtls_set_limits(struct dtls *dtls, const struct dtls_limits *limits);
/* The keys of session tickets: the first for new ones, each for those that come back. Without any there are no tickets. Borrowed. */
void dtls_set_tickets(struct dtls *dtls, const struct tg_ticket_key *keys, size_t count);

/* The earliest time at which a revocation list in use runs out. Units: seconds since 1970; INT64_MAX: there is none. */
int64_t dtls_lists_until_s(const struct dtls *dtls);

/* Answers `authenticate`. Unknown handles are ignored: the peer has gone meanwhile. `identity->device` becomes the session's device.
 * Where not known, a PSK handshake still goes on with the key given and fails like one with a wrong key. */
void dtls_resolve(struct dtls *dtls, uint64_t handle, const struct tg_identity *identity);

/* One datagram to the peer, at the end of this turn. Errors: -EMSGSIZE: larger than fits into one; -ENOTCONN; -ENOBUFS. */
int dtls_send(struct dtls_session *session, struct tg_bytes datagram);
/* The largest datagram that dtls_send takes. */
size_t dtls_data_max(const struct dtls_session *session);
/* Ends it with close_notify. `ended` is not called, the session is gone afterwards. */
void dtls_close(struct dtls_session *session);
/* Ends every session of this device. `ended` is called for each. */
void dtls_close_device(struct dtls *dtls, struct tg_bytes device);

/* A number that names this session and never another one in the life of the process. */
uint64_t dtls_handle(const struct dtls_session *session);
struct dtls_session *dtls_find(struct dtls *dtls, uint64_t handle); /* established ones only, or NULL */
const char *dtls_device(const struct dtls_session *session);
/* The newest established session of this device, and the next older one; NULL: there is none. */
struct dtls_session *dtls_newest(const struct dtls *dtls, struct tg_bytes device);
struct dtls_session *dtls_next_older(const struct dtls_session *session);
/* When the handshake was done. */
int64_t dtls_established_us(const struct dtls_session *session);
/* "TLS_PSK_WITH_AES_128_CCM_8" */
const char *dtls_cipher(const struct dtls_session *session);
/* Whether it was resumed by a ticket, without a full handshake. */
bool dtls_is_resumed(const struct dtls_session *session);
/* What it was agreed on, and by whom; all of it lent until the session ends. `peer` and `certificate` are left empty. */
void dtls_describe(const struct dtls_session *session, struct tg_session *ret_session);
/* The peer's certificate in DER form; returns its size. Errors: -ENOENT: it has none; -EMSGSIZE. */
int dtls_certificate(const struct dtls_session *session, uint8_t *ret_der, size_t size);
void dtls_address(const struct dtls_session *session, struct sockaddr_storage *ret_address);
/* Calls `fn` for each established session. `fn` must not end any. */
void dtls_each(struct dtls *dtls, void (*fn)(void *arg, struct dtls_session *session), void *arg);
/* The owner's own pointer, NULL at first. */
void *dtls_user(const struct dtls_session *session);
void dtls_set_user(struct dtls_session *session, void *user);

/* The port that it is bound to, host order. */
uint16_t dtls_port(const struct dtls *dtls);
size_t dtls_sessions(const struct dtls *dtls); /* established */
size_t dtls_half_open(const struct dtls *dtls);

#endif
