/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "topic.h"

enum { BATCH = 32, AGAIN_US = 100000, SECOND_US = 1000000, TIDY_TRIES = 20, QUIET_NS = 12000000, QUIET_US = 50000 };
enum { FORMAT_JSON = 50, FORMAT_CBOR = 60 };

int source_init(struct source *source, const struct tg_host *host, const struct options *options, struct topics *topics,
		tg_call_fn *stopped, void *arg)
{
	int r;

	*source = (struct source){.host = host, .options = options, .topics = topics, .stopped = stopped, .arg = arg};
	TAILQ_INIT(&source->free);
	TAILQ_INIT(&source->again);
	out_init(&source->document, options->cbor ? OUT_CBOR : OUT_JSON, TG_PAYLOAD_MAX);
	out_init(&source->path, OUT_PATH, TG_PATH_MAX);
	source->slots = calloc(OPTIONS_WINDOW_MOST, sizeof(*source->slots));
	if (!source->slots)
		return -ENOMEM;
	for (size_t i = 0; i < OPTIONS_WINDOW_MOST; i++)
		TAILQ_INSERT_TAIL(&source->free, &source->slots[i], link);
	r = host->timer_new(host, source_pump, source, &source->timer);
	return r < 0 ? r : host->idle_new(host, source_pump, source, &source->turn);
}

void source_done(struct source *source)
{
	for (size_t i = 0; source->slots && i < OPTIONS_WINDOW_MOST; i++)
		if (source->slots[i].held)
			bridge_release(source->slots[i].held);
	free(source->slots);
	out_done(&source->document);
	out_done(&source->path);
	source->host->timer_free(source->timer);
	source->host->timer_free(source->turn);
}

static void tell_held(const struct source *source)
{
	source->host->gauge(source->host, COUNT_WAITING, (int64_t)source->n_held);
}

static void let_go(struct source *source, struct source_slot *slot)
{
	bridge_release(slot->held);
	slot->held = NULL;
	slot->topic->n_held--;
	source->n_held--;
	TAILQ_INSERT_HEAD(&source->free, slot, link);
}

/* Into its old place. */
static void keep(struct source *source, struct source_slot *slot)
{
	struct source_slot *before = TAILQ_LAST(&source->again, source_slots);

	while (before && before->number > slot->number)
		before = TAILQ_PREV(before, source_slots, link);
	if (before)
		TAILQ_INSERT_AFTER(&source->again, before, slot, link);
	else
		TAILQ_INSERT_HEAD(&source->again, slot, link);
	source->host->count(source->host, COUNT_AGAIN, 1);
}

/* The topic is the first segment, '/' and '%' in it encoded; the key's fields follow. */
static int make_path(struct source *source, const struct source_slot *slot, const struct sample *sample)
{
	struct out *path = &source->path;

	out_reset(path);
	out_text(path, slot->topic->name, strlen(slot->topic->name));
	if (path->error)
		return path->error;
	return source->options->key_path ? sample_show_key(slot->topic->type, sample, path) : 0;
}

static int hand_in(struct source *source, struct source_slot *slot)
{
	struct sample sample = {.state = slot->state, .has_data = slot->has_data, .time_ns = slot->time_ns};
	struct tg_submission submission = {
		.size = sizeof(submission),
		.kind = TG_TELEMETRY,
		.token = (uint64_t)(slot - source->slots) + 1,
		.content_format = source->options->cbor ? FORMAT_CBOR : FORMAT_JSON,
	};
	int r;

	sample.bytes = bridge_bytes(slot->held, &sample.size);
	r = sample_show(slot->topic->type, &sample, &source->document);
	if (r >= 0)
		r = make_path(source, slot, &sample);
	if (r < 0)
		return r == -ENOMEM ? -ENOBUFS : -EBADMSG;
	submission.path = (struct tg_bytes){source->path.data + 1, source->path.size - 1};
	submission.payload = (struct tg_bytes){source->document.data, source->document.size};
	r = source->host->submit(source->host, &submission);
	return r == -EMSGSIZE || r == -EINVAL ? -EBADMSG : r < 0 ? -ENOBUFS : 0;
}

