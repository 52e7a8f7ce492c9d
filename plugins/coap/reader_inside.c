/* SPDX-License-Identifier: Apache-2.0 */
#include "reader_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { S_US = 1000000, FIRST_CAPACITY = 16 };

static struct tg_bytes copy(uint8_t *memory, struct tg_bytes bytes)
{
	if (bytes.size > 0)
		memcpy(memory, bytes.data, bytes.size);
	return (struct tg_bytes){.data = memory, .size = bytes.size};
}

struct tg_bytes reader_name(struct tg_bytes device, struct tg_bytes path, uint8_t memory[READER_NAME_MAX])
{
	(void)copy(memory, device);
	memory[device.size] = '\0';
	(void)copy(memory + device.size + 1, path);
	return (struct tg_bytes){.data = memory, .size = device.size + 1 + path.size};
}

static int table_grow(struct reader_table *table)
{
	size_t capacity = table->capacity ? table->capacity * 2 : FIRST_CAPACITY;
	struct reader **readers = realloc(table->readers, capacity * sizeof(struct reader *));
	if (!readers)
		return -ENOMEM;
	memset(readers + table->capacity, 0, (capacity - table->capacity) * sizeof(struct reader *));
	table->readers = readers;
	table->capacity = capacity;
	return 0;
}

/* Looks from a place on that moves on with each: mostly the first look finds one. */
static uint32_t place_unused(const struct reader_table *table)
{
	size_t place = table->serial % table->capacity;
	while (table->readers[place])
		place = (place + 1) % table->capacity;
	return (uint32_t)place;
}

int reader_new(struct reader_table *table, struct reader_peer *peer, const struct reader_question *question,
	       struct reader **ret_reader)
{
	size_t size = question->asker.size + question->device.size + question->path.size;
	if (question->device.size > TG_DEVICE_MAX || question->path.size > TG_PATH_MAX)
		return -EMSGSIZE;
	int r = table->count == table->capacity ? table_grow(table) : 0;
	struct reader *reader = r < 0 ? NULL : malloc(sizeof(*reader) + size);
	if (!reader)
		return -ENOMEM;
	*reader = (struct reader){.peer = peer, .next = peer->first};
	reader->question = (struct reader_question){
		.asker = copy(reader->memory, question->asker),
		.device = copy(reader->memory + question->asker.size, question->device),
		.path = copy(reader->memory + question->asker.size + question->device.size, question->path),
	};
	if (peer->first)
		peer->first->previous = reader;
	peer->first = reader;
	uint32_t place = place_unused(table);
	reader->token = (uint64_t)table->serial++ << 32 | place;
	table->readers[place] = reader;
	table->count++;
	*ret_reader = reader;
	return 0;
}

void reader_free(struct reader_table *table, struct reader *reader)
{
	reader_read_end(table, reader);
	if (reader->observer)
		observe_remove(table->observers, reader->observer);
	*(reader->previous ? &reader->previous->next : &reader->peer->first) = reader->next;
	if (reader->next)
		reader->next->previous = reader->previous;
	table->readers[(uint32_t)reader->token] = NULL;
	table->count--;
	free(reader);
}

struct reader *reader_find(const struct reader_table *table, uint64_t token)
{
	uint32_t place = (uint32_t)token;
	struct reader *reader = place < table->capacity ? table->readers[place] : NULL;
	return reader && reader->token == token ? reader : NULL;
}

int reader_read(struct reader_table *table, struct reader *reader)
{
	const struct reader_question *question = &reader->question;
	int r = table->host->read(table->host, question->asker, question->device, question->path,
				  reader->observer != NULL, reader->token, &reader->number);
	reader->reads = r >= 0;
	return r;
}

void reader_read_end(struct reader_table *table, struct reader *reader)
{
	if (reader->reads)
		table->host->read_end(table->host, reader->number);
	reader->reads = false;
}

bool reader_is_lull(struct reader_table *table, struct reader *reader, const struct tg_reading *reading)
{
	if (reading->verdict == TG_ACCEPTED)
		reader->adrift = reading->last;
	else if (reading->verdict == TG_UNAVAILABLE)
		reader->adrift = true;
	else if (reading->verdict != TG_NO_ROUTE || (reading->last && !reader->adrift))
		return false;
	if (reader->adrift && !reader->reads)
		table->again_us = table->host->now_us(table->host) + READER_AGAIN_S * (int64_t)S_US;
	return reading->verdict != TG_ACCEPTED;
}

void reader_joined(struct reader_table *table)
{
	int r = 0;
	table->again_us = INT64_MAX;
	for (size_t place = 0; place < table->capacity && r != -ENOTCONN; place++) {
		struct reader *reader = table->readers[place];
		if (!reader || !reader->adrift || reader->reads || reader->waiting || reader->ending)
			continue;
		r = reader_read(table, reader);
		if (r < 0 && r != -ENOTCONN)
			table->again_us = table->host->now_us(table->host) + READER_AGAIN_S * (int64_t)S_US;
	}
}
