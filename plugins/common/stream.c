/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAM_WRITE_MAX = 65536 };

int stream_init(struct stream *stream, const struct tg_host *host, struct tls *tls, const char *server_name, int fd)
{
	int r = 0;

	*stream = (struct stream){.fd = fd, .secure = !tls};
	if (!tls)
		return 0;
	stream->server_name = strdup(server_name);
	if (!stream->server_name) {
		stream_done(stream);
		return -ENOMEM;
	}
	stream->handshake.server_name = stream->server_name;
	stream->handshake.wall_s = host->now_wall_us(host) / 1000000;
	stream->tls = tls_ref(tls);
	r = tls_context(stream->tls, &stream->handshake, &stream->context);
	if (r >= 0) {
		SSL_CTX_set_mode(stream->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
		stream->ssl = SSL_new(stream->context);
		r = stream->ssl && SSL_set_fd(stream->ssl, fd) == 1 ? 0 : -ENOMEM;
	}
	if (r >= 0) {
		SSL_set_read_ahead(stream->ssl, 1);
		SSL_set_connect_state(stream->ssl);
	}
	ERR_clear_error();
	if (r < 0)
		stream_done(stream);
	return r;
}

void stream_done(struct stream *stream)
{
	SSL_free(stream->ssl);
	SSL_CTX_free(stream->context);
	tls_unref(stream->tls);
	free(stream->server_name);
	gather_done(&stream->out);
	if (stream->fd >= 0)
		close(stream->fd);
	*stream = (struct stream){.fd = -1};
}

/* What a call of TLS that did not succeed means. */
static int stream_error(struct stream *stream, int result)
{
	int error = errno;
	const char *reason;

	switch (SSL_get_error(stream->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		stream->wants_write = true;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return -EPIPE;
	case SSL_ERROR_SYSCALL:
		return error > 0 ? -error : -EPIPE;
	default:
		if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
			return -EPIPE;
		reason = ERR_reason_error_string(ERR_peek_error());
		if (stream->handshake.cause[0] == '\0' && reason)
			snprintf(stream->handshake.cause, sizeof(stream->handshake.cause), "TLS: %s", reason);
		return -EPROTO;
	}
}

int stream_handshake(struct stream *stream)
{
	int r;

	if (stream->secure)
		return 1;
	ERR_clear_error();
	stream->wants_write = false;
	errno = 0;
	r = SSL_do_handshake(stream->ssl);
	r = r == 1 ? 1 : stream_error(stream, r);
	ERR_clear_error();
	stream->secure = r == 1;
	return r == -EAGAIN ? 0 : r;
}

ssize_t stream_read(struct stream *stream, void *data, size_t size)
{
	ssize_t n;

	if (!stream->ssl) {
		n = recv(stream->fd, data, size, MSG_DONTWAIT);
		if (n < 0)
			return errno == EINTR ? -EAGAIN : -errno;
		return n == 0 ? -EPIPE : n;
	}
	ERR_clear_error();
	errno = 0;
	n = SSL_read(stream->ssl, data, size < INT32_MAX ? (int)size : INT32_MAX);
	if (n <= 0)
		n = stream_error(stream, (int)n);
	ERR_clear_error();
	return n;
}

ssize_t stream_write(struct stream *stream, const void *data, size_t size)
{
	ssize_t n;

	if (size > STREAM_WRITE_MAX)
		size = STREAM_WRITE_MAX;
	stream->wants_write = false;
	if (!stream->ssl) {
		n = send(stream->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		return n >= 0 ? n : errno == EINTR ? -EAGAIN : -errno;
	}
	ERR_clear_error();
	errno = 0;
	n = SSL_write(stream->ssl, data, (int)size);
	if (n <= 0)
		n = stream_error(stream, (int)n);
	ERR_clear_error();
	return n;
}

int stream_flush(struct stream *stream)
{
	stream->wants_write = false;
	while (stream->out.size > 0) {
		ssize_t n = stream_write(stream, stream->out.data, stream->out.size);

		if (n == -EAGAIN)
			return 1;
		if (n < 0)
			return (int)n;
		gather_drop(&stream->out, (size_t)n);
		stream->sent += (size_t)n;
	}
	return stream->out.failed ? -ENOMEM : 0;
}

void stream_shut(struct stream *stream)
{
	ERR_clear_error();
	if (stream->ssl && stream->secure)
		SSL_shutdown(stream->ssl);
	ERR_clear_error();
	shutdown(stream->fd, SHUT_WR);
}
