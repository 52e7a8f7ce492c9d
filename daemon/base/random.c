/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void random_bytes(void *ret_bytes, size_t size)
{
	static uint8_t block[4096];
	static size_t left;
	uint8_t *out = ret_bytes;

	while (size > 0) {
		size_t n;

		if (left == 0) {
			ssize_t got = getrandom(block, sizeof(block), 0);

			if (got < 0 && errno != EINTR)
				abort(); /* no kernel that we run on gets here */
			left = got > 0 ? (size_t)got : 0;
			continue;
		}
		n = size < left ? size : left;
		memcpy(out, block + left - n, n);
		memset(block + left - n, 0, n);
		left -= n;
		out += n;
		size -= n;
	}
}

uint32_t random_u32(void)
{
	uint32_t value;

	random_bytes(&value, sizeof(value));
	return value;
}
