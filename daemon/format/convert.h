/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMAT_CONVERT_H
#define FORMAT_CONVERT_H

/*
 * A payload in another notation, where nothing of it is lost: JSON and CBOR, SenML in JSON and in CBOR (RFC 8428), and SenML as the plain
 * JSON or CBOR that it is. What one of them cannot say is not converted: bytes, tags, infinities, and keys that are no text have no
 * JSON. Content formats are the numbers of the CoAP registry. Pure, for the core and for adapters.
 */

#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

enum { CONVERT_MOST = 4 };

/* The content formats that a payload of this one may be had in: itself first, then what is nearest to it. Returns how many. */
size_t convert_formats(int32_t from, int32_t ret_formats[CONVERT_MOST]);

/* `from` and `to` are different ones of such a list. Ownership: free `ret_payload->data`. Errors: -EBADMSG: the payload is broken, or says
 * what the other notation cannot; -EMSGSIZE: longer than `limit` bytes; -ENOTSUP; -ENOMEM. */
int convert_payload(int32_t from, int32_t to, struct tg_bytes payload, size_t limit, struct tg_bytes *ret_payload);

#endif
