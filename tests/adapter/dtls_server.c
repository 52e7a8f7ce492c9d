/* SPDX-License-Identifier: Apache-2.0 */
#include "adapter/dtls_server.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SERVER_SETTLE = 20 };

const struct dtls_limits server_limits = {
	.sessions = 100,
	.sessions_a_device = 100,
	.half_open = 50,
	.half_open_an_address = 20,
	.handshakes_an_address = 1000,
	.handshakes_burst = 10000,
	.idle_us = INT64_C(600000000),
	.handshake_us = INT64_C(30000000),
	.ticket_lifetime_us = INT64_C(3600000000),
};

static const struct tg_adapter server_adapter = {
	.major = TG_ADAPTER_MAJOR,
	.size = sizeof(struct tg_adapter),
	.name = "server",
	.settings = (const struct tg_setting[]){{.name = NULL}},
	.counters = (const char *const[]){NULL},
};

void server_answer(struct server *server, uint64_t handle, enum tg_proof proof, const char *identity)
{
	bool known = proof == TG_PROOF_PSK
			     ? strncmp(identity, "sensor-", 7) == 0 && strlen(identity) == 8
			     : strstr(identity, "device") != NULL ||
				       (proof == TG_PROOF_RESUMED && strncmp(identity, "sensor-", 7) == 0);
	struct tg_identity answer = {.size = sizeof(answer), .generation = server->generation};

	if (server->forgetful)
		known = false;
	answer.known = known;

	if (known)
		answer.device = (struct tg_bytes){identity, strlen(identity)};
	if (proof == TG_PROOF_PSK)
		answer.key = (struct tg_bytes){known ? SERVER_KEY : "a key that nobody has", 16};
	dtls_resolve(server->dtls, handle, &answer);
}

static int server_authenticate(void *arg, uint64_t handle, enum tg_proof proof, struct tg_bytes identity)
{
	struct server *server = arg;

	server->asked++;
	server->handle = handle;
	server->proof = proof;
	server->identity_size = identity.size;
	memcpy(server->identity, identity.data, identity.size);
	server->identity[identity.size] = '\0';
	if (server->refuse)
		return server->refuse;
	if (!server->by_hand)
		server_answer(server, handle, proof, server->identity);
	return 0;
}

static void server_established(void *arg, struct dtls_session *session)
{
	struct server *server = arg;

	server->established++;
	server->session = session;
	snprintf(server->device, sizeof(server->device), "%s", dtls_device(session));
	server->resumed += dtls_is_resumed(session);
	dtls_describe(session, &server->described);
	snprintf(server->cipher, sizeof(server->cipher), "%s", dtls_cipher(session));
	ck_assert_ptr_null(dtls_user(session));
	ck_assert_ptr_eq(dtls_find(server->dtls, dtls_handle(session)), session);
	dtls_set_user(session, server);
}

static void server_received(void *arg, struct dtls_session *session, struct tg_bytes datagram)
{
	struct server *server = arg;

	ck_assert_ptr_eq(dtls_user(session), server);
	ck_assert_uint_lt(datagram.size, sizeof(server->data));
	server->received++;
	memcpy(server->data, datagram.data, datagram.size);
	server->data[datagram.size] = '\0';
	if (server->close_next)
		dtls_close(session);
	else if (!server->silent)
		ck_assert_int_eq(dtls_send(session, datagram), 0);
}

static void server_ended(void *arg, struct dtls_session *session, enum dtls_end why)
{
	struct server *server = arg;

	ck_assert_ptr_eq(dtls_user(session), server);
	ck_assert_ptr_null(dtls_find(server->dtls, dtls_handle(session)));
	ck_assert_int_eq(dtls_send(session, (struct tg_bytes){"x", 1}), -ENOTCONN);
	dtls_close(session);
	server->ended[why]++;
}

static void server_failed(void *arg, const struct sockaddr *peer, enum dtls_end why, const char *detail)
{
	struct server *server = arg;

	ck_assert(peer->sa_family == AF_INET || peer->sa_family == AF_INET6);
	server->failed[why]++;
	snprintf(server->detail, sizeof(server->detail), "%s", detail ? detail : "");
}

static const struct dtls_events server_events = {
	.authenticate = server_authenticate,
	.established = server_established,
	.received = server_received,
	.ended = server_ended,
	.failed = server_failed,
};

void server_start_at(const struct sockaddr *address, socklen_t length, const struct dtls_limits *limits,
		     const struct dtls_credentials *credentials, struct server *ret_server)
{
	const struct dtls_credentials none = {-1, -1, -1, -1, false};
	const char *problem = "";

	memset(ret_server, 0, sizeof(*ret_server));
	ck_assert_int_ge(mock_host_new(&server_adapter, &ret_server->mock), 0);
	ret_server->mock->virtual_time = true;
	ret_server->mock->crypto = "compatible"; /* which has every suite that there is */
	ret_server->mock->now_us = INT64_C(1000000000);
	const struct dtls_bind place = {.address = address, .length = length};
	int r = dtls_new(&ret_server->mock->host, &place, limits ? limits : &server_limits,
			 credentials ? credentials : &none, &server_events, ret_server, &ret_server->dtls, &problem);
	ck_assert_msg(r == 0, "%s", problem);
	ck_assert_int_ge(dtls_start(ret_server->dtls), 0);
}

void server_start(const struct dtls_limits *limits, const struct dtls_credentials *credentials,
		  struct server *ret_server)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6};

	server_start_at((const struct sockaddr *)&any, sizeof(any), limits, credentials, ret_server);
}

void server_stop(struct server *server)
{
	dtls_free(server->dtls);
	mock_host_free(server->mock);
}

void server_turn(struct server *server, struct client **clients, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (clients[i])
			client_step(clients[i]);
	mock_turn(server->mock, 1000);
}

bool server_connect(struct server *server, struct client *client)
{
	SERVER_UNTIL(server, client, client_step(client));
	return client->connected && !client->failed;
}

void server_echo(struct server *server, struct client *client, const char *text)
{
	unsigned before = client->data_count;

	client_send(client, text);
	SERVER_UNTIL(server, client, client->data_count > before);
	ck_assert_str_eq(client->data, text);
}

bool server_visit(struct server *server, struct client *client, SSL_SESSION **session)
{
	unsigned resumed = server->resumed;

	ck_assert_msg(server_connect(server, client), "%s", server->detail);
	server_echo(server, client, "21.5");
	SSL_SESSION_free(*session);
	*session = SSL_get1_session(client->ssl);
	ck_assert_int_eq(SSL_session_reused(client->ssl), server->resumed > resumed);
	client_close(client);
	SERVER_UNTIL(server, client, dtls_sessions(server->dtls) == 0);
	client_free(client);
	return server->resumed > resumed;
}

void server_settle(struct server *server, struct client *client)
{
	for (unsigned i = 0; i < SERVER_SETTLE; i++)
		server_turn(server, &client, 1);
}
