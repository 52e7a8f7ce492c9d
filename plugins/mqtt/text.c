/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_DAY_US   INT64_C(86400000000)
#define TEXT_FIRST_US (-719528 * TEXT_DAY_US)     /* 0000-01-01 */
#define TEXT_LAST_US  (2932897 * TEXT_DAY_US - 1) /* 9999-12-31, its last microsecond */

void text_id(const uint8_t id[TG_ID_SIZE], char ret_text[TEXT_ID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *p = ret_text;

	for (unsigned i = 0; i < TG_ID_SIZE; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[id[i] >> 4];
		*p++ = digits[id[i] & 15];
	}
	*p = '\0';
}

static char *text_digits(char *p, unsigned value, unsigned width)
{
	for (unsigned i = width; i > 0; i--) {
		p[i - 1] = (char)('0' + value % 10);
		value /= 10;
	}
	return p + width;
}

/* The date of a day since 1970 in the Gregorian calendar, counted in years that begin in March. The C library would do it
 * too, but looks for the time zone's file first. */
static char *text_date(char *p, int64_t day)
{
	int64_t shifted = day + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	unsigned of_era = (unsigned)(shifted - era * 146097);
	unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * of_year + 2) / 153;

	p = text_digits(p, (unsigned)(year + era * 400 + (month >= 10)), 4);
	*p++ = '-';
	p = text_digits(p, month < 10 ? month + 3 : month - 9, 2);
	*p++ = '-';
	return text_digits(p, of_year - (153 * month + 2) / 5 + 1, 2);
}

void text_time(int64_t wall_us, char ret_text[TEXT_TIME_SIZE])
{
	int64_t day;
	unsigned second, fraction;
	char *p = ret_text;

	if (wall_us < TEXT_FIRST_US || wall_us > TEXT_LAST_US)
		wall_us = 0;
	day = (wall_us - TEXT_FIRST_US) / TEXT_DAY_US + TEXT_FIRST_US / TEXT_DAY_US;
	second = (unsigned)((wall_us - day * TEXT_DAY_US) / 1000000);
	fraction = (unsigned)((wall_us - day * TEXT_DAY_US) % 1000000);
	p = text_date(p, day);
	*p++ = 'T';
	p = text_digits(p, second / 3600, 2);
	*p++ = ':';
	p = text_digits(p, second / 60 % 60, 2);
	*p++ = ':';
	p = text_digits(p, second % 60, 2);
	*p++ = '.';
	p = text_digits(p, fraction, 6);
	*p++ = 'Z';
	*p = '\0';
}

void text_code(uint32_t code, char ret_text[TEXT_CODE_SIZE])
{
	snprintf(ret_text, TEXT_CODE_SIZE, "%u.%02u", code / 100, code % 100);
}

static const struct {
	int32_t number;
	bool utf8;
	const char *type;
} text_types[] = {
	{0, true, "text/plain;charset=utf-8"},
	{40, true, "application/link-format"},
	{41, true, "application/xml"},
	{42, false, "application/octet-stream"},
	{47, false, "application/exi"},
	{50, true, "application/json"},
	{51, true, "application/json-patch+json"},
	{52, true, "application/merge-patch+json"},
	{60, false, "application/cbor"},
	{61, false, "application/cwt"},
	{62, false, "application/multipart-core"},
	{63, false, "application/cbor-seq"},
	{64, true, "application/link-format+json"},
	{65, false, "application/link-format+cbor"},
	{101, false, "application/cose-key"},
	{102, false, "application/cose-key-set"},
	{110, true, "application/senml+json"},
	{111, true, "application/sensml+json"},
	{112, false, "application/senml+cbor"},
	{113, false, "application/sensml+cbor"},
	{114, false, "application/senml-exi"},
	{115, false, "application/sensml-exi"},
	{310, true, "application/senml+xml"},
	{311, true, "application/sensml+xml"},
	{320, true, "application/senml-etch+json"},
	{322, false, "application/senml-etch+cbor"},
	{11542, false, "application/vnd.oma.lwm2m+tlv"},
	{11543, true, "application/vnd.oma.lwm2m+json"},
	{11544, false, "application/vnd.oma.lwm2m+cbor"},
};

