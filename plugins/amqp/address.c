/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <stdlib.h>
#include <string.h>

static struct tg_bytes address_trim(struct tg_bytes text)
{
	if (text.size > 0 && *(const char *)text.data == '/')
		text = (struct tg_bytes){.data = (const char *)text.data + 1, .size = text.size - 1};
	return text;
}

static size_t address_escaped_size(struct tg_bytes text)
{
	const char *p = text.data;
	size_t size = text.size;

	for (size_t i = 0; i < text.size; i++)
		size += p[i] == '%' ? 2 : 0;
	return size;
}

static char *address_escape(struct tg_bytes text, char *out)
{
	const char *p = text.data;

	for (size_t i = 0; i < text.size; i++) {
		*out++ = p[i];
		if (p[i] == '%') {
			*out++ = '2';
			*out++ = '5';
		}
	}
	return out;
}

size_t address_path_size(struct tg_bytes address, struct tg_bytes subject)
{
	address = address_trim(address);
	subject = address_trim(subject);
	return address_escaped_size(address) + (subject.size > 0) + address_escaped_size(subject);
}

void address_path(struct tg_bytes address, struct tg_bytes subject, char *ret_path)
{
	subject = address_trim(subject);
	ret_path = address_escape(address_trim(address), ret_path);
	if (subject.size == 0)
		return;
	*ret_path++ = '/';
	address_escape(subject, ret_path);
}

static bool address_path_may_match(const char *path, const char *pattern)
{
	for (;;) {
		size_t p = strcspn(path, "/"), q = strcspn(pattern, "/");

		if (strcmp(pattern, "**") == 0)
			return true;
		if (!(q == 1 && *pattern == '*') && (p != q || memcmp(path, pattern, p) != 0))
			return false;
		if (path[p] == '\0') /* a subject may give the rest */
			return true;
		if (pattern[q] == '\0')
			return false;
		path += p + 1;
		pattern += q + 1;
	}
}

bool address_may_match(const char *address, const char *pattern)
{
	const struct tg_bytes text = {.data = address, .size = strlen(address)};
	size_t size = address_path_size(text, (struct tg_bytes){0});
	char *path = malloc(size + 1);
	bool may = true;

	if (!path)
		return true;
	address_path(text, (struct tg_bytes){0}, path);
	path[size] = '\0';
	may = address_path_may_match(path, pattern);
	free(path);
	return may;
}
