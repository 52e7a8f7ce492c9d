/* SPDX-License-Identifier: Apache-2.0 */

/* libcoap makes its SSLs from one SSL_CTX a context and gives it to nobody. But it gives out the SSL of a session, and that knows its
 * SSL_CTX: a first session, with a socket of our own on the loopback interface that never answers, serves for that alone. */

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "stack_internal.h"

static int nobody_bind(struct sockaddr_in *ret_address)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(*ret_address);

	*ret_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)ret_address, sizeof(*ret_address)) < 0 ||
	    getsockname(fd, (struct sockaddr *)ret_address, &size) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static SSL_CTX *borrow(coap_session_t *session)
{
	coap_tls_library_t library;
	const SSL *ssl = coap_session_get_tls(session, &library);

	return ssl && library == COAP_TLS_LIBRARY_OPENSSL ? SSL_get_SSL_CTX(ssl) : NULL;
}

int stack_ssl_context(coap_context_t *context, SSL_CTX **ret_ssl_context)
{
	struct sockaddr_in address;
	coap_address_t remote;
	int fd = nobody_bind(&address);

	if (fd < 0)
		return fd;
	coap_address_init(&remote);
	remote.addr.sin = address;
	remote.size = sizeof(address);
	coap_session_t *session = coap_new_client_session(context, NULL, &remote, COAP_PROTO_DTLS);
	SSL_CTX *found = session ? borrow(session) : NULL;
	if (session) {
		coap_session_disconnected(session, COAP_NACK_NOT_DELIVERABLE);
		coap_session_release(session);
	}
	close(fd);
	tls_forget_errors();
	if (!found)
		return -ENOTSUP;
	*ret_ssl_context = found;
	return 0;
}

const coap_session_t *stack_session_of(const SSL *ssl)
{
	return SSL_get_app_data(ssl);
}
