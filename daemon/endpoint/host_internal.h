/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENDPOINT_HOST_INTERNAL_H
#define ENDPOINT_HOST_INTERNAL_H

/* Shared by the two halves of the host: host.c has the plain services, exchange.c what goes to the core and back. */

#include <tidegate/adapter.h>

#include "base/uuid.h"
#include "endpoint/clean.h"
#include "endpoint/host.h"
#include "endpoint/pending.h"
#include "endpoint/slots.h"

struct host {
	struct tg_host services; /* first: the adapter's pointer is ours */
	struct loop *loop;
	const char *endpoint;
	uint32_t worker;
	struct host_sink sink;
	const struct tg_adapter *adapter;
	void *state;
	struct settings *settings;
	char *gateway;
	char *site;
	const struct tg_crypto *crypto;
	int64_t clock_wall_us; /* the core's time of day at clock_at_us; 0: not told yet */
	int64_t clock_at_us;
	struct tg_ticket_key ticket_keys[FRAME_TICKETS_MAX];
	size_t ticket_keys_count;
	bool joined;
	bool stopping;

	/* exchange.c */
	struct uuid_maker ids;
	struct pending pending;
	struct slots tickets;   /* value: the core's ticket */
	uint32_t refused_round; /* what is still to come of it is refused; 0: none */
	struct slots lookups;   /* value: the adapter's token */
	struct slots reads;     /* the same */
	struct slots lists;     /* the same */
	struct slots keeps;     /* the same */
	enum tg_link link;
	struct clean_text link_detail;

	/* host.c */
	int64_t *counters;
	bool *changed;
	unsigned n_counters;
	bool any_changed;
	struct loop_timer *counter_timer;
	struct log_limit log_limit;
};

static inline struct host *host_of(const struct tg_host *services)
{
	return (struct host *)(uintptr_t)services;
}

int exchange_submit(const struct tg_host *services, const struct tg_submission *submission);
void exchange_delivered(const struct tg_host *services, uint64_t ticket, enum tg_delivery_result result,
			const char *reason);
void exchange_link(const struct tg_host *services, enum tg_link state, const char *detail);
int exchange_lookup(const struct tg_host *services, enum tg_proof proof, struct tg_bytes identity, uint64_t token);
void exchange_session_begun(const struct tg_host *services, uint64_t handle, const struct tg_session *session);
void exchange_session_ended(const struct tg_host *services, uint64_t handle);

/* exchange_device.c: what a device says to commands, and what it may read. */
void exchange_answered(const struct tg_host *services, uint64_t ticket, const struct tg_response *response);
void exchange_awake(const struct tg_host *services, struct tg_bytes device);
int exchange_read(const struct tg_host *services, struct tg_bytes reader, struct tg_bytes device, struct tg_bytes path,
		  bool observe, uint64_t token, uint64_t *ret_number);
void exchange_read_end(const struct tg_host *services, uint64_t number);
int exchange_on_reading(struct host *host, const struct frame_reading *reading) WARN_UNUSED;
int exchange_list(const struct tg_host *services, struct tg_bytes reader, enum tg_list what, uint64_t after,
		  struct tg_bytes behind, uint64_t token);
int exchange_on_listed(struct host *host, const struct frame_listed *listed) WARN_UNUSED;
/* The core is gone: all are answered with TG_UNAVAILABLE. */
void exchange_forget_reads(struct host *host);

/* exchange_note.c: what the core keeps for the adapter. */
int exchange_keep(const struct tg_host *services, struct tg_bytes name, struct tg_bytes value, uint64_t token);
void exchange_on_kept(struct host *host, const struct frame_kept *kept);
void exchange_on_note(struct host *host, const struct frame_note *note);
void exchange_on_noted(struct host *host, const struct frame_noted *noted);
/* The core is gone: all are answered with -ENOTCONN. */
void exchange_forget_keeps(struct host *host);

void exchange_init(struct host *host);
void exchange_done(struct host *host);

#endif
