/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdio.h>

static struct {
	log_sink_fn *sink;
	void *arg;
	enum log_level highest;
} the_log = {.highest = LOG_LEVEL_INFO};

void log_set_sink(log_sink_fn *sink, void *arg)
{
	the_log.sink = sink;
	the_log.arg = arg;
}

void log_set_level(enum log_level highest)
{
	the_log.highest = highest;
}

void log_fields_writev(enum log_level level, const struct log_fields *fields, const char *format, va_list args)
{
	static const struct log_fields none;
	char text[1024];

	if (level > the_log.highest)
		return;
	vsnprintf(text, sizeof(text), format, args);
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?'; /* nothing that a peer chose may start a new line */
	}
	if (the_log.sink)
		the_log.sink(the_log.arg, level, fields ? fields : &none, text);
	else
		fprintf(stderr, "%s\n", text);
}

void log_fields_write(enum log_level level, const struct log_fields *fields, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_fields_writev(level, fields, format, args);
	va_end(args);
}

int log_limit_pass(struct log_limit *limit, int64_t now_us, unsigned *ret_left_out)
{
	if (limit->begin_us == 0 || now_us - limit->begin_us >= limit->span_us) {
		limit->begin_us = now_us;
		limit->used = 0;
	}
	if (limit->used >= limit->burst) {
		limit->left_out++;
		return 0;
	}
	limit->used++;
	*ret_left_out = limit->left_out;
	limit->left_out = 0;
	return 1;
}
