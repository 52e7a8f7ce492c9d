/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "dtls_session.h"

/* Whether the ClientHello belongs to the handshake that made this session: sent again, or late. */
static bool listen_is_repeat(struct dtls_entry *entry, struct tg_bytes hello)
{
	uint8_t random[DTLS_RANDOM_SIZE];

	return entry && SSL_get_client_random(dtls_session_of(entry)->ssl, random, sizeof(random)) == sizeof(random) &&
	       memcmp(random, dtls_record_hello_random(hello), sizeof(random)) == 0;
}

/* In words, why this peer may not begin a handshake now. */
static const char *listen_limit(struct dtls *dtls, const struct dtls_peer *peer)
{
	const struct dtls_rate rate = {dtls->limits.handshakes_an_address, dtls->limits.handshakes_burst};

	if (dtls_table_half_open(dtls->table, peer) >= dtls->limits.half_open_an_address)
		return "too many handshakes of one address at once";
	if (!dtls_rates_take(dtls->rates, &rate, peer, dtls_now_us(dtls)))
		return "too many handshakes of one address in a short time";
	return NULL;
}

/* A flood of handshakes that nobody goes on with pushes out its own, as an honest one is through long before its turn comes. Where a
 * quiet session is to make room for what comes through, they need not fit beside the others. */
static void listen_make_room(struct dtls *dtls)
{
	struct dtls_entry *stale = dtls_table_stale(dtls->table, DTLS_PLACE_HALF_OPEN);
	size_t half_open = dtls_table_count(dtls->table, DTLS_PLACE_HALF_OPEN);
	size_t sessions = half_open + dtls_table_count(dtls->table, DTLS_PLACE_ESTABLISHED);

	if (stale &&
	    (half_open >= dtls->limits.half_open || (sessions >= dtls->limits.sessions && !dtls_room_can_be(dtls))))
		dtls_handshake_fail(dtls_session_of(stale), DTLS_END_LIMIT, "made room for another handshake");
}

static struct dtls_session *listen_take(struct dtls *dtls)
{
	struct dtls_session *session = dtls->listener;

	session->handshake = calloc(1, sizeof(*session->handshake));
	if (!session->handshake)
		return NULL;
	session->handshake->end_us = dtls_now_us(dtls) + dtls->limits.handshake_us;
	session->entry.handle = dtls->last_handle + 1;
	if (dtls_table_put(dtls->table, &session->entry, DTLS_PLACE_HALF_OPEN) < 0) {
		free(session->handshake);
		session->handshake = NULL;
		return NULL;
	}
	session->state = DTLS_HALF_OPEN;
	dtls->last_handle++;
	dtls->listener = NULL;
	return session;
}

static void listen_accept(struct dtls *dtls, const struct dtls_datagram *datagram)
{
	const struct dtls_peer *peer = &datagram->peer;
	struct dtls_entry *older = dtls_table_find(dtls->table, DTLS_PLACE_HALF_OPEN, peer);

	if (older)
		dtls_handshake_fail(dtls_session_of(older), DTLS_END_REPLACED, "the peer began anew");
	const char *limit = listen_limit(dtls, peer);
	if (limit) {
		dtls_report(dtls, peer, DTLS_END_LIMIT, limit);
		return;
	}
	listen_make_room(dtls);
	struct dtls_session *session = listen_take(dtls);
	if (session)
		dtls_handshake_begin(session, datagram->bytes);
	else
		dtls_report(dtls, peer, DTLS_END_HANDSHAKE, "out of memory");
}

/* Gives back what a flood has taken, once it is over. */
void dtls_listen_due(void *arg)
{
	struct dtls *dtls = arg;

	dtls_grey_tidy(dtls->grey, dtls_now_us(dtls));
	dtls->grey_set = dtls_grey_is_open(dtls->grey);
	if (dtls->grey_set)
		dtls->host->timer_set(dtls->grey_timer, dtls_now_us(dtls) + DTLS_GREY_SPAN_US);
}

static bool listen_pass(struct dtls *dtls, const struct dtls_datagram *datagram)
{
	bool pass = dtls_grey_pass(dtls->grey, dtls_now_us(dtls), &datagram->peer,
				   dtls_record_hello_random(datagram->bytes));

	if (!dtls->grey_set && dtls_grey_is_open(dtls->grey)) {
		dtls->grey_set = true;
		dtls->host->timer_set(dtls->grey_timer, dtls_now_us(dtls) + DTLS_GREY_SPAN_US);
	}
	return pass;
}

/* What DTLSv1_listen would answer. It is the one thing that anybody can have us do as often as he likes, and OpenSSL begins a whole
 * session anew for it: it has to cost as little as can be. */
static void listen_verify(struct dtls *dtls, const struct dtls_datagram *datagram)
{
	uint8_t cookie[DTLS_COOKIE_SIZE], answer[DTLS_RECORD_VERIFY_MAX];

	if (!listen_pass(dtls, datagram) ||
	    dtls_cookies_make(dtls->cookies, dtls_now_us(dtls), &datagram->peer, cookie) < 0)
		return;
	size_t size = dtls_record_verify(datagram->bytes, (struct tg_bytes){cookie, sizeof(cookie)}, answer);
	(void)dtls_socket_send(dtls->socket, &datagram->peer, &datagram->local, (struct tg_bytes){answer, size});
}

static bool listen_prepare(struct dtls *dtls, const struct dtls_datagram *datagram)
{
	if (!dtls->listener && dtls_session_new(dtls, &dtls->listener) < 0) {
		dtls_report(dtls, &datagram->peer, DTLS_END_HANDSHAKE, "out of memory");
		return false;
	}
	dtls->listener->entry.peer = datagram->peer;
	dtls->listener->local = datagram->local;
	return true;
}

void dtls_listen(struct dtls *dtls, const struct dtls_datagram *datagram)
{
	const struct dtls_peer *peer = &datagram->peer;
	struct dtls_entry *live = dtls_table_find(dtls->table, DTLS_PLACE_ESTABLISHED, peer);
	struct dtls_entry *half_open = dtls_table_find(dtls->table, DTLS_PLACE_HALF_OPEN, peer);

	if (!dtls->accepting || listen_is_repeat(live, datagram->bytes) || listen_is_repeat(half_open, datagram->bytes))
		return;
	/* Who has a session begins anew in its place. */
	if (!live && dtls_table_count(dtls->table, DTLS_PLACE_ESTABLISHED) >= dtls->limits.sessions &&
	    !dtls_room_can_be(dtls)) {
		dtls_report(dtls, peer, DTLS_END_LIMIT, "too many sessions");
		return;
	}
	if (dtls_record_hello_is_first(datagram->bytes)) {
		listen_verify(dtls, datagram);
		return;
	}
	if (!listen_prepare(dtls, datagram))
		return;
	dtls->listener->in = datagram->bytes;
	int r = DTLSv1_listen(dtls->listener->ssl, dtls->nobody);
	dtls->listener->in = (struct tg_bytes){NULL, 0};
	if (r > 0) {
		listen_accept(dtls, datagram);
	} else if (r < 0) {
		dtls_session_drop(dtls->listener);
		dtls->listener = NULL;
		dtls_report(dtls, peer, DTLS_END_HANDSHAKE, "openssl: cannot listen");
	} else if (ERR_peek_error() != 0) {
		dtls_report(dtls, peer, DTLS_END_REASONS, "malformed client hello");
	}
	ERR_clear_error();
}
