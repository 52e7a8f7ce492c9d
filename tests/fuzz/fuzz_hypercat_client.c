/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Mutated catalogues and addresses through what the hypercat_client adapter reads of others. As a libFuzzer target it is built with
 * -DFUZZ_LIBFUZZER; by itself it runs mutations of well-formed texts: [COUNT [SEED]].
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/tool.h"
#include "fuzz/mutator.h"
#include "hypercat_client/catalogue.h"
#include "hypercat_client/href.h"
#include "hypercat_client/wildcard.h"

enum { TEXT_MAX = 4096, COUNT_DEFAULT = 100000, PATH = 128 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

/* One form stays as it is, and leads nowhere but to https. */
static void address(const char *text, const struct href *base)
{
	struct href href = {.text = NULL}, again = {.text = NULL};
	char path[PATH], line[PATH];

	if (href_parse(text, base, &href) < 0) {
		require(!href.text && !href.host, "a failure leaves nothing behind");
		return;
	}
	require(strncmp(href.text, "https://", 8) == 0 && strlen(href.text) <= HREF_MAX, "it is https");
	require(href.host[0] && !strpbrk(href.host, "/@%?#[] \\"), "the host is one");
	require(href_parse(href.text, NULL, &again) == 0, "one form is an address");
	require(strcmp(href.text, again.text) == 0 && strcmp(href.host, again.host) == 0 && href.port == again.port,
		"one form stays as it is");
	if (href_path(&href, false, path, sizeof(path)) >= 0)
		require(path[0] && path[0] != '/' && strlen(path) < sizeof(path), "a path is one");
	require(strlen(href_printable(text, line, sizeof(line))) < sizeof(line), "a line is bounded");
	href_done(&href);
	href_done(&again);
}

static void take(void *arg, const struct catalogue_item *item)
{
	require(item->href && item->href[0] && item->n_pairs <= CATALOGUE_PAIRS_MAX, "an item is whole");
	require(!item->is_catalogue || item->content_type, "a catalogue says that it is one");
	for (size_t i = 0; i < item->n_pairs; i++)
		(void)wildcard_match("*a*b*", item->pairs[i].val);
	address(item->href, arg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char here[] = "https://cat.example/a/cat", host[] = "cat.example";
	const struct href base = {.text = here, .host = host, .port = 443};
	char *text = malloc(size + 1); /* of its very size, so that sanitizers see a step too far */
	struct catalogue_report report;
	struct href from = base;

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (catalogue_read((struct tg_bytes){.data = text, .size = size}, take, &from, &report) < 0)
		require(report.problem[0] != '\0' && report.items == 0, "what is wrong has a reason");
	address(text, NULL);
	address(text, &base);
	(void)wildcard_match(text, "a/b");
	(void)wildcard_match_path(text, "a/b");
	(void)wildcard_match_path("**", text);
	free(text);
	return 0;
}

#ifndef FUZZ_LIBFUZZER

int main(int argc, char **argv)
{
	static const char marks[] = "{}[]\",:\\/?&%#@.0aF\n*";
	static const char plain[] =
		"{\"catalogue-metadata\":[{\"rel\":\"urn:X-hypercat:rels:isContentType\",\"val\":\"application/"
		"vnd.hypercat.catalogue+json\"}],\"items\":[{\"href\":\"/a/b%2Fc?d=e\",\"item-metadata\":[{\"rel\":"
		"\"urn:X-hypercat:rels:isContentType\",\"val\":\"text/plain\"}]}]}";
	static const char nested[] =
		"{\"items\":[{\"href\":\"cat\",\"i-object-metadata\":[{\"rel\":\"urn:X-tsbiot:rels:isContentType\","
		"\"val\":\"application/vnd.tsbiot.catalogue+json\"}]}]}";
	static const char *const seeds[] = {
		plain,
		nested,
		"{\"items\":[{\"href\":\"https://[fd00::7]:8443/x\"},{\"href\":\"../y\"},{\"href\":\"//h/z\"}]}",
		"https://cat.example:8443/a/../b/./c?d=e#f",
		"https://2130706433/%c3%a4/%2e%2e/x",
		"lots/*/free",
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
