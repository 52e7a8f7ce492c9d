/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DTLS layer of the coap adapter by itself: answers each confirmable request with 2.04 at once. For measuring it with loadgen.
 *
 *	dtls_echo PORT KEY_HEX [CERTIFICATE KEY TRUST]
 *
 * Every PSK identity is known, with that key; every certificate's name is.
 */
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapter/mock_host.h"
#include "coap/dtls.h"

struct echo {
	struct dtls *dtls;
	uint8_t key[64];
	size_t key_size;
	unsigned long received;
	unsigned long failed[DTLS_END_REASONS + 1];
};

static volatile sig_atomic_t echo_signal;

static void echo_on_signal(int number)
{
	echo_signal = number;
}

static int echo_authenticate(void *arg, uint64_t handle, enum tg_proof proof, struct tg_bytes identity)
{
	struct echo *echo = arg;
	struct tg_identity answer = {.size = sizeof(answer), .known = true, .device = identity};

	if (proof == TG_PROOF_PSK)
		answer.key = (struct tg_bytes){echo->key, echo->key_size};
	dtls_resolve(echo->dtls, handle, &answer);
	return 0;
}

static void echo_established(void *arg, struct dtls_session *session)
{
	(void)arg;
	(void)session;
}

static void echo_received(void *arg, struct dtls_session *session, struct tg_bytes datagram)
{
	struct echo *echo = arg;
	const uint8_t *in = datagram.data;
	uint8_t out[16];
	size_t token = datagram.size >= 4 ? in[0] & 15u : 16;

	echo->received++;
	if (token > 8 || datagram.size < 4 + token)
		return;
	memcpy(out, in, 4 + token);
	out[0] = (uint8_t)(0x60u | token); /* acknowledgement */
	out[1] = 0x44;                     /* 2.04 */
	(void)dtls_send(session, (struct tg_bytes){out, 4 + token});
}

static void echo_ended(void *arg, struct dtls_session *session, enum dtls_end why)
{
	(void)arg;
	(void)session;
	(void)why;
}

static void echo_failed(void *arg, const struct sockaddr *peer, enum dtls_end why, const char *detail)
{
	struct echo *echo = arg;

	(void)peer;
	if (echo->failed[why]++ < 3)
		fprintf(stderr, "failed: %d (%s)\n", (int)why, detail);
}

static const struct dtls_events echo_events = {
	.authenticate = echo_authenticate,
	.established = echo_established,
	.received = echo_received,
	.ended = echo_ended,
	.failed = echo_failed,
};

static void echo_print(const struct echo *echo)
{
	char line[256];
	FILE *status = fopen("/proc/self/status", "re");

	printf("received %lu, sessions %zu, half-open %zu, heap in use %zu\n", echo->received,
	       dtls_sessions(echo->dtls), dtls_half_open(echo->dtls), mallinfo2().uordblks);
	for (unsigned i = 0; i <= DTLS_END_REASONS; i++)
		if (echo->failed[i])
			printf("failed for reason %u: %lu\n", i, echo->failed[i]);
	while (status && fgets(line, sizeof(line), status))
		if (strncmp(line, "VmRSS", 5) == 0)
			fputs(line, stdout);
	if (status)
		fclose(status);
	fflush(stdout);
}

static const struct tg_adapter echo_adapter = {
	.major = TG_ADAPTER_MAJOR,
	.size = sizeof(struct tg_adapter),
	.name = "echo",
	.settings = (const struct tg_setting[]){{.name = NULL}},
	.counters = (const char *const[]){NULL},
};

int main(int argc, char **argv)
{
	static struct echo echo;
	const struct dtls_limits limits = {.sessions = 20000,
					   .sessions_a_device = 20000,
					   .half_open = 5000,
					   .half_open_an_address = 5000,
					   .handshakes_an_address = 1000000,
					   .handshakes_burst = 1000000,
					   .idle_us = INT64_C(600000000),
					   .handshake_us = INT64_C(10000000)};
	struct dtls_credentials credentials = {-1, -1, -1, -1, false};
	struct sockaddr_in6 address = {.sin6_family = AF_INET6};
	struct mock_host *mock;
	const char *problem = NULL;

	if (argc != 3 && argc != 6)
		return 2;
	address.sin6_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	for (const char *p = argv[2]; p[0] && p[1] && echo.key_size < sizeof(echo.key); p += 2)
		echo.key[echo.key_size++] = (uint8_t)strtoul((char[]){p[0], p[1], 0}, NULL, 16);
	if (argc == 6) {
		credentials.certificate_fd = open(argv[3], O_RDONLY | O_CLOEXEC);
		credentials.key_fd = open(argv[4], O_RDONLY | O_CLOEXEC);
		credentials.trust_fd = open(argv[5], O_RDONLY | O_CLOEXEC);
	}
	signal(SIGINT, echo_on_signal);
	signal(SIGTERM, echo_on_signal);
	signal(SIGUSR1, echo_on_signal);
	if (mock_host_new(&echo_adapter, &mock) < 0)
		return 1;
	mock_turn(mock, 0); /* sets its clock */
	const struct dtls_bind place = {.address = (struct sockaddr *)&address, .length = sizeof(address)};
	int r = dtls_new(&mock->host, &place, &limits, &credentials, &echo_events, &echo, &echo.dtls, &problem);
	if (r < 0 || dtls_start(echo.dtls) < 0) {
		fprintf(stderr, "%s\n", problem ? problem : strerror(-r));
		return 1;
	}
	while (echo_signal == 0 || echo_signal == SIGUSR1) {
		if (echo_signal == SIGUSR1) {
			echo_print(&echo);
			echo_signal = 0;
		}
		mock_turn(mock, 1000000);
	}
	echo_print(&echo);
	dtls_free(echo.dtls);
	mock_host_free(mock);
	return 0;
}
