/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

#include <errno.h>
#include <stdlib.h>

/* Room behind one that is answered late, so that it does not stop the others at once: but no packet id may come round meanwhile. */
enum { WINDOW_SLACK = 4, WINDOW_MAX = 32768 };

int window_init(struct window *window, size_t limit)
{
	size_t capacity = 16;

	while (capacity < limit * WINDOW_SLACK && capacity < WINDOW_MAX)
		capacity *= 2;
	*window = (struct window){
		.entries = calloc(capacity, sizeof(struct window_entry)), .capacity = capacity, .limit = limit};
	return window->entries ? 0 : -ENOMEM;
}

void window_done(struct window *window)
{
	free(window->entries);
	*window = (struct window){0};
}

static struct window_entry *window_at(const struct window *window, size_t place)
{
	return &window->entries[(window->first + place) & (window->capacity - 1)];
}

bool window_has_room(const struct window *window)
{
	return window->waiting < window->limit && window->used < window->capacity;
}

void window_add(struct window *window, const struct window_entry *entry)
{
	*window_at(window, window->used++) = *entry;
	window->waiting++;
}

/* The first entry always waits. */
static void window_trim(struct window *window)
{
	while (window->used > 0 && window_at(window, 0)->done) {
		window->first = (window->first + 1) & (window->capacity - 1);
		window->used--;
	}
}

bool window_take(struct window *window, uint16_t mid, struct window_entry *ret_entry)
{
	for (size_t i = 0; i < window->used; i++) {
		struct window_entry *entry = window_at(window, i);

		if (entry->mid != mid || entry->done)
			continue;
		*ret_entry = *entry;
		entry->done = true;
		window->waiting--;
		window_trim(window);
		return true;
	}
	return false;
}

bool window_take_sent(struct window *window, uint64_t sent, struct window_entry *ret_entry)
{
	if (window->used == 0 || window_at(window, 0)->end > sent)
		return false;
	*ret_entry = *window_at(window, 0);
	window_at(window, 0)->done = true;
	window->waiting--;
	window_trim(window);
	return true;
}

int64_t window_oldest_us(const struct window *window)
{
	return window->used > 0 ? window_at(window, 0)->sent_us : 0;
}
