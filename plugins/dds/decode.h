/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_DECODE_H
#define DDS_DECODE_H

/*
 * Makes JSON, CBOR or a path (out.h) of a serialized sample (cdr.h), by its type (type.h). The bytes come from the network and the
 * type did too: what is read ends with the bytes, nesting with TYPE_DEPTH_MOST, the number of values with DECODE_VALUES, and the members, literals
 * and labels that are looked at for them with DECODE_STEPS.
 *
 * Structs are maps by member name, an optional member that is absent is left out; unions are maps of "$discriminator" and the
 * member selected; enums are the literal's name; bitmasks arrays of the names of set flags (a flag or literal without name: its
 * number); octets in a row are bytes; characters are strings.
 */

#include <stddef.h>

#include "out.h"
#include "type.h"

enum { DECODE_VALUES = 1 << 20, DECODE_STEPS = 1 << 24 };

enum decode_part {
	DECODE_WHOLE, /* all of a sample */
	DECODE_KEYS,  /* of a whole sample the key members (section 7.2.2.4.4.4.8) */
	DECODE_BARE   /* the key members of what has nothing else: a serialized key */
};

/* Adds one item to the document. Source: DDS XTypes 1.3 section 7.4.
 * Errors: -EBADMSG: not of this type; -ENOTSUP: optional or mutable in XCDR1; -E2BIG: bounds, or out's limit; -ENOMEM. */
int decode(const struct type *type, enum decode_part part, const void *payload, size_t size, struct out *out)
	__attribute__((warn_unused_result));

#endif
