/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

/* Bytes as text (RFC 4648), in the two forms that payloads come in. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/cleanup.h"

enum base64_form {
	BASE64_PLAIN, /* section 4: '+' and '/', with padding */
	BASE64_URL    /* section 5: '-' and '_', without padding */
};

/* Units: characters. */
size_t base64_size(enum base64_form form, size_t bytes);

/* Writes base64_size characters, no end. */
void base64_encode(enum base64_form form, struct tg_bytes bytes, char *ret_text);

/* The most bytes that so many characters can stand for. */
size_t base64_room(size_t characters);

/* Reads the form without padding; one text for each sequence of bytes and no other: nothing in between, no left-over bit set.
 * Returns how many bytes there are. Errors: -EINVAL; `ret_bytes` (base64_room) may have been written to. */
ptrdiff_t base64_decode_url(struct tg_bytes text, uint8_t *ret_bytes) WARN_UNUSED;

#endif
