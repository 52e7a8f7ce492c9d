/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_STAMP_H
#define COMMON_STAMP_H

/* A message's id and time as text, for adapters that write them into properties. Pure functions. */

#include <stdint.h>
#include <tidegate/message.h>

enum { STAMP_ID_SIZE = 37, STAMP_TIME_SIZE = 28 };

/* "01890a5d-ac96-774b-bcce-b302099a8057" of the 16 bytes of a UUID (RFC 9562 section 4). */
void stamp_id(const uint8_t id[TG_ID_SIZE], char ret_text[STAMP_ID_SIZE]);

/* "2026-05-04T03:02:01.123456Z" (RFC 3339). Years outside 0 to 9999 are written as 1970. Units: microseconds since 1970. */
void stamp_time(int64_t wall_us, char ret_text[STAMP_TIME_SIZE]);

#endif
