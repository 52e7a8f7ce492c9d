/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_ARRIVAL_H
#define MQTT_ARRIVAL_H

/* One message from the broker, copied, in the form in which it is handed in: the path is the topic, with '%' as %25; the method
 * comes from the user property `method`, the content format from Content Type. Pure; for incoming.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

struct codec_publish;

struct arrival {
	size_t size; /* of everything. Units: bytes */
	int64_t came_us;
	bool expires;
	struct tg_submission submission; /* points behind itself; token and expiry_s are set when it is handed in */
};

/* Ownership: arrival_free. Errors: -ENOMEM; -EMSGSIZE or -EINVAL: it can never be handed in, `ret_refusal` (static) says why. */
int arrival_new(const struct codec_publish *publish, int64_t now_us, struct arrival **ret_arrival,
		const char **ret_refusal);
void arrival_free(struct arrival *arrival); /* accepts NULL */

/* What is left of its expiry; 0: none was given; -1: it is over. Units: seconds. */
int64_t arrival_expiry_left(const struct arrival *arrival, int64_t now_us);

bool arrival_same_topic(const struct arrival *a, const struct arrival *b);

/* Tells messages apart that came with the same packet id: over all that a repetition leaves as it was. */
uint64_t arrival_digest(const struct codec_publish *publish);

#endif
