/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/pattern_private.h"

static struct tg_bytes skip(struct tg_bytes bytes, size_t size)
{
	return bytes_of((const char *)bytes.data + size, bytes.size - size);
}

static bool starts_with(struct tg_bytes bytes, struct tg_bytes start)
{
	return bytes.size >= start.size && memcmp(bytes.data, start.data, start.size) == 0;
}

static bool match_name(const struct part *part, struct tg_bytes piece, struct pattern_values *values)
{
	if (piece.size == 0)
		return false;
	if (part->kind == PART_GIVEN)
		return pattern_segment_is(piece, values->given[part->index]);
	values->captures[part->index] = piece;
	return true;
}

/* Matches one segment of the path against the parts up to the next slash. */
static bool match_segment(const struct part *parts, size_t count, struct tg_bytes segment,
			  struct pattern_values *values)
{
	const struct part *name = NULL;

	for (size_t i = 0; i < count && !name; i++) {
		if (parts[i].kind != PART_TEXT)
			name = &parts[i];
		else if (!starts_with(segment, parts[i].text))
			return false;
		else
			segment = skip(segment, parts[i].text.size);
	}
	if (!name)
		return segment.size == 0;
	if (name < &parts[count - 1]) {
		struct tg_bytes end = name[1].text;

		if (segment.size < end.size || !bytes_equal(skip(segment, segment.size - end.size), end))
			return false;
		segment.size -= end.size;
	}
	return match_name(name, segment, values);
}

static size_t segment_parts(const struct pattern *pattern, size_t begin)
{
	size_t end = begin;

	while (end < pattern->count && pattern->parts[end].kind != PART_SLASH)
		end++;
	return end - begin;
}

bool pattern_match(const struct pattern *pattern, struct tg_bytes path, struct pattern_values *values)
{
	size_t at = 0;

	if (path.size == 0)
		return false;
	for (;;) {
		size_t count = segment_parts(pattern, at);
		const char *slash;
		struct tg_bytes segment = path;

		if (count > 0 && pattern->parts[at].kind == PART_REST) {
			values->captures[pattern->parts[at].index] = path;
			return path.size > 0;
		}
		slash = path.size ? memchr(path.data, '/', path.size) : NULL;
		if (slash)
			segment.size = (size_t)(slash - (const char *)path.data);
		if (!match_segment(&pattern->parts[at], count, segment, values))
			return false;
		at += count;
		if (at == pattern->count || !slash)
			return at == pattern->count && !slash;
		at++;
		path = skip(path, segment.size + 1);
	}
}

int pattern_device_capture(const struct pattern *pattern)
{
	return pattern->device_capture;
}

bool pattern_uses(const struct pattern *pattern, enum pattern_given given)
{
	for (size_t i = 0; i < pattern->count; i++)
		if (pattern->parts[i].kind == PART_GIVEN && pattern->parts[i].index == (size_t)given)
			return true;
	return false;
}

static ptrdiff_t build_part(const struct pattern *address, const struct part *part, const struct pattern_values *values,
			    char *out, size_t room)
{
	const struct pattern_reserved *reserved = &address->reserved;
	struct tg_bytes text = part->kind == PART_SLASH ? bytes_of("/", 1) : part->text;

	switch (part->kind) {
	case PART_GIVEN:
		return pattern_escape(reserved, PATTERN_PLAIN, values->given[part->index], out, room);
	case PART_CAPTURE:
		return pattern_escape(reserved, PATTERN_SEGMENT, values->captures[part->index], out, room);
	case PART_REST:
		return pattern_escape(reserved, PATTERN_REST, values->captures[part->index], out, room);
	case PART_TEXT:
	case PART_SLASH:
		break;
	}
	if (text.size > room)
		return -ENOBUFS;
	memcpy(out, text.data, text.size);
	return (ptrdiff_t)text.size;
}

ptrdiff_t pattern_build(const struct pattern *address, const struct pattern_values *values, char *out, size_t room)
{
	size_t size = 0;

	for (size_t i = 0; i < address->count; i++) {
		ptrdiff_t n = build_part(address, &address->parts[i], values, out + size, room - size);

		if (n < 0)
			return n;
		size += (size_t)n;
	}
	return (ptrdiff_t)size;
}

static ptrdiff_t name_part(const struct part *part, const struct pattern_values *values, char *out, size_t room)
{
	struct tg_bytes text = part->kind == PART_SLASH ? bytes_of("/", 1) : part->text;

	if (part->kind == PART_CAPTURE || part->kind == PART_REST)
		return pattern_unescape(values->captures[part->index], out, room);
	if (part->kind == PART_GIVEN)
		text = values->given[part->index];
	if (text.size > room)
		return -ENOBUFS;
	if (text.size)
		memcpy(out, text.data, text.size);
	return (ptrdiff_t)text.size;
}

