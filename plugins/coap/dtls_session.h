/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_SESSION_H
#define COAP_DTLS_SESSION_H

/*
 * The inside of dtls.h, for the files dtls*.c alone.
 *
 * The life of a session: one is always there to listen, with its SSL made ready. It answers ClientHellos with cookies
 * and keeps nothing of them (dtls_listen). When one brings its cookie back, this session becomes that peer's
 * handshake, half-open, and another one is made to listen. Records are given to OpenSSL one by one, up to the point where it must be
 * known who the peer is; from there they are held until dtls_resolve. When OpenSSL says that the handshake is done the session
 * is established (dtls_session_establish), takes the place of an older one with the same peer address, and what only the
 * handshake needed is freed.
 */

#include <openssl/ssl.h>
#include <stddef.h>

#include "dtls.h"
#include "dtls_cookie.h"
#include "dtls_devices.h"
#include "dtls_grey.h"
#include "dtls_rates.h"
#include "dtls_record.h"
#include "dtls_socket.h"
#include "dtls_table.h"
#include "dtls_ticket.h"
#include "dtls_timers.h"

enum dtls_state {
	DTLS_LISTENING = 1,
	DTLS_HALF_OPEN,
	DTLS_ESTABLISHED,
	DTLS_GONE /* out of all tables; freed as soon as no function up the stack uses it */
};

enum { DTLS_KEY_MAX = 64, DTLS_HELD_MAX = 4096, DTLS_PROBLEM_MAX = 256, DTLS_TICKET_KEYS_MAX = 4 };

/* What became of the ticket in a ClientHello. */
enum dtls_resume {
	DTLS_RESUME_NONE = 0, /* there was none, or no good one: a full handshake */
	DTLS_RESUME_ASK,      /* the owner is asked; nothing is answered to the peer before it has spoken */
	DTLS_RESUME_GRANTED,
	DTLS_RESUME_REFUSED /* a full handshake */
};

/* What only a handshake needs. */
struct dtls_handshake {
	int64_t end_us;
	enum tg_proof proof;
	bool asked;
	bool answered;
	bool known;
	bool protected_seen; /* a handshake record of epoch 1 has come */
	enum dtls_resume resume;
	struct dtls_ticket ticket; /* that the peer has shown */
	char identity[DTLS_IDENTITY_MAX + 1];
	uint8_t key[DTLS_KEY_MAX];
	size_t key_size;
	char problem[DTLS_PROBLEM_MAX]; /* what is wrong with the peer's certificate, "" */
	size_t hello_size; /* of a ClientHello's datagram, which `held` begins with as long as it may have to be read again */
	size_t held_size;
	uint8_t held[DTLS_HELD_MAX]; /* whole records, one behind the other */
};

struct dtls_session {
	struct dtls *dtls;
	SSL *ssl;
	enum dtls_state state;
	unsigned busy; /* functions up the stack that still use it */
	struct dtls_entry entry;
	struct dtls_devices_entry of_device;
	struct dtls_timer timer;
	int64_t established_us;
	int64_t heard_us;
	struct dtls_local local;
	struct tg_bytes in;               /* what the BIO reads next: one datagram or record, borrowed */
	size_t data_max;                  /* of one datagram of data */
	struct dtls_handshake *handshake; /* NULL once established */
	char *device;
	uint64_t generation; /* of the device's key */
	void *user;
};

struct dtls {
	const struct tg_host *host;
	const struct dtls_events *events;
	void *arg;
	struct dtls_limits limits;
	struct dtls_socket *socket;
	struct dtls_cookies *cookies;
	struct dtls_table *table;
	struct dtls_devices devices;
	struct dtls_rates *rates;
	struct dtls_grey *grey;
	struct tg_timer *grey_timer;
	bool grey_set;
	struct dtls_timers timers;
	struct tg_timer *timer;
	int64_t timer_at_us; /* 0: not set */
	SSL_CTX *context;
	struct tg_ticket_key ticket_keys[DTLS_TICKET_KEYS_MAX];
	size_t ticket_keys_count;
	uint64_t trust; /* dtls_ticket_trust of the context */
	BIO_METHOD *bio;
	BIO_ADDR *nobody;
	struct dtls_session *listener; /* NULL: to be made */
	uint64_t last_handle;
	unsigned freed; /* sessions, since their memory was given back */
	struct tg_timer *trim_timer;
	bool accepting;
	uint8_t plain[DTLS_SOCKET_IN_MAX];
};

