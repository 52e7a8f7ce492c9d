/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_lists.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 60000 };

void lists_expect(size_t count, const char *reader, uint64_t after)
{
	ck_assert(MOCK_UNTIL(rig, rig->n_lists >= count, WAIT_MS));
	mock_settle(rig);
	ck_assert_uint_eq(rig->n_lists, count);
	if (!reader)
		return;
	ck_assert_str_eq(rig->lists[count - 1].reader, reader);
	ck_assert_int_eq(rig->lists[count - 1].what, TG_LIST_READINGS);
	ck_assert_uint_eq(rig->lists[count - 1].after, after);
}

static void tell(size_t number, const struct tg_listed *listed)
{
	ck_assert(MOCK_UNTIL(rig, rig->n_lists >= number, WAIT_MS));
	mock_listed(rig, number - 1, listed);
}

void lists_entry(size_t number, const char *device, const char *path, int32_t content_format, int64_t time_wall_us)
{
	const struct tg_listed entry = {.device = {device, strlen(device)},
					.path = {path, strlen(path)},
					.content_format = content_format,
					.etag = 1,
					.time_wall_us = time_wall_us};

	tell(number, &entry);
}

void lists_page(size_t number, uint64_t etag, uint64_t generation, bool more)
{
	const struct tg_listed end = {.end = true,
				      .verdict = TG_ACCEPTED,
				      .content_format = TG_FORMAT_NONE,
				      .etag = etag,
				      .generation = generation,
				      .more = more};

	tell(number, &end);
}

void lists_refuse(size_t number, enum tg_verdict verdict)
{
	const struct tg_listed end = {.end = true, .verdict = (uint32_t)verdict, .content_format = TG_FORMAT_NONE};

	tell(number, &end);
}

bool lists_step(const char *step)
{
	char one[64], other[256] = "";
	unsigned long number, etag, generation, more;
	long format;

	if (sscanf(step, "listed %lu %63s %lu", &number, one, &etag) == 3)
		lists_expect(number, one, etag);
	else if (sscanf(step, "listed %lu", &number) == 1)
		lists_expect(number, NULL, 0);
	else if (sscanf(step, "entry %lu %ld %63s %255s", &number, &format, one, other) >= 3)
		lists_entry(number, one, other, (int32_t)format, 0);
	else if (sscanf(step, "page %lu %lu %lu %lu", &number, &etag, &generation, &more) == 4)
		lists_page(number, etag, generation, more != 0);
	else if (sscanf(step, "refused %lu %lu", &number, &etag) == 2)
		lists_refuse(number, (enum tg_verdict)etag);
	else
		return false;
	return true;
}
