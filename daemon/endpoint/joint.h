/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENDPOINT_JOINT_H
#define ENDPOINT_JOINT_H

/*
 * The endpoint's end of the way to the core: connects, and connects again with backoff when the core was away, until it has been
 * away for too long.
 */

#include <stdbool.h>

#include "base/loop.h"
#include "wire/frame.h"

struct joint;

struct joint_calls {
	void (*up)(void *arg);                                 /* a new link: say HELLO */
	int (*frame)(void *arg, const struct frame *, int fd); /* as link_frame_fn */
	void (*down)(void *arg, int reason);                   /* as link_closed_fn; another link is on its way */
	/* The core was away for `patience_us`; or `gone`: the socket's name was taken away, which a core that comes back does not do. */
	void (*given_up)(void *arg, bool gone);
	void *arg;
};

/* Units: microseconds. Errors: -ENAMETOOLONG: `path` is too long for a socket; -ENOMEM. */
int joint_new(struct loop *loop, const char *path, int64_t patience_us, const struct joint_calls *calls,
	      struct joint **ret_joint) WARN_UNUSED;
void joint_free(struct joint *joint);
CLEANUP_DEFINE(struct joint *, joint_free)

/* The conversation on this link went well: patience and backoff start anew when it ends. */
void joint_settled(struct joint *joint);

bool joint_is_up(const struct joint *joint);

/* Errors: as link_send. Where any frame but a SUBMIT, a LOG or a COUNTER finds no room, the core does not read, and the link
 * ends. */
int joint_send(struct joint *joint, const struct frame *frame) WARN_UNUSED;

/* For the last words. Blocks: up to `timeout_ms`. */
void joint_flush(struct joint *joint, int timeout_ms);

#endif
