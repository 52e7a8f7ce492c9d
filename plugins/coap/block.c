/* SPDX-License-Identifier: Apache-2.0 */
#include "block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SZX_MAX = 6, FIRST_CAPACITY = 1024, SECOND_US = 1000000 };

/* In a list by age: the one that was touched last is the newest. */
struct block_body {
	struct block_peer *peer;
	struct block_body *next; /* of this peer */
	struct block_body *older;
	struct block_body *newer;
	int64_t deadline_us;
	uint64_t key; /* of the request that the pieces belong to */
	size_t size;
	size_t capacity;
	uint8_t *data;
};

struct block_table {
	struct block_limits limits;
	struct block_body *oldest;
	struct block_body *newest;
	size_t bytes;
	uint64_t seed;
};

int block_table_new(const struct block_limits *limits, uint64_t seed, struct block_table **ret_table)
{
	struct block_table *table = calloc(1, sizeof(*table));
	if (!table)
		return -ENOMEM;
	table->limits = *limits;
	table->seed = seed;
	*ret_table = table;
	return 0;
}

static void list_out(struct block_table *table, struct block_body *body)
{
	*(body->older ? &body->older->newer : &table->oldest) = body->newer;
	*(body->newer ? &body->newer->older : &table->newest) = body->older;
}

static void list_in(struct block_table *table, struct block_body *body)
{
	body->older = table->newest;
	body->newer = NULL;
	*(table->newest ? &table->newest->newer : &table->oldest) = body;
	table->newest = body;
}

static void body_free(struct block_table *table, struct block_body *body)
{
	struct block_peer *peer = body->peer;
	struct block_body **link = &peer->bodies;
	while (*link != body)
		link = &(*link)->next;
	*link = body->next;
	peer->count--;
	if (peer->lent == body)
		peer->lent = NULL;
	list_out(table, body);
	table->bytes -= body->capacity;
	free(body->data);
	free(body);
}

void block_table_free(struct block_table *table)
{
	if (!table)
		return;
	while (table->oldest)
		body_free(table, table->oldest);
	free(table);
}

void block_set_limits(struct block_table *table, const struct block_limits *limits)
{
	table->limits = *limits;
}

size_t block_limit(const struct block_table *table)
{
	return table->limits.body_bytes;
}

void block_peer_done(struct block_table *table, struct block_peer *peer)
{
	while (peer->bodies)
		body_free(table, peer->bodies);
}

void block_return(struct block_table *table, struct block_peer *peer)
{
	if (peer->lent)
		body_free(table, peer->lent);
}

