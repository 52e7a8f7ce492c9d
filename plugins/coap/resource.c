/* SPDX-License-Identifier: Apache-2.0 */
#include "resource.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "block.h"

enum { FORMAT_LINK = 40, DIAGNOSTIC_MAX = 256, HOP_LIMIT_MAX = 255, LINKS_ETAG_SIZE = 4, ETAG_MAX = 8 };

static const struct link always[] = {
	{"/",
	 {{.name = "rt", .value = "tidegate.readings"},
	  {.name = "title", .value = "POST or PUT a reading to any path"}}},
	{"/.well-known/core", {{.name = "ct", .value = "40", .number = true}}},
};

void resource_links_init(struct resource_links *ret_links)
{
	*ret_links = (struct resource_links){.count = 0};
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		resource_links_add(ret_links, &always[i]);
}

void resource_links_add(struct resource_links *links, const struct link *link)
{
	assert(links->count < RESOURCE_LINKS_MAX);
	links->links[links->count++] = *link;
}

static struct tg_bytes bytes_of(const char *terminated)
{
	return (struct tg_bytes){.data = terminated, .size = terminated ? strlen(terminated) : 0};
}

/* Answers that say which piece they belong to; elsewhere Block1 would ask for smaller pieces (RFC 7959 section 2.9.3). */
static bool takes_block1(uint8_t code)
{
	return MESSAGE_CODE_CLASS(code) == 2 || code == MESSAGE_INCOMPLETE || code == MESSAGE_UNAVAILABLE;
}

static struct resource_answer answer_make(uint8_t code, uint32_t detail, uint32_t block1, struct tg_bytes payload)
{
	return (struct resource_answer){
		.code = code,
		.observe = MESSAGE_ABSENT,
		.max_age = MESSAGE_ABSENT,
		.detail = detail,
		.block1 = takes_block1(code) && !block_is_reserved(block1) ? block1 : MESSAGE_ABSENT,
		.block2 = MESSAGE_ABSENT,
		.size2 = MESSAGE_ABSENT,
		.content_format = MESSAGE_ABSENT,
		.payload = payload,
	};
}

struct resource_answer resource_answer(const struct coap_message *message, uint8_t code, uint32_t detail,
				       const char *diagnostic)
{
	return answer_make(code, detail, message->block1, bytes_of(diagnostic));
}

size_t resource_utf8_length(const uint8_t *data, size_t left)
{
	if (data[0] < 0x80)
		return data[0] != 0;
	size_t length = data[0] >= 0xf0 ? 4 : data[0] >= 0xe0 ? 3 : 2;
	if (data[0] < 0xc2 || data[0] > 0xf4 || length > left)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((data[i] & 0xc0) != 0x80)
			return 0;
	bool overlong = (data[0] == 0xe0 && data[1] < 0xa0) || (data[0] == 0xf0 && data[1] < 0x90);
	bool surrogate = data[0] == 0xed && data[1] >= 0xa0;
	bool too_high = data[0] == 0xf4 && data[1] >= 0x90;
	return overlong || surrogate || too_high ? 0 : length;
}

static bool path_add(struct resource_reading *reading, const char *data, size_t size)
{
	if (size > sizeof(reading->path) - reading->path_size)
		return false;
	memcpy(reading->path + reading->path_size, data, size);
	reading->path_size += size;
	return true;
}

/* NULL, or what is wrong with it. */
static const char *segment_add(struct resource_reading *reading, struct tg_bytes segment)
{
	const char *data = segment.data;
	for (size_t i = 0; i < segment.size;) {
		size_t length = resource_utf8_length((const uint8_t *)data + i, segment.size - i);
		if (length == 0)
			return "path is not UTF-8";
		bool room;
		if (data[i] == '%')
			room = path_add(reading, "%25", 3);
		else if (data[i] == '/')
			room = path_add(reading, "%2F", 3);
		else
			room = path_add(reading, data + i, length);
		if (!room)
			return "path is too long";
		i += length;
	}
	return NULL;
}

