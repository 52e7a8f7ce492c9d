/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "texts.h"

enum {
	REQUESTS_MAX = 64,
	REQUEST_SZX = 6,
	REQUEST_STARTS = 3,
	CODE_CONTINUE = 231,
	CODE_UNAUTHORIZED = 401,
	CODE_TOO_LARGE = 413
};

struct request {
	struct request *next;
	uint64_t token;
	uint64_t first_token;
	uint32_t method;
	char *address;
	size_t address_size;
	uint8_t *payload;
	size_t payload_size;
	int32_t format;
	int32_t observe;
	uint8_t etag[STACK_ETAG_MAX];
	size_t etag_size;
	uint8_t echo[STACK_ECHO_MAX]; /* what the device wants to see again; once */
	size_t echo_size;
	size_t offset; /* of the block of the payload on its way */
	uint8_t szx;
	struct stack_message answer; /* of its first block, for what the others do not repeat */
	struct body body;
	unsigned starts;
	int64_t until_us;
	request_done_fn *done;
	void *arg;
};

static size_t block_size(uint8_t szx)
{
	return (size_t)16 << szx;
}

void requests_init(struct requests *requests, const struct tg_host *host)
{
	*requests = (struct requests){.host = host};
	requests->next_token = (uint64_t)stack_random() << 32 | stack_random() | 1;
}

static uint64_t token_new(struct requests *requests)
{
	requests->next_token += 2; /* odd: never 0 */
	return requests->next_token;
}

static void request_free(struct request *request)
{
	body_clear(&request->body);
	free(request->address);
	free(request->payload);
	free(request);
}

static void take_out(struct requests *requests, const struct request *request)
{
	struct request **at = &requests->first;

	while (*at && *at != request)
		at = &(*at)->next;
	if (*at) {
		*at = request->next;
		requests->count--;
	}
}

static void finish(struct requests *requests, struct request *request, enum request_end end,
		   const struct stack_message *message)
{
	take_out(requests, request);
	request->done(request->arg, end, message);
	request_free(request);
}

static void write_payload(const struct request *request, size_t size, struct stack_message *message)
{
	message->format = request->payload_size > 0 ? request->format : TG_FORMAT_NONE;
	message->payload = (struct tg_bytes){.data = request->payload + request->offset, .size = size};
}

/* `next`: the block of the answer to ask for; 0: the request itself, or the next block of it. */
static int send_part(struct requests *requests, const struct request *request, uint32_t next)
{
	bool in_blocks = request->payload_size > block_size(request->szx) || request->offset > 0;
	size_t left = request->payload_size - request->offset;
	size_t part = left > block_size(request->szx) ? block_size(request->szx) : left;
	struct texts_parts parts;
	struct stack_message message = {.code = request->method,
					.token = request->token,
					.observe = -1,
					.format = TG_FORMAT_NONE,
					.parts = &parts};
	int r = texts_split(request->address, request->address_size, &parts);

	if (r < 0)
		return r;
	/* What is asked for is the rest of an answer; that of a FETCH says with each block what is meant (RFC 8132 section 2). */
	if (next > 0) {
		message.block2 = (struct stack_block){.given = true, .number = next, .szx = request->answer.block2.szx};
		if (request->method == TG_METHOD_FETCH && !in_blocks)
			write_payload(request, part, &message);
		return stack_send(requests->session, &message);
	}
	message.observe = request->observe;
	message.etag_size = request->etag_size;
	memcpy(message.etag, request->etag, request->etag_size);
	message.echo_size = request->echo_size;
	memcpy(message.echo, request->echo, request->echo_size);
	write_payload(request, part, &message);
	if (in_blocks) {
		message.block1 = (struct stack_block){.given = true,
						      .more = part < left,
						      .number = (uint32_t)(request->offset >> (request->szx + 4)),
						      .szx = request->szx};
		message.size1 = request->offset == 0 ? (uint32_t)request->payload_size : 0;
	}
	return stack_send(requests->session, &message);
}

