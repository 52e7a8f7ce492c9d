/* SPDX-License-Identifier: Apache-2.0 */

/* Requests for the resource directory. */

#include "server_inside.h"

bool server_is_for_directory(const struct coap *coap, const struct coap_message *message)
{
	return coap->directory && directory_server_takes(message);
}

struct resource_answer server_ask_directory(struct coap *coap, const struct exchange_request *request,
					    const struct server_session *session, struct tg_bytes body,
					    char text[RESOURCE_TEXT_MAX])
{
	struct directory_peer peer;
	char base[LIVE_BASE_MAX];
	if (session->plain) /* a name that nobody has proved is none to register or to tell others of */
		return resource_answer(request->message, MESSAGE_FORBIDDEN, 0, "at coaps:// alone");
	live_directory_peer(session->dtls, base, &peer);
	return directory_server_answer(coap->directory, &peer, request->message, body, text);
}

void server_take_for_directory(struct coap *coap, const struct exchange_request *request,
			       struct server_session *session)
{
	struct tg_bytes body = {.data = NULL};
	char text[RESOURCE_TEXT_MAX];
	if (coap->stopping) {
		server_refuse(coap, request, MESSAGE_UNAVAILABLE, BUSY_MAX_AGE_S, NULL);
		return;
	}
	bool whole = session->plain || !directory_server_wants_body(request->message);
	if (!whole && !server_receive_body(coap, request, session, &body))
		return;
	const struct resource_answer answer = server_ask_directory(coap, request, session, body, text);
	server_reply(coap, request, &answer);
	block_return(coap->blocks, &session->block);
}
