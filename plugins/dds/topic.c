/* SPDX-License-Identifier: Apache-2.0 */
#include "topic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge.h"

enum { REST_MIN_US = 1000000, REST_MAX_US = 300000000 };

int topic_new(struct topics *topics, const char *name, const char *type_name, struct topic **ret_topic)
{
	struct topic *topic = calloc(1, sizeof(*topic));

	if (!topic)
		return -ENOMEM;
	topic->topics = topics;
	topic->name = strdup(name);
	topic->type_name = strdup(type_name);
	type_set_init(&topic->set);
	atomic_init(&topic->ready, false);
	if (!topic->name || !topic->type_name) {
		topic_free(topic);
		return -ENOMEM;
	}
	*ret_topic = topic;
	return 0;
}

void topic_free(struct topic *topic)
{
	type_set_done(&topic->set);
	if (topic->info)
		dds_free_typeinfo(topic->info);
	free(topic->name);
	free(topic->type_name);
	free(topic);
}

static int tell(struct topic *topic, int error, const char *why, const char *cause)
{
	const struct tg_host *host = topic->topics->host;

	if (!topic->told) {
		host->count(host, COUNT_UNKNOWN_TYPES, 1);
		host->log(host, TG_LOG_WARNING, NULL, "topic \"%s\" of type %s: %s (%s)", topic->name, topic->type_name,
			  why, cause);
	}
	topic->told = true;
	return error;
}

/* The descriptor from the network, or from a library where the network or the library's own builder has none. */
static int find_descriptor(struct topic *topic, const dds_typeinfo_t *info, dds_topic_descriptor_t **ret_found,
			   const dds_topic_descriptor_t **ret_descriptor)
{
	const dds_topic_descriptor_t *own = library_find(topic->topics->library, topic->type_name);
	dds_return_t r = DDS_RETCODE_UNSUPPORTED;

	*ret_found = NULL;
	*ret_descriptor = own;
	if (own)
		return 0;
	if (!info)
		return tell(topic, -ENOENT, "its endpoints do not describe it, name a library in 'types'",
			    "no type information");
	/* A wait of nothing at all would ask nobody. */
	r = dds_create_topic_descriptor(DDS_FIND_SCOPE_GLOBAL, topic->topics->participant, info, 1, ret_found);
	if (r == DDS_RETCODE_TIMEOUT || r == DDS_RETCODE_PRECONDITION_NOT_MET)
		return -EAGAIN;
	if (r != DDS_RETCODE_OK)
		return tell(topic, -ENOTSUP, "cannot be made from its description, name a library in 'types'",
			    dds_strretcode(r));
	*ret_descriptor = *ret_found;
	return 0;
}

/* The complete type: from the topic itself, which has it from its descriptor. */
static int find_type(struct topic *topic, dds_entity_t entity)
{
	dds_typeinfo_t *info = NULL;
	int r = dds_get_typeinfo(entity, &info) == DDS_RETCODE_OK ? 0 : -ENOTSUP;

	if (r >= 0)
		r = bridge_type(topic->topics->participant, info, &topic->set, &topic->type);
	if (info)
		dds_free_typeinfo(info);
	if (r < 0) {
		type_set_done(&topic->set);
		topic->type = NULL;
	}
	if (r == -EAGAIN)
		return r;
	return r < 0 ? tell(topic, r, "is of a kind that cannot be made into JSON", strerror(-r)) : 0;
}

static const dds_typeinfo_t *info_of(dds_builtintopic_endpoint_t *endpoint)
{
	const dds_typeinfo_t *info = NULL;

	return dds_builtintopic_get_endpoint_type_info(endpoint, &info) == DDS_RETCODE_OK ? info : NULL;
}

bool topic_is_of_type(const struct topic *topic, dds_builtintopic_endpoint_t *endpoint)
{
	const dds_typeinfo_t *info = info_of(endpoint);

	return strcmp(topic->type_name, endpoint->type_name) == 0 &&
	       (!info || !topic->info || bridge_same_type(info, topic->info));
}

