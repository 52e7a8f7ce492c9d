/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <errno.h>
#include <string.h>

int secret_set(struct secret *secret, struct tg_bytes bytes)
{
	if (bytes.size > sizeof(secret->data))
		return -EMSGSIZE;
	if (bytes.size)
		memcpy(secret->data, bytes.data, bytes.size);
	secret->size = bytes.size;
	return 0;
}

void secret_wipe(struct secret *secret)
{
	explicit_bzero(secret, sizeof(*secret));
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int secret_from_hex(struct secret *ret_secret, const char *text, size_t size)
{
	if (size % 2)
		return -EINVAL;
	if (size / 2 > sizeof(ret_secret->data))
		return -EMSGSIZE;
	for (size_t i = 0; i < size / 2; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0) {
			secret_wipe(ret_secret);
			return -EINVAL;
		}
		ret_secret->data[i] = (uint8_t)(high << 4 | low);
	}
	ret_secret->size = size / 2;
	return 0;
}

void secret_to_hex(const struct secret *secret, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < secret->size; i++) {
		*ret_text++ = digits[secret->data[i] >> 4];
		*ret_text++ = digits[secret->data[i] & 15];
	}
	*ret_text = '\0';
}
