/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void words_code(uint32_t code, char ret_text[WORDS_CODE_SIZE])
{
	snprintf(ret_text, WORDS_CODE_SIZE, "%u.%02u", code / 100, code % 100);
}

static bool words_are(struct tg_bytes text, const char *word, size_t size)
{
	return text.size == size && strncasecmp(text.data, word, size) == 0;
}

bool words_method(struct tg_bytes name, uint32_t *ret_method)
{
	static const char *const names[] = {
		[TG_METHOD_GET] = "GET",       [TG_METHOD_POST] = "POST",   [TG_METHOD_PUT] = "PUT",
		[TG_METHOD_DELETE] = "DELETE", [TG_METHOD_FETCH] = "FETCH", [TG_METHOD_PATCH] = "PATCH",
		[TG_METHOD_IPATCH] = "IPATCH"};

	for (uint32_t i = TG_METHOD_GET; i <= TG_METHOD_IPATCH; i++) {
		if (words_are(name, names[i], strlen(names[i]))) {
			*ret_method = i;
			return true;
		}
	}
	return false;
}