static bool segment_is(struct tg_bytes segment, const char *value)
{
	return segment.size == strlen(value) && memcmp(segment.data, value, segment.size) == 0;
}

const char *resource_path(const struct coap_message *message, size_t skip, struct resource_reading *ret_reading)
{
	struct message_walk walk;
	struct message_option option;
	bool first = true;
	ret_reading->path_size = 0;
	message_walk_init(&walk, message);
	while (message_option_next(&walk, &option) && option.number <= MESSAGE_URI_PATH) {
		if (option.number != MESSAGE_URI_PATH)
			continue;
		if (skip > 0) {
			skip--;
			continue;
		}
		if (segment_is(option.value, ".") || segment_is(option.value, ".."))
			return "path has a segment of dots"; /* RFC 7252 section 5.10.1 */
		if (!first && !path_add(ret_reading, "/", 1))
			return "path is too long";
		const char *problem = segment_add(ret_reading, option.value);
		if (problem)
			return problem;
		first = false;
	}
	return NULL;
}

/* Looks at the options themselves: in a path, "%2F" and '/' could look the same. */
bool resource_is_core(const struct coap_message *message)
{
	static const char *const wanted[] = {".well-known", "core"};
	struct message_walk walk;
	struct message_option option;
	size_t found = 0;
	message_walk_init(&walk, message);
	while (message_option_next(&walk, &option)) {
		if (option.number != MESSAGE_URI_PATH)
			continue;
		if (found == 2 || !segment_is(option.value, wanted[found]))
			return false;
		found++;
	}
	return found == 2;
}

/* FNV-1a: it only has to differ where the text differs. */
static uint32_t etag_of(struct tg_bytes whole)
{
	const uint8_t *data = whole.data;
	uint32_t hash = 0x811c9dc5;
	for (size_t i = 0; i < whole.size; i++)
		hash = (hash ^ data[i]) * 0x01000193;
	return hash;
}

static struct tg_bytes etag_bytes(uint64_t etag, size_t size, uint8_t memory[ETAG_MAX])
{
	for (size_t i = 0; i < size; i++)
		memory[size - 1 - i] = (uint8_t)(etag >> 8 * i);
	return (struct tg_bytes){.data = memory, .size = size};
}

bool resource_names_etag(const struct coap_message *message, uint16_t number, uint64_t etag, size_t size)
{
	uint8_t memory[ETAG_MAX];
	const struct tg_bytes wanted = etag_bytes(etag, size, memory);
	struct message_walk walk;
	struct message_option option;
	message_walk_init(&walk, message);
	while (message_option_next(&walk, &option)) {
		if (option.number != number)
			continue;
		if (option.value.size == size && memcmp(option.value.data, wanted.data, size) == 0)
			return true;
		if (option.value.size == 0 && number == MESSAGE_IF_MATCH)
			return true;
	}
	return false;
}

/* What there is to say before the text itself, or 0. Source: RFC 7252 sections 5.10.4, 5.10.6.2, 5.10.8. */
static uint8_t links_code(const struct coap_message *message, uint32_t etag)
{
	if (message->accept != MESSAGE_ABSENT && message->accept != FORMAT_LINK)
		return MESSAGE_NOT_ACCEPTABLE;
	if (message->if_none_match ||
	    (message->if_match && !resource_names_etag(message, MESSAGE_IF_MATCH, etag, LINKS_ETAG_SIZE)))
		return MESSAGE_PRECONDITION_FAILED;
	return 0;
}

struct resource_answer resource_list(const struct coap_message *message, struct tg_bytes whole, uint32_t etag,
				     uint8_t etag_size)
{
	bool known = resource_names_etag(message, MESSAGE_ETAG, etag, etag_size);
	struct resource_answer answer = resource_answer(message, known ? MESSAGE_VALID : MESSAGE_CONTENT, 0, NULL);
	answer.etag = etag;
	answer.etag_size = etag_size;
	if (known)
		return answer;
	uint8_t code = block_slice(whole, message->block2, &answer.payload, &answer.block2);
	if (code)
		return resource_answer(message, code, 0, "no such block");
	answer.content_format = FORMAT_LINK;
	if (message->size2)
		answer.size2 = (uint32_t)whole.size;
	return answer;
}

