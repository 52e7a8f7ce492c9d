/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_REQUEST_H
#define COAP_CLIENT_REQUEST_H

/*
 * Requests to one device that wait for their answers. A payload that is too large for one message goes in blocks, an answer that comes
 * in blocks is put together, both one block after the other and bounded (RFC 7959). Each request ends in exactly one call of its
 * `done`, unless it is forgotten before.
 */

#include "body.h"
#include "stack.h"

struct request;

enum request_end {
	REQUEST_ANSWERED = 1, /* `message` is the answer, its payload whole */
	REQUEST_RESET = 2,    /* the device rejected the message (RST) */
	REQUEST_SILENT = 3,   /* not even acknowledged, however often it was sent */
	REQUEST_LATE = 4,     /* no answer in time */
	REQUEST_LOST = 5,     /* the session ended */
	REQUEST_LARGE = 6,    /* `message` is the answer, but its payload is larger than allowed, and left out */
	REQUEST_BROKEN = 7    /* the blocks of the answer do not fit together */
};

/* Borrowed for the call. `message` may be used where its end says so. */
typedef void request_done_fn(void *arg, enum request_end end, const struct stack_message *message);

struct request_wish { /* borrowed, copied */
	uint32_t method;
	struct tg_bytes address; /* "/path?query" */
	struct tg_bytes payload;
	int32_t format;
	int32_t observe; /* -1: no Observe option */
	uint8_t etag[STACK_ETAG_MAX];
	size_t etag_size;
	uint64_t token; /* 0: a new one */
};

struct requests {
	const struct tg_host *host;
	struct stack_session *session; /* NULL: none, nothing can begin */
	struct request *first;
	size_t count;
	size_t body_bytes; /* longest answer */
	uint64_t next_token;
};

void requests_init(struct requests *requests, const struct tg_host *host);

/* Whether one more can begin. */
bool requests_have_room(const struct requests *requests);

/* Errors: -ENOTCONN, -ENOBUFS: too many wait; -EINVAL: the address; others of sending. `ret_request` may be NULL. */
int requests_begin(struct requests *requests, const struct request_wish *wish, int64_t until_us, request_done_fn *done,
		   void *arg, struct request **ret_request);

/* Fetches the rest of an answer whose first block is here. */
int requests_continue(struct requests *requests, const struct request_wish *wish, const struct stack_message *first,
		      int64_t until_us, request_done_fn *done, void *arg, struct request **ret_request);

/* Its `done` will not be called. Accepts NULL. */
void request_forget(struct requests *requests, struct request *request);

/* The token that it went out with first. */
uint64_t request_token(const struct request *request);

/* False: none of them. */
bool requests_response(struct requests *requests, const struct stack_message *message);
void requests_failed(struct requests *requests, uint64_t token, enum stack_failure failure);

/* Ends those whose time is over. Returns when the next one's is; 0: none waits. */
int64_t requests_expire(struct requests *requests, int64_t now_us);

void requests_end(struct requests *requests, enum request_end end);

#endif
