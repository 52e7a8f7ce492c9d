/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_STREAM_H
#define COMMON_STREAM_H

/* A connected socket with TLS on it, or without: bytes in, and bytes out that gather until stream_flush. Never blocks; who
 * has it watches the socket. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <tidegate/adapter.h>

#include "gather.h"
#include "tls.h"

struct stream {
	int fd; /* -1: none yet */
	struct ssl_st *ssl;
	struct ssl_ctx_st *context;
	struct tls *tls;
	struct tls_handshake handshake;
	char *server_name;
	bool wants_write; /* TLS has to write before anything else */
	bool secure;      /* the handshake is over */
	struct gather out;
	uint64_t sent; /* bytes of `out` that the socket has taken */
};

/* `tls`: NULL for none. `server_name`: the name that must stand in the broker's certificate; copied.
 * Ownership: stream_done, which closes `fd`, also where this fails. Errors: -ENOMEM, -EINVAL. */
int stream_init(struct stream *stream, const struct tg_host *host, struct tls *tls, const char *server_name, int fd);
void stream_done(struct stream *stream);

/* Goes on with the handshake. Returns 1 once it is over (without TLS: at once), 0 where it waits for the socket.
 * Errors: -EPIPE: closed by the broker; other negative errno; `handshake.cause` says more, or is empty. */
int stream_handshake(struct stream *stream);

/* Returns how many bytes were read, at least one. Errors: -EAGAIN: nothing there; -EPIPE; others. */
ssize_t stream_read(struct stream *stream, void *data, size_t size);

/* Sends some of it at once; what stands in `out` has to be gone. Returns how many bytes were taken, at least one.
 * Errors: -EAGAIN: the same bytes have to be given again; others. */
ssize_t stream_write(struct stream *stream, const void *data, size_t size);

/* Sends what is in `out`. Returns 0: all of it; 1: the socket takes no more now. Errors: negative errno. */
int stream_flush(struct stream *stream);

/* Says that nothing more will be sent. */
void stream_shut(struct stream *stream);

#endif
