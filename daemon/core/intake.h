/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_INTAKE_H
#define CORE_INTAKE_H

/*
 * The first stage of a message's life: what an endpoint process hands in is checked (the process may lie), made into a message
 * and passed on; and in the end every submission is answered with exactly one verdict.
 *
 * A message that several routes take waits for all of them: the worst answer counts. Each of them holds a receipt, which
 * intake_settle gives back.
 */

#include "base/cleanup.h"
#include "wire/frame.h"

struct intake;
struct message;
struct receipt;

/* Which process handed it in. Copied. */
struct intake_source {
	const char *endpoint; /* lent for the life of the intake or until no receipt names it */
	uint32_t instance;
	uint32_t generation;
};

struct intake_verdict {
	enum tg_verdict verdict;
	uint32_t max_age_s;
	uint32_t limit_bytes;
	const char *reason; /* static text, or NULL */
};

struct intake_ops {
	/* May this device hand this in over this endpoint, now? Fills *ret_verdict where not. *device, whom the frame is from, may be
	 * replaced by another name that lives until the next call. */
	bool (*admit)(void *arg, const struct intake_source *source, const struct frame_submit *submit,
		      struct tg_bytes *device, struct intake_verdict *ret_verdict);
	/* Gives the message to every outbox that a route names, each with intake_hold'ing the receipt once and settling it later, or
	 * at once. *ret_verdict: why where none takes it. `message` is borrowed: who keeps it takes a reference. */
	void (*forward)(void *arg, const struct intake_source *source, const struct message *message,
			struct receipt *receipt, struct intake_verdict *ret_verdict);
	/* The answer to `token` of that process; the process may be gone. `message` is NULL where it never became one. */
	void (*answer)(void *arg, const struct intake_source *source, uint64_t token, const struct frame_submit *submit,
		       const struct message *message, const struct intake_verdict *verdict);
};

int intake_new(const struct intake_ops *ops, void *arg, struct intake **ret_intake) WARN_UNUSED;
/* Receipts that are still held get no answer and must not be settled any more. Accepts NULL. */
void intake_free(struct intake *intake);

/* Takes in one FRAME_SUBMIT. Errors: -EBADMSG: no honest process sends this. */
int intake_submit(struct intake *intake, const struct intake_source *source, const struct frame_submit *submit,
		  int64_t now_us) WARN_UNUSED;

void intake_hold(struct receipt *receipt);
void intake_settle(struct receipt *receipt, const struct intake_verdict *verdict);

/* Submissions that wait for their verdict. */
unsigned intake_waiting(const struct intake *intake);

#endif
