/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

/* Small helpers for borrowed bytes (struct tg_bytes). */

#include <stdint.h>
#include <string.h>
#include <tidegate/message.h>

static inline struct tg_bytes bytes_of(const void *data, size_t size)
{
	return (struct tg_bytes){.data = data, .size = size};
}

/* The text without its end; NULL gives empty bytes. */
static inline struct tg_bytes bytes_text(const char *text)
{
	return bytes_of(text, text ? strlen(text) : 0);
}

static inline int bytes_equal(struct tg_bytes a, struct tg_bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* A terminated copy. Ownership: free it. Errors: NULL when out of memory or where a NUL stands inside. */
char *bytes_to_text(struct tg_bytes bytes);

/* Whether the bytes are well-formed UTF-8 (RFC 3629) without NUL. */
int bytes_is_utf8(struct tg_bytes bytes);

/* For arguments of "%.*s". */
#define BYTES_ARG(b) (int)(b).size, (b).size ? (const char *)(b).data : ""

#endif
