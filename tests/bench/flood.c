/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Attackers that never finish a DTLS handshake, from many addresses of 127.0.0.0/8 and at a given rate for a given time. Plain: well-formed
 * ClientHellos without a cookie, as from forged sources, whose answers nobody reads. --half-open: the cookie is returned, and
 * after the server's first flight there is silence.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/batch.h"
#include "bench/client.h"
#include "bench/tool.h"

enum {
	FLOOD_RANDOM_AT = 13 + 12 + 2,
	FLOOD_RANDOM = 32,
	FLOOD_PORTS_MAX = 64,
	FLOOD_TURN = 256, /* sent between two looks at the clock */
	FLOOD_SOURCE = 127 << 24 | 128 << 16 | 1
};

struct flood_peer {
	struct client *client; /* half-open: until the server's first flight */
	bool returned;         /* its cookie */
};

struct flood {
	struct sockaddr_in server;
	uint32_t addresses;
	uint32_t ports;
	double rate;
	double seconds;
	bool half_open;
	struct tool_random random;
	struct batch *batches[FLOOD_PORTS_MAX];
	struct client_context *context;
	uint8_t hello[BATCH_DATAGRAM_MAX];
	size_t hello_size;
	struct flood_peer *peers;
	uint32_t next;
	uint64_t sent;
	uint64_t answered;
	uint64_t opened; /* half */
};

static const struct client_identity flood_identity = {
	.name = "flood", .psk = (const uint8_t *)"0123456789abcdef", .psk_size = 16};

static volatile int flood_stop;

static void flood_on_signal(int number)
{
	(void)number;
	flood_stop = 1;
}

static void flood_keep_hello(void *arg, uint32_t peer, const uint8_t *data, size_t size)
{
	struct flood *flood = arg;

	(void)peer;
	if (flood->hello_size > 0 || size > sizeof(flood->hello))
		return;
	memcpy(flood->hello, data, size);
	flood->hello_size = size;
}

static void flood_prepare(struct flood *flood)
{
	struct client_options options = {0};
	struct client *client;

	for (uint32_t i = 0; i < flood->ports; i++) {
		int result = batch_new(&flood->server, FLOOD_SOURCE, flood->addresses, &flood->batches[i]);

		if (result < 0)
			tool_fail("no socket (%s)", strerror(-result));
	}
	flood->peers = calloc(flood->addresses, sizeof(*flood->peers));
	if (!flood->peers || client_context_new(flood->batches[0], &options, &flood->context) < 0)
		tool_fail("out of memory");
	/* A hello that OpenSSL made, so that it is well-formed; each one sent gets a random of its own. */
	client_context_divert(flood->context, flood_keep_hello, flood);
	if (client_new(flood->context, 0, &flood_identity, NULL, &client) < 0)
		tool_fail("out of memory");
	client_free(client);
	client_context_divert(flood->context, NULL, NULL);
	if (flood->hello_size < FLOOD_RANDOM_AT + FLOOD_RANDOM)
		tool_fail("no ClientHello");
}

static void flood_send(struct flood *flood)
{
	uint32_t peer = flood->next++ % flood->addresses;

	flood->sent++;
	if (flood->half_open) {
		client_free(flood->peers[peer].client);
		flood->peers[peer] = (struct flood_peer){0};
		if (client_new(flood->context, peer, &flood_identity, NULL, &flood->peers[peer].client) < 0)
			tool_fail("out of memory");
		return;
	}
	tool_random_bytes(&flood->random, flood->hello + FLOOD_RANDOM_AT, FLOOD_RANDOM);
	batch_put(flood->batches[flood->sent % flood->ports], peer, flood->hello, flood->hello_size);
}

static void flood_datagram(void *arg, uint32_t index, uint8_t *data, size_t size)
{
	struct flood *flood = arg;
	struct flood_peer *peer = &flood->peers[index];

	flood->answered++;
	if (!peer->client)
		return;
	if (!peer->returned) {
		peer->returned = true;
		client_input(peer->client, data, size, NULL, NULL);
		return;
	}
	flood->opened++;
	client_free(peer->client);
	peer->client = NULL;
}

