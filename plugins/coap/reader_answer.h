/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_READER_ANSWER_H
#define COAP_READER_ANSWER_H

/*
 * What a reader asks for, and what the answer looks like: GET /readings/DEVICE/PATH, where "readings" is the prefix of the settings, is the
 * last reading that DEVICE handed in at PATH. Pure.
 */

#include "reader_snapshot.h"
#include "resource.h"

enum { READER_PREFIX_MAX = 64, READER_ETAGS_MAX = 4 };

/* What the request says beside the path. Entity tags that cannot be ours, and more than a few, are left out: then the whole reading
 * is sent. */
struct reader_wishes {
	uint32_t accept; /* MESSAGE_ABSENT: any */
	uint32_t block2; /* MESSAGE_ABSENT: none */
	bool size2;
	bool observe;       /* wants to be told of what comes later */
	bool none_match;    /* If-None-Match */
	bool matches;       /* If-Match was there: */
	bool matches_any;   /* without a tag */
	unsigned n_etags;   /* of ETag */
	unsigned n_matches; /* of If-Match */
	uint64_t etags[READER_ETAGS_MAX];
	uint64_t match[READER_ETAGS_MAX];
	uint64_t context; /* of resource_context */
};

/* Whether the message asks for something below `prefix`, segments with '/' between them; "" is no prefix. */
bool reader_is_asked(const struct coap_message *message, const char *prefix);
/* Whether it asks for `prefix` itself. */
bool reader_is_folder(const struct coap_message *message, const char *prefix);

/* Its device and path; only where reader_is_asked. Returns 0, or what to answer with: 4.00, with a sentence in *ret_problem, or
 * 4.04 where no device is named. Ownership: `*ret_device` borrows from the message. */
uint8_t reader_address(const struct coap_message *message, const char *prefix, struct tg_bytes *ret_device,
		       struct resource_reading *ret_path, const char **ret_problem);

void reader_wishes_read(const struct coap_message *message, struct reader_wishes *ret_wishes);

/* Any piece but the first is wanted. */
static inline bool reader_wants_piece(const struct reader_wishes *wishes)
{
	return wishes->block2 != MESSAGE_ABSENT && wishes->block2 >> 4 > 0;
}

/* 2.05, 2.03 where the reader has it already, 4.06, 4.12, or 4.00 for a piece that there is not.
 * Ownership: the answer borrows from `content`. Source: RFC 7252 sections 5.10.4 to 5.10.8, RFC 7959 section 2.4. */
struct resource_answer reader_answer(const struct reader_content *content, const struct reader_wishes *wishes,
				     int64_t now_us);
/* A notification: 2.05 with the whole or its first piece, whatever tags the request named. */
struct resource_answer reader_notification(const struct reader_content *content, const struct reader_wishes *wishes,
					   int64_t now_us);
/* For everything but TG_ACCEPTED. */
struct resource_answer reader_refusal(uint32_t verdict, uint32_t max_age_s, const struct reader_wishes *wishes);

/* No more than a code. */
struct resource_answer reader_answer_plain(uint8_t code);

/* Whether the answer holds no more than a part of the reading. */
bool reader_is_piece(const struct resource_answer *answer);

#endif
