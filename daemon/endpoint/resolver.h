/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENDPOINT_RESOLVER_H
#define ENDPOINT_RESOLVER_H

/*
 * Name resolution behind the sandbox (TG_NEED_RESOLVE): what the C library would load at the first look-up is loaded before. The
 * sandbox permits files, not names, so when one of the resolver's files is replaced the new one cannot be read: then the
 * endpoint is told, and is to start again.
 */

#include "base/loop.h"

struct resolver;

/* `folder` holds the resolver's files: "/etc". Ownership: `*ret_resolver` ends with resolver_free. */
int resolver_new(struct loop *loop, const char *folder, loop_call_fn *on_changed, void *arg,
		 struct resolver **ret_resolver) WARN_UNUSED;
void resolver_free(struct resolver *resolver);

#endif
