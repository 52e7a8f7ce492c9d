/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_PEER_H
#define COAP_DTLS_PEER_H

/*
 * A peer's address as a key: IPv4 addresses in their mapped form, without padding, so that two are equal when their bytes are.
 * Whoever sends datagrams chooses their source, so the hash is keyed.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct dtls_peer {
	uint8_t address[16];
	uint32_t scope; /* interface of a link-local address, else 0 */
	uint16_t port;  /* network order */
	uint16_t zero;
};

union dtls_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

enum { DTLS_PEER_WORDS = sizeof(struct dtls_peer) / 4 };

/* Random numbers; which peers share a hash depends on them. */
struct dtls_hash_key {
	uint64_t number[DTLS_PEER_WORDS + 1];
};

void dtls_peer_of(const union dtls_address *address, struct dtls_peer *ret_peer);
/* For a socket of this family. Returns the address' length. */
socklen_t dtls_peer_address(const struct dtls_peer *peer, sa_family_t family, union dtls_address *ret_address);

/* What one host can choose from at will counts as one: an IPv4 address, an IPv6 /64; without port. */
void dtls_peer_network(const struct dtls_peer *peer, struct dtls_peer *ret_network);

/* Two different peers collide with a probability of 2^-32 over the choice of the key.
 * Source: Lemire and Kaser, "Strongly universal string hashing is fast", 2014 (multilinear). */
uint32_t dtls_peer_hash(const struct dtls_hash_key *key, const struct dtls_peer *peer);

static inline bool dtls_peer_is_link_local(const struct dtls_peer *peer)
{
	return peer->address[0] == 0xfe && (peer->address[1] & 0xc0) == 0x80;
}

#endif
