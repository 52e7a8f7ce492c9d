/* SPDX-License-Identifier: Apache-2.0 */
/* Without these uthash ends the process when there is no memory. */
#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(element) (failed = true)

#include "plain.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <uthash.h>
#include <utlist.h>

#include "dtls_socket.h"

#define PLAIN_LIFETIME_US (INT64_C(1000000) * PLAIN_LIFETIME_S)

struct plain_peer {
	struct plain *plain;
	struct dtls_peer address;
	struct dtls_local local;
	void *user;
	int64_t heard_us;
	UT_hash_handle hh;
	struct plain_peer *prev; /* in the order of heard_us */
	struct plain_peer *next;
};

struct plain {
	const struct tg_host *host;
	const struct plain_events *events;
	void *arg;
	struct dtls_socket *socket;
	struct tg_timer *timer;
	bool timer_set;
	struct dtls_hash_key key;
	size_t limit;
	struct plain_peer *peers;
	struct plain_peer *oldest;
};

static void peer_remove(struct plain *plain, struct plain_peer *peer)
{
	HASH_DELETE(hh, plain->peers, peer);
	DL_DELETE(plain->oldest, peer);
}

static void peer_end(struct plain *plain, struct plain_peer *peer)
{
	peer_remove(plain, peer);
	plain->events->ended(plain->arg, peer);
	free(peer);
}

static void plain_schedule(struct plain *plain)
{
	if (plain->timer_set || !plain->oldest)
		return;
	plain->timer_set = true;
	plain->host->timer_set(plain->timer, plain->oldest->heard_us + PLAIN_LIFETIME_US);
}

static void plain_due(void *arg)
{
	struct plain *plain = arg;
	int64_t now_us = plain->host->now_us(plain->host);

	plain->timer_set = false;
	while (plain->oldest && plain->oldest->heard_us + PLAIN_LIFETIME_US <= now_us)
		peer_end(plain, plain->oldest);
	plain_schedule(plain);
}

static struct plain_peer *peer_find(struct plain *plain, const struct dtls_peer *address)
{
	struct plain_peer *peer = NULL;

	HASH_FIND_BYHASHVALUE(hh, plain->peers, address, sizeof(*address), dtls_peer_hash(&plain->key, address), peer);
	return peer;
}

static struct plain_peer *peer_new(struct plain *plain, const struct dtls_peer *address)
{
	struct plain_peer *peer = calloc(1, sizeof(*peer));
	bool failed = false;

	if (!peer)
		return NULL;
	peer->plain = plain;
	peer->address = *address;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, plain->peers, &peer->address, sizeof(peer->address),
				    dtls_peer_hash(&plain->key, address), peer);
	if (failed) {
		free(peer);
		return NULL;
	}
	DL_APPEND(plain->oldest, peer);
	while (HASH_COUNT(plain->peers) > plain->limit)
		peer_end(plain, plain->oldest);
	return peer;
}

static void plain_receive(void *arg, const struct dtls_datagram *datagram)
{
	struct plain *plain = arg;
	struct plain_peer *peer = NULL;

	if (datagram->bytes.data && datagram->peer.port != 0) {
		peer = peer_find(plain, &datagram->peer);
		if (!peer)
			peer = peer_new(plain, &datagram->peer);
	}
	if (!peer) {
		plain->events->dropped(plain->arg);
		return;
	}
	peer->local = datagram->local;
	peer->heard_us = plain->host->now_us(plain->host);
	DL_DELETE(plain->oldest, peer);
	DL_APPEND(plain->oldest, peer);
	plain_schedule(plain);
	plain->events->received(plain->arg, peer, datagram->bytes);
}

int plain_new(const struct tg_host *host, const struct dtls_bind *place, size_t peers,
	      const struct plain_events *events, void *arg, struct plain **ret_plain)
{
	struct plain *plain = calloc(1, sizeof(*plain));
	int r;

	if (!plain)
		return -ENOMEM;
	plain->host = host;
	plain->events = events;
	plain->arg = arg;
	plain->limit = peers;
	r = getrandom(&plain->key, sizeof(plain->key), 0) == sizeof(plain->key) ? 0 : -EIO;
	if (r >= 0)
		r = host->timer_new(host, plain_due, plain, &plain->timer);
	if (r >= 0)
		r = dtls_socket_new(host, place, plain_receive, plain, &plain->socket);
	if (r < 0) {
		plain_free(plain);
		return r;
	}
	*ret_plain = plain;
	return 0;
}

int plain_start(struct plain *plain)
{
	return dtls_socket_start(plain->socket);
}

void plain_free(struct plain *plain)
{
	if (!plain)
		return;
	for (struct plain_peer *peer; (peer = plain->oldest);) {
		peer_remove(plain, peer);
		free(peer);
	}
	dtls_socket_free(plain->socket);
	plain->host->timer_free(plain->timer);
	free(plain);
}

void plain_set_limit(struct plain *plain, size_t peers)
{
	plain->limit = peers;
}

size_t plain_peers(const struct plain *plain)
{
	return HASH_COUNT(plain->peers);
}

int plain_send(struct plain_peer *peer, struct tg_bytes datagram)
{
	return dtls_socket_send(peer->plain->socket, &peer->address, &peer->local, datagram);
}

void plain_set_user(struct plain_peer *peer, void *user)
{
	peer->user = user;
}

void *plain_user(const struct plain_peer *peer)
{
	return peer->user;
}
