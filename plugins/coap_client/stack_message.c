/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "stack_internal.h"
#include "texts.h"

enum { OPTION_ECHO = 252, CODE_CLASS = 100, UINT_MAX_SIZE = 8 };

uint64_t stack_token(const coap_pdu_t *pdu)
{
	coap_bin_const_t token = coap_pdu_get_token(pdu);
	uint64_t value = 0;

	if (token.length == sizeof(value))
		memcpy(&value, token.s, sizeof(value));
	return value;
}

static uint32_t option_uint(const coap_opt_t *option)
{
	return coap_decode_var_bytes(coap_opt_value(option), coap_opt_length(option));
}

static const coap_opt_t *option_find(const coap_pdu_t *pdu, coap_option_num_t number)
{
	coap_opt_iterator_t iterator;

	return coap_check_option(pdu, number, &iterator);
}

static struct stack_block parse_block(const coap_pdu_t *pdu, coap_option_num_t number)
{
	const coap_opt_t *option = option_find(pdu, number);
	uint32_t value = option ? option_uint(option) : 0;

	if (!option || coap_opt_length(option) > 3)
		return (struct stack_block){.given = false};
	return (struct stack_block){
		.given = true, .more = value & 8, .number = value >> 4, .szx = (uint8_t)(value & 7)};
}

bool stack_parse(const coap_pdu_t *pdu, struct stack_message *ret_message)
{
	unsigned code = coap_pdu_get_code(pdu);
	const coap_opt_t *observe = option_find(pdu, COAP_OPTION_OBSERVE);
	const coap_opt_t *format = option_find(pdu, COAP_OPTION_CONTENT_FORMAT);
	const coap_opt_t *max_age = option_find(pdu, COAP_OPTION_MAXAGE);
	const coap_opt_t *etag = option_find(pdu, COAP_OPTION_ETAG);
	const coap_opt_t *echo = option_find(pdu, OPTION_ECHO);
	const uint8_t *data = NULL;
	size_t size = 0;

	*ret_message = (struct stack_message){
		.code = (code >> 5) * CODE_CLASS + (code & 31),
		.token = stack_token(pdu),
		.observe = observe && coap_opt_length(observe) <= 3 ? (int32_t)option_uint(observe) : -1,
		.format = format && coap_opt_length(format) <= 2 ? (int32_t)option_uint(format) : TG_FORMAT_NONE,
		.max_age_s = max_age && coap_opt_length(max_age) <= 4 ? (int64_t)option_uint(max_age) : -1,
		.block1 = parse_block(pdu, COAP_OPTION_BLOCK1),
		.block2 = parse_block(pdu, COAP_OPTION_BLOCK2),
	};
	if (etag && coap_opt_length(etag) <= STACK_ETAG_MAX) {
		ret_message->etag_size = coap_opt_length(etag);
		memcpy(ret_message->etag, coap_opt_value(etag), ret_message->etag_size);
	}
	if (echo && coap_opt_length(echo) > 0 && coap_opt_length(echo) <= STACK_ECHO_MAX) {
		ret_message->echo_size = coap_opt_length(echo);
		memcpy(ret_message->echo, coap_opt_value(echo), ret_message->echo_size);
	}
	if (coap_get_data(pdu, &size, &data))
		ret_message->payload = (struct tg_bytes){.data = data, .size = size};
	return ret_message->block1.szx < 7 && ret_message->block2.szx < 7;
}

static bool write_uint(coap_pdu_t *pdu, coap_option_num_t number, uint32_t value)
{
	uint8_t bytes[UINT_MAX_SIZE];

	return coap_add_option(pdu, number, coap_encode_var_safe(bytes, sizeof(bytes), value), bytes) > 0;
}

static bool write_block(coap_pdu_t *pdu, coap_option_num_t number, const struct stack_block *block)
{
	return !block->given || write_uint(pdu, number, block->number << 4 | (block->more ? 8u : 0u) | block->szx);
}

static bool write_parts(coap_pdu_t *pdu, const struct texts_parts *parts, bool query)
{
	for (size_t i = 0; i < parts->count; i++) {
		const struct texts_part *part = &parts->parts[i];

		if (part->query == query && coap_add_option(pdu, query ? COAP_OPTION_URI_QUERY : COAP_OPTION_URI_PATH,
							    part->size, part->data) == 0)
			return false;
	}
	return true;
}

/* Options in the order of their numbers. */
int stack_write(coap_pdu_t *pdu, const struct stack_message *message)
{
	bool good = coap_add_token(pdu, sizeof(message->token), (const uint8_t *)&message->token);

	if (good && message->etag_size > 0)
		good = coap_add_option(pdu, COAP_OPTION_ETAG, message->etag_size, message->etag) > 0;
	if (good && message->observe >= 0)
		good = write_uint(pdu, COAP_OPTION_OBSERVE, (uint32_t)message->observe);
	good = good && write_parts(pdu, message->parts, false);
	if (good && message->format >= 0)
		good = write_uint(pdu, COAP_OPTION_CONTENT_FORMAT, (uint32_t)message->format);
	good = good && write_parts(pdu, message->parts, true) &&
	       write_block(pdu, COAP_OPTION_BLOCK2, &message->block2) &&
	       write_block(pdu, COAP_OPTION_BLOCK1, &message->block1);
	if (good && message->size1 > 0)
		good = write_uint(pdu, COAP_OPTION_SIZE1, message->size1);
	if (good && message->echo_size > 0)
		good = coap_add_option(pdu, OPTION_ECHO, message->echo_size, message->echo) > 0;
	if (good && message->payload.size > 0)
		good = coap_add_data(pdu, message->payload.size, message->payload.data);
	return good ? 0 : -EMSGSIZE;
}
