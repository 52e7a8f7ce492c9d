/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint/pending.h"

#include <errno.h>
#include <string.h>

void pending_init(struct pending *pending, size_t limit, size_t limit_bytes)
{
	*pending = (struct pending){.limit_bytes = limit_bytes};
	slots_init(&pending->slots, limit);
	TAILQ_INIT(&pending->list);
}

void pending_done(struct pending *pending)
{
	struct pending_message *m;

	while ((m = TAILQ_FIRST(&pending->list))) {
		TAILQ_REMOVE(&pending->list, m, link);
		free(m);
	}
	slots_done(&pending->slots);
}

static struct tg_bytes append(uint8_t **p, struct tg_bytes bytes)
{
	struct tg_bytes copy = {.data = *p, .size = bytes.size};

	if (bytes.size)
		memcpy(*p, bytes.data, bytes.size);
	*p += bytes.size;
	return copy;
}

int pending_add(struct pending *pending, const struct tg_submission *s, struct pending_message **ret_message)
{
	size_t bytes = s->device.size + s->path.size + s->reply_to.size + s->correlation.size + s->payload.size;
	struct pending_message *m;
	uint8_t *p;
	int r;

	if (bytes + PENDING_OVERHEAD > pending->limit_bytes - pending->bytes)
		return -ENOBUFS;
	m = malloc(sizeof(*m) + bytes);
	if (!m)
		return -ENOMEM;
	*m = (struct pending_message){.token = s->token,
				      .kind = s->kind,
				      .method = s->method,
				      .content_format = s->content_format,
				      .expiry_s = s->expiry_s,
				      .repeated = s->repeated,
				      .cost = bytes + PENDING_OVERHEAD};
	p = (uint8_t *)(m + 1);
	m->device = append(&p, s->device);
	m->path = append(&p, s->path);
	m->reply_to = append(&p, s->reply_to);
	m->correlation = append(&p, s->correlation);
	m->payload = append(&p, s->payload);
	r = slots_put(&pending->slots, (uintptr_t)m, &m->number);
	if (r < 0) {
		free(m);
		return r;
	}
	TAILQ_INSERT_TAIL(&pending->list, m, link);
	pending->bytes += m->cost;
	*ret_message = m;
	return 0;
}

struct pending_message *pending_take(struct pending *pending, uint64_t number)
{
	struct pending_message *m;
	uint64_t value;

	if (slots_take(&pending->slots, number, &value) < 0)
		return NULL;
	m = (struct pending_message *)(uintptr_t)value;
	TAILQ_REMOVE(&pending->list, m, link);
	pending->bytes -= m->cost;
	return m;
}
