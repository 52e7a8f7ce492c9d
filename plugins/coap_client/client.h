/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_CLIENT_H
#define COAP_CLIENT_CLIENT_H

/*
 * The gateway as CoAP client of devices that are CoAP servers. Each device of the settings is a peer with at most one session; what is
 * observed or polled of it is a watch.
 *
 * A peer's life: it rests; the core is asked for its key (or whether it is known by a certificate), the name of its host is looked up,
 * a handshake is made; then it is up until the session is lost, and rests again. The functions that libcoap calls only note down
 * what has happened and wake the peer: sessions begin and end in peer_turn alone.
 *
 *	coap_client.c  what the host calls
 *	peer.c         the life of a peer; peer_session.c: what happens on its session; peer_oscore.c: where OSCORE protects it
 *	watch.c        one resource
 *	discover.c     /.well-known/core
 *	command.c      requests from the core
 */

#include <tidegate/adapter.h>

#include "finished.h"
#include "names.h"
#include "order.h"
#include "oscore.h"
#include "plan.h"
#include "request.h"
#include "stack.h"

enum client_counter {
	COUNT_SESSIONS,
	COUNT_HANDSHAKES,
	COUNT_HANDSHAKE_FAILURES,
	COUNT_SESSIONS_LOST,
	COUNT_OBSERVATIONS,
	COUNT_NOTIFICATIONS,
	COUNT_NOTIFICATIONS_OLD,
	COUNT_REGISTERED_AGAIN,
	COUNT_POLLS,
	COUNT_UNCHANGED,
	COUNT_FAILED_READINGS,
	COUNT_READINGS,
	COUNT_REFUSED,
	COUNT_DISCOVERIES,
	COUNT_DISCOVERED,
	COUNT_COMMANDS,
	COUNT_ANSWERED,
	COUNT_COMMANDS_LATER,
	COUNT_REMEMBERED,
	COUNT_REFUSED_MESSAGES,
	N_COUNTERS
};

struct client;
struct peer;

struct watch {
	struct watch *next;
	struct peer *peer;
	char *address;     /* "/path?query" */
	char *path;        /* of its submissions */
	uint32_t period_s; /* of polls; 0: to be observed */
	bool discovered;   /* by the device's own word */
	bool wanted;       /* while settings or links are compared */
	bool observing;    /* the device has agreed to notify */
	uint64_t token;    /* of the observation, also while it is asked for; 0: none */
	struct order order;
	struct request *request; /* in progress */
	struct request *rest;    /* the further blocks of a notification */
	int64_t due_us; /* the next poll, or when the observation counts as lost; behind `request`; 0: nothing */
	uint8_t etag[STACK_ETAG_MAX];
	size_t etag_size;
	bool complained; /* of an error, until it is over */
	/* The last reading, until the core has taken it. */
	uint64_t submission; /* its token; 0: none is out */
	int64_t again_us;    /* to be handed in again then; 0: no */
	struct tg_bytes payload;
	int32_t format;
};

struct command {
	struct command *next;
	struct peer *peer;
	uint8_t id[TG_ID_SIZE];
	uint64_t ticket;
	struct request *request;
};

enum peer_state { PEER_IDLE, PEER_RESTING, PEER_ASKING, PEER_RESOLVING, PEER_SHAKING, PEER_UP };

struct peer {
	struct peer *next;
	struct client *client;
	struct texts_device texts;
	enum peer_state state;
	struct tg_timer *timer;
	int64_t due_us; /* of the state: the next attempt, or when to give up; 0: never */
	unsigned failures;
	unsigned turn;     /* which of the addresses of its name comes next */
	uint64_t question; /* to the core; 0: none */
	enum tg_proof proof;
	uint64_t generation;
	struct names_question *names;
	struct tls_peer tls;
	struct sockaddr_storage address;
	struct stack_session *session;
	uint64_t handle;               /* of the session that the host was told of; 0: none */
	bool shaken;                   /* the handshake is over, or the first answer under OSCORE was verified */
	struct oscore_context *oscore; /* NULL: not protected by it */
	struct oscore_value recipient; /* of it: no part of what the table knows a context by */
	bool told_refused;             /* that something was refused, since the last session */
	bool told_problem;             /* why its context cannot be used */
	const char *lost;              /* why the session is to end; NULL: it is not */
	bool owes_awake;               /* the core has a command for it, and waits to hear that it is there */
	int64_t again_us;              /* on a live session: when the core is told so, heard or not */
	bool wanted;                   /* while settings are compared */
	struct requests requests;
	struct watch *watches;
	struct command *commands;
	bool discovers;
	int64_t discover_us; /* the next time */
	struct request *discovery;
};

struct client {
	const struct tg_host *host;
	struct plan *plan;
	struct stack *stack;
	struct finished *finished;
	struct oscore *oscore;
	struct peer *peers;
	size_t n_peers;
	size_t n_up;
	size_t n_observing;
	size_t n_commands;
	uint64_t numbers; /* of look-ups, submissions and sessions */
	bool stopping;
};

/* peer.c */
int peer_new(struct client *client, const struct texts_device *texts, struct peer **ret_peer);
void peer_free(struct peer *peer);
struct peer *peer_find(const struct client *client, struct tg_bytes name);
/* Runs peer_turn soon. */
void peer_wake(struct peer *peer);
void peer_identity(struct peer *peer, const struct tg_identity *identity);
/* Ends the session and everything on it; the next attempt is at `retry_us`. `cause` is for the log, NULL: says nothing. */
void peer_end(struct peer *peer, const char *cause, int64_t retry_us);
/* Tells the host how many are there. */
void peer_tell_link(const struct client *client);

/* peer_session.c */
extern const struct stack_calls peer_stack_calls;
int peer_open(struct peer *peer);
void peer_begun(struct peer *peer);
void peer_tell_session(const struct peer *peer);

/* peer_oscore.c */
/* What the settings say of it now; returns whether its session has to be another one. */
bool peer_set_protection(struct peer *peer);
/* Whether there is nothing that keeps it from being spoken to. Says once why not. */
bool peer_can_speak(struct peer *peer);
int peer_open_protected(struct peer *peer);
/* Something was refused. */
void peer_refused(struct peer *peer, const char *why);

/* watch.c */
/* Errors: -ENOMEM; -EINVAL: the address. */
int watch_new(struct peer *peer, const char *address, struct watch **ret_watch);
void watch_free(struct watch *watch);
struct watch *watch_find(const struct peer *peer, const char *address);
void watch_up(struct watch *watch);
void watch_down(struct watch *watch);
/* Does what is due. Returns when the next thing is; 0: nothing. */
int64_t watch_turn(struct watch *watch, int64_t now_us);
/* A response with the token of its observation. */
void watch_notified(struct watch *watch, const struct stack_message *message);
void watch_set_period(struct watch *watch, uint32_t period_s);

/* reading.c: from the watch to the core */
void reading_take(struct watch *watch, const struct stack_message *message);
void reading_submit(struct watch *watch);
void reading_verdict(struct watch *watch, const struct tg_answer *answer);

/* discover.c */
int64_t discover_turn(struct peer *peer, int64_t now_us);

/* command.c */
int command_deliver(struct client *client, const struct tg_delivery *delivery);
/* Tells the core that a device which it waits for is there. */
void command_awake(struct peer *peer);
/* The same where it is time for that, and there is room for what comes. Returns when the next time is; 0: none. */
int64_t command_turn(struct peer *peer, int64_t now_us);

#endif
