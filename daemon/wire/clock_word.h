/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CLOCK_WORD_H
#define WIRE_CLOCK_WORD_H

/* The one word between the core and tidegate-clock: whatever byte is a question, these are the answers. */

enum clock_word {
	CLOCK_WORD_SYNCHRONISED = 's',
	CLOCK_WORD_UNSYNCHRONISED = 'u',
	CLOCK_WORD_UNKNOWN = '?' /* the kernel does not say */
};

#endif
