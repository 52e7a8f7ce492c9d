/* SPDX-License-Identifier: Apache-2.0 */
#include "arrival.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "common/media.h"
#include "common/words.h"

/* In the manner of FNV-1a: chance is all that it has to do with, since packet ids are the broker's. */
#define DIGEST_START UINT64_C(0xcbf29ce484222325)
#define DIGEST_PRIME UINT64_C(0x100000001b3)

enum { FORMAT_TEXT = 0 };

static size_t arrival_path_size(struct tg_bytes topic)
{
	const char *text = topic.data;
	size_t size = topic.size;

	for (size_t i = 0; i < topic.size; i++)
		size += text[i] == '%' ? 2 : 0;
	return size;
}

static struct tg_bytes arrival_copy(char **p, struct tg_bytes bytes)
{
	struct tg_bytes copy = {.data = *p, .size = bytes.size};

	if (bytes.size > 0)
		memcpy(*p, bytes.data, bytes.size);
	*p += bytes.size;
	return copy;
}

static struct tg_bytes arrival_path(char **p, struct tg_bytes topic)
{
	const char *text = topic.data, *begin = *p;

	for (size_t i = 0; i < topic.size; i++) {
		*(*p)++ = text[i];
		if (text[i] == '%') {
			*(*p)++ = '2';
			*(*p)++ = '5';
		}
	}
	return (struct tg_bytes){.data = begin, .size = (size_t)(*p - begin)};
}

static bool arrival_is_name(struct tg_bytes name)
{
	const unsigned char *p = name.data;

	for (size_t i = 0; i < name.size; i++) {
		if (p[i] < 0x20 || p[i] == 0x7f)
			return false;
	}
	return name.size > 0 && name.size <= TG_DEVICE_MAX;
}

static const char *arrival_refusal(const struct codec_publish *publish, size_t path_size)
{
	if (path_size > TG_PATH_MAX)
		return "topic is too long";
	if (publish->payload.size > TG_PAYLOAD_MAX)
		return "payload is too large";
	if (publish->reply_to.size > TG_REPLY_MAX)
		return "response topic is too long";
	if (publish->correlation.size > TG_CORRELATION_MAX)
		return "correlation data is too long";
	if (publish->publishers)
		return "publisher is named twice";
	if (publish->publisher.data && !arrival_is_name(publish->publisher))
		return "publisher's name cannot be a device's";
	return NULL;
}

static int32_t arrival_format(const struct codec_publish *publish)
{
	if (publish->content_type.size == 0)
		return publish->utf8 ? FORMAT_TEXT : TG_FORMAT_NONE;
	return media_content_format(publish->content_type);
}

int arrival_new(const struct codec_publish *publish, int64_t now_us, struct arrival **ret_arrival,
		const char **ret_refusal)
{
	size_t path_size = arrival_path_size(publish->topic);
	size_t size = sizeof(struct arrival) + path_size + publish->payload.size + publish->reply_to.size +
		      publish->correlation.size + publish->publisher.size;
	const char *refusal = arrival_refusal(publish, path_size);
	uint32_t method = TG_METHOD_NONE;
	struct arrival *arrival;
	char *p;

	if (!refusal && publish->method.data && !words_method(publish->method, &method))
		refusal = "method is not known";
	if (refusal) {
		*ret_refusal = refusal;
		return method == TG_METHOD_NONE && publish->method.data ? -EINVAL : -EMSGSIZE;
	}
	arrival = malloc(size);
	if (!arrival)
		return -ENOMEM;
	p = (char *)(arrival + 1);
	*arrival = (struct arrival){
		.size = size,
		.came_us = now_us,
		.expires = publish->expires,
		.submission = {.size = sizeof(struct tg_submission),
			       .kind = TG_TELEMETRY,
			       .content_format = arrival_format(publish),
			       .method = method,
			       .expiry_s = publish->expiry_s,
			       .repeated = publish->repeated},
	};
	arrival->submission.path = arrival_path(&p, publish->topic);
	arrival->submission.device = arrival_copy(&p, publish->publisher);
	arrival->submission.payload = arrival_copy(&p, publish->payload);
	arrival->submission.reply_to = arrival_copy(&p, publish->reply_to);
	arrival->submission.correlation = arrival_copy(&p, publish->correlation);
	*ret_arrival = arrival;
	return 0;
}

void arrival_free(struct arrival *arrival)
{
	free(arrival);
}

int64_t arrival_expiry_left(const struct arrival *arrival, int64_t now_us)
{
	int64_t left_s;

	if (!arrival->expires)
		return 0;
	left_s = arrival->submission.expiry_s - (now_us - arrival->came_us) / 1000000;
	return left_s > 0 ? left_s : -1;
}

bool arrival_same_topic(const struct arrival *a, const struct arrival *b)
{
	const struct tg_bytes *x = &a->submission.path, *y = &b->submission.path;

	return x->size == y->size && memcmp(x->data, y->data, x->size) == 0;
}

/* Eight bytes at a time, what is left of them one by one. */
static uint64_t digest_add(uint64_t digest, struct tg_bytes bytes)
{
	const uint8_t *p = bytes.data;
	size_t left = bytes.size;
	uint64_t word;

	digest = (digest ^ bytes.size) * DIGEST_PRIME;
	for (; left >= sizeof(word); left -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		digest = (digest ^ word) * DIGEST_PRIME;
		digest ^= digest >> 32;
	}
	for (; left > 0; left--)
		digest = (digest ^ *p++) * DIGEST_PRIME;
	return digest;
}

uint64_t arrival_digest(const struct codec_publish *publish)
{
	uint64_t digest = digest_add(DIGEST_START, publish->topic);

	digest = digest_add(digest, publish->reply_to);
	digest = digest_add(digest, publish->correlation);
	return digest_add(digest, publish->payload);
}
