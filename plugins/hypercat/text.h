/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_TEXT_H
#define HYPERCAT_TEXT_H

/* Text that is JSON. */

#include "common/text.h"

/* As a string of JSON, with its quotes. What is no UTF-8 becomes "". */
void text_json(struct text *text, struct tg_bytes bytes);

#endif
