/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* OUT_SEND: what goes out without waiting for transport_flush. OUT_LIMIT: where TLS has to wait for the socket. */
enum { IN_SIZE = 32768, OUT_SEND = 8192, OUT_LIMIT = 262144 };
enum { RECORD_HEADER = 5 };

struct transport {
	int fd;
	int error;
	bool may_receive;
	size_t in_start, in_end;
	size_t out_start, out_end;
	BIO_METHOD *method;
	unsigned char in[IN_SIZE];
	unsigned char out[OUT_LIMIT];
};

static int transport_bio_read(BIO *bio, char *data, int size)
{
	struct transport *t = BIO_get_data(bio);
	size_t n;

	BIO_clear_retry_flags(bio);
	if (size <= 0)
		return 0;
	if (t->in_start == t->in_end) {
		ssize_t got;

		if (!t->may_receive) {
			BIO_set_retry_read(bio);
			return -1;
		}
		t->in_start = t->in_end = 0;
		got = recv(t->fd, t->in, sizeof(t->in), MSG_DONTWAIT);
		/* A short receive has emptied the socket; more makes it readable again. */
		t->may_receive = got == (ssize_t)sizeof(t->in);
		if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
			BIO_set_retry_read(bio);
			return -1;
		}
		if (got <= 0) {
			t->error = got == 0 ? -1 : errno;
			return (int)got;
		}
		/* Brokers answer packet by packet, often with Nagle's algorithm on: an acknowledgement held back for 40 ms here would
		 * hold back their PUBACKs. The kernel forgets this option, so it is set each time. */
		setsockopt(t->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
		t->in_end = (size_t)got;
	}
	n = t->in_end - t->in_start;
	if (n > (size_t)size)
		n = (size_t)size;
	memcpy(data, t->in + t->in_start, n);
	t->in_start += n;
	return (int)n;
}

static int transport_bio_write(BIO *bio, const char *data, int size)
{
	struct transport *t = BIO_get_data(bio);
	size_t n = size > 0 ? (size_t)size : 0;

	BIO_clear_retry_flags(bio);
	if (transport_pending(t) + n > OUT_SEND && transport_flush(t) < 0)
		return -1;
	if (sizeof(t->out) - t->out_end < n) {
		memmove(t->out, t->out + t->out_start, transport_pending(t));
		t->out_end -= t->out_start;
		t->out_start = 0;
	}
	if (n > sizeof(t->out) - t->out_end)
		n = sizeof(t->out) - t->out_end;
	if (n == 0) {
		BIO_set_retry_write(bio);
		return -1;
	}
	memcpy(t->out + t->out_end, data, n);
	t->out_end += n;
	return (int)n;
}

static long transport_bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO *transport_bio(struct transport *transport)
{
	BIO *bio = BIO_new(transport->method);

	if (bio) {
		BIO_set_data(bio, transport);
		BIO_set_init(bio, 1);
	}
	return bio;
}

int transport_attach(struct ssl_st *ssl, int fd, struct transport **ret_transport)
{
	struct transport *t = malloc(sizeof(*t));
	BIO *bio;

	if (!t)
		return -ENOMEM;
	/* Not cleared: pages that no record reaches are never touched. */
	t->fd = fd;
	t->error = 0;
	t->may_receive = true;
	t->in_start = t->in_end = t->out_start = t->out_end = 0;
	t->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "tidegate");
	if (t->method) {
		BIO_meth_set_read(t->method, transport_bio_read);
		BIO_meth_set_write(t->method, transport_bio_write);
		BIO_meth_set_ctrl(t->method, transport_bio_ctrl);
	}
	bio = t->method ? transport_bio(t) : NULL;
	if (!bio) {
		transport_free(t);
		return -ENOMEM;
	}
	SSL_set_bio(ssl, bio, bio);
	*ret_transport = t;
	return 0;
}

void transport_free(struct transport *transport)
{
	if (!transport)
		return;
	BIO_meth_free(transport->method);
	free(transport);
}

void transport_readable(struct transport *transport)
{
	transport->may_receive = true;
}

bool transport_has_record(const struct transport *transport)
{
	const unsigned char *p = transport->in + transport->in_start;
	size_t size = transport->in_end - transport->in_start;

	return size >= RECORD_HEADER && size >= RECORD_HEADER + ((size_t)p[3] << 8 | p[4]);
}

int transport_flush(struct transport *transport)
{
	while (transport->out_start < transport->out_end) {
		ssize_t sent = send(transport->fd, transport->out + transport->out_start,
				    transport->out_end - transport->out_start, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			return 1;
		if (sent < 0) {
			transport->error = errno;
			return -errno;
		}
		transport->out_start += (size_t)sent;
	}
	transport->out_start = transport->out_end = 0;
	return 0;
}

size_t transport_pending(const struct transport *transport)
{
	return transport->out_end - transport->out_start;
}

int transport_error(const struct transport *transport)
{
	return transport->error;
}
