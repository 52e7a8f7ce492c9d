/* SPDX-License-Identifier: Apache-2.0 */
#include "texts.h"

#include <coap3/coap.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS_PERIOD_DIGITS = 6, TEXTS_OPTION_MAX = 255 };

/* The next word of `*at`, which moves behind it. Returns its length, 0: no more. */
static size_t next_word(const char **at, const char **ret_word)
{
	*at += strspn(*at, " \t");
	*ret_word = *at;
	size_t size = strcspn(*at, " \t");
	*at += size;
	return size;
}

static bool keep_word(const char *word, size_t size, char *ret_text, size_t room)
{
	if (size == 0 || size >= room)
		return false;
	memcpy(ret_text, word, size);
	ret_text[size] = '\0';
	return true;
}

static bool is_end(const char *at)
{
	return at[strspn(at, " \t")] == '\0';
}

const char *texts_name(const char *entry, char ret_name[TEXTS_NAME])
{
	const char *word;
	size_t size = next_word(&entry, &word);

	if (!keep_word(word, size, ret_name, TEXTS_NAME))
		return "a device's name has 1 to 255 bytes";
	return NULL;
}

const char *texts_device(const char *entry, struct texts_device *ret_device)
{
	const char *problem = texts_name(entry, ret_device->name);
	const char *word;
	coap_uri_t uri;

	if (problem)
		return problem;
	(void)next_word(&entry, &word);
	size_t size = next_word(&entry, &word);
	if (size == 0 || !is_end(entry))
		return "wanted is \"NAME URI\", such as \"meter-3 coaps://[fd00::7]:5684\"";
	if (coap_split_uri((const uint8_t *)word, size, &uri) < 0)
		return "the URI is broken, or its scheme is neither coaps nor coap";
	if (uri.scheme != COAP_URI_SCHEME_COAPS && uri.scheme != COAP_URI_SCHEME_COAP)
		return "the URI's scheme is neither coaps nor coap";
	if (uri.path.length > 0 || uri.query.length > 0)
		return "the URI has a path, which belongs into 'observe' or 'poll'";
	if (!keep_word((const char *)uri.host.s, uri.host.length, ret_device->host, sizeof(ret_device->host)))
		return "the URI has no host";
	if (memchr(ret_device->host, '%', uri.host.length) && !memchr(ret_device->host, ':', uri.host.length))
		return "the URI's host is broken";
	if (uri.port == 0)
		return "the URI's port is 0";
	ret_device->port = uri.port;
	ret_device->secure = uri.scheme == COAP_URI_SCHEME_COAPS;
	return NULL;
}

static bool read_period(const char *word, size_t size, uint32_t *ret_period_s)
{
	uint32_t value = 0;

	if (size == 0 || size > TEXTS_PERIOD_DIGITS)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (word[i] < '0' || word[i] > '9')
			return false;
		value = value * 10 + (uint32_t)(word[i] - '0');
	}
	*ret_period_s = value;
	return value > 0;
}

const char *texts_resource(const char *entry, bool timed, struct texts_resource *ret_resource)
{
	const char *problem = texts_name(entry, ret_resource->name);
	struct texts_parts parts;
	char submission[TEXTS_PATH];
	const char *word;

	if (problem)
		return problem;
	(void)next_word(&entry, &word);
	size_t size = next_word(&entry, &word);
	if (!keep_word(word, size, ret_resource->path, sizeof(ret_resource->path)) || word[0] != '/')
		return timed ? "wanted is \"NAME PATH SECONDS\", such as \"meter-3 /energy 60\""
			     : "wanted is \"NAME PATH\", such as \"meter-3 /temperature\"";
	if (texts_split(word, size, &parts) < 0 || texts_submission_path(&parts, submission) <= 0)
		return "the path is broken, empty or too long";
	ret_resource->period_s = 0;
	size = next_word(&entry, &word);
	if (timed && !read_period(word, size, &ret_resource->period_s))
		return "the period is a number of seconds, 1 to 999999";
	if ((!timed && size > 0) || !is_end(entry))
		return "there is something behind its end";
	return NULL;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = (char)(digit | 0x20);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Decodes one part to the end of the memory. Returns its size. */
static int decode(const char *text, size_t size, uint8_t *memory, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)text[i];

		if (text[i] == '%') {
			int high = size - i > 2 ? hex_value(text[i + 1]) : -1,
			    low = high >= 0 ? hex_value(text[i + 2]) : -1;
			if (low < 0)
				return -EINVAL;
			byte = (uint8_t)(high << 4 | low);
			i += 2;
		}
		if (used == room)
			return -E2BIG;
		memory[used++] = byte;
	}
	return used > TEXTS_OPTION_MAX ? -EINVAL : (int)used;
}

static int add_part(struct texts_parts *parts, size_t *used, const char *text, size_t size, bool query)
{
	if (parts->count == TEXTS_PARTS)
		return -E2BIG;
	int r = decode(text, size, parts->memory + *used, sizeof(parts->memory) - *used);
	if (r < 0)
		return r;
	parts->parts[parts->count++] =
		(struct texts_part){.data = parts->memory + *used, .size = (size_t)r, .query = query};
	*used += (size_t)r;
	return 0;
}

static int split_at(struct texts_parts *parts, size_t *used, const char *text, size_t size, char mark)
{
	for (;;) {
		const char *end = size > 0 ? memchr(text, mark, size) : NULL;
		size_t length = end ? (size_t)(end - text) : size;
		int r = add_part(parts, used, text, length, mark == '&');

		if (r < 0 || !end)
			return r;
		text += length + 1;
		size -= length + 1;
	}
}

int texts_split(const char *address, size_t size, struct texts_parts *ret_parts)
{
	const char *question = size > 0 ? memchr(address, '?', size) : NULL;
	size_t path_size = question ? (size_t)(question - address) : size, used = 0;
	int r = 0;

	ret_parts->count = 0;
	if (path_size > 0 && address[0] == '/') {
		address++;
		path_size--;
		size--;
	}
	if (path_size > 0)
		r = split_at(ret_parts, &used, address, path_size, '/');
	if (r >= 0 && size > path_size + 1)
		r = split_at(ret_parts, &used, address + path_size + 1, size - path_size - 1, '&');
	return r;
}

int texts_submission_path(const struct texts_parts *parts, char ret_path[TEXTS_PATH])
{
	static const char digits[] = "0123456789ABCDEF";
	size_t used = 0;

	for (size_t i = 0; i < parts->count && !parts->parts[i].query; i++) {
		const struct texts_part *part = &parts->parts[i];

		if (used + part->size * 3 + 2 > TEXTS_PATH)
			return -E2BIG;
		if (i > 0)
			ret_path[used++] = '/';
		for (size_t at = 0; at < part->size; at++) {
			uint8_t byte = part->data[at];

			if (byte != '%' && byte != '/') {
				ret_path[used++] = (char)byte;
				continue;
			}
			ret_path[used++] = '%';
			ret_path[used++] = digits[byte >> 4];
			ret_path[used++] = digits[byte & 15];
		}
	}
	ret_path[used] = '\0';
	return (int)used;
}
