/* SPDX-License-Identifier: Apache-2.0 */
#include "command_block.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"

enum { SZX_MAX = 6, ANEW_MAX = 3, FIRST_CAPACITY = 4096, GROWTH = 8 };

static size_t size_of(uint8_t szx)
{
	return (size_t)16 << szx;
}

static size_t piece_size(const struct command *command)
{
	size_t left = command->payload.size - command->offset;
	return command->in_blocks && left > size_of(command->szx) ? size_of(command->szx) : left;
}

static bool is_last(const struct command *command)
{
	return command->offset + piece_size(command) == command->payload.size;
}

/* What asks for the rest of an answer has no payload; that of a FETCH says what is meant (RFC 8132 section 2). */
static bool has_payload(const struct command *command)
{
	return command->payload.size > 0 &&
	       (!command->fetching || (command->method == MESSAGE_FETCH && !command->in_blocks));
}

static void write_blocks(const struct command *command, struct message_writer *writer)
{
	if (command->fetching) {
		uint32_t number = (uint32_t)(command->body_size / size_of(command->fetch_szx));
		message_write_option_uint(writer, MESSAGE_BLOCK2, block_value(number, false, command->fetch_szx));
	} else if (command->in_blocks) {
		uint32_t number = (uint32_t)(command->offset / size_of(command->szx));
		message_write_option_uint(writer, MESSAGE_BLOCK1, block_value(number, !is_last(command), command->szx));
		message_write_option_uint(writer, MESSAGE_SIZE1, (uint32_t)command->payload.size);
	}
}

static void write_request(const struct command *command, struct message_writer *writer)
{
	message_write_header(writer, MESSAGE_CON, command->method, command->message_id,
			     (struct tg_bytes){.data = command->token, .size = sizeof(command->token)});
	message_write_path(writer, command->address);
	if (has_payload(command) && command->content_format != TG_FORMAT_NONE)
		message_write_option_uint(writer, MESSAGE_CONTENT_FORMAT, (uint32_t)command->content_format);
	message_write_query(writer, command->address);
	write_blocks(command, writer);
	if (has_payload(command))
		message_write_payload(writer, (struct tg_bytes){
						      .data = (const uint8_t *)command->payload.data + command->offset,
						      .size = piece_size(command),
					      });
}

int command_block_begin(struct command *command)
{
	uint8_t bytes[EXCHANGE_DATAGRAM_MAX];
	size_t room = command->datagram_max < sizeof(bytes) ? command->datagram_max : sizeof(bytes);
	room -= room < GROWTH ? room : GROWTH; /* the numbers of later blocks are longer */
	command->szx = SZX_MAX;
	command->in_blocks = command->payload.size > size_of(SZX_MAX);
	for (;;) {
		struct message_writer writer;
		message_writer_init(&writer, bytes, room);
		write_request(command, &writer);
		if (!writer.failed)
			return 0;
		if (command->szx == 0 || command->payload.size == 0)
			return -E2BIG;
		command->in_blocks = true;
		command->szx--;
	}
}

struct tg_bytes command_block_compose(const struct command *command, uint8_t bytes[EXCHANGE_DATAGRAM_MAX])
{
	struct message_writer writer;
	message_writer_init(&writer, bytes, EXCHANGE_DATAGRAM_MAX);
	write_request(command, &writer);
	assert(!writer.failed);
	return (struct tg_bytes){.data = bytes, .size = writer.size};
}

static enum command_next reject(struct command_block *block, const char *reason)
{
	block->reason = reason;
	return COMMAND_NEXT_REJECT;
}

static enum command_next answer(struct command *command, const struct coap_message *message,
				struct command_block *block)
{
	if (message->payload.size > block->body_bytes)
		return reject(block, "the answer is larger than body_bytes");
	command->code = message->code;
	command->answer_format = message->content_format;
	block->answer = message->payload;
	return COMMAND_NEXT_ANSWER;
}

/* From the first block on. A device that never gets what it needs is not asked for ever. */
static bool begin_anew(struct command *command)
{
	command->offset = 0;
	command->fetching = false;
	command->body_size = 0;
	command->etag_size = 0;
	return command->begun_anew++ < ANEW_MAX;
}

/* Takes over a size that the device wishes, where it is smaller. */
static bool shrink(struct command *command, const struct coap_message *message)
{
	uint8_t szx = message->block1 & 7;
	if (message->block1 == MESSAGE_ABSENT || block_is_reserved(message->block1))
		return false;
	if (command->in_blocks ? szx >= command->szx : size_of(szx) >= command->payload.size)
		return false;
	command->in_blocks = true;
	command->szx = szx;
	return true;
}

