/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_PLAN_H
#define COAP_CLIENT_PLAN_H

/* The settings, read and checked: which devices there are, what is asked of each, and how. Made at the beginning and anew at each
 * reload. */

#include <tidegate/adapter.h>

#include "oscore_file.h"
#include "stack.h"
#include "texts.h"

extern const struct tg_setting plan_rows[];

struct plan_limits {
	struct stack_timing timing;
	int64_t answer_us;
	int64_t handshake_us;
	int64_t backoff_min_us;
	int64_t backoff_max_us;
	size_t body_bytes;
	uint32_t fallback_poll_s;
	uint32_t discover_s;
	uint32_t discover_poll_s;
	uint32_t discover_most;
	bool revalidate;
};

struct plan {
	struct texts_device *devices;
	size_t n_devices;
	struct texts_resource *resources; /* a period of 0: observed */
	size_t n_resources;
	struct plan_limits limits;
	char *psk_identity;
	struct oscore_file oscore; /* secrets */
	bool no_oscore;            /* there are contexts, and this libcoap cannot do it */
};

/* Reads the settings of the host. Logs everything that is wrong with them. Ownership: plan_free. Errors: -EINVAL, -ENOMEM. */
int plan_read(const struct tg_host *host, struct plan **ret_plan);
void plan_free(struct plan *plan);

const struct texts_device *plan_device(const struct plan *plan, const char *name);

/* Its OSCORE context; NULL: none. */
const struct oscore_section *plan_protection(const struct plan *plan, const struct texts_device *device);

/* plan_oscore.c: the file of contexts. Returns the number of things that are wrong with it, logged. */
unsigned plan_oscore_read(const struct tg_host *host, struct plan *plan);
/* Whether each is of a device that it can be used for. */
unsigned plan_oscore_check(const struct tg_host *host, const struct plan *plan);

/* Whether the resources of this device are to be discovered. */
bool plan_discovers(const struct tg_host *host, const char *name);

#endif
