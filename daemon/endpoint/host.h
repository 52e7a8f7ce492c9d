/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENDPOINT_HOST_H
#define ENDPOINT_HOST_H

/*
 * The host services of one adapter (struct tg_host): between the adapter's calls and the frames of the core stand the tables of
 * what is under way, so that neither side's numbers ever reach the other.
 *
 * "Joined" is the time between STARTED and the end of a link. While not joined, submissions are kept and look-ups fail. At the
 * end of a link all tickets are void and all look-ups are answered as not known; the next host_joined sends again what waits
 * for a verdict, with its old id and in its old order, then the state of the adapter's link and its counters.
 */

#include <tidegate/adapter.h>

#include "base/loop.h"
#include "endpoint/settings.h"
#include "wire/frame.h"

enum {
	HOST_PENDING_MAX = 8192,
	HOST_PENDING_BYTES = 16 * 1024 * 1024,
	HOST_TICKETS_MAX = 32768,
	HOST_LOOKUPS_MAX = 4096,
	HOST_READS_MAX = 16384,
	HOST_LISTS_MAX = 1024,
	HOST_KEEPS_MAX = 4096
};

/* Where the host's frames go. `send`: as link_send. `stopped`: the adapter has finished. */
struct host_sink {
	int (*send)(void *arg, const struct frame *frame);
	void (*stopped)(void *arg);
	void *arg;
};

struct host;

/* Ownership: name and sink's arg must live as long. */
int host_new(struct loop *loop, const char *endpoint, uint32_t worker, const struct host_sink *sink,
	     struct host **ret_host) WARN_UNUSED;
void host_free(struct host *host);

/* What the adapter is given. */
const struct tg_host *host_services(struct host *host);

/* The adapter, lent, before its open; its state, after. */
int host_set_adapter(struct host *host, const struct tg_adapter *adapter) WARN_UNUSED;
void host_set_state(struct host *host, void *state);

/* The policy of this name is in force. Errors: -ENOENT. */
int host_set_crypto(struct host *host, struct tg_bytes policy) WARN_UNUSED;
/* Keys that came before the adapter was there. */
void host_give_tickets(struct host *host);

/* Errors: -ENOMEM. */
int host_set_names(struct host *host, struct tg_bytes gateway, struct tg_bytes site) WARN_UNUSED;
/* Swaps the settings. Ownership: both ways; returns those that were in use. */
struct settings *host_swap_settings(struct host *host, struct settings *settings);
struct settings *host_get_settings(struct host *host);

void host_joined(struct host *host);
void host_parted(struct host *host);
/* No delivery is given to the adapter any more: each is answered with TG_RETRY. */
void host_stopping(struct host *host);

/* CLOCK and TICKETS, at any time: taken over, or kept for later. Errors: -EPROTO: no frame of these; -EBADMSG. */
int host_frame_early(struct host *host, const struct frame *frame) WARN_UNUSED;
/* VERDICT, DELIVER, IDENTITY, READING, LISTED, DEVICE and NOTICE. Errors: -EPROTO: nothing that this adapter or this time asks for. */
int host_frame(struct host *host, const struct frame *frame) WARN_UNUSED;

/* Sends the counters that have changed. */
void host_send_counters(struct host *host);

#endif
