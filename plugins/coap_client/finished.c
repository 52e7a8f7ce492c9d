/* SPDX-License-Identifier: Apache-2.0 */
#include "finished.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct finished_one {
	uint8_t id[TG_ID_SIZE];
	int64_t until_us; /* 0: nothing here */
	struct tg_response response;
	uint8_t *payload;
};

/* A ring: the next one to be written is the oldest. */
struct finished {
	struct finished_one ones[FINISHED_MAX];
	size_t next;
	size_t bytes;
};

int finished_new(struct finished **ret_finished)
{
	struct finished *finished = calloc(1, sizeof(*finished));

	if (!finished)
		return -ENOMEM;
	*ret_finished = finished;
	return 0;
}

static void forget(struct finished *finished, struct finished_one *one)
{
	finished->bytes -= one->response.payload.size;
	free(one->payload);
	*one = (struct finished_one){.until_us = 0};
}

void finished_free(struct finished *finished)
{
	if (!finished)
		return;
	for (size_t i = 0; i < FINISHED_MAX; i++)
		free(finished->ones[i].payload);
	free(finished);
}

void finished_add(struct finished *finished, const uint8_t id[TG_ID_SIZE], const struct tg_response *response,
		  int64_t now_us)
{
	size_t size = response->payload.size > FINISHED_PAYLOAD ? 0 : response->payload.size;
	uint8_t *payload = size > 0 ? malloc(size) : NULL;
	struct finished_one *one = &finished->ones[finished->next];

	if (size > 0 && !payload)
		return;
	forget(finished, one);
	for (size_t i = 1; i < FINISHED_MAX && finished->bytes + size > FINISHED_BYTES; i++)
		forget(finished, &finished->ones[(finished->next + i) % FINISHED_MAX]);
	if (size > 0)
		memcpy(payload, response->payload.data, size);
	memcpy(one->id, id, TG_ID_SIZE);
	one->until_us = now_us + FINISHED_US;
	one->payload = payload;
	one->response = *response;
	one->response.payload = (struct tg_bytes){.data = payload, .size = size};
	finished->bytes += size;
	finished->next = (finished->next + 1) % FINISHED_MAX;
}

const struct tg_response *finished_find(const struct finished *finished, const uint8_t id[TG_ID_SIZE], int64_t now_us)
{
	for (size_t i = 0; i < FINISHED_MAX; i++) {
		const struct finished_one *one = &finished->ones[i];

		if (one->until_us > now_us && memcmp(one->id, id, TG_ID_SIZE) == 0)
			return &one->response;
	}
	return NULL;
}
