/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config_problem.h"

#include <stdlib.h>

#include "base/cleanup.h"

void config_problems_init(struct config_problems *problems)
{
	*problems = (struct config_problems){0};
}

void config_problems_done(struct config_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		free(problems->list[i].text);
	free(problems->list);
	config_problems_init(problems);
}

static char *format_text(const struct config_source *source, unsigned line, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static char *format_text(const struct config_source *source, unsigned line, const char *format, va_list args)
{
	CLEANUP_FREE char *text = NULL;
	char *whole = NULL;
	int written;

	if (vasprintf(&text, format, args) < 0) {
		text = NULL;
		return NULL;
	}
	if (!source)
		written = asprintf(&whole, "%s", text);
	else if (line == 0)
		written = asprintf(&whole, "%s: %s", source->label, text);
	else
		written = asprintf(&whole, "%s:%u: %s", source->label, line, text);
	return written < 0 ? NULL : whole;
}

static void add(struct config_problems *problems, const struct config_problem *problem)
{
	struct config_problem *list;

	if (!problem->text || problems->count >= CONFIG_PROBLEMS_MAX)
		goto left_out;
	list = reallocarray(problems->list, problems->count + 1, sizeof(*list));
	if (!list)
		goto left_out;
	problems->list = list;
	list[problems->count] = *problem;
	list[problems->count].place = problems->count;
	problems->count++;
	return;
left_out:
	free(problem->text);
	problems->left_out++;
}

void config_problem_error(struct config_problems *problems, const struct config_source *source, unsigned line,
			  const char *format, ...)
{
	struct config_problem problem = {.order = source ? source->order : 0, .line = line};
	va_list args;

	va_start(args, format);
	problem.text = format_text(source, line, format, args);
	va_end(args);
	problems->errors++;
	add(problems, &problem);
}

void config_problem_warning(struct config_problems *problems, const struct config_source *source, unsigned line,
			    const char *format, ...)
{
	struct config_problem problem = {.order = source ? source->order : 0, .line = line, .warning = true};
	va_list args;

	va_start(args, format);
	problem.text = format_text(source, line, format, args);
	va_end(args);
	add(problems, &problem);
}

static int compare(const void *a, const void *b)
{
	const struct config_problem *one = a, *other = b;

	if (one->order != other->order)
		return one->order < other->order ? -1 : 1;
	if (one->line != other->line)
		return one->line < other->line ? -1 : 1;
	return (one->place > other->place) - (one->place < other->place);
}

void config_problems_sort(struct config_problems *problems)
{
	if (problems->count > 1)
		qsort(problems->list, problems->count, sizeof(*problems->list), compare);
}

void config_problems_print(const struct config_problems *problems, FILE *out)
{
	for (size_t i = 0; i < problems->count; i++)
		fprintf(out, "%s%s\n", problems->list[i].warning ? "warning: " : "", problems->list[i].text);
	if (problems->left_out)
		fprintf(out, "and %zu more\n", problems->left_out);
}
