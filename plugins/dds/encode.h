/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_ENCODE_H
#define DDS_ENCODE_H

/*
 * Serializes a sample from JSON of the shape that decode.h makes, by its type. Besides that shape: numbers may be strings of
 * digits, octets an array of numbers, enums and bitmasks numbers, and a union may leave "$discriminator" out where one of its
 * members is there that has a label. A member that is missing or that the type does not have is an error.
 */

#include <jansson.h>

#include "cdr.h"
#include "type.h"

enum { ENCODE_REASON_SIZE = 256, ENCODE_STEPS = 1 << 24 };

struct encode_reason {
	char text[ENCODE_REASON_SIZE]; /* names the member: "data.position.x: must be a number" */
};

/* The version of XCDR is the writer's. `bare`: only the key, as a serialized key is. `name`: what the outermost value is called in
 * a reason. Errors: -EINVAL: the JSON does not fit, with the reason; -E2BIG: the writer's limit, or too many members of wide types; -ENOTSUP: the type needs
 * XCDR2; -ENOMEM. */
int encode(const struct type *type, bool bare, const json_t *value, const char *name, struct cdr_writer *writer,
	   struct encode_reason *ret_reason) __attribute__((warn_unused_result));

#endif
