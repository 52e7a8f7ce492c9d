/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A device of libcoap's making: opens a DTLS session with its PSK to the gateway, hands in readings, and is a CoAP server on the same
 * session. It shares no code with the gateway.
 *
 *	device --port PORT --identity ID --key HEX [--host ADDRESS] [--reading PATH=TEXT] [--set PATH] [--sleepy]
 *
 *	--reading   a reading that is sent as soon as the first session is there
 *	--set       one more resource that is as /set
 *	--sleepy    falls asleep when the session is there, and the answer to the reading of --reading
 *
 * Its resources:
 *
 *	/set    PUT, POST, PATCH and iPATCH keep the payload, GET reads it back, DELETE empties it, FETCH gives its own payload back
 *	/slow   any method: a separate response, ?ms=N milliseconds after an empty acknowledgement (500 without it)
 *	/big    GET gives ?size=N bytes (20000 without it), "0000000\n0000001\n…", block-wise where they do not fit
 *	/none   is not there: 4.04
 *
 * Lines on its standard input tell it what to do:
 *
 *	post PATH TEXT             a reading, confirmable
 *	request METHOD PATH [TEXT] any request: GET, POST, PUT, DELETE, FETCH, PATCH, IPATCH; PATH may have a query
 *	observe PATH               GET with Observe; each notification is an answer
 *	lose N                     the next N datagrams of a session that is there do not arrive here; those of a handshake do
 *	sleep, wake                asleep it hears nothing: what comes meanwhile is lost
 *	close, open                ends the session with close_notify, begins another one
 *	quit                       as the end of standard input does
 *
 * With DEVICE_LOG in its environment libcoap tells all that it does on standard error.
 *
 * It says what happens on its standard output, one JSON object a line, by "event":
 *
 *	connected
 *	closed       by either side
 *	answer       to a request of its own: code ("2.04"), content_format (-1: none), payload; observe, where it is a notification
 *	unanswered   a request of its own was given up
 *	request      came in, and was carried out: method, path, query, content_format, size, payload, executions (how many requests
 *	             with this method, path and payload were carried out since it was started)
 *	repeat       a request that it has had before by message id and token: answered again, not carried out again
 *	losing       as lose told it to; from here on
 *	lost, asleep, awake
 */

#include "device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* RECORD_APPLICATION_DATA: a ContentType, RFC 6347 section 4.1. */
enum { KEY_MAX = 64, DESCRIPTORS = 64, TURN_MS = 20, LINE_MAX_BYTES = 1 << 21, RECORD_APPLICATION_DATA = 23 };

static struct device {
	const char *host, *identity, *reading, *set;
	int port;
	uint8_t key[KEY_MAX];
	size_t key_size;
	bool connected, sleepy, asleep, sends_reading, quits;
	unsigned lose;
	coap_context_t *context;
	coap_session_t *session;
	char *input; /* what has come of the next line */
	size_t input_size;
} self = {.host = "127.0.0.1"};

static void fall_asleep(void)
{
	self.sleepy = false; /* from now on it is told when */
	self.asleep = true;
	device_print_event("asleep");
}

static coap_response_t on_answer(coap_session_t *session, const coap_pdu_t *sent, const coap_pdu_t *received,
				 const coap_mid_t mid)
{
	unsigned code = coap_pdu_get_code(received);
	const uint8_t *data = NULL;
	size_t size = 0, offset = 0, total = 0;
	coap_opt_iterator_t walk;
	coap_opt_t *observe = coap_check_option(received, COAP_OPTION_OBSERVE, &walk);

	(void)session;
	(void)sent;
	(void)mid;
	(void)coap_get_data_large(received, &size, &data, &offset, &total);
	printf("{\"event\": \"answer\", \"code\": \"%u.%02u\", \"content_format\": %d", code >> 5, code & 31,
	       device_format(received));
	if (observe)
		printf(", \"observe\": %u", coap_decode_var_bytes(coap_opt_value(observe), coap_opt_length(observe)));
	device_print_text("payload", data, size);
	puts("}");
	if (self.sleepy)
		fall_asleep();
	return COAP_RESPONSE_OK;
}

static void on_given_up(coap_session_t *session, const coap_pdu_t *sent, const coap_nack_reason_t reason,
			const coap_mid_t mid)
{
	(void)session;
	(void)reason;
	(void)mid;
	if (sent)
		device_print_event("unanswered");
}

/* Both the library and we know. */
static void note_closed(void)
{
	if (self.connected)
		device_print_event("closed");
	self.connected = false;
}

static int on_event(coap_session_t *session, const coap_event_t event)
{
	(void)session;
	if (event == COAP_EVENT_DTLS_CONNECTED) {
		self.connected = true;
		device_print_event("connected");
		self.sends_reading = self.reading != NULL;
		if (self.sleepy && !self.reading)
			fall_asleep();
	}
	if (event == COAP_EVENT_DTLS_CLOSED)
		note_closed();
	return 0;
}

