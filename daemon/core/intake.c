/* SPDX-License-Identifier: Apache-2.0 */
#include "core/intake.h"

#include <assert.h>
#include <errno.h>
#include <utlist.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "core/message.h"

struct intake {
	const struct intake_ops *ops;
	void *arg;
	struct receipt *receipts;
	unsigned waiting;
};

struct receipt {
	struct receipt *prev, *next;
	struct intake *intake;
	struct intake_source source;
	uint64_t token;
	const struct message *message;
	unsigned held;
	struct intake_verdict verdict; /* the worst so far */
};

static const struct intake_verdict no_memory = {TG_UNAVAILABLE, 5, 0, "out of memory"};

int intake_new(const struct intake_ops *ops, void *arg, struct intake **ret_intake)
{
	struct intake *intake = calloc(1, sizeof(*intake));

	if (!intake)
		return -ENOMEM;
	intake->ops = ops;
	intake->arg = arg;
	*ret_intake = intake;
	return 0;
}

static void receipt_free(struct receipt *receipt)
{
	DL_DELETE(receipt->intake->receipts, receipt);
	receipt->intake->waiting--;
	message_unref(receipt->message);
	free(receipt);
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	while (intake->receipts)
		receipt_free(intake->receipts);
	free(intake);
}

/* Nothing that an endpoint process says is taken on trust. */
static bool is_honest(const struct frame_submit *submit)
{
	return submit->device.size > 0 && bytes_is_utf8(submit->device) && uuid_is_v7(submit->id) &&
	       (submit->kind == TG_TELEMETRY || submit->kind == TG_RESPONSE) && submit->time_wall_us >= 0 &&
	       submit->content_format >= TG_FORMAT_NONE && submit->content_format <= UINT16_MAX;
}

static struct receipt *receipt_new(struct intake *intake, const struct intake_source *source, uint64_t token,
				   const struct message *message)
{
	struct receipt *receipt = malloc(sizeof(*receipt));

	if (!receipt)
		return NULL;
	*receipt = (struct receipt){.intake = intake, .source = *source, .token = token, .message = message, .held = 1};
	DL_APPEND(intake->receipts, receipt);
	intake->waiting++;
	return receipt;
}

int intake_submit(struct intake *intake, const struct intake_source *source, const struct frame_submit *submit,
		  int64_t now_us)
{
	struct intake_verdict verdict = {.verdict = TG_ACCEPTED};
	struct frame_submit admitted = *submit;
	const struct message *message = NULL;
	struct receipt *receipt;

	if (!is_honest(submit))
		return -EBADMSG;
	if (!intake->ops->admit(intake->arg, source, submit, &admitted.device, &verdict)) {
		intake->ops->answer(intake->arg, source, submit->token, submit, NULL, &verdict);
		return 0;
	}
	message = message_of_submit(&admitted, now_us);
	receipt = message ? receipt_new(intake, source, submit->token, message) : NULL;
	if (!receipt) {
		message_unref(message);
		intake->ops->answer(intake->arg, source, submit->token, submit, NULL, &no_memory);
		return 0;
	}
	intake->ops->forward(intake->arg, source, message, receipt, &verdict);
	intake_settle(receipt, &verdict);
	return 0;
}

void intake_hold(struct receipt *receipt)
{
	receipt->held++;
}

void intake_settle(struct receipt *receipt, const struct intake_verdict *verdict)
{
	struct intake *intake = receipt->intake;

	assert(receipt->held > 0);
	if (verdict->verdict != TG_ACCEPTED)
		receipt->verdict = *verdict;
	if (--receipt->held > 0)
		return;
	intake->ops->answer(intake->arg, &receipt->source, receipt->token, NULL, receipt->message, &receipt->verdict);
	receipt_free(receipt);
}

unsigned intake_waiting(const struct intake *intake)
{
	return intake->waiting;
}
