/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A participant in a DDS domain: takes the samples of topics whose types it learns on the wire, and writes samples.
 *
 *	options.c, rows.c   the settings
 *	security.c          DDS Security; library.c: types from shared objects; both are loaded before the sandbox is shut
 *	topics.c, topic.c   who is on the domain, and what is known of each topic; wake.c: from the library's threads to ours
 *	source.c, sink.c    samples in, samples out; sample.c: a sample as a message; keys.c: how many keys a reader holds
 *	type.c, decode.c, encode.c, cdr.c, out.c   types and bytes: pure, know nothing of the library
 *	bridge_*.c          what the library has no stable interface for
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink.h"
#include "source.h"
#include "trace.h"

struct dds {
	const struct tg_host *host;
	struct options options;
	struct security security;
	struct library library;
	struct topics topics;
	struct source source;
	struct sink sink;
	struct trace trace;
};

static void on_source_stopped(void *arg)
{
	struct dds *dds = arg;

	dds->host->stopped(dds->host);
}

/* The source comes last: until then it takes what the readers go on acknowledging. */
static void on_sink_stopped(void *arg)
{
	struct dds *dds = arg;

	source_stop(&dds->source);
}

static void on_data(void *arg)
{
	struct dds *dds = arg;

	source_pump(&dds->source);
}

/* Also of what is half-built: what open has not come to is zero. */
static void dds_close(void *state)
{
	struct dds *dds = state;

	if (dds->source.host)
		source_done(&dds->source);
	if (dds->topics.host)
		topics_leave(&dds->topics);
	trace_done(&dds->trace);
	if (dds->sink.host)
		sink_done(&dds->sink);
	if (dds->topics.host)
		topics_done(&dds->topics);
	library_done(&dds->library);
	security_forget(&dds->security);
	free(dds);
}

static int prepare(struct dds *dds)
{
	const struct tg_host *host = dds->host;
	int r = trace_init(&dds->trace, host);

	if (r >= 0)
		r = topics_init(&dds->topics, host, &dds->options, &dds->library, on_data, dds);
	if (r >= 0)
		r = source_init(&dds->source, host, &dds->options, &dds->topics, on_source_stopped, dds);
	if (r >= 0)
		r = sink_init(&dds->sink, host, &dds->options, &dds->topics, on_sink_stopped, dds);
	if (r < 0)
		host->log(host, TG_LOG_ERROR, NULL, "cannot prepare (%s)", strerror(-r));
	return r;
}

static int dds_open(const struct tg_host *host, void **ret_state)
{
	struct dds *dds = calloc(1, sizeof(*dds));
	int r;

	if (!dds)
		return -ENOMEM;
	dds->host = host;
	r = options_read(host, &dds->options);
	if (r >= 0)
		r = security_open(host, dds->options.insecure, &dds->security);
	if (r >= 0)
		r = library_open(host, &dds->library);
	if (r >= 0)
		r = prepare(dds);
	if (r < 0) {
		dds_close(dds);
		return r;
	}
	*ret_state = dds;
	return 0;
}

static void tell_link(const struct dds *dds)
{
	char text[160];

	snprintf(text, sizeof(text), "domain %u on %s%s", dds->options.domain,
		 dds->host->setting_item(dds->host, "interfaces", 0),
		 dds->options.insecure ? ", INSECURE: without DDS Security" : ", DDS Security");
	dds->host->link(dds->host, TG_LINK_UP, text);
}

static int dds_start(void *state)
{
	struct dds *dds = state;
	int r;

	if (dds->options.insecure)
		dds->host->log(dds->host, TG_LOG_WARNING, NULL,
			       "insecure = true: anybody on the network can read and forge the samples of domain %u",
			       dds->options.domain);
	trace_begin(&dds->trace);
	r = topics_start(&dds->topics, &dds->security);
	security_forget(&dds->security);
	if (r >= 0)
		tell_link(dds);
	return r;
}

static int dds_deliver(void *state, const struct tg_delivery *delivery)
{
	struct dds *dds = state;

	return sink_deliver(&dds->sink, delivery);
}

static void dds_verdict(void *state, uint64_t token, const struct tg_answer *answer)
{
	struct dds *dds = state;

	source_verdict(&dds->source, token, answer);
}

/* The domain is not left. */
static int dds_reload(void *state)
{
	struct dds *dds = state;
	struct options options;
	int r = options_read(dds->host, &options);

	if (r < 0)
		return r;
	dds->options = options;
	sink_renew(&dds->sink);
	topics_renew(&dds->topics);
	source_renew(&dds->source);
	return 0;
}

static void dds_stop(void *state)
{
	struct dds *dds = state;

	sink_stop(&dds->sink);
}

const struct tg_adapter tidegate_adapter = {
	.major = TG_ADAPTER_MAJOR,
	.minor = TG_ADAPTER_MINOR,
	.size = sizeof(struct tg_adapter),
	.roles = TG_SOURCE | TG_SINK,
	.needs = TG_NEED_CONNECT | TG_NEED_THREADS,
	.name = "dds",
	.version = "1",
	.summary = "reads and writes the topics of a DDS domain, whose types it learns on the wire",
	.reserved = "*?",
	.settings = options_rows,
	.counters = counters_names,
	.open = dds_open,
	.start = dds_start,
	.deliver = dds_deliver,
	.verdict = dds_verdict,
	.reload = dds_reload,
	.stop = dds_stop,
	.close = dds_close,
};
