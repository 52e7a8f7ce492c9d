/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The amqp adapter: speaks AMQP 1.0 with one of several peers over TLS. One link (uplink.c) keeps one connection (wire.c, the
 * library's engine); sink.c sends what is delivered, source.c hands in what is received.
 */

#include <errno.h>
#include <netdb.h>
#include <proton/connection.h>
#include <proton/event.h>
#include <proton/link.h>
#include <proton/session.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "channel.h"
#include "common/tls.h"
#include "counters.h"
#include "options.h"
#include "sink.h"
#include "source.h"
#include "uplink.h"

struct amqp {
	const struct tg_host *host;
	struct options *options;
	struct uplink uplink;
	struct sink sink;
	struct source source;
	struct wire *wire; /* NULL: none is up */
	bool freed;        /* a session has ended in this turn */
	bool renewing;     /* finishes what is on its way, then connects anew */
	bool stopping;
	uint64_t handle;
	bool told; /* the host knows of the session with this handle */
};

/* What waits for the end of the messages on their way. */
static void amqp_settle(struct amqp *amqp)
{
	if (!amqp->wire)
		return;
	if (amqp->renewing && sink_is_quiet(&amqp->sink))
		uplink_renew(&amqp->uplink);
	if (amqp->stopping && sink_is_idle(&amqp->sink) && source_is_quiet(&amqp->source))
		uplink_stop(&amqp->uplink);
}

/* Connects anew, but leaves no message on its way behind, which would then go twice. */
static void amqp_renew(void *arg)
{
	struct amqp *amqp = arg;

	if (!amqp->wire) {
		uplink_renew(&amqp->uplink);
		return;
	}
	amqp->renewing = true;
	sink_hold(&amqp->sink, true);
	amqp_settle(amqp);
}

/* What comes back to a gateway that receives as well is known by its mark; others need none. */
static void amqp_mark(struct amqp *amqp)
{
	amqp->sink.via = source_is_wanted(&amqp->source) ? amqp->options->container_id : NULL;
	amqp->source.via = amqp->options->container_id;
}

static void amqp_on_up(void *arg, struct wire *wire)
{
	struct amqp *amqp = arg;

	amqp->freed = false;
	amqp->source.spare = amqp->sink.starved;
	if (sink_begin(&amqp->sink, amqp->options, wire) < 0 || source_begin(&amqp->source, amqp->options, wire) < 0) {
		sink_end(&amqp->sink);
		wire_fail(wire, strerror(ENOMEM));
		return;
	}
	amqp_mark(amqp);
	amqp->wire = wire;
	amqp->told = wire_tell(wire, ++amqp->handle);
	if (sink_is_ready(&amqp->sink))
		uplink_ready(&amqp->uplink);
}

/* Nobody but us opens sessions and links. */
static bool amqp_is_ours(struct amqp *amqp, pn_event_t *event)
{
	pn_session_t *session = pn_event_session(event);
	pn_link_t *link = pn_event_link(event);
	pn_state_t state = link ? pn_link_state(link) : session ? pn_session_state(session) : PN_LOCAL_ACTIVE;

	if (!(state & PN_LOCAL_UNINIT))
		return true;
	wire_fail(amqp->wire, link ? "the peer has opened a link" : "the peer has opened a session");
	return false;
}

static void amqp_on_happened(void *arg, struct pn_event_t *event)
{
	struct amqp *amqp = arg;
	pn_event_type_t type = pn_event_type(event);
	pn_link_t *link;

	if (!amqp->wire || !pn_event_session(event))
		return;
	if ((type == PN_SESSION_REMOTE_OPEN || type == PN_LINK_REMOTE_OPEN) && !amqp_is_ours(amqp, event))
		return;
	amqp->freed |= type == PN_SESSION_REMOTE_CLOSE;
	link = channel_of(event);
	if (!link)
		return;
	if (pn_link_is_sender(link))
		sink_happened(&amqp->sink, link, event);
	else
		source_happened(&amqp->source, link, event);
	if (type == PN_LINK_REMOTE_OPEN && sink_is_ready(&amqp->sink))
		uplink_ready(&amqp->uplink);
}

static void amqp_on_moved(void *arg)
{
	struct amqp *amqp = arg;

	if (amqp->freed)
		source_retry(&amqp->source);
	amqp->freed = false;
	sink_pump(&amqp->sink);
	if (amqp->stopping || amqp->renewing)
		amqp_settle(amqp);
}

static bool amqp_on_down(void *arg)
{
	struct amqp *amqp = arg;
	bool useful = amqp->sink.confirmed > 0 || amqp->source.settled > 0;

	amqp->renewing = false;
	if (amqp->told)
		amqp->host->session_ended(amqp->host, amqp->handle);
	amqp->told = false;
	amqp->wire = NULL;
	sink_end(&amqp->sink);
	source_end(&amqp->source);
	if (amqp->stopping)
		amqp->uplink.stopping = true;
	return useful;
}

static void amqp_on_stopped(void *arg)
{
	struct amqp *amqp = arg;

	amqp->host->stopped(amqp->host);
}

static void amqp_on_tick(void *arg)
{
	struct amqp *amqp = arg;

	if (!amqp->wire)
		return;
	sink_tick(&amqp->sink);
	source_tick(&amqp->source);
	if (source_is_short(&amqp->source))
		sink_make_room(&amqp->sink);
}

static const struct uplink_events amqp_uplink_events = {
	.up = amqp_on_up,
	.happened = amqp_on_happened,
	.moved = amqp_on_moved,
	.down = amqp_on_down,
	.stopped = amqp_on_stopped,
	.failback = amqp_renew,
	.tick = amqp_on_tick,
};

/* What the C library loads on the first look-up of a name is loaded while files can still be opened. */
static void amqp_warm_resolver(void)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;

	if (getaddrinfo("localhost", NULL, &hints, &found) == 0)
		freeaddrinfo(found);
}

