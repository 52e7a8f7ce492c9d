/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_ENCODE_PRIVATE_H
#define DDS_ENCODE_PRIVATE_H

/* Between the files of encode.h: encode.c walks the type, encode_scalar.c writes what has no parts. */

#include "encode.h"

struct encode {
	struct cdr_writer *writer;
	struct encode_reason *reason;
	char path[160]; /* of the value at hand */
	size_t path_size;
	unsigned depth;
	size_t n_steps; /* members, literals and labels that were looked at */
};

/* Notes the reason, behind the path, and returns -EINVAL. */
int encode_refuse(struct encode *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What looks at so many of them for one value. */
int encode_spend(struct encode *e, size_t n);

/* A number, boolean, character, enum or bitmask. `ret_value`: as a discriminator; may be NULL. */
int encode_scalar(struct encode *e, const struct type *type, const json_t *value, int64_t *ret_value);
int encode_string(struct encode *e, const struct type *type, const json_t *value);
/* Octets in a row: base64, or an array of numbers. `n_least`, `n_most`: how many there may be; a sequence has its length
 * before them. */
int encode_octets(struct encode *e, const json_t *value, bool sequence, size_t n_least, size_t n_most);

#endif
