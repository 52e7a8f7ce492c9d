/* SPDX-License-Identifier: Apache-2.0 */
#include "reader_answer.h"

#include <string.h>

#include "block.h"

enum { S_US = 1000000, ETAG_MAX = 8, BUSY_MAX_AGE_S = 5 };

static bool next_segment(struct message_walk *walk, struct tg_bytes *ret_segment)
{
	struct message_option option;
	while (message_option_next(walk, &option)) {
		if (option.number != MESSAGE_URI_PATH)
			continue;
		*ret_segment = option.value;
		return true;
	}
	return false;
}

/* Takes the segments of `prefix` off. Returns how many they are, 0 where the path has others. */
static size_t take_prefix(struct message_walk *walk, const char *prefix)
{
	struct tg_bytes segment;
	size_t count = 0;
	while (*prefix) {
		size_t size = strcspn(prefix, "/");
		if (!next_segment(walk, &segment) || segment.size != size || memcmp(segment.data, prefix, size) != 0)
			return 0;
		prefix += size + (prefix[size] == '/');
		count++;
	}
	return count;
}

bool reader_is_asked(const struct coap_message *message, const char *prefix)
{
	struct message_walk walk;
	message_walk_init(&walk, message);
	return message->code == MESSAGE_GET && take_prefix(&walk, prefix) > 0;
}

bool reader_is_folder(const struct coap_message *message, const char *prefix)
{
	struct message_walk walk;
	struct tg_bytes segment;
	message_walk_init(&walk, message);
	return message->code == MESSAGE_GET && take_prefix(&walk, prefix) > 0 && !next_segment(&walk, &segment);
}

uint8_t reader_address(const struct coap_message *message, const char *prefix, struct tg_bytes *ret_device,
		       struct resource_reading *ret_path, const char **ret_problem)
{
	struct message_walk walk;
	struct tg_bytes device;
	*ret_problem = NULL;
	message_walk_init(&walk, message);
	size_t skip = take_prefix(&walk, prefix);
	if (!next_segment(&walk, &device) || device.size == 0)
		return MESSAGE_NOT_FOUND;
	*ret_problem = resource_path(message, skip + 1, ret_path);
	if (*ret_problem)
		return MESSAGE_BAD_REQUEST;
	*ret_device = device;
	return 0;
}

/* Ours are numbers without leading zeros. */
static bool etag_read(struct tg_bytes value, uint64_t *ret_etag)
{
	const uint8_t *data = value.data;
	uint64_t etag = 0;
	if (value.size == 0 || value.size > ETAG_MAX || data[0] == 0)
		return false;
	for (size_t i = 0; i < value.size; i++)
		etag = etag << 8 | data[i];
	*ret_etag = etag;
	return true;
}

static size_t etag_size(uint64_t etag)
{
	size_t size = 1;
	while (size < ETAG_MAX && etag >> 8 * size)
		size++;
	return size;
}

static void etag_note(struct tg_bytes value, uint64_t etags[READER_ETAGS_MAX], unsigned *n_etags)
{
	if (*n_etags < READER_ETAGS_MAX && etag_read(value, &etags[*n_etags]))
		(*n_etags)++;
}

void reader_wishes_read(const struct coap_message *message, struct reader_wishes *ret_wishes)
{
	struct reader_wishes wishes = {
		.accept = message->accept,
		.block2 = message->block2,
		.size2 = message->size2,
		.none_match = message->if_none_match,
		.matches = message->if_match,
		.context = resource_context(message),
	};
	struct message_walk walk;
	struct message_option option;
	/* A reader that wants no good news is not told any (RFC 7967 section 2.1); Observe belongs to a first piece (RFC 7959
	 * section 3.4). */
	wishes.observe = message->observe == 0 && !(message->no_response & 2) && !reader_wants_piece(&wishes);
	message_walk_init(&walk, message);
	while (message_option_next(&walk, &option)) {
		if (option.number == MESSAGE_ETAG)
			etag_note(option.value, wishes.etags, &wishes.n_etags);
		else if (option.number == MESSAGE_IF_MATCH && option.value.size == 0)
			wishes.matches_any = true;
		else if (option.number == MESSAGE_IF_MATCH)
			etag_note(option.value, wishes.match, &wishes.n_matches);
	}
	*ret_wishes = wishes;
}

