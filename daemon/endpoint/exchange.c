/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "endpoint/host_internal.h"

enum { UNKNOWN_KEY_SIZE = 32 };

void exchange_init(struct host *host)
{
	pending_init(&host->pending, HOST_PENDING_MAX, HOST_PENDING_BYTES);
	slots_init(&host->tickets, HOST_TICKETS_MAX);
	slots_init(&host->lookups, HOST_LOOKUPS_MAX);
	slots_init(&host->reads, HOST_READS_MAX);
	slots_init(&host->lists, HOST_LISTS_MAX);
	slots_init(&host->keeps, HOST_KEEPS_MAX);
}

void exchange_done(struct host *host)
{
	pending_done(&host->pending);
	slots_done(&host->tickets);
	slots_done(&host->lookups);
	slots_done(&host->reads);
	slots_done(&host->lists);
	slots_done(&host->keeps);
}

static int send_submit(struct host *host, struct pending_message *m)
{
	struct frame frame = {.type = FRAME_SUBMIT,
			      .submit = {.token = m->number,
					 .time_wall_us = m->time_wall_us,
					 .kind = (uint8_t)m->kind,
					 .again = m->sent,
					 .method = (uint8_t)m->method,
					 .repeated = m->repeated,
					 .expiry_s = m->expiry_s,
					 .content_format = m->content_format,
					 .device = m->device,
					 .path = m->path,
					 .reply_to = m->reply_to,
					 .correlation = m->correlation,
					 .payload = m->payload}};
	int r;

	memcpy(frame.submit.id, m->id, sizeof(m->id));
	r = host->sink.send(host->sink.arg, &frame);
	if (r >= 0)
		m->sent = true;
	return r;
}

static int check_submission(const struct tg_submission *s, bool devices)
{
	if (s->size < sizeof(*s) || s->kind < TG_TELEMETRY || s->kind > TG_RESPONSE || s->method > TG_METHOD_IPATCH)
		return -EINVAL;
	if (devices && s->device.size == 0)
		return -EINVAL;
	if (s->device.size > TG_DEVICE_MAX || s->path.size > TG_PATH_MAX || s->payload.size > TG_PAYLOAD_MAX ||
	    s->reply_to.size > TG_REPLY_MAX || s->correlation.size > TG_CORRELATION_MAX)
		return -EMSGSIZE;
	return 0;
}

int exchange_submit(const struct tg_host *services, const struct tg_submission *submission)
{
	struct host *host = host_of(services);
	struct tg_submission s = *submission;
	bool devices = host->adapter->flags & TG_DEVICES;
	struct pending_message *m;
	uint64_t random;
	int r = check_submission(submission, devices);

	if (r < 0)
		return r;
	if (!devices && (s.device.size == 0 || !(host->adapter->flags & TG_PUBLISHERS)))
		s.device = bytes_text(host->endpoint);
	r = pending_add(&host->pending, &s, &m);
	if (r < 0)
		return -ENOBUFS;
	random_bytes(&random, sizeof(random));
	m->time_wall_us = host->services.now_wall_us(&host->services);
	uuid_make(&host->ids, m->time_wall_us, random, m->id);
	r = host->joined ? send_submit(host, m) : 0;
	if (r < 0 && r != -ENOTCONN) { /* a link that is gone: it goes out over the next one */
		free(pending_take(&host->pending, m->number));
		return -ENOBUFS;
	}
	return 0;
}

static void on_verdict(struct host *host, const struct frame_verdict *verdict)
{
	CLEANUP_FREE struct pending_message *m = pending_take(&host->pending, verdict->token);
	const struct tg_answer answer = {.size = sizeof(answer),
					 .verdict = verdict->verdict,
					 .max_age_s = verdict->max_age_s,
					 .limit_bytes = verdict->limit_bytes,
					 .reason = verdict->reason};

	if (m)
		host->adapter->verdict(host->state, m->token, &answer);
}

