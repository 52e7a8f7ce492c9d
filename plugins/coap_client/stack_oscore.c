/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "stack_internal.h"

/* Compiled against a libcoap that has it, and run with one that was built with it. */

#if HAVE_DECL_COAP_NEW_CLIENT_SESSION_OSCORE

/* From within libcoap, before the message with the number below goes out. */
static int save_number(uint64_t next, void *arg)
{
	sequence_used(arg, next);
	return 1;
}

bool stack_has_oscore(void)
{
	return coap_oscore_is_supported();
}

coap_session_t *oscore_session(coap_context_t *context, const coap_address_t *remote, struct tg_bytes conf,
			       struct sequence *sequence)
{
	coap_oscore_conf_t *parsed = coap_new_oscore_conf((coap_str_const_t){.s = conf.data, .length = conf.size},
							  save_number, sequence, sequence->next);

	return parsed ? coap_new_client_session_oscore(context, NULL, remote, COAP_PROTO_UDP, parsed) : NULL;
}

const char *oscore_refusal(coap_event_t event)
{
	switch ((int)event) {
	case COAP_EVENT_OSCORE_DECRYPTION_FAILURE:
		return "an answer that its keys do not verify";
	case COAP_EVENT_OSCORE_NO_PROTECTED_PAYLOAD:
	case COAP_EVENT_OSCORE_DECODE_ERROR:
		return "a broken answer";
	case COAP_EVENT_OSCORE_NO_SECURITY:
	case COAP_EVENT_OSCORE_NOT_ENABLED:
		return "an answer to no request";
	case COAP_EVENT_OSCORE_INTERNAL_ERROR:
		return "an answer that there is no memory for";
	default:
		return NULL;
	}
}

#else

bool stack_has_oscore(void)
{
	return false;
}

coap_session_t *oscore_session(coap_context_t *context, const coap_address_t *remote, struct tg_bytes conf,
			       struct sequence *sequence)
{
	(void)context;
	(void)remote;
	(void)conf;
	(void)sequence;
	return NULL;
}

const char *oscore_refusal(coap_event_t event)
{
	(void)event;
	return NULL;
}

#endif
