/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_PACK_H
#define AMQP_PACK_H

/*
 * A delivery as an AMQP message: durable, with ttl; message-id is the gateway's id of the message, creation-time when it was taken in;
 * subject, content-type and, of a response, correlation-id; the payload as one section of data. Application properties:
 * device, path, time; of a response also outcome, code and command; "via", by which a gateway that receives as well knows its own.
 * Pure, but for the memory. For sink.c.
 */

#include <tidegate/message.h>

struct pack {
	struct pn_message_t *message; /* used again and again */
	char *buffer;
	size_t room;
};

/* Errors: -ENOMEM. */
int pack_init(struct pack *pack);
void pack_done(struct pack *pack);

/* `subject`: empty leaves the path as the subject. `via`: NULL for none. `*ret_bytes` lives until the next call.
 * Errors: -ENOMEM; -EINVAL: it cannot be encoded. */
int pack_delivery(struct pack *pack, const struct tg_delivery *delivery, uint32_t expiry_s, struct tg_bytes subject,
		  const char *via, struct tg_bytes *ret_bytes);

#endif
