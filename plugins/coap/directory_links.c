/* SPDX-License-Identifier: Apache-2.0 */
#include "directory_links.h"

#include <string.h>

#include "links.h"
#include "resource.h"

/* RFC 6690 section 2, ptokenchar beside letters and digits; of parmname those that RFC 5987 calls attr-char. */
static const char token_marks[] = "!#$%&'()*+-./:<=>?@[]^_`{|}~";
static const char name_marks[] = "!#$&+-.^_`|~";

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hexadecimal(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_mark(char c, const char *marks)
{
	return c != '\0' && strchr(marks, c);
}

bool directory_is_text(struct tg_bytes text)
{
	const uint8_t *data = text.data;
	for (size_t i = 0, length; i < text.size; i += length) {
		length = resource_utf8_length(data + i, text.size - i);
		bool control =
			data[i] < 0x20 || data[i] == 0x7f || (data[i] == 0xc2 && length == 2 && data[i + 1] < 0xa0);
		if (length == 0 || control)
			return false;
	}
	return true;
}

bool directory_is_name(struct tg_bytes name)
{
	const char *text = name.data;
	for (size_t i = 0; i < name.size; i++)
		if (!is_alpha(text[i]) && !is_digit(text[i]) && !is_mark(text[i], name_marks) &&
		    !(text[i] == '*' && i > 0 && i + 1 == name.size))
			return false;
	return name.size > 0;
}

bool directory_is_reference(struct tg_bytes reference)
{
	const char *text = reference.data;
	if (!directory_is_text(reference))
		return false;
	for (size_t i = 0; i < reference.size; i++) {
		if (is_mark(text[i], " \"<>\\^`{|}"))
			return false;
		if (text[i] == '%' &&
		    (i + 2 >= reference.size || !is_hexadecimal(text[i + 1]) || !is_hexadecimal(text[i + 2])))
			return false;
	}
	return true;
}

bool directory_has_scheme(struct tg_bytes reference, size_t *ret_colon)
{
	const char *text = reference.data;
	size_t i = 0;
	while (i < reference.size && (is_alpha(text[i]) || (i > 0 && (is_digit(text[i]) || is_mark(text[i], "+-.")))))
		i++;
	*ret_colon = i;
	return i > 0 && i < reference.size && text[i] == ':';
}

/* Source: RFC 9176 appendix C; RFC 3986 section 3.3, path-absolute. */
static bool is_limited(struct tg_bytes reference)
{
	const char *text = reference.data;
	size_t colon;
	if (!directory_is_reference(reference) || reference.size == 0)
		return false;
	if (text[0] == '/')
		return reference.size == 1 || text[1] != '/';
	return directory_has_scheme(reference, &colon);
}

static struct tg_bytes rest_of(struct tg_bytes text, size_t at)
{
	return (struct tg_bytes){.data = (const char *)text.data + at, .size = text.size - at};
}

static struct tg_bytes part_of(struct tg_bytes text, size_t from, size_t to)
{
	return (struct tg_bytes){.data = (const char *)text.data + from, .size = to - from};
}

/* The place behind the quoted string that begins at `at`, or 0. */
static size_t quoted_end(struct tg_bytes text, size_t at)
{
	const char *data = text.data;
	for (size_t i = at + 1; i < text.size; i++) {
		if (data[i] == '"')
			return i + 1;
		if (data[i] == '\\')
			i++;
	}
	return 0;
}

static size_t token_end(struct tg_bytes text, size_t at)
{
	const char *data = text.data;
	while (at < text.size && (is_alpha(data[at]) || is_digit(data[at]) || is_mark(data[at], token_marks)))
		at++;
	return at;
}

/* Takes ";name=value" off `text`. Returns NULL, or what is wrong. */
static const char *parameter_parse(struct tg_bytes *text, struct directory_parameter *ret_parameter)
{
	const char *data = text->data;
	size_t end = 1;
	struct directory_parameter parameter = {.quoted = false};
	while (end < text->size && !is_mark(data[end], "=;,"))
		end++;
	parameter.name = part_of(*text, 1, end);
	if (!directory_is_name(parameter.name))
		return "a parameter of a link has no proper name";
	if (end < text->size && data[end] == '=') {
		size_t begin = end + 1;
		parameter.quoted = begin < text->size && data[begin] == '"';
		end = parameter.quoted ? quoted_end(*text, begin) : token_end(*text, begin);
		if (end == 0)
			return "a quoted text in a link has no end";
		if (end == begin)
			return "a parameter of a link has no proper value";
		parameter.value = parameter.quoted ? part_of(*text, begin + 1, end - 1) : part_of(*text, begin, end);
	}
	parameter.whole = part_of(*text, 1, end);
	*text = rest_of(*text, end);
	*ret_parameter = parameter;
	return NULL;
}

/* Takes a link off `text`. Returns NULL, or what is wrong. */
static const char *link_parse(struct tg_bytes *text, struct directory_link *ret_link)
{
	const char *data = text->data;
	const char *close = text->size > 0 && data[0] == '<' ? memchr(data, '>', text->size) : NULL;
	struct directory_parameter parameter;
	if (!close)
		return "a link has to begin with <target>";
	ret_link->target = part_of(*text, 1, (size_t)(close - data));
	struct tg_bytes rest = rest_of(*text, (size_t)(close - data) + 1);
	ret_link->parameters.data = rest.data;
	while (rest.size > 0 && *(const char *)rest.data == ';') {
		const char *problem = parameter_parse(&rest, &parameter);
		if (problem)
			return problem;
	}
	ret_link->parameters.size = (size_t)((const char *)rest.data - (const char *)ret_link->parameters.data);
	if (rest.size > 0 && (*(const char *)rest.data != ',' || rest.size == 1))
		return "behind a link there has to be ',' and the next one";
	*text = rest.size > 0 ? rest_of(rest, 1) : rest;
	return NULL;
}

bool directory_link_next(struct tg_bytes *text, struct directory_link *ret_link)
{
	return text->size > 0 && !link_parse(text, ret_link);
}

bool directory_parameter_next(struct tg_bytes *parameters, struct directory_parameter *ret_parameter)
{
	return parameters->size > 0 && !parameter_parse(parameters, ret_parameter);
}

/* Source: RFC 6690 sections 3.1 to 3.3; RFC 5988 section 5.2. */
static const char *parameters_check(const struct directory_link *link)
{
	static const char *const once[] = {"anchor", "rt", "if", "sz"};
	struct tg_bytes rest = link->parameters;
	struct directory_parameter parameter;
	unsigned seen = 0;
	while (directory_parameter_next(&rest, &parameter)) {
		for (unsigned i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
			if (!links_is_name(parameter.name, once[i]))
				continue;
			if (seen & 1u << i)
				return "anchor, rt, if and sz may be in a link once only";
			seen |= 1u << i;
		}
		if (links_is_name(parameter.name, "anchor") && (!parameter.quoted || !is_limited(parameter.value)))
			return "an anchor has to be a quoted URI, or a path that begins with one '/'";
	}
	return NULL;
}

const char *directory_links_check(struct tg_bytes text, size_t *ret_count)
{
	struct directory_link link;
	size_t count = 0;
	if (!directory_is_text(text))
		return "links have to be UTF-8 without control characters";
	while (text.size > 0) {
		const char *problem = link_parse(&text, &link);
		if (!problem && !is_limited(link.target))
			problem = "a target has to be a URI, or a path that begins with one '/'";
		if (!problem)
			problem = parameters_check(&link);
		if (problem)
			return problem;
		count++;
	}
	*ret_count = count;
	return NULL;
}
