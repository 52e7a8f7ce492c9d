/* SPDX-License-Identifier: Apache-2.0 */
#include "handshakes.h"

#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "tool.h"

struct handshakes_peer {
	struct client *client;
	size_t identity;
	int64_t begun_us;
	int64_t deadline_us;
};

struct handshakes {
	const struct handshakes_options *options;
	const struct identities *identities;
	struct batch *batch;
	struct client_context *context;
	struct client_tickets *tickets;
	struct tally *tally;
	struct handshakes_peer *peers;
	uint64_t begun;
	uint64_t ended;
	int64_t start_us;
	int64_t now_us;
};

static void handshakes_ended(struct handshakes *run, struct handshakes_peer *peer, bool done)
{
	client_tickets_keep(run->tickets, peer->identity, peer->client);
	if (done) {
		run->tally->handshakes++;
		run->tally->resumed += client_is_resumed(peer->client);
		tally_latency(run->tally, run->now_us - peer->begun_us);
		client_shut(peer->client);
	} else {
		run->tally->handshake_failures++;
	}
	client_free(peer->client);
	peer->client = NULL;
	run->ended++;
}

static void handshakes_step(struct handshakes *run, struct handshakes_peer *peer)
{
	int64_t wait_us;

	switch (client_state(peer->client)) {
	case CLIENT_OPEN:
		handshakes_ended(run, peer, true);
		break;
	case CLIENT_HANDSHAKE:
		wait_us = client_wait_us(peer->client);
		peer->deadline_us = run->now_us + (wait_us < 0 ? TOOL_S_US : wait_us);
		if (run->now_us - peer->begun_us >= run->options->limit_us)
			handshakes_ended(run, peer, false);
		break;
	default:
		handshakes_ended(run, peer, false);
		break;
	}
}

static void handshakes_datagram(void *arg, uint32_t index, uint8_t *data, size_t size)
{
	struct handshakes *run = arg;
	struct handshakes_peer *peer = &run->peers[index];

	if (index >= run->options->parallel || !peer->client)
		return;
	/* No application data is awaited, so there is nobody to hand it to. */
	client_input(peer->client, data, size, NULL, NULL);
	handshakes_step(run, peer);
}

static void handshakes_begin(struct handshakes *run, uint32_t index)
{
	const struct handshakes_options *options = run->options;
	size_t place = (size_t)(run->begun % run->identities->count);
	const struct client_identity *identity = &run->identities->list[place];
	struct handshakes_peer *peer = &run->peers[index];
	int64_t due_us = options->rate > 0 ? (int64_t)((double)run->begun / options->rate * TOOL_S_US) : 0;
	int result;

	if (run->begun >= options->count || run->now_us < run->start_us + due_us)
		return;
	run->begun++;
	peer->begun_us = run->now_us;
	peer->identity = place;
	result = client_new(run->context, index, identity, client_tickets_get(run->tickets, place), &peer->client);
	if (result < 0)
		tool_fail("no session for \"%s\" (%s)", identity->name, strerror(-result));
	handshakes_step(run, peer);
}

int64_t handshakes_run(const struct handshakes_options *options, const struct identities *identities,
		       struct batch *batch, struct client_context *context, struct client_tickets *tickets,
		       const volatile int *stop, struct tally *ret_tally)
{
	struct handshakes run = {.options = options,
				 .tickets = tickets,
				 .identities = identities,
				 .batch = batch,
				 .context = context,
				 .tally = ret_tally,
				 .start_us = tool_now_us()};

	run.peers = calloc(options->parallel, sizeof(*run.peers));
	if (!run.peers)
		tool_fail("out of memory");
	run.now_us = run.start_us;
	batch_set_wait(batch, TOOL_MS_US);
	while (run.ended < options->count && !*stop) {
		for (uint32_t i = 0; i < options->parallel; i++) {
			struct handshakes_peer *peer = &run.peers[i];

			if (!peer->client) {
				handshakes_begin(&run, i);
			} else if (peer->deadline_us <= run.now_us) {
				client_timeout(peer->client);
				handshakes_step(&run, peer);
			}
		}
		batch_flush(batch);
		if (batch_receive(batch, handshakes_datagram, &run, &run.now_us) < 0)
			tool_fail("nothing can be received");
	}
	for (uint32_t i = 0; i < options->parallel; i++)
		client_free(run.peers[i].client);
	free(run.peers);
	return run.now_us - run.start_us;
}
