/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_BRIDGE_H
#define DDS_BRIDGE_H

/*
 * What CycloneDDS has no stable interface for: the type objects of DDS XTypes 1.3 section 7.3.4 made into our own types, and
 * samples as serialized bytes. bridge_type.c and bridge_sample.c alone include headers of dds/ddsi/, which change between
 * releases; they build with 0.10.2 and 0.10.5.
 */

#include <dds/dds.h>

#include "type.h"

struct ddsi_domaingv;
struct ddsi_serdata;

/* Adds the complete type behind `info` to the set. What is not known yet is asked for on the network.
 * Blocks: no. Errors: -EAGAIN: the answers are not there yet; -ENOTSUP: a map, bitset, wide string or 128-bit number, a mutable
 * union; -EINVAL: contradicts itself; -E2BIG; -ENOMEM. After a failure the set holds what nobody needs. */
int bridge_type(dds_entity_t participant, const dds_typeinfo_t *info, struct type_set *set,
		const struct type **ret_type) __attribute__((warn_unused_result));

/* Whether both are of the same complete type. */
bool bridge_same_type(const dds_typeinfo_t *a, const dds_typeinfo_t *b);
/* Ownership: dds_free_typeinfo. NULL: no memory. */
dds_typeinfo_t *bridge_copy_info(const dds_typeinfo_t *info);

/* Of a sample from dds_takecdr: its bytes, header included, lent until bridge_release. */
const void *bridge_bytes(struct ddsi_serdata *sample, size_t *ret_size);
void bridge_release(struct ddsi_serdata *sample);

/* The library's own sample of its key for an instance that it still knows, of any sample of that. Ownership: bridge_release.
 * NULL: nothing holds the instance any more. */
struct ddsi_serdata *bridge_find_key(struct ddsi_domaingv *domain, struct ddsi_serdata *sample);
/* Whether that instance is still held. */
bool bridge_has_key(struct ddsi_domaingv *domain, struct ddsi_serdata *key);

/* The domain that a participant belongs to; lives as long as it does. A sample of its own among the built-in ones knows it.
 * NULL: the library has changed. */
struct ddsi_domaingv *bridge_domain(dds_entity_t participant);

enum bridge_act { BRIDGE_WRITE, BRIDGE_DISPOSE, BRIDGE_UNREGISTER, BRIDGE_WRITE_DISPOSE };

/* Writes serialized bytes: a sample, or with `key` a serialized key. `time_ns`: the source timestamp.
 * Errors: -EINVAL: not of the writer's type; -EAGAIN: no room; -EIO. */
int bridge_write(struct ddsi_domaingv *domain, dds_entity_t writer, enum bridge_act act, bool key, const void *bytes,
		 size_t size, int64_t time_ns) __attribute__((warn_unused_result));

#endif
