/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_WALK_H
#define AMQP_WALK_H

/*
 * Steps from one AMQP value to the next (AMQP 1.0 part 1, 1.2) without a look into what it need not know: the library's decoder calls itself
 * once for each level of nesting, so that a message of a megabyte, all of it nested, would take the whole stack. No byte is trusted. Pure; for
 * unpack.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

struct walk {
	const uint8_t *p;
	size_t left; /* Units: bytes */
};

struct walk_value {
	struct tg_bytes all;     /* the way it was written, for the library's decoder */
	struct tg_bytes content; /* of a text, of bytes, or of list, map and array with its count */
	uint8_t code;            /* the constructor, of what is described where it is that */
	bool described;
};

struct walk walk_over(struct tg_bytes bytes);
bool walk_is_over(const struct walk *walk);

/* The next value. Returns false where there is none that is whole. */
bool walk_next(struct walk *walk, struct walk_value *ret_value);

/* One byte, where it is this one. */
bool walk_byte(struct walk *walk, uint8_t byte);

bool walk_is_null(const struct walk_value *value);
bool walk_is_list(const struct walk_value *value);
bool walk_is_map(const struct walk_value *value);
bool walk_is_text(const struct walk_value *value); /* string or symbol */
bool walk_is_string(const struct walk_value *value);
bool walk_is_binary(const struct walk_value *value);
/* Neither compound nor an array, nor described: the library decodes it without calling itself. */
bool walk_is_simple(const struct walk_value *value);

/* The values within a list or map. */
struct walk walk_into(const struct walk_value *value);

#endif
