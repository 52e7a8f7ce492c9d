/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The least that answers a sensor: a DTLS (PSK or X.509) or plain CoAP server for peers with an address of their own in
 * 127.0.0.0/8. It tells what the load generator costs by itself, and with --drop, --separate, --refuse and --end whether it keeps to
 * the rules when the network and the server are bad. Not a server for anything else: it verifies nobody's cookie.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/coap.h"
#include "bench/identities.h"
#include "bench/tool.h"

enum { ECHO_SLOTS = 64, ECHO_DATAGRAM = 2048, ECHO_PEERS = 1 << 24, ECHO_MTU = 1400, ECHO_MESSAGE = 256 };

struct echo_peer {
	SSL *ssl;
	struct sockaddr_in address;
	uint64_t messages;
	bool answered; /* the last request may come again */
	uint16_t last_id;
	uint16_t next_id;
	uint8_t code;   /* of the last answer */
	bool confirmed; /* the separate response was acknowledged */
};

struct echo {
	int fd;
	SSL_CTX *ssl;
	BIO_METHOD *method;
	BIO *bio;
	struct identities identities;
	struct echo_peer **peers; /* by the lower 24 bits of the address */
	struct echo_peer *peer;   /* the one in use */
	const uint8_t *input;
	size_t input_size;
	struct tool_random random;
	unsigned drop; /* percent */
	unsigned refuse;
	uint64_t end; /* close_notify after so many messages of a session */
	bool separate;
	FILE *record;
	unsigned queued;
	struct mmsghdr out[ECHO_SLOTS];
	struct iovec out_part[ECHO_SLOTS];
	struct sockaddr_in out_name[ECHO_SLOTS];
	uint8_t out_data[ECHO_SLOTS][ECHO_DATAGRAM];
};

static volatile int echo_stop;
static struct echo *echo_only; /* for the PSK callback, which gets no argument */

static void echo_on_signal(int number)
{
	(void)number;
	echo_stop = 1;
}

static void echo_flush(struct echo *echo)
{
	unsigned sent = 0;

	while (sent < echo->queued) {
		int count = sendmmsg(echo->fd, &echo->out[sent], echo->queued - sent, 0);

		sent += count > 0 ? (unsigned)count : 1;
	}
	echo->queued = 0;
}

static void echo_put(struct echo *echo, const void *data, size_t size)
{
	unsigned slot = echo->queued;

	if (size > ECHO_DATAGRAM || tool_random_below(&echo->random, 100) < echo->drop)
		return;
	memcpy(echo->out_data[slot], data, size);
	echo->out_part[slot] = (struct iovec){.iov_base = echo->out_data[slot], .iov_len = size};
	echo->out_name[slot] = echo->peer->address;
	echo->out[slot].msg_hdr = (struct msghdr){.msg_name = &echo->out_name[slot],
						  .msg_namelen = sizeof(echo->out_name[slot]),
						  .msg_iov = &echo->out_part[slot],
						  .msg_iovlen = 1};
	if (++echo->queued == ECHO_SLOTS)
		echo_flush(echo);
}

static int echo_bio_write(BIO *bio, const char *data, size_t size, size_t *ret_written)
{
	echo_put(BIO_get_data(bio), data, size);
	*ret_written = size;
	return 1;
}

static int echo_bio_read(BIO *bio, char *data, size_t size, size_t *ret_read)
{
	struct echo *echo = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (!echo->input) {
		BIO_set_retry_read(bio);
		return 0;
	}
	if (size > echo->input_size)
		size = echo->input_size;
	memcpy(data, echo->input, size);
	echo->input = NULL;
	*ret_read = size;
	return 1;
}