/* Errors: -ENOBUFS: the gateway takes no more now; the slot is kept. */
static int offer(struct source *source, struct source_slot *slot)
{
	int r = hand_in(source, slot);

	if (r == -EBADMSG) {
		source->host->count(source->host, COUNT_MALFORMED, 1);
		source->host->log(source->host, TG_LOG_WARNING, NULL,
				  "topic \"%s\": a sample that cannot be read, or is too large, is dropped",
				  slot->topic->name);
		let_go(source, slot);
		return 0;
	}
	if (r < 0) {
		keep(source, slot);
		return r;
	}
	source->n_waiting++;
	return 0;
}

static int offer_again(struct source *source)
{
	struct source_slot *slot;
	int r = 0;

	while (r >= 0 && (slot = TAILQ_FIRST(&source->again))) {
		TAILQ_REMOVE(&source->again, slot, link);
		r = offer(source, slot);
	}
	return r;
}

static void fill(struct source *source, struct topic *topic, struct ddsi_serdata *held, const dds_sample_info_t *info)
{
	struct source_slot *slot = TAILQ_FIRST(&source->free);

	TAILQ_REMOVE(&source->free, slot, link);
	slot->number = ++source->numbers;
	slot->topic = topic;
	slot->held = held;
	slot->has_data = info->valid_data;
	slot->time_ns = info->source_timestamp;
	slot->state = info->instance_state == DDS_ALIVE_INSTANCE_STATE                ? SAMPLE_ALIVE
		      : info->instance_state == DDS_NOT_ALIVE_DISPOSED_INSTANCE_STATE ? SAMPLE_DISPOSED
										      : SAMPLE_NO_WRITERS;
	topic->n_held++;
	source->n_held++;
	source->host->count(source->host, COUNT_SAMPLES, 1);
}

/* Those alone that were disposed of and not unregistered go with the reader, which the next one does not have. */
static void count_keys(struct topic *topic, struct ddsi_serdata *const *held, const dds_sample_info_t *infos, int n,
		       bool full)
{
	keys_count(&topic->keys, held, infos, (size_t)n, full);
	if (topic->leaving || !keys_exceed(&topic->keys, (size_t)topic->topics->options->instances))
		return;
	if (keys_are_alive(&topic->keys))
		topic_flood(topic);
	else
		topic->leaving = true;
}

/* Takes and hands in some of the topic's; `*ret_more`: there may be others. Errors: -ENOBUFS. */
static int take_some(struct source *source, struct topic *topic, bool *ret_more)
{
	struct ddsi_serdata *held[BATCH];
	dds_sample_info_t infos[BATCH];
	size_t room = source->options->window - source->n_held;
	uint32_t most = room < BATCH ? (uint32_t)room : BATCH;
	int n = dds_takecdr(topic->reader, held, most, infos, DDS_ANY_STATE);
	struct source_slot *slots[BATCH];
	int r = 0;

	for (int i = 0; i < n; i++) {
		slots[i] = TAILQ_FIRST(&source->free);
		fill(source, topic, held[i], &infos[i]);
	}
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = offer(source, slots[i]);
		else
			keep(source, slots[i]);
	}
	*ret_more = n == (int)most;
	if (n > 0)
		count_keys(topic, held, infos, n, n == (int)most);
	return r;
}

/* One round over the topics that have something. Returns whether another is worth it. */
static bool take_round(struct source *source, int *ret_error)
{
	bool any = false, more;
	struct topic *topic;

	LIST_FOREACH(topic, &source->topics->list, link)
	{
		if (!topic->reader || !atomic_exchange(&topic->ready, false))
			continue;
		if (*ret_error < 0 || source->n_held >= source->options->window) {
			atomic_store(&topic->ready, true); /* a verdict comes back to it */
			continue;
		}
		*ret_error = take_some(source, topic, &more);
		if (more)
			atomic_store(&topic->ready, true);
		any = any || more;
	}
	return any && *ret_error >= 0 && source->n_held < source->options->window;
}

static void make_ready(const struct source *source)
{
	struct topic *topic;

	LIST_FOREACH(topic, &source->topics->list, link)
	atomic_store(&topic->ready, topic->reader != 0);
}

