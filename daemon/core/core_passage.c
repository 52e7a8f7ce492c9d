/* SPDX-License-Identifier: Apache-2.0 */

/* The way of a message: from a process through intake, router and outbox to another process, and the verdict back. */

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/core_inside.h"

enum { FULL_MAX_AGE_S = 30, BUSY_MAX_AGE_S = 5 };

static bool refuse(struct intake_verdict *verdict, enum tg_verdict why, uint32_t max_age_s, const char *reason)
{
	*verdict = (struct intake_verdict){why, max_age_s, 0, reason};
	return false;
}

/* The device that is enrolled for this endpoint. */
static bool admit_device(struct core *core, const struct endpoint *endpoint, const struct frame_submit *submit,
			 struct intake_verdict *ret_verdict)
{
	struct device *device;

	device = devices_find(core->devices, submit->device);
	if (!device || device->revoked || strcmp(device->endpoint, endpoint->name) != 0)
		return refuse(ret_verdict, TG_UNKNOWN_DEVICE, 0, "not enrolled here");
	device->seen_wall_us = core_now_wall_us(core);
	return core_profile_admits(core, device, submit, ret_verdict);
}

/* On the way down from those alone that have been told to end, until they have: their protocol may have acknowledged what they hold.
 * Devices are not among them: each waits for its answer, and one that is refused comes again. */
static bool takes_in(const struct core *core, const struct endpoint *endpoint, const struct intake_source *source)
{
	const struct instance *instance;

	if (core->state != CORE_STOPPING)
		return core->state != CORE_DRAINING;
	instance = supervisor_find(core->supervisor, source->instance);
	return !(endpoint->config->descriptor->flags & TG_DEVICES) && instance &&
	       instance_state(instance) == INSTANCE_STOPPING;
}

static bool admit(void *arg, const struct intake_source *source, const struct frame_submit *submit,
		  struct tg_bytes *device, struct intake_verdict *ret_verdict)
{
	struct core *core = arg;
	const struct endpoint *endpoint = core_endpoint(core, source->endpoint);

	if (!endpoint || !takes_in(core, endpoint, source))
		return refuse(ret_verdict, TG_UNAVAILABLE, BUSY_MAX_AGE_S,
			      "the gateway takes nothing in at the moment");
	if (submit->payload.size > core->config->limits.payload_max_bytes) {
		*ret_verdict =
			(struct intake_verdict){TG_TOO_LARGE, 0, (uint32_t)core->config->limits.payload_max_bytes,
						"larger than this gateway takes"};
		return false;
	}
	if (!(endpoint->config->descriptor->flags & TG_DEVICES))
		return core_source_admits(core, endpoint, submit, device, ret_verdict);
	return admit_device(core, endpoint, submit, ret_verdict);
}

/* The receipt comes back from an outbox. What the sink refused for good is the sender's to know where it waits for delivery. */
static void on_receipt(void *arg, enum outbox_receipt receipt, struct tg_bytes reason)
{
	static const struct intake_verdict verdicts[] = {
		[OUTBOX_TAKEN] = {.verdict = TG_ACCEPTED},
		[OUTBOX_FULL] = {TG_FULL, FULL_MAX_AGE_S, 0, "the outbox is full"},
		[OUTBOX_REFUSED] = {TG_NOT_ALLOWED, 0, 0, "the receiver refused it"},
		[OUTBOX_EXPIRED] = {TG_UNAVAILABLE, BUSY_MAX_AGE_S, 0, "it could not be delivered in time"},
		[OUTBOX_LOST] = {TG_UNAVAILABLE, BUSY_MAX_AGE_S, 0, "it was lost on a damaged disk"},
	};

	(void)reason;
	intake_settle(arg, &verdicts[receipt]);
}

/* How much of an outbox what comes from there may take, in percent. */
static uint8_t outbox_share(struct core *core, const struct intake_source *source, const struct message *message)
{
	struct device *device = devices_find(core->devices, message->device);
	const struct profile *profile = NULL;

	if (device && strcmp(device->endpoint, source->endpoint) == 0)
		profile = core_profile_of(core, device);
	return profile ? profile->outbox_share : 100;
}

/* Returns what the outbox says; the receipt is held where it was taken. */
static int push_one(struct core *core, const struct endpoint *to, const struct router_target *target,
		    const struct message *message, const struct outbox_options *options, struct receipt *receipt)
{
	struct intake_verdict nothing = {.verdict = TG_ACCEPTED};
	int r;

	intake_hold(receipt);
	r = outbox_push(to->outbox, message, target->address, options, on_receipt, receipt);
	if (r < 0)
		intake_settle(receipt, &nothing);
	else
		core_tell(core, "accepted", message->device, message->path, message, to->name, target->address, NULL);
	return r;
}

/* Of two times after which a message is worth nothing; 0: never. */
static uint32_t shorter(uint32_t a_s, uint32_t b_s)
{
	return a_s == 0 || (b_s && b_s < a_s) ? b_s : a_s;
}

/* What the route has made of the message, all or nothing; a push that fails after all leaves those before it with the sink, and the sender
 * is told that it was not taken. */
static int push(struct core *core, const struct router_target *target, const struct message *const *messages,
		size_t count, uint8_t share_percent, struct receipt *receipt)
{
	const struct config_route *route = target->route;
	struct endpoint *to = core_endpoint(core, core->config->endpoints[route->to].name);
	const struct outbox_options options = {.ack = (enum outbox_ack)route->ack,
					       .qos = route->qos,
					       .retain = route->retain,
					       .expiry_s = shorter(route->expiry_s, messages[0]->expiry_s),
					       .share_percent = share_percent,
					       .route = bytes_text(route->name)};
	int r = 0;

	if (!to || !to->outbox)
		return -ENOENT;
	if (count > 1)
		r = outbox_room(to->outbox, messages, count, target->address, &options);
	for (size_t i = 0; i < count && r >= 0; i++)
		r = push_one(core, to, target, messages[i], &options, receipt);
	if (r < 0)
		ledger_refuse(to->account, r == -EFBIG ? TG_TOO_LARGE : TG_FULL);
	return r;
}

