/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

enum { POLL_MIN_US = 500, POLL_MAX_US = 20000, FORMAT_CBOR = 60 };

static void on_poll(void *arg);

int sink_init(struct sink *sink, const struct tg_host *host, const struct options *options, struct topics *topics,
	      tg_call_fn *stopped, void *arg)
{
	*sink = (struct sink){.host = host, .options = options, .topics = topics, .stopped = stopped, .arg = arg};
	TAILQ_INIT(&sink->written);
	return host->timer_new(host, on_poll, sink, &sink->timer);
}

void sink_done(struct sink *sink)
{
	struct sink_written *written;

	while ((written = TAILQ_FIRST(&sink->written))) {
		TAILQ_REMOVE(&sink->written, written, link);
		free(written);
	}
	sink->host->timer_free(sink->timer);
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* The first segment of an address, decoded. What follows says nothing that the sample does not. */
static int topic_name(struct tg_bytes address, char ret_name[TG_PATH_MAX + 1])
{
	const char *at = address.data, *end = at + address.size;
	size_t n = 0;

	if (at < end && *at == '/')
		at++;
	for (; at < end && *at != '/'; at++) {
		char c = *at;

		if (c == '%' && end - at > 2 && hex(at[1]) >= 0 && hex(at[2]) >= 0) {
			c = (char)(hex(at[1]) << 4 | hex(at[2]));
			at += 2;
		}
		if (n >= TG_PATH_MAX || (unsigned char)c < 0x20)
			return -EINVAL;
		ret_name[n++] = c;
	}
	ret_name[n] = 0;
	return n ? 0 : -EINVAL;
}

static int reject(struct sink *sink, const struct tg_delivery *delivery, const char *reason)
{
	sink->host->count(sink->host, COUNT_REJECTED, 1);
	sink->host->delivered(sink->host, delivery->ticket, TG_REJECTED, reason);
	return 0;
}

/* The gateway gives it again, with growing pauses. */
static int later(struct sink *sink, const struct tg_delivery *delivery, const char *name, const char *why)
{
	if (!sink->waiting_told)
		sink->host->log(sink->host, TG_LOG_NOTICE, NULL, "topic \"%s\": %s, what is for it waits", name, why);
	sink->waiting_told = true;
	sink->host->delivered(sink->host, delivery->ticket, TG_RETRY, NULL);
	return 0;
}

static int write_order(struct topic *topic, const struct sample_order *order)
{
	static const enum bridge_act with_data[] = {BRIDGE_WRITE, BRIDGE_WRITE_DISPOSE, BRIDGE_WRITE};
	static const enum bridge_act alone[] = {BRIDGE_WRITE, BRIDGE_DISPOSE, BRIDGE_UNREGISTER};
	int64_t time_ns = order->time_ns < 0 ? dds_time() : order->time_ns;
	struct ddsi_domaingv *inner = topic->topics->inner;
	int r = 0;

	if (order->has_data)
		r = bridge_write(inner, topic->writer, with_data[order->state], false, order->data.data,
				 order->data.size, time_ns);
	if (r >= 0 && (!order->has_data || order->state == SAMPLE_NO_WRITERS))
		r = bridge_write(inner, topic->writer, alone[order->state], true, order->key.data, order->key.size,
				 time_ns);
	return r;
}

static void note_written(struct sink *sink, struct sink_written *written, struct topic *topic, uint64_t ticket)
{
	written->ticket = ticket;
	written->topic = topic;
	written->since_us = sink->host->now_us(sink->host);
	TAILQ_INSERT_TAIL(&sink->written, written, link);
	topic->n_unconfirmed++;
	sink->n_written++;
	sink->waiting_told = false;
	sink->host->count(sink->host, COUNT_WRITTEN, 1);
	sink->poll_us = POLL_MIN_US;
	sink->host->timer_set(sink->timer, written->since_us + POLL_MIN_US);
}

static int write_one(struct sink *sink, struct topic *topic, const struct tg_delivery *delivery)
{
	struct sink_written *written = calloc(1, sizeof(*written));
	struct encode_reason reason = {""};
	struct sample_order order;
	int r;

	if (!written)
		return -EAGAIN;
	r = sample_read(topic->type, topic->version2 ? 2 : 1, delivery->content_format == FORMAT_CBOR,
			delivery->payload, &order, &reason);
	if (r >= 0)
		r = write_order(topic, &order);
	sample_order_done(&order);
	if (r >= 0) {
		note_written(sink, written, topic, delivery->ticket);
		return 0;
	}
	free(written);
	if (r == -EAGAIN || r == -ENOMEM)
		return -EAGAIN;
	return reject(sink, delivery,
		      reason.text[0] ? reason.text
		      : r == -E2BIG  ? "is too large"
		      : r == -EIO    ? "the library does not write it"
				     : "does not fit the type");
}

static bool knows_reader(const struct topic *topic, dds_instance_handle_t reader)
{
	for (size_t i = 0; i < topic->n_readers; i++)
		if (topic->readers[i] == reader)
			return true;
	return false;
}

/* Those that the next sample goes to join those of the samples before it. Returns whether there is room for them: where there is
 * not, some have gone, and what is unconfirmed is answered soon. */
static bool note_readers(struct topic *topic, const dds_instance_handle_t *readers, size_t n)
{
	if (!topic->n_unconfirmed)
		topic->n_readers = 0;
	for (size_t i = 0; i < n; i++) {
		if (knows_reader(topic, readers[i]))
			continue;
		if (topic->n_readers == OPTIONS_READERS_MOST)
			return false;
		topic->readers[topic->n_readers++] = readers[i];
	}
	return true;
}

int sink_deliver(struct sink *sink, const struct tg_delivery *delivery)
{
	char name[TG_PATH_MAX + 1];
	dds_instance_handle_t readers[OPTIONS_READERS_MOST];
	struct topic *topic;
	size_t n;

	if (sink->stopping || sink->n_written >= sink->options->write_window)
		return -EAGAIN;
	if (topic_name(delivery->address, name) < 0)
		return reject(sink, delivery, "the address names no topic");
	topic = topics_ask(sink->topics, name);
	if (!topic)
		return later(sink, delivery, name, "there are too many topics");
	if (topic->rewrites)
		return later(sink, delivery, name, "its writer is made anew");
	if (!topic->writer)
		return later(sink, delivery, name, "nobody on the domain has said what type it is of");
	n = topics_readers(topic, readers);
	if (n < sink->options->readers)
		return later(sink, delivery, name, "nobody reads it");
	if (!note_readers(topic, readers, n))
		return -EAGAIN;
	return write_one(sink, topic, delivery);
}

/* All that was written to the topic so far has this result. */
static void answer(struct sink *sink, struct topic *topic, enum tg_delivery_result result)
{
	struct sink_written *written, *next;

	for (written = TAILQ_FIRST(&sink->written); written; written = next) {
		next = TAILQ_NEXT(written, link);
		if (written->topic != topic)
			continue;
		TAILQ_REMOVE(&sink->written, written, link);
		sink->n_written--;
		topic->n_unconfirmed--;
		sink->host->count(sink->host, result == TG_CONFIRMED ? COUNT_CONFIRMED : COUNT_WRITTEN_AGAIN, 1);
		sink->host->delivered(sink->host, written->ticket, result, NULL);
		free(written);
	}
}

static struct sink_written *oldest(const struct sink *sink, const struct topic *topic)
{
	struct sink_written *written;

	TAILQ_FOREACH(written, &sink->written, link)
	if (written->topic == topic)
		return written;
	return NULL;
}

/* Whether all that read the topic when its unconfirmed samples were written still do. Asked behind the acknowledgements: those
 * of a reader that goes are not waited for any more, but only when it is no longer among these. */
static bool all_there(const struct topic *topic)
{
	dds_instance_handle_t readers[OPTIONS_READERS_MOST];
	size_t n = topics_readers(topic, readers);

	for (size_t i = 0; i < topic->n_readers; i++) {
		size_t k = 0;

		while (k < n && readers[k] != topic->readers[i])
			k++;
		if (k == n)
			return false;
	}
	return true;
}

static void look(struct sink *sink, struct topic *topic)
{
	struct sink_written *first = oldest(sink, topic);
	int64_t now_us = sink->host->now_us(sink->host);
	bool acknowledged;

	if (!first)
		return;
	acknowledged = dds_wait_for_acks(topic->writer, 0) == DDS_RETCODE_OK;
	if (!all_there(topic)) {
		answer(sink, topic, TG_RETRY);
		return;
	}
	if (acknowledged) {
		answer(sink, topic, TG_CONFIRMED);
		return;
	}
	if (sink->topics->stalled) /* it is we who do not hear them */
		first->since_us = now_us;
	if (now_us - first->since_us < sink->options->confirm_timeout_us)
		return;
	sink->host->log(sink->host, TG_LOG_WARNING, NULL,
			"topic \"%s\": its readers acknowledge nothing, what is unconfirmed is written again",
			topic->name);
	answer(sink, topic, TG_RETRY);
}

static void on_poll(void *arg)
{
	struct sink *sink = arg;
	struct topic *topic, *next;
	size_t before = sink->n_written;

	for (topic = LIST_FIRST(&sink->topics->list); topic; topic = next) {
		next = LIST_NEXT(topic, link);
		if (topic->n_unconfirmed)
			look(sink, topic);
	}
	if (sink->n_written) {
		sink->poll_us = sink->n_written < before ? POLL_MIN_US : sink->poll_us * 2;
		if (sink->poll_us > POLL_MAX_US)
			sink->poll_us = POLL_MAX_US;
		sink->host->timer_set(sink->timer, sink->host->now_us(sink->host) + sink->poll_us);
	} else if (sink->stopping) {
		sink->stopped(sink->arg);
	}
}

void sink_renew(struct sink *sink)
{
	struct topic *topic;

	LIST_FOREACH(topic, &sink->topics->list, link)
	if (topic->writer && topic->writer_mark != sink->options->writer_mark)
		answer(sink, topic, TG_RETRY);
	sink->waiting_told = false;
}

void sink_stop(struct sink *sink)
{
	sink->stopping = true;
	if (!sink->n_written)
		sink->stopped(sink->arg);
}
