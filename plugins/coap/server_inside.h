/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_SERVER_INSIDE_H
#define COAP_SERVER_INSIDE_H

/* What server.c, where requests come in, and the files that take some of them over share. */

#include "coap.h"

/* What a peer is told who comes when nothing can be taken for the moment. */
enum { BUSY_MAX_AGE_S = 5 };

/* What is kept for a session from its first datagram on: one that only stays open costs nothing here. */
struct server_session {
	struct dtls_session *dtls; /* or, for an address at coap://: */
	struct plain_peer *plain;
	struct server_session *next;
	struct server_session *previous;
	struct exchange_peer exchange;
	struct block_peer block;
	struct reader_peer reader;
	struct catalogue_peer catalogues;
	struct command_session commands;
};

/* Whose session it is. */
const char *server_device(const struct coap *coap, const struct server_session *session);

void server_reply(struct coap *coap, const struct exchange_request *request, const struct resource_answer *answer);
void server_refuse(struct coap *coap, const struct exchange_request *request, uint8_t code, uint32_t detail,
		   const char *diagnostic);
/* Returns whether the body is whole; otherwise the request is answered. Ownership: lent until block_return, which the caller calls. */
bool server_receive_body(struct coap *coap, const struct exchange_request *request, struct server_session *session,
			 struct tg_bytes *ret_body);

/* Hands a reading in, and refuses it where that fails. */
void server_submit(struct coap *coap, const struct exchange_request *request, const struct server_session *session,
		   const struct resource_reading *reading, struct tg_bytes payload);

/* server_oscore.c: a protected message is not understood unless the settings have a place for it. */
void server_judge_oscore(const struct coap *coap, struct coap_message *message);
void server_take_oscore(struct coap *coap, const struct exchange_request *request, struct server_session *session);

/* server_catalogue.c */
bool server_is_for_catalogue(const struct coap *coap, const struct coap_message *message);
/* `again`: it was answered before. */
void server_take_for_catalogue(struct coap *coap, const struct exchange_request *request,
			       struct server_session *session, bool again);

/* server_directory.c */
bool server_is_for_directory(const struct coap *coap, const struct coap_message *message);
void server_take_for_directory(struct coap *coap, const struct exchange_request *request,
			       struct server_session *session);
/* The answer alone; it borrows from `text`, and is lent until the next call. */
struct resource_answer server_ask_directory(struct coap *coap, const struct exchange_request *request,
					    const struct server_session *session, struct tg_bytes body,
					    char text[RESOURCE_TEXT_MAX]);

#endif