static void send_delivered(struct host *host, uint64_t core_ticket, enum tg_delivery_result result, const char *reason)
{
	struct frame frame = {.type = FRAME_DELIVERED, .delivered = {.ticket = core_ticket, .result = (uint8_t)result}};
	struct clean_text copy;

	frame.delivered.reason = clean(&copy, reason, FRAME_TEXT_MAX);
	(void)host->sink.send(host->sink.arg, &frame); /* on failure the link ends, and the core takes it back */
}

void exchange_delivered(const struct tg_host *services, uint64_t ticket, enum tg_delivery_result result,
			const char *reason)
{
	struct host *host = host_of(services);
	uint64_t core_ticket;

	if (slots_take(&host->tickets, ticket, &core_ticket) >= 0 && host->joined)
		send_delivered(host, core_ticket, result, reason);
}

static int on_deliver(struct host *host, const struct frame_deliver *deliver)
{
	struct tg_delivery delivery = {.size = sizeof(delivery),
				       .kind = deliver->kind,
				       .time_wall_us = deliver->time_wall_us,
				       .device = deliver->device,
				       .path = deliver->path,
				       .address = deliver->address,
				       .content_format = deliver->content_format,
				       .payload = deliver->payload,
				       .expiry_s = deliver->expiry_s,
				       .qos = deliver->qos,
				       .retain = deliver->retain,
				       .method = deliver->method,
				       .outcome = deliver->outcome,
				       .code = deliver->code,
				       .correlation = deliver->correlation};
	bool refused = deliver->round != 0 && deliver->round == host->refused_round;
	uint64_t core_ticket;
	int r = -EAGAIN;

	if (!host->adapter->deliver)
		return -EPROTO;
	memcpy(delivery.id, deliver->id, sizeof(delivery.id));
	memcpy(delivery.command, deliver->command, sizeof(delivery.command));
	if (!host->stopping && !refused && slots_put(&host->tickets, deliver->ticket, &delivery.ticket) >= 0) {
		r = host->adapter->deliver(host->state, &delivery);
		if (r >= 0 || slots_take(&host->tickets, delivery.ticket, &core_ticket) < 0)
			return 0;
	}
	host->refused_round = deliver->round;
	send_delivered(host, deliver->ticket, TG_RETRY, NULL);
	return 0;
}

static void void_tickets(struct host *host)
{
	uint64_t ticket;
	size_t place = 0;

	while (slots_take_next(&host->tickets, &place, &ticket) >= 0)
		;
}

static void send_link(struct host *host)
{
	const struct frame frame = {
		.type = FRAME_LINK,
		.link = {.state = (uint8_t)host->link, .detail = bytes_text(host->link_detail.text)}};

	if (host->joined)
		(void)host->sink.send(host->sink.arg, &frame);
}

void exchange_link(const struct tg_host *services, enum tg_link state, const char *detail)
{
	struct host *host = host_of(services);

	if (state != TG_LINK_UP)
		void_tickets(host);
	host->link = state;
	clean(&host->link_detail, detail, FRAME_TEXT_MAX);
	send_link(host);
}

int exchange_lookup(const struct tg_host *services, enum tg_proof proof, struct tg_bytes identity, uint64_t token)
{
	struct host *host = host_of(services);
	struct frame frame = {.type = FRAME_LOOKUP, .lookup = {.proof = (uint8_t)proof, .identity = identity}};
	int r;

	if (!host->joined)
		return -ENOTCONN;
	if (identity.size > FRAME_IDENTITY_MAX)
		return -EMSGSIZE;
	if (slots_put(&host->lookups, token, &frame.lookup.token) < 0)
		return -ENOBUFS;
	r = host->sink.send(host->sink.arg, &frame);
	if (r < 0)
		(void)!slots_take(&host->lookups, frame.lookup.token, &token);
	return r < 0 ? r : 0;
}

