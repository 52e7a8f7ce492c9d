/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Tortures a CoAP server behind DTLS from outside. Inside a session: mutated CoAP messages, properly encrypted. Outside: mutated
 * records, handshakes that go wrong half-way, fragments and garbage, from many addresses and from the one that holds a good session. After each
 * burst a CoAP ping through the good session must be answered; that paces the run and proves that the server lives. A session that the
 * server ends is opened anew; when that fails, the server counts as dead and the exit code is 1.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/batch.h"
#include "bench/client.h"
#include "bench/coap.h"
#include "bench/identities.h"
#include "bench/tool.h"
#include "fuzz/mutator.h"

enum {
	MUTATE_PEERS = 65, /* 0 holds the good session */
	MUTATE_SOURCE = 127 << 24 | 64 << 16 | 1,
	MUTATE_SAMPLES = 32,
	MUTATE_PING_US = 500 * TOOL_MS_US, /* then once more */
	MUTATE_PINGS = 10,
	MUTATE_IDS = 30000 /* of a session: a server that sees one again would not look at its message */
};

struct mutate_sample {
	uint8_t data[MUTATOR_ROOM];
	size_t size;
};

struct mutate {
	struct sockaddr_in server;
	const char *keys;
	const char *prefix;
	uint64_t inside;
	uint64_t outside;
	uint32_t burst;
	uint64_t seed;
	int64_t connect_us; /* longest time for a new session */
	struct identities identities;
	struct tool_random random;
	struct batch *batch;
	struct client_context *context;
	struct client *good;
	struct client *bad[MUTATE_PEERS];
	struct mutate_sample samples[MUTATE_SAMPLES]; /* datagrams of good handshakes */
	size_t sample_count;
	struct mutate_sample last; /* the CoAP message before, to be mutated again */
	struct mutator_body body;
	int64_t now_us;
	uint16_t ping;
	uint16_t next_id;
	bool answered;
	bool spoil; /* what bad clients send is mutated on its way */
	uint64_t sent;
	uint64_t answers;
	uint64_t sessions;
};

static volatile int mutate_stop;

static void mutate_on_signal(int number)
{
	(void)number;
	mutate_stop = 1;
}

/* Everything that the clients send comes by here. */
static void mutate_divert(void *arg, uint32_t peer, const uint8_t *data, size_t size)
{
	struct mutate *mutate = arg;
	struct mutate_sample changed;

	if (size > sizeof(changed.data))
		return;
	memcpy(changed.data, data, size);
	changed.size = size;
	if (peer == 0) {
		if ((!mutate->good || client_state(mutate->good) == CLIENT_HANDSHAKE) &&
		    mutate->sample_count < MUTATE_SAMPLES)
			mutate->samples[mutate->sample_count++] = changed;
	} else {
		mutate->sent++;
		if (tool_random_below(&mutate->random, 3) == 0)
			changed.size = mutator_record(&mutate->random, changed.data, size, sizeof(changed.data));
	}
	batch_put(mutate->batch, peer, changed.data, changed.size);
}

static void mutate_message(void *arg, uint8_t *data, size_t size)
{
	struct mutate *mutate = arg;
	struct coap_view view;
	uint8_t empty[COAP_HEAD];

	mutate->answers++;
	if (!coap_read(data, size, &view))
		return;
	/* An ACK is no right answer, but a sign of life. */
	if ((view.type == COAP_RST || view.type == COAP_ACK) && view.id == mutate->ping)
		mutate->answered = true;
	/* Separate responses are acknowledged, refused or left alone, as it comes. */
	if (view.type == COAP_CON && tool_random_below(&mutate->random, 3) > 0)
		(void)client_send(mutate->good, empty,
				  coap_head(empty, sizeof(empty),
					    tool_random_below(&mutate->random, 2) ? COAP_ACK : COAP_RST, COAP_EMPTY,
					    view.id, NULL, 0));
}

static void mutate_nothing(void *arg, uint8_t *data, size_t size)
{
	(void)arg;
	(void)data;
	(void)size;
}

static void mutate_datagram(void *arg, uint32_t peer, uint8_t *data, size_t size)
{
	struct mutate *mutate = arg;

	if (peer == 0) {
		if (mutate->good)
			client_input(mutate->good, data, size, mutate_message, mutate);
	} else if (mutate->bad[peer] &&
		   client_input(mutate->bad[peer], data, size, mutate_nothing, NULL) == CLIENT_LOST) {
		client_free(mutate->bad[peer]);
		mutate->bad[peer] = NULL;
	}
}

/* Sends what is queued, and takes in what comes, for a tick at most. */
static void mutate_turn(struct mutate *mutate)
{
	batch_flush(mutate->batch);
	if (batch_receive(mutate->batch, mutate_datagram, mutate, &mutate->now_us) < 0)
		tool_fail("nothing can be received");
}

