/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The load generator: many sensors with DTLS sessions of their own on one thread, measured from outside. Its own processor time is part of
 * the summary, as it shares the machine with what it measures.
 */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "fleet.h"
#include "options.h"

enum { LOADGEN_RECORD_BYTES = 1 << 20, LOADGEN_DAY_S = 86400 };

static volatile int loadgen_stop;

static void loadgen_on_signal(int number)
{
	(void)number;
	loadgen_stop = 1;
}

struct loadgen {
	struct options options;
	struct identities identities;
	struct batch *batch;
	struct client_context *context;
	struct client_tickets tickets;
	struct fleet *fleet;
	FILE *record;
	struct tally tally;
	struct tally handshakes;
	const char *cipher; /* of the sensors' sessions; lent by OpenSSL */
	int64_t handshakes_us;
	uint32_t connected;
	uint32_t open; /* at the end */
	int64_t connect_us;
	int64_t run_us;
	int64_t cpu_us;
};

static void loadgen_identities(struct loadgen *run)
{
	const struct options *options = &run->options;
	size_t count = options->fleet.sensors + options->fleet.idle;

	if (options->keys)
		identities_read_keys(options->keys, options->prefix, options->skip, count, &run->identities);
	else if (options->certificates)
		identities_of_folder(options->certificates, options->prefix ? options->prefix : "sensor", options->skip,
				     count, &run->identities);
	else
		identities_of_names(options->prefix ? options->prefix : "sensor", options->skip, count,
				    &run->identities);
}

static void loadgen_prepare(struct loadgen *run)
{
	const struct options *options = &run->options;
	uint32_t peers = options->fleet.sensors + options->fleet.idle;
	int result;

	loadgen_identities(run);
	if (options->handshakes.count > 0 && peers < options->handshakes.parallel)
		peers = options->handshakes.parallel;
	result = batch_new(&options->server, options->source, peers, &run->batch);
	if (result < 0)
		tool_fail("no socket (%s)", strerror(-result));
	if (!options->fleet.sensor.plain) {
		result = client_context_new(run->batch, &options->client, &run->context);
		if (result < 0)
			tool_fail("--cipher or --trust is unusable (%s)", strerror(-result));
	}
	if (options->tickets) {
		run->tickets.count = run->identities.count;
		run->tickets.list = calloc(run->tickets.count, sizeof(struct client_ticket *));
		if (!run->tickets.list)
			tool_fail("out of memory");
		client_tickets_load(&run->tickets, options->tickets);
	}
	if (options->record) {
		run->record = fopen(options->record, "we");
		if (!run->record)
			tool_fail("%s: %s", options->record, strerror(errno));
		setvbuf(run->record, NULL, _IOFBF, LOADGEN_RECORD_BYTES);
	}
	result = fleet_new(&options->fleet, &run->identities, run->batch, run->context, &run->tickets, &run->tally,
			   run->record, &run->fleet);
	if (result < 0)
		tool_fail("no sensors (%s)", strerror(-result));
}

static void loadgen_measure(struct loadgen *run)
{
	const struct options *options = &run->options;
	double seconds = options->seconds > 0 ? options->seconds : LOADGEN_DAY_S;
	int64_t start_us;

	if (options->handshakes.count > 0)
		run->handshakes_us = handshakes_run(&options->handshakes, &run->identities, run->batch, run->context,
						    &run->tickets, &loadgen_stop, &run->handshakes);
	if (options->handshakes.count > 0 && options->fleet.sensor.count == 0)
		return;
	start_us = tool_now_us();
	run->connected = fleet_connect(run->fleet, (int64_t)(options->connect_s * TOOL_S_US), &loadgen_stop);
	run->connect_us = tool_now_us() - start_us;
	run->cipher = fleet_cipher(run->fleet);
	fprintf(stderr, "connected %" PRIu32 "\n", run->connected);
	if (options->rest_s > 0)
		fleet_rest(run->fleet, (int64_t)(options->rest_s * TOOL_S_US), &loadgen_stop);
	start_us = tool_cpu_us();
	run->run_us = fleet_run(run->fleet, (int64_t)(seconds * TOOL_S_US), (int64_t)(options->linger_s * TOOL_S_US),
				&loadgen_stop, options->progress ? stderr : NULL);
	run->cpu_us = tool_cpu_us() - start_us;
	run->open = fleet_open(run->fleet);
	fleet_shut(run->fleet);
}

static double loadgen_ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

static void loadgen_print_handshakes(const struct loadgen *run)
{
	const struct tally *tally = &run->handshakes;

	printf(" \"handshake_phase\": {\"done\": %" PRIu64 ", \"resumed\": %" PRIu64 ", \"failed\": %" PRIu64
	       ", \"seconds\": %.3f, \"rate\": %.1f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f},\n",
	       tally->handshakes, tally->resumed, tally->handshake_failures, (double)run->handshakes_us / TOOL_S_US,
	       loadgen_ratio((double)tally->handshakes * TOOL_S_US, (double)run->handshakes_us),
	       (double)tally_percentile(tally, 0.5) / 1000, (double)tally_percentile(tally, 0.99) / 1000,
	       (double)tally->latency_max_us / 1000);
}

static void loadgen_print(const struct loadgen *run)
{
	const struct options *options = &run->options;

	printf("{\"sensors\": %" PRIu32 ", \"idle\": %" PRIu32 ", \"plain\": %s, \"seed\": %" PRIu64 ",\n",
	       options->fleet.sensors, options->fleet.idle, options->fleet.sensor.plain ? "true" : "false",
	       options->fleet.seed);
	if (options->handshakes.count > 0)
		loadgen_print_handshakes(run);
	printf(" \"cipher\": \"%s\", \"connected\": %" PRIu32 ", \"connect_seconds\": %.3f, \"open_at_end\": %" PRIu32
	       ",\n",
	       run->cipher ? run->cipher : "", run->connected, (double)run->connect_us / TOOL_S_US, run->open);
	printf(" \"seconds\": %.3f, \"rate\": %.1f, \"cpu_us_a_reading\": %.2f,\n ", (double)run->run_us / TOOL_S_US,
	       loadgen_ratio((double)run->tally.in_time * TOOL_S_US, (double)run->run_us),
	       loadgen_ratio((double)run->cpu_us, (double)run->tally.acknowledged));
	tally_print(&run->tally, stdout);
	printf("}\n");
}

static void loadgen_done(struct loadgen *run)
{
	fleet_free(run->fleet);
	client_tickets_done(&run->tickets);
	free(run->tickets.list);
	client_context_free(run->context);
	batch_free(run->batch);
	identities_done(&run->identities);
}

int main(int count, char **arguments)
{
	struct sigaction action = {.sa_handler = loadgen_on_signal};
	struct loadgen *run = calloc(1, sizeof(*run));
	bool written = true;

	if (!run)
		return 2;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	options_read(count, arguments, &run->options);
	loadgen_prepare(run);
	loadgen_measure(run);
	if (run->record)
		written = fclose(run->record) == 0;
	if (run->options.tickets && !client_tickets_save(&run->tickets, run->options.tickets))
		written = false;
	loadgen_print(run);
	if (!written)
		fprintf(stderr, "the record or the tickets could not be written (%s)\n", strerror(errno));
	loadgen_done(run);
	free(run);
	return written ? 0 : 1;
}
