/* SPDX-License-Identifier: Apache-2.0 */

/* Session-ticket keys: from the registry's file to the endpoints' processes, and anew in time. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/core_inside.h"

_Static_assert((size_t)TICKETS_MAX <= (size_t)FRAME_TICKETS_MAX, "a frame holds them all");
_Static_assert((size_t)TICKETS_PACKED_MAX <= (size_t)DEVICES_KEPT_MAX, "and the registry keeps them");

#define LOOK_US (30 * CLOCK_S_US)

/* The adapter's row; an adapter without it makes no tickets. */
static int find_lifetime(void *arg, const char *name, uint32_t index, const char *value, bool file)
{
	int64_t *lifetime_us = arg;

	(void)index;
	(void)file;
	if (strcmp(name, "ticket_lifetime_s") == 0)
		*lifetime_us = strtoll(value, NULL, 10) * CLOCK_S_US;
	return 0;
}

static void text_of(const struct endpoint *endpoint, char ret_name[FRAME_NAME_MAX + 16])
{
	snprintf(ret_name, FRAME_NAME_MAX + 16, "tickets %s", endpoint->name);
}

/* Without them every device makes a full handshake once, which is no reason to stop. */
static void save(struct endpoint *endpoint)
{
	uint8_t packed[TICKETS_PACKED_MAX];
	char name[FRAME_NAME_MAX + 16];
	int r;

	text_of(endpoint, name);
	r = devices_keep(endpoint->core->devices, name, bytes_of(packed, tickets_pack(&endpoint->tickets, packed)));
	explicit_bzero(packed, sizeof(packed));
	endpoint->tickets_kept = r >= 0;
	if (r < 0 && r != -ENOKEY)
		log_fields_write(
			LOG_LEVEL_WARNING, &(struct log_fields){.endpoint = endpoint->name},
			"the keys of session tickets could not be kept (%s): after a restart every device needs a "
			"full handshake",
			strerror(-r));
}

/* Those of before the restart. Sealed under another key they are of no use to anybody. */
static void load(struct endpoint *endpoint)
{
	uint8_t packed[DEVICES_KEPT_MAX];
	char name[FRAME_NAME_MAX + 16];
	int r;

	if (endpoint->tickets_loaded)
		return;
	endpoint->tickets_loaded = true;
	text_of(endpoint, name);
	r = devices_kept(endpoint->core->devices, name, packed);
	if (r >= 0)
		r = tickets_unpack(bytes_of(packed, (size_t)r), &endpoint->tickets);
	endpoint->tickets_kept = r >= 0;
	explicit_bzero(packed, sizeof(packed));
	if (r < 0 && r != -ENOENT && r != -ENOKEY)
		log_fields_write(LOG_LEVEL_INFO, &(struct log_fields){.endpoint = endpoint->name},
				 "new keys for session tickets: those that were kept cannot be read (%s)",
				 strerror(-r));
}

static bool turn(struct endpoint *endpoint)
{
	int64_t lifetime_us = 0;
	int r = config_each_setting(endpoint->config, find_lifetime, &lifetime_us);

	load(endpoint);
	if (r >= 0)
		r = tickets_turn(&endpoint->tickets, lifetime_us, core_now_wall_us(endpoint->core));
	if (r < 0)
		log_fields_write(LOG_LEVEL_ERROR, &(struct log_fields){.endpoint = endpoint->name},
				 "no new key for session tickets (%s)", strerror(-r));
	if (r > 0)
		save(endpoint);
	return r > 0;
}

static int send_keys(struct endpoint *endpoint, struct instance *instance)
{
	const struct tickets *tickets = &endpoint->tickets;
	const struct frame frame = {
		.type = FRAME_TICKETS,
		.tickets = {.keys = bytes_of(tickets->keys, tickets->count * sizeof(tickets->keys[0]))}};

	return tickets->count > 0 ? instance_send(instance, &frame) : 0;
}

int core_tickets_send(struct endpoint *endpoint, struct instance *instance)
{
	turn(endpoint);
	return send_keys(endpoint, instance);
}

static int send_one(void *arg, struct instance *instance)
{
	struct endpoint *endpoint = arg;

	if (strcmp(instance_endpoint(instance), endpoint->name) != 0 || !instance_is_configured(instance) ||
	    send_keys(endpoint, instance) >= 0)
		return 0;
	supervisor_kill(instance, "could not be given new keys for session tickets");
	return 1;
}

void core_tickets_tick(struct core *core)
{
	int64_t now_us = loop_now_us(core->loop);

	if (now_us < core->tickets_at_us)
		return;
	core->tickets_at_us = now_us + LOOK_US;
	for (struct endpoint *e = core->endpoints; e; e = e->next) {
		if (e->removed || !e->config->enabled)
			continue;
		if (turn(e))
			supervisor_each(core->supervisor, send_one, e);
		else if (e->tickets.count > 0 && !e->tickets_kept && !devices_is_locked(core->devices))
			save(e);
	}
}

void core_tickets_save(struct core *core)
{
	for (struct endpoint *e = core->endpoints; e; e = e->next) {
		if (e->tickets.count > 0)
			save(e);
	}
}
