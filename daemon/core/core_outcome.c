/* SPDX-License-Identifier: Apache-2.0 */

/* How a command ended, on its way back: a message of its own for whoever is to be told. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/core_inside.h"

/* FNV-1a */
static uint64_t mix(uint64_t sum, struct tg_bytes bytes)
{
	const uint8_t *p = bytes.data;

	for (size_t i = 0; i < bytes.size; i++)
		sum = (sum ^ p[i]) * UINT64_C(0x100000001b3);
	return (sum ^ 0xff) * UINT64_C(0x100000001b3);
}

/* An outcome is a message of its own, whose id follows from its command: told twice, it is the same, and one message that made commands
 * for several devices has one for each. The version and the variant of the UUID stay (RFC 9562). */
static void outcome_id(const struct mailbox_outcome *outcome, uint8_t *ret_id)
{
	uint64_t sum = mix(UINT64_C(0xcbf29ce484222325), outcome->message->device);

	sum = mix(sum, outcome->address);
	memcpy(ret_id, outcome->message->id, TG_ID_SIZE);
	for (unsigned i = 9; i < TG_ID_SIZE; i++)
		ret_id[i] ^= (uint8_t)(sum >> 8 * (i - 9));
}

static struct message *make_outcome(const struct core *core, const struct mailbox_outcome *outcome)
{
	const struct message *command = outcome->message;
	struct message parts = {
		.kind = TG_RESPONSE,
		.content_format = outcome->content_format,
		.time_wall_us = core_now_wall_us(core),
		.taken_us = loop_now_us(core->loop),
		.device = command->device,
		.path = command->path,
		.payload = outcome->payload,
		.outcome = (uint8_t)outcome->outcome,
		.code = (uint16_t)outcome->code,
		.correlation = command->correlation,
	};

	if (outcome->code == 0 && outcome->reason) {
		parts.payload = bytes_text(outcome->reason);
		parts.content_format = 0; /* text/plain;charset=utf-8 */
	}
	memcpy(parts.command, command->id, sizeof(parts.command));
	outcome_id(outcome, parts.id);
	return message_new(&parts);
}

int core_outcome_publish(struct core *core, const struct mailbox_outcome *outcome, outbox_receipt_fn *receipt,
			 void *receipt_arg)
{
	const struct outbox_options options = {.ack = OUTBOX_SAFE, .qos = 1, .route = outcome->route};
	CLEANUP_FREE char *name = bytes_to_text(outcome->message->reply_endpoint);
	const struct endpoint *to = name ? core_endpoint(core, name) : NULL;
	struct message *message;
	int r;

	if (outcome->message->reply_to.size == 0 || !to || !to->outbox || to->removed)
		return 1;
	message = make_outcome(core, outcome);
	if (!message)
		return -ENOMEM;
	r = outbox_push(to->outbox, message, outcome->message->reply_to, &options, receipt, receipt_arg);
	message_unref(message);
	return r;
}

static void tell_outcome(const struct endpoint *endpoint, const struct mailbox_outcome *outcome)
{
	static const char *const words[] = {"", "command delivered", "command refused", "command expired"};
	char reason[224];

	if (outcome->code)
		snprintf(reason, sizeof(reason), "the device answered %u.%02u", outcome->code / 100,
			 outcome->code % 100);
	else
		snprintf(reason, sizeof(reason), "%s", outcome->reason ? outcome->reason : "");
	core_tell(endpoint->core, words[outcome->outcome], outcome->message->device, outcome->message->path,
		  outcome->message, endpoint->name, outcome->address, reason);
}

/* Which outcome an outbox has yet to say is safe. */
struct telling {
	struct endpoint *endpoint;
	uint64_t number;
	bool within; /* the outbox is still being given it: what it says counts behind that */
	bool answered;
	bool safe;
};

static void on_outcome_safe(void *arg, enum outbox_receipt receipt, struct tg_bytes reason)
{
	struct telling *telling = arg;

	(void)reason;
	/* What the sink refuses for good it would refuse again. */
	telling->safe = receipt != OUTBOX_FULL && receipt != OUTBOX_LOST;
	telling->answered = true;
	if (telling->within)
		return;
	mailbox_told(telling->endpoint->mailbox, telling->number, telling->safe);
	free(telling);
}

int core_outcome_ended(void *arg, const struct mailbox_outcome *outcome, uint64_t number)
{
	struct endpoint *endpoint = arg;
	struct telling *telling = malloc(sizeof(*telling));
	bool answered, safe;
	int r;

	if (!telling)
		return -ENOMEM;
	*telling = (struct telling){.endpoint = endpoint, .number = number, .within = true};
	r = core_outcome_publish(endpoint->core, outcome, on_outcome_safe, telling);
	if (r >= 0)
		tell_outcome(endpoint, outcome);
	telling->within = false;
	answered = telling->answered || r == 1;
	safe = telling->safe || r == 1;
	if (answered || r < 0)
		free(telling);
	if (answered)
		mailbox_told(endpoint->mailbox, number, safe);
	return r < 0 ? r : 0;
}
