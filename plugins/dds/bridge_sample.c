/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge.h"

#include <dds/ddsi/ddsi_domaingv.h>
#include <dds/ddsi/ddsi_entity.h>
#include <dds/ddsi/q_hbcontrol.h>
#include <dds/ddsi/q_lat_estim.h>
/* what these need stands above: they do not include it */
#include <dds/ddsi/ddsi_deliver_locally.h>
#include <dds/ddsi/ddsi_endpoint.h>
#include <dds/ddsi/ddsi_entity_index.h>
#include <dds/ddsi/ddsi_serdata.h>
#include <dds/ddsi/ddsi_tkmap.h>
#include <dds/ddsi/q_bswap.h>
#include <dds/ddsi/q_protocol.h>
#include <dds/ddsi/q_thread.h>
#include <errno.h>
#include <string.h>

const void *bridge_bytes(struct ddsi_serdata *sample, size_t *ret_size)
{
	size_t size = ddsi_serdata_size(sample);
	ddsrt_iovec_t bytes = {.iov_len = 0};
	struct ddsi_serdata *held = ddsi_serdata_to_ser_ref(sample, 0, size, &bytes);

	/* The one reference that stays is that of dds_takecdr. */
	ddsi_serdata_to_ser_unref(held, &bytes);
	*ret_size = size;
	return bytes.iov_base;
}

void bridge_release(struct ddsi_serdata *sample)
{
	ddsi_serdata_unref(sample);
}

struct ddsi_serdata *bridge_find_key(struct ddsi_domaingv *domain, struct ddsi_serdata *sample)
{
	struct thread_state *thread = lookup_thread_state();
	struct ddsi_tkmap_instance *instance;
	struct ddsi_serdata *key = NULL;

	thread_state_awake(thread, domain);
	instance = ddsi_tkmap_find(domain->m_tkmap, sample, false);
	if (instance) {
		key = ddsi_serdata_ref(instance->m_sample);
		ddsi_tkmap_instance_unref(domain->m_tkmap, instance);
	}
	thread_state_asleep(thread);
	return key;
}

bool bridge_has_key(struct ddsi_domaingv *domain, struct ddsi_serdata *key)
{
	struct ddsi_serdata *found = bridge_find_key(domain, key);

	if (found)
		bridge_release(found);
	return found == key; /* another one: it has come anew */
}

struct ddsi_domaingv *bridge_domain(dds_entity_t participant)
{
	dds_entity_t reader = dds_create_reader(participant, DDS_BUILTIN_TOPIC_DCPSPARTICIPANT, NULL, NULL);
	struct ddsi_domaingv *domain = NULL;
	struct ddsi_serdata *sample = NULL;
	dds_sample_info_t info;

	if (reader < 0)
		return NULL;
	if (dds_readcdr(reader, &sample, 1, &info, DDS_ANY_STATE) > 0) {
		domain = ddsrt_atomic_ldvoidp(&sample->type->gv);
		ddsi_serdata_unref(sample);
	}
	dds_delete(reader);
	return domain;
}

/* The serialized bytes as a sample of the writer's type, or NULL where they are not. */
static struct ddsi_serdata *make(struct ddsi_domaingv *domain, dds_entity_t writer, bool key, const void *bytes,
				 size_t size)
{
	struct thread_state *thread = lookup_thread_state();
	struct ddsi_serdata *sample = NULL;
	const struct ddsi_writer *inner;
	ddsi_guid_t guid;
	dds_guid_t wire;
	ddsrt_iovec_t vector;

	if (dds_get_guid(writer, &wire) != DDS_RETCODE_OK)
		return NULL;
	memcpy(&guid, &wire, sizeof(guid));
	guid = nn_ntoh_guid(guid);
	memset(&vector, 0, sizeof(vector));
	memcpy(&vector.iov_base, &bytes, sizeof(bytes)); /* not const there, but not written to */
	vector.iov_len = (ddsrt_iov_len_t)size;
	thread_state_awake(thread, domain);
	inner = entidx_lookup_writer_guid(domain->entity_index, &guid);
	if (inner)
		sample = ddsi_serdata_from_ser_iov(inner->type, key ? SDK_KEY : SDK_DATA, 1, &vector, size);
	thread_state_asleep(thread);
	return sample;
}

int bridge_write(struct ddsi_domaingv *domain, dds_entity_t writer, enum bridge_act act, bool key, const void *bytes,
		 size_t size, int64_t time_ns)
{
	static const uint32_t status[] = {
		[BRIDGE_WRITE] = 0,
		[BRIDGE_DISPOSE] = NN_STATUSINFO_DISPOSE,
		[BRIDGE_UNREGISTER] = NN_STATUSINFO_UNREGISTER,
		[BRIDGE_WRITE_DISPOSE] = NN_STATUSINFO_DISPOSE,
	};
	struct ddsi_serdata *sample = make(domain, writer, key, bytes, size);
	dds_return_t r;

	if (!sample)
		return -EINVAL;
	sample->statusinfo = status[act];
	sample->timestamp.v = time_ns;
	r = dds_forwardcdr(writer, sample); /* takes the reference */
	return r == DDS_RETCODE_OK ? 0 : r == DDS_RETCODE_TIMEOUT ? -EAGAIN : -EIO;
}
