/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_CLIENT_PLAN_H
#define HYPERCAT_CLIENT_PLAN_H

/* The settings, read and checked, and the rules that come from them: what may be asked, and what of a catalogue is taken. Made at the
 * beginning and anew at each reload. */

#include <sys/socket.h>
#include <tidegate/adapter.h>

#include "catalogue.h"
#include "href.h"

extern const struct tg_setting plan_rows[];

struct plan_limits {
	int64_t harvest_us;
	int64_t poll_us;
	int64_t timeout_us;
	int64_t retry_min_us;
	int64_t retry_max_us;
	unsigned jitter; /* percent */
	size_t catalogue_bytes;
	size_t body_bytes;
	unsigned depth;
	size_t catalogues;
	size_t items;
	size_t items_of_host;
	unsigned concurrency;
	unsigned concurrency_of_host;
};

/* An entry of `hosts`: any port where that is 0. */
struct plan_host {
	char *name;
	uint16_t port;
};

/* An entry of `take` or `leave`. */
struct plan_pair {
	char *rel;
	char *val;
};

struct plan {
	const struct tg_host *host;
	struct plan_limits limits;
	struct href *roots;
	size_t n_roots;
	struct plan_host *hosts;
	size_t n_hosts;
	struct plan_pair *take;
	size_t n_take;
	struct plan_pair *leave;
	size_t n_leave;
	bool host_in_path;
	bool repeat_unchanged;
};

/* Reads the settings of the host. Logs everything that is wrong with them. Ownership: plan_free. Errors: -EINVAL, -ENOMEM. */
int plan_read(const struct tg_host *host, struct plan **ret_plan);
void plan_free(struct plan *plan); /* accepts NULL */

/* Whether the place is that of a catalogue of the settings (its host and port), and so may see the token. */
bool plan_is_root_place(const struct plan *plan, const struct href *href);
/* Whether it may be asked: it is such a place, or `hosts` names it. */
bool plan_allows_place(const struct plan *plan, const struct href *href);
/* Why an address that a name has led to is not connected to; NULL: it may be. In static storage. */
const char *plan_address_objection(const struct plan *plan, const struct sockaddr *address, socklen_t size);

/* Whether `take`, `leave` and `content_types` let an item pass. */
bool plan_wants_item(const struct plan *plan, const struct catalogue_item *item);
/* Whether `content_types` lets this one pass; parameters count for nothing. */
bool plan_wants_type(const struct plan *plan, const char *type);
/* Whether a route takes messages at this path. */
bool plan_wants_path(const struct plan *plan, const char *path);

#endif
