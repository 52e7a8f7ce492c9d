/* SPDX-License-Identifier: Apache-2.0 */
#include "round.h"

#include <sys/random.h>

int64_t round_pause(struct round *round, int64_t min_us, int64_t max_us, uint32_t random)
{
	round->span_us = round->span_us == 0 ? min_us : round->span_us * 2;
	if (round->span_us > max_us)
		round->span_us = max_us;
	return round->span_us / 2 + (int64_t)((uint64_t)(round->span_us / 2) * random >> 32);
}

int64_t round_failed(struct round *round, size_t n_brokers, int64_t min_us, int64_t max_us, uint32_t random)
{
	int64_t pause_us = 0;

	if (++round->tried >= n_brokers) {
		round->tried = 0;
		pause_us = round_pause(round, min_us, max_us, random);
	}
	round->broker = (round->broker + 1) % n_brokers;
	return pause_us;
}

uint32_t round_random(int64_t now_us)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		random = (uint32_t)now_us * 2654435761u;
	return random;
}