static bool keep(const struct tg_bytes *bytes, uint8_t **ret_copy)
{
	uint8_t *copy = malloc(bytes->size + 1);

	if (!copy)
		return false;
	if (bytes->size > 0)
		memcpy(copy, bytes->data, bytes->size);
	copy[bytes->size] = '\0';
	*ret_copy = copy;
	return true;
}

static struct request *request_new(struct requests *requests, const struct request_wish *wish)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	*request = (struct request){.token = wish->token ? wish->token : token_new(requests),
				    .method = wish->method,
				    .address_size = wish->address.size,
				    .payload_size = wish->payload.size,
				    .format = wish->format,
				    .observe = wish->observe,
				    .etag_size = wish->etag_size,
				    .szx = REQUEST_SZX,
				    .starts = 1};
	request->first_token = request->token;
	memcpy(request->etag, wish->etag, wish->etag_size);
	if (!keep(&wish->address, (uint8_t **)&request->address) || !keep(&wish->payload, &request->payload)) {
		request_free(request);
		return NULL;
	}
	return request;
}

static int begin(struct requests *requests, struct request *request, uint32_t next, int64_t until_us,
		 request_done_fn *done, void *arg, struct request **ret_request)
{
	int r;

	request->until_us = until_us;
	request->done = done;
	request->arg = arg;
	r = send_part(requests, request, next);
	if (r < 0) {
		request_free(request);
		return r;
	}
	request->next = requests->first;
	requests->first = request;
	requests->count++;
	if (ret_request)
		*ret_request = request;
	return 0;
}

bool requests_have_room(const struct requests *requests)
{
	return requests->count < REQUESTS_MAX;
}

int requests_begin(struct requests *requests, const struct request_wish *wish, int64_t until_us, request_done_fn *done,
		   void *arg, struct request **ret_request)
{
	if (!requests->session)
		return -ENOTCONN;
	if (!requests_have_room(requests))
		return -ENOBUFS;
	struct request *request = request_new(requests, wish);
	if (!request)
		return -ENOMEM;
	return begin(requests, request, 0, until_us, done, arg, ret_request);
}

static void answer_keep(struct request *request, const struct stack_message *message)
{
	request->answer = *message;
	request->answer.payload = (struct tg_bytes){.data = NULL};
}

static int add_block(struct requests *requests, struct request *request, const struct stack_message *message)
{
	size_t offset = (size_t)message->block2.number << (message->block2.szx + 4);
	struct tg_bytes etag = {.data = message->etag, .size = message->etag_size};

	if (message->block2.more && message->payload.size != block_size(message->block2.szx))
		return -EBADMSG;
	return body_add(&request->body, offset, message->payload, etag, requests->body_bytes);
}

int requests_continue(struct requests *requests, const struct request_wish *wish, const struct stack_message *first,
		      int64_t until_us, request_done_fn *done, void *arg, struct request **ret_request)
{
	if (!requests->session)
		return -ENOTCONN;
	if (!requests_have_room(requests))
		return -ENOBUFS;
	struct request *request = request_new(requests, wish);
	if (!request)
		return -ENOMEM;
	answer_keep(request, first);
	int r = add_block(requests, request, first);
	if (r < 0) {
		request_free(request);
		return r;
	}
	return begin(requests, request, 1, until_us, done, arg, ret_request);
}

void request_forget(struct requests *requests, struct request *request)
{
	if (!request)
		return;
	take_out(requests, request);
	stack_forget(requests->session, request->token);
	request_free(request);
}

uint64_t request_token(const struct request *request)
{
	return request->first_token;
}

/* The device has taken a block of the payload: the next one, of the size that it likes. True: it is on its way. */
static bool send_next(struct requests *requests, struct request *request, const struct stack_message *message)
{
	const struct stack_block *block = &message->block1;

	if (!block->given || request->payload_size <= block_size(request->szx))
		return false;
	if (message->code == CODE_TOO_LARGE && request->offset == 0 && block->szx < request->szx) {
		request->szx = block->szx;
	} else if (message->code == CODE_CONTINUE) {
		request->offset += block_size(request->szx);
		request->szx = block->szx < request->szx ? block->szx : request->szx;
		if (request->offset >= request->payload_size)
			return false;
	} else {
		return false;
	}
	request->token = token_new(requests);
	return send_part(requests, request, 0) >= 0;
}