static struct intake_verdict why_not(int error, const struct message *message)
{
	switch (error) {
	case -ENOSPC:
		return (struct intake_verdict){TG_FULL, FULL_MAX_AGE_S, 0, "the outbox is full"};
	case -EDQUOT:
		return (struct intake_verdict){TG_FULL, FULL_MAX_AGE_S, 0, "this device's share of the outbox is full"};
	case -EFBIG:
		return (struct intake_verdict){TG_TOO_LARGE, 0, (uint32_t)(message->payload.size / 2),
					       "more records than the outbox can hold"};
	default:
		return (struct intake_verdict){TG_UNAVAILABLE, BUSY_MAX_AGE_S, 0, "the gateway could not take it over"};
	}
}

static void forward(void *arg, const struct intake_source *source, const struct message *message,
		    struct receipt *receipt, struct intake_verdict *ret_verdict)
{
	struct core *core = arg;
	const struct router_message view = {(enum tg_kind)message->kind, message->device,       message->path,
					    message->content_format,     message->payload.size, true};
	const struct config_endpoint *from = config_endpoint(core->config, source->endpoint);
	CLEANUP(core_made_freep) struct core_made *made = NULL;
	struct router_target target;
	struct router_walk walk;
	uint8_t share_percent;

	if (!from) {
		refuse(ret_verdict, TG_NO_ROUTE, 0, NULL);
		return;
	}
	router_begin(core->router, (size_t)(from - core->config->endpoints), &view, &walk);
	if (core->config->transforms) {
		if (!core_transform(core, source, message, &walk, &made, ret_verdict))
			return;
		router_begin(core->router, (size_t)(from - core->config->endpoints), &view, &walk);
	}
	share_percent = outbox_share(core, source, message);
	while (router_next(&walk, &target)) {
		const struct message *const *messages = &message;
		size_t count = 1;
		int r = 0;

		core_made_for(made, target.route, &messages, &count);
		if (!target.route->command.wanted)
			r = push(core, &target, messages, count, share_percent, receipt);
		for (size_t i = 0; target.route->command.wanted && i < count; i++)
			core_command_push(core, source, &walk, &target, messages[i], receipt, ret_verdict);
		if (r < 0)
			*ret_verdict = why_not(r, message);
	}
	if (ret_verdict->verdict == TG_ACCEPTED) {
		ret_verdict->verdict = router_refusal(&walk, &ret_verdict->limit_bytes);
		if (ret_verdict->verdict == TG_NO_ROUTE)
			ret_verdict->reason = "no route takes this path";
	}
}

/* Whether a name is that of the sender: of a device which is enrolled there, or of whom an endpoint without devices speaks for. */
static bool is_from(struct core *core, const struct intake_source *source, const struct device *device)
{
	const struct endpoint *endpoint = device ? NULL : core_endpoint(core, source->endpoint);

	if (!device)
		return endpoint && !(endpoint->config->descriptor->flags & TG_DEVICES);
	return !device->revoked && strcmp(device->endpoint, source->endpoint) == 0;
}

/* Books and tells what has become of a submission. */
static void note_verdict(struct core *core, const struct intake_source *source, const struct frame_submit *submit,
			 const struct message *message, const struct intake_verdict *verdict)
{
	struct tg_bytes name = message ? message->device : submit->device;
	struct device *device = devices_find(core->devices, name);
	unsigned left_out;

	if (verdict->verdict == TG_ACCEPTED) {
		if (device)
			device->accepted++;
		if (message && message->kind == TG_TELEMETRY &&
		    (is_from(core, source, device) || core_source_is_named(core, source, message)) &&
		    core_source_is_reading(core, source, message))
			core_readings_put(core, message);
		return;
	}
	core->refused[verdict->verdict]++;
	if (device)
		device->refused++;
	core_tell(core, "refused", name, message ? message->path : submit->path, message, NULL,
		  (struct tg_bytes){NULL, 0}, verdict->reason);
	if (log_limit_pass(&core->refused_log, loop_now_us(core->loop), &left_out))
		log_info("refused a message of \"%.*s\" (%s; %u more before it)", BYTES_ARG(name),
			 verdict->reason ? verdict->reason : "see status", left_out);
}

static void answer(void *arg, const struct intake_source *source, uint64_t token, const struct frame_submit *submit,
		   const struct message *message, const struct intake_verdict *verdict)
{
	struct core *core = arg;
	struct instance *instance = supervisor_find(core->supervisor, source->instance);
	struct frame frame = {.type = FRAME_VERDICT,
			      .verdict = {.token = token,
					  .verdict = (uint8_t)verdict->verdict,
					  .max_age_s = verdict->max_age_s,
					  .limit_bytes = verdict->limit_bytes,
					  .reason = bytes_text(verdict->reason)}};

	note_verdict(core, source, submit, message, verdict);
	/* A process that has joined anew hands in again what it has no answer to. */
	if (!instance || instance_generation(instance) != source->generation ||
	    instance_state(instance) < INSTANCE_RUNNING || instance_state(instance) == INSTANCE_STOPPED)
		return;
	if (instance_send(instance, &frame) == -ENOBUFS)
		supervisor_kill(instance, "does not read its verdicts");
}

const struct intake_ops core_intake_ops = {admit, forward, answer};
