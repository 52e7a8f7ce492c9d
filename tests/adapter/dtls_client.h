/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DTLS_CLIENT_H
#define TESTS_DTLS_CLIENT_H

/*
 * A DTLS client in the test's hands: OpenSSL writes into memory, and the test decides what of it gets onto the wire, and how.
 * client_step lets it do what can be done now; nothing blocks. A failure of the client itself is no failure of the test.
 */

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dtls_pki.h"

struct client;

/* Sees each datagram before it leaves, and may change it. Returns whether it is sent. */
typedef bool client_filter_fn(void *arg, uint8_t *datagram, size_t *size);

struct client_options {
	uint16_t port;        /* the server's, host order */
	const char *to;       /* its address; NULL: 127.0.0.1 */
	const char *from;     /* own address; NULL: 127.0.0.1 or ::1 */
	uint16_t from_port;   /* own port, host order; 0: any */
	const char *suites;   /* NULL: all that it has a key for */
	const char *identity; /* PSK */
	const char *key;      /* as text; NULL: none */
	const struct pki *certificate;
	const struct pki *certificate_issuer; /* sent with it */
	unsigned patience_us;                 /* before it sends a flight again; 0: OpenSSL's second */
	SSL_SESSION *resume;                  /* by its ticket; NULL: a new session */
	bool separate;                        /* each record in a datagram of its own */
	client_filter_fn *filter;
	void *filter_arg;
};

struct client {
	struct client_options options;
	SSL_CTX *context;
	SSL *ssl;
	BIO *in;
	BIO *out;
	int fd;
	bool connected;
	bool failed;
	bool closed;    /* by close_notify */
	unsigned alert; /* the last fatal one that came, or 0 */
	unsigned sent;  /* datagrams */
	unsigned received;
	size_t received_bytes;
	char data[2048]; /* the last that came, terminated */
	unsigned data_count;
};

void client_new(const struct client_options *options, struct client **ret_client);
/* Leaves without a word to the server. Accepts NULL. */
void client_free(struct client *client);
/* Returns whether the handshake is done or has failed. */
bool client_step(struct client *client);
void client_send(struct client *client, const char *text);
/* Sends close_notify. */
void client_close(struct client *client);
/* Sends any bytes from its address. */
void client_raw(struct client *client, const void *data, size_t size);
uint16_t client_port(const struct client *client);

#endif