static uint64_t mix(uint64_t value)
{
	value = (value ^ value >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	return value ^ value >> 29;
}

/* Not part of a cache key, and so free to differ from piece to piece (RFC 7252 section 5.4.6). */
static bool differs_by_piece(uint16_t number)
{
	return (number & 0x1e) == 0x1c || number == MESSAGE_BLOCK1 || number == MESSAGE_BLOCK2;
}

static uint64_t key_of(const struct block_table *table, const struct coap_message *message)
{
	uint64_t key = table->seed ^ message->code;
	struct message_walk walk;
	struct message_option option;
	message_walk_init(&walk, message);
	while (message_option_next(&walk, &option)) {
		if (differs_by_piece(option.number))
			continue;
		const uint8_t *data = option.value.data;
		key = mix(key ^ ((uint64_t)option.number << 32 | option.value.size));
		for (size_t i = 0; i < option.value.size; i++)
			key = mix(key ^ data[i]);
	}
	return key;
}

static struct block_body *body_find(const struct block_peer *peer, uint64_t key)
{
	struct block_body *body = peer->bodies;
	while (body && body->key != key)
		body = body->next;
	return body;
}

static struct block_body *body_oldest(const struct block_peer *peer)
{
	struct block_body *oldest = peer->bodies;
	for (struct block_body *body = oldest; body; body = body->next)
		if (body->deadline_us < oldest->deadline_us)
			oldest = body;
	return oldest;
}

static struct block_body *body_begin(struct block_table *table, struct block_peer *peer, uint64_t key)
{
	struct block_body *body = calloc(1, sizeof(*body));
	if (!body)
		return NULL;
	if (peer->count >= BLOCK_BODIES_A_PEER)
		body_free(table, body_oldest(peer));
	body->peer = peer;
	body->key = key;
	body->next = peer->bodies;
	peer->bodies = body;
	peer->count++;
	list_in(table, body);
	return body;
}

/* Doubles from the first piece on, up to body_bytes. */
static bool body_reserve(struct block_table *table, struct block_body *body, size_t size)
{
	size_t capacity = body->capacity ? body->capacity : FIRST_CAPACITY;
	while (capacity < size)
		capacity *= 2;
	if (capacity > table->limits.body_bytes)
		capacity = table->limits.body_bytes;
	if (capacity <= body->capacity)
		return size <= body->capacity;
	if (capacity - body->capacity > table->limits.all_bytes ||
	    table->bytes > table->limits.all_bytes - (capacity - body->capacity))
		return false;
	uint8_t *data = realloc(body->data, capacity);
	if (!data)
		return false;
	table->bytes += capacity - body->capacity;
	body->data = data;
	body->capacity = capacity;
	return true;
}

/* A piece that is there already: its sender has given up waiting and sent it anew, under a new message id. */
static bool is_again(const struct block_body *body, size_t offset, struct tg_bytes piece)
{
	return offset < body->size && piece.size <= body->size - offset &&
	       memcmp(body->data + offset, piece.data, piece.size) == 0;
}

static uint8_t body_append(struct block_table *table, struct block_body *body, struct tg_bytes piece, int64_t now_us)
{
	if (!body || !body_reserve(table, body, body->size + piece.size))
		return MESSAGE_UNAVAILABLE;
	if (piece.size > 0)
		memcpy(body->data + body->size, piece.data, piece.size);
	body->size += piece.size;
	body->deadline_us = now_us + BLOCK_LIFETIME_S * (int64_t)SECOND_US;
	list_out(table, body);
	list_in(table, body);
	return 0;
}

static bool is_too_large(const struct block_table *table, const struct coap_message *message, size_t end, bool more)
{
	size_t limit = table->limits.body_bytes;
	return end > limit || (more && end == limit) || message->size1 > (int64_t)limit;
}

static void body_drop(struct block_table *table, struct block_peer *peer, uint64_t key)
{
	struct block_body *body = body_find(peer, key);
	if (body)
		body_free(table, body);
}

/* A first piece begins anew. */
static uint8_t receive_first(struct block_table *table, struct block_peer *peer, uint64_t key, struct tg_bytes piece,
			     int64_t now_us)
{
	body_drop(table, peer, key);
	struct block_body *body = body_begin(table, peer, key);
	uint8_t code = body_append(table, body, piece, now_us);
	if (code && body)
		body_free(table, body);
	return code ? code : MESSAGE_CONTINUE;
}

static uint8_t receive_next(struct block_table *table, struct block_body *body, const struct coap_message *message,
			    int64_t now_us, struct tg_bytes *ret_body)
{
	bool more = message->block1 >> 3 & 1;
	size_t offset = (message->block1 >> 4) * ((size_t)16 << (message->block1 & 7));
	if (!body || now_us >= body->deadline_us)
		return MESSAGE_INCOMPLETE;
	if (more && is_again(body, offset, message->payload))
		return MESSAGE_CONTINUE;
	if (offset != body->size)
		return MESSAGE_INCOMPLETE;
	uint8_t code = body_append(table, body, message->payload, now_us);
	if (code) {
		body_free(table, body);
		return code;
	}
	if (more)
		return MESSAGE_CONTINUE;
	body->peer->lent = body;
	*ret_body = (struct tg_bytes){.data = body->data, .size = body->size};
	return 0;
}

static uint8_t receive_piece(struct block_table *table, struct block_peer *peer, const struct coap_message *message,
			     int64_t now_us, struct tg_bytes *ret_body)
{
	bool more = message->block1 >> 3 & 1;
	size_t size = (size_t)16 << (message->block1 & 7);
	size_t offset = (message->block1 >> 4) * size;
	struct tg_bytes piece = message->payload;
	if (piece.size > size || (more && piece.size < size))
		return MESSAGE_BAD_REQUEST;
	uint64_t key = key_of(table, message);
	if (is_too_large(table, message, offset + piece.size, more)) {
		body_drop(table, peer, key);
		return MESSAGE_TOO_LARGE;
	}
	if (offset > 0)
		return receive_next(table, body_find(peer, key), message, now_us, ret_body);
	if (more)
		return receive_first(table, peer, key, piece, now_us);
	body_drop(table, peer, key);
	*ret_body = piece;
	return 0;
}

uint8_t block_receive(struct block_table *table, struct block_peer *peer, const struct coap_message *message,
		      int64_t now_us, struct tg_bytes *ret_body)
{
	if (block_is_reserved(message->block1))
		return MESSAGE_BAD_REQUEST;
	if (message->block1 != MESSAGE_ABSENT)
		return receive_piece(table, peer, message, now_us, ret_body);
	if (is_too_large(table, message, message->payload.size, false))
		return MESSAGE_TOO_LARGE;
	*ret_body = message->payload;
	return 0;
}

void block_run(struct block_table *table, int64_t now_us)
{
	while (table->oldest && table->oldest->deadline_us <= now_us)
		body_free(table, table->oldest);
}

int64_t block_next_us(const struct block_table *table)
{
	return table->oldest ? table->oldest->deadline_us : INT64_MAX;
}

size_t block_bytes(const struct block_table *table)
{
	return table->bytes;
}

uint8_t block_slice(struct tg_bytes whole, uint32_t block2, struct tg_bytes *ret_part, uint32_t *ret_block2)
{
	uint32_t szx = block2 == MESSAGE_ABSENT ? SZX_MAX : block2 & 7;
	size_t size = (size_t)16 << szx;
	uint32_t number = block2 == MESSAGE_ABSENT ? 0 : block2 >> 4;
	size_t offset = number * size;
	if (block_is_reserved(block2) || (number > 0 && offset >= whole.size))
		return MESSAGE_BAD_REQUEST;
	size_t left = whole.size - offset;
	bool more = left > size;
	*ret_part = (struct tg_bytes){.data = (const uint8_t *)whole.data + offset, .size = more ? size : left};
	*ret_block2 = block2 == MESSAGE_ABSENT && !more ? MESSAGE_ABSENT : block_value(number, more, szx);
	return 0;
}
