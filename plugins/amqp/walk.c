/* SPDX-License-Identifier: Apache-2.0 */
#include "walk.h"

/* Constructors (AMQP 1.0 part 1, 1.2 and 1.6). The upper half says how the size is told. */
enum walk_code {
	WALK_DESCRIBED = 0x00,
	WALK_NULL = 0x40,
	WALK_LIST0 = 0x45,
	WALK_BINARY8 = 0xa0,
	WALK_STRING8 = 0xa1,
	WALK_SYMBOL8 = 0xa3,
	WALK_BINARY32 = 0xb0,
	WALK_STRING32 = 0xb1,
	WALK_SYMBOL32 = 0xb3,
	WALK_LIST8 = 0xc0,
	WALK_MAP8 = 0xc1,
	WALK_LIST32 = 0xd0,
	WALK_MAP32 = 0xd1
};

struct walk walk_over(struct tg_bytes bytes)
{
	return (struct walk){.p = bytes.data, .left = bytes.size};
}

bool walk_is_over(const struct walk *walk)
{
	return walk->left == 0;
}

static bool walk_take(struct walk *walk, size_t size, struct tg_bytes *ret_bytes)
{
	if (size > walk->left)
		return false;
	*ret_bytes = (struct tg_bytes){.data = walk->p, .size = size};
	walk->p += size;
	walk->left -= size;
	return true;
}

static bool walk_number(struct walk *walk, size_t width, size_t *ret_number)
{
	struct tg_bytes bytes;
	size_t number = 0;

	if (!walk_take(walk, width, &bytes))
		return false;
	for (size_t i = 0; i < width; i++)
		number = number << 8 | ((const uint8_t *)bytes.data)[i];
	*ret_number = number;
	return true;
}

/* What stands behind a constructor. */
static bool walk_content(struct walk *walk, uint8_t code, struct tg_bytes *ret_content)
{
	static const uint8_t fixed[] = {0, 1, 2, 4, 8, 16};
	unsigned kind = code >> 4;
	size_t size;

	if (kind >= 4 && kind < 4 + sizeof(fixed))
		return walk_take(walk, fixed[kind - 4], ret_content);
	if (kind < 0xa)
		return false;
	return walk_number(walk, kind % 2 ? 4 : 1, &size) && walk_take(walk, size, ret_content);
}

bool walk_byte(struct walk *walk, uint8_t byte)
{
	if (walk->left == 0 || *walk->p != byte)
		return false;
	walk->p++;
	walk->left--;
	return true;
}

bool walk_next(struct walk *walk, struct walk_value *ret_value)
{
	const uint8_t *begin = walk->p;
	struct walk_value value = {0};
	size_t code;

	while (walk_byte(walk, WALK_DESCRIBED)) {
		value.described = true;
		if (!walk_number(walk, 1, &code) || !walk_content(walk, (uint8_t)code, &value.content))
			return false;
	}
	if (!walk_number(walk, 1, &code) || !walk_content(walk, (uint8_t)code, &value.content))
		return false;
	value.code = (uint8_t)code;
	value.all = (struct tg_bytes){.data = begin, .size = (size_t)(walk->p - begin)};
	*ret_value = value;
	return true;
}

bool walk_is_null(const struct walk_value *value)
{
	return !value->described && value->code == WALK_NULL;
}

bool walk_is_list(const struct walk_value *value)
{
	return !value->described &&
	       (value->code == WALK_LIST0 || value->code == WALK_LIST8 || value->code == WALK_LIST32);
}

bool walk_is_map(const struct walk_value *value)
{
	return !value->described && (value->code == WALK_MAP8 || value->code == WALK_MAP32);
}

bool walk_is_string(const struct walk_value *value)
{
	return !value->described && (value->code == WALK_STRING8 || value->code == WALK_STRING32);
}

bool walk_is_text(const struct walk_value *value)
{
	return walk_is_string(value) ||
	       (!value->described && (value->code == WALK_SYMBOL8 || value->code == WALK_SYMBOL32));
}

bool walk_is_binary(const struct walk_value *value)
{
	return !value->described && (value->code == WALK_BINARY8 || value->code == WALK_BINARY32);
}

bool walk_is_simple(const struct walk_value *value)
{
	return !value->described && value->code < WALK_LIST8 && value->code != WALK_LIST0;
}

/* The count in front is not needed: where the values do not fill the size, walk_next says so. */
struct walk walk_into(const struct walk_value *value)
{
	struct walk inner = walk_over(value->content);
	size_t count;

	if (value->code != WALK_LIST0 && !walk_number(&inner, value->code >= WALK_LIST32 ? 4 : 1, &count))
		inner.left = 0;
	return inner;
}
