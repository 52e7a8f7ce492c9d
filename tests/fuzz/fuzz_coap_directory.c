/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Feeds changed link format and changed queries to the resource directory. Whatever comes: nothing outside of the input is read, what is refused
 * has a line that says why, and what the directory lists is itself good link format with as many links as were registered.
 * Run with a number for more turns, and a seed.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/tool.h"
#include "coap/directory.h"
#include "coap/directory_links.h"
#include "fuzz/mutator.h"

enum { TURNS = 100000, ROOM = 512, QUERIES_MAX = 4, REGISTRATIONS = 16 };

#define TURN_US INT64_C(1000000)

#define EXAMPLE                                                                                                        \
	"</sensors/temp>;rt=temperature-c;if=sensor,"                                                                  \
	"<http://www.example.com/sensors/temp>;anchor=\"/sensors/temp\";rel=describedby"
#define INDEX "</sensors>;ct=40;title=\"Sensor Index\",</sensors/light>;rt=\"light-lux x\";if=\"sensor\";obs"
#define ODD   "</a?x=y#z>;title=\"a \\\"b\\\\\";sz=10;title*=UTF-8''x,</M\xc3\xb6>,<urn:dev:mac:1>;ct=\"40 50\""

static const char *const texts[] = {"", EXAMPLE, INDEX, ODD};

static const char *const queries[] = {
	"ep=node1",
	"ep",
	"lt=60",
	"lt=4294967295",
	"d=floor-3",
	"base=coap://[2001:db8::1]:61616",
	"base=coap://a.example/x",
	"base=coaps://[fe80::1]",
	"et=tag:example.com,2020:platform",
	"note=a\"b\\c",
	"obs",
	"rt=light*",
	"rt=core.rd-ep",
	"if=sensor",
	"href=/rd/1",
	"href=coap://*",
	"anchor=coap://a.example/sensors/temp",
	"title=Sensor Index",
	"page=0",
	"page=1",
	"count=1",
	"count=2",
};

enum { TEXTS = sizeof(texts) / sizeof(texts[0]), QUERIES = sizeof(queries) / sizeof(queries[0]) };

static struct tool_random chance;
static struct directory *directory;
static int64_t now_us;
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

static uint32_t draw(uint32_t below)
{
	return tool_random_below(&chance, below);
}

/* Of exactly this size, so that AddressSanitizer sees each step outside. */
static uint8_t *exact(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	require(copy != NULL, "there is memory");
	memcpy(copy, data, size);
	return copy;
}

/* A request with queries, some of them changed. The caller frees what *ret_message borrows from. */
static uint8_t *make_request(struct coap_message *ret_message)
{
	uint8_t wire[1400], query[ROOM];
	struct message_writer writer;

	message_writer_init(&writer, wire, sizeof(wire));
	message_write_header(&writer, MESSAGE_CON, MESSAGE_POST, 1, (struct tg_bytes){0});
	for (uint32_t left = draw(QUERIES_MAX); left > 0; left--) {
		const char *text = queries[draw(QUERIES)];
		size_t size = strlen(text);

		memcpy(query, text, size);
		if (draw(4) == 0)
			size = mutator_bytes(&chance, query, size, 250);
		message_write_option(&writer, MESSAGE_URI_QUERY, (struct tg_bytes){query, size});
	}
	uint8_t *copy = exact(wire, writer.size);
	require(!writer.failed && message_parse((struct tg_bytes){copy, writer.size}, ret_message) == 0,
		"it is a message");
	return copy;
}

static struct directory_peer any_peer(void)
{
	static const char *const names[] = {"node1", "node2", "a\"b\\c>,</x>;y=\"", "M\xc3\xb6"};
	const struct directory_peer peer = {.device = names[draw(4)],
					    .base = draw(2) ? "coaps://192.0.2.7:40000" : "coaps://[fe80::2]",
					    .scope = draw(3)};
	return peer;
}