static void add_options(coap_optlist_t **list, uint16_t number, const char *text, size_t size,
			int (*split)(const uint8_t *, size_t, unsigned char *, size_t *))
{
	unsigned char room[1024], *at = room;
	size_t used = sizeof(room);
	int count = size > 0 ? split((const uint8_t *)text, size, room, &used) : 0;

	for (; count-- > 0; at += coap_opt_size(at))
		coap_insert_optlist(list, coap_new_optlist(number, coap_opt_length(at), coap_opt_value(at)));
}

/* `path` begins with or without '/', and may have a query; `text` may be NULL. */
static void send_request(coap_pdu_code_t method, const char *path, const char *text, bool observe)
{
	coap_optlist_t *options = NULL;
	uint8_t token[8];
	size_t token_size;
	size_t size = strcspn(path += path[0] == '/', "?");

	if (!self.session)
		return;
	coap_pdu_t *pdu = coap_new_pdu(COAP_MESSAGE_CON, method, self.session);
	if (!pdu)
		abort();
	coap_session_new_token(self.session, &token_size, token);
	coap_add_token(pdu, token_size, token);
	if (observe)
		coap_insert_optlist(&options, coap_new_optlist(COAP_OPTION_OBSERVE, 0, NULL));
	add_options(&options, COAP_OPTION_URI_PATH, path, size, coap_split_path);
	if (path[size] == '?')
		add_options(&options, COAP_OPTION_URI_QUERY, path + size + 1, strlen(path + size + 1),
			    coap_split_query);
	coap_add_optlist_pdu(pdu, &options);
	coap_delete_optlist(options);
	if (text) {
		char *copy = strdup(text);
		coap_add_data_large_request(self.session, pdu, strlen(text), (const uint8_t *)copy, device_release,
					    copy);
	}
	coap_send(self.session, pdu);
}

static void session_open(void)
{
	coap_dtls_cpsk_t psk = {.version = COAP_DTLS_CPSK_SETUP_VERSION};
	coap_address_t address;

	coap_address_init(&address);
	address.size = sizeof(address.addr.sin);
	address.addr.sin = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)self.port)};
	if (inet_pton(AF_INET, self.host, &address.addr.sin.sin_addr) != 1)
		exit(2);
	psk.psk_info.identity = (coap_bin_const_t){strlen(self.identity), (const uint8_t *)self.identity};
	psk.psk_info.key = (coap_bin_const_t){self.key_size, self.key};
	self.session = coap_new_client_session_psk2(self.context, NULL, &address, COAP_PROTO_DTLS, &psk);
	if (!self.session) {
		fprintf(stderr, "no session\n");
		exit(1);
	}
}

static void session_close(void)
{
	if (self.session) {
		device_forget(self.session);
		coap_session_release(self.session);
		note_closed();
	}
	self.session = NULL;
}

/* The socket of the session: libcoap does not tell. */
static int session_fd(void)
{
	for (int fd = 3; fd < DESCRIPTORS; fd++) {
		struct sockaddr_in peer;
		socklen_t length = sizeof(peer);

		if (getpeername(fd, (struct sockaddr *)&peer, &length) >= 0 && peer.sin_family == AF_INET)
			return fd;
	}
	return -1;
}

