/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <dds/ddsrt/log.h>
#include <stdlib.h>
#include <string.h>

/* Lines that wait for the main thread; more are left out. */
enum { WAITING_MOST = 32, LINE_MOST = 400 };

struct line {
	struct trace *trace;
	enum tg_log_level level;
	char text[LINE_MOST];
};

static void on_line(void *arg)
{
	struct line *line = arg;

	atomic_fetch_sub(&line->trace->n_waiting, 1);
	line->trace->host->log(line->trace->host, line->level, NULL, "library: %s", line->text);
	free(line);
}

/* Printable ASCII alone: parts of it come from the network. */
static void copy_text(char to[LINE_MOST], const char *text, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size && text[i] && n < LINE_MOST - 1; i++)
		if (text[i] != '\n')
			to[n++] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
	to[n] = 0;
}

static void on_log(void *arg, const dds_log_data_t *data)
{
	struct trace *trace = arg;
	struct line *line;

	if (!(data->priority & (DDS_LC_FATAL | DDS_LC_ERROR | DDS_LC_WARNING)))
		return;
	if (atomic_fetch_add(&trace->n_waiting, 1) >= WAITING_MOST) {
		atomic_fetch_sub(&trace->n_waiting, 1);
		return;
	}
	line = calloc(1, sizeof(*line));
	if (line) {
		line->trace = trace;
		line->level = data->priority & DDS_LC_WARNING ? TG_LOG_WARNING : TG_LOG_ERROR;
		copy_text(line->text, data->message, data->size);
	}
	if (!line || trace->host->post(trace->host, on_line, line) < 0) {
		atomic_fetch_sub(&trace->n_waiting, 1);
		free(line);
	}
}

void trace_init(struct trace *trace, const struct tg_host *host)
{
	trace->host = host;
	atomic_init(&trace->n_waiting, 0);
}

void trace_begin(struct trace *trace)
{
	dds_set_log_sink(on_log, trace);
	dds_set_trace_sink(on_log, trace);
}

void trace_end(struct trace *trace)
{
	(void)trace;
	dds_set_log_sink(NULL, NULL);
	dds_set_trace_sink(NULL, NULL);
}
