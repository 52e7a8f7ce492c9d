/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_DIAL_H
#define COMMON_DIAL_H

/*
 * A TCP connection, made by a thread of its own, since looking up a name blocks. All addresses of the name are tried in
 * their order, within the time given; a look-up that takes longer is waited for all the same, so that there is never more than
 * one thread.
 */

#include <stdint.h>
#include <tidegate/adapter.h>

struct dial;

/* `fd`: non-blocking, the callee's, or -1, and `cause` (valid for the call) says why. From within only dial_free may be called. */
typedef void dial_done_fn(void *arg, int fd, const char *cause);

/* `name` is copied. Ownership: dial_free. Errors: -ENOMEM, -EAGAIN, -EMFILE. */
int dial_new(const struct tg_host *host, const char *name, uint16_t port, int64_t timeout_us, dial_done_fn *fn,
	     void *arg, struct dial **ret_dial);

/* Accepts NULL. A thread that is still busy is left to itself. */
void dial_free(struct dial *dial);

#endif
