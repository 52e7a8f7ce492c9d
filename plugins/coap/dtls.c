/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls.h"

#include <errno.h>
#include <malloc.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "dtls_context.h"
#include "dtls_session.h"
#include "dtls_verify.h"

/* So many sessions end in one turn of the loop; others have their turn between. */
enum { DTLS_DUE_AT_ONCE = 256 };

static const struct dtls_context_calls dtls_calls = {
	.psk = dtls_callback_psk,
	.cookie_make = dtls_callback_cookie_make,
	.cookie_check = dtls_callback_cookie_check,
};

void dtls_report(struct dtls *dtls, const struct dtls_peer *peer, enum dtls_end why, const char *detail)
{
	union dtls_address address;

	(void)dtls_peer_address(peer, dtls_socket_family(dtls->socket), &address);
	dtls->events->failed(dtls->arg, &address.any, why, detail);
}

static struct dtls_session *dtls_session_at(struct dtls *dtls, enum dtls_place place, const struct dtls_peer *peer)
{
	struct dtls_entry *entry = dtls_table_find(dtls->table, place, peer);

	return entry ? dtls_session_of(entry) : NULL;
}

/* A datagram can be for the session at this address or for the handshake that is to replace it. An unprotected one is for the
 * handshake; of a protected one only the keys tell, and the older session is asked first, so that nothing disturbs it. */
static void dtls_receive(void *arg, const struct dtls_datagram *datagram)
{
	struct dtls *dtls = arg;
	struct dtls_session *half_open;
	struct dtls_record first;

	if (dtls_record_next(datagram->bytes, &first) == 0) {
		dtls_report(dtls, &datagram->peer, DTLS_END_REASONS, "not dtls");
		return;
	}
	if (dtls_record_is_hello(datagram->bytes)) {
		dtls_listen(dtls, datagram);
		return;
	}
	struct dtls_session *live = dtls_session_at(dtls, DTLS_PLACE_ESTABLISHED, &datagram->peer);
	if (live && first.epoch > 0 && dtls_session_feed(live, datagram->bytes))
		return;
	half_open = dtls_session_at(dtls, DTLS_PLACE_HALF_OPEN, &datagram->peer);
	if (half_open)
		dtls_handshake_feed(half_open, datagram->bytes);
	else if (live && first.epoch == 0)
		(void)dtls_session_feed(live, datagram->bytes);
	else if (!live)
		dtls_report(dtls, &datagram->peer, DTLS_END_REASONS, "no session");
}

void dtls_session_arm(struct dtls *dtls)
{
	const struct dtls_timer *first = dtls_timers_first(&dtls->timers);

	/* Earlier than needed is fine: it is looked at and set again. */
	if (!first || (dtls->timer_at_us != 0 && dtls->timer_at_us <= first->at_us))
		return;
	dtls->timer_at_us = first->at_us;
	dtls->host->timer_set(dtls->timer, first->at_us);
}

static void dtls_session_due(struct dtls_session *session)
{
	struct dtls *dtls = session->dtls;
	int64_t idle_at_us = session->heard_us + dtls->limits.idle_us;

	if (session->state == DTLS_HALF_OPEN)
		dtls_handshake_timeout(session);
	else if (idle_at_us <= dtls_now_us(dtls))
		dtls_session_end(session, DTLS_END_IDLE, true);
	else
		(void)dtls_timers_set(&dtls->timers, &session->timer, idle_at_us);
}

static void dtls_due(void *arg)
{
	struct dtls *dtls = arg;
	int64_t now_us = dtls_now_us(dtls);
	struct dtls_timer *first;

	dtls->timer_at_us = 0;
	for (unsigned i = 0; (first = dtls_timers_first(&dtls->timers)) && first->at_us <= now_us; i++) {
		if (i == DTLS_DUE_AT_ONCE) {
			dtls->timer_at_us = now_us + 1;
			dtls->host->timer_set(dtls->timer, dtls->timer_at_us);
			return;
		}
		dtls_session_due(dtls_session_of_timer(first));
	}
	dtls_session_arm(dtls);
}

/* When thousands leave, their memory lies in pieces between what stays, and glibc would keep it for ever. It looks through all of it each
 * time: once a second, whatever happens. */
