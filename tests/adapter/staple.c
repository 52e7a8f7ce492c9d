/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A TLS server in front of a plain one, for what brokers cannot be made to do: it staples any OCSP response, and shows any
 * certificate, however bad. `staple PORT TO-PORT CHAIN KEY [RESPONSE]`; both ports are of 127.0.0.1, the response is DER. Says
 * "ready" when it listens, and ends with whoever started it. With STAPLE_TLS12 or STAPLE_TLS11 in the environment
 * it knows no newer version.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RESPONSE_MAX = 65536, BUFFER = 16384 };

static unsigned char response[RESPONSE_MAX];
static long response_size;

static void die(const char *what)
{
	fprintf(stderr, "staple: %s (%s)\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_in address_of(const char *port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int on_status(SSL *ssl, void *arg)
{
	unsigned char *copy;

	(void)arg;
	if (response_size == 0)
		return SSL_TLSEXT_ERR_NOACK;
	copy = OPENSSL_memdup(response, (size_t)response_size);
	SSL_set_tlsext_status_ocsp_resp(ssl, copy, response_size);
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *make_context(const char *chain, const char *key)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
	SSL_CTX_set_tlsext_status_cb(context, on_status);
	if (getenv("STAPLE_TLS12"))
		SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
	if (getenv("STAPLE_TLS11")) {
		SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
	}
	if (SSL_CTX_use_certificate_chain_file(context, chain) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		die("certificate or key cannot be used");
	return context;
}

static bool write_all(int fd, const char *data, int size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, (size_t)size);

		if (n <= 0)
			return false;
		data += n;
		size -= (int)n;
	}
	return true;
}

static void pump(SSL *ssl, int plain)
{
	struct pollfd fds[2] = {{SSL_get_fd(ssl), POLLIN, 0}, {plain, POLLIN, 0}};
	char buffer[BUFFER];
	int n;

	while (SSL_pending(ssl) > 0 || poll(fds, 2, -1) > 0) {
		if (SSL_pending(ssl) > 0 || fds[0].revents) {
			n = SSL_read(ssl, buffer, sizeof(buffer));
			if (n <= 0 || !write_all(plain, buffer, n))
				return;
		}
		if (fds[1].revents) {
			n = (int)read(plain, buffer, sizeof(buffer));
			if (n <= 0 || SSL_write(ssl, buffer, n) <= 0)
				return;
		}
		fds[0].revents = fds[1].revents = 0;
	}
}

static void serve(SSL_CTX *context, int fd, const char *to)
{
	struct sockaddr_in address = address_of(to);
	int plain = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SSL *ssl = SSL_new(context);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1 && connect(plain, (struct sockaddr *)&address, sizeof(address)) == 0)
		pump(ssl, plain);
	SSL_shutdown(ssl);
	SSL_free(ssl);
	_exit(0);
}

static void read_response(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		die(path);
	response_size = (long)fread(response, 1, sizeof(response), file);
	fclose(file);
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address;
	SSL_CTX *context;

	if (argc < 5)
		die("too few arguments");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	context = make_context(argv[3], argv[4]);
	if (argc > 5)
		read_response(argv[5]);
	address = address_of(argv[1]);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
		die("cannot listen");
	puts("ready");
	fflush(stdout);
	for (;;) {
		int client = accept(fd, NULL, NULL);

		if (client >= 0 && fork() == 0)
			serve(context, client, argv[2]);
		close(client);
	}
}
