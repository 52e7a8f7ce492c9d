/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_METHOD_H
#define CORE_METHOD_H

/* The names of the methods of CoAP. Source: RFC 7252 section 12.1.1, RFC 8132. */

#include <tidegate/message.h>

/* In any case of letters; TG_METHOD_NONE: there is none of that name. */
enum tg_method method_of_name(struct tg_bytes name);
/* "GET", "" for none. */
const char *method_name(uint32_t method);

#endif
