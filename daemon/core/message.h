/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MESSAGE_H
#define CORE_MESSAGE_H

/*
 * One unit that passes through the gateway. Intake builds it from an endpoint's frame; from then on it is const and shared
 * by everybody who holds a reference: the stages in the main thread and the store's writer in its own. All bytes
 * lie in the one allocation behind the struct.
 */

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
};

/* Copies everything out of `parts`, whose `device`, `path` and `payload` are borrowed. Ownership: one reference, the
 * caller's. Errors: NULL: out of memory. */
struct message *message_new(const struct message *parts) WARN_UNUSED;

/* The same out of an endpoint's frame. Units: `taken_us` monotonic microseconds. */
struct message *message_of_submit(const struct frame_submit *submit, int64_t taken_us) WARN_UNUSED;

/* Any thread. */
const struct message *message_ref(const struct message *message);
void message_unref(const struct message *message); /* accepts NULL */

/* What it takes in memory. Units: bytes. */
size_t message_size(const struct message *message);

#endif
