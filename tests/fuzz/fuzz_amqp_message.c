/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Feeds mutated messages to what reads them in the amqp adapter. Whatever comes: nothing is read outside of the input, and what is
 * accepted lies within it and within the limits of what may be handed in. Run with a number for more turns, and a seed; each turn
 * starts from a good message or from the turn before.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/arrival.h"
#include "amqp/unpack.h"
#include "bench/tool.h"
#include "fuzz/mutator.h"

enum { ROOM = 1024, TURNS = 300000 };

static void expect(bool good, const char *what, const uint8_t *data, size_t size)
{
	if (good)
		return;
	fprintf(stderr, "%s:", what);
	for (size_t i = 0; i < size; i++)
		fprintf(stderr, " %02x", data[i]);
	fputc('\n', stderr);
	abort();
}

static bool within(struct tg_bytes piece, const uint8_t *data, size_t size)
{
	const uint8_t *p = piece.data;

	return piece.size == 0 || (p >= data && piece.size <= size && p + piece.size <= data + size);
}

static bool id_within(const struct unpack_id *id, const uint8_t *data, size_t size)
{
	return id->bytes.data == id->space ? id->bytes.size <= sizeof(id->space) : within(id->bytes, data, size);
}

static bool try_unpack(const uint8_t *data, size_t size)
{
	struct unpack_message message;
	int r = unpack((struct tg_bytes){.data = data, .size = size}, &message);

	if (r < 0) {
		expect(r == -EBADMSG || r == -EPROTONOSUPPORT, "fails for another reason", data, size);
		return false;
	}
	expect(within(message.subject, data, size) && within(message.reply_to, data, size) &&
		       within(message.content_type, data, size) && within(message.method, data, size) &&
		       within(message.via, data, size) && id_within(&message.message_id, data, size) &&
		       id_within(&message.correlation_id, data, size) && message.payload.size <= size &&
		       (message.joined || within(message.payload, data, size)),
	       "lies outside", data, size);
	unpack_done(&message);
	return true;
}

/* A copy of exactly this size, so that AddressSanitizer sees each step outside. Returns whether it was taken. */
static bool try_one(const uint8_t *data, size_t size)
{
	const struct arrival_place place = {
		.address = {.data = "hall", .size = 4}, .via = "gw", .now_wall_us = 1000000};
	uint8_t *copy = malloc(size ? size : 1);
	struct arrival *arrival = NULL;
	const char *refusal = NULL;
	bool whole;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	whole = try_unpack(copy, size);
	if (arrival_new((struct tg_bytes){.data = copy, .size = size}, &place, &arrival, &refusal) >= 0) {
		const struct tg_submission *got = &arrival->submission;

		expect(whole && got->path.size >= 4 && got->path.size <= TG_PATH_MAX && got->payload.size <= size &&
			       got->correlation.size <= TG_CORRELATION_MAX && got->reply_to.size <= TG_REPLY_MAX,
		       "is more than may be handed in", data, size);
	} else {
		expect(refusal != NULL && !arrival, "is refused without a reason", data, size);
	}
	free(copy);
	whole = arrival != NULL;
	arrival_free(arrival);
	return whole;
}

static size_t make_message(struct tool_random *random, uint8_t out[ROOM])
{
	static const struct {
		const char *data;
		size_t size;
	} messages[] = {
#define MESSAGE(text) {text, sizeof(text) - 1}
		MESSAGE("\000Sp\300\013\005AP\004p\000\000\001\000BC\000Ss\300%"
			"\011\200\000\000\000\000\000\000\000\001@@\241\001s\241\001r\241\001c\243\004x/"
			"yz@\203\000\000\001\220\000\000\000\000\000Su\240\003one\000Su\260\000\000\000\003two"),
		MESSAGE("\000Sr\301\015\002\243\001x\321\000\000\000\004\000\000\000\000\000St\301\037\006\241\006metho"
			"d\241\003PUT\241\003via\243\002gw\241\001nq\000\000\000\001\000Sw\241\004text\000Sx\301\001"
			"\000"),
		MESSAGE("\000\200\000\000\000\000\000\000\000w\240\002ok"),
		MESSAGE("\000Ss\3004\007\241\002id\240\001u\241\001t\241\006a/"
			"temp\241\002re\230\000\001\002\003\004\005\006\007\010\011\012\013\014\015\016\017\243\012text"
			"/plain\000Su\240\002ok"),
#undef MESSAGE
	};
	uint32_t which = tool_random_below(random, sizeof(messages) / sizeof(messages[0]));

	memcpy(out, messages[which].data, messages[which].size);
	return messages[which].size;
}

int main(int argc, char **argv)
{
	uint64_t turns = argc > 1 ? strtoull(argv[1], NULL, 10) : TURNS,
		 seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	struct tool_random random = {seed};
	uint8_t data[ROOM];
	uint64_t good = 0;
	size_t size = 0;

	for (uint64_t i = 0; i < turns; i++) {
		if (size == 0 || tool_random_below(&random, 4) != 0)
			size = make_message(&random, data);
		if (tool_random_below(&random, 16) != 0)
			size = mutator_bytes(&random, data, size, sizeof(data));
		good += try_one(data, size);
	}
	printf("%" PRIu64 " messages, %" PRIu64 " of them taken\n", turns, good);
	return good > turns / 20 ? EXIT_SUCCESS : EXIT_FAILURE;
}
