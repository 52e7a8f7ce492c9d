/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_BATCH_H
#define BENCH_BATCH_H

/*
 * The network side of thousands of simulated peers on one machine: one UDP socket on the wildcard address, and for each peer an address
 * of its own in 127.0.0.0/8, named with each datagram (IP_PKTINFO). The server sees as many hosts as there are peers, and
 * what they all send and receive moves in batches (sendmmsg, recvmmsg). Used by one thread.
 */

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

struct batch;

enum { BATCH_DATAGRAM_MAX = 4096 };

/* One received datagram. `data` is lent until the function returns, and may be changed. */
typedef void batch_receive_fn(void *arg, uint32_t peer, uint8_t *data, size_t size);

/* "127.0.0.1:5684" (IPv4 only). Errors: -EINVAL. */
int batch_address(const char *text, struct sockaddr_in *ret_address);

/* `source`: the address of peer 0, in 127.0.0.0/8, host byte order; peer i has source + i. Datagrams that do not come from
 * `server` are left out. Errors: -errno of socket and its options; -ERANGE: the peers do not fit into 127.0.0.0/8. */
int batch_new(const struct sockaddr_in *server, uint32_t source, uint32_t peers, struct batch **ret_batch);
void batch_free(struct batch *batch); /* accepts NULL */

/* Queues a copy of one datagram of this peer; a full batch is sent at once. Too large ones are left out. */
void batch_put(struct batch *batch, uint32_t peer, const void *data, size_t size);
void batch_flush(struct batch *batch);

/* The longest wait of batch_receive; it is rounded up to the kernel's tick. Units: microseconds. */
void batch_set_wait(struct batch *batch, int64_t wait_us);

/* Waits for at least one datagram, and hands over what is there, at most one batch. Returns the number of datagrams received, 0
 * after the wait, or when interrupted. `ret_now_us`: when they were received, written before `fn` is called. Errors: -errno of recvmmsg. */
int batch_receive(struct batch *batch, batch_receive_fn *fn, void *arg, int64_t *ret_now_us);
/* The same for what is there already, without a wait. */
int batch_receive_ready(struct batch *batch, batch_receive_fn *fn, void *arg, int64_t *ret_now_us);

#endif
