/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_MUTATOR_H
#define FUZZ_MUTATOR_H

/* Makes hostile datagrams: CoAP messages that are nearly well-formed, and any bytes with some of them changed. Repeatable from
 * the seed of `random`. */

#include <stddef.h>
#include <stdint.h>

struct tool_random;

enum { MUTATOR_ROOM = 1200 };

/* Changes a few places: bits, bytes, numbers, cuts, repeats. Returns the new size, at most `room`, and perhaps 0. */
size_t mutator_bytes(struct tool_random *random, uint8_t *data, size_t size, size_t room);

/* Changes a few places of a text: bytes, marks of its syntax (`marks`), cuts, repeats. Returns as mutator_bytes. */
size_t mutator_text(struct tool_random *random, uint8_t *text, size_t size, size_t room, const char *marks);

/* A CoAP message with this message id (mostly): one half nearly sensible ones of which most can be understood, one half with odd
 * options, tokens, blocks and lengths, and most of those changed by mutator_bytes besides. */
size_t mutator_coap(struct tool_random *random, uint16_t id, uint8_t ret_data[MUTATOR_ROOM]);

/* A body under way in blocks (RFC 7959 section 2.3). Zeroed: none. */
struct mutator_body {
	uint32_t number; /* of the next block */
	uint32_t left;   /* blocks */
	uint32_t exponent;
	uint64_t token;
};

/* The next block of this body, or the first of a new one; now and then out of order, of another size, or changed. */
size_t mutator_block(struct tool_random *random, uint16_t id, struct mutator_body *body,
		     uint8_t ret_data[MUTATOR_ROOM]);

/* A DTLS record or handshake message with a field of its head changed (RFC 6347 sections 4.1 and 4.2.2): type, version, epoch,
 * sequence, length, message sequence, fragment offset, fragment length. */
size_t mutator_record(struct tool_random *random, uint8_t *data, size_t size, size_t room);

/* One piece of the handshake message in the record `whole`, as a record of its own: any cut, overlapping or beyond the end. */
size_t mutator_fragment(struct tool_random *random, const uint8_t *whole, size_t size, uint8_t *ret_data, size_t room);

#endif