int topic_learn(struct topic *topic, dds_builtintopic_endpoint_t *endpoint)
{
	const dds_topic_descriptor_t *descriptor = NULL;
	dds_topic_descriptor_t *found = NULL;
	const dds_typeinfo_t *info = info_of(endpoint);
	dds_entity_t entity;
	int r;

	r = find_descriptor(topic, info, &found, &descriptor);
	if (r < 0)
		return r;
	entity = dds_create_topic(topic->topics->participant, descriptor, topic->name, NULL, NULL);
	if (found)
		dds_delete_topic_descriptor(found);
	if (entity < 0)
		return tell(topic, -EIO, "the library does not take it", dds_strretcode(entity));
	r = find_type(topic, entity);
	if (r < 0) {
		dds_delete(entity);
		return r;
	}
	topic->topic = entity;
	topic->info = info ? bridge_copy_info(info) : NULL;
	topic->version2 = type_set_needs_version2(&topic->set);
	return 0;
}

static void set_common(const struct topic *topic, dds_qos_t *qos)
{
	const struct options *o = topic->topics->options;
	const dds_data_representation_id_t both[] = {DDS_DATA_REPRESENTATION_XCDR1, DDS_DATA_REPRESENTATION_XCDR2};
	const char *partitions[OPTIONS_PARTITIONS_MOST];

	memcpy(partitions, o->partitions, sizeof(partitions));
	if (o->n_partitions)
		dds_qset_partition(qos, o->n_partitions, partitions);
	dds_qset_ignorelocal(qos, DDS_IGNORELOCAL_PARTICIPANT);
	if (topic->version2)
		dds_qset_data_representation(qos, 1, &both[1]);
	else
		dds_qset_data_representation(qos, 2, both);
}

/* What is asked for must not be more than what is offered, or nothing comes at all. */
static void set_offered(const struct options *o, const dds_qos_t *offered, dds_qos_t *qos)
{
	dds_reliability_kind_t reliability = DDS_RELIABILITY_BEST_EFFORT;
	dds_durability_kind_t durability = DDS_DURABILITY_VOLATILE;
	dds_ownership_kind_t ownership;

	dds_qget_reliability(offered, &reliability, NULL);
	dds_qget_durability(offered, &durability);
	if (o->reliability != OPTIONS_OFFERED)
		reliability = o->reliability == OPTIONS_MORE ? DDS_RELIABILITY_RELIABLE : DDS_RELIABILITY_BEST_EFFORT;
	if (durability > DDS_DURABILITY_TRANSIENT_LOCAL)
		durability = DDS_DURABILITY_TRANSIENT_LOCAL;
	if (o->durability != OPTIONS_OFFERED)
		durability = o->durability == OPTIONS_MORE ? DDS_DURABILITY_TRANSIENT_LOCAL : DDS_DURABILITY_VOLATILE;
	dds_qset_reliability(qos, reliability, 0);
	dds_qset_durability(qos, durability);
	if (dds_qget_ownership(offered, &ownership))
		dds_qset_ownership(qos, ownership);
}

static void on_data(dds_entity_t reader, void *arg)
{
	struct topic *topic = arg;

	(void)reader;
	atomic_store(&topic->ready, true);
	wake_ring(&topic->topics->data);
}

static void on_incompatible(dds_entity_t reader, const dds_requested_incompatible_qos_status_t status, void *arg)
{
	struct topic *topic = arg;

	(void)reader;
	(void)status;
	wake_ring(&topic->topics->discovery);
}

