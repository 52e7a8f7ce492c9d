/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_RESOURCE_H
#define COAP_RESOURCE_H

/*
 * What a request means to a gateway, and what the gateway's answer looks like on the wire. POST and PUT to any path hand in a
 * reading, PATCH and iPATCH (RFC 8132) do where the device's profile allows them; /.well-known/core says so (RFC 6690). A reading is not kept here as the state of its path: nothing matches If-Match,
 * and If-None-Match always holds. Pure.
 */

#include <tidegate/adapter.h>

#include "links.h"
#include "message.h"

/* Room that resource_encode needs at most. */
enum { RESOURCE_BODY_MAX = 1152 };
/* Room for the text of an answer, all of its pieces together. */
enum { RESOURCE_TEXT_MAX = 512 };
/* Links that there can be in /.well-known/core. */
enum { RESOURCE_LINKS_MAX = 8 };

/* What /.well-known/core lists. */
struct resource_links {
	struct link links[RESOURCE_LINKS_MAX];
	size_t count;
};

/* A reading's address. `path` has the form that message.h of the contract asks for. */
struct resource_reading {
	int32_t content_format;
	size_t path_size;
	char path[TG_PATH_MAX];
};

struct resource_answer {
	uint8_t code;
	uint8_t etag_size; /* 0: none */
	uint64_t etag;
	uint32_t observe; /* MESSAGE_ABSENT: none */
	uint32_t max_age; /* MESSAGE_ABSENT: none, but for what `detail` says */
	uint32_t detail;  /* 2.01: the number in Location-Path, 4.13: Size1, 4.29 and 5.03: Max-Age in seconds */
	uint32_t block1;  /* MESSAGE_ABSENT: none */
	uint32_t block2;
	uint32_t size2;
	uint32_t content_format;
	struct tg_bytes payload; /* or a diagnostic sentence; borrowed */
};

/* An answer with no more than a code, to `message`. */
struct resource_answer resource_answer(const struct coap_message *message, uint8_t code, uint32_t detail,
				       const char *diagnostic);

/* The links that there are always. */
void resource_links_init(struct resource_links *ret_links);
/* One more; its text is lent for as long as the list is in use. Not more than RESOURCE_LINKS_MAX. */
void resource_links_add(struct resource_links *links, const struct link *link);

/* What is wrong with the request whatever its path is, with a sentence in `text`, or 0. */
uint8_t resource_check(const struct coap_message *message, char text[RESOURCE_TEXT_MAX]);
/* The path behind its first `skip` segments. Returns NULL, or what is wrong with it; then *ret_reading is of no use. */
const char *resource_path(const struct coap_message *message, size_t skip, struct resource_reading *ret_reading);
/* The length of the UTF-8 sequence at `data`, 0 where it is none (RFC 3629) or NUL. */
size_t resource_utf8_length(const uint8_t *data, size_t left);
/* Whether it is for /.well-known/core. */
bool resource_is_core(const struct coap_message *message);
/* Whether one of the options with this number has this value (ETag), or, for If-Match, none at all. */
bool resource_names_etag(const struct coap_message *message, uint16_t number, uint64_t etag, size_t size);

/* A list of links that GET asks for: 2.03 where the ETag is known already, else the piece that Block2 names. Ownership: borrows from `whole`. */
struct resource_answer resource_list(const struct coap_message *message, struct tg_bytes whole, uint32_t etag,
				     uint8_t etag_size);

/* Returns true for a reading, false where *ret_answer is the answer already. Only one of both is written.
 * Ownership: the answer borrows from `text`. */
bool resource_request(const struct coap_message *message, const struct resource_links *links,
		      char text[RESOURCE_TEXT_MAX], struct resource_reading *ret_reading,
		      struct resource_answer *ret_answer);

/* A bit of the context: a sentence in the answer is cut to RESOURCE_BRIEF_MAX bytes, as nobody knows who gets it. */
#define RESOURCE_BRIEF (UINT64_C(1) << 40)
enum { RESOURCE_BRIEF_MAX = 64 };
/* What the answer to a reading has to know of its request. */
uint64_t resource_context(const struct coap_message *message);
/* Source: RFC 7252 section 5.9, RFC 7959 section 2.9, RFC 8516. */
struct resource_answer resource_verdict(const struct tg_answer *answer, uint64_t context);

/* Options and payload. Ownership: *ret_body is in `memory`. */
void resource_encode(const struct resource_answer *answer, uint8_t memory[RESOURCE_BODY_MAX],
		     struct tg_bytes *ret_body);

#endif
