/* SPDX-License-Identifier: Apache-2.0 */
#include "echo.h"

static void echo_drop(struct echo *echo)
{
	echo->first = (echo->first + 1) % ECHO_MAX;
	echo->used--;
}

static void echo_clean(struct echo *echo, int64_t now_us)
{
	while (echo->used > 0 && (echo->digests[echo->first] == 0 || now_us - echo->at_us[echo->first] >= ECHO_LIFE_US))
		echo_drop(echo);
}

void echo_note(struct echo *echo, uint64_t digest, int64_t now_us)
{
	size_t place;

	echo_clean(echo, now_us);
	if (echo->used == ECHO_MAX)
		echo_drop(echo);
	place = (echo->first + echo->used++) % ECHO_MAX;
	echo->digests[place] = digest;
	echo->at_us[place] = now_us;
}

bool echo_take(struct echo *echo, uint64_t digest, int64_t now_us)
{
	echo_clean(echo, now_us);
	for (size_t i = 0; digest != 0 && i < echo->used; i++) {
		size_t place = (echo->first + i) % ECHO_MAX;

		if (echo->digests[place] != digest)
			continue;
		echo->digests[place] = 0;
		return true;
	}
	return false;
}
