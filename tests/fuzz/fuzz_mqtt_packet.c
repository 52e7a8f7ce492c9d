/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Feeds mutated packets to what reads them on the receiving connection of the mqtt adapter. Whatever comes: nothing is read outside of
 * the input, and what is accepted lies within it. Run with a number for more turns, and a seed; each turn starts from a good packet or
 * from the turn before.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/tool.h"
#include "fuzz/mutator.h"
#include "mqtt/arrival.h"
#include "mqtt/codec.h"

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

static bool try_publish(uint8_t flags, const uint8_t *body, size_t size, bool version5)
{
	struct tg_bytes bytes = {.data = body, .size = size};
	struct codec_publish publish, head;
	struct arrival *arrival;
	const char *refusal;

	if (codec_get_publish(flags, bytes, version5, "x", &publish) < 0)
		return false;
	expect(publish.topic.size > 0 && within(publish.topic, body, size) && within(publish.payload, body, size) &&
		       within(publish.content_type, body, size) && within(publish.reply_to, body, size) &&
		       within(publish.correlation, body, size) && within(publish.method, body, size) &&
		       within(publish.publisher, body, size) && within(publish.via, body, size),
	       "lies outside", body, size);
	expect(codec_get_publish_head(flags, bytes, size, &head) == 1 && head.mid == publish.mid, "has no head", body,
	       size);
	arrival_digest(&publish);
	if (arrival_new(&publish, 0, &arrival, &refusal) >= 0) {
		expect(arrival->submission.path.size >= publish.topic.size, "lost a part of its topic", body, size);
		arrival_free(arrival);
	}
	return true;
}

/* A copy of exactly this size, so that AddressSanitizer sees each step outside. Returns whether it was taken for anything. */
static bool try_one(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct tg_bytes bytes = {.data = copy, .size = size}, text;
	struct codec_header header = {0};
	struct codec_connack connack;
	uint16_t mid;
	uint8_t reason;
	bool good = false;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	if (codec_get_header(bytes, &header) == 1) {
		expect(header.size >= 2 && header.size <= CODEC_HEADER_MAX && header.size <= size, "has a header", data,
		       size);
		bytes = (struct tg_bytes){.data = copy + header.size, .size = size - header.size};
		if (bytes.size > header.body_size)
			bytes.size = header.body_size;
		for (int version5 = 0; version5 < 2; version5++) {
			good |= try_publish(header.flags, bytes.data, bytes.size, version5);
			good |= codec_get_ack(&header, bytes, version5, &mid, &reason) >= 0;
			good |= codec_get_connack(bytes, version5, &connack) >= 0;
			good |= codec_get_suback(header.type, bytes, version5, &mid, &reason) >= 0;
		}
		good |= codec_get_disconnect(bytes, &reason, &text) >= 0;
	}
	free(copy);
	return good;
}

static size_t make_packet(struct tool_random *random, uint8_t out[ROOM])
{
	static const struct {
		const char *data;
		size_t size;
	} packets[] = {
#define PACKET(text) {text, sizeof(text) - 1}
		PACKET("\x32\x45\0\3a/b\1\2\x3a\x01\x01\x02\0\0\1\0\x03\0\4t/cb\x08\0\3r/t\x09\0\2\0\1\x0b\x80\1"
		       "\x26\0\6method\0\3PUT\x26\0\3via\0\2gw\x26\0\1x\0\0pay"),
		PACKET("\x30\x07\0\3a%bpp"),
		PACKET("\x20\x10\1\0\x0d\x11\0\0\0\x3c\x13\0\x0a\x22\0\5\x24\1"),
		PACKET("\x90\4\1\2\0\1"),
		PACKET("\x62\x0b\1\2\x92\7\x1f\0\4gone"),
		PACKET("\x40\3\1\2\x10"),
		PACKET("\xe0\7\x8e\5\x1f\0\2hm"),
#undef PACKET
	};
	uint32_t which = tool_random_below(random, sizeof(packets) / sizeof(packets[0]));

	memcpy(out, packets[which].data, packets[which].size);
	return packets[which].size;
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
			size = make_packet(&random, data);
		if (tool_random_below(&random, 16) != 0)
			size = mutator_bytes(&random, data, size, sizeof(data));
		good += try_one(data, size);
	}
	printf("%" PRIu64 " packets, %" PRIu64 " of them taken for something\n", turns, good);
	return good > turns / 20 ? EXIT_SUCCESS : EXIT_FAILURE;
}
