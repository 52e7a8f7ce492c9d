/* SPDX-License-Identifier: Apache-2.0 */
#include "topics.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge.h"
#include "topic.h"

/* Endpoints looked at; retries of what is asked for on the network. */
enum { ENDPOINTS_MOST = 4096, RETRY_MIN_US = 50000, RETRY_MAX_US = 5000000, FAILED_US = 10000000 };

static void topics_scan(void *arg);

int topics_init(struct topics *topics, const struct tg_host *host, const struct options *options,
		const struct library *library, tg_call_fn *on_data, void *arg)
{
	int r;

	*topics = (struct topics){.host = host, .options = options, .library = library};
	LIST_INIT(&topics->list);
	r = wake_init(&topics->discovery, host, topics_scan, topics);
	if (r >= 0)
		r = wake_init(&topics->data, host, on_data, arg);
	return r < 0 ? r : host->timer_new(host, topics_scan, topics, &topics->retry);
}

void topics_done(struct topics *topics)
{
	struct topic *topic;

	while ((topic = LIST_FIRST(&topics->list))) {
		LIST_REMOVE(topic, link);
		topic_free(topic);
	}
	wake_done(&topics->discovery);
	wake_done(&topics->data);
	topics->host->timer_free(topics->retry);
}

static void on_found(dds_entity_t reader, void *arg)
{
	(void)reader;
	wake_ring(arg);
}

static int fail(const struct topics *topics, const char *what, dds_return_t r)
{
	topics->host->log(topics->host, TG_LOG_ERROR, NULL, "domain %u: no %s (%s)", topics->options->domain, what,
			  dds_strretcode(r));
	return -EIO;
}

static int make_participant(struct topics *topics, const struct security *security)
{
	dds_qos_t *qos = dds_create_qos();

	security_apply(security, qos);
	topics->participant = dds_create_participant(topics->options->domain, qos, NULL);
	dds_delete_qos(qos);
	if (topics->participant < 0)
		return fail(topics, "participant", topics->participant);
	topics->inner = bridge_domain(topics->participant);
	if (!topics->inner || dds_get_guid(topics->participant, &topics->own) != DDS_RETCODE_OK)
		return fail(topics, "insight", DDS_RETCODE_ERROR);
	return 0;
}

int topics_start(struct topics *topics, const struct security *security)
{
	static const dds_entity_t builtin[] = {DDS_BUILTIN_TOPIC_DCPSPUBLICATION, DDS_BUILTIN_TOPIC_DCPSSUBSCRIPTION};
	char *config = options_config(topics->options);
	dds_listener_t *listener;
	int r;

	if (!config)
		return -ENOMEM;
	topics->domain = dds_create_domain(topics->options->domain, config);
	free(config);
	if (topics->domain < 0)
		return fail(topics, "domain", topics->domain);
	r = make_participant(topics, security);
	if (r < 0)
		return r;
	listener = dds_create_listener(&topics->discovery);
	dds_lset_data_available(listener, on_found);
	for (size_t i = 0; i < 2 && r >= 0; i++) {
		topics->found[i] = dds_create_reader(topics->participant, builtin[i], NULL, listener);
		if (topics->found[i] < 0)
			r = fail(topics, "discovery", topics->found[i]);
	}
	dds_delete_listener(listener);
	wake_ring(&topics->discovery);
	return r;
}

static struct topic *find(const struct topics *topics, const char *name)
{
	struct topic *topic;

	LIST_FOREACH(topic, &topics->list, link)
	if (strcmp(topic->name, name) == 0)
		return topic;
	return NULL;
}

static struct topic *add(struct topics *topics, const char *name, const char *type_name)
{
	struct topic *topic;

	if (topics->n >= topics->options->topics_most) {
		topics->crowded = true;
		if (!topics->full_told)
			topics->host->log(topics->host, TG_LOG_WARNING, NULL,
					  "topic \"%s\" is left out: there are %zu already (setting 'topics_most')",
					  name, topics->n);
		topics->full_told = true;
		return NULL;
	}
	if (topic_new(topics, name, type_name, &topic) < 0)
		return NULL;
	LIST_INSERT_HEAD(&topics->list, topic, link);
	topics->n++;
	topics->host->gauge(topics->host, COUNT_TOPICS, (int64_t)topics->n);
	return topic;
}

struct topic *topics_ask(struct topics *topics, const char *name)
{
	struct topic *topic = find(topics, name);

