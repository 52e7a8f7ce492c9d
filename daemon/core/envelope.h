/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ENVELOPE_H
#define CORE_ENVELOPE_H

/*
 * The gateway's own JSON object around a payload, for consumers that want one message to say all that is known of it:
 *
 *     {"id":"019…","gateway":"hall-3","site":"plant-7","endpoint":"field","device":"pump-1","path":"temp/1",
 *      "time":"2026-05-04T03:02:01.123456Z","format":50,"type":"application/json","encoding":"json","payload":{"t":21.5}}
 *
 * The members stand in this order. "site" is left out where the gateway has none, "format" (the number of the CoAP registry) where
 * the message came without, "type" also where the number is not known here. "encoding" says what "payload" is: "json": the value as it came, byte
 * by byte; "text": a string; "base64": a string with the padded alphabet of RFC 4648 section 4. JSON is what says it is JSON
 * and can be read; text what says that it is JSON, XML, links or text, or nothing at all, and is UTF-8 without NUL.
 */

#include "base/buffer.h"
#include "core/message.h"

/* Where it comes from. Text is lent; `site` is empty where there is none. */
struct envelope_source {
	const char *gateway;
	const char *site;
	const char *endpoint;
};

/* Appends the envelope of the message, whose payload it takes as it is. Errors: -ENOBUFS: the buffer's limit; -EILSEQ: its path is not
 * UTF-8; -ENOMEM. */
int envelope_append(const struct message *message, const struct envelope_source *source,
		    struct buffer *buffer) WARN_UNUSED;

#endif
