/* SPDX-License-Identifier: Apache-2.0 */

/* How readers, writers and topics end, and how the domain is left. */

#include "bridge.h"
#include "topic.h"

enum { DISCARDED = 64, LEAVE_TRIES = 10000, QUIET_NS = 12000000 };

void topics_renew(struct topics *topics)
{
	struct topic *topic;

	LIST_FOREACH(topic, &topics->list, link)
	{
		topic->told = topic->told_other = false;
		topic->failed_until_us = topic->rest_us = topic->rests_until_us = 0;
		topic->leaving = topic->reader && topic->reader_mark != topics->options->reader_mark;
		topic->rewrites = topic->writer && topic->writer_mark != topics->options->writer_mark;
	}
	topics->full_told = topics->endpoints_told = false;
	wake_ring(&topics->discovery);
	wake_ring(&topics->data);
}

static bool is_untidy(const struct topic *topic)
{
	return topic->leaving || topic->rewrites || (topic->ends && topic->n_held == 0 && topic->n_unconfirmed == 0);
}

bool topics_wants_tidying(const struct topics *topics)
{
	const struct topic *topic;

	LIST_FOREACH(topic, &topics->list, link)
	if (is_untidy(topic))
		return true;
	return false;
}

void topics_deaf(const struct topics *topics, bool deaf)
{
	dds_domain_set_deafmute(topics->participant, deaf, false, DDS_INFINITY);
}

static void drop(struct topic *topic)
{
	struct topics *topics = topic->topics;

	topic_unread(topic);
	topic_unwrite(topic);
	if (topic->topic > 0)
		dds_delete(topic->topic);
	LIST_REMOVE(topic, link);
	topic_free(topic);
	topics->n--;
	topics->full_told = false;
	topics->host->gauge(topics->host, COUNT_TOPICS, (int64_t)topics->n);
}

void topics_tidy(struct topics *topics)
{
	for (struct topic *topic = LIST_FIRST(&topics->list), *next; topic; topic = next) {
		next = LIST_NEXT(topic, link);
		if (!is_untidy(topic))
			continue;
		if (topic->leaving)
			topic_unread(topic);
		if (topic->rewrites) {
			topic_unwrite(topic);
			topic_write(topic);
		}
		if (topic->ends && topic->n_held == 0 && topic->n_unconfirmed == 0)
			drop(topic);
	}
	wake_ring(&topics->discovery);
}

/* Returns whether there was anything. */
static bool discard(const struct topics *topics)
{
	struct ddsi_serdata *held[DISCARDED];
	dds_sample_info_t infos[DISCARDED];
	const struct topic *topic;
	bool any = false;
	int n;

	LIST_FOREACH(topic, &topics->list, link)
	{
		n = topic->reader ? dds_takecdr(topic->reader, held, DISCARDED, infos, DDS_ANY_STATE) : 0;
		for (int i = 0; i < n; i++)
			bridge_release(held[i]);
		any = any || n > 0;
	}
	return any;
}

void topics_leave(struct topics *topics)
{
	struct topic *topic;
	int quiet = 0;

	if (topics->participant > 0) {
		topics_deaf(topics, true);
		for (int i = 0; i < LEAVE_TRIES && quiet < 2; i++) {
			quiet = discard(topics) ? 0 : quiet + 1;
			dds_sleepfor(quiet ? QUIET_NS : 0);
		}
	}
	LIST_FOREACH(topic, &topics->list, link)
	keys_clear(&topic->keys, NULL);
	if (topics->domain > 0)
		dds_delete(topics->domain);
	topics->domain = topics->participant = 0;
	topics->host->timer_set(topics->retry, 0);
}
