/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_SESSION_INTERNAL_H
#define MQTT_SESSION_INTERNAL_H

/* What session.c (the connection's life on the loop) and session_connect.c (its making, its thread, its end) share. */

#include <pthread.h>

#include "common/tls.h"
#include "session.h"
#include "transport.h"

enum session_state {
	SESSION_NEW,
	SESSION_CONNECTING, /* the thread has it */
	SESSION_HANDSHAKE,  /* TLS, CONNECT, CONNACK */
	SESSION_UP,
	SESSION_CLOSING, /* DISCONNECT was said */
	SESSION_LOST     /* `lost` is due, or was told */
};

struct session {
	const struct tg_host *host;
	const struct session_events *events;
	void *arg;
	enum session_state state;
	bool closing;
	bool accepted; /* CONNACK with success */
	bool shut;
	bool version5;
	int64_t deadline_us; /* of connecting, then of closing */
	struct session_limits limits;
	char cause[SESSION_CAUSE_SIZE];
	char description[192];

	struct mosquitto *mosq;
	struct ssl_ctx_st *context;
	struct tls *tls; /* NULL: without */
	struct tls_handshake handshake;
	char *server_name;
	struct transport *transport; /* with TLS, once up */
	int fd;                      /* a duplicate: the library closes its own whenever it likes */
	struct tg_watch *watch;
	uint32_t watched;
	struct tg_timer *idle;

	pthread_t thread;
	/* For the thread; the main thread leaves them alone while it runs. */
	char *address;
	uint16_t port;
	int keepalive_s;
	struct mqtt5__property *properties;
	int rc;
	int error;

	/* Both threads. */
	pthread_mutex_t mutex;
	bool posted;    /* the thread is done */
	bool abandoned; /* the main thread will not come back: the thread frees everything */
	/* The main thread. */
	bool running; /* from the thread's start until its result has arrived */
	bool orphan;
	struct session *next_orphan;
	struct session_orphans *orphans;
};

void session_on_ready(void *arg, int fd, uint32_t ready);
void session_on_idle(void *arg);

#endif
