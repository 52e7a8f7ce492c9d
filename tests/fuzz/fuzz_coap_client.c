/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Mutated text through what the coap_client adapter reads without a socket: entries of the settings, addresses, lists of links, blocks. As
 * a libFuzzer target it is built with -DFUZZ_LIBFUZZER; by itself it runs mutations of well-formed texts: [COUNT [SEED]].
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/tool.h"
#include "coap_client/body.h"
#include "coap_client/linkformat.h"
#include "coap_client/texts.h"
#include "fuzz/mutator.h"

enum { TEXT_MAX = 2048, BODY_MOST = 300, COUNT_DEFAULT = 200000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static void entries(const char *text)
{
	struct texts_device device;
	struct texts_resource resource;

	if (!texts_device(text, &device))
		require(device.name[0] && device.host[0] && device.port > 0, "a device is whole");
	if (!texts_resource(text, true, &resource))
		require(resource.path[0] == '/' && resource.period_s > 0, "a poll is whole");
	if (!texts_resource(text, false, &resource))
		require(resource.path[0] == '/' && resource.period_s == 0, "what is observed has no period");
}

/* What was taken apart and written as a path comes out the same when it is taken apart again. */
static void address(const char *text, size_t size)
{
	struct texts_parts parts, again;
	char path[TEXTS_PATH], second[TEXTS_PATH];

	if (texts_split(text, size, &parts) < 0)
		return;
	require(parts.count <= TEXTS_PARTS, "the parts are bounded");
	for (size_t i = 0; i < parts.count; i++)
		require(parts.parts[i].size <= 255 && parts.parts[i].data >= parts.memory &&
				parts.parts[i].data + parts.parts[i].size <= parts.memory + sizeof(parts.memory),
			"a part lies within the memory");
	if (texts_submission_path(&parts, path) <= 0 || strchr(path, '?') || strlen(path) == 0 || path[0] == '/')
		return;
	if (texts_split(path, strlen(path), &again) < 0 || texts_submission_path(&again, second) < 0)
		return;
	require(memchr(text, '\0', size) || strcmp(path, second) == 0, "a path stays as it is");
}

static void links(const char *text, size_t size)
{
	const char *at = text, *end = text + size;
	struct linkformat_link link;

	while (linkformat_next(&at, end, &link) > 0) {
		require(at <= end && link.target.data >= text && link.target.data + link.target.size <= end,
			"a target lies within the list");
		require(link.types.size == 0 || link.types.data + link.types.size <= end, "types lie within the list");
		(void)linkformat_has_word(link.types, "temperature");
		(void)linkformat_has_word(link.interfaces, "");
	}
}

static void blocks(const uint8_t *data, size_t size)
{
	struct body body = {.data = NULL};

	for (size_t at = 0; at + 2 < size;) {
		size_t length = data[at] % 64u, offset = data[at + 1] % 4u ? body.size : data[at + 1];
		struct tg_bytes etag = {.data = data, .size = data[at + 1] % 9u < size ? data[at + 1] % 9u : 0};

		at += 2;
		length = length > size - at ? size - at : length;
		(void)body_add(&body, offset, (struct tg_bytes){.data = data + at, .size = length}, etag, BODY_MOST);
		require(body.size <= BODY_MOST, "a body is bounded");
		at += length;
	}
	body_clear(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* of its very size, so that sanitizers see a step too far */

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	entries(text);
	address(text, size);
	links(text, size);
	blocks(data, size);
	free(text);
	return 0;
}

#ifndef FUZZ_LIBFUZZER

int main(int argc, char **argv)
{
	static const char marks[] = "/?&=%<>;,\"\\ []:0aF\n";
	static const char *const seeds[] = {
		"meter-3 coaps://[fd00::7]:5684",
		"meter-4 coap://host.example",
		"meter-3 /temperature?unit=C 60",
		"meter-3 /a/b%2Fc%25/d",
		"/a/b%2Fc%25//?u=C&x%26=%20",
		"</sensors>;ct=40;title=\"Index\",</sensors/temp>;rt=\"temperature-c x\";if=\"sensor\";obs",
		"</t>;anchor=\"/sensors/temp\";rel=\"alternate\",<coap://h/x>;rt=a;sz=12,</l>;if=b",
	};
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : COUNT_DEFAULT;
	uint8_t text[TEXT_MAX];
	struct tool_random random = {.state = argc > 2 ? strtoull(argv[2], NULL, 10) | 1 : 88172645463325252ull};

	for (uint64_t i = 0; i < count; i++) {
		const char *seed = seeds[tool_random_below(&random, sizeof(seeds) / sizeof(seeds[0]))];

		memcpy(text, seed, strlen(seed));
		LLVMFuzzerTestOneInput(text, mutator_text(&random, text, strlen(seed), TEXT_MAX, marks));
	}
	printf("%llu texts\n", (unsigned long long)count);
	return EXIT_SUCCESS;
}

#endif
