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

/* A CoAP message with this message id (mostly), and with odd options, tokens, blocks and lengths; three quarters of them are
 * changed by mutator_bytes besides. */
size_t mutator_coap(struct tool_random *random, uint16_t id, uint8_t ret_data[MUTATOR_ROOM]);

/* A DTLS record or handshake message with a field of its head changed (RFC 6347 sections 4.1 and 4.2.2): type, version, epoch,
 * sequence, length, message sequence, fragment offset, fragment length. */
size_t mutator_record(struct tool_random *random, uint8_t *data, size_t size, size_t room);

/* One piece of the handshake message in the record `whole`, as a record of its own: any cut, overlapping or beyond the end. */
size_t mutator_fragment(struct tool_random *random, const uint8_t *whole, size_t size, uint8_t *ret_data, size_t room);

#endif
