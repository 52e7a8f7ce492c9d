/* SPDX-License-Identifier: Apache-2.0 */

/* What the operator is told of the live sessions. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "coap.h"

enum { LIVE_CERTIFICATE_MAX = 8192, LIVE_COAPS_PORT = 5684 };

void live_peer_text(const struct sockaddr *peer, char ret_text[LIVE_PEER_MAX])
{
	const struct sockaddr_in *v4 = (const void *)peer;
	const struct sockaddr_in6 *v6 = (const void *)peer;
	char address[INET6_ADDRSTRLEN] = "?";
	bool is_v6 = peer->sa_family == AF_INET6;

	inet_ntop(peer->sa_family, is_v6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr, address,
		  sizeof(address));
	snprintf(ret_text, LIVE_PEER_MAX, is_v6 ? "[%s]:%u" : "%s:%u", address,
		 ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
}

/* As a look-up's token: which listener it is of stands in it. */
static uint64_t live_handle(const struct coap_listener *listener, const struct dtls_session *session)
{
	return dtls_handle(session) * SETTINGS_LISTEN_MAX + listener->index;
}

void live_begun(void *arg, struct dtls_session *session)
{
	const struct coap_listener *listener = arg;
	const struct tg_host *host = listener->coap->host;
	uint8_t certificate[LIVE_CERTIFICATE_MAX];
	struct sockaddr_storage address;
	struct tg_session described;
	char peer[LIVE_PEER_MAX];

	dtls_describe(session, &described);
	dtls_address(session, &address);
	live_peer_text((const struct sockaddr *)&address, peer);
	described.peer = peer;
	int size = dtls_certificate(session, certificate, sizeof(certificate));
	if (size > 0)
		described.certificate = (struct tg_bytes){certificate, (size_t)size};
	host->session_begun(host, live_handle(listener, session), &described);
}

void live_ended(const struct coap_listener *listener, const struct dtls_session *session)
{
	listener->coap->host->session_ended(listener->coap->host, live_handle(listener, session));
}

void live_tell_all(struct coap *coap)
{
	for (unsigned i = 0; i < coap->n_listeners; i++)
		dtls_each(coap->listeners[i].dtls, live_begun, &coap->listeners[i]);
}

/* Source: RFC 9176 section 5, base; RFC 7252 section 6.5. */
void live_directory_peer(struct dtls_session *session, char base[LIVE_BASE_MAX], struct directory_peer *ret_peer)
{
	struct sockaddr_storage address;
	const struct sockaddr_in6 *v6 = (const void *)&address;
	char peer[LIVE_PEER_MAX];

	dtls_address(session, &address);
	live_peer_text((const struct sockaddr *)&address, peer);
	char *port = strrchr(peer, ':');
	if (ntohs(v6->sin6_port) == LIVE_COAPS_PORT) /* in the same place as that of IPv4 */
		*port = '\0';
	snprintf(base, LIVE_BASE_MAX, "coaps://%s", peer);
	*ret_peer = (struct directory_peer){.device = dtls_device(session), .base = base};
	if (address.ss_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
		ret_peer->scope = v6->sin6_scope_id;
}