static inline struct dtls_session *dtls_session_of(struct dtls_entry *entry)
{
	return (struct dtls_session *)(void *)((char *)entry - offsetof(struct dtls_session, entry));
}

static inline struct dtls_session *dtls_session_of_device(struct dtls_devices_entry *entry)
{
	return entry ? (struct dtls_session *)(void *)((char *)entry - offsetof(struct dtls_session, of_device)) : NULL;
}

static inline struct dtls_session *dtls_session_of_timer(struct dtls_timer *timer)
{
	return (struct dtls_session *)(void *)((char *)timer - offsetof(struct dtls_session, timer));
}

static inline int64_t dtls_now_us(const struct dtls *dtls)
{
	return dtls->host->now_us(dtls->host);
}

/* dtls_bio.c: a BIO that reads session->in and writes to the socket's batch. */
BIO_METHOD *dtls_bio_method(void);
int dtls_bio_attach(struct dtls_session *session);

/* dtls_session.c */
int dtls_session_new(struct dtls *dtls, struct dtls_session **ret_session);
/* Between these two a session is not freed, whatever the owner does in its callbacks. */
void dtls_session_enter(struct dtls_session *session);
void dtls_session_leave(struct dtls_session *session);
/* Takes it out of everything and frees it, now or when it is left. Accepts NULL. */
void dtls_session_drop(struct dtls_session *session);
/* Ends an established one. `notify`: call `ended`. */
void dtls_session_end(struct dtls_session *session, enum dtls_end why, bool notify);
/* The handshake is done. */
void dtls_session_establish(struct dtls_session *session);
/* Gives one datagram to an established session. Returns whether it was its own: protected with its keys. */
bool dtls_session_feed(struct dtls_session *session, struct tg_bytes datagram);
/* Sets the host's timer by the earliest of all. */
void dtls_session_arm(struct dtls *dtls);

/* dtls_listen.c: a ClientHello has come. */
void dtls_listen_due(void *arg);
void dtls_listen(struct dtls *dtls, const struct dtls_datagram *datagram);

/* dtls_room.c: whether a session was quiet for so long that it may go for another; ends those that are too many with this new one, or
 * this one. */
bool dtls_room_can_be(const struct dtls *dtls);
void dtls_room_make(struct dtls_session *session);

/* dtls_handshake.c: from the ClientHello with its cookie, which OpenSSL has, to the end. */
void dtls_handshake_begin(struct dtls_session *session, struct tg_bytes hello);
void dtls_handshake_feed(struct dtls_session *session, struct tg_bytes datagram);
/* Something was answered, or its time has come. */
void dtls_handshake_resolve(struct dtls_session *session, const struct tg_identity *identity);
void dtls_handshake_timeout(struct dtls_session *session);
/* Tells `failed` and drops it. */
void dtls_handshake_fail(struct dtls_session *session, enum dtls_end why, const char *detail);

/* dtls_resume.c: a session that is resumed by a ticket. OpenSSL must decide about a ticket while it reads the ClientHello, and cannot
 * wait. So the first time that it comes upon a ticket that could be good, it is made to stop, before it has sent anything; and when
 * the owner has answered, it reads the same ClientHello once more. */
/* Keeps a ClientHello, or a further piece of it. */
void dtls_resume_keep(struct dtls_session *session, struct tg_bytes bytes);
/* The ClientHello is read. Returns whether the owner is to be asked now; otherwise it is not kept any longer, and the handshake
 * goes the way that OpenSSL has taken. */
bool dtls_resume_asks(struct dtls_session *session);
/* Whether the owner's answer is about the very device, with the very key, that the ticket was made for. */
bool dtls_resume_is_bound(const struct dtls_session *session, const struct tg_identity *identity);
/* Gives OpenSSL the kept ClientHello again. Returns whether it took it. */
bool dtls_resume_again(struct dtls_session *session, struct tg_bytes hello);

/* dtls_callback.c: what OpenSSL asks for. */
unsigned int dtls_callback_psk(SSL *ssl, const char *identity, unsigned char *ret_key, unsigned int size);
int dtls_callback_cookie_make(SSL *ssl, unsigned char *ret_cookie, unsigned int *ret_size);
int dtls_callback_cookie_check(SSL *ssl, const unsigned char *cookie, unsigned int size);

/* dtls.c: calls `failed`. */
void dtls_report(struct dtls *dtls, const struct dtls_peer *peer, enum dtls_end why, const char *detail);

#endif
