/* SPDX-License-Identifier: Apache-2.0 */
#include "core/transform.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "format/senml.h"

enum { FORMAT_JSON = 50 };

/* Of all messages together that are made of one. */
enum { TOTAL_MAX = 4 * TG_PAYLOAD_MAX };

struct work {
	const struct config_transform *rule;
	const struct envelope_source *source;
	const struct message *message;
	int32_t format; /* of the payload before it goes into an envelope */
	size_t total;
	struct transform_result *result;
};

void transform_done(struct transform_result *result)
{
	for (size_t i = 0; i < result->count; i++)
		message_unref(result->messages[i]);
	free(result->messages);
	result->messages = NULL;
	result->count = 0;
}

static bool needs_senml(const struct config_transform *rule)
{
	return rule->form == CONFIG_FORM_SENML_JSON || rule->form == CONFIG_FORM_SENML_CBOR || rule->split ||
	       rule->resolve;
}

bool transform_wanted(const struct config_transform *rule)
{
	return rule->form != CONFIG_FORM_RAW || needs_senml(rule);
}

bool transform_takes(const struct config_transform *rule, int32_t format)
{
	return !needs_senml(rule) || format == SENML_FORMAT_JSON || format == SENML_FORMAT_CBOR;
}

int32_t transform_format(const struct config_transform *rule, int32_t format)
{
	switch (rule->form) {
	case CONFIG_FORM_RAW:
		break;
	case CONFIG_FORM_SENML_JSON:
		return SENML_FORMAT_JSON;
	case CONFIG_FORM_SENML_CBOR:
		return SENML_FORMAT_CBOR;
	case CONFIG_FORM_ENVELOPE:
		return FORMAT_JSON;
	}
	return format;
}

/* Byte 8 begins with the variant (RFC 9562 section 4.1): its first random bit is turned over, so that none is the message's own. The place
 * stands in the last two bytes, behind the moment and 45 random bits. */
static void make_id(const uint8_t parent[TG_ID_SIZE], size_t place, uint8_t ret_id[TG_ID_SIZE])
{
	memcpy(ret_id, parent, TG_ID_SIZE);
	ret_id[8] ^= 0x20;
	ret_id[14] = (uint8_t)(place >> 8);
	ret_id[15] = (uint8_t)place;
}

static int add_message(struct work *work, const struct message *parts)
{
	struct transform_result *result = work->result;
	struct message *message;

	work->total += parts->payload.size;
	if (work->total > TOTAL_MAX)
		return -EMSGSIZE;
	message = message_new(parts);
	if (!message)
		return -ENOMEM;
	result->messages[result->count++] = message;
	return 0;
}

/* One message with this payload, in an envelope where that is asked for. */
static int add_payload(struct work *work, struct tg_bytes payload, int32_t format)
{
	struct message parts = *work->message;
	struct buffer buffer;
	int r;

	parts.payload = payload;
	parts.content_format = format;
	if (work->rule->split)
		make_id(work->message->id, work->result->count, parts.id);
	if (work->rule->form != CONFIG_FORM_ENVELOPE)
		return add_message(work, &parts);
	buffer_init(&buffer, TG_PAYLOAD_MAX);
	r = envelope_append(&parts, work->source, &buffer);
	parts.payload = bytes_of_buffer(&buffer);
	parts.content_format = FORMAT_JSON;
	if (r >= 0)
		r = add_message(work, &parts);
	buffer_done(&buffer);
	if (r == -EILSEQ) {
		snprintf(work->result->problem, sizeof(work->result->problem), "the path is not UTF-8");
		r = -EBADMSG;
	}
	return r == -ENOBUFS ? -EMSGSIZE : r;
}

static int add_records(struct work *work, const struct senml_pack *pack, size_t first, size_t count)
{
	struct buffer buffer;
	int r;

	buffer_init(&buffer, TG_PAYLOAD_MAX);
	if (work->format == SENML_FORMAT_JSON)
		r = senml_write_json(pack, first, count, &buffer);
	else
		r = senml_write_cbor(pack, first, count, &buffer);
	if (r >= 0)
		r = add_payload(work, bytes_of_buffer(&buffer), work->format);
	buffer_done(&buffer);
	return r == -ENOBUFS ? -EMSGSIZE : r;
}

static int add_all(struct work *work, const struct senml_pack *pack)
{
	size_t step = work->rule->split ? 1 : pack->records_count;
	int r = 0;

	work->result->messages = calloc(pack->records_count, sizeof(struct message *));
	if (!work->result->messages)
		return -ENOMEM;
	for (size_t at = 0; at < pack->records_count && r >= 0; at += step)
		r = add_records(work, pack, at, step);
	return r;
}

/* The payload as it is, perhaps in an envelope. */
static int add_same(struct work *work)
{
	work->result->messages = calloc(1, sizeof(struct message *));
	if (!work->result->messages)
		return -ENOMEM;
	return add_payload(work, work->message->payload, work->message->content_format);
}

static int convert(struct work *work, struct senml_pack *pack, struct senml_pack *made)
{
	const struct config_transform *rule = work->rule;
	const struct message *message = work->message;
	int r = message->content_format == SENML_FORMAT_JSON ? senml_read_json(pack, message->payload)
							     : senml_read_cbor(pack, message->payload);

	if (r >= 0 && !rule->resolve && !rule->split)
		return work->format == message->content_format ? add_same(work) : add_all(work, pack);
	if (r < 0)
		return r;
	if (rule->resolve)
		r = senml_resolve(pack, message->time_wall_us, TOTAL_MAX, made);
	else
		r = senml_spread(pack, made);
	return r < 0 ? r : add_all(work, made);
}

static int apply_senml(struct work *work)
{
	struct senml_pack pack, made;
	int r;

	senml_init(&pack, work->rule->records_max);
	senml_init(&made, work->rule->records_max);
	r = convert(work, &pack, &made);
	if (r == -EBADMSG && !*work->result->problem)
		snprintf(work->result->problem, sizeof(work->result->problem), "%s",
			 *pack.problem ? pack.problem : made.problem);
	senml_done(&made);
	senml_done(&pack);
	return r;
}

int transform_apply(const struct config_transform *rule, const struct envelope_source *source,
		    const struct message *message, struct transform_result *ret_result)
{
	struct work work = {.rule = rule, .source = source, .message = message, .result = ret_result};

	*ret_result = (struct transform_result){.messages = NULL};
	if (!transform_takes(rule, message->content_format))
		return -ENOTSUP;
	work.format = rule->form == CONFIG_FORM_ENVELOPE ? SENML_FORMAT_JSON
							 : transform_format(rule, message->content_format);
	return needs_senml(rule) ? apply_senml(&work) : add_same(&work);
}
