/* SPDX-License-Identifier: Apache-2.0 */
#include "out.h"

#include <common/utf8.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out_private.h"

static const int64_t JSON_INT_MOST = (1ll << 53) - 1;

void out_init(struct out *out, enum out_notation notation, size_t limit)
{
	*out = (struct out){.notation = notation, .limit = limit};
}

void out_done(struct out *out)
{
	free(out->data);
	*out = (struct out){.size = 0};
}

void out_reset(struct out *out)
{
	out->size = 0;
	out->comma = false;
	out->silent = 0;
	out->error = 0;
}

char *out_room(struct out *out, size_t n)
{
	size_t capacity = out->capacity ? out->capacity : 512;
	char *data;

	if (out->error)
		return NULL;
	if (n > out->limit - out->size) {
		out->error = -E2BIG;
		return NULL;
	}
	while (capacity - out->size < n)
		capacity *= 2;
	if (capacity > out->capacity) {
		data = realloc(out->data, capacity);
		if (!data) {
			out->error = -ENOMEM;
			return NULL;
		}
		out->data = data;
		out->capacity = capacity;
	}
	return out->data + out->size;
}

void out_raw(struct out *out, const void *bytes, size_t n)
{
	char *room = n ? out_room(out, n) : NULL;

	if (room) {
		memcpy(room, bytes, n);
		out->size += n;
	}
}

/* An item that stands by itself, with what is to be before it. */
static void item(struct out *out, const char *text, size_t n)
{
	if (out->notation == OUT_PATH)
		out_raw(out, "/", 1);
	else if (out->comma)
		out_raw(out, ",", 1);
	out_raw(out, text, n);
	out->comma = true;
}

static bool passes(const struct out *out)
{
	return out->silent || out->notation == OUT_PATH;
}

void out_begin_map(struct out *out)
{
	if (passes(out))
		return;
	if (out->notation == OUT_CBOR) {
		out_cbor_map(out);
		return;
	}
	item(out, "{", 1);
	out->comma = false;
}

void out_end_map(struct out *out)
{
	if (passes(out))
		return;
	if (out->notation == OUT_CBOR)
		out_cbor_break(out);
	else
		out_raw(out, "}", 1);
	out->comma = true;
}

void out_begin_array(struct out *out, size_t n)
{
	if (passes(out))
		return;
	if (out->notation == OUT_CBOR) {
		out_cbor_array(out, n);
		return;
	}
	item(out, "[", 1);
	out->comma = false;
}

void out_end_array(struct out *out)
{
	if (passes(out))
		return;
	if (out->notation != OUT_CBOR)
		out_raw(out, "]", 1);
	out->comma = true;
}

