/* SPDX-License-Identifier: Apache-2.0 */
#include "generator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PACE_US = 10000 };

int generator_reload(struct generator *gen)
{
	const struct tg_host *host = gen->host;
	int64_t payload_bytes = host->setting_int(host, "payload_bytes");
	char *payload = malloc((size_t)payload_bytes + 1);

	if (!payload)
		return -ENOMEM;
	free(gen->payload);
	gen->payload = payload;
	gen->payload_bytes = payload_bytes;
	gen->count = host->setting_int(host, "generate");
	gen->rate = host->setting_int(host, "rate");
	gen->window = host->setting_int(host, "window");
	gen->path = host->setting_text(host, "path");
	return 0;
}

/* How many to make now. */
static int64_t due(const struct generator *gen, int64_t now_us)
{
	int64_t n = gen->count - gen->n_made;
	int64_t room = gen->window - gen->n_waiting;
	int64_t paced = (now_us - gen->began_us) / 1000 * gen->rate / 1000 + 1 - gen->n_made;

	if (n > room)
		n = room;
	return gen->rate && n > paced ? paced : n;
}

static int make_one(struct generator *gen)
{
	int64_t number = gen->n_made;
	size_t size = (size_t)gen->payload_bytes;
	int length;
	const struct tg_submission submission = {
		.size = sizeof(submission),
		.kind = TG_TELEMETRY,
		.token = (uint64_t)gen->n_made << 1 | 1,
		.path = {gen->path, strlen(gen->path)},
		.content_format = 0,
		.payload = {gen->payload, size},
	};

	if (gen->numbers.ahead > 0 && !numbers_take(&gen->numbers, &number))
		return -EAGAIN;
	length = snprintf(gen->payload, size + 1, "%lld ", (long long)number);
	if (length > 0 && (size_t)length < size)
		memset(gen->payload + length, '.', size - (size_t)length);
	return gen->host->submit(gen->host, &submission);
}

static void on_due(void *arg)
{
	struct generator *gen = arg;
	int64_t now_us = gen->host->now_us(gen->host);

	for (int64_t n = due(gen, now_us); n > 0 && !gen->stopped; n--) {
		if (make_one(gen) < 0)
			break; /* too many wait already, or there is no number: the timer tries again */
		gen->n_made++;
		gen->n_waiting++;
		gen->host->count(gen->host, GENERATED, 1);
	}
	if (gen->n_made < gen->count && !gen->stopped)
		gen->host->timer_set(gen->timer, now_us + PACE_US);
}

void generator_verdict(struct generator *gen)
{
	gen->n_waiting--;
	if (gen->n_made < gen->count)
		gen->host->timer_set(gen->batch, 1); /* once for all verdicts of this turn */
}

int generator_init(struct generator *gen, const struct tg_host *host)
{
	int r;

	*gen = (struct generator){.host = host};
	numbers_init(&gen->numbers, host, host->setting_int(host, "reserve"));
	r = generator_reload(gen);
	if (r >= 0)
		r = host->timer_new(host, on_due, gen, &gen->timer);
	if (r >= 0)
		r = host->idle_new(host, on_due, gen, &gen->batch);
	return r;
}

void generator_done(struct generator *gen)
{
	gen->host->timer_free(gen->timer);
	gen->host->timer_free(gen->batch);
	free(gen->payload);
}

void generator_start(struct generator *gen)
{
	gen->began_us = gen->host->now_us(gen->host);
	if (gen->count)
		gen->host->timer_set(gen->batch, 1);
}

void generator_stop(struct generator *gen)
{
	gen->stopped = true;
}