static int amqp_open(const struct tg_host *host, void **ret_state)
{
	struct amqp *amqp = calloc(1, sizeof(*amqp));
	int r;

	if (!amqp)
		return -ENOMEM;
	amqp->host = host;
	/* OpenSSL and the look-up's thread write to what may be gone. */
	signal(SIGPIPE, SIG_IGN);
	amqp_warm_resolver();
	r = options_read(host, true, &amqp->options);
	if (r >= 0)
		r = sink_init(&amqp->sink, host);
	if (r >= 0)
		r = source_init(&amqp->source, host);
	if (r >= 0)
		r = uplink_init(&amqp->uplink, host, amqp->options, &amqp_uplink_events, amqp);
	if (r < 0) {
		source_done(&amqp->source);
		sink_done(&amqp->sink);
		options_free(amqp->options);
		free(amqp);
		return r;
	}
	*ret_state = amqp;
	return 0;
}

/* Once when they are taken over: from then on the watch over certificates tells. */
static void amqp_say_expired_lists(const struct amqp *amqp)
{
	const struct tg_host *host = amqp->host;

	if (amqp->options->tls && tls_lists_until_s(amqp->options->tls) < host->now_wall_us(host) / 1000000)
		host->log(host, TG_LOG_WARNING, NULL, "a revocation list in \"crl\" has expired (crl_expired = \"%s\")",
			  host->setting_text(host, "crl_expired"));
}

static int amqp_start(void *state)
{
	struct amqp *amqp = state;
	int r;

	if (amqp->options->insecure)
		amqp->host->log(amqp->host, TG_LOG_WARNING, NULL,
				"insecure = true: anybody on the way can read and be the peer");
	if (amqp->options->problem)
		amqp->host->log(amqp->host, TG_LOG_ERROR, NULL,
				"no broker is connected to before that file is in order; messages are kept meanwhile");
	amqp_say_expired_lists(amqp);
	r = source_read(&amqp->source);
	if (r < 0)
		return r;
	amqp_mark(amqp);
	uplink_start(&amqp->uplink);
	return 0;
}

static int amqp_deliver(void *state, const struct tg_delivery *delivery)
{
	struct amqp *amqp = state;

	return amqp->stopping ? -EAGAIN : sink_deliver(&amqp->sink, delivery);
}

static void amqp_verdict(void *state, uint64_t token, const struct tg_answer *answer)
{
	struct amqp *amqp = state;

	source_verdict(&amqp->source, token, answer);
	if (amqp->stopping)
		amqp_settle(amqp);
}

static int amqp_reload(void *state)
{
	struct amqp *amqp = state;
	struct options *before = amqp->options, *options;
	const char *objection;
	bool same;
	int r = options_read(amqp->host, before->problem != NULL, &options);

	if (r < 0)
		return r;
	same = !before->problem &&
	       memcmp(options->fingerprint, before->fingerprint, sizeof(before->fingerprint)) == 0 &&
	       source_is_same(&amqp->source);
	amqp->options = options;
	uplink_set_options(&amqp->uplink, options);
	sink_set_options(&amqp->sink, options);
	source_set_options(&amqp->source, options);
	amqp_mark(amqp);
	options_free(before);
	amqp_say_expired_lists(amqp);
	objection = amqp->wire ? wire_objection(amqp->wire, options) : NULL;
	if (objection) /* nobody may rely on it any more: not even what is on its way waits */
		uplink_abort(&amqp->uplink, objection);
	else if (!same && !amqp->stopping)
		amqp_renew(amqp);
	return 0;
}

static void amqp_joined(void *state)
{
	struct amqp *amqp = state;

	if (amqp->wire)
		amqp->told = wire_tell(amqp->wire, amqp->handle);
}

static void amqp_stop(void *state)
{
	struct amqp *amqp = state;

	amqp->stopping = true;
	amqp->renewing = false;
	source_stop(&amqp->source);
	if (!amqp->wire) {
		uplink_stop(&amqp->uplink);
		return;
	}
	sink_hold(&amqp->sink, false);
	sink_pump(&amqp->sink);
	amqp_settle(amqp);
}

static void amqp_close(void *state)
{
	struct amqp *amqp = state;

	source_done(&amqp->source);
	sink_done(&amqp->sink);
	uplink_done(&amqp->uplink);
	options_free(amqp->options);
	free(amqp);
}

const struct tg_adapter tidegate_adapter = {
	.major = TG_ADAPTER_MAJOR,
	.minor = TG_ADAPTER_MINOR,
	.size = sizeof(struct tg_adapter),
	.roles = TG_SOURCE | TG_SINK,
	.needs = TG_NEED_CONNECT | TG_NEED_RESOLVE | TG_NEED_THREADS,
	.name = "amqp",
	.version = "1",
	.summary = "sends to AMQP 1.0 peers, and receives from them",
	.reserved = ".*#",
	.settings = options_rows,
	.counters = counters_names,
	.open = amqp_open,
	.start = amqp_start,
	.deliver = amqp_deliver,
	.verdict = amqp_verdict,
	.reload = amqp_reload,
	.joined = amqp_joined,
	.stop = amqp_stop,
	.close = amqp_close,
};
