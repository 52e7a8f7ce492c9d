/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_MESSAGE_H
#define TIDEGATE_MESSAGE_H

/*
 * The unit that passes through the gateway, as an adapter sees it.
 *
 * A sensor's reading is a message: the adapter that took it in from an authenticated device submits it, the core
 * gives it to another adapter as a delivery, and that adapter reports what became of it. Both structs borrow every
 * byte they point to: they are valid for the call they are passed to and no longer. Text is UTF-8, not terminated.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes: `data` may be NULL where `size` is 0. */
struct tg_bytes {
	const void *data;
	size_t size;
};

enum tg_kind {
	TG_TELEMETRY = 1, /* a reading, from a device */
	TG_COMMAND = 2,   /* a request, to a device */
	TG_RESPONSE = 3,  /* a device's answer to a command */
};

/* Content formats are the numbers of the CoAP registry (RFC 7252 section 12.3); this one says that none was given. */
#define TG_FORMAT_NONE (-1)

/* The media types behind the content formats that sensors use: number, whether it is UTF-8 text, media type. Of the registry
 * "CoAP Content-Formats" (RFC 7252 section 12.3); number 0 says charset=utf-8 as well. */
#define TG_CONTENT_FORMATS(X)                                                                                          \
	X(0, true, "text/plain")                                                                                       \
	X(40, true, "application/link-format")                                                                         \
	X(41, true, "application/xml")                                                                                 \
	X(42, false, "application/octet-stream")                                                                       \
	X(47, false, "application/exi")                                                                                \
	X(50, true, "application/json")                                                                                \
	X(51, true, "application/json-patch+json")                                                                     \
	X(52, true, "application/merge-patch+json")                                                                    \
	X(60, false, "application/cbor")                                                                               \
	X(61, false, "application/cwt")                                                                                \
	X(62, false, "application/multipart-core")                                                                     \
	X(63, false, "application/cbor-seq")                                                                           \
	X(64, true, "application/link-format+json")                                                                    \
	X(65, false, "application/link-format+cbor")                                                                   \
	X(101, false, "application/cose-key")                                                                          \
	X(102, false, "application/cose-key-set")                                                                      \
	X(110, true, "application/senml+json")                                                                         \
	X(111, true, "application/sensml+json")                                                                        \
	X(112, false, "application/senml+cbor")                                                                        \
	X(113, false, "application/sensml+cbor")                                                                       \
	X(114, false, "application/senml-exi")                                                                         \
	X(115, false, "application/sensml-exi")                                                                        \
	X(310, true, "application/senml+xml")                                                                          \
	X(311, true, "application/sensml+xml")                                                                         \
	X(320, true, "application/senml-etch+json")                                                                    \
	X(322, false, "application/senml-etch+cbor")                                                                   \
	X(10000, false, "application/vnd.ocf+cbor")                                                                    \
	X(11542, false, "application/vnd.oma.lwm2m+tlv")                                                               \
	X(11543, true, "application/vnd.oma.lwm2m+json")                                                               \
	X(11544, false, "application/vnd.oma.lwm2m+cbor")

/* Lengths that the core accepts; longer is refused, never cut. Units: bytes. */
#define TG_DEVICE_MAX      255u
#define TG_PATH_MAX        1024u
#define TG_ADDRESS_MAX     4096u
#define TG_PAYLOAD_MAX     (1024u * 1024u)
#define TG_REPLY_MAX       4096u
#define TG_CORRELATION_MAX 1024u
/* Of tg_host.keep: a name and a value in bytes, and notes of one endpoint. */
#define TG_NOTE_NAME_MAX  64u
#define TG_NOTE_VALUE_MAX 256u
#define TG_NOTES_MAX      4096u
#define TG_ID_SIZE        16u

/* What a device asks for, by the numbers of the CoAP registry (RFC 7252 section 12.1.1, RFC 8132). */
enum tg_method {
	TG_METHOD_NONE = 0, /* the standard has no such thing */
	TG_METHOD_GET = 1,
	TG_METHOD_POST = 2,
	TG_METHOD_PUT = 3,
	TG_METHOD_DELETE = 4,
	TG_METHOD_FETCH = 5,
	TG_METHOD_PATCH = 6,
	TG_METHOD_IPATCH = 7
};

/*
 * What a source hands in with tg_host.submit.
 *
 * `device` is the authenticated identity, never a piece of the payload. `path` has its segments separated by '/',
 * without a leading one; inside a segment '%' is written %25 and '/' is written %2F, everything else stands as it
 * came. `token` is the adapter's own number and comes back with the verdict.
 *
 * Whether it is a reading or a command is not the source's to say: it is a command where its route leads to a sink
 * that keeps mailboxes (TG_MAILBOX). The last five members matter to commands, and are empty where the standard has no
 * such thing.
 */
struct tg_submission {
	uint32_t size; /* sizeof(struct tg_submission) of the adapter */
	uint32_t kind; /* enum tg_kind */
	uint64_t token;
	struct tg_bytes device;
	struct tg_bytes path;
	int32_t content_format; /* or TG_FORMAT_NONE */
	struct tg_bytes payload;
	uint32_t method; /* enum tg_method */
	struct tg_bytes
		reply_to; /* where the sender wants the outcome, as an address of this adapter: the MQTT 5 response topic */
	struct tg_bytes correlation; /* goes back with the outcome untouched: the MQTT 5 correlation data */
	uint32_t expiry_s;           /* not to be carried out when it is older; 0: never */
	bool repeated;               /* the peer says that it may have sent this before: DUP of MQTT */
};

