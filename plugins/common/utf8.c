/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

/* The length of the sequence that begins at `p`, 0 where it is not well-formed. */
static size_t utf8_length(const uint8_t *p, size_t left)
{
	size_t n;

	if (p[0] < 0x80)
		return 1;
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || left < n)
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

bool utf8_is_good(struct tg_bytes bytes)
{
	const uint8_t *p = bytes.data;
	size_t n;

	for (size_t i = 0; i < bytes.size; i += n) {
		n = utf8_length(p + i, bytes.size - i);
		if (n == 0)
			return false;
	}
	return true;
}
