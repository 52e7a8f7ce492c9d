/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

/* Text that grows, for answers that are put together. Out of memory is noted and shows at the end. */

#include <stdbool.h>
#include <tidegate/message.h>

struct text { /* zero it */
	char *data;
	size_t size;
	size_t room;
	bool failed;
};

void text_done(struct text *text);
/* Empties it and keeps its memory. */
void text_clear(struct text *text);
struct tg_bytes text_bytes(const struct text *text);

/* Room for `size` bytes more, which the caller fills. NULL: out of memory. */
char *text_reserve(struct text *text, size_t size);
void text_add(struct text *text, struct tg_bytes bytes);
void text_words(struct text *text, const char *words);
void text_number(struct text *text, uint64_t number);
/* As a quoted-string of RFC 9110 section 5.6.4, without controls; of what is no UTF-8, ASCII alone. */
void text_quoted(struct text *text, struct tg_bytes bytes);
/* As a segment of a URL's path: what is not unreserved (RFC 3986 section 2.3) is percent-encoded. `ready`: "%25" and "%2F" stand for '%' and
 * '/' already, and '/' stays. A segment of dots alone is encoded as well. */
void text_segment(struct text *text, struct tg_bytes bytes, bool ready);

#endif
