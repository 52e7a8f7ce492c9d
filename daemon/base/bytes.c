/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <stdlib.h>

char *bytes_to_text(struct tg_bytes bytes)
{
	char *text;

	if (bytes.size && memchr(bytes.data, 0, bytes.size))
		return NULL;
	text = malloc(bytes.size + 1);
	if (!text)
		return NULL;
	if (bytes.size)
		memcpy(text, bytes.data, bytes.size);
	text[bytes.size] = 0;
	return text;
}

/* Length of the sequence that starts at p, 0 where it is not well-formed. */
static size_t sequence_length(const uint8_t *p, size_t left)
{
	size_t n = p[0] < 0x80                   ? 1
		   : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
		   : (p[0] & 0xf0) == 0xe0       ? 3
		   : (p[0] & 0xf8) == 0xf0       ? 4
						 : 0;

	if (n == 0 || n > left || p[0] == 0 || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

int bytes_is_utf8(struct tg_bytes bytes)
{
	const uint8_t *p = bytes.data;
	size_t left = bytes.size;

	while (left > 0) {
		size_t n = sequence_length(p, left);

		if (n == 0)
			return 0;
		p += n;
		left -= n;
	}
	return 1;
}