/* Which bytes cannot stand as they are. */
static bool is_plain(const struct out *out, unsigned char c, bool latin)
{
	if (latin && c >= 0x80)
		return false;
	if (out->notation == OUT_PATH)
		return c != '%' && c != '/';
	return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

/* One byte as it stands in a JSON string or a segment; ISO 8859-1 where the text is not UTF-8. Returns the length. */
static size_t escape(const struct out *out, unsigned char c, bool latin, char ret_text[8])
{
	if (c < 0x80 && out->notation == OUT_PATH)
		return (size_t)snprintf(ret_text, 8, "%%%02X", c);
	if (c == '"' || c == '\\') {
		ret_text[0] = '\\';
		ret_text[1] = (char)c;
		return 2;
	}
	if (c < 0x20 || c == 0x7f)
		return (size_t)snprintf(ret_text, 8, "\\u%04x", c);
	if (c >= 0x80 && latin) {
		ret_text[0] = (char)(0xc0 | c >> 6);
		ret_text[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	ret_text[0] = (char)c;
	return 1;
}

static void write_text(struct out *out, const char *text, size_t size, bool latin)
{
	const char *quote = out->notation == OUT_PATH ? "" : "\"";
	size_t begin = 0;

	item(out, quote, strlen(quote));
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		char escaped[8];

		if (is_plain(out, c, latin))
			continue;
		out_raw(out, text + begin, i - begin);
		out_raw(out, escaped, escape(out, c, latin, escaped));
		begin = i + 1;
	}
	out_raw(out, text + begin, size - begin);
	out_raw(out, quote, strlen(quote));
}

static void cbor_latin(struct out *out, const char *text, size_t size)
{
	char *utf8 = malloc(2 * size + 1);
	size_t n = 0;

	if (!utf8) {
		out->error = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x80)
			utf8[n++] = (char)(0xc0 | c >> 6);
		utf8[n++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
	}
	out_cbor_text(out, utf8, n);
	free(utf8);
}

void out_text(struct out *out, const char *text, size_t size)
{
	bool latin = !utf8_is_good((struct tg_bytes){text, size});

	if (out->silent)
		return;
	if (out->notation != OUT_CBOR)
		write_text(out, text, size, latin);
	else if (latin)
		cbor_latin(out, text, size);
	else
		out_cbor_text(out, text, size);
}

void out_name(struct out *out, const char *name)
{
	if (passes(out))
		return;
	out_text(out, name, strlen(name));
	if (out->notation == OUT_CBOR)
		return;
	out_raw(out, ":", 1);
	out->comma = false;
}

void out_int(struct out *out, int64_t value)
{
	char text[32];
	bool quoted = out->notation == OUT_JSON && (value > JSON_INT_MOST || value < -JSON_INT_MOST);

	if (out->silent)
		return;
	if (out->notation == OUT_CBOR)
		out_cbor_int(out, value);
	else
		item(out, text, (size_t)snprintf(text, sizeof(text), quoted ? "\"%" PRId64 "\"" : "%" PRId64, value));
}

void out_uint(struct out *out, uint64_t value)
{
	char text[32];

	if (out->silent)
		return;
	if (out->notation == OUT_CBOR)
		out_cbor_uint(out, value);
	else if (value <= INT64_MAX)
		out_int(out, (int64_t)value);
	else
		item(out, text,
		     (size_t)snprintf(text, sizeof(text), out->notation == OUT_JSON ? "\"%" PRIu64 "\"" : "%" PRIu64,
				      value));
}

static bool odd_number(struct out *out, double value)
{
	const char *text = isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";

	if (isfinite(value))
		return false;
	out_text(out, text, strlen(text));
	return true;
}

/* The shorter of two where it reads back as the same. */
void out_float(struct out *out, float value)
{
	char text[32];

	if (out->silent)
		return;
	if (out->notation == OUT_CBOR) {
		out_cbor_float(out, value);
		return;
	}
	if (odd_number(out, (double)value))
		return;
	snprintf(text, sizeof(text), "%.6g", (double)value);
	if (strtof(text, NULL) < value || strtof(text, NULL) > value)
		snprintf(text, sizeof(text), "%.9g", (double)value);
	item(out, text, strlen(text));
}

void out_double(struct out *out, double value)
{
	char text[32];

	if (out->silent)
		return;
	if (out->notation == OUT_CBOR) {
		out_cbor_double(out, value);
		return;
	}
	if (odd_number(out, value))
		return;
	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) < value || strtod(text, NULL) > value)
		snprintf(text, sizeof(text), "%.17g", value);
	item(out, text, strlen(text));
}

void out_bool(struct out *out, bool value)
{
	if (out->silent)
		return;
	if (out->notation == OUT_CBOR)
		out_cbor_bool(out, value);
	else
		item(out, value ? "true" : "false", value ? 4 : 5);
}

/* A segment has hexadecimal digits: base64 has a '/'. */
static void path_bytes(struct out *out, const uint8_t *bytes, size_t size)
{
	char text[3];

	item(out, "", 0);
	for (size_t i = 0; i < size; i++) {
		snprintf(text, sizeof(text), "%02x", bytes[i]);
		out_raw(out, text, 2);
	}
}

static void json_bytes(struct out *out, const uint8_t *bytes, size_t size)
{
	char *room;

	item(out, "\"", 1);
	room = out_room(out, (size + 2) / 3 * 4 + 1);
	if (room)
		out->size += (size_t)EVP_EncodeBlock((unsigned char *)room, bytes, (int)size);
	out_raw(out, "\"", 1);
}

void out_bytes(struct out *out, const uint8_t *bytes, size_t size)
{
	if (out->silent || out->error)
		return;
	if (size > out->limit)
		out->error = -E2BIG;
	else if (out->notation == OUT_CBOR)
		out_cbor_bytes(out, bytes, size);
	else if (out->notation == OUT_PATH)
		path_bytes(out, bytes, size);
	else
		json_bytes(out, bytes, size);
}