static enum command_next take_continue(struct command *command, const struct coap_message *message,
				       struct command_block *block)
{
	if (!command->in_blocks || is_last(command))
		return reject(block, "the device asks for more than there is");
	command->offset += piece_size(command);
	(void)shrink(command, message);
	return COMMAND_NEXT_EXCHANGE;
}

/* Returns false where this is the answer to the whole. Source: RFC 7959 sections 2.3, 2.9. */
static bool take_piece(struct command *command, const struct coap_message *message, struct command_block *block,
		       enum command_next *ret_next)
{
	uint32_t number = (uint32_t)(command->offset / size_of(command->szx));
	if (message->code == MESSAGE_CONTINUE)
		*ret_next = take_continue(command, message, block);
	else if (message->code == MESSAGE_INCOMPLETE && command->in_blocks && begin_anew(command))
		*ret_next = COMMAND_NEXT_EXCHANGE;
	else if (message->code == MESSAGE_TOO_LARGE && shrink(command, message) && begin_anew(command))
		*ret_next = COMMAND_NEXT_EXCHANGE;
	else if (MESSAGE_CODE_CLASS(message->code) != 2 || !command->in_blocks || is_last(command))
		return false;
	else if (message->block1 != MESSAGE_ABSENT && message->block1 >> 4 == number)
		*ret_next = take_continue(command, message, block); /* carried out piece by piece */
	else
		*ret_next = reject(block, "the device takes a part of the payload for the whole");
	return true;
}

static struct tg_bytes etag_of(const struct coap_message *message)
{
	struct message_walk walk;
	struct message_option option;
	message_walk_init(&walk, message);
	while (message_option_next(&walk, &option))
		if (option.number == MESSAGE_ETAG && option.value.size <= 8)
			return option.value;
	return (struct tg_bytes){0};
}

static bool is_changed(const struct command *command, struct tg_bytes etag)
{
	return command->body_size > 0 &&
	       (etag.size != command->etag_size || memcmp(etag.data ? etag.data : "", command->etag, etag.size) != 0);
}

static const char *body_append(struct command *command, struct tg_bytes piece, struct command_block *block)
{
	size_t size = command->body_size + piece.size;
	size_t capacity = command->body_capacity ? command->body_capacity : FIRST_CAPACITY;
	if (size > block->body_bytes)
		return "the answer is larger than body_bytes";
	while (capacity < size)
		capacity *= 2;
	if (capacity > command->body_capacity) {
		size_t more = capacity - command->body_capacity;
		uint8_t *body = more <= block->spare_bytes ? realloc(command->body, capacity) : NULL;
		if (!body)
			return "there is no memory for the answer";
		command->body = body;
		command->body_capacity = capacity;
		command->memory += more;
	}
	if (piece.size > 0)
		memcpy(command->body + command->body_size, piece.data, piece.size);
	command->body_size = size;
	return NULL;
}

/* A piece of the answer. Source: RFC 7959 section 2.4. */
static enum command_next take_answer_piece(struct command *command, const struct coap_message *message,
					   struct command_block *block)
{
	uint8_t szx = message->block2 & 7;
	bool more = message->block2 >> 3 & 1;
	size_t offset = (message->block2 >> 4) * size_of(szx);
	struct tg_bytes etag = etag_of(message);
	if (block_is_reserved(message->block2) || offset != command->body_size ||
	    message->payload.size > size_of(szx) || (more && message->payload.size < size_of(szx)))
		return reject(block, "the blocks of the answer do not fit together");
	if (is_changed(command, etag)) {
		if (command->method == MESSAGE_GET && begin_anew(command))
			return COMMAND_NEXT_EXCHANGE;
		return reject(block, "the answer changes while it is fetched");
	}
	if (command->body_size == 0) {
		command->code = message->code;
		command->answer_format = message->content_format;
		command->etag_size = (uint8_t)etag.size;
		memcpy(command->etag, etag.data ? etag.data : "", etag.size);
	}
	const char *problem = body_append(command, message->payload, block);
	if (problem)
		return reject(block, problem);
	command->fetching = true;
	command->fetch_szx = szx;
	block->answer = (struct tg_bytes){.data = command->body, .size = command->body_size};
	return more ? COMMAND_NEXT_EXCHANGE : COMMAND_NEXT_ANSWER;
}

enum command_next command_block_take(struct command *command, const struct coap_message *message,
				     struct command_block *block)
{
	enum command_next next;
	if (!command->fetching && take_piece(command, message, block, &next))
		return next;
	if (MESSAGE_CODE_CLASS(message->code) != 2)
		return answer(command, message, block);
	if (message->block2 != MESSAGE_ABSENT)
		return take_answer_piece(command, message, block);
	if (command->fetching)
		return reject(block, "the blocks of the answer do not fit together");
	return answer(command, message, block);
}
