/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_MEDIA_H
#define COMMON_MEDIA_H

/* Media types and CoAP content formats, by the table of tidegate/message.h, for adapters whose standard names media types. */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/message.h>

/* The media type behind a content format, or NULL for TG_FORMAT_NONE and numbers that are not known here. `ret_utf8`: whether it
 * promises UTF-8 text. */
const char *media_type(int32_t content_format, bool *ret_utf8);

/* The content format of a media type (RFC 9110 section 8.3.1), or TG_FORMAT_NONE. The only parameter that is let pass is
 * charset=utf-8, of what is UTF-8 anyway. */
int32_t media_content_format(struct tg_bytes media_type);

#endif
