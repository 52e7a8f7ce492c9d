/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_PATTERN_PRIVATE_H
#define CORE_PATTERN_PRIVATE_H

/* The pattern's inside, shared by its two files: pattern_compile.c makes it, pattern.c uses it. */

#include "core/pattern.h"

enum part_kind { PART_TEXT, PART_SLASH, PART_GIVEN, PART_CAPTURE, PART_REST };

struct part {
	enum part_kind kind;
	struct tg_bytes text; /* PART_TEXT: a piece of pattern.text */
	size_t index;         /* PART_GIVEN: enum pattern_given; PART_CAPTURE, PART_REST: place in captures */
};

struct pattern {
	char *text;
	struct part *parts;
	size_t count;
	char names[PATTERN_CAPTURES_MAX][PATTERN_NAME_MAX + 1];
	size_t names_count;
	int device_capture;
	struct pattern_reserved reserved;
};

#endif
