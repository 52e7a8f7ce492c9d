/* SPDX-License-Identifier: Apache-2.0 */

/* What the operator is told of the live sessions. */

#include <arpa/inet.h>
#include <stdio.h>

#include "coap.h"

enum { LIVE_CERTIFICATE_MAX = 8192 };

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
