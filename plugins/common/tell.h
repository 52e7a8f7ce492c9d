/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_TELL_H
#define COMMON_TELL_H

/* Tells the host of a connection: whom with and how. */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/adapter.h>

struct ssl_st;

/* One without TLS (`ssl` NULL), or with a broker that nothing is asked of, is not told of: nobody has proved anything there.
 * Returns whether it was told, and its end is to be told as well. */
bool tell_session(const struct tg_host *host, int fd, struct ssl_st *ssl, uint64_t handle);

#endif