/*
 * What a sink is handed in tg_adapter.deliver.
 *
 * `ticket` names this delivery in tg_host.delivered. `id` is the message's UUIDv7 (RFC 9562), the same on every
 * repeat. `address` is built by the route, every captured piece escaped for this adapter (tg_adapter.reserved).
 * `qos`, `retain` and `expiry_s` are the route's wishes; an adapter whose standard has no such thing ignores them.
 *
 * A command (TG_COMMAND, to sinks with TG_MAILBOX alone) is a request to `device`: `method` and `address`, its path and perhaps a
 * query behind '?', are what to ask of it; `id` names the command, and is the same when it is given again because nobody
 * knows whether the device has had it.
 *
 * A response (TG_RESPONSE) says how a command ended: `outcome`, `code` and `command` tell of it, `correlation` is what
 * the command came with, `device` and `path` are those of the command. The payload is the device's, or, where it never
 * answered, a sentence about why.
 */
struct tg_delivery {
	uint32_t size; /* sizeof(struct tg_delivery) of the host */
	uint32_t kind; /* enum tg_kind */
	uint64_t ticket;
	uint8_t id[TG_ID_SIZE];
	int64_t time_wall_us; /* when the gateway took it in, microseconds since 1970 */
	struct tg_bytes device;
	struct tg_bytes path;
	struct tg_bytes address;
	int32_t content_format; /* or TG_FORMAT_NONE */
	struct tg_bytes payload;
	uint32_t expiry_s; /* 0: never; otherwise the seconds left */
	uint8_t qos;       /* 0, 1 or 2 */
	bool retain;
	uint32_t method;             /* TG_COMMAND: enum tg_method, never TG_METHOD_NONE */
	uint32_t outcome;            /* TG_RESPONSE: enum tg_outcome */
	uint32_t code;               /* TG_RESPONSE: see tg_response.code; 0: the device never answered */
	uint8_t command[TG_ID_SIZE]; /* TG_RESPONSE: the id of the command */
	struct tg_bytes correlation; /* TG_RESPONSE: as it came with the command */
};

/* How a command ended; each ends in exactly one of these. */
enum tg_outcome {
	TG_OUTCOME_NONE = 0,
	TG_OUTCOME_DELIVERED = 1, /* the device has answered, whatever it said */
	TG_OUTCOME_REFUSED = 2,   /* not allowed, or not possible: the device did not get it */
	TG_OUTCOME_EXPIRED = 3    /* its time was over before the device has answered */
};

/* What a device said to a command (tg_host.answered). Borrowed. */
struct tg_response {
	uint32_t size;
	uint32_t code;          /* the response code of RFC 7252 section 5.9 as a decimal number: 205 is 2.05 */
	int32_t content_format; /* or TG_FORMAT_NONE */
	struct tg_bytes payload;
};

/* The last reading of a device, for another device that asks (tg_host.read). Borrowed. */
struct tg_reading {
	uint32_t size;
	uint32_t
		verdict; /* enum tg_verdict: TG_ACCEPTED: here it is; TG_NO_ROUTE: there is none; TG_NOT_ALLOWED; TG_UNAVAILABLE */
	bool last;              /* nothing more comes for this token */
	int32_t content_format; /* or TG_FORMAT_NONE */
	struct tg_bytes payload;
	uint64_t etag;        /* another one for each reading, never 0 */
	int64_t time_wall_us; /* when the gateway took it in */
	uint32_t max_age_s;   /* for so long it counts as fresh, from now on */
};

/* What tg_host.list is answered with: an entry, or the end of a page. Borrowed. */
struct tg_listed {
	uint32_t size;
	bool end;
	/* An entry; of a device alone, or of its reading without the payload: */
	struct tg_bytes device; /* at the end of a page of devices: where the next one begins */
	struct tg_bytes path;
	int32_t content_format; /* or TG_FORMAT_NONE */
	uint64_t etag; /* as in struct tg_reading; at the end of a page of readings: where the next one begins */
	int64_t time_wall_us;
	uint32_t max_age_s;
	/* The end: */
	uint32_t verdict; /* enum tg_verdict: TG_ACCEPTED, TG_NOT_ALLOWED, TG_UNAVAILABLE */
	bool more;        /* there is another page */
	uint64_t
		generation; /* another one each time something went out of the list, or the reader may read something else;
				also in another run of the core */
};

/* The one answer that every submission gets. The response codes are those of RFC 7252 section 5.9. */
enum tg_verdict {
	TG_ACCEPTED = 0,      /* 2.04: taken over as far as the route's `ack` asks */
	TG_NO_ROUTE = 1,      /* 4.04 */
	TG_NOT_ALLOWED = 2,   /* 4.03: the device may not do this */
	TG_TOO_LARGE = 3,     /* 4.13, with the limit in Size1 */
	TG_WRONG_FORMAT = 4,  /* 4.15 */
	TG_MALFORMED = 5,     /* 4.00, with a diagnostic */
	TG_TOO_FAST = 6,      /* 4.29 of RFC 8516, with Max-Age */
	TG_FULL = 7,          /* 5.03, with Max-Age: outbox or disk is full */
	TG_UNAVAILABLE = 8,   /* 5.03, with Max-Age: the gateway cannot take it now */
	TG_UNKNOWN_DEVICE = 9 /* 4.01: not enrolled, or revoked */
};

struct tg_answer {
	uint32_t size;          /* sizeof(struct tg_answer) of the host */
	uint32_t verdict;       /* enum tg_verdict */
	uint32_t max_age_s;     /* with TG_TOO_FAST, TG_FULL, TG_UNAVAILABLE: ask again no earlier than this */
	uint32_t limit_bytes;   /* with TG_TOO_LARGE: the largest payload that would be taken */
	struct tg_bytes reason; /* a sentence for the diagnostic payload, may be empty */
};

#endif
