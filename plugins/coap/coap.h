/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_COAP_H
#define COAP_COAP_H

/*
 * The inside of the coap adapter, for coap.c, which is its life, listeners.c, which has its sockets, sessions.c, which hears of
 * sessions, server.c, which is what happens to a request, live.c, which tells the operator who is there, and plain_listener.c, which is
 * for listeners without DTLS.
 *
 * The life of a request: dtls hands server_received a datagram, message checks it, exchange knows repeats, pings and
 * acknowledgements and keeps those, resource answers at once or says that it is a reading, block puts its pieces together, and
 * the whole goes to the host. The verdict finds its exchange by a token, which is never found again once its session has gone.
 *
 * The life of a command is told in command.h; command_sink.c finds its session.
 */

#include "catalogue_server.h"
#include "command_sink.h"
#include "directory_server.h"
#include "dtls.h"
#include "multicast.h"
#include "plain.h"
#include "reader.h"
#include "resource.h"
#include "settings.h"

/* The places of the counters in tg_adapter.counters. */
enum coap_counter {
	COAP_SESSIONS,
	COAP_HALF_OPEN,
	COAP_HANDSHAKES, /* that succeeded */
	COAP_RESUMED,    /* those of them by a ticket */
	COAP_FAILED,     /* by reason, DTLS_END_ERROR and up */
	COAP_DROPPED = COAP_FAILED + DTLS_END_REASONS - DTLS_END_ERROR,
	COAP_ENDED, /* by reason, up to DTLS_END_REPLACED */
	COAP_REQUESTS = COAP_ENDED + DTLS_END_REPLACED + 1,
	COAP_MALFORMED,
	COAP_READS,                                    /* of last readings */
	COAP_OBSERVERS,                                /* of last readings, now */
	COAP_OBSERVE,                                  /* by enum observe_count */
	COAP_EXCHANGE = COAP_OBSERVE + OBSERVE_COUNTS, /* by enum exchange_count */
	COAP_PLAIN = COAP_EXCHANGE + EXCHANGE_COUNTS,
	COAP_PLAIN_PEERS,
	COAP_PLAIN_DROPPED,
	COAP_COMMAND, /* by enum command_count */
	COAP_COMMANDS_ANSWERED = COAP_COMMAND + COMMAND_COUNTS,
	COAP_COMMANDS_REJECTED,
	COAP_COMMANDS_UNANSWERED,
	COAP_COMMANDS_REMEMBERED,
	COAP_REGISTRATIONS,
	COAP_MULTICAST, /* by enum multicast_count */
	COAP_MULTICAST_LAST = COAP_MULTICAST + MULTICAST_COUNTS - 1,
	COAP_CATALOGUES,
	COAP_COUNTERS
};

enum { LIVE_PEER_MAX = INET6_ADDRSTRLEN + 16, LIVE_BASE_MAX = LIVE_PEER_MAX + 8 };

struct coap;
struct server_session;

struct coap_listener {
	struct coap *coap;
	struct dtls *dtls;
	struct plain *plain; /* or this, at coap:// */
	unsigned index;
};

struct coap {
	const struct tg_host *host;
	struct coap_listener listeners[SETTINGS_LISTEN_MAX];
	unsigned n_listeners;
	struct coap_listener plains[SETTINGS_LISTEN_MAX];
	unsigned n_plains;
	struct exchange_table *exchanges;
	struct block_table *blocks;
	struct reader_table *readers;
	struct catalogue_server *catalogues;
	struct command_sink *commands;
	struct resource_links links;
	struct resource_links plain_links;  /* what is there at coap:// */
	struct directory_server *directory; /* NULL: there is none */
	struct multicast *multicast;        /* likewise */
	struct tg_timer *timer;
	int64_t timer_us; /* when it fires, INT64_MAX: not set */
	struct server_session *sessions;
	int64_t failures_us; /* handshakes that failed in the second from then on: */
	unsigned failures;
	bool keys_alone; /* no certificate of the settings is in use: one of the files cannot be used */
	bool stopping;
	bool stopped;
};

/* coap.c: says that all is finished as soon as that is so, once the end has begun. */
void coap_stop_when_done(struct coap *coap);

/* listeners.c: binds all of them; takes their files anew. Both log what is wrong. */
int listeners_open(struct coap *coap, const struct settings *settings);
int listeners_reload(struct coap *coap);

/* Where one of them listens, with what the service manager has bound there. */
struct listener_sockets {
	struct dtls_bind place;
	int given[DTLS_BIND_GIVEN_MAX];
	size_t n_taken;
};
/* Ownership: listener_sockets_close, also on failure. `address` must live as long. Errors: -errno. */
int listener_sockets_get(const struct tg_host *host, const struct settings_address *address, unsigned place,
			 struct listener_sockets *ret_sockets);
void listener_sockets_close(struct listener_sockets *sockets);

/* sessions.c: of dtls_new; the argument is a struct coap_listener. */
extern const struct dtls_events sessions_events;

/* What dtls hands on. `arg` is a struct coap_listener. */
void server_received(void *arg, struct dtls_session *session, struct tg_bytes datagram);
void server_plain_received(struct coap *coap, struct plain_peer *peer, struct tg_bytes datagram);
void server_plain_ended(struct coap *coap, struct plain_peer *peer);
/* What this session has of commands, or NULL: there is no memory. */
struct command_session *server_commands(struct coap *coap, struct dtls_session *session);
/* Forgets what is kept for this session, or for all. */
void server_ended(struct coap *coap, struct dtls_session *session);
void server_done(struct coap *coap);
void server_verdict(struct coap *coap, uint64_t token, const struct tg_answer *answer);

/* listeners.c: joins the groups of the setting "multicast", for the first listener at coaps://. Logs what is wrong. */
int listeners_join(struct coap *coap);

/* The listeners at coap://. The address is the setting's at `place`. Logs what is wrong. */
int plain_listener_open(struct coap *coap, const struct settings *settings, const struct settings_address *address,
			unsigned place);
/* Says what it means that there are some. */
int plain_listeners_start(struct coap *coap);
void plain_listeners_reload(struct coap *coap, const struct settings *settings);
void plain_listeners_free(struct coap *coap);

/* Tells the host of one session, or of all. `arg` is a struct coap_listener. */
void live_begun(void *arg, struct dtls_session *session);
void live_ended(const struct coap_listener *listener, const struct dtls_session *session);
void live_tell_all(struct coap *coap);
/* "192.0.2.7:5684", "[2001:db8::7]:5684" */
void live_peer_text(const struct sockaddr *peer, char ret_text[LIVE_PEER_MAX]);
/* What the directory has to know of the session. Ownership: *ret_peer borrows from both others. */
void live_directory_peer(struct dtls_session *session, char base[LIVE_BASE_MAX], struct directory_peer *ret_peer);

/* Of exchange_table_new; the argument is a struct coap. */
extern const struct exchange_events server_exchange_events;
/* Of reader_table_new; likewise. */
extern const struct reader_events server_reader_events;

/* Has the timer fire when something is due. */
void server_schedule(struct coap *coap);

#endif
