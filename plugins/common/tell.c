/* SPDX-License-Identifier: Apache-2.0 */
#include "tell.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/socket.h>

enum { TELL_PEER = INET6_ADDRSTRLEN + 16 };

static void tell_peer(int fd, char text[TELL_PEER])
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage space;
	} peer;
	socklen_t size = sizeof(peer);
	char address[INET6_ADDRSTRLEN] = "?";

	text[0] = '\0';
	if (getpeername(fd, &peer.any, &size) < 0)
		return;
	if (peer.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &peer.v6.sin6_addr, address, sizeof(address));
		snprintf(text, TELL_PEER, "[%s]:%u", address, ntohs(peer.v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &peer.v4.sin_addr, address, sizeof(address));
		snprintf(text, TELL_PEER, "%s:%u", address, ntohs(peer.v4.sin_port));
	}
}

static const char *tell_group(SSL *ssl)
{
	int id = (int)SSL_get_negotiated_group(ssl);
	const char *name = id > 0 ? SSL_group_to_name(ssl, id) : NULL;

	return name ? name : "";
}

bool tell_session(const struct tg_host *host, int fd, struct ssl_st *ssl, uint64_t handle)
{
	struct tg_session told = {.size = sizeof(told), .proof = TG_PROOF_CERTIFICATE};
	unsigned char *certificate = NULL;
	char peer[TELL_PEER];
	int size;

	if (!ssl || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE)
		return false;
	tell_peer(fd, peer);
	told.peer = peer;
	told.version = SSL_get_version(ssl);
	told.cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl));
	told.group = tell_group(ssl);
	size = i2d_X509(SSL_get0_peer_certificate(ssl), &certificate);
	if (size > 0)
		told.certificate = (struct tg_bytes){certificate, (size_t)size};
	host->session_begun(host, handle, &told);
	OPENSSL_free(certificate);
	return true;
}
