/* SPDX-License-Identifier: Apache-2.0 */
#include "adapter/dtls_client.h"

#include <arpa/inet.h>
#include <check.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENT_MTU = 1200, CLIENT_RECORD_HEADER = 13 };

static unsigned int client_psk(SSL *ssl, const char *hint, char *ret_identity, unsigned int identity_size,
			       unsigned char *ret_key, unsigned int key_size)
{
	const struct client *client = SSL_get_app_data(ssl);
	size_t size = strlen(client->options.key);

	(void)hint;
	if (strlen(client->options.identity) > identity_size || size > key_size)
		return 0;
	strncpy(ret_identity, client->options.identity, identity_size);
	memcpy(ret_key, client->options.key, size);
	return (unsigned int)size;
}

static void client_info(const SSL *ssl, int where, int value)
{
	struct client *client = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL)
		client->alert = (unsigned)value & 255;
}

static unsigned int client_patience(SSL *ssl, unsigned int before_us)
{
	const struct client *client = SSL_get_app_data(ssl);

	(void)before_us;
	return client->options.patience_us;
}

static socklen_t client_address(const char *text, uint16_t port, struct sockaddr_storage *ret_address)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;

	memset(ret_address, 0, sizeof(*ret_address));
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		return sizeof(*v6);
	}
	ck_assert_int_eq(inet_pton(AF_INET, text, &v4->sin_addr), 1);
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	return sizeof(*v4);
}

static void client_socket(struct client *client)
{
	const struct client_options *options = &client->options;
	const char *to = options->to ? options->to : "127.0.0.1";
	struct sockaddr_storage own, server;
	socklen_t server_length = client_address(to, options->port, &server);
	const char *from = server.ss_family == AF_INET6 ? "::1" : "127.0.0.1";
	socklen_t own_length = client_address(options->from ? options->from : from, options->from_port, &own);

	client->fd = socket(server.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(client->fd, 0);
	/* Where any port is good, it must not be one of another client's. */
	if (options->from_port)
		ck_assert_int_eq(setsockopt(client->fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)), 0);
	ck_assert_int_eq(bind(client->fd, (struct sockaddr *)&own, own_length), 0);
	ck_assert_int_eq(setsockopt(client->fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)), 0);
	ck_assert_int_eq(connect(client->fd, (struct sockaddr *)&server, server_length), 0);
}

static void client_credentials(struct client *client)
{
	const struct client_options *options = &client->options;
	const char *suites = options->key ? "PSK:@SECLEVEL=0" : "ALL:!PSK:@SECLEVEL=0";

	ck_assert_int_eq(SSL_CTX_set_cipher_list(client->context, options->suites ? options->suites : suites), 1);
	SSL_CTX_set_security_level(client->context, 0);
	if (options->key)
		SSL_CTX_set_psk_client_callback(client->context, client_psk);
	if (!options->certificate)
		return;
	ck_assert_int_eq(SSL_CTX_use_certificate(client->context, options->certificate->certificate), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(client->context, options->certificate->key), 1);
	if (options->certificate_issuer)
		ck_assert_int_eq(SSL_CTX_add1_chain_cert(client->context, options->certificate_issuer->certificate), 1);
}

void client_new(const struct client_options *options, struct client **ret_client)
{
	struct client *client = calloc(1, sizeof(*client));

	ck_assert_ptr_nonnull(client);
	client->options = *options;
	client->context = SSL_CTX_new(DTLS_client_method());
	SSL_CTX_set_options(client->context, SSL_OP_NO_QUERY_MTU);
	client_credentials(client);
	client->ssl = SSL_new(client->context);
	client->in = BIO_new(BIO_s_mem());
	client->out = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(client->in, -1);
	BIO_set_mem_eof_return(client->out, -1);
	SSL_set_app_data(client->ssl, client);
	SSL_set_info_callback(client->ssl, client_info);
	SSL_set_bio(client->ssl, client->in, client->out);
	SSL_set_mtu(client->ssl, CLIENT_MTU);
	SSL_set_connect_state(client->ssl);
	if (options->patience_us)
		DTLS_set_timer_cb(client->ssl, client_patience);
	if (options->resume)
		ck_assert_int_eq(SSL_set_session(client->ssl, options->resume), 1);
	client_socket(client);
	*ret_client = client;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	SSL_free(client->ssl);
	SSL_CTX_free(client->context);
	close(client->fd);
	free(client);
}

void client_raw(struct client *client, const void *data, size_t size)
{
	(void)!send(client->fd, data, size, 0);
	client->sent++;
}

static void client_put(struct client *client, uint8_t *datagram, size_t size)
{
	if (!client->options.filter || client->options.filter(client->options.filter_arg, datagram, &size))
		client_raw(client, datagram, size);
}

/* Sends what OpenSSL has written: as many records a datagram as fit, or one. */
static void client_flush(struct client *client)
{
	uint8_t bytes[16384];
	int got = BIO_read(client->out, bytes, sizeof(bytes));
	size_t end = got > 0 ? (size_t)got : 0, begin = 0, at = 0;

	while (at + CLIENT_RECORD_HEADER <= end) {
		size_t next = at + CLIENT_RECORD_HEADER + ((size_t)bytes[at + 11] << 8 | bytes[at + 12]);

		if (at > begin && (client->options.separate || next - begin > CLIENT_MTU)) {
			client_put(client, bytes + begin, at - begin);
			begin = at;
		}
		at = next;
	}
	if (at > begin)
		client_put(client, bytes + begin, at - begin);
}

static void client_result(struct client *client, int result)
{
	int error = SSL_get_error(client->ssl, result);

	if (error == SSL_ERROR_ZERO_RETURN)
		client->closed = true;
	else if (error != SSL_ERROR_WANT_READ)
		client->failed = true;
}

static void client_work(struct client *client)
{
	ERR_clear_error();
	if (!client->connected) {
		int result = SSL_do_handshake(client->ssl);

		client->connected = result == 1;
		if (result != 1)
			client_result(client, result);
	}
	while (client->connected && !client->failed && !client->closed) {
		int n = SSL_read(client->ssl, client->data, sizeof(client->data) - 1);

		if (n <= 0) {
			client_result(client, n);
			break;
		}
		client->data[n] = '\0';
		client->data_count++;
	}
	ERR_clear_error();
}

bool client_step(struct client *client)
{
	uint8_t bytes[4096];
	ssize_t n;

	if (!client->failed && !client->closed)
		client_work(client);
	client_flush(client);
	while ((n = recv(client->fd, bytes, sizeof(bytes), 0)) > 0) {
		client->received++;
		client->received_bytes += (size_t)n;
		BIO_write(client->in, bytes, (int)n);
		if (!client->failed && !client->closed)
			client_work(client);
		client_flush(client);
	}
	if (!client->connected && !client->failed)
		(void)DTLSv1_handle_timeout(client->ssl);
	client_flush(client);
	return client->connected || client->failed;
}

void client_send(struct client *client, const char *text)
{
	ck_assert_int_gt(SSL_write(client->ssl, text, (int)strlen(text)), 0);
	client_flush(client);
}

void client_close(struct client *client)
{
	(void)SSL_shutdown(client->ssl);
	client_flush(client);
}

uint16_t client_port(const struct client *client)
{
	struct sockaddr_in own;
	socklen_t length = sizeof(own);

	ck_assert_int_eq(getsockname(client->fd, (struct sockaddr *)&own, &length), 0);
	return ntohs(own.sin_port);
}
