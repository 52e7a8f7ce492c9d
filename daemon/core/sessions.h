/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SESSIONS_H
#define CORE_SESSIONS_H

/*
 * The live sessions of all endpoints with peers that have proved who they are, as the endpoints' processes tell of them: what status,
 * the audit and the watch over certificates read. It decides nothing: a process can lie about its own sessions here, and
 * nobody is let in or kept out for it.
 */

#include <stdint.h>
#include <tidegate/adapter.h>

#include "wire/frame.h"

enum { SESSIONS_MAX = 65536 };

struct sessions;

struct session {
	const char *endpoint;
	uint32_t instance; /* the process, and which of its lives */
	uint32_t generation;
	uint64_t handle;
	uint64_t key_generation; /* tg_session.generation */
	enum tg_proof proof;
	const char *device; /* "" where the peer is none */
	const char *peer;
	const char *version;
	const char *cipher;
	const char *group;           /* "" where there was none */
	struct tg_bytes certificate; /* DER, empty where there is none */
	int64_t begun_wall_us;
};

int sessions_new(struct sessions **ret_sessions) WARN_UNUSED;
void sessions_free(struct sessions *sessions);

/* Takes a session in, in place of an older one of the same handle. `endpoint`, `instance` and `generation` say whose it is; everything is
 * copied. Errors: -EBADMSG: no honest process says this; -ENOBUFS: there are SESSIONS_MAX already; -ENOMEM. */
int sessions_begin(struct sessions *sessions, const char *endpoint, uint32_t instance, uint32_t generation,
		   const struct frame_session_begun *begun, int64_t wall_us,
		   const struct session **ret_session) WARN_UNUSED;
void sessions_end(struct sessions *sessions, uint32_t instance, uint32_t generation, uint64_t handle);
/* The process is gone, or begins anew to tell. */
void sessions_forget(struct sessions *sessions, uint32_t instance);

size_t sessions_count(const struct sessions *sessions);
/* A live session of the device at the endpoint, or NULL. */
const struct session *sessions_of(const struct sessions *sessions, const char *endpoint, struct tg_bytes device);
/* In the order in which they began; ends at the first non-zero return and gives it back. */
int sessions_each(const struct sessions *sessions, int (*fn)(void *arg, const struct session *session), void *arg);

#endif