static void dtls_trim_due(void *arg)
{
	struct dtls *dtls = arg;

	dtls->freed = 0;
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

static int dtls_prepare(struct dtls *dtls)
{
	struct dtls_hash_key key;
	int r = dtls_cookies_new(&dtls->cookies);

	if (r < 0)
		return r;
	if (RAND_bytes((unsigned char *)&key, sizeof(key)) != 1)
		return -EIO;
	r = dtls_table_new(&key, &dtls->table);
	if (r >= 0)
		r = dtls_rates_new(&key, &dtls->rates);
	if (r >= 0)
		r = dtls_grey_new(&key, &dtls->grey);
	if (r < 0)
		return r;
	dtls->bio = dtls_bio_method();
	dtls->nobody = BIO_ADDR_new();
	if (!dtls->bio || !dtls->nobody)
		return -ENOMEM;
	r = dtls->host->timer_new(dtls->host, dtls_listen_due, dtls, &dtls->grey_timer);
	if (r >= 0)
		r = dtls->host->timer_new(dtls->host, dtls_trim_due, dtls, &dtls->trim_timer);
	return r < 0 ? r : dtls->host->timer_new(dtls->host, dtls_due, dtls, &dtls->timer);
}

/* What depends on it: the next listener, and what an X.509 session's ticket is bound to. */
static void dtls_set_context(struct dtls *dtls)
{
	dtls_session_drop(dtls->listener);
	dtls->listener = NULL;
	dtls->trust = dtls_ticket_trust(dtls->context);
	SSL_CTX_set_timeout(dtls->context, (long)(dtls->limits.ticket_lifetime_us / 1000000));
}

int dtls_new(const struct tg_host *host, const struct dtls_bind *place, const struct dtls_limits *limits,
	     const struct dtls_credentials *credentials, const struct dtls_events *events, void *arg,
	     struct dtls **ret_dtls, const char **ret_problem)
{
	struct dtls *dtls = calloc(1, sizeof(*dtls));

	if (!dtls)
		return -ENOMEM;
	dtls->host = host;
	dtls->events = events;
	dtls->arg = arg;
	dtls->limits = *limits;
	int r = dtls_context_new(host, credentials, &dtls_calls, &dtls->context, ret_problem);
	if (r >= 0)
		r = dtls_prepare(dtls);
	if (r >= 0)
		dtls_set_context(dtls);
	if (r >= 0)
		r = dtls_session_new(dtls, &dtls->listener);
	if (r >= 0)
		r = dtls_socket_new(host, place, dtls_receive, dtls, &dtls->socket);
	if (r < 0) {
		dtls_free(dtls);
		return r;
	}
	*ret_dtls = dtls;
	return 0;
}

bool dtls_is_sorted(const struct dtls *dtls)
{
	return dtls_socket_is_sorted(dtls->socket);
}

int dtls_start(struct dtls *dtls)
{
	dtls->accepting = true;
	return dtls_socket_start(dtls->socket);
}

void dtls_stop_accepting(struct dtls *dtls)
{
	dtls->accepting = false;
}

void dtls_free(struct dtls *dtls)
{
	struct dtls_entry *entry;

	if (!dtls)
		return;
	while (dtls->table && (entry = dtls_table_next(dtls->table, NULL))) {
		struct dtls_session *session = dtls_session_of(entry);

		if (session->state == DTLS_ESTABLISHED)
			dtls_session_end(session, DTLS_END_LOCAL, false);
		else
			dtls_session_drop(session);
	}
	if (dtls->listener)
		dtls_session_drop(dtls->listener);
	dtls_socket_free(dtls->socket);
	dtls->host->timer_free(dtls->timer);
	dtls_timers_done(&dtls->timers);
	dtls_table_free(dtls->table);
	dtls_rates_free(dtls->rates);
	dtls_grey_free(dtls->grey);
	dtls->host->timer_free(dtls->grey_timer);
	dtls->host->timer_free(dtls->trim_timer);
	dtls_cookies_free(dtls->cookies);
	BIO_ADDR_free(dtls->nobody);
	SSL_CTX_free(dtls->context);
	BIO_meth_free(dtls->bio);
	OPENSSL_cleanse(dtls->plain, sizeof(dtls->plain));
	OPENSSL_cleanse(dtls->ticket_keys, sizeof(dtls->ticket_keys));
	free(dtls);
}

/* Handshakes that are not finished are looked at when they are. */
static void dtls_end_revoked(struct dtls *dtls)
{
	struct dtls_entry *entry = NULL;
	struct dtls_session *previous = NULL;

	do {
		entry = dtls_table_next(dtls->table, entry);
		if (entry)
			dtls_session_enter(dtls_session_of(entry));
		if (previous)
			dtls_session_leave(previous);
		previous = entry ? dtls_session_of(entry) : NULL;
		if (previous && dtls_verify_is_revoked(dtls->context, previous->ssl))
			dtls_session_end(previous, DTLS_END_REVOKED, true);
	} while (entry);
}

int dtls_set_credentials(struct dtls *dtls, const struct dtls_credentials *credentials, const char **ret_problem)
{
	SSL_CTX *context;
	int r = dtls_context_new(dtls->host, credentials, &dtls_calls, &context, ret_problem);

	if (r < 0)
		return r;
	SSL_CTX_free(dtls->context);
	dtls->context = context;
	dtls_set_context(dtls);
	dtls_end_revoked(dtls);
	return 0;
}

int64_t dtls_lists_until_s(const struct dtls *dtls)
{
	return dtls_verify_lists_until_s(dtls->context);
}

void dtls_set_tickets(struct dtls *dtls, const struct tg_ticket_key *keys, size_t count)
{
	if (count > DTLS_TICKET_KEYS_MAX)
		count = DTLS_TICKET_KEYS_MAX;
	OPENSSL_cleanse(dtls->ticket_keys, sizeof(dtls->ticket_keys));
	if (count > 0)
		memcpy(dtls->ticket_keys, keys, count * sizeof(*keys));
	dtls->ticket_keys_count = count;
	dtls_set_context(dtls);
}

void dtls_set_limits(struct dtls *dtls, const struct dtls_limits *limits)
{
	struct dtls_entry *entry = NULL;

	dtls->limits = *limits;
	dtls_set_context(dtls);
	while ((entry = dtls_table_next(dtls->table, entry))) {
		struct dtls_session *session = dtls_session_of(entry);

		if (session->state == DTLS_ESTABLISHED)
			(void)dtls_timers_set(&dtls->timers, &session->timer, session->heard_us + limits->idle_us);
	}
	dtls_session_arm(dtls);
}

void dtls_resolve(struct dtls *dtls, uint64_t handle, const struct tg_identity *identity)
{
	struct dtls_entry *entry = dtls_table_by_handle(dtls->table, handle);

	if (entry && dtls_session_of(entry)->state == DTLS_HALF_OPEN)
		dtls_handshake_resolve(dtls_session_of(entry), identity);
}

static struct dtls_session *dtls_any_of_device(struct dtls *dtls, struct tg_bytes device)
{
	struct dtls_entry *entry = NULL;

	while ((entry = dtls_table_next(dtls->table, entry))) {
		const char *own = dtls_session_of(entry)->device;

		if (own && strlen(own) == device.size && memcmp(own, device.data, device.size) == 0)
			return dtls_session_of(entry);
	}
	return NULL;
}

void dtls_close_device(struct dtls *dtls, struct tg_bytes device)
{
	struct dtls_session *session;

	while ((session = dtls_any_of_device(dtls, device))) {
		if (session->state == DTLS_ESTABLISHED)
			dtls_session_end(session, DTLS_END_LOCAL, true);
		else
			dtls_handshake_fail(session, DTLS_END_UNKNOWN, "revoked during the handshake");
	}
}

struct dtls_session *dtls_find(struct dtls *dtls, uint64_t handle)
{
	struct dtls_entry *entry = dtls_table_by_handle(dtls->table, handle);

	return entry && dtls_session_of(entry)->state == DTLS_ESTABLISHED ? dtls_session_of(entry) : NULL;
}

struct dtls_session *dtls_newest(const struct dtls *dtls, struct tg_bytes device)
{
	return dtls_session_of_device(dtls_devices_find(&dtls->devices, device));
}

struct dtls_session *dtls_next_older(const struct dtls_session *session)
{
	return dtls_session_of_device(session->of_device.next);
}

void dtls_each(struct dtls *dtls, void (*fn)(void *arg, struct dtls_session *session), void *arg)
{
	struct dtls_entry *entry = NULL;

	while ((entry = dtls_table_next(dtls->table, entry))) {
		if (dtls_session_of(entry)->state == DTLS_ESTABLISHED)
			fn(arg, dtls_session_of(entry));
	}
}

uint16_t dtls_port(const struct dtls *dtls)
{
	return ntohs(dtls_socket_port(dtls->socket));
}

size_t dtls_sessions(const struct dtls *dtls)
{
	return dtls_table_count(dtls->table, DTLS_PLACE_ESTABLISHED);
}

size_t dtls_half_open(const struct dtls *dtls)
{
	return dtls_table_count(dtls->table, DTLS_PLACE_HALF_OPEN);
}
