/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

/* Key material: its own type, so that it cannot reach a log or a message by accident; wiped when it ends. */

#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/cleanup.h"

enum { SECRET_MAX = 64 };

struct secret {
	size_t size;
	uint8_t data[SECRET_MAX];
};

/* Errors: -EMSGSIZE: longer than SECRET_MAX. */
int secret_set(struct secret *secret, struct tg_bytes bytes) WARN_UNUSED;
void secret_wipe(struct secret *secret);

/* From hexadecimal digits, two for each byte. Errors: -EINVAL: not such text; -EMSGSIZE. Nothing is left of them then. */
int secret_from_hex(struct secret *ret_secret, const char *text, size_t size) WARN_UNUSED;
/* Lower case, terminated: 2 * secret->size + 1 bytes. */
void secret_to_hex(const struct secret *secret, char *ret_text);

static inline struct tg_bytes secret_bytes(const struct secret *secret)
{
	return (struct tg_bytes){.data = secret->data, .size = secret->size};
}

#define CLEANUP_SECRET CLEANUP(secret_wipe)

#endif