static long echo_bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static unsigned int echo_psk(SSL *ssl, const char *name, unsigned char *ret_key, unsigned int size)
{
	const struct identities *identities = &echo_only->identities;

	(void)ssl;
	for (size_t i = 0; i < identities->count; i++) {
		const struct client_identity *identity = &identities->list[i];

		if (strcmp(identity->name, name) != 0 || identity->psk_size > size)
			continue;
		memcpy(ret_key, identity->psk, identity->psk_size);
		return (unsigned int)identity->psk_size;
	}
	return 0;
}

static void echo_send(struct echo *echo, const void *data, size_t size)
{
	if (!echo->ssl)
		echo_put(echo, data, size);
	else
		(void)SSL_write(echo->peer->ssl, data, (int)size);
}

/* Answers, or answers again in the same way. */
static void echo_answer(struct echo *echo, const struct coap_view *view)
{
	uint8_t message[ECHO_MESSAGE];
	struct echo_peer *peer = echo->peer;
	unsigned last = 0;
	size_t size;

	if (echo->separate) {
		echo_send(echo, message, coap_head(message, sizeof(message), COAP_ACK, COAP_EMPTY, view->id, NULL, 0));
		if (peer->confirmed)
			return;
	}
	size = coap_head(message, sizeof(message), echo->separate ? COAP_CON : COAP_ACK, peer->code,
			 echo->separate ? peer->next_id : view->id, view->token, view->token_size);
	if (peer->code == COAP_CODE(5, 3))
		size = coap_option_number(message, sizeof(message), size, &last, COAP_MAX_AGE, 1);
	echo_send(echo, message, size);
}

/* "sensor sequence", without the padding. */
static void echo_note(struct echo *echo, const struct coap_view *view)
{
	const uint8_t *end = view->payload_size > 0 ? memchr(view->payload, '.', view->payload_size) : NULL;

	if (echo->record && end)
		fprintf(echo->record, "%.*s\n", (int)(end - view->payload), (const char *)view->payload);
}

static void echo_message(struct echo *echo, const uint8_t *data, size_t size)
{
	struct echo_peer *peer = echo->peer;
	struct coap_view view;
	uint8_t reset[COAP_HEAD];

	if (!coap_read(data, size, &view))
		return;
	if (view.type == COAP_ACK && view.id == peer->next_id)
		peer->confirmed = true;
	if (view.type != COAP_CON)
		return;
	if (view.code == COAP_EMPTY) {
		echo_send(echo, reset, coap_head(reset, sizeof(reset), COAP_RST, COAP_EMPTY, view.id, NULL, 0));
		return;
	}
	if (!peer->answered || peer->last_id != view.id) {
		peer->answered = true;
		peer->confirmed = false;
		peer->last_id = view.id;
		peer->next_id++;
		peer->code = tool_random_below(&echo->random, 100) < echo->refuse ? COAP_CODE(5, 3) : COAP_CODE(2, 4);
		if (peer->code == COAP_CODE(2, 4))
			echo_note(echo, &view);
		peer->messages++;
	}
	echo_answer(echo, &view);
}

static void echo_end_session(struct echo_peer *peer)
{
	SSL_free(peer->ssl);
	peer->ssl = NULL;
	peer->answered = false;
	peer->messages = 0;
}

static void echo_begin_session(struct echo *echo)
{
	SSL *ssl = SSL_new(echo->ssl);

	if (!ssl)
		tool_fail("out of memory");
	BIO_up_ref(echo->bio);
	SSL_set0_rbio(ssl, echo->bio);
	BIO_up_ref(echo->bio);
	SSL_set0_wbio(ssl, echo->bio);
	SSL_set_mtu(ssl, ECHO_MTU);
	SSL_set_accept_state(ssl);
	echo->peer->ssl = ssl;
}

