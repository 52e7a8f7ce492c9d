/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMAT_JSON_TEXT_H
#define FORMAT_JSON_TEXT_H

/* Pieces of JSON text (RFC 8259) for those who put a document together themselves, and a first look at one from outside. */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/buffer.h"
#include "base/cleanup.h"

/* Each appends one value. Errors: -ENOBUFS: the buffer's limit; -ENOMEM; -EILSEQ: not UTF-8. */
int json_text_string(struct buffer *buffer, struct tg_bytes text) WARN_UNUSED;
/* The shortest digits that give the same finite double, with a '.' or 'e'. */
int json_text_real(struct buffer *buffer, double real) WARN_UNUSED;
int json_text_whole(struct buffer *buffer, int64_t whole) WARN_UNUSED;
/* As it is, without a check. */
int json_text_raw(struct buffer *buffer, const char *text) WARN_UNUSED;

/* How many objects and lists begin in the text, brackets inside of strings left out: what a parser would take memory for. */
struct json_text_count {
	size_t objects;
	size_t lists;
};
struct json_text_count json_text_count(struct tg_bytes text);

/* Whether it is one JSON value that anybody can read: no number beyond a double, no more than a bounded number of objects and lists. */
bool json_text_valid(struct tg_bytes text);

#endif
