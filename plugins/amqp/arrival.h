/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_ARRIVAL_H
#define AMQP_ARRIVAL_H

/*
 * One message from a source, copied, in the form in which it is handed in: the path by address.h, the content format by the
 * content-type, the method from the application property "method", the expiry from ttl or absolute-expiry-time. What goes back
 * with the outcome of a command is the correlation-id, or, as is the custom, the message-id where there is none: the correlation holds
 * it with its type in front. Pure; for source.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

struct arrival {
	int64_t came_us;
	size_t size; /* of everything. Units: bytes */
	bool expires;
	bool own;                        /* bears the mark of what this gateway has sent */
	struct tg_submission submission; /* points behind itself; token and expiry_s are set when it is handed in */
};

struct arrival_place {
	struct tg_bytes address; /* of the source */
	const char *via;         /* this gateway's mark; NULL: none */
	int64_t now_us;
	int64_t now_wall_us;
};

/* Ownership: arrival_free. Errors: -ENOMEM; others: it can never be handed in, `ret_refusal` (static) says why. */
int arrival_new(struct tg_bytes bytes, const struct arrival_place *place, struct arrival **ret_arrival,
		const char **ret_refusal);
void arrival_free(struct arrival *arrival); /* accepts NULL */

/* What is left of its expiry; 0: none was given; -1: it is over. Units: seconds. */
int64_t arrival_expiry_left(const struct arrival *arrival, int64_t now_us);

bool arrival_same_path(const struct arrival *a, const struct arrival *b);

#endif