static bool is_named(uint64_t etag, const uint64_t *etags, unsigned n_etags)
{
	for (unsigned i = 0; i < n_etags; i++)
		if (etags[i] == etag)
			return true;
	return false;
}

struct resource_answer reader_answer_plain(uint8_t code)
{
	return (struct resource_answer){
		.code = code,
		.observe = MESSAGE_ABSENT,
		.max_age = MESSAGE_ABSENT,
		.block1 = MESSAGE_ABSENT,
		.block2 = MESSAGE_ABSENT,
		.size2 = MESSAGE_ABSENT,
		.content_format = MESSAGE_ABSENT,
	};
}

static uint32_t fresh_s(const struct reader_content *content, int64_t now_us)
{
	int64_t left_us = content->fresh_until_us - now_us;
	return left_us > 0 ? (uint32_t)((left_us + S_US - 1) / S_US) : 0;
}

/* What there is to say before the reading itself, or 0. */
static uint8_t code_before(const struct reader_content *content, const struct reader_wishes *wishes)
{
	if (wishes->accept != MESSAGE_ABSENT && (int64_t)wishes->accept != content->content_format)
		return MESSAGE_NOT_ACCEPTABLE;
	if (wishes->none_match ||
	    (wishes->matches && !wishes->matches_any && !is_named(content->etag, wishes->match, wishes->n_matches)))
		return MESSAGE_PRECONDITION_FAILED;
	return 0;
}

static struct resource_answer content_answer(const struct reader_content *content, uint32_t block2, bool size2,
					     int64_t now_us)
{
	struct resource_answer answer = reader_answer_plain(MESSAGE_CONTENT);
	uint8_t code = block_slice(content->payload, block2, &answer.payload, &answer.block2);
	if (code)
		return reader_answer_plain(code);
	answer.etag = content->etag;
	answer.etag_size = (uint8_t)etag_size(content->etag);
	answer.max_age = fresh_s(content, now_us);
	if (content->content_format != TG_FORMAT_NONE)
		answer.content_format = (uint32_t)content->content_format;
	if (size2 || reader_is_piece(&answer))
		answer.size2 = (uint32_t)content->payload.size;
	return answer;
}

struct resource_answer reader_answer(const struct reader_content *content, const struct reader_wishes *wishes,
				     int64_t now_us)
{
	uint8_t code = code_before(content, wishes);
	if (code)
		return reader_answer_plain(code);
	if (reader_wants_piece(wishes) || !is_named(content->etag, wishes->etags, wishes->n_etags))
		return content_answer(content, wishes->block2, wishes->size2, now_us);
	struct resource_answer answer = reader_answer_plain(MESSAGE_VALID);
	answer.etag = content->etag;
	answer.etag_size = (uint8_t)etag_size(content->etag);
	answer.max_age = fresh_s(content, now_us);
	return answer;
}

struct resource_answer reader_notification(const struct reader_content *content, const struct reader_wishes *wishes,
					   int64_t now_us)
{
	return content_answer(content, wishes->block2, wishes->size2, now_us);
}

struct resource_answer reader_refusal(uint32_t verdict, uint32_t max_age_s, const struct reader_wishes *wishes)
{
	const struct tg_answer answer = {
		.size = sizeof(answer), .verdict = verdict, .max_age_s = max_age_s ? max_age_s : BUSY_MAX_AGE_S};
	return resource_verdict(&answer, wishes->context);
}

bool reader_is_piece(const struct resource_answer *answer)
{
	return answer->block2 != MESSAGE_ABSENT && (answer->block2 >> 4 > 0 || answer->block2 >> 3 & 1);
}
