/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_WORDS_H
#define COMMON_WORDS_H

/* CoAP's methods and response codes as text, for adapters whose standard carries commands in properties. Pure functions. */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/message.h>

enum { WORDS_CODE_SIZE = 12 };

/* "2.05" of 205 (RFC 7252 section 5.9 writes them so). */
void words_code(uint32_t code, char ret_text[WORDS_CODE_SIZE]);

/* enum tg_method of "GET", in whatever case. Returns whether it is one. */
bool words_method(struct tg_bytes name, uint32_t *ret_method);

#endif
