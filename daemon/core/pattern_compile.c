/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/pattern_private.h"
#include "core/suggest.h"

static const char *const given_names[PATTERN_GIVEN_COUNT] = {"site", "gateway", "device", "endpoint", "format"};

struct compiler {
	struct pattern *pattern;
	const struct pattern *match; /* NULL: a pattern is compiled, else an address */
	bool device_is_capture;
	char *problem;
};

static int fail(const struct compiler *compiler, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(const struct compiler *compiler, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(compiler->problem, PATTERN_PROBLEM_SIZE, format, args);
	va_end(args);
	return -EINVAL;
}

static int add_part(const struct compiler *compiler, const struct part *part)
{
	struct pattern *pattern = compiler->pattern;

	if (pattern->count == PATTERN_PARTS_MAX)
		return fail(compiler, "has too many pieces, at most %d", PATTERN_PARTS_MAX);
	pattern->parts[pattern->count++] = *part;
	return 0;
}

static int find_name(const struct pattern *pattern, const char *name)
{
	for (size_t i = 0; i < pattern->names_count; i++)
		if (strcmp(pattern->names[i], name) == 0)
			return (int)i;
	return -1;
}

static int fail_unknown(const struct compiler *compiler, const char *name)
{
	struct suggest suggest;

	suggest_begin(&suggest, name);
	for (size_t i = 0; i < PATTERN_GIVEN_COUNT; i++)
		suggest_offer(&suggest, given_names[i]);
	for (size_t i = 0; i < compiler->match->names_count; i++)
		suggest_offer(&suggest, compiler->match->names[i]);
	if (suggest_best(&suggest))
		return fail(compiler, "uses {%s}, which \"match\" does not have; did you mean {%s}?", name,
			    suggest_best(&suggest));
	return fail(compiler, "uses {%s}, which \"match\" does not have", name);
}

static int add_capture(const struct compiler *compiler, const char *name)
{
	struct pattern *pattern = compiler->pattern;
	struct part part = {.kind = strcmp(name, "path") == 0 ? PART_REST : PART_CAPTURE};
	int known;

	if (compiler->match) {
		known = find_name(compiler->match, name);
		if (known < 0)
			return fail_unknown(compiler, name);
		part.index = (size_t)known;
		return add_part(compiler, &part);
	}
	if (find_name(pattern, name) >= 0)
		return fail(compiler, "has {%s} twice", name);
	if (pattern->names_count == PATTERN_CAPTURES_MAX)
		return fail(compiler, "has too many names in braces, at most %d", PATTERN_CAPTURES_MAX);
	part.index = pattern->names_count;
	memcpy(pattern->names[pattern->names_count++], name, strlen(name) + 1);
	return add_part(compiler, &part);
}

static int add_name(const struct compiler *compiler, const char *name)
{
	struct part part = {.kind = PART_GIVEN};
	int r;

	for (; part.index < PATTERN_GIVEN_COUNT; part.index++)
		if (strcmp(given_names[part.index], name) == 0)
			break;
	if (part.index == PATTERN_GIVEN_COUNT)
		return add_capture(compiler, name);
	if (part.index != PATTERN_DEVICE || compiler->match || !compiler->device_is_capture)
		return add_part(compiler, &part);
	r = add_capture(compiler, name);
	if (r >= 0)
		compiler->pattern->device_capture = (int)compiler->pattern->names_count - 1;
	return r;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* `at` stands behind the opening brace. Returns how many characters it took. */
static int compile_name(const struct compiler *compiler, const char *at)
{
	char name[PATTERN_NAME_MAX + 1];
	size_t size = 0;
	int r;

	while (is_name(at[size]) && size <= PATTERN_NAME_MAX)
		size++;
	if (size > PATTERN_NAME_MAX)
		return fail(compiler, "has a name in braces of more than %d characters", PATTERN_NAME_MAX);
	if (size == 0 || at[size] != '}')
		return fail(compiler, "has a '{' without a name of letters, digits and '_' and a '}' behind it");
	memcpy(name, at, size);
	name[size] = '\0';
	r = add_name(compiler, name);
	return r < 0 ? r : (int)size + 1;
}

/* In a pattern literal text is compared with paths, in which a lone '%' does not occur. */
static int compile_literal(const struct compiler *compiler, const char *at)
{
	struct part part = {.kind = PART_TEXT};
	size_t size = strcspn(at, "{}/");
	int r;

	for (const char *c = at; !compiler->match && c < at + size; c++)
		if (*c == '%' && strncmp(c, "%25", 3) != 0 && strncmp(c, "%2F", 3) != 0)
			return fail(compiler, "has a '%%', which is written %%25 here");
	part.text = bytes_of(at, size);
	r = add_part(compiler, &part);
	return r < 0 ? r : (int)size;
}

static int compile(const struct compiler *compiler, const char *at)
{
	const struct part slash = {.kind = PART_SLASH};
	int taken;

	while (*at) {
		if (*at == '{') {
			taken = compile_name(compiler, at + 1);
			at++;
		} else if (*at == '}')
			return fail(compiler, "has a '}' without a '{'");
		else if (*at == '/') {
			taken = add_part(compiler, &slash);
			at++;
		} else
			taken = compile_literal(compiler, at);
		if (taken < 0)
			return taken;
		at += taken;
	}
	return 0;
}

/* In a pattern each segment has one name at most, and {path} is the whole last one. */
static int check_segments(const struct compiler *compiler)
{
	const struct pattern *pattern = compiler->pattern;
	size_t in_segment = 0, names = 0;

	if (pattern->count == 0)
		return fail(compiler, "is empty");
	for (size_t i = 0; i < pattern->count; i++) {
		const struct part *part = &pattern->parts[i];

		if (part->kind == PART_SLASH) {
			in_segment = names = 0;
			continue;
		}
		if (part->kind == PART_REST && (in_segment > 0 || i + 1 < pattern->count))
			return fail(compiler,
				    "has {path} in the middle; it takes the whole rest and stands last, behind a '/'");
		names += part->kind != PART_TEXT;
		in_segment++;
		if (names > 1)
			return fail(compiler, "has two names in braces in one segment");
	}
	return 0;
}

static int make(struct compiler *compiler, const char *text, struct pattern **ret_pattern)
{
	CLEANUP(pattern_freep) struct pattern *pattern = calloc(1, sizeof(*pattern));
	int r;

	if (!pattern)
		return -ENOMEM;
	compiler->pattern = pattern;
	pattern->device_capture = -1;
	pattern->text = strdup(text);
	pattern->parts = calloc(PATTERN_PARTS_MAX, sizeof(*pattern->parts));
	if (!pattern->text || !pattern->parts)
		return -ENOMEM;
	r = compile(compiler, pattern->text + (!compiler->match && *text == '/'));
	if (r >= 0 && !compiler->match)
		r = check_segments(compiler);
	if (r < 0)
		return r;
	*ret_pattern = pattern;
	pattern = NULL;
	return 0;
}

int pattern_new_match(const char *text, bool device_is_capture, struct pattern **ret_pattern,
		      char ret_problem[PATTERN_PROBLEM_SIZE])
{
	struct compiler compiler = {.device_is_capture = device_is_capture, .problem = ret_problem};

	return make(&compiler, text, ret_pattern);
}

int pattern_new_address(const char *text, const struct pattern *match, const char *reserved,
			struct pattern **ret_pattern, char ret_problem[PATTERN_PROBLEM_SIZE])
{
	struct compiler compiler = {.match = match, .problem = ret_problem};
	int r = make(&compiler, text, ret_pattern);

	if (r >= 0)
		pattern_reserved_init(&(*ret_pattern)->reserved, reserved);
	return r;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	free(pattern->parts);
	free(pattern->text);
	free(pattern);
}
