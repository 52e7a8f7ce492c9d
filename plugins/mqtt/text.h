/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_TEXT_H
#define MQTT_TEXT_H

/* How things of a message are written for an MQTT subscriber. Pure functions; for packet.c, arrival.c, status.c and options.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

enum { TEXT_ID_SIZE = 37, TEXT_TIME_SIZE = 28, TEXT_CODE_SIZE = 12 };

/* "01890a5d-ac96-774b-bcce-b302099a8057" of the 16 bytes of a UUID (RFC 9562 section 4). */
void text_id(const uint8_t id[TG_ID_SIZE], char ret_text[TEXT_ID_SIZE]);

/* "2026-05-04T03:02:01.123456Z" (RFC 3339). Years outside 0 to 9999 are written as 1970. Units: microseconds since 1970. */
void text_time(int64_t wall_us, char ret_text[TEXT_TIME_SIZE]);

/* "2.05" of 205 (RFC 7252 section 5.9 writes them so). */
void text_code(uint32_t code, char ret_text[TEXT_CODE_SIZE]);

/* The media type behind a CoAP content format (registry of RFC 7252 section 12.3), or NULL for TG_FORMAT_NONE and numbers
 * that are not known here. `ret_utf8`: whether it promises UTF-8 text. */
const char *text_media_type(int32_t content_format, bool *ret_utf8);

/* The content format of a media type (RFC 9110 section 8.3.1), by the same table, or TG_FORMAT_NONE. The only parameter that is let
 * pass is charset=utf-8, of what is UTF-8 anyway. */
int32_t text_content_format(struct tg_bytes media_type);

/* enum tg_method of "GET", in whatever case. Returns whether it is one. */
bool text_method(struct tg_bytes name, uint32_t *ret_method);

/* Whether the bytes are well-formed UTF-8 (RFC 3629). */
bool text_is_utf8(struct tg_bytes bytes);

/* Writes `format` with each "{name}" replaced by the value of that name; `names` is name, value, name, value, ..., NULL.
 * Ownership: free it. Errors: NULL: unknown name, an open brace without its end, or out of memory. */
char *text_expand(const char *format, const char *const *names);

/* The text as a JSON string, in quotes (RFC 8259 section 7). Ownership: free it. Errors: NULL: out of memory. */
char *text_json(const char *text);

#endif