static void echo_datagram(struct echo *echo, const uint8_t *data, size_t size)
{
	struct echo_peer *peer = echo->peer;
	uint8_t message[ECHO_DATAGRAM];
	int got;

	/* A handshake record of epoch 0 with message sequence 0 is a new ClientHello, whatever was before. */
	if (size > 25 && data[0] == 22 && data[3] == 0 && data[4] == 0 && data[13] == 1) {
		if (peer->ssl && SSL_is_init_finished(peer->ssl))
			echo_end_session(peer);
		if (!peer->ssl)
			echo_begin_session(echo);
	}
	if (!peer->ssl)
		return;
	echo->input = data;
	echo->input_size = size;
	got = SSL_read(peer->ssl, message, sizeof(message));
	if (got > 0) {
		echo_message(echo, message, (size_t)got);
		if (echo->end == 0 || peer->messages < echo->end)
			return;
		(void)SSL_shutdown(peer->ssl);
		echo_end_session(peer);
	} else if (SSL_get_error(peer->ssl, got) != SSL_ERROR_WANT_READ) {
		echo_end_session(peer);
	}
	ERR_clear_error();
}

static void echo_from(struct echo *echo, const struct sockaddr_in *from, const uint8_t *data, size_t size)
{
	uint32_t index = ntohl(from->sin_addr.s_addr) & (ECHO_PEERS - 1);

	if (tool_random_below(&echo->random, 100) < echo->drop)
		return;
	if (!echo->peers[index])
		echo->peers[index] = calloc(1, sizeof(struct echo_peer));
	echo->peer = echo->peers[index];
	if (!echo->peer)
		tool_fail("out of memory");
	echo->peer->address = *from;
	if (echo->ssl)
		echo_datagram(echo, data, size);
	else
		echo_message(echo, data, size);
}