static void flood_run(struct flood *flood)
{
	struct timespec tick = {.tv_nsec = TOOL_MS_US * 1000};
	int64_t start_us = tool_now_us(), now_us = start_us;
	int64_t end_us = start_us + (int64_t)(flood->seconds * TOOL_S_US);

	while (now_us < end_us && !flood_stop) {
		uint64_t due = (uint64_t)((double)(now_us - start_us) * flood->rate / TOOL_S_US);
		int got;

		/* What it falls behind it does not make up for without looking at the clock. */
		for (unsigned i = 0; i < FLOOD_TURN && flood->sent < due; i++)
			flood_send(flood);
		for (uint32_t i = 0; i < flood->ports; i++) {
			do
				got = batch_receive_ready(flood->batches[i], flood_datagram, flood, &now_us);
			while (got > 0);
			batch_flush(flood->batches[i]);
		}
		if (flood->sent >= due)
			nanosleep(&tick, NULL);
		now_us = tool_now_us();
	}
	printf("{\"sent\": %" PRIu64 ", \"answered\": %" PRIu64 ", \"half_opened\": %" PRIu64
	       ", \"seconds\": %.3f, \"rate\": %.1f}\n",
	       flood->sent, flood->answered, flood->opened, (double)(now_us - start_us) / TOOL_S_US,
	       (double)flood->sent * TOOL_S_US / (double)(now_us - start_us));
}

static const struct option flood_options[] = {
	{"server", required_argument, NULL, 's'},  {"rate", required_argument, NULL, 'r'},
	{"seconds", required_argument, NULL, 'S'}, {"addresses", required_argument, NULL, 'a'},
	{"ports", required_argument, NULL, 'p'},   {"half-open", no_argument, NULL, 'h'},
	{"seed", required_argument, NULL, 'z'},    {0},
};

static void flood_argument(struct flood *flood, int letter)
{
	switch (letter) {
	case 's':
		if (batch_address(optarg, &flood->server) < 0)
			tool_fail("--server takes ADDRESS:PORT (IPv4)");
		break;
	case 'r':
		flood->rate = tool_real("rate", optarg, 1, 1e6);
		break;
	case 'S':
		flood->seconds = tool_real("seconds", optarg, 0, 3600);
		break;
	case 'a':
		flood->addresses = (uint32_t)tool_number("addresses", optarg, 1, 1 << 20);
		break;
	case 'p':
		flood->ports = (uint32_t)tool_number("ports", optarg, 1, FLOOD_PORTS_MAX);
		break;
	case 'h':
		flood->half_open = true;
		break;
	case 'z':
		flood->random.state = tool_number("seed", optarg, 0, UINT64_MAX);
		break;
	default:
		tool_fail("usage: flood --server ADDRESS:PORT [--rate 2000] [--seconds 10] [--addresses 20000]"
			  " [--ports 4] [--half-open] [--seed N]");
	}
}

int main(int count, char **arguments)
{
	struct flood *flood = calloc(1, sizeof(*flood));
	struct sigaction action = {.sa_handler = flood_on_signal};
	int letter;

	if (!flood)
		return 2;
	*flood = (struct flood){.addresses = 20000, .ports = 4, .rate = 2000, .seconds = 10};
	flood->random.state = tool_seed();
	while ((letter = getopt_long(count, arguments, "", flood_options, NULL)) != -1)
		flood_argument(flood, letter);
	if (flood->server.sin_port == 0)
		tool_fail("--server is needed");
	if (flood->half_open)
		flood->ports = 1;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	flood_prepare(flood);
	flood_run(flood);
	for (uint32_t i = 0; i < flood->addresses; i++)
		client_free(flood->peers[i].client);
	client_context_free(flood->context);
	for (uint32_t i = 0; i < flood->ports; i++)
		batch_free(flood->batches[i]);
	free(flood->peers);
	free(flood);
	return 0;
}
