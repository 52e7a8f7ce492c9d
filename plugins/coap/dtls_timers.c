/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_timers.h"

#include <errno.h>
#include <stdlib.h>

enum { TIMERS_FIRST = 64 };

static void timers_place(struct dtls_timers *timers, struct dtls_timer *timer, size_t place)
{
	timers->heap[place] = timer;
	timer->place = place;
}

/* Finds the place of `timer` from the hole at `place` on, upwards and then downwards. */
static void timers_sift(struct dtls_timers *timers, struct dtls_timer *timer, size_t place)
{
	struct dtls_timer **heap = timers->heap;

	for (; place > 1 && heap[place / 2]->at_us > timer->at_us; place /= 2)
		timers_place(timers, heap[place / 2], place);
	for (size_t child; (child = 2 * place) <= timers->count; place = child) {
		if (child < timers->count && heap[child + 1]->at_us < heap[child]->at_us)
			child++;
		if (heap[child]->at_us >= timer->at_us)
			break;
		timers_place(timers, heap[child], place);
	}
	timers_place(timers, timer, place);
}

static int timers_grow(struct dtls_timers *timers)
{
	size_t capacity = timers->capacity ? 2 * timers->capacity : TIMERS_FIRST;
	struct dtls_timer **heap = reallocarray(timers->heap, capacity, sizeof(struct dtls_timer *));

	if (!heap)
		return -ENOMEM;
	timers->heap = heap;
	timers->capacity = capacity;
	return 0;
}

int dtls_timers_set(struct dtls_timers *timers, struct dtls_timer *timer, int64_t at_us)
{
	if (!timer->place && timers->count + 2 > timers->capacity && timers_grow(timers) < 0)
		return -ENOMEM;
	timer->at_us = at_us;
	timers_sift(timers, timer, timer->place ? timer->place : ++timers->count);
	return 0;
}

void dtls_timers_clear(struct dtls_timers *timers, struct dtls_timer *timer)
{
	if (!timer->place)
		return;
	struct dtls_timer *last = timers->heap[timers->count--];
	if (last != timer)
		timers_sift(timers, last, timer->place);
	timer->place = 0;
}

struct dtls_timer *dtls_timers_first(const struct dtls_timers *timers)
{
	return timers->count > 0 ? timers->heap[1] : NULL;
}

void dtls_timers_done(struct dtls_timers *timers)
{
	free(timers->heap);
	*timers = (struct dtls_timers){0};
}
