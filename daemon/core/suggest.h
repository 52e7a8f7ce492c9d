/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SUGGEST_H
#define CORE_SUGGEST_H

/* Finds the known name that somebody may have meant by an unknown one: begin, offer every known name, ask for the best. */

#include <stddef.h>

struct suggest {
	const char *word;
	const char *best;
	size_t distance;
};

/* Ownership: borrows `word` and every name offered. */
void suggest_begin(struct suggest *suggest, const char *word);
void suggest_offer(struct suggest *suggest, const char *name);

/* The nearest of the names, or NULL where none is near enough to be helpful. */
const char *suggest_best(const struct suggest *suggest);

#endif
