/* SPDX-License-Identifier: Apache-2.0 */
#include "base/uuid.h"

#include <stdio.h>

void uuid_make(struct uuid_maker *maker, int64_t wall_us, uint64_t random, uint8_t ret_id[UUID_SIZE])
{
	uint64_t ms = wall_us > 0 ? (uint64_t)wall_us / 1000 : 0;
	uint64_t part = wall_us > 0 ? (uint64_t)wall_us % 1000 : 0;
	uint64_t stamp = ms << 12 | part * 4096 / 1000;

	if (stamp <= maker->last)
		stamp = maker->last + 1;
	maker->last = stamp;
	for (int i = 0; i < 6; i++)
		ret_id[i] = (uint8_t)(stamp >> (52 - 8 * i));
	ret_id[6] = (uint8_t)(0x70 | ((stamp >> 8) & 0x0f));
	ret_id[7] = (uint8_t)stamp;
	for (int i = 0; i < 8; i++)
		ret_id[8 + i] = (uint8_t)(random >> (8 * i));
	ret_id[8] = (uint8_t)(0x80 | (ret_id[8] & 0x3f));
}

void uuid_format(const uint8_t id[UUID_SIZE], char ret_text[UUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *out = ret_text;

	for (int i = 0; i < UUID_SIZE; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = digits[id[i] >> 4];
		*out++ = digits[id[i] & 15];
	}
	*out = 0;
}

int uuid_is_v7(const uint8_t id[UUID_SIZE])
{
	return (id[6] & 0xf0) == 0x70 && (id[8] & 0xc0) == 0x80;
}
