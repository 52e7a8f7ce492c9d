/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_TOPIC_H
#define DDS_TOPIC_H

/* One topic (topics.h): its type, its reader and its writer. For topics.c. */

#include "topics.h"

/* Errors: -ENOMEM. */
int topic_new(struct topics *topics, const char *name, const char *type_name, struct topic **ret_topic)
	__attribute__((warn_unused_result));
void topic_free(struct topic *topic);

/* Learns the type from an endpoint that offers or wants the topic, else from a library of the settings. Errors: -EAGAIN: the
 * answers from the network are not there yet; others for good, the operator was told. */
int topic_learn(struct topic *topic, dds_builtintopic_endpoint_t *endpoint) __attribute__((warn_unused_result));

/* Whether the endpoint's type is the one that was learnt, as far as it describes it. */
bool topic_is_of_type(const struct topic *topic, dds_builtintopic_endpoint_t *endpoint);

/* Both need the type. What fails was told to the operator. */
void topic_read(struct topic *topic, const dds_builtintopic_endpoint_t *endpoint);
void topic_write(struct topic *topic);

/* Now: see topics_tidy. Nothing that was written is waited for. */
void topic_unread(struct topic *topic);
void topic_unwrite(struct topic *topic);
/* Its reader has more keys than it may have: that one is to end, and the next one has to wait. */
void topic_flood(struct topic *topic);

#endif
