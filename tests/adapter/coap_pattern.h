/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COAP_PATTERN_H
#define TESTS_COAP_PATTERN_H

/* Bytes as the scripts of coap_conformance.h write them: to be sent, or to be compared with what came. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

enum { PATTERN_MAX = 2048, PATTERN_ANY = -1, PATTERN_REST = -2 };

/* PATTERN_ANY and PATTERN_REST stand for more than one value. */
struct pattern {
	int bytes[PATTERN_MAX];
	size_t size;
};

/* The test fails where `text` is no pattern. */
void pattern_read(const char *text, struct pattern *ret_pattern);
bool pattern_matches(const struct pattern *pattern, struct tg_bytes datagram);
/* Notes down the bytes of a datagram that the pattern read last asks for. */
void pattern_note(const uint8_t *bytes);

#endif
