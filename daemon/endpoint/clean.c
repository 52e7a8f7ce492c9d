/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint/clean.h"

#include "base/bytes.h"

struct tg_bytes clean(struct clean_text *copy, const char *text, size_t most)
{
	size_t size = text ? strnlen(text, most < FRAME_TEXT_MAX ? most : FRAME_TEXT_MAX) : 0;

	if (size)
		memcpy(copy->text, text, size);
	copy->text[size] = 0;
	if (!bytes_is_utf8(bytes_of(copy->text, size))) {
		for (char *p = copy->text; *p; p++) {
			if (*p & 0x80)
				*p = '?';
		}
	}
	return bytes_of(copy->text, size);
}