ptrdiff_t pattern_build_name(const struct pattern *name, const struct pattern_values *values, char *out, size_t room)
{
	size_t size = 0;

	for (size_t i = 0; i < name->count; i++) {
		ptrdiff_t n = name_part(&name->parts[i], values, out + size, room - size);

		if (n < 0)
			return n;
		size += (size_t)n;
	}
	return (ptrdiff_t)size;
}

static bool same_parts(const struct part *a, const struct part *b, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (a[i].kind != b[i].kind || a[i].kind == PART_CAPTURE)
			return false;
		if (a[i].kind == PART_GIVEN && a[i].index != b[i].index)
			return false;
		if (a[i].kind == PART_TEXT && !bytes_equal(a[i].text, b[i].text))
			return false;
	}
	return true;
}

bool pattern_covers(const struct pattern *pattern, const struct pattern *other)
{
	size_t mine = 0, theirs = 0;

	for (;;) {
		size_t count = segment_parts(pattern, mine), other_count = segment_parts(other, theirs);
		const struct part *part = &pattern->parts[mine];
		bool whole = count == 1 && part->kind == PART_CAPTURE;

		if (count > 0 && part->kind == PART_REST)
			return other_count > 0;
		if (other_count > 0 && other->parts[theirs].kind == PART_REST)
			return false;
		if (!(whole && other_count > 0) &&
		    !(count == other_count && same_parts(part, &other->parts[theirs], count)))
			return false;
		mine += count;
		theirs += other_count;
		if (mine == pattern->count || theirs == other->count)
			return mine == pattern->count && theirs == other->count;
		mine++;
		theirs++;
	}
}

char pattern_reserved_literal(const struct pattern *address)
{
	for (size_t i = 0; i < address->count; i++) {
		const struct part *part = &address->parts[i];
		const char *text = part->text.data;

		for (size_t j = 0; part->kind == PART_TEXT && j < part->text.size; j++) {
			unsigned char c = (unsigned char)text[j];

			if (c < 128 && c != '%' && address->reserved.encode[c] && !(i == 0 && j == 0 && c == '$'))
				return text[j];
		}
	}
	return '\0';
}

/* Appends literal text, in which only '*' would be read as something else; or a given value in the form that an address gives it,
 * as a piece of a path. */
static bool put(char *out, size_t room, size_t *used, struct tg_bytes piece, bool given)
{
	const char *p = piece.data;

	for (size_t i = 0; i < piece.size; i++) {
		if (room - *used < 6)
			return false;
		if (!strchr(given ? "*%/+#" : "*", p[i])) {
			out[(*used)++] = p[i];
			continue;
		}
		*used +=
			(size_t)snprintf(out + *used, room - *used, given ? "%%25%02X" : "%%%02X", (unsigned char)p[i]);
	}
	out[*used] = '\0';
	return true;
}

/* One segment, whose parts these are. */
static bool outline_segment(const struct part *parts, size_t count, const struct pattern_values *values, char *out,
			    size_t room, size_t *used)
{
	size_t begin = *used;

	for (size_t i = 0; i < count; i++) {
		const struct part *part = &parts[i];
		struct tg_bytes piece = part->kind == PART_GIVEN ? values->given[part->index] : part->text;
		const char *any = part->kind == PART_REST ? "**" : "*";
		size_t size = strlen(any);

		if (part->kind == PART_TEXT || (part->kind == PART_GIVEN && piece.size)) {
			if (!put(out, room, used, piece, part->kind == PART_GIVEN))
				return false;
			continue;
		}
		if (room - begin <= size)
			return false;
		memcpy(out + begin, any, size + 1);
		*used = begin + size;
		return true; /* a segment with something open in it is open */
	}
	return true;
}

ptrdiff_t pattern_outline(const struct pattern *pattern, const struct pattern_values *values, char *out, size_t room)
{
	size_t used = 0;

	if (room < 1)
		return -ENOBUFS;
	out[0] = '\0';
	for (size_t begin = 0, count; begin < pattern->count; begin += count) {
		count = segment_parts(pattern, begin);
		if (!outline_segment(&pattern->parts[begin], count, values, out, room, &used))
			return -ENOBUFS;
		if (begin + count == pattern->count)
			break;
		if (room - used < 2)
			return -ENOBUFS;
		memcpy(out + used++, "/", 2);
		count++;
	}
	return (ptrdiff_t)used;
}
