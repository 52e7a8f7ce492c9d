/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <errno.h>

static const char common[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static char digit(enum base64_form form, unsigned bits)
{
	if (bits < 62)
		return common[bits];
	return form == BASE64_URL ? "-_"[bits - 62] : "+/"[bits - 62];
}

size_t base64_size(enum base64_form form, size_t bytes)
{
	return form == BASE64_URL ? bytes / 3 * 4 + (bytes % 3 * 4 + 2) / 3 : (bytes + 2) / 3 * 4;
}

void base64_encode(enum base64_form form, struct tg_bytes bytes, char *ret_text)
{
	const uint8_t *data = bytes.data;
	char *out = ret_text;

	for (size_t at = 0; at < bytes.size; at += 3) {
		size_t left = bytes.size - at;
		unsigned bits = (unsigned)data[at] << 16;

		bits |= left > 1 ? (unsigned)data[at + 1] << 8 : 0;
		bits |= left > 2 ? data[at + 2] : 0;
		for (size_t i = 0; i < 4; i++) {
			if (i <= left)
				*out++ = digit(form, bits >> (18 - 6 * i) & 63);
			else if (form == BASE64_PLAIN)
				*out++ = '=';
		}
	}
}

size_t base64_room(size_t characters)
{
	return characters / 4 * 3 + characters % 4;
}

static int value_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

ptrdiff_t base64_decode_url(struct tg_bytes text, uint8_t *ret_bytes)
{
	const uint8_t *data = text.data;
	uint32_t bits = 0;
	unsigned held = 0;
	ptrdiff_t count = 0;

	if (text.size % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < text.size; i++) {
		int value = value_of(data[i]);

		if (value < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		ret_bytes[count++] = (uint8_t)(bits >> held);
		bits &= (1u << held) - 1;
	}
	return bits ? -EINVAL : count;
}
