/* SPDX-License-Identifier: Apache-2.0 */

/* What dtls tells of its sessions: counted, logged, passed on. */

#include "coap.h"

enum { SECOND_US = 1000000, FAILURES_TOLD = 10 };

static const char *const reasons[DTLS_END_REASONS] = {
	[DTLS_END_PEER] = "closed by the peer",
	[DTLS_END_IDLE] = "idle for too long",
	[DTLS_END_LOCAL] = "closed here",
	[DTLS_END_REVOKED] = "certificate revoked",
	[DTLS_END_ERROR] = "fatal alert",
	[DTLS_END_REPLACED] = "replaced by a new handshake",
	[DTLS_END_TIMEOUT] = "not finished in time",
	[DTLS_END_UNKNOWN] = "unknown identity",
	[DTLS_END_WRONG_KEY] = "wrong key",
	[DTLS_END_BAD_CERTIFICATE] = "certificate not accepted",
	[DTLS_END_HANDSHAKE] = "no agreement",
	[DTLS_END_LIMIT] = "too many sessions or handshakes",
};

static void gauge_sessions(const struct coap *coap)
{
	size_t sessions = 0;
	size_t half_open = 0;
	for (unsigned i = 0; i < coap->n_listeners; i++) {
		sessions += dtls_sessions(coap->listeners[i].dtls);
		half_open += dtls_half_open(coap->listeners[i].dtls);
	}
	coap->host->gauge(coap->host, COAP_SESSIONS, (int64_t)sessions);
	coap->host->gauge(coap->host, COAP_HALF_OPEN, (int64_t)half_open);
}

/* A look-up's token says which listener it is of. */
static int on_authenticate(void *arg, uint64_t handle, enum tg_proof proof, struct tg_bytes identity)
{
	const struct coap_listener *listener = arg;
	const struct tg_host *host = listener->coap->host;
	return host->lookup(host, proof, identity, handle * SETTINGS_LISTEN_MAX + listener->index);
}

static void on_established(void *arg, struct dtls_session *session)
{
	const struct coap_listener *listener = arg;
	const struct tg_host *host = listener->coap->host;
	host->count(host, COAP_HANDSHAKES, 1);
	if (dtls_is_resumed(session))
		host->count(host, COAP_RESUMED, 1);
	gauge_sessions(listener->coap);
	live_begun(arg, session);
	host->log(host, TG_LOG_DEBUG, dtls_device(session), "session %s (%s)",
		  dtls_is_resumed(session) ? "resumed" : "established", dtls_cipher(session));
}

static void on_ended(void *arg, struct dtls_session *session, enum dtls_end why)
{
	const struct coap_listener *listener = arg;
	const struct tg_host *host = listener->coap->host;
	host->log(host, TG_LOG_DEBUG, dtls_device(session), "session ended (%s)", reasons[why]);
	if (why <= DTLS_END_REPLACED)
		host->count(host, COAP_ENDED + (unsigned)why, 1);
	live_ended(listener, session);
	server_ended(listener->coap, session);
	gauge_sessions(listener->coap);
	coap_stop_when_done(listener->coap); /* nobody waits for those answers any more */
}

/* A flood is counted, not told line by line. Returns whether this one is told. */
static bool is_worth_a_line(struct coap *coap)
{
	int64_t now_us = coap->host->now_us(coap->host);
	if (now_us - coap->failures_us >= SECOND_US) {
		if (coap->failures > FAILURES_TOLD)
			coap->host->log(coap->host, TG_LOG_NOTICE, NULL,
					"%u more handshakes failed within a second (left out)",
					coap->failures - FAILURES_TOLD);
		coap->failures_us = now_us;
		coap->failures = 0;
	}
	return coap->failures++ < FAILURES_TOLD;
}

static void on_failed(void *arg, const struct sockaddr *peer, enum dtls_end why, const char *detail)
{
	const struct coap_listener *listener = arg;
	const struct tg_host *host = listener->coap->host;
	char text[LIVE_PEER_MAX];
	if (why == DTLS_END_REASONS) {
		host->count(host, COAP_DROPPED, 1);
		return;
	}
	if (why >= DTLS_END_ERROR)
		host->count(host, COAP_FAILED + (unsigned)(why - DTLS_END_ERROR), 1);
	gauge_sessions(listener->coap);
	if (!is_worth_a_line(listener->coap))
		return;
	live_peer_text(peer, text);
	host->log(host, why == DTLS_END_TIMEOUT ? TG_LOG_INFO : TG_LOG_NOTICE, NULL,
		  "handshake with %s failed (%s%s%s)", text, reasons[why], detail ? ": " : "", detail ? detail : "");
}

const struct dtls_events sessions_events = {
	.authenticate = on_authenticate,
	.established = on_established,
	.received = server_received,
	.ended = on_ended,
	.failed = on_failed,
};
