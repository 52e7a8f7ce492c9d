/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct scan {
	const char *at;
	const char *end;
	char *out;
	unsigned line;
	const struct config_source *source;
	struct config_problems *problems;
	bool unfinished;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*';
}

static bool is_name(char c)
{
	return is_name_start(c) || is_digit(c) || c == '-' || c == '_';
}

static char peek(const struct scan *scan, size_t ahead)
{
	return (size_t)(scan->end - scan->at) > ahead ? scan->at[ahead] : '\0';
}

static void take(struct scan *scan)
{
	if (*scan->at == '\n')
		scan->line++;
	*scan->out++ = *scan->at++;
}

static void take_line(struct scan *scan)
{
	while (scan->at < scan->end && *scan->at != '\n')
		take(scan);
}

static void complain_unfinished(struct scan *scan, unsigned line, const char *what)
{
	config_problem_error(scan->problems, scan->source, line, "a %s begins here and has no end", what);
	scan->unfinished = true;
}

static void take_comment(struct scan *scan)
{
	unsigned line = scan->line;

	take(scan);
	take(scan);
	while (scan->at < scan->end && !(peek(scan, 0) == '*' && peek(scan, 1) == '/'))
		take(scan);
	if (scan->at == scan->end)
		complain_unfinished(scan, line, "comment");
	for (int i = 0; i < 2 && scan->at < scan->end; i++)
		take(scan);
}

static void take_string(struct scan *scan)
{
	unsigned line = scan->line;

	take(scan);
	while (scan->at < scan->end && *scan->at != '"') {
		if (*scan->at == '\\' && scan->end - scan->at > 1) {
			if (peek(scan, 1) == 'x' && peek(scan, 2) == '0' && peek(scan, 3) == '0')
				config_problem_error(scan->problems, scan->source, scan->line,
						     "a text has a \"\\x00\" in it");
			take(scan);
		}
		take(scan);
	}
	if (scan->at == scan->end)
		complain_unfinished(scan, line, "text");
	else
		take(scan);
}

/* A decimal or hexadecimal whole number, without sign and without the suffix L. Returns false for anything else. */
static bool parse_magnitude(const char *text, size_t size, uint64_t *ret_value, bool *ret_overflow)
{
	bool hex = size > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	uint64_t value = 0;

	*ret_overflow = false;
	for (size_t i = hex ? 2 : 0; i < size; i++) {
		unsigned digit;

		if (is_digit(text[i]))
			digit = (unsigned)(text[i] - '0');
		else if (hex && ((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'f'))
			digit = (unsigned)((text[i] | 0x20) - 'a' + 10);
		else
			return false;
		if (value > ((uint64_t)INT64_MAX - digit) / (hex ? 16 : 10))
			*ret_overflow = true;
		else
			value = value * (hex ? 16 : 10) + digit;
	}
	*ret_value = value;
	return size > 0;
}

static void complain_about(const struct scan *scan, const char *begin, const char *problem)
{
	size_t size = (size_t)(scan->at - begin);

	config_problem_error(scan->problems, scan->source, scan->line, "the number %.*s %s", size > 40 ? 40 : (int)size,
			     begin, problem);
}

static void take_number(struct scan *scan)
{
	const char *begin = scan->at, *digits;
	char *out = scan->out;
	size_t size;
	bool marked = false, overflow;
	uint64_t value;

	if (*scan->at == '-' || *scan->at == '+')
		take(scan);
	digits = scan->at;
	while (is_name_start(peek(scan, 0)) || is_digit(peek(scan, 0)) || peek(scan, 0) == '.' ||
	       ((peek(scan, 0) == '-' || peek(scan, 0) == '+') && (scan->at[-1] | 0x20) == 'e'))
		take(scan);
	size = (size_t)(scan->at - digits);
	for (int i = 0; i < 2 && size > 0 && digits[size - 1] == 'L'; i++, marked = true)
		size--;
	if (!parse_magnitude(digits, size, &value, &overflow))
		return;
	if (overflow) {
		complain_about(scan, begin, "does not fit into 64 bits");
		*out = '0';
		scan->out = out + 1;
	} else if (size > 1 && digits[0] == '0' && is_digit(digits[1]))
		complain_about(scan, begin, "has a leading zero");
	else if (value > INT32_MAX && !marked)
		*scan->out++ = 'L';
}

static void take_name(struct scan *scan)
{
	while (scan->at < scan->end && is_name(*scan->at))
		take(scan);
}

static void take_token(struct scan *scan)
{
	static const char include[] = "@include";
	char now = peek(scan, 0), next = peek(scan, 1);

	if (now == '#' || (now == '/' && next == '/'))
		take_line(scan);
	else if (now == '/' && next == '*')
		take_comment(scan);
	else if (now == '"')
		take_string(scan);
	else if (is_name_start(now))
		take_name(scan);
	else if (is_digit(now) || ((now == '-' || now == '+') && is_digit(next)))
		take_number(scan);
	else if (now == '@' && (size_t)(scan->end - scan->at) >= strlen(include) &&
		 memcmp(scan->at, include, strlen(include)) == 0) {
		config_problem_error(
			scan->problems, scan->source, scan->line,
			"@include is not taken; files in conf.d beside the main file are read by themselves");
		*scan->out++ = '#';
		take_line(scan);
	} else
		take(scan);
}

int config_text_prepare(const char *text, size_t size, const struct config_source *source,
			struct config_problems *problems, char **ret_text)
{
	struct scan scan = {.at = text, .end = text + size, .line = 1, .source = source, .problems = problems};
	char *prepared;

	/* What is put in is one byte a number or include, and those are longer than one byte. */
	prepared = malloc(2 * size + 1);
	if (!prepared)
		return -ENOMEM;
	scan.out = prepared;
	while (scan.at < scan.end)
		take_token(&scan);
	*scan.out = '\0';
	if (scan.unfinished) {
		free(prepared);
		return -EINVAL;
	}
	*ret_text = prepared;
	return 0;
}
