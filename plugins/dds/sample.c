/* SPDX-License-Identifier: Apache-2.0 */
/* The time of the C library ends in 2038 where a long has 32 bits; that of samples does not. */
#define _TIME_BITS 64
#include "sample.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tidegate/message.h>
#include <time.h>

#include "format/tree.h"

static const char *const states[] = {"alive", "disposed", "no_writers"};

enum { TIME_SIZE = 40 };
static const int64_t NS_S = 1000000000;

static void show_time(int64_t time_ns, struct out *out)
{
	time_t seconds = (time_t)(time_ns / NS_S);
	char text[TIME_SIZE];
	struct tm tm;
	size_t n;

	if (time_ns < 0 || !gmtime_r(&seconds, &tm))
		return;
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(text + n, sizeof(text) - n, ".%09ldZ", (long)(time_ns % NS_S));
	out_name(out, "time");
	out_text(out, text, n);
}

int sample_show_key(const struct type *type, const struct sample *sample, struct out *out)
{
	if (!type->has_key)
		return 0;
	return decode(type, sample->has_data ? DECODE_KEYS : DECODE_BARE, sample->bytes, sample->size, out);
}

int sample_show(const struct type *type, const struct sample *sample, struct out *out)
{
	int r = 0;

	out_reset(out);
	out_begin_map(out);
	out_name(out, "state");
	out_text(out, states[sample->state], strlen(states[sample->state]));
	show_time(sample->time_ns, out);
	if (type->has_key) {
		out_name(out, "key");
		r = sample_show_key(type, sample, out);
	}
	if (r >= 0 && sample->has_data) {
		out_name(out, "data");
		r = decode(type, DECODE_WHOLE, sample->bytes, sample->size, out);
	}
	out_end_map(out);
	return r < 0 ? r : out->error;
}

static int refuse(struct encode_reason *reason, const char *text)
{
	snprintf(reason->text, sizeof(reason->text), "%s", text);
	return -EINVAL;
}

/* RFC 3339 in UTC, with up to nine digits of a second. */
static int read_time(const char *text, int64_t *ret_time_ns)
{
	struct tm tm = {.tm_sec = 0};
	const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t ns = 0, scale = NS_S;

	if (!at || tm.tm_year < 70 || tm.tm_year > 350)
		return -EINVAL;
	if (*at == '.' && at[1] >= '0' && at[1] <= '9') {
		for (at++; *at >= '0' && *at <= '9' && scale > 1; at++) {
			scale /= 10;
			ns += (*at - '0') * scale;
		}
	}
	if (strcmp(at, "Z") != 0)
		return -EINVAL;
	*ret_time_ns = (int64_t)timegm(&tm) * NS_S + ns;
	return *ret_time_ns < 0 ? -EINVAL : 0;
}

/* Without one: alive. */
static int read_state(const json_t *state, enum sample_state *ret_state)
{
	for (int i = SAMPLE_ALIVE; state && i <= SAMPLE_NO_WRITERS; i++)
		if (json_is_string(state) && strcmp(states[i], json_string_value(state)) == 0) {
			*ret_state = (enum sample_state)i;
			return 0;
		}
	return state ? -EINVAL : 0;
}

static int read_envelope(const json_t *root, struct sample_order *order, struct encode_reason *reason)
{
	const json_t *state = json_object_get(root, "state"), *time = json_object_get(root, "time");
	static const char *const names[] = {"state", "time", "key", "data"};
	size_t known = 0;

	if (!json_is_object(root))
		return refuse(reason, "must be an object with \"data\"");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		known += json_object_get(root, names[i]) != NULL;
	if (known != json_object_size(root))
		return refuse(reason, "has more than state, time, key and data");
	if (read_state(state, &order->state) < 0)
		return refuse(reason, "state: must be alive, disposed or no_writers");
	if (time && (!json_is_string(time) || read_time(json_string_value(time), &order->time_ns) < 0))
		return refuse(reason, "time: must be like 2026-05-04T03:02:01.5Z");
	order->has_data = json_object_get(root, "data") != NULL;
	if (!order->has_data && order->state == SAMPLE_ALIVE)
		return refuse(reason, "data: is missing");
	return 0;
}

/* The members of the key within the whole sample: what else is there is of no matter. */
static json_t *key_of(const struct type *type, const json_t *data)
{
	json_t *key = json_object();

	for (size_t i = 0; key && i < type->n_members; i++) {
		const struct type_member *member = &type->members[i];
		json_t *item = member->key ? json_object_get(data, member->name) : NULL;

		if (!item)
			continue;
		if (member->type->kind == TYPE_STRUCT && member->type->has_key)
			json_object_set_new(key, member->name, key_of(member->type, item));
		else
			json_object_set(key, member->name, item);
	}
	return key;
}

static int read_key(const struct type *type, const json_t *root, struct sample_order *order,
		    struct encode_reason *reason)
{
	json_t *given = json_object_get(root, "key"), *key;
	int r;

	if (!type->has_key)
		return refuse(reason, "state: the type has no key, only data can be written");
	if (!given && !order->has_data)
		return refuse(reason, "key: is missing");
	key = given ? json_incref(given) : key_of(type, json_object_get(root, "data"));
	r = key ? encode(type, true, key, "key", &order->key, reason) : -ENOMEM;
	json_decref(key);
	return r;
}

static int read_document(bool cbor, struct tg_bytes document, json_t **ret_root, struct encode_reason *reason)
{
	json_error_t error;
	int r;

	if (cbor) {
		r = tree_of_cbor(document, TREE_LOOSE, ret_root);
		return r == -EBADMSG || r == -E2BIG ? refuse(reason, "is no CBOR that JSON could say") : r;
	}
	*ret_root = json_loadb(document.size ? document.data : "", document.size,
			       JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (*ret_root)
		return 0;
	snprintf(reason->text, sizeof(reason->text), "is no JSON (%.100s)", error.text);
	return -EINVAL;
}

int sample_read(const struct type *type, unsigned version, bool cbor, struct tg_bytes document,
		struct sample_order *ret_order, struct encode_reason *ret_reason)
{
	struct sample_order *order = ret_order;
	json_t *root = NULL;
	int r;

	*order = (struct sample_order){.time_ns = -1};
	cdr_writer_init(&order->data, version, TG_PAYLOAD_MAX);
	cdr_writer_init(&order->key, version, TG_PAYLOAD_MAX);
	r = read_document(cbor, document, &root, ret_reason);
	if (r < 0)
		return r;
	r = read_envelope(root, order, ret_reason);
	if (r >= 0 && order->has_data)
		r = encode(type, false, json_object_get(root, "data"), "data", &order->data, ret_reason);
	if (r >= 0 && (!order->has_data || order->state == SAMPLE_NO_WRITERS))
		r = read_key(type, root, order, ret_reason);
	json_decref(root);
	return r;
}

void sample_order_done(struct sample_order *order)
{
	cdr_writer_done(&order->data);
	cdr_writer_done(&order->key);
}