	if (!topic)
		topic = add(topics, name, "");
	if (!topic) { /* the next scan makes room, if it can */
		topics->short_of = true;
		wake_ring(&topics->discovery);
	}
	if (topic && !topic->asked) {
		topic->asked = true;
		wake_ring(&topics->discovery);
	}
	return topic;
}

size_t topics_readers(const struct topic *topic, dds_instance_handle_t ret_readers[OPTIONS_READERS_MOST])
{
	dds_return_t n = dds_get_matched_subscriptions(topic->writer, ret_readers, OPTIONS_READERS_MOST);

	return n < 0 ? 0 : n > OPTIONS_READERS_MOST ? OPTIONS_READERS_MOST : (size_t)n;
}

/* Whether one of our partitions is one of these; none at all is the default one, which has the empty name. */
static bool shares_partition(const struct options *o, const dds_qos_t *qos)
{
	uint32_t n = 0;
	char **names = NULL;
	bool shares = false;

	dds_qget_partition(qos, &n, &names);
	for (uint32_t i = 0; i < (n ? n : 1) && !shares; i++)
		for (uint32_t k = 0; k < (o->n_partitions ? o->n_partitions : 1) && !shares; k++) {
			const char *theirs = n ? names[i] : "", *ours = o->n_partitions ? o->partitions[k] : "";

			shares = fnmatch(ours, theirs, FNM_NOESCAPE) == 0 || fnmatch(theirs, ours, FNM_NOESCAPE) == 0;
		}
	for (uint32_t i = 0; i < n; i++)
		dds_free(names[i]);
	dds_free(names);
	return shares;
}

static void compare_type(struct topic *topic, const dds_builtintopic_endpoint_t *endpoint)
{
	const struct tg_host *host = topic->topics->host;

	if (topic->told_other || strcmp(topic->type_name, endpoint->type_name) == 0)
		return;
	/* With nobody of its own type left it is learnt anew. */
	if (topic->seen + 1 < topic->topics->scans)
		return;
	topic->told_other = true;
	host->count(host, COUNT_INCOMPATIBLE, 1);
	host->log(host, TG_LOG_WARNING, NULL, "topic \"%s\" is of type %s: what is of type %s there is left out",
		  topic->name, topic->type_name, endpoint->type_name);
}

static void check_compatible(struct topic *topic)
{
	const struct tg_host *host = topic->topics->host;
	dds_requested_incompatible_qos_status_t status = {0};

	if (!topic->reader || dds_get_requested_incompatible_qos_status(topic->reader, &status) != DDS_RETCODE_OK ||
	    status.total_count == topic->n_incompatible)
		return;
	host->count(host, COUNT_INCOMPATIBLE, status.total_count - topic->n_incompatible);
	topic->n_incompatible = status.total_count;
	host->log(host, TG_LOG_WARNING, NULL,
		  "topic \"%s\": a writer offers less than is asked for, and is left out (policy %u: 11 is "
		  "reliability, 2 durability)",
		  topic->name, status.last_policy_id);
}

/* Whether a time has not come yet; if so, there will be another scan then. */
static bool is_later(struct topics *topics, int64_t at_us)
{
	if (at_us <= topics->host->now_us(topics->host))
		return false;
	if (!topics->later_us || at_us < topics->later_us)
		topics->later_us = at_us;
	return true;
}

/* Returns -EAGAIN where the type is to be waited for. */
static int consider(struct topics *topics, dds_builtintopic_endpoint_t *endpoint, bool writes)
{
	bool taken = writes && options_takes(topics->options, endpoint->topic_name);
	struct topic *topic = find(topics, endpoint->topic_name);
	int r = 0;

	if (!taken && (!topic || !topic->asked))
		return 0;
	if (!shares_partition(topics->options, endpoint->qos))
		return 0;
	if (!topic)
		topic = add(topics, endpoint->topic_name, endpoint->type_name);
	if (!topic)
		return 0;
	if (!topic->type || topic_is_of_type(topic, endpoint))
		topic->seen = topics->scans;
	else
		topic->seen_other = topics->scans;
	if (!topic->type && strcmp(topic->type_name, endpoint->type_name) != 0) {
		char *name = strdup(endpoint->type_name);

		free(name ? topic->type_name : NULL);
		topic->type_name = name ? name : topic->type_name;
	}
	if (!topic->type && !is_later(topics, topic->failed_until_us))
		r = topic_learn(topic, endpoint);
	if (r < 0 && r != -EAGAIN)
		topic->failed_until_us = topics->host->now_us(topics->host) + FAILED_US;
	if (r < 0 || !topic->type)
		return r;
	compare_type(topic, endpoint);
	if (taken && !topic->reader && !is_later(topics, topic->rests_until_us))
		topic_read(topic, endpoint);
	if (topic->asked && !topic->writer)
		topic_write(topic);
	return 0;
}