const char *text_media_type(int32_t content_format, bool *ret_utf8)
{
	for (size_t i = 0; i < sizeof(text_types) / sizeof(text_types[0]); i++) {
		if (text_types[i].number == content_format) {
			*ret_utf8 = text_types[i].utf8;
			return text_types[i].type;
		}
	}
	return NULL;
}

static struct tg_bytes text_trim(struct tg_bytes text)
{
	const char *p = text.data;

	while (text.size > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		text.size--;
	}
	while (text.size > 0 && (p[text.size - 1] == ' ' || p[text.size - 1] == '\t'))
		text.size--;
	return (struct tg_bytes){.data = p, .size = text.size};
}

static bool text_is(struct tg_bytes text, const char *word, size_t size)
{
	return text.size == size && strncasecmp(text.data, word, size) == 0;
}

int32_t text_content_format(struct tg_bytes media_type)
{
	const char *semicolon = media_type.size > 0 ? memchr(media_type.data, ';', media_type.size) : NULL;
	struct tg_bytes type = media_type, parameter = {0};

	if (semicolon) {
		type.size = (size_t)(semicolon - (const char *)media_type.data);
		parameter =
			text_trim((struct tg_bytes){.data = semicolon + 1, .size = media_type.size - type.size - 1});
	}
	type = text_trim(type);
	for (size_t i = 0; i < sizeof(text_types) / sizeof(text_types[0]); i++) {
		bool plain = !semicolon || (text_types[i].utf8 && (text_is(parameter, "charset=utf-8", 13) ||
								   text_is(parameter, "charset=\"utf-8\"", 15)));

		if (plain && text_is(type, text_types[i].type, strcspn(text_types[i].type, ";")))
			return text_types[i].number;
	}
	return TG_FORMAT_NONE;
}

bool text_method(struct tg_bytes name, uint32_t *ret_method)
{
	static const char *const names[] = {
		[TG_METHOD_GET] = "GET",       [TG_METHOD_POST] = "POST",   [TG_METHOD_PUT] = "PUT",
		[TG_METHOD_DELETE] = "DELETE", [TG_METHOD_FETCH] = "FETCH", [TG_METHOD_PATCH] = "PATCH",
		[TG_METHOD_IPATCH] = "IPATCH"};

	for (uint32_t i = TG_METHOD_GET; i <= TG_METHOD_IPATCH; i++) {
		if (text_is(name, names[i], strlen(names[i]))) {
			*ret_method = i;
			return true;
		}
	}
	return false;
}

/* The length of the sequence that begins at `p`, 0 where it is not well-formed. */
static size_t text_utf8_length(const uint8_t *p, size_t left)
{
	size_t n;

	if (p[0] < 0x80)
		return 1;
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || left < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

bool text_is_utf8(struct tg_bytes bytes)
{
	const uint8_t *p = bytes.data;
	size_t n;

	for (size_t i = 0; i < bytes.size; i += n) {
		n = text_utf8_length(p + i, bytes.size - i);
		if (n == 0)
			return false;
	}
	return true;
}

static const char *text_lookup(const char *const *names, const char *name, size_t size)
{
	for (; names[0]; names += 2) {
		if (strlen(names[0]) == size && memcmp(names[0], name, size) == 0)
			return names[1];
	}
	return NULL;
}

char *text_expand(const char *format, const char *const *names)
{
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);
	bool bad = false;

	if (!out)
		return NULL;
	while (*format && !bad) {
		const char *end = *format == '{' ? strchr(format, '}') : NULL;
		const char *value = end ? text_lookup(names, format + 1, (size_t)(end - format) - 1) : NULL;

		if (*format != '{') {
			fputc(*format++, out);
		} else if (value) {
			fputs(value, out);
			format = end + 1;
		} else {
			bad = true;
		}
	}
	if (fclose(out) != 0 || bad) {
		free(result);
		return NULL;
	}
	return result;
}

char *text_json(const char *text)
{
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	if (!out)
		return NULL;
	fputc('"', out);
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if ((unsigned char)*p < 0x20)
			fprintf(out, "\\u%04x", (unsigned char)*p);
		else
			fputc(*p, out);
	}
	fputc('"', out);
	if (fclose(out) != 0) {
		free(result);
		return NULL;
	}
	return result;
}
