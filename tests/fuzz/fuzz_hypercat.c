/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Mutated requests through what the hypercat adapter reads of them: address, query, token, and fields. Whatever comes: nothing outside of the
 * input is read, and what comes out keeps its limits.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/tool.h"
#include "fuzz/mutator.h"
#include "hypercat/search.h"
#include "hypercat/target.h"
#include "hypercat/token.h"
#include "hypercat/wishes.h"

enum { TURNS = 300000, SIZE_MAX_BYTES = 600 };

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static unsigned long good_targets, good_tokens, good_queries;

static void feed(const char *text)
{
	static struct target target;
	static struct token token;
	struct search *search = NULL;
	uint64_t generation, etag;

	good_targets += target_read(text, &target) == 0;
	must(target.path_size <= TG_PATH_MAX && target.rest <= TG_PATH_MAX + 1 && target.device_size <= TG_DEVICE_MAX,
	     "a target's limits");
	if (token_read(text, &token)) {
		good_tokens++;
		must(token.name_size > 0 && token.name_size <= TG_DEVICE_MAX && strlen(token.name) == token.name_size,
		     "a token's name");
		must(token.key_size > 0 && token.key_size <= TOKEN_KEY_MAX, "a token's key");
	}
	good_queries += search_new(strchr(text, '?') ? strchr(text, '?') + 1 : text, &search) >= 0;
	search_free(search);
	(void)wishes_accept(text, "text/plain");
	(void)wishes_has(text, "\"0123\"");
	(void)wishes_tag_read(text, &generation, &etag);
}

int main(void)
{
	static const char *const seeds[] = {
		"/cat/pump-1?rel=urn:X-hypercat:rels:isContentType&val=text/plain",
		"/readings/pump%2F1/a/b%25c/%c3%a4?geobound-minlat=51.5&lexrange-min=2026",
		"https://gateway:8443/readings/pump-1/a?b",
		"Bearer pump-1:00112233445566778899aabbccddeeff",
		"Basic cHVtcC0xOjAwMTEyMjMzNDQ1NTY2Nzc4ODk5YWFiYmNjZGRlZWZm",
		"text/html;q=0.5, text/*;q=0, */*",
		"W/\"0123\", \"4567\", *",
		"0123456789abcdef-0123456789abcdef",
	};
	enum { SEEDS = sizeof(seeds) / sizeof(seeds[0]) };
	struct tool_random random = {1};

	for (unsigned i = 0; i < TURNS; i++) {
		uint8_t bytes[SIZE_MAX_BYTES];
		size_t size = strlen(seeds[i % SEEDS]);
		char *text;

		memcpy(bytes, seeds[i % SEEDS], size);
		if (i >= SEEDS)
			size = mutator_bytes(&random, bytes, size, sizeof(bytes));
		text = malloc(size + 1); /* exactly so much, so that each step outside shows */
		must(text != NULL, "memory");
		memcpy(text, bytes, size);
		text[size] = '\0';
		feed(text);
		free(text);
	}
	printf("%u texts: %lu good addresses, %lu good tokens, %lu good queries\n", TURNS, good_targets, good_tokens,
	       good_queries);
	must(good_targets && good_tokens && good_queries, "nothing was good");
	return 0;
}
