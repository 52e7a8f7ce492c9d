/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

/* UUIDv7 (RFC 9562 section 5.7): the stable id of a message. */

#include <stdint.h>

enum { UUID_SIZE = 16, UUID_TEXT_SIZE = 37 };

/* Makes the next id. Ids made by one maker never repeat and never sort before an earlier one, also when the wall clock
 * steps back. `random` has to be fresh for each call. */
struct uuid_maker {
	uint64_t last; /* 48 bits of milliseconds and 12 bits of counter (RFC 9562 section 6.2, method 3) */
};

void uuid_make(struct uuid_maker *maker, int64_t wall_us, uint64_t random, uint8_t ret_id[UUID_SIZE]);
void uuid_format(const uint8_t id[UUID_SIZE], char ret_text[UUID_TEXT_SIZE]);

/* Whether version and variant are those of a UUIDv7. */
int uuid_is_v7(const uint8_t id[UUID_SIZE]);

#endif
