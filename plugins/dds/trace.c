/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <dds/ddsrt/log.h>
#include <string.h>

/* Printable ASCII alone: parts of it come from the network. */
static void copy_text(char to[TRACE_LINE_SIZE], const char *text, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size && text[i] && n < TRACE_LINE_SIZE - 1; i++)
		if (text[i] != '\n')
			to[n++] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
	to[n] = 0;
}

static void on_log(void *arg, const dds_log_data_t *data)
{
	struct trace *trace = arg;

	if (!(data->priority & (DDS_LC_FATAL | DDS_LC_ERROR | DDS_LC_WARNING)))
		return;
	pthread_mutex_lock(&trace->lock);
	if (trace->n_lines < TRACE_LINES) {
		struct trace_line *line = &trace->lines[trace->n_lines++];

		line->level = data->priority & DDS_LC_WARNING ? TG_LOG_WARNING : TG_LOG_ERROR;
		copy_text(line->text, data->message, data->size);
	}
	pthread_mutex_unlock(&trace->lock);
	wake_ring(&trace->wake);
}

static void pass_on(void *arg)
{
	struct trace *trace = arg;

	pthread_mutex_lock(&trace->lock);
	for (size_t i = 0; i < trace->n_lines; i++)
		trace->host->log(trace->host, trace->lines[i].level, NULL, "library: %s", trace->lines[i].text);
	trace->n_lines = 0;
	pthread_mutex_unlock(&trace->lock);
}

int trace_init(struct trace *trace, const struct tg_host *host)
{
	trace->host = host;
	pthread_mutex_init(&trace->lock, NULL);
	return wake_init(&trace->wake, host, pass_on, trace);
}

void trace_begin(struct trace *trace)
{
	dds_set_log_sink(on_log, trace);
	dds_set_trace_sink(on_log, trace);
}

void trace_done(struct trace *trace)
{
	if (!trace->host)
		return;
	dds_set_log_sink(NULL, NULL);
	dds_set_trace_sink(NULL, NULL);
	pass_on(trace);
	wake_done(&trace->wake);
	pthread_mutex_destroy(&trace->lock);
}
