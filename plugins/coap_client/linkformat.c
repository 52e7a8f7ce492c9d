/* SPDX-License-Identifier: Apache-2.0 */
#include "linkformat.h"

#include <errno.h>
#include <string.h>

static bool is_name(struct linkformat_text name, const char *wanted)
{
	return name.size == strlen(wanted) && memcmp(name.data, wanted, name.size) == 0;
}

static void skip_space(const char **at, const char *end)
{
	while (*at < end && (**at == ' ' || **at == '\t' || **at == '\r' || **at == '\n'))
		(*at)++;
}

/* Up to one of the marks, or the end. */
static struct linkformat_text take_until(const char **at, const char *end, const char *marks)
{
	const char *begin = *at;

	while (*at < end && **at != '\0' && !strchr(marks, **at))
		(*at)++;
	return (struct linkformat_text){.data = begin, .size = (size_t)(*at - begin)};
}

/* Behind the opening quote. */
static bool take_quoted(const char **at, const char *end, struct linkformat_text *ret_value)
{
	const char *begin = *at;

	while (*at < end && **at != '"')
		*at += **at == '\\' && end - *at > 1 ? 2 : 1;
	if (*at >= end)
		return false;
	*ret_value = (struct linkformat_text){.data = begin, .size = (size_t)(*at - begin)};
	(*at)++;
	return true;
}

static bool take_attribute(const char **at, const char *end, struct linkformat_link *link)
{
	struct linkformat_text value = {.data = "", .size = 0};

	skip_space(at, end);
	struct linkformat_text name = take_until(at, end, "=;,\" ");
	if (name.size == 0)
		return false;
	if (*at < end && **at == '=') {
		(*at)++;
		if (*at < end && **at == '"') {
			(*at)++;
			if (!take_quoted(at, end, &value))
				return false;
		} else {
			value = take_until(at, end, ";,\" ");
		}
	}
	/* The first of several counts (RFC 6690 section 3). */
	if (is_name(name, "rt") && !link->types.data)
		link->types = value;
	else if (is_name(name, "if") && !link->interfaces.data)
		link->interfaces = value;
	else if (is_name(name, "obs"))
		link->observable = true;
	return true;
}

int linkformat_next(const char **at, const char *end, struct linkformat_link *ret_link)
{
	struct linkformat_link link = {.observable = false};

	skip_space(at, end);
	if (*at >= end)
		return 0;
	if (**at != '<')
		return -EBADMSG;
	(*at)++;
	link.target = take_until(at, end, ">");
	if (*at >= end || **at != '>')
		return -EBADMSG;
	(*at)++;
	for (skip_space(at, end); *at < end && **at == ';'; skip_space(at, end)) {
		(*at)++;
		if (!take_attribute(at, end, &link))
			return -EBADMSG;
	}
	if (*at < end && **at != ',')
		return -EBADMSG;
	if (*at < end)
		(*at)++;
	*ret_link = link;
	return 1;
}

bool linkformat_has_word(struct linkformat_text words, const char *word)
{
	size_t length = strlen(word);

	for (size_t at = 0; at < words.size;) {
		const char *space = memchr(words.data + at, ' ', words.size - at);
		size_t size = space ? (size_t)(space - words.data) - at : words.size - at;

		if (size == length && memcmp(words.data + at, word, length) == 0)
			return true;
		at += size + 1;
	}
	return false;
}
