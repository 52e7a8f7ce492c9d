/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Feeds mutated packs to both readers. Whatever comes: nothing outside of the input is read, and what is refused has a line that says why. What
 * is accepted is the same pack behind a way through JSON and CBOR, and can be resolved and spread, or is refused with a line.
 * Run with a number for more turns, and a seed; each turn starts from a good pack or from the turn before.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bench/tool.h"
#include "format/senml.h"
#include "fuzz/mutator.h"
#include "unit/senml_maker.h"

enum { ROOM = 4096, TURNS = 200000, RECORDS = 64, OUT = 1 << 20 };

#define NOW INT64_C(1760000000123456)

static uint8_t input[ROOM];
static size_t input_size;

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "not so: %s:", what);
	for (size_t i = 0; i < input_size; i++)
		fprintf(stderr, " %02x", input[i]);
	fputc('\n', stderr);
	abort();
}

static int read_one(struct senml_pack *pack, struct tg_bytes bytes, bool cbor)
{
	senml_init(pack, RECORDS);
	return cbor ? senml_read_cbor(pack, bytes) : senml_read_json(pack, bytes);
}

/* Data behind a label that is not known comes back as text. */
static bool has_loose_data(const struct senml_pack *pack)
{
	for (size_t i = 0; i < pack->fields_count; i++)
		if (pack->fields[i].label == SENML_OTHER && pack->fields[i].value.type == SENML_DATA)
			return true;
	return false;
}

static void pass(const struct senml_pack *pack, bool cbor)
{
	struct senml_pack back;
	struct buffer buffer;

	buffer_init(&buffer, OUT);
	require((cbor ? senml_write_cbor(pack, 0, pack->records_count, &buffer)
		      : senml_write_json(pack, 0, pack->records_count, &buffer)) == 0,
		"what was read can be written");
	require(read_one(&back, bytes_of_buffer(&buffer), cbor) == 0, "what was written can be read");
	require(maker_same(pack, &back) || (!cbor && has_loose_data(pack)), "it is the same pack");
	senml_done(&back);
	buffer_done(&buffer);
}

static void derive(struct senml_pack *pack)
{
	struct senml_pack made;
	int r;

	senml_init(&made, RECORDS);
	r = senml_resolve(pack, NOW, OUT, &made);
	require(r == 0 || (r == -EBADMSG && *made.problem), "resolved, or a line that says why not");
	require(r < 0 || senml_check(&made) == 0, "a resolved pack is a good pack");
	senml_done(&made);
	senml_init(&made, RECORDS);
	r = senml_spread(pack, &made);
	require(r == 0 || (r == -EBADMSG && *made.problem), "spread, or a line that says why not");
	require(r < 0 || senml_check(&made) == 0, "a spread pack is a good pack");
	senml_done(&made);
}

/* Reads a copy of exactly this size, so that AddressSanitizer sees each step outside. */
static bool try_one(bool cbor)
{
	uint8_t *copy = malloc(input_size ? input_size : 1);
	struct senml_pack pack;
	int r;

	require(copy != NULL, "there is memory");
	memcpy(copy, input, input_size);
	r = read_one(&pack, bytes_of(copy, input_size), cbor);
	free(copy);
	require(r == 0 || (r == -EBADMSG && *pack.problem), "good, or a line that says why not");
	for (const char *c = pack.problem; *c; c++)
		require(*c >= ' ' && *c < 127, "the line is plain text");
	if (r == 0) {
		pass(&pack, false);
		pass(&pack, true);
		derive(&pack);
	}
	senml_done(&pack);
	return r == 0;
}

static void make_input(struct maker *maker, bool cbor)
{
	struct senml_pack pack;
	struct buffer buffer;

	senml_init(&pack, RECORDS);
	maker_pack(maker, &pack);
	buffer_init(&buffer, ROOM);
	if ((cbor ? senml_write_cbor(&pack, 0, pack.records_count, &buffer)
		  : senml_write_json(&pack, 0, pack.records_count, &buffer)) == 0) {
		input_size = buffer_size(&buffer);
		memcpy(input, buffer_data(&buffer), input_size);
	}
	buffer_done(&buffer);
	senml_done(&pack);
}

int main(int argc, char **argv)
{
	unsigned long turns = argc > 1 ? strtoul(argv[1], NULL, 10) : TURNS, good = 0;
	struct tool_random random = {.state = argc > 2 ? strtoull(argv[2], NULL, 10) : 4711};
	struct maker maker = {.state = random.state | 1};
	bool cbor = false;

	for (unsigned long turn = 0; turn < turns; turn++) {
		if (turn % 4 == 0) {
			cbor = maker_below(&maker, 2);
			make_input(&maker, cbor);
		} else {
			input_size = mutator_bytes(&random, input, input_size, ROOM);
		}
		good += try_one(cbor);
	}
	printf("%lu packs, %lu of them good\n", turns, good);
	require(good >= turns / 4, "the good ones are good");
	return 0;
}
