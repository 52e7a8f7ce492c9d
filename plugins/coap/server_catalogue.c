/* SPDX-License-Identifier: Apache-2.0 */

/* Requests for the catalogue of last readings. */

#include "server_inside.h"

bool server_is_for_catalogue(const struct coap *coap, const struct coap_message *message)
{
	char text[RESOURCE_TEXT_MAX];
	return catalogue_server_takes(coap->catalogues, message) && resource_check(message, text) == 0;
}

void server_take_for_catalogue(struct coap *coap, const struct exchange_request *request,
			       struct server_session *session, bool again)
{
	/* A datagram of a forged sender would have the core list everything. */
	if (session->plain)
		server_refuse(coap, request, MESSAGE_FORBIDDEN, 0, "at coaps:// alone");
	else if (coap->stopping)
		server_refuse(coap, request, MESSAGE_UNAVAILABLE, BUSY_MAX_AGE_S, NULL);
	else
		catalogue_server_request(coap->catalogues, &session->catalogues, server_device(coap, session), request,
					 again);
}
