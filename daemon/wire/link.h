/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_LINK_H
#define WIRE_LINK_H

/*
 * One end of the unix socket between the core and an endpoint process: whole frames in, whole frames out, in order.
 *
 * What is sent in one turn of the loop leaves as one write; what one read brings is handed out frame by frame. Both
 * directions are bounded. A frame that cannot be decoded, or is longer than its type allows, ends the link: the peer
 * is broken or hostile. Descriptors travel beside the frame that they belong to (FRAME_SETTING and FRAME_SOCKET only).
 */

#include <stddef.h>

#include "base/loop.h"
#include "wire/frame.h"

struct link;

/* One frame has come. Its bytes are borrowed for the call. `fd` is -1 or a descriptor that came with it; the callee owns
 * it. A negative return ends the link with that reason. The link may be freed from within. */
typedef int link_frame_fn(void *arg, const struct frame *frame, int fd);

/* The link has ended: 0 when the peer closed it, else a negative errno (-EBADMSG: bad frame). Nothing is called after it. */
typedef void link_closed_fn(void *arg, int reason);

/* Ownership: `fd` (non-blocking, SOCK_STREAM) belongs to the link, also on failure. Units: `out_limit` in bytes. */
int link_new(struct loop *loop, int fd, size_t out_limit, link_frame_fn *on_frame, link_closed_fn *on_closed, void *arg,
	     struct link **ret_link) WARN_UNUSED;
void link_free(struct link *link);

/* Queues one frame; it leaves at the end of this turn. Errors: -ENOBUFS: over the limit, nothing was queued; -EMSGSIZE;
 * -ENOTCONN: the link has ended. */
int link_send(struct link *link, const struct frame *frame) WARN_UNUSED;

/* As link_send, with a descriptor beside the frame. Ownership: `fd` is closed in any case. */
int link_send_fd(struct link *link, const struct frame *frame, int fd) WARN_UNUSED;

/* Bytes that wait to be written. */
size_t link_pending(const struct link *link);

/* Writes now what waits; for the last words before an exit. Blocks: up to `timeout_ms`. */
void link_flush(struct link *link, int timeout_ms);

#endif