/* A session that works. */
static bool mutate_connect(struct mutate *mutate)
{
	int64_t end_us = tool_now_us() + mutate->connect_us, retry_us;

	mutate->now_us = tool_now_us();
	while (mutate->now_us < end_us && !mutate_stop) {
		client_free(mutate->good);
		mutate->good = NULL;
		if (client_new(mutate->context, 0, &mutate->identities.list[0], NULL, &mutate->good) < 0)
			tool_fail("out of memory");
		retry_us = mutate->now_us + mutate->connect_us / 4;
		while (client_state(mutate->good) == CLIENT_HANDSHAKE && mutate->now_us < retry_us) {
			mutate_turn(mutate);
			if (client_wait_us(mutate->good) == 0)
				client_timeout(mutate->good);
		}
		if (client_state(mutate->good) == CLIENT_OPEN) {
			mutate->sessions++;
			mutate->next_id = 0;
			return true;
		}
	}
	return false;
}

static bool mutate_ping(struct mutate *mutate)
{
	uint8_t ping[COAP_HEAD];

	mutate->answered = false;
	mutate->ping = (uint16_t)(UINT16_C(0x8000) | (mutate->ping + 1));
	for (unsigned i = 0; i < MUTATE_PINGS && !mutate->answered; i++) {
		int64_t end_us = tool_now_us() + MUTATE_PING_US;

		if (!client_send(mutate->good, ping,
				 coap_head(ping, sizeof(ping), COAP_CON, COAP_EMPTY, mutate->ping, NULL, 0)))
			return false;
		do
			mutate_turn(mutate);
		while (!mutate->answered && mutate->now_us < end_us && client_state(mutate->good) == CLIENT_OPEN);
	}
	return mutate->answered;
}

/* Whether the server is alive, with this session or a new one. */
static bool mutate_alive(struct mutate *mutate)
{
	if (mutate->good && mutate->next_id >= MUTATE_IDS)
		client_shut(mutate->good);
	if (mutate->good && client_state(mutate->good) == CLIENT_OPEN && mutate_ping(mutate))
		return true;
	return mutate_connect(mutate) && mutate_ping(mutate);
}

static void mutate_inside(struct mutate *mutate)
{
	struct mutate_sample *last = &mutate->last;
	uint32_t kind = tool_random_below(&mutate->random, 16);

	/* the very same again, the same with changes, or another one */
	if (last->size > 0 && kind < 3)
		last->size = kind == 0 ? last->size
				       : mutator_bytes(&mutate->random, last->data, last->size, sizeof(last->data));
	else if (kind < 7)
		last->size = mutator_block(&mutate->random, mutate->next_id++, &mutate->body, last->data);
	else
		last->size = mutator_coap(&mutate->random, mutate->next_id++, last->data);
	if (last->size > 0)
		(void)client_send(mutate->good, last->data, last->size);
	mutate->sent++;
}

static void mutate_handshake(struct mutate *mutate, uint32_t peer)
{
	client_free(mutate->bad[peer]);
	mutate->bad[peer] = NULL;
	if (client_new(mutate->context, peer, &mutate->identities.list[0], NULL, &mutate->bad[peer]) < 0)
		tool_fail("out of memory");
}

static void mutate_outside(struct mutate *mutate)
{
	struct tool_random *random = &mutate->random;
	const struct mutate_sample *sample =
		&mutate->samples[tool_random_below(random, (uint32_t)mutate->sample_count)];
	struct mutate_sample changed = *sample;
	uint32_t peer = tool_random_below(random, MUTATE_PEERS);

	switch (tool_random_below(random, 16)) {
	case 0:
		if (peer > 0) {
			mutate_handshake(mutate, peer);
			return;
		}
		break;
	case 1:
		changed.size = tool_random_below(random, sizeof(changed.data));
		tool_random_bytes(random, changed.data, changed.size);
		break;
	case 2:
	case 3:
	case 4:
		changed.size = mutator_fragment(random, sample->data, sample->size, changed.data, sizeof(changed.data));
		break;
	case 5:
	case 6:
	case 7:
		changed.size = mutator_bytes(random, changed.data, changed.size, sizeof(changed.data));
		break;
	case 8:
		/* as if of an established session: application data of epoch 1 */
		changed.data[0] = 23;
		changed.data[4] = 1;
		changed.size = mutator_bytes(random, changed.data, changed.size, sizeof(changed.data));
		break;
	default:
		changed.size = mutator_record(random, changed.data, changed.size, sizeof(changed.data));
		break;
	}
	batch_put(mutate->batch, peer, changed.data, changed.size);
	mutate->sent++;
}

