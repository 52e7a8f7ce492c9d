/* SPDX-License-Identifier: Apache-2.0 */
#include "arrival.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "common/media.h"
#include "common/utf8.h"
#include "common/words.h"
#include "unpack.h"

enum { FORMAT_TEXT = 0 };

static const struct unpack_id *arrival_correlation(const struct unpack_message *message)
{
	return message->correlation_id.type ? &message->correlation_id : &message->message_id;
}

/* It becomes an address; controls have no place in one. */
static bool arrival_is_address(struct tg_bytes text)
{
	const uint8_t *p = text.data;

	for (size_t i = 0; i < text.size; i++) {
		if (p[i] < 0x20 || p[i] == 0x7f)
			return false;
	}
	return utf8_is_good(text);
}

static const char *arrival_refusal(const struct unpack_message *message, size_t path_size)
{
	if (path_size > TG_PATH_MAX)
		return "address and subject are too long";
	if (!utf8_is_good(message->subject))
		return "subject is not UTF-8";
	if (message->payload.size > TG_PAYLOAD_MAX)
		return "payload is too large";
	if (message->reply_to.size > TG_REPLY_MAX)
		return "reply-to is too long";
	if (!arrival_is_address(message->reply_to))
		return "reply-to is not UTF-8 without control characters";
	if (arrival_correlation(message)->bytes.size >= TG_CORRELATION_MAX)
		return "correlation-id is too long";
	return NULL;
}

static int32_t arrival_format(const struct unpack_message *message)
{
	if (message->content_type.size == 0)
		return message->text ? FORMAT_TEXT : TG_FORMAT_NONE;
	return media_content_format(message->content_type);
}

/* Milliseconds from now on; 0: it does not expire; -1: it has. */
static int64_t arrival_lifetime_ms(const struct unpack_message *message, const struct arrival_place *place)
{
	int64_t left_ms = message->ttl_ms; /* those who write 0 mean for ever */
	int64_t now_ms = place->now_wall_us / 1000;

	if (message->expires_ms > 0 && message->expires_ms <= now_ms)
		return -1;
	if (message->expires_ms > 0 && (left_ms == 0 || message->expires_ms - now_ms < left_ms))
		left_ms = message->expires_ms - now_ms;
	return left_ms;
}

static uint32_t arrival_seconds(int64_t ms)
{
	return ms / 1000 < UINT32_MAX ? (uint32_t)((ms + 999) / 1000) : UINT32_MAX;
}

static struct tg_bytes arrival_copy(char **p, struct tg_bytes bytes)
{
	struct tg_bytes copy = {.data = *p, .size = bytes.size};

	if (bytes.size > 0)
		memcpy(*p, bytes.data, bytes.size);
	*p += bytes.size;
	return copy;
}

static struct tg_bytes arrival_put_correlation(char **p, const struct unpack_id *id)
{
	struct tg_bytes all = {.data = *p, .size = id->bytes.size + 1};

	if (!id->type)
		return (struct tg_bytes){0};
	*(*p)++ = id->type;
	arrival_copy(p, id->bytes);
	return all;
}

static bool arrival_is_own(const struct unpack_message *message, const char *via)
{
	return via && message->via.size == strlen(via) && memcmp(message->via.data, via, message->via.size) == 0;
}

static void arrival_fill(struct arrival *arrival, const struct unpack_message *message,
			 const struct arrival_place *place, size_t path_size)
{
	struct tg_submission *submission = &arrival->submission;
	char *p = (char *)(arrival + 1);

	submission->path = (struct tg_bytes){.data = p, .size = path_size};
	address_path(place->address, message->subject, p);
	p += path_size;
	submission->payload = arrival_copy(&p, message->payload);
	submission->reply_to = arrival_copy(&p, message->reply_to);
	submission->correlation = arrival_put_correlation(&p, arrival_correlation(message));
}

static int arrival_make(const struct unpack_message *message, const struct arrival_place *place,
			struct arrival **ret_arrival, const char **ret_refusal)
{
	size_t path_size = address_path_size(place->address, message->subject);
	size_t size = sizeof(struct arrival) + path_size + message->payload.size + message->reply_to.size + 1 +
		      arrival_correlation(message)->bytes.size;
	int64_t life_ms = arrival_lifetime_ms(message, place);
	uint32_t method = TG_METHOD_NONE;
	struct arrival *arrival;

	*ret_refusal = arrival_refusal(message, path_size);
	if (*ret_refusal)
		return -EMSGSIZE;
	if (message->method.size > 0 && !words_method(message->method, &method))
		*ret_refusal = "method is not known";
	else if (life_ms < 0)
		*ret_refusal = "it has expired";
	if (*ret_refusal)
		return -EINVAL;
	arrival = malloc(size);
	if (!arrival)
		return -ENOMEM;
	*arrival = (struct arrival){
		.size = size,
		.came_us = place->now_us,
		.expires = life_ms > 0,
		.own = arrival_is_own(message, place->via),
		.submission = {.size = sizeof(struct tg_submission),
			       .kind = TG_TELEMETRY,
			       .content_format = arrival_format(message),
			       .method = method,
			       .expiry_s = arrival_seconds(life_ms),
			       .repeated = message->repeated},
	};
	arrival_fill(arrival, message, place, path_size);
	*ret_arrival = arrival;
	return 0;
}

int arrival_new(struct tg_bytes bytes, const struct arrival_place *place, struct arrival **ret_arrival,
		const char **ret_refusal)
{
	struct unpack_message message;
	int r = unpack(bytes, &message);

	if (r < 0) {
		*ret_refusal = r == -EPROTONOSUPPORT ? "body is neither bytes nor a string" : "it is malformed";
		return r;
	}
	r = arrival_make(&message, place, ret_arrival, ret_refusal);
	unpack_done(&message);
	return r;
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

bool arrival_same_path(const struct arrival *a, const struct arrival *b)
{
	const struct tg_bytes *x = &a->submission.path, *y = &b->submission.path;

	return x->size == y->size && memcmp(x->data, y->data, x->size) == 0;
}