static struct resource_answer links_answer(const struct coap_message *message, const struct resource_links *links,
					   char room[RESOURCE_TEXT_MAX])
{
	if (message->code != MESSAGE_GET)
		return resource_answer(message, MESSAGE_METHOD_NOT_ALLOWED, 0, NULL);
	int size = links_write(links->links, links->count, message, room, RESOURCE_TEXT_MAX);
	const struct tg_bytes whole = {.data = room, .size = size < 0 ? 0 : (size_t)size};
	uint32_t etag = etag_of(whole);
	uint8_t code = links_code(message, etag);
	if (code)
		return resource_answer(message, code, 0, NULL);
	return resource_list(message, whole, etag, LINKS_ETAG_SIZE);
}

uint8_t resource_check(const struct coap_message *message, char text[RESOURCE_TEXT_MAX])
{
	text[0] = '\0';
	if (message->bad_option) {
		snprintf(text, RESOURCE_TEXT_MAX, "option %u not understood", message->bad_option);
		return MESSAGE_BAD_OPTION;
	}
	if (message->proxy)
		return MESSAGE_PROXYING_NOT_SUPPORTED;
	if (message->hop_limit != MESSAGE_ABSENT && (message->hop_limit == 0 || message->hop_limit > HOP_LIMIT_MAX)) {
		snprintf(text, RESOURCE_TEXT_MAX, "hop limit has to be 1 to %d", HOP_LIMIT_MAX);
		return MESSAGE_BAD_REQUEST;
	}
	if (block_is_reserved(message->block1) || block_is_reserved(message->block2)) {
		snprintf(text, RESOURCE_TEXT_MAX, "block size 7 is reserved");
		return MESSAGE_BAD_REQUEST;
	}
	return 0;
}

static bool is_patch(uint8_t method)
{
	return method == MESSAGE_PATCH || method == MESSAGE_IPATCH;
}

static uint8_t reading_check(const struct coap_message *message)
{
	bool hands_in = message->code == MESSAGE_POST || message->code == MESSAGE_PUT || is_patch(message->code);
	if (!hands_in)
		return MESSAGE_METHOD_NOT_ALLOWED;
	return message->if_match ? MESSAGE_PRECONDITION_FAILED : 0;
}

bool resource_request(const struct coap_message *message, const struct resource_links *links,
		      char text[RESOURCE_TEXT_MAX], struct resource_reading *ret_reading,
		      struct resource_answer *ret_answer)
{
	uint8_t code = resource_check(message, text);
	if (code) {
		*ret_answer = resource_answer(message, code, 0, text);
		return false;
	}
	if (resource_is_core(message)) {
		*ret_answer = links_answer(message, links, text);
		return false;
	}
	code = reading_check(message);
	if (code) {
		*ret_answer = resource_answer(message, code, 0, NULL);
		return false;
	}
	const char *problem = resource_path(message, 0, ret_reading);
	if (problem) {
		*ret_answer = resource_answer(message, MESSAGE_BAD_REQUEST, 0, problem);
		return false;
	}
	ret_reading->content_format =
		message->content_format == MESSAGE_ABSENT ? TG_FORMAT_NONE : (int32_t)message->content_format;
	return true;
}

/* Cut where a character ends: the diagnostic is text for people (RFC 7252 section 5.5.2). */
static struct tg_bytes diagnostic_cut(struct tg_bytes reason, size_t most)
{
	const uint8_t *data = reason.data;
	if (reason.size > most) {
		reason.size = most;
		while (reason.size > 0 && (data[reason.size] & 0xc0) == 0x80)
			reason.size--;
	}
	return reason;
}