static bool mutate_phase(struct mutate *mutate, const char *name, uint64_t count, void (*fn)(struct mutate *mutate))
{
	uint64_t sessions = mutate->sessions, answers = mutate->answers;
	int64_t start_us = tool_now_us();
	bool alive = true;

	mutate->sent = 0;
	while (alive && mutate->sent < count && !mutate_stop) {
		uint64_t end = mutate->sent + mutate->burst;

		while (mutate->sent < end && client_state(mutate->good) == CLIENT_OPEN)
			fn(mutate);
		alive = mutate_alive(mutate);
	}
	printf(" \"%s\": {\"sent\": %" PRIu64 ", \"answers\": %" PRIu64 ", \"new_sessions\": %" PRIu64
	       ", \"seconds\": %.1f, \"alive\": %s}",
	       name, mutate->sent, mutate->answers - answers, mutate->sessions - sessions,
	       (double)(tool_now_us() - start_us) / TOOL_S_US, alive ? "true" : "false");
	return alive && !mutate_stop;
}

static const struct option mutate_options[] = {
	{"server", required_argument, NULL, 's'},  {"keys", required_argument, NULL, 'k'},
	{"prefix", required_argument, NULL, 'x'},  {"inside", required_argument, NULL, 'i'},
	{"outside", required_argument, NULL, 'o'}, {"burst", required_argument, NULL, 'b'},
	{"seed", required_argument, NULL, 'z'},    {0},
};

static void mutate_argument(struct mutate *mutate, int letter)
{
	switch (letter) {
	case 's':
		if (batch_address(optarg, &mutate->server) < 0)
			tool_fail("--server takes ADDRESS:PORT (IPv4)");
		break;
	case 'k':
		mutate->keys = optarg;
		break;
	case 'x':
		mutate->prefix = optarg;
		break;
	case 'i':
		mutate->inside = tool_number("inside", optarg, 0, UINT32_MAX);
		break;
	case 'o':
		mutate->outside = tool_number("outside", optarg, 0, UINT32_MAX);
		break;
	case 'b':
		mutate->burst = (uint32_t)tool_number("burst", optarg, 1, 1000);
		break;
	case 'c':
		mutate->connect_us = (int64_t)(tool_real("connect-timeout", optarg, 0.1, 600) * TOOL_S_US);
		break;
	case 'z':
		mutate->seed = tool_number("seed", optarg, 0, UINT64_MAX);
		break;
	default:
		tool_fail("usage: mutate --server ADDRESS:PORT --keys FILE [--prefix TEXT] [--inside 100000]"
			  " [--outside 100000] [--burst 32] [--seed N] [--connect-timeout 30]");
	}
}

static void mutate_prepare(struct mutate *mutate)
{
	struct client_options options = {0};
	int result;

	identities_read_keys(mutate->keys, mutate->prefix, 0, 1, &mutate->identities);
	result = batch_new(&mutate->server, MUTATE_SOURCE, MUTATE_PEERS, &mutate->batch);
	if (result < 0)
		tool_fail("no socket (%s)", strerror(-result));
	if (client_context_new(mutate->batch, &options, &mutate->context) < 0)
		tool_fail("out of memory");
	client_context_divert(mutate->context, mutate_divert, mutate);
	mutate->random.state = mutate->seed;
}

static void mutate_done(struct mutate *mutate)
{
	for (uint32_t i = 0; i < MUTATE_PEERS; i++)
		client_free(mutate->bad[i]);
	if (mutate->good)
		client_shut(mutate->good);
	batch_flush(mutate->batch);
	client_free(mutate->good);
	client_context_free(mutate->context);
	batch_free(mutate->batch);
	identities_done(&mutate->identities);
}

int main(int count, char **arguments)
{
	struct mutate *mutate = calloc(1, sizeof(*mutate));
	struct sigaction action = {.sa_handler = mutate_on_signal};
	bool alive;
	int letter;

	if (!mutate)
		return 2;
	*mutate = (struct mutate){.inside = 100000,
				  .outside = 100000,
				  .burst = 32,
				  .seed = tool_seed(),
				  .connect_us = 30 * (int64_t)TOOL_S_US};
	while ((letter = getopt_long(count, arguments, "", mutate_options, NULL)) != -1)
		mutate_argument(mutate, letter);
	if (mutate->server.sin_port == 0 || !mutate->keys)
		tool_fail("--server and --keys are needed");
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	fprintf(stderr, "seed %" PRIu64 "\n", mutate->seed);
	mutate_prepare(mutate);
	if (!mutate_alive(mutate))
		tool_fail("no session with the server");
	printf("{\"seed\": %" PRIu64 ",\n", mutate->seed);
	alive = mutate_phase(mutate, "inside", mutate->inside, mutate_inside);
	if (alive) {
		printf(",\n");
		alive = mutate_phase(mutate, "outside", mutate->outside, mutate_outside);
	}
	printf("}\n");
	mutate_done(mutate);
	free(mutate);
	return alive ? 0 : 1;
}