static void look(enum directory_kind kind)
{
	struct directory_peer peer = any_peer();
	struct coap_message message;
	struct tg_bytes text;
	const char *problem = NULL;
	uint32_t etag;
	size_t count;
	uint8_t *wire = make_request(&message);
	uint8_t code = directory_lookup(directory, kind, &peer, &message, &text, &etag, &problem);

	require(code == 0 || problem, "a refused lookup has a line that says why");
	if (code == 0)
		require(!directory_links_check(text, &count), "what is listed is link format");
	require(code || kind == DIRECTORY_RESOURCES || count <= directory_count(directory),
		"each is listed once at most");
	free(wire);
}

/* All of a new registration is listed again. */
static void look_again(const struct directory_peer *peer, uint32_t number, size_t registered)
{
	uint8_t wire[64];
	char query[32];
	struct message_writer writer;
	struct coap_message message;
	struct tg_bytes text;
	const char *problem;
	uint32_t etag;
	size_t count = 0;

	message_writer_init(&writer, wire, sizeof(wire));
	message_write_header(&writer, MESSAGE_CON, MESSAGE_GET, 1, (struct tg_bytes){0});
	snprintf(query, sizeof(query), "href=/rd/%u", number);
	message_write_option(&writer, MESSAGE_URI_QUERY, (struct tg_bytes){query, strlen(query)});
	require(message_parse((struct tg_bytes){wire, writer.size}, &message) == 0, "it is a message");
	require(directory_lookup(directory, DIRECTORY_RESOURCES, peer, &message, &text, &etag, &problem) == 0,
		"it is found");
	require(!directory_links_check(text, &count) && count == registered, "all of its links are listed");
}

/* Returns whether it is registered now. */
static bool put(void)
{
	struct directory_peer peer = any_peer();
	struct directory_order order;
	struct coap_message message;
	size_t count = 0;
	uint8_t *wire = make_request(&message), *links = exact(input, input_size);
	const char *problem = directory_order_read(&message, &order);
	struct directory_result result = {.code = MESSAGE_BAD_REQUEST};

	if (!problem) {
		result = directory_register(directory, &peer, &order, (struct tg_bytes){links, input_size}, now_us);
		require(result.code != MESSAGE_BAD_REQUEST || result.problem,
			"a refused registration has a line that says why");
	}
	if (result.code == MESSAGE_CREATED) {
		require(!directory_links_check((struct tg_bytes){links, input_size}, &count),
			"what is registered is link format");
		if (!order.base_is_local || peer.scope)
			look_again(&peer, result.detail, count);
	}
	if (!problem && draw(4) == 0)
		(void)directory_update(directory, &peer, draw(REGISTRATIONS), &order, now_us);
	free(links);
	free(wire);
	return result.code == MESSAGE_CREATED;
}

static void turn(unsigned long *registered)
{
	struct directory_peer peer = any_peer();

	*registered += put();
	look(DIRECTORY_ENDPOINTS);
	look(DIRECTORY_RESOURCES);
	if (draw(8) == 0)
		(void)directory_remove(directory, &peer, draw(REGISTRATIONS));
	now_us += draw(2) ? TURN_US : 0;
	directory_run(directory, now_us);
	require(directory_count(directory) <= REGISTRATIONS, "it is bounded");
}

int main(int argc, char **argv)
{
	const struct directory_limits limits = {.registrations = REGISTRATIONS, .bytes = 400, .links = 8};
	unsigned long turns = argc > 1 ? strtoul(argv[1], NULL, 10) : TURNS, registered = 0;

	chance = (struct tool_random){.state = argc > 2 ? strtoull(argv[2], NULL, 10) : 4711};
	require(directory_new(&limits, &directory) == 0, "there is memory");
	for (unsigned long i = 0; i < turns; i++) {
		const char *text = texts[draw(TEXTS)];

		if (i % 4 == 0) {
			input_size = strlen(text);
			memcpy(input, text, input_size);
		} else {
			input_size = mutator_bytes(&chance, input, input_size, ROOM);
		}
		turn(&registered);
	}
	directory_free(directory);
	printf("%lu turns, %lu registrations\n", turns, registered);
	require(registered > turns / 20, "the good ones are good");
	return 0;
}
