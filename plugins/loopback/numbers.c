/* SPDX-License-Identifier: Apache-2.0 */
#include "numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct tg_bytes note_name = {.data = "numbers", .size = 7};

void numbers_init(struct numbers *numbers, const struct tg_host *host, int64_t ahead)
{
	*numbers = (struct numbers){.host = host, .ahead = ahead};
}

/* Only what the core has told to be on disk may be used. */
static void reserve(struct numbers *numbers)
{
	int64_t wanted = (numbers->next > numbers->reserved ? numbers->next : numbers->reserved) + numbers->ahead;
	char text[24];
	int size = snprintf(text, sizeof(text), "%lld", (long long)wanted);

	if (numbers->host->keep(numbers->host, note_name, (struct tg_bytes){text, (size_t)size}, 0) >= 0)
		numbers->asked = wanted;
}

bool numbers_take(struct numbers *numbers, int64_t *ret_number)
{
	bool some = numbers->next < numbers->reserved;

	if (some)
		*ret_number = numbers->next++;
	if (numbers->reserved > 0 && numbers->asked == 0 && numbers->reserved - numbers->next < numbers->ahead / 2 + 1)
		reserve(numbers);
	return some;
}

void numbers_note(struct numbers *numbers, struct tg_bytes name, struct tg_bytes value)
{
	char text[24];

	/* A core that is back tells what it was told. */
	if (numbers->reserved > 0 || name.size != note_name.size ||
	    memcmp(name.data, note_name.data, note_name.size) != 0 || value.size >= sizeof(text))
		return;
	memcpy(text, value.data, value.size);
	text[value.size] = '\0';
	numbers->next = strtoll(text, NULL, 10);
}

void numbers_noted(struct numbers *numbers)
{
	if (numbers->ahead > 0)
		reserve(numbers);
}

void numbers_kept(struct numbers *numbers, int result)
{
	if (result >= 0)
		numbers->reserved = numbers->asked;
	numbers->asked = 0;
}