/* The library keeps an endpoint that has gone for as long as nobody takes it, and would show it before those that are there. */
static void forget_gone(dds_entity_t reader, void **samples, dds_sample_info_t *infos)
{
	const uint32_t gone = DDS_NOT_ALIVE_DISPOSED_INSTANCE_STATE | DDS_NOT_ALIVE_NO_WRITERS_INSTANCE_STATE;
	int n;

	do {
		n = dds_take_mask(reader, samples, infos, ENDPOINTS_MOST, ENDPOINTS_MOST,
				  DDS_ANY_SAMPLE_STATE | DDS_ANY_VIEW_STATE | gone);
		if (n > 0)
			dds_return_loan(reader, samples, n);
		samples[0] = NULL;
	} while (n == ENDPOINTS_MOST);
}

static int scan(struct topics *topics, dds_entity_t reader, bool writes)
{
	dds_sample_info_t *infos = calloc(ENDPOINTS_MOST, sizeof(*infos));
	void **samples = calloc(ENDPOINTS_MOST, sizeof(*samples));
	int n = 0, again = 0;

	if (infos && samples) {
		forget_gone(reader, samples, infos);
		n = dds_read(reader, samples, infos, ENDPOINTS_MOST, ENDPOINTS_MOST);
	}
	for (int i = 0; i < n; i++) {
		dds_builtintopic_endpoint_t *endpoint = samples[i];

		if (!infos[i].valid_data || infos[i].instance_state != DDS_ALIVE_INSTANCE_STATE ||
		    memcmp(&endpoint->participant_key, &topics->own, sizeof(topics->own)) == 0 ||
		    strlen(endpoint->topic_name) > TG_PATH_MAX)
			continue;
		if (consider(topics, endpoint, writes) == -EAGAIN)
			again = -EAGAIN;
	}
	if (n == ENDPOINTS_MOST && !topics->endpoints_told)
		topics->host->log(topics->host, TG_LOG_WARNING, NULL,
				  "there are more than %d endpoints on the domain: the others are not looked at", n);
	topics->endpoints_told = topics->endpoints_told || n == ENDPOINTS_MOST;
	if (n > 0)
		dds_return_loan(reader, samples, n);
	free(samples);
	free(infos);
	return again;
}

/* A topic that nobody has is in the way of those that are left out; one that is there with another type alone is learnt anew. */
static bool is_dispensable(const struct topics *topics, const struct topic *topic)
{
	bool wanted = topic->asked || options_takes(topics->options, topic->name);
	bool seen = topic->seen == topics->scans, seen_other = topic->seen_other == topics->scans;

	return !wanted || (topics->crowded && !seen) || (topic->type && !seen && seen_other);
}

static void sweep(struct topics *topics)
{
	struct topic *topic;

	LIST_FOREACH(topic, &topics->list, link)
	topic->ends = is_dispensable(topics, topic);
	if (topics_wants_tidying(topics))
		wake_ring(&topics->data);
}

static void set_retry(struct topics *topics, bool waits)
{
	int64_t now_us = topics->host->now_us(topics->host), at_us = topics->later_us;

	topics->retry_after_us = !waits ? 0 : topics->retry_after_us ? topics->retry_after_us * 2 : RETRY_MIN_US;
	if (topics->retry_after_us > RETRY_MAX_US)
		topics->retry_after_us = RETRY_MAX_US;
	if (waits && (!at_us || now_us + topics->retry_after_us < at_us))
		at_us = now_us + topics->retry_after_us;
	topics->host->timer_set(topics->retry, at_us);
}

static void topics_scan(void *arg)
{
	struct topics *topics = arg;
	struct topic *topic;
	bool waits;

	if (topics->domain <= 0)
		return;
	topics->scans++;
	topics->crowded = topics->short_of;
	topics->short_of = false;
	topics->later_us = 0;
	waits = scan(topics, topics->found[0], true) == -EAGAIN;
	waits = scan(topics, topics->found[1], false) == -EAGAIN || waits;
	LIST_FOREACH(topic, &topics->list, link)
	check_compatible(topic);
	sweep(topics);
	set_retry(topics, waits);
}