static coap_pdu_code_t method_of(const char *name)
{
	static const char *const methods[] = {"", "GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "IPATCH"};

	for (int i = 1; i < 8; i++)
		if (strcmp(methods[i], name) == 0)
			return (coap_pdu_code_t)i;
	fprintf(stderr, "no such method: %s\n", name);
	exit(2);
}

/* The first word of `*rest`, which moves behind it; "" where there is none. */
static const char *next_word(char **rest)
{
	char *word = *rest;

	*rest += strcspn(*rest, " ");
	if (**rest)
		*(*rest)++ = '\0';
	return word;
}

static void obey(char *line)
{
	const char *word = next_word(&line);

	if (strcmp(word, "post") == 0) {
		const char *path = next_word(&line);
		send_request(COAP_REQUEST_CODE_POST, path, line, false);
	} else if (strcmp(word, "request") == 0) {
		coap_pdu_code_t method = method_of(next_word(&line));
		const char *path = next_word(&line);
		send_request(method, path, line[0] ? line : NULL, false);
	} else if (strcmp(word, "observe") == 0) {
		send_request(COAP_REQUEST_CODE_GET, line, NULL, true);
	} else if (strcmp(word, "lose") == 0) {
		self.lose += (unsigned)strtoul(line, NULL, 10);
		device_print_event("losing");
	} else if (strcmp(word, "sleep") == 0) {
		fall_asleep();
	} else if (strcmp(word, "wake") == 0) {
		self.asleep = false;
		device_print_event("awake");
	} else if (strcmp(word, "close") == 0) {
		session_close();
	} else if (strcmp(word, "open") == 0) {
		session_close();
		session_open();
	} else if (strcmp(word, "quit") == 0) {
		self.quits = true;
	} else {
		fprintf(stderr, "no such command: %s\n", word);
		exit(2);
	}
}

static void read_input(void)
{
	ssize_t size = read(STDIN_FILENO, self.input + self.input_size, LINE_MAX_BYTES - self.input_size);
	char *end;

	if (size <= 0) {
		self.quits = true;
		return;
	}
	self.input_size += (size_t)size;
	while (!self.quits && (end = memchr(self.input, '\n', self.input_size))) {
		size_t used = (size_t)(end - self.input) + 1;

		*end = '\0';
		obey(self.input);
		self.input_size -= used;
		memmove(self.input, end + 1, self.input_size);
	}
}

/*
 * Takes what has arrived away from libcoap, as the network or a radio that is off would. Where it loses so and so many, what still comes
 * of the handshake is not counted: on a slow machine the gateway has sent its last flight twice. Returns whether libcoap may read.
 */
static bool lose_input(int fd)
{
	uint8_t datagram[2048];

	while (self.asleep || self.lose > 0) {
		ssize_t size = recv(fd, datagram, sizeof(datagram), MSG_DONTWAIT | MSG_PEEK);

		if (size <= 0)
			return false; /* nor what comes from now on */
		if (!self.asleep && datagram[0] != RECORD_APPLICATION_DATA)
			return true;
		(void)recv(fd, datagram, sizeof(datagram), MSG_DONTWAIT);
		device_print_event("lost");
		if (!self.asleep)
			self.lose--;
	}
	return true;
}

/* What libcoap does by the clock alone. */
static void sends_again(void)
{
	coap_tick_t now;

	coap_ticks(&now);
	coap_io_prepare_epoll(self.context, now);
}

static void turn(void)
{
	int fd = session_fd();
	bool reads = true;
	struct pollfd ready[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

	if (poll(ready, 2, TURN_MS) < 0 && errno != EINTR)
		abort();
	if (ready[0].revents)
		read_input();
	if (fd >= 0 && (self.asleep || self.lose > 0))
		reads = lose_input(fd);
	if (!self.asleep && reads)
		coap_io_process(self.context, COAP_IO_NO_WAIT);
	else if (!self.asleep)
		sends_again();
	if (self.sends_reading) {
		char *copy = strdup(self.reading);
		char *text = strchr(copy, '=');

		self.sends_reading = false;
		self.reading = NULL;
		*text++ = '\0';
		send_request(COAP_REQUEST_CODE_POST, copy, text, false);
		free(copy);
	}
}

static void read_key(const char *hex)
{
	unsigned byte;

	for (; self.key_size < KEY_MAX && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		self.key[self.key_size++] = (uint8_t)byte;
}

static void read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"host", required_argument, NULL, 'h'},     {"port", required_argument, NULL, 'p'},
		{"identity", required_argument, NULL, 'i'}, {"key", required_argument, NULL, 'k'},
		{"reading", required_argument, NULL, 'r'},  {"set", required_argument, NULL, 'e'},
		{"sleepy", no_argument, NULL, 's'},         {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'h')
			self.host = optarg;
		else if (option == 'p')
			self.port = (int)strtol(optarg, NULL, 10);
		else if (option == 'i')
			self.identity = optarg;
		else if (option == 'k')
			read_key(optarg);
		else if (option == 'r')
			self.reading = optarg;
		else if (option == 'e')
			self.set = optarg;
		else if (option == 's')
			self.sleepy = true;
		else
			exit(2);
	}
	if (!self.port || !self.identity || !self.key_size || (self.reading && !strchr(self.reading, '='))) {
		fprintf(stderr, "usage: device --port PORT --identity ID --key HEX [--reading PATH=TEXT] [--set PATH] "
				"[--sleepy]\n");
		exit(2);
	}
}

static void print_log(coap_log_t level, const char *message)
{
	(void)level;
	fputs(message, stderr);
}

int main(int argc, char **argv)
{
	read_options(argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	signal(SIGPIPE, SIG_DFL);
	self.input = malloc(LINE_MAX_BYTES);
	coap_startup();
	coap_set_log_handler(print_log);
	coap_set_show_pdu_output(0);
	if (getenv("DEVICE_LOG"))
		coap_set_log_level(7);
	self.context = coap_new_context(NULL);
	if (!self.input || !self.context)
		return 1;
	coap_context_set_block_mode(self.context, COAP_BLOCK_USE_LIBCOAP | COAP_BLOCK_SINGLE_BODY);
	coap_register_response_handler(self.context, on_answer);
	coap_register_nack_handler(self.context, on_given_up);
	coap_register_event_handler(self.context, on_event);
	device_serve(self.context, self.set);
	session_open();
	while (!self.quits)
		turn();
	session_close();
	coap_free_context(self.context);
	coap_cleanup();
	free(self.input);
	return 0;
}