uint64_t resource_context(const struct coap_message *message)
{
	return (uint64_t)message->code << 32 | message->block1;
}

struct resource_answer resource_verdict(const struct tg_answer *answer, uint64_t context)
{
	static const uint8_t codes[] = {
		[TG_ACCEPTED] = MESSAGE_CHANGED,
		[TG_NO_ROUTE] = MESSAGE_NOT_FOUND,
		[TG_NOT_ALLOWED] = MESSAGE_FORBIDDEN,
		[TG_TOO_LARGE] = MESSAGE_TOO_LARGE,
		[TG_WRONG_FORMAT] = MESSAGE_UNSUPPORTED_FORMAT,
		[TG_MALFORMED] = MESSAGE_BAD_REQUEST,
		[TG_TOO_FAST] = MESSAGE_TOO_MANY_REQUESTS,
		[TG_FULL] = MESSAGE_UNAVAILABLE,
		[TG_UNAVAILABLE] = MESSAGE_UNAVAILABLE,
		[TG_UNKNOWN_DEVICE] = MESSAGE_UNAUTHORIZED,
	};
	/* A verdict of a later minor is a refusal that is not known here. */
	uint8_t code = answer->verdict < sizeof(codes) ? codes[answer->verdict] : MESSAGE_UNAVAILABLE;
	/* Where nothing takes patches, they are a method that there is not (RFC 8132 section 3). */
	if (code == MESSAGE_FORBIDDEN && is_patch((uint8_t)(context >> 32)))
		code = MESSAGE_METHOD_NOT_ALLOWED;
	uint32_t detail = code == MESSAGE_TOO_LARGE ? answer->limit_bytes : answer->max_age_s;
	size_t most = context & RESOURCE_BRIEF ? RESOURCE_BRIEF_MAX : DIAGNOSTIC_MAX;
	return answer_make(code, detail, (uint32_t)context,
			   code == MESSAGE_CHANGED ? (struct tg_bytes){0} : diagnostic_cut(answer->reason, most));
}

/* Where a registration of the directory is (RFC 9176 section 5). */
static void write_location(struct message_writer *writer, uint32_t number)
{
	char text[12];
	snprintf(text, sizeof(text), "%u", number);
	message_write_option(writer, MESSAGE_LOCATION_PATH, bytes_of("rd"));
	message_write_option(writer, MESSAGE_LOCATION_PATH, bytes_of(text));
}

void resource_encode(const struct resource_answer *answer, uint8_t memory[RESOURCE_BODY_MAX], struct tg_bytes *ret_body)
{
	struct message_writer writer;
	uint8_t etag[ETAG_MAX];
	message_writer_init(&writer, memory, RESOURCE_BODY_MAX);
	if (answer->etag_size > 0)
		message_write_option(&writer, MESSAGE_ETAG, etag_bytes(answer->etag, answer->etag_size, etag));
	if (answer->observe != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_OBSERVE, answer->observe);
	if (answer->code == MESSAGE_CREATED)
		write_location(&writer, answer->detail);
	if (answer->content_format != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_CONTENT_FORMAT, answer->content_format);
	if (answer->code == MESSAGE_UNAVAILABLE || answer->code == MESSAGE_TOO_MANY_REQUESTS)
		message_write_option_uint(&writer, MESSAGE_MAX_AGE, answer->detail);
	else if (answer->max_age != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_MAX_AGE, answer->max_age);
	if (answer->block2 != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_BLOCK2, answer->block2);
	if (answer->block1 != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_BLOCK1, answer->block1);
	if (answer->size2 != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_SIZE2, answer->size2);
	if (answer->code == MESSAGE_TOO_LARGE)
		message_write_option_uint(&writer, MESSAGE_SIZE1, answer->detail);
	message_write_payload(&writer, answer->payload);
	*ret_body = (struct tg_bytes){.data = memory, .size = writer.size};
}