static void answer_lookup(struct host *host, uint64_t token, const struct frame_identity *answer)
{
	const struct tg_identity identity = {.size = sizeof(identity),
					     .known = answer->known,
					     .device = answer->device,
					     .key = answer->key,
					     .generation = answer->generation};

	host->adapter->identity(host->state, token, &identity);
}

void exchange_session_begun(const struct tg_host *services, uint64_t handle, const struct tg_session *session)
{
	struct host *host = host_of(services);
	bool tells = session->size >= offsetof(struct tg_session, generation) + sizeof(session->generation);
	const struct frame frame = {.type = FRAME_SESSION_BEGUN,
				    .session_begun = {.handle = handle,
						      .generation = tells ? session->generation : 0,
						      .proof = (uint8_t)session->proof,
						      .device = session->device,
						      .peer = bytes_text(session->peer),
						      .version = bytes_text(session->version),
						      .cipher = bytes_text(session->cipher),
						      .group = bytes_text(session->group),
						      .certificate = session->certificate}};

	if (host->joined && host->sink.send(host->sink.arg, &frame) == -EMSGSIZE)
		log_warning("a session cannot be told of: one of its texts is too long");
}

void exchange_session_ended(const struct tg_host *services, uint64_t handle)
{
	struct host *host = host_of(services);
	const struct frame frame = {.type = FRAME_SESSION_ENDED, .session_ended = {.handle = handle}};

	if (host->joined)
		(void)host->sink.send(host->sink.arg, &frame); /* on failure the link ends, and all are told of anew */
}

static void on_notice(struct host *host, struct tg_bytes json)
{
	CLEANUP_FREE char *text = host->adapter->notice ? bytes_to_text(json) : NULL;

	if (text)
		host->adapter->notice(host->state, text);
}

static void forget_lookups(struct host *host)
{
	uint8_t key[UNKNOWN_KEY_SIZE];
	uint64_t token;
	size_t place = 0;

	while (slots_take_next(&host->lookups, &place, &token) >= 0) {
		random_bytes(key, sizeof(key));
		answer_lookup(host, token, &(struct frame_identity){.key = bytes_of(key, sizeof(key))});
	}
}

int host_frame(struct host *host, const struct frame *frame)
{
	uint64_t token;

	switch (frame->type) {
	case FRAME_VERDICT:
		on_verdict(host, &frame->verdict);
		return 0;
	case FRAME_DELIVER:
		return on_deliver(host, &frame->deliver);
	case FRAME_IDENTITY:
		if (slots_take(&host->lookups, frame->identity.token, &token) >= 0)
			answer_lookup(host, token, &frame->identity);
		return 0;
	case FRAME_NOTICE:
		on_notice(host, frame->text.text);
		return 0;
	case FRAME_READING:
		return exchange_on_reading(host, &frame->reading);
	case FRAME_LISTED:
		return exchange_on_listed(host, &frame->listed);
	case FRAME_KEPT:
		exchange_on_kept(host, &frame->kept);
		return 0;
	case FRAME_NOTE:
		exchange_on_note(host, &frame->note);
		return 0;
	case FRAME_NOTED:
		exchange_on_noted(host, &frame->noted);
		return 0;
	case FRAME_DEVICE:
		if (host->adapter->device_changed)
			host->adapter->device_changed(host->state, frame->device.device);
		return 0;
	default:
		return -EPROTO;
	}
}

void host_joined(struct host *host)
{
	struct pending_message *m;

	host->joined = true;
	TAILQ_FOREACH(m, &host->pending.list, link)
	{
		if (send_submit(host, m) < 0)
			return; /* the link has ended already */
	}
	send_link(host);
	if (host->adapter->joined)
		host->adapter->joined(host->state);
	for (unsigned i = 0; i < host->n_counters; i++)
		host->changed[i] = true;
	host->any_changed = true;
	host_send_counters(host);
}

void host_parted(struct host *host)
{
	host->joined = false;
	host->refused_round = 0;
	void_tickets(host);
	forget_lookups(host);
	exchange_forget_reads(host);
	exchange_forget_keeps(host);
}
