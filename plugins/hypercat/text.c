/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <jansson.h>

void text_json(struct text *text, struct tg_bytes bytes)
{
	json_t *string = json_stringn(bytes.size ? bytes.data : "", bytes.size);
	size_t size = string ? json_dumpb(string, NULL, 0, JSON_ENCODE_ANY) : 0;
	char *at = size ? text_reserve(text, size) : NULL;

	if (at)
		json_dumpb(string, at, size, JSON_ENCODE_ANY);
	else if (!string)
		text_words(text, "\"\"");
	json_decref(string);
}
