/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "batch.h"
#include "tool.h"

/* What RFC 7925 asks for (sections 4.2 and 4.4) and nothing else, so that a measurement does not depend on what the server
 * prefers. CCM_8 needs security level 0. */
#define CLIENT_CIPHERS_PSK         "PSK-AES128-CCM8:@SECLEVEL=0"
#define CLIENT_CIPHERS_CERTIFICATE "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0"

enum { CLIENT_MTU = 1400, CLIENT_RECORD_MAX = 2048 };

/* One BIO serves all sessions: it reads from the datagram being handed in, and writes for the session in use. */
struct client_context {
	SSL_CTX *ssl;
	BIO_METHOD *method;
	BIO *bio;
	struct batch *batch;
	client_send_fn *send;
	void *send_arg;
	uint32_t peer;        /* of the session in use */
	const uint8_t *input; /* NULL once read */
	size_t input_size;
	uint16_t mtu;
};

struct client {
	struct client_context *context;
	SSL *ssl;
	const struct client_identity *identity;
	uint32_t peer;
	enum client_state state;
};

static int client_bio_write(BIO *bio, const char *data, size_t size, size_t *ret_written)
{
	struct client_context *context = BIO_get_data(bio);

	if (context->send)
		context->send(context->send_arg, context->peer, (const uint8_t *)data, size);
	else
		batch_put(context->batch, context->peer, data, size);
	*ret_written = size;
	return 1;
}

static int client_bio_read(BIO *bio, char *data, size_t size, size_t *ret_read)
{
	struct client_context *context = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (!context->input) {
		BIO_set_retry_read(bio);
		return 0;
	}
	if (size > context->input_size)
		size = context->input_size;
	memcpy(data, context->input, size);
	context->input = NULL;
	*ret_read = size;
	return 1;
}

static long client_bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	struct client_context *context = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return context->mtu;
	default:
		return 0;
	}
}

static unsigned int client_psk(SSL *ssl, const char *hint, char *ret_identity, unsigned int identity_size,
			       unsigned char *ret_key, unsigned int key_size)
{
	const struct client *client = SSL_get_app_data(ssl);
	size_t length = strlen(client->identity->name);

	(void)hint;
	if (!client->identity->psk || length >= identity_size || client->identity->psk_size > key_size)
		return 0;
	memcpy(ret_identity, client->identity->name, length + 1);
	memcpy(ret_key, client->identity->psk, client->identity->psk_size);
	return (unsigned int)client->identity->psk_size;
}

static int client_context_set(struct client_context *context, const struct client_options *options)
{
	const char *ciphers = options->certificates ? CLIENT_CIPHERS_CERTIFICATE : CLIENT_CIPHERS_PSK;
	SSL_CTX *ssl = context->ssl;

	SSL_CTX_set_min_proto_version(ssl, DTLS1_2_VERSION);
	SSL_CTX_set_options(ssl, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION);
	if (!options->tickets)
		SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_psk_client_callback(ssl, client_psk);
	SSL_CTX_set_read_ahead(ssl, 1);
	if (SSL_CTX_set_cipher_list(ssl, options->ciphers ? options->ciphers : ciphers) != 1)
		return -EINVAL;
	if (options->trust) {
		if (SSL_CTX_load_verify_locations(ssl, options->trust, NULL) != 1)
			return -EINVAL;
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	}
	return 0;
}

static int client_context_set_bio(struct client_context *context)
{
	context->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "batch");
	if (!context->method || BIO_meth_set_write_ex(context->method, client_bio_write) != 1 ||
	    BIO_meth_set_read_ex(context->method, client_bio_read) != 1 ||
	    BIO_meth_set_ctrl(context->method, client_bio_ctrl) != 1)
		return -ENOMEM;
	context->bio = BIO_new(context->method);
	if (!context->bio)
		return -ENOMEM;
	BIO_set_data(context->bio, context);
	BIO_set_init(context->bio, 1);
	return 0;
}

int client_context_new(struct batch *batch, const struct client_options *options, struct client_context **ret_context)
{
	struct client_context *context = calloc(1, sizeof(*context));
	int result = -ENOMEM;

	if (!context)
		return -ENOMEM;
	context->batch = batch;
	context->mtu = options->mtu ? options->mtu : CLIENT_MTU;
	context->ssl = SSL_CTX_new(DTLS_client_method());
	if (context->ssl)
		result = client_context_set_bio(context);
	if (result == 0)
		result = client_context_set(context, options);
	if (result < 0) {
		client_context_free(context);
		return result;
	}
	*ret_context = context;
	return 0;
}

void client_context_free(struct client_context *context)
{
	if (!context)
		return;
	BIO_free(context->bio);
	BIO_meth_free(context->method);
	SSL_CTX_free(context->ssl);
	free(context);
}

void client_context_divert(struct client_context *context, client_send_fn *fn, void *arg)
{
	context->send = fn;
	context->send_arg = arg;
}

static int client_set_identity(struct client *client)
{
	const struct client_identity *identity = client->identity;

	if (identity->psk || !identity->certificate)
		return 0;
	if (SSL_use_certificate_file(client->ssl, identity->certificate, SSL_FILETYPE_PEM) != 1 ||
	    SSL_use_PrivateKey_file(client->ssl, identity->key, SSL_FILETYPE_PEM) != 1)
		return -EKEYREJECTED;
	return 0;
}

