/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <inttypes.h>

#include "coap.h"

static unsigned tally_bucket(uint64_t value)
{
	unsigned octave, bucket;

	if (value < 1u << TALLY_SUB_BITS)
		return (unsigned)value;
	octave = 63u - (unsigned)__builtin_clzll(value) - TALLY_SUB_BITS;
	bucket = (octave + 1) << TALLY_SUB_BITS | (unsigned)(value >> octave & ((1u << TALLY_SUB_BITS) - 1));
	return bucket < TALLY_BUCKETS ? bucket : TALLY_BUCKETS - 1;
}

/* The highest value of a bucket. */
static uint64_t tally_bucket_top(unsigned bucket)
{
	unsigned octave = bucket >> TALLY_SUB_BITS;
	uint64_t step = bucket & ((1u << TALLY_SUB_BITS) - 1);

	if (octave == 0)
		return step;
	return ((step + (1u << TALLY_SUB_BITS) + 1) << (octave - 1)) - 1;
}

void tally_latency(struct tally *tally, int64_t latency_us)
{
	if (latency_us < 0)
		latency_us = 0;
	tally->latency[tally_bucket((uint64_t)latency_us)]++;
	tally->latency_count++;
	tally->latency_sum_us += latency_us;
	if (latency_us > tally->latency_max_us)
		tally->latency_max_us = latency_us;
}

int64_t tally_percentile(const struct tally *tally, double share)
{
	uint64_t wanted = (uint64_t)((double)tally->latency_count * share);
	uint64_t seen = 0;

	if (tally->latency_count == 0)
		return 0;
	if (wanted >= tally->latency_count)
		return tally->latency_max_us;
	for (unsigned i = 0; i < TALLY_BUCKETS; i++) {
		seen += tally->latency[i];
		if (seen > wanted) {
			int64_t top = (int64_t)tally_bucket_top(i);

			return top < tally->latency_max_us ? top : tally->latency_max_us;
		}
	}
	return tally->latency_max_us;
}

static void tally_print_refused(const struct tally *tally, FILE *out)
{
	const char *comma = "";

	fputs("\"refused\": {", out);
	for (unsigned code = 0; code < 256; code++) {
		if (tally->refused[code] == 0)
			continue;
		fprintf(out, "%s\"%u.%02u\": %" PRIu64, comma, COAP_CLASS(code), COAP_DETAIL(code),
			tally->refused[code]);
		comma = ", ";
	}
	if (tally->resets > 0)
		fprintf(out, "%s\"RST\": %" PRIu64, comma, tally->resets);
	fputs("}", out);
}

void tally_print(const struct tally *tally, FILE *out)
{
	double mean = tally->latency_count > 0 ? (double)tally->latency_sum_us / (double)tally->latency_count : 0;

	fprintf(out,
		"\"sent\": %" PRIu64 ", \"acknowledged\": %" PRIu64 ", \"unanswered\": %" PRIu64
		", \"retransmitted\": %" PRIu64 ", ",
		tally->sent, tally->acknowledged, tally->unanswered, tally->retransmitted);
	tally_print_refused(tally, out);
	fprintf(out,
		",\n \"separate\": %" PRIu64 ", \"repeated\": %" PRIu64 ", \"strange\": %" PRIu64 ", \"late\": %" PRIu64
		", \"handshakes\": %" PRIu64 ", \"resumed\": %" PRIu64 ", \"handshake_failures\": %" PRIu64
		", \"sessions_lost\": %" PRIu64,
		tally->separate, tally->repeated, tally->strange, tally->late, tally->handshakes, tally->resumed,
		tally->handshake_failures, tally->sessions_lost);
	fprintf(out, ",\n \"latency_ms\": {\"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"max\": %.3f, \"mean\": %.3f}",
		(double)tally_percentile(tally, 0.5) / 1000, (double)tally_percentile(tally, 0.9) / 1000,
		(double)tally_percentile(tally, 0.99) / 1000, (double)tally->latency_max_us / 1000, mean / 1000);
}
