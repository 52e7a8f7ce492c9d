/* SPDX-License-Identifier: Apache-2.0 */
#include "identities.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

enum { IDENTITIES_NAME_MAX = 128, IDENTITIES_KEY_MAX = 64, IDENTITIES_LINE_MAX = 512 };

static void *identities_memory(void *memory)
{
	if (!memory)
		tool_fail("out of memory");
	return memory;
}

static char *identities_text(const char *folder, const char *name, const char *end)
{
	char *text;

	if (asprintf(&text, "%s%s%s%s", folder, *folder ? "/" : "", name, end) < 0)
		tool_fail("out of memory");
	return text;
}

static int identities_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static uint8_t *identities_key(const char *hex, size_t *ret_size)
{
	size_t size = strlen(hex) / 2;
	uint8_t *key;

	if (size == 0 || size > IDENTITIES_KEY_MAX || strlen(hex) % 2 != 0)
		return NULL;
	key = identities_memory(malloc(size));
	for (size_t i = 0; i < size; i++) {
		int high = identities_hex_digit(hex[2 * i]), low = identities_hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0) {
			free(key);
			return NULL;
		}
		key[i] = (uint8_t)(high << 4 | low);
	}
	*ret_size = size;
	return key;
}

static void identities_line(const char *file, const char *line, const char *prefix, size_t *skip,
			    struct identities *identities)
{
	char name[IDENTITIES_NAME_MAX + 1], hex[2 * IDENTITIES_KEY_MAX + 1];
	int found = sscanf(line, "%128s %128s", name, hex);
	size_t size;
	uint8_t *key;

	if (found < 1 || *name == '#' || (prefix && strncmp(name, prefix, strlen(prefix)) != 0))
		return;
	if (*skip > 0) {
		(*skip)--;
		return;
	}
	key = found == 2 ? identities_key(hex, &size) : NULL;
	if (!key)
		tool_fail("%s: no usable key behind \"%s\"", file, name);
	identities->list[identities->count++] =
		(struct client_identity){.name = identities_text("", name, ""), .psk = key, .psk_size = size};
}

void identities_read_keys(const char *file, const char *prefix, size_t skip, size_t count,
			  struct identities *ret_identities)
{
	struct identities identities = {.list = identities_memory(calloc(count + 1, sizeof(*identities.list)))};
	char line[IDENTITIES_LINE_MAX];
	FILE *in = fopen(file, "re");

	if (!in)
		tool_fail("%s: %s", file, strerror(errno));
	while (identities.count < count && fgets(line, sizeof(line), in))
		identities_line(file, line, prefix, &skip, &identities);
	fclose(in);
	if (identities.count < count)
		tool_fail("%s: %zu fitting identities, %zu are needed", file, identities.count, count);
	*ret_identities = identities;
}

void identities_of_folder(const char *folder, const char *prefix, size_t skip, size_t count,
			  struct identities *ret_identities)
{
	identities_of_names(prefix, skip, count, ret_identities);
	for (size_t i = 0; i < count; i++) {
		struct client_identity *identity = &ret_identities->list[i];

		identity->certificate = identities_text(folder, identity->name, ".crt");
		identity->key = identities_text(folder, identity->name, ".key");
	}
}

void identities_of_names(const char *prefix, size_t skip, size_t count, struct identities *ret_identities)
{
	struct identities identities = {.list = identities_memory(calloc(count + 1, sizeof(*identities.list)))};

	for (size_t i = 0; i < count; i++) {
		char *name;

		if (asprintf(&name, "%s%04zu", prefix, skip + i + 1) < 0)
			tool_fail("out of memory");
		identities.list[i].name = name;
	}
	identities.count = count;
	*ret_identities = identities;
}

static void identities_free(const void *memory)
{
	free((void *)(uintptr_t)memory);
}

void identities_done(struct identities *identities)
{
	for (size_t i = 0; i < identities->count; i++) {
		identities_free(identities->list[i].name);
		identities_free(identities->list[i].psk);
		identities_free(identities->list[i].certificate);
		identities_free(identities->list[i].key);
	}
	free(identities->list);
	*identities = (struct identities){0};
}