/* When all readers are empty. What is still on its way is waited for, and taken. */
static void tidy(struct source *source)
{
	uint64_t before;
	int quiet = 0, r = 0;

	topics_deaf(source->topics, true);
	for (int i = 0; i < TIDY_TRIES && quiet < 2 && r >= 0 && source->n_held < source->options->window; i++) {
		dds_sleepfor(QUIET_NS);
		before = source->numbers;
		make_ready(source);
		while (take_round(source, &r))
			;
		quiet = source->numbers == before ? quiet + 1 : 0;
	}
	if (quiet >= 2)
		topics_tidy(source->topics);
	topics_deaf(source->topics, false);
	make_ready(source);
	source->host->timer_set(source->timer, source->host->now_us(source->host) + AGAIN_US);
}

/* Calls back where all is done. */
static void check_end(struct source *source)
{
	int64_t now_us = source->host->now_us(source->host);

	if (source->n_waiting > 0 || (source->n_held > 0 && !source->refused))
		return;
	if (source->quiet_numbers != source->numbers) {
		source->quiet_numbers = source->numbers;
		source->quiet_since_us = now_us;
	}
	/* What has come to the library before may still be on its way into a reader. */
	if (now_us - source->quiet_since_us < QUIET_US && !source->refused) {
		source->host->timer_set(source->timer, source->quiet_since_us + QUIET_US);
		return;
	}
	source->ended = true;
	source->stopped(source->arg);
}

void source_pump(void *arg)
{
	struct source *source = arg;
	int64_t now_us = source->host->now_us(source->host);
	int r;

	if (source->ended)
		return;
	if (source->refused) {
		check_end(source);
		return;
	}
	if (source->resume_us > now_us) {
		source->topics->stalled = true;
		source->host->timer_set(source->timer, source->resume_us);
		return;
	}
	if (source->stopping)
		make_ready(source);
	r = offer_again(source);
	while (r >= 0 && take_round(source, &r))
		;
	if (!source->stopping && r >= 0 && source->n_held < source->options->window &&
	    topics_wants_tidying(source->topics))
		tidy(source);
	source->topics->stalled = r < 0 || source->n_held >= source->options->window;
	tell_held(source);
	/* Without a verdict to come nothing else would come back here. */
	if (r < 0)
		source->host->timer_set(source->timer, now_us + AGAIN_US);
	if (source->stopping)
		check_end(source);
}

static void refuse_for_good(struct source *source, const struct source_slot *slot, const struct tg_answer *answer)
{
	source->host->count(source->host, COUNT_REFUSED, 1);
	source->host->log(source->host, TG_LOG_WARNING, NULL, "topic \"%s\": a sample was refused for good (%.*s)",
			  slot->topic->name, (int)answer->reason.size,
			  answer->reason.size ? (const char *)answer->reason.data : "");
}

void source_verdict(struct source *source, uint64_t token, const struct tg_answer *answer)
{
	struct source_slot *slot = token >= 1 && token <= OPTIONS_WINDOW_MOST ? &source->slots[token - 1] : NULL;
	int64_t now_us = source->host->now_us(source->host), resume_us;

	if (!slot || !slot->held)
		return;
	source->n_waiting--;
	switch (answer->verdict) {
	case TG_UNAVAILABLE:
		source->refused = source->stopping;
		/* fall through */
	case TG_TOO_FAST:
	case TG_FULL:
		keep(source, slot);
		resume_us = now_us + (answer->max_age_s ? answer->max_age_s * (int64_t)SECOND_US : AGAIN_US);
		if (resume_us > source->resume_us)
			source->resume_us = resume_us;
		source->host->timer_set(source->timer, source->resume_us);
		break;
	case TG_ACCEPTED:
		source->host->count(source->host, COUNT_ACCEPTED, 1);
		let_go(source, slot);
		break;
	default:
		refuse_for_good(source, slot, answer);
		let_go(source, slot);
	}
	source->host->timer_set(source->turn, 1);
}

void source_renew(struct source *source)
{
	out_done(&source->document);
	out_init(&source->document, source->options->cbor ? OUT_CBOR : OUT_JSON, TG_PAYLOAD_MAX);
	source_pump(source);
}

void source_stop(struct source *source)
{
	topics_deaf(source->topics, true);
	source->stopping = true;
	source->resume_us = 0;
	source->quiet_numbers = source->numbers;
	source->quiet_since_us = source->host->now_us(source->host);
	source_pump(source);
}
