/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <tidegate/message.h>

/* Whether the bytes are well-formed UTF-8 (RFC 3629). A zero byte is. */
bool utf8_is_good(struct tg_bytes bytes);

#endif