static void echo_set_tls(struct echo *echo, const char *certificate, const char *key, const char *trust)
{
	echo->ssl = SSL_CTX_new(DTLS_server_method());
	echo->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "echo");
	if (!echo->ssl || !echo->method || BIO_meth_set_write_ex(echo->method, echo_bio_write) != 1 ||
	    BIO_meth_set_read_ex(echo->method, echo_bio_read) != 1 ||
	    BIO_meth_set_ctrl(echo->method, echo_bio_ctrl) != 1)
		tool_fail("out of memory");
	echo->bio = BIO_new(echo->method);
	BIO_set_data(echo->bio, echo);
	BIO_set_init(echo->bio, 1);
	SSL_CTX_set_options(echo->ssl, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(echo->ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_cipher_list(echo->ssl, "PSK:ECDHE:@SECLEVEL=0");
	SSL_CTX_set_psk_server_callback(echo->ssl, echo_psk);
	if (certificate && (SSL_CTX_use_certificate_file(echo->ssl, certificate, SSL_FILETYPE_PEM) != 1 ||
			    SSL_CTX_use_PrivateKey_file(echo->ssl, key ? key : "", SSL_FILETYPE_PEM) != 1))
		tool_fail("--certificate or --key is unusable");
	if (trust) {
		if (SSL_CTX_load_verify_locations(echo->ssl, trust, NULL) != 1)
			tool_fail("--trust is unusable");
		SSL_CTX_set_verify(echo->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
}

static void echo_bind(struct echo *echo, uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval wait = {.tv_usec = 100000};
	socklen_t length = sizeof(address);
	int size = 4 << 20;

	echo->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (echo->fd < 0 || bind(echo->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockname(echo->fd, (struct sockaddr *)&address, &length) < 0)
		tool_fail("no socket (%s)", strerror(errno));
	(void)setsockopt(echo->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(echo->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	printf("listening on 127.0.0.1:%u\n", ntohs(address.sin_port));
	fflush(stdout);
}

static void echo_run(struct echo *echo)
{
	static uint8_t data[ECHO_SLOTS][ECHO_DATAGRAM];
	static struct sockaddr_in names[ECHO_SLOTS];
	struct mmsghdr in[ECHO_SLOTS];
	struct iovec parts[ECHO_SLOTS];

	while (!echo_stop) {
		int count;

		for (unsigned i = 0; i < ECHO_SLOTS; i++) {
			parts[i] = (struct iovec){.iov_base = data[i], .iov_len = ECHO_DATAGRAM};
			in[i].msg_hdr = (struct msghdr){.msg_name = &names[i],
							.msg_namelen = sizeof(names[i]),
							.msg_iov = &parts[i],
							.msg_iovlen = 1};
		}
		count = recvmmsg(echo->fd, in, ECHO_SLOTS, MSG_WAITFORONE, NULL);
		for (int i = 0; i < count; i++)
			echo_from(echo, &names[i], data[i], in[i].msg_len);
		echo_flush(echo);
	}
}

static const struct option echo_options[] = {
	{"port", required_argument, NULL, 'p'},   {"keys", required_argument, NULL, 'k'},
	{"count", required_argument, NULL, 'n'},  {"certificate", required_argument, NULL, 'c'},
	{"key", required_argument, NULL, 'K'},    {"trust", required_argument, NULL, 't'},
	{"drop", required_argument, NULL, 'd'},   {"refuse", required_argument, NULL, 'r'},
	{"end", required_argument, NULL, 'e'},    {"separate", no_argument, NULL, 's'},
	{"record", required_argument, NULL, 'o'}, {0},
};

struct echo_arguments {
	const char *keys;
	const char *certificate;
	const char *key;
	const char *trust;
	size_t count;
	uint16_t port;
};

static void echo_argument(struct echo *echo, struct echo_arguments *arguments, int letter)
{
	switch (letter) {
	case 'p':
		arguments->port = (uint16_t)tool_number("port", optarg, 0, UINT16_MAX);
		break;
	case 'k':
		arguments->keys = optarg;
		break;
	case 'n':
		arguments->count = (size_t)tool_number("count", optarg, 1, 1 << 20);
		break;
	case 'c':
		arguments->certificate = optarg;
		break;
	case 'K':
		arguments->key = optarg;
		break;
	case 't':
		arguments->trust = optarg;
		break;
	case 'd':
		echo->drop = (unsigned)tool_number("drop", optarg, 0, 100);
		break;
	case 'r':
		echo->refuse = (unsigned)tool_number("refuse", optarg, 0, 100);
		break;
	case 'e':
		echo->end = tool_number("end", optarg, 0, UINT32_MAX);
		break;
	case 's':
		echo->separate = true;
		break;
	case 'o':
		echo->record = fopen(optarg, "we");
		break;
	default:
		tool_fail("usage: echo [--port N] [--keys FILE --count N | --certificate FILE --key FILE --trust FILE]"
			  " [--drop %%] [--refuse %%] [--end N] [--separate] [--record FILE]");
	}
}

int main(int count, char **list)
{
	struct echo *echo = calloc(1, sizeof(*echo));
	struct sigaction action = {.sa_handler = echo_on_signal};
	struct echo_arguments arguments = {.count = 1};
	int letter;

	if (!echo || !(echo->peers = calloc(ECHO_PEERS, sizeof(*echo->peers))))
		return 2;
	echo_only = echo;
	while ((letter = getopt_long(count, list, "", echo_options, NULL)) != -1)
		echo_argument(echo, &arguments, letter);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (arguments.keys)
		identities_read_keys(arguments.keys, NULL, 0, arguments.count, &echo->identities);
	if (arguments.keys || arguments.certificate)
		echo_set_tls(echo, arguments.certificate, arguments.key, arguments.trust);
	echo_bind(echo, arguments.port);
	echo_run(echo);
	for (size_t i = 0; i < ECHO_PEERS; i++) {
		if (echo->peers[i])
			SSL_free(echo->peers[i]->ssl);
		free(echo->peers[i]);
	}
	if (echo->record)
		fclose(echo->record);
	SSL_CTX_free(echo->ssl);
	BIO_free(echo->bio);
	BIO_meth_free(echo->method);
	identities_done(&echo->identities);
	free(echo->peers);
	free(echo);
	return 0;
}
