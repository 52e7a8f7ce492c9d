/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENDPOINT_CLEAN_H
#define ENDPOINT_CLEAN_H

/* An adapter's text, which may carry what a peer sent, as the core takes it: one that is no UTF-8 would count as a bad frame. */

#include "wire/frame.h"

struct clean_text {
	char text[FRAME_TEXT_MAX + 1];
};

/* Copies `text` (NULL: empty), cut at `most` bytes; where the copy is not UTF-8, a '?' stands for every byte that is not ASCII.
 * Returns the copy's bytes. */
struct tg_bytes clean(struct clean_text *copy, const char *text, size_t most);

#endif
