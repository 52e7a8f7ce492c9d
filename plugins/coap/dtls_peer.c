/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_peer.h"

#include <string.h>

_Static_assert(sizeof(struct dtls_peer) == 24, "no padding: the bytes are the key");

static const uint8_t peer_mapped[12] = {[10] = 0xff, [11] = 0xff};

void dtls_peer_of(const union dtls_address *address, struct dtls_peer *ret_peer)
{
	memset(ret_peer, 0, sizeof(*ret_peer));
	if (address->any.sa_family == AF_INET) {
		memcpy(ret_peer->address, peer_mapped, sizeof(peer_mapped));
		memcpy(ret_peer->address + sizeof(peer_mapped), &address->v4.sin_addr, 4);
		ret_peer->port = address->v4.sin_port;
		return;
	}
	memcpy(ret_peer->address, &address->v6.sin6_addr, 16);
	ret_peer->port = address->v6.sin6_port;
	if (dtls_peer_is_link_local(ret_peer))
		ret_peer->scope = address->v6.sin6_scope_id;
}

socklen_t dtls_peer_address(const struct dtls_peer *peer, sa_family_t family, union dtls_address *ret_address)
{
	memset(ret_address, 0, sizeof(*ret_address));
	if (family == AF_INET) {
		ret_address->v4.sin_family = AF_INET;
		ret_address->v4.sin_port = peer->port;
		memcpy(&ret_address->v4.sin_addr, peer->address + sizeof(peer_mapped), 4);
		return sizeof(ret_address->v4);
	}
	ret_address->v6.sin6_family = AF_INET6;
	ret_address->v6.sin6_port = peer->port;
	ret_address->v6.sin6_scope_id = peer->scope;
	memcpy(&ret_address->v6.sin6_addr, peer->address, 16);
	return sizeof(ret_address->v6);
}

void dtls_peer_network(const struct dtls_peer *peer, struct dtls_peer *ret_network)
{
	struct dtls_peer network = *peer;

	network.port = 0;
	network.scope = 0;
	if (memcmp(network.address, peer_mapped, sizeof(peer_mapped)) != 0)
		memset(network.address + 8, 0, 8);
	*ret_network = network;
}

uint32_t dtls_peer_hash(const struct dtls_hash_key *key, const struct dtls_peer *peer)
{
	uint32_t words[DTLS_PEER_WORDS];
	uint64_t sum = key->number[DTLS_PEER_WORDS];

	memcpy(words, peer, sizeof(words));
	for (unsigned i = 0; i < DTLS_PEER_WORDS; i++)
		sum += key->number[i] * words[i];
	return (uint32_t)(sum >> 32);
}
