/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_FINISHED_H
#define COAP_CLIENT_FINISHED_H

/*
 * The answers to commands that devices have given lately, by the id of the command: when the core gives a command again, because it
 * does not know that it was carried out, it is answered from here and not carried out twice. Bounded in number, bytes and time. Pure.
 */

#include <tidegate/message.h>

enum { FINISHED_MAX = 1024, FINISHED_PAYLOAD = 4096, FINISHED_BYTES = 1 << 20, FINISHED_US = 600 * 1000000 };

struct finished;

/* Ownership: finished_free. Errors: -ENOMEM. */
int finished_new(struct finished **ret_finished);
void finished_free(struct finished *finished);

/* Remembers an answer; the oldest makes room. Of a payload over FINISHED_PAYLOAD only the code and format are kept. Without memory it
 * is forgotten. */
void finished_add(struct finished *finished, const uint8_t id[TG_ID_SIZE], const struct tg_response *response,
		  int64_t now_us);

/* The answer, lent until the next finished_add; NULL: none is known. */
const struct tg_response *finished_find(const struct finished *finished, const uint8_t id[TG_ID_SIZE], int64_t now_us);

#endif
