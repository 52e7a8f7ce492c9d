/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * The one way for a line to the operator. The program chooses the sink once at start: the journal or standard error
 * (log_to_system), or a function, such as an endpoint's wire to the core. Lines are lower case, without a full
 * stop, names in quotes, the cause in brackets; what a program might want to find stands in the fields. Any thread.
 */

#include <stdarg.h>
#include <stdint.h>

/* The numbers of syslog and of enum tg_log_level. */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

/* Any of them may be NULL. `event` is a stable id for the kind of line, 32 hex digits of the journal's MESSAGE_ID. */
struct log_fields {
	const char *endpoint;
	const char *device;
	const char *route;
	const char *message;
	const char *event;
};

typedef void log_sink_fn(void *arg, enum log_level level, const struct log_fields *fields, const char *text);

void log_set_sink(log_sink_fn *sink, void *arg);
void log_set_level(enum log_level highest);

void log_fields_write(enum log_level level, const struct log_fields *fields, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_fields_writev(enum log_level level, const struct log_fields *fields, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

#define log_error(...)   log_fields_write(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_warning(...) log_fields_write(LOG_LEVEL_WARNING, NULL, __VA_ARGS__)
#define log_notice(...)  log_fields_write(LOG_LEVEL_NOTICE, NULL, __VA_ARGS__)
#define log_info(...)    log_fields_write(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_debug(...)   log_fields_write(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__)

/* For lines that a device can cause: at most `burst` in each `span_us`; the first line of the next span is to name the
 * count of what was left out. Returns whether to log now. */
struct log_limit {
	int64_t span_us;
	unsigned burst;
	int64_t begin_us;
	unsigned used;
	unsigned left_out;
};

int log_limit_pass(struct log_limit *limit, int64_t now_us, unsigned *ret_left_out);

#endif
