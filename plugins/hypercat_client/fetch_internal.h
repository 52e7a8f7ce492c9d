/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_CLIENT_FETCH_INTERNAL_H
#define HYPERCAT_CLIENT_FETCH_INTERNAL_H

/* What fetch.c (one transfer), fetch_multi.c (libcurl on the host's loop) and fetcher.c (files, names, connections) share. */

#include "common/tls.h"
#include <curl/curl.h>

#include "fetch.h"

enum { FETCH_ETAG = 128, FETCH_TYPE = 128, FETCH_CAUSE = 320 };

/* What the handshakes with one host check; connections refer to it for as long as there are any. */
struct fetch_name {
	struct fetch_name *next;
	struct tls_handshake handshake;
	char name[];
};

/* A connection, or an attempt at one. */
struct fetch_session {
	struct fetch_session *next;
	int fd;
	uint64_t handle; /* 0: the host was not told of it */
	void *ssl;       /* valid while it is in libcurl's hands */
};

/* A socket that libcurl wants to be watched. */
struct fetch_socket {
	struct fetch_socket *next;
	struct fetcher *fetcher;
	struct tg_watch *watch;
};

struct fetcher {
	const struct tg_host *host;
	const struct plan *plan;
	unsigned sessions_gauge;
	uint64_t *numbers;
	CURLM *multi;
	struct tg_timer *timer;
	struct tls *tls;
	char *token; /* NULL: none */
	bool bearer;
	struct fetch_name *names;
	struct fetch_session *sessions;
	struct fetch_socket *sockets;
	struct fetch *fetches;
	int64_t n_sessions;
};

struct fetch {
	struct fetch *next;
	struct fetcher *fetcher;
	struct fetch_name *name;
	CURL *curl;
	struct curl_slist *headers;
	struct curl_slist *resolve;
	fetch_done_fn *done;
	void *arg;
	size_t body_max;
	uint8_t *body;
	size_t size, room;
	size_t header_bytes;
	bool too_large;
	const char *objection; /* to the last address that was tried */
	char address[64];      /* that one */
	char etag[FETCH_ETAG];
	char type[FETCH_TYPE];
	char detail[CURL_ERROR_SIZE];
};

/* fetch_multi.c */
int fetch_multi_new(struct fetcher *fetcher);
void fetch_multi_free(struct fetcher *fetcher);

/* fetch.c: libcurl is done with it */
void fetch_end(struct fetch *fetch, CURLcode code);

/* fetcher.c */
/* NULL: no memory. */
struct fetch_name *fetcher_name(struct fetcher *fetcher, const char *name);
/* False: no memory. */
bool fetcher_opened(struct fetcher *fetcher, int fd);
/* A request goes out on the connection that has this port on our side. */
void fetcher_connected(struct fetcher *fetcher, CURL *curl, int local_port);
void fetcher_closed(struct fetcher *fetcher, int fd);

#endif
