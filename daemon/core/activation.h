/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACTIVATION_H
#define CORE_ACTIVATION_H

/*
 * The sockets that the service manager has bound and holds for us (sd_listen_fds(3)): what comes for them while nobody is there to
 * read waits in the kernel. The core keeps them open for as long as it runs, and hands each to the processes of the endpoint that
 * has its address among its `listen`.
 *
 * Several sockets of one address, a group that shares its port (SO_REUSEPORT), are in the order of their names
 * (FileDescriptorName=), and are to be bound in this order: an endpoint with one process gets all of them, of several workers each
 * gets its share.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct activation;

/* Takes what there is over, once, before anything else is started. Errors: -errno; nothing is taken then. */
int activation_new(struct activation **ret_activation) WARN_UNUSED;
void activation_free(struct activation *activation);
CLEANUP_DEFINE(struct activation *, activation_free)

/* The socket at `number` (from 0) of those that are bound to the address of `uri`, such as "coaps://[::]:5684", and of its type; -1:
 * there is no such, or it is no address that sockets are held for. It is in use from then on. Ownership: lent. */
int activation_socket(struct activation *activation, const char *uri, size_t number);

/* Closes those that nobody has asked for, and says so. */
void activation_close_unused(struct activation *activation);

#endif
