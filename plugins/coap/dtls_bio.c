/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/bio.h>
#include <string.h>

#include "dtls_session.h"

static int bio_read(BIO *bio, char *ret_data, int size)
{
	struct dtls_session *session = BIO_get_data(bio);
	size_t n = session->in.size;

	BIO_clear_retry_flags(bio);
	if (n == 0 || size <= 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	if (n > (size_t)size)
		n = (size_t)size;
	memcpy(ret_data, session->in.data, n);
	session->in = (struct tg_bytes){NULL, 0};
	return (int)n;
}

/* What cannot be sent is lost, as on any network. */
static int bio_write(BIO *bio, const char *data, int size)
{
	struct dtls_session *session = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	/* The alert that stops OpenSSL is not meant for the peer. */
	if (session->handshake && session->handshake->resume == DTLS_RESUME_ASK)
		return size;
	(void)dtls_socket_send(session->dtls->socket, &session->entry.peer, &session->local,
			       (struct tg_bytes){data, (size_t)size});
	return size;
}

static long bio_control(BIO *bio, int command, long number, void *arg)
{
	(void)bio;
	(void)number;
	(void)arg;
	switch (command) {
	case BIO_CTRL_FLUSH:
	case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
		return 1;
	default:
		return 0;
	}
}

BIO_METHOD *dtls_bio_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams of a batch");

	if (method && BIO_meth_set_read(method, bio_read) == 1 && BIO_meth_set_write(method, bio_write) == 1 &&
	    BIO_meth_set_ctrl(method, bio_control) == 1)
		return method;
	BIO_meth_free(method);
	return NULL;
}

int dtls_bio_attach(struct dtls_session *session)
{
	BIO *bio = BIO_new(session->dtls->bio);

	if (!bio)
		return -ENOMEM;
	BIO_set_data(bio, session);
	BIO_set_init(bio, 1);
	SSL_set_bio(session->ssl, bio, bio);
	return 0;
}
