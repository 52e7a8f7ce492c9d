/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_LOOP_H
#define HYPERCAT_LOOP_H

/*
 * libevent's loop inside the host's. What libevent waits for stands in one epoll descriptor, which the host watches: when that is
 * readable there is something to do, and libevent does it without waiting. libevent has no call that tells this descriptor; it is the one
 * that its making has opened, and loop_new proves that it is by an event which must make it readable, and refuses to go on where it is not.
 * Timeouts of libevent need no precision here: the loop is run some times a second while it has any. Work that libevent puts off to its next
 * turn, and work that is begun from outside of it, is done behind everything that is ready already.
 */

#include <tidegate/adapter.h>

struct event_base;
struct loop;

/* Errors: -ENOMEM; -ENOSYS: libevent does not work as it did. */
int loop_new(const struct tg_host *host, struct loop **ret_loop);
void loop_free(struct loop *loop); /* accepts NULL; all events are gone before */

struct event_base *loop_base(struct loop *loop);

/* Begins, behind the sandbox. */
int loop_start(struct loop *loop);

/* Something was done to libevent's objects from outside of their callbacks. */
void loop_touch(struct loop *loop);

#endif