/* Makes this session the one that the BIO works for. */
static void client_use(struct client *client, const uint8_t *input, size_t size)
{
	client->context->peer = client->peer;
	client->context->input = input;
	client->context->input_size = size;
}

static void client_handshake(struct client *client)
{
	int result = SSL_do_handshake(client->ssl);

	if (result == 1)
		client->state = CLIENT_OPEN;
	else if (SSL_get_error(client->ssl, result) != SSL_ERROR_WANT_READ)
		client->state = CLIENT_LOST;
	ERR_clear_error();
}

/* OpenSSL's own type stands behind it. */
struct client_ticket *client_ticket(struct client *client)
{
	SSL_SESSION *session = SSL_get1_session(client->ssl);

	if (session && SSL_SESSION_has_ticket(session))
		return (struct client_ticket *)session;
	SSL_SESSION_free(session);
	return NULL;
}

void client_ticket_free(struct client_ticket *ticket)
{
	SSL_SESSION_free((SSL_SESSION *)ticket);
}

bool client_ticket_write(const struct client_ticket *ticket, FILE *file)
{
	return PEM_write_SSL_SESSION(file, (const SSL_SESSION *)ticket) == 1;
}

struct client_ticket *client_ticket_read(FILE *file)
{
	SSL_SESSION *session = PEM_read_SSL_SESSION(file, NULL, NULL, NULL);

	ERR_clear_error();
	return (struct client_ticket *)session;
}

bool client_is_resumed(const struct client *client)
{
	return SSL_session_reused(client->ssl) == 1;
}

static bool client_set_ticket(struct client *client, const struct client_ticket *ticket)
{
	return !ticket || SSL_set_session(client->ssl, (SSL_SESSION *)(uintptr_t)ticket) == 1;
}

int client_new(struct client_context *context, uint32_t peer, const struct client_identity *identity,
	       const struct client_ticket *ticket, struct client **ret_client)
{
	struct client *client = calloc(1, sizeof(*client));
	int result;

	if (!client)
		return -ENOMEM;
	client->context = context;
	client->identity = identity;
	client->peer = peer;
	client->ssl = SSL_new(context->ssl);
	result = client->ssl && client_set_ticket(client, ticket) ? client_set_identity(client) : -ENOMEM;
	if (result < 0) {
		ERR_clear_error();
		client_free(client);
		return result;
	}
	BIO_up_ref(context->bio);
	SSL_set0_rbio(client->ssl, context->bio);
	BIO_up_ref(context->bio);
	SSL_set0_wbio(client->ssl, context->bio);
	SSL_set_mtu(client->ssl, context->mtu);
	SSL_set_app_data(client->ssl, client);
	SSL_set_connect_state(client->ssl);
	client_use(client, NULL, 0);
	client_handshake(client);
	*ret_client = client;
	return 0;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	SSL_free(client->ssl);
	free(client);
}

void client_shut(struct client *client)
{
	if (client->state != CLIENT_OPEN)
		return;
	client_use(client, NULL, 0);
	(void)SSL_shutdown(client->ssl);
	ERR_clear_error();
	client->state = CLIENT_LOST;
}

enum client_state client_state(const struct client *client)
{
	return client->state;
}

static void client_read(struct client *client, client_data_fn *fn, void *arg)
{
	uint8_t record[CLIENT_RECORD_MAX];
	int size;

	/* A datagram may hold several records; mostly it holds one, and then there is no second look. */
	do {
		size = SSL_read(client->ssl, record, sizeof(record));
		if (size > 0)
			fn(arg, record, (size_t)size);
	} while (size > 0 && client->state == CLIENT_OPEN && SSL_has_pending(client->ssl));
	if (size > 0)
		return;
	if (SSL_get_error(client->ssl, size) != SSL_ERROR_WANT_READ)
		client->state = CLIENT_LOST;
	ERR_clear_error();
}

enum client_state client_input(struct client *client, uint8_t *data, size_t size, client_data_fn *fn, void *arg)
{
	client_use(client, data, size);
	if (client->state == CLIENT_HANDSHAKE)
		client_handshake(client);
	else if (client->state == CLIENT_OPEN)
		client_read(client, fn, arg);
	return client->state;
}

bool client_send(struct client *client, const void *data, size_t size)
{
	if (client->state != CLIENT_OPEN)
		return false;
	client->context->peer = client->peer;
	if (SSL_write(client->ssl, data, (int)size) > 0)
		return true;
	ERR_clear_error();
	client->state = CLIENT_LOST;
	return false;
}

int64_t client_wait_us(struct client *client)
{
	struct timeval left;

	if (client->state != CLIENT_HANDSHAKE || DTLSv1_get_timeout(client->ssl, &left) != 1)
		return -1;
	return (int64_t)left.tv_sec * TOOL_S_US + left.tv_usec;
}

enum client_state client_timeout(struct client *client)
{
	if (client->state != CLIENT_HANDSHAKE)
		return client->state;
	client_use(client, NULL, 0);
	if (DTLSv1_handle_timeout(client->ssl) < 0)
		client->state = CLIENT_LOST;
	ERR_clear_error();
	return client->state;
}

const char *client_cipher(const struct client *client)
{
	return SSL_get_cipher_name(client->ssl);
}