void topic_read(struct topic *topic, const dds_builtintopic_endpoint_t *endpoint)
{
	const struct options *o = topic->topics->options;
	const struct tg_host *host = topic->topics->host;
	dds_listener_t *listener = dds_create_listener(topic);
	dds_qos_t *qos = dds_create_qos();
	dds_entity_t reader;

	set_common(topic, qos);
	set_offered(o, endpoint->qos, qos);
	dds_qset_history(qos, DDS_HISTORY_KEEP_ALL, 0);
	dds_qset_resource_limits(qos, o->reader_samples, DDS_LENGTH_UNLIMITED, DDS_LENGTH_UNLIMITED);
	dds_lset_data_available(listener, on_data);
	dds_lset_requested_incompatible_qos(listener, on_incompatible);
	reader = dds_create_reader(topic->topics->participant, topic->topic, qos, listener);
	dds_delete_qos(qos);
	dds_delete_listener(listener);
	if (reader < 0) {
		tell(topic, -EIO, "no reader", dds_strretcode(reader));
		return;
	}
	topic->reader = reader;
	topic->reader_mark = o->reader_mark;
	keys_clear(&topic->keys, topic->topics->inner);
	topic->n_incompatible = 0;
	topic->topics->n_readers++;
	host->log(host, TG_LOG_INFO, NULL, "topic \"%s\" of type %s is taken in", topic->name, topic->type_name);
	on_data(reader, topic);
}

void topic_write(struct topic *topic)
{
	const struct options *o = topic->topics->options;
	const struct tg_host *host = topic->topics->host;
	const dds_data_representation_id_t representation =
		topic->version2 ? DDS_DATA_REPRESENTATION_XCDR2 : DDS_DATA_REPRESENTATION_XCDR1;
	dds_qos_t *qos = dds_create_qos();
	dds_entity_t writer;

	set_common(topic, qos);
	dds_qset_data_representation(qos, 1, &representation);
	dds_qset_reliability(qos, DDS_RELIABILITY_RELIABLE, 0);
	dds_qset_history(qos, DDS_HISTORY_KEEP_ALL, 0);
	dds_qset_writer_data_lifecycle(qos, false);
	if (o->keeps) {
		dds_qset_durability(qos, DDS_DURABILITY_TRANSIENT_LOCAL);
		dds_qset_durability_service(qos, 0, DDS_HISTORY_KEEP_LAST, o->write_depth, DDS_LENGTH_UNLIMITED,
					    DDS_LENGTH_UNLIMITED, DDS_LENGTH_UNLIMITED);
	}
	writer = dds_create_writer(topic->topics->participant, topic->topic, qos, NULL);
	dds_delete_qos(qos);
	if (writer < 0) {
		tell(topic, -EIO, "no writer", dds_strretcode(writer));
		return;
	}
	topic->writer = writer;
	topic->writer_mark = o->writer_mark;
	host->log(host, TG_LOG_INFO, NULL, "topic \"%s\" of type %s is written to", topic->name, topic->type_name);
}

void topic_unread(struct topic *topic)
{
	keys_clear(&topic->keys, NULL);
	if (topic->reader) {
		dds_delete(topic->reader);
		topic->topics->n_readers--;
	}
	topic->reader = 0;
	topic->leaving = false;
}

void topic_unwrite(struct topic *topic)
{
	if (topic->writer)
		dds_delete(topic->writer);
	topic->writer = 0;
	topic->rewrites = false;
}

void topic_flood(struct topic *topic)
{
	const struct tg_host *host = topic->topics->host;

	if (topic->leaving)
		return;
	topic->leaving = true;
	topic->rest_us = topic->rest_us ? topic->rest_us * 2 : REST_MIN_US;
	if (topic->rest_us > REST_MAX_US)
		topic->rest_us = REST_MAX_US;
	topic->rests_until_us = host->now_us(host) + topic->rest_us;
	host->log(host, TG_LOG_WARNING, NULL,
		  "topic \"%s\" has more than %d keys (setting 'instances'): its reader begins anew in %lld s",
		  topic->name, topic->topics->options->instances, (long long)(topic->rest_us / 1000000));
}
