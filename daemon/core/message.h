/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MESSAGE_H
#define CORE_MESSAGE_H

/*
 * One unit that passes through the gateway. Intake builds it from an endpoint's frame; from then on it is const and shared
 * by everybody who holds a reference: the stages in the main thread and the store's writer in its own. All bytes
 * lie in the one allocation behind the struct.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/cleanup.h"
#include "wire/frame.h"

struct message {
	uint8_t id[TG_ID_SIZE];
	uint8_t kind;           /* enum tg_kind */
	int32_t content_format; /* or TG_FORMAT_NONE */
	int64_t time_wall_us;   /* when the gateway took it in */
	int64_t taken_us;       /* the same moment by the monotonic clock of this process */
	struct tg_bytes device;
	struct tg_bytes path;
	struct tg_bytes payload;

	/* Of commands and responses; zero and empty in others. */
	uint8_t method;                 /* enum tg_method */
	uint8_t outcome;                /* enum tg_outcome */
	uint16_t code;                  /* tg_response.code */
	uint8_t command[TG_ID_SIZE];    /* of a response: the id of its command */
	struct tg_bytes reply_to;       /* where the outcome is to go, as an address of `reply_endpoint` */
	struct tg_bytes reply_endpoint; /* its name */
	struct tg_bytes correlation;

	/* As it was handed in; not kept on disk. */
	uint32_t expiry_s; /* 0: never */
	bool repeated;
};

/* Copies everything out of `parts`, whose bytes are borrowed. Ownership: one reference, the
 * caller's. Errors: NULL: out of memory. */
struct message *message_new(const struct message *parts) WARN_UNUSED;

/* The same out of an endpoint's frame. Units: `taken_us` monotonic microseconds. */
struct message *message_of_submit(const struct frame_submit *submit, int64_t taken_us) WARN_UNUSED;

/* Any thread. */
const struct message *message_ref(const struct message *message);
void message_unref(const struct message *message); /* accepts NULL */

/* What it takes in memory. Units: bytes. */
size_t message_size(const struct message *message);

/* The id and, behind it, what only commands and responses have, as it stands on disk. Units: bytes. */
size_t message_mark_size(const struct message *message);
enum { MESSAGE_MARK_MAX = 2 * TG_ID_SIZE + 8 + TG_REPLY_MAX + 255 + TG_CORRELATION_MAX };
/* Lent out of `room` (MESSAGE_MARK_MAX bytes) or the message. */
struct tg_bytes message_mark(const struct message *message, uint8_t *room);
/* Reads it back; bytes are borrowed from `mark`. Errors: -EUCLEAN. */
int message_mark_read(struct tg_bytes mark, struct message *message) WARN_UNUSED;

#endif
