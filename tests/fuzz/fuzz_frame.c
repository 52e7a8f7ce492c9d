/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Feeds mutated frames to frame_decode. Whatever comes: it reads nothing outside of its input, takes no more than is there, lends no byte
 * from elsewhere, and what it accepts is encoded to the very same bytes. Run with a number for more turns, and a seed; each turn starts
 * from a good frame or from the turn before.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bench/tool.h"
#include "fuzz/mutator.h"
#include "wire/frame.h"

enum { ROOM = 2048, TURNS = 300000 };

static void fail(const char *what, const uint8_t *data, size_t size)
{
	fprintf(stderr, "%s:", what);
	for (size_t i = 0; i < size; i++)
		fprintf(stderr, " %02x", data[i]);
	fputc('\n', stderr);
	abort();
}

/* Decodes a copy of exactly this size, so that AddressSanitizer sees each step outside. Returns what frame_decode did. */
static int try_one(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct buffer again;
	struct frame frame;
	int taken;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	taken = frame_decode(bytes_of(copy, size), &frame);
	if (taken > 0) {
		buffer_init(&again, frame_size_max());
		if ((size_t)taken > size)
			fail("took more than there is", data, size);
		if (frame_encode(&frame, &again) < 0 ||
		    !bytes_equal(bytes_of_buffer(&again), bytes_of(copy, (size_t)taken)))
			fail("is not the same when encoded again", data, size);
		buffer_done(&again);
	}
	free(copy);
	return taken;
}

/* A good frame of any type; those that carry a device's bytes with fields of any length. */
static size_t make_frame(struct tool_random *random, uint8_t out[ROOM])
{
	static const enum frame_type first[] = {FRAME_HELLO, FRAME_SETTING}, last[] = {FRAME_STOPPED, FRAME_REFUSED};
	static const uint8_t filling[600];
	uint32_t way = tool_random_below(random, 2);
	struct buffer buffer;
	struct frame frame;
	size_t size;

	memset(&frame, 0, sizeof(frame));
	frame.type = (enum frame_type)(first[way] + tool_random_below(random, last[way] - first[way] + 1));
	if (frame.type == FRAME_SUBMIT) {
		frame.submit.token = tool_random_u64(random);
		frame.submit.device = bytes_of(filling, tool_random_below(random, TG_DEVICE_MAX + 1));
		frame.submit.payload = bytes_of(filling, tool_random_below(random, sizeof(filling)));
	} else if (frame.type == FRAME_LOG) {
		frame.log.text = bytes_of(filling, tool_random_below(random, sizeof(filling)));
	}
	buffer_init(&buffer, ROOM);
	if (frame_encode(&frame, &buffer) < 0)
		abort();
	size = buffer_size(&buffer);
	memcpy(out, buffer_data(&buffer), size);
	buffer_done(&buffer);
	return size;
}

int main(int argc, char **argv)
{
	uint64_t turns = argc > 1 ? strtoull(argv[1], NULL, 10) : TURNS;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	uint64_t good = 0, waiting = 0, bad = 0;
	struct tool_random random = {seed};
	uint8_t data[ROOM];
	size_t size = 0;

	for (uint64_t turn = 0; turn < turns; turn++) {
		int taken;

		if (size == 0 || tool_random_below(&random, 4) == 0)
			size = make_frame(&random, data);
		if (tool_random_below(&random, 8))
			size = mutator_bytes(&random, data, size, sizeof(data));
		taken = try_one(data, size);
		good += taken > 0;
		waiting += taken == 0;
		bad += taken < 0;
	}
	printf("%" PRIu64 " frames: %" PRIu64 " good, %" PRIu64 " not complete, %" PRIu64 " bad\n", turns, good,
	       waiting, bad);
	return turns > 1000 && (good < turns / 100 || waiting < turns / 100 || bad < turns / 100); /* tried nothing */
}
