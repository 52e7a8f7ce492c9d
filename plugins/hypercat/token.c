/* SPDX-License-Identifier: Apache-2.0 */
#include "token.h"

#include <string.h>
#include <strings.h>

enum { TEXT_MAX = TG_DEVICE_MAX + 2 * TOKEN_KEY_MAX + 4 };

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int base64(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Source: RFC 4648 section 4. Returns the size, 0: it is none. */
static size_t decode(const char *text, char ret_bytes[TEXT_MAX])
{
	uint32_t bits = 0;
	unsigned count = 0;
	size_t size = 0;

	for (; base64(*text) >= 0; text++) {
		bits = bits << 6 | (uint32_t)base64(*text);
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		if (size == TEXT_MAX)
			return 0;
		ret_bytes[size++] = (char)(bits >> count & 0xff);
	}
	return text[strspn(text, "= ")] == '\0' ? size : 0;
}

/* "NAME:KEY", with or without a ':' around it. */
static bool split(const char *text, size_t size, struct token *ret_token)
{
	const char *colon;

	while (size > 0 && text[size - 1] == ':')
		size--;
	while (size > 0 && text[0] == ':') {
		text++;
		size--;
	}
	colon = memrchr(text, ':', size);
	if (!colon || colon == text || (size_t)(colon - text) > TG_DEVICE_MAX || memchr(text, '\0', size))
		return false;
	ret_token->name_size = (size_t)(colon - text);
	memcpy(ret_token->name, text, ret_token->name_size);
	ret_token->name[ret_token->name_size] = '\0';
	ret_token->key_size = 0;
	for (const char *at = colon + 1; at < text + size; at += 2) {
		if (text + size - at < 2 || hex(at[0]) < 0 || hex(at[1]) < 0 || ret_token->key_size == TOKEN_KEY_MAX)
			return false;
		ret_token->key[ret_token->key_size++] = (uint8_t)(hex(at[0]) << 4 | hex(at[1]));
	}
	return ret_token->key_size > 0;
}

bool token_read(const char *authorization, struct token *ret_token)
{
	char text[TEXT_MAX];
	size_t size = 0, scheme = strcspn(authorization, " ");
	const char *value = authorization + scheme + strspn(authorization + scheme, " ");
	bool good;

	if (scheme == 6 && strncasecmp(authorization, "Bearer", scheme) == 0) {
		size = strcspn(value, " ");
		if (size <= sizeof(text))
			memcpy(text, value, size);
		else
			size = 0;
	} else if (scheme == 5 && strncasecmp(authorization, "Basic", scheme) == 0) {
		size = decode(value, text);
	}
	good = size > 0 && split(text, size, ret_token);
	explicit_bzero(text, sizeof(text));
	return good;
}

void token_wipe(struct token *token)
{
	explicit_bzero(token, sizeof(*token));
}
