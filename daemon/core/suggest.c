/* SPDX-License-Identifier: Apache-2.0 */
#include "core/suggest.h"

#include <stdint.h>
#include <string.h>

enum { LONGEST = 64, PREFIX_LEAST = 3, PREFIX_DISTANCE = 2 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours count one each. */
static size_t distance_between(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t rows[3][LONGEST + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= b_size; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_size; i++) {
		size_t *oldest = before;

		now[0] = i;
		for (size_t j = 1; j <= b_size; j++) {
			now[j] = least(last[j], now[j - 1]) + 1;
			now[j] = least(now[j], last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = oldest;
	}
	return last[b_size];
}

void suggest_begin(struct suggest *suggest, const char *word)
{
	*suggest = (struct suggest){.word = word, .distance = SIZE_MAX};
}

void suggest_offer(struct suggest *suggest, const char *name)
{
	size_t word_size = strlen(suggest->word), name_size = strlen(name);
	size_t shorter = least(word_size, name_size);
	size_t distance;

	if (shorter == 0 || word_size > LONGEST || name_size > LONGEST)
		return;
	distance = distance_between(suggest->word, word_size, name, name_size);
	if (shorter >= PREFIX_LEAST && strncmp(suggest->word, name, shorter) == 0)
		distance = least(distance, PREFIX_DISTANCE);
	else if (distance > 1 && distance > shorter / 3)
		return;
	else if (shorter < 2)
		return;
	if (distance >= suggest->distance)
		return;
	suggest->distance = distance;
	suggest->best = name;
}

const char *suggest_best(const struct suggest *suggest)
{
	return suggest->best;
}
