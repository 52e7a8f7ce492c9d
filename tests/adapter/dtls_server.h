/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DTLS_SERVER_H
#define TESTS_DTLS_SERVER_H

/*
 * The coap adapter's DTLS layer on a mock host, with an owner that notes what it is told and echoes every datagram. It knows
 * the PSK identities "sensor-1" to "sensor-9" with SERVER_KEY, and certificates whose name holds "device". Time is virtual.
 */

#include "coap/dtls.h"
#include "dtls_client.h"
#include "mock_host.h"

#define SERVER_KEY "sesame-sesame-16"

enum { SERVER_TRIES_MS = 10000 };

struct server {
	struct mock_host *mock;
	struct dtls *dtls;
	/* What it is to do. */
	bool by_hand;        /* leaves look-ups to server_answer */
	bool silent;         /* does not echo */
	bool forgetful;      /* knows nobody */
	uint64_t generation; /* of every device */
	bool close_next;     /* dtls_close from within `received`, or `established` */
	int refuse;          /* authenticate returns it; 0: does not */
	/* What happened. */
	unsigned failed[DTLS_END_REASONS + 1];
	unsigned ended[DTLS_END_REASONS];
	char detail[256]; /* of the last failure */
	unsigned asked;
	uint64_t handle; /* of the last question */
	enum tg_proof proof;
	char identity[1100];
	size_t identity_size;
	unsigned established;
	struct dtls_session *session; /* the last established */
	char device[256];
	char cipher[64];
	unsigned resumed;
	struct tg_session described; /* the last established; its texts may be gone */
	unsigned received;
	char data[2048]; /* the last, terminated */
};

extern const struct dtls_limits server_limits;

void server_start(const struct dtls_limits *limits, const struct dtls_credentials *credentials,
		  struct server *ret_server);
/* On this address, any port; server_start takes every one of IPv6 and IPv4. */
void server_start_at(const struct sockaddr *address, socklen_t length, const struct dtls_limits *limits,
		     const struct dtls_credentials *credentials, struct server *ret_server);
void server_stop(struct server *server);
/* Answers a question as the owner would by itself. */
void server_answer(struct server *server, uint64_t handle, enum tg_proof proof, const char *identity);

/* One turn of everybody. */
void server_turn(struct server *server, struct client **clients, unsigned count);
/* Turns until the client's handshake is done, or has failed; returns whether it is done. */
bool server_connect(struct server *server, struct client *client);
/* Sends text and waits for its echo. */
void server_echo(struct server *server, struct client *client, const char *text);
/* A client that connects, is echoed and leaves. Returns whether its session was resumed. The session that it has now replaces
 * *session, which is freed; NULL at first. */
bool server_visit(struct server *server, struct client *client, SSL_SESSION **session);
/* A few turns, for what must not happen to happen. */
void server_settle(struct server *server, struct client *client);

/* Turns until the condition holds, and ends the test where it does not. */
#define SERVER_UNTIL(server, peer, condition)                                                                          \
	do {                                                                                                           \
		struct client *until_[] = {peer};                                                                      \
		int64_t end_ = mock_deadline(SERVER_TRIES_MS);                                                         \
		while (!(condition) && mock_before((server)->mock, end_))                                              \
			server_turn((server), until_, 1);                                                              \
		ck_assert_msg((condition), "%s", #condition);                                                          \
	} while (0)

#endif