/* The state of the resource changed while its blocks were fetched (RFC 7959 section 2.4). */
static bool start_again(struct requests *requests, struct request *request)
{
	if (request->starts++ >= REQUEST_STARTS || request->payload_size > 0)
		return false;
	body_clear(&request->body);
	request->answer = (struct stack_message){.code = 0};
	request->observe = -1;
	request->token = token_new(requests);
	return send_part(requests, request, 0) >= 0;
}

static void finish_body(struct requests *requests, struct request *request)
{
	struct stack_message whole = request->answer;

	whole.payload = (struct tg_bytes){.data = request->body.data, .size = request->body.size};
	finish(requests, request, REQUEST_ANSWERED, &whole);
}

static void take_block(struct requests *requests, struct request *request, const struct stack_message *message)
{
	int r;

	if (message->block2.number == 0) {
		body_clear(&request->body);
		answer_keep(request, message);
	}
	r = message->code == request->answer.code ? add_block(requests, request, message) : -EBADMSG;
	if (r == -EMSGSIZE) {
		finish(requests, request, REQUEST_LARGE, &request->answer);
	} else if (r < 0) {
		if (!start_again(requests, request))
			finish(requests, request, REQUEST_BROKEN, NULL);
	} else if (!message->block2.more) {
		finish_body(requests, request);
	} else {
		request->answer.block2 = message->block2;
		request->token = token_new(requests);
		if (send_part(requests, request, message->block2.number + 1) < 0)
			finish(requests, request, REQUEST_LOST, NULL);
	}
}

/* A device that wants to know that the request is fresh gives something to show it by (RFC 9175 section 2.3). */
static bool show_echo(struct requests *requests, struct request *request, const struct stack_message *message)
{
	if (message->code != CODE_UNAUTHORIZED || message->echo_size == 0 || request->echo_size > 0)
		return false;
	request->echo_size = message->echo_size;
	memcpy(request->echo, message->echo, message->echo_size);
	if (request->observe < 0)
		request->token = token_new(requests);
	return send_part(requests, request, 0) >= 0;
}

static struct request *find(const struct requests *requests, uint64_t token)
{
	for (struct request *request = requests->first; request; request = request->next)
		if (request->token == token)
			return request;
	return NULL;
}

bool requests_response(struct requests *requests, const struct stack_message *message)
{
	struct request *request = find(requests, message->token);

	if (!request)
		return false;
	if (send_next(requests, request, message) || show_echo(requests, request, message))
		return true;
	if (message->block2.given && (message->block2.more || message->block2.number > 0))
		take_block(requests, request, message);
	else if (message->payload.size > requests->body_bytes)
		finish(requests, request, REQUEST_LARGE, message);
	else
		finish(requests, request, REQUEST_ANSWERED, message);
	return true;
}

void requests_failed(struct requests *requests, uint64_t token, enum stack_failure failure)
{
	struct request *request = find(requests, token);

	if (request)
		finish(requests, request, failure == STACK_RESET ? REQUEST_RESET : REQUEST_SILENT, NULL);
}

int64_t requests_expire(struct requests *requests, int64_t now_us)
{
	int64_t next_us = 0;

	for (struct request *request = requests->first, *next; request; request = next) {
		next = request->next;
		if (request->until_us <= now_us) {
			stack_forget(requests->session, request->token);
			finish(requests, request, REQUEST_LATE, NULL);
		} else if (next_us == 0 || request->until_us < next_us) {
			next_us = request->until_us;
		}
	}
	return next_us;
}

void requests_end(struct requests *requests, enum request_end end)
{
	while (requests->first)
		finish(requests, requests->first, end, NULL);
}
