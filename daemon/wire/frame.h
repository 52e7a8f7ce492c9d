/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

/*
 * The frames between the core and an endpoint process.
 *
 * On the wire a frame is: u32 length of what follows, u8 type, then the fields of its struct in order, numbers little-endian
 * in their own size, bytes as u32 length and data. Both ends are of one build or of two builds of one FRAME_VERSION; a
 * HELLO with another version is refused by name. A frame with missing, surplus or too long fields is bad.
 *
 * A conversation: the endpoint says HELLO; the core checks who connects and sends a SOCKET for each that the service
 * manager holds for it, a SETTING for each of the endpoint's settings, the CLOCK and the TICKETS, then CONFIGURED; the endpoint opens its adapter, shuts its sandbox, starts, and says STARTED (or FAILED). From then on
 * SUBMIT is answered by VERDICT, LOOKUP by IDENTITY, DELIVER by DELIVERED or ANSWERED, READ by READING, LIST by some LISTED, KEEP by KEPT and PING by PONG. Behind STARTED the core
 * sends each NOTE that it keeps for the endpoint, then NOTED. At a reload the SETTINGs come again with CONFIGURED, and RELOADED answers. STOP asks the endpoint to finish; it says STOPPED and ends.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/buffer.h"

enum { FRAME_VERSION = 3 };
enum {
	FRAME_NAME_MAX = 64,
	FRAME_TEXT_MAX = 1024,
	FRAME_VALUE_MAX = 4096,
	FRAME_IDENTITY_MAX = 1024,
	FRAME_KEY_MAX = 64,
	FRAME_CERTIFICATE_MAX = 8192,
	FRAME_TICKETS_MAX = 4 /* keys */
};

enum frame_type {
	/* endpoint to core */
	FRAME_HELLO = 1,
	FRAME_STARTED,
	FRAME_FAILED,
	FRAME_SUBMIT,
	FRAME_DELIVERED,
	FRAME_LINK,
	FRAME_LOOKUP,
	FRAME_PONG,
	FRAME_COUNTER,
	FRAME_LOG,
	FRAME_RELOADED,
	FRAME_STOPPED,
	FRAME_SESSION_BEGUN,
	FRAME_SESSION_ENDED,
	FRAME_ANSWERED,
	FRAME_AWAKE,
	FRAME_READ,
	FRAME_READ_END,
	FRAME_LIST,
	FRAME_KEEP,
	/* core to endpoint */
	FRAME_SETTING = 32,
	FRAME_CONFIGURED,
	FRAME_VERDICT,
	FRAME_DELIVER,
	FRAME_IDENTITY,
	FRAME_DEVICE,
	FRAME_PING,
	FRAME_STOP,
	FRAME_REFUSED,
	FRAME_CLOCK,
	FRAME_TICKETS,
	FRAME_NOTICE,
	FRAME_ROUTE,
	FRAME_READING,
	FRAME_LISTED,
	FRAME_KEPT,
	FRAME_NOTE,
	FRAME_NOTED,
	FRAME_SOCKET
};

struct frame_hello {
	uint32_t version;
	uint32_t worker;
	struct tg_bytes endpoint;
};

struct frame_text { /* FAILED, REFUSED: why; NOTICE: JSON; ROUTE: see tg_host.route, one for each before CONFIGURED */
	struct tg_bytes text;
};

struct frame_submit {
	uint64_t token;
	uint8_t id[TG_ID_SIZE];
	int64_t time_wall_us;
	uint8_t kind;
	uint8_t again;  /* sent before over an earlier link, and never answered */
	uint8_t method; /* enum tg_method */
	uint8_t repeated;
	uint32_t expiry_s;
	int32_t content_format;
	struct tg_bytes device;
	struct tg_bytes path;
	struct tg_bytes reply_to;
	struct tg_bytes correlation;
	struct tg_bytes payload;
};

struct frame_delivered {
	uint64_t ticket;
	uint8_t result; /* enum tg_delivery_result */
	struct tg_bytes reason;
};

struct frame_link {
	uint8_t state; /* enum tg_link */
	struct tg_bytes detail;
};

struct frame_lookup {
	uint64_t token;
	uint8_t proof; /* enum tg_proof */
	struct tg_bytes identity;
};

/* PING, PONG: echo; STOP: milliseconds to the deadline; RELOADED: 0, 1 where something has changed that it takes only when it starts, or
 * -errno. */
struct frame_number {
	int64_t number;
};

struct frame_counter {
	uint32_t counter; /* place in tg_adapter.counters */
	int64_t value;    /* since the process started */
};

struct frame_session_begun {
	uint64_t handle;
	uint64_t generation;
	uint8_t proof; /* enum tg_proof */
	struct tg_bytes device;
	struct tg_bytes peer;
	struct tg_bytes version;
	struct tg_bytes cipher;
	struct tg_bytes group;
	struct tg_bytes certificate;
};

struct frame_session_ended {
	uint64_t handle;
};

struct frame_read_end {
	uint64_t number;
};

struct frame_log {
	uint8_t level;
	struct tg_bytes device;
	struct tg_bytes text;
};

struct frame_setting {
	struct tg_bytes name;
	uint32_t index;     /* of a list's entry */
	uint8_t file;       /* 1: names a file, whose descriptor is beside this frame unless there is a file_error */
	int32_t file_error; /* 0, or -errno why the core could not open it */
	struct tg_bytes value;
};

struct frame_socket {
	struct tg_bytes name;
	uint32_t index; /* of a list's entry: the address that the descriptor beside this frame is bound to */
};

struct frame_configured {
	uint32_t heartbeat_ms;
	struct tg_bytes gateway;
	struct tg_bytes site;
	struct tg_bytes adapter;
	struct tg_bytes crypto; /* the policy's name */
};

struct frame_verdict {
	uint64_t token;
	uint8_t verdict; /* enum tg_verdict */
	uint32_t max_age_s;
	uint32_t limit_bytes;
	struct tg_bytes reason;
};

struct frame_deliver {
	uint64_t ticket;
	uint32_t
		round; /* counted up when the core begins again: with one that the adapter has no room for, the rest of its
			   round is refused too, or it would overtake */
	uint8_t id[TG_ID_SIZE];
	int64_t time_wall_us;
	uint8_t kind;
	uint8_t qos;
	uint8_t retain;
	uint32_t expiry_s;
	int32_t content_format;
	struct tg_bytes device;
	struct tg_bytes path;
	struct tg_bytes address;
	struct tg_bytes payload;
	uint8_t method;
	uint8_t outcome;
	uint32_t code;
	uint8_t command[TG_ID_SIZE];
	struct tg_bytes correlation;
};

struct frame_answered {
	uint64_t ticket;
	uint32_t code;
	int32_t content_format;
	struct tg_bytes payload;
};

struct frame_read {
	uint64_t number;
	uint8_t observe;
	struct tg_bytes reader;
	struct tg_bytes device;
	struct tg_bytes path;
};

struct frame_reading {
	uint64_t number; /* of the READ */
	uint8_t verdict;
	uint8_t last;
	int32_t content_format;
	uint64_t etag;
	int64_t time_wall_us;
	uint32_t max_age_s;
	struct tg_bytes payload;
};

struct frame_list {
	uint64_t number;
	uint8_t what; /* enum tg_list */
	uint64_t after;
	struct tg_bytes reader;
	struct tg_bytes behind;
};

struct frame_listed {    /* see struct tg_listed */
	uint64_t number; /* of the LIST */
	uint8_t end;
	uint8_t verdict;
	uint8_t more;
	int32_t content_format;
	uint64_t etag;
	int64_t time_wall_us;
	uint32_t max_age_s;
	uint64_t generation;
	struct tg_bytes device;
	struct tg_bytes path;
};

struct frame_identity {
	uint64_t token;
	uint8_t known;
	uint64_t generation;
	struct tg_bytes device;
	struct tg_bytes key;
};

struct frame_device { /* DEVICE: its key, certificate or state has changed: end its sessions; AWAKE */
	struct tg_bytes device;
};

/* The time of day at a moment of the monotonic clock, which all processes share; it goes on with that clock. */
struct frame_clock {
	int64_t wall_us;
	int64_t at_us;
};

struct frame_keep {
	uint64_t number;
	struct tg_bytes name;
	struct tg_bytes value;
};

struct frame_kept {
	uint64_t number; /* of the KEEP */
	int32_t result;  /* 0 or -errno */
};

struct frame_note {
	struct tg_bytes name;
	struct tg_bytes value;
};

struct frame_noted {
	uint64_t loss; /* see tg_adapter.noted */
};

struct frame_tickets {
	struct tg_bytes keys; /* struct tg_ticket_key, one behind the other */
};

struct frame {
	enum frame_type type;
	union {
		struct frame_hello hello;
		struct frame_text text;
		struct frame_submit submit;
		struct frame_delivered delivered;
		struct frame_link link;
		struct frame_lookup lookup;
		struct frame_number number;
		struct frame_counter counter;
		struct frame_session_begun session_begun;
		struct frame_session_ended session_ended;
		struct frame_answered answered;
		struct frame_read read;
		struct frame_read_end read_end;
		struct frame_reading reading;
		struct frame_list list;
		struct frame_listed listed;
		struct frame_log log;
		struct frame_setting setting;
		struct frame_socket socket;
		struct frame_configured configured;
		struct frame_verdict verdict;
		struct frame_deliver deliver;
		struct frame_identity identity;
		struct frame_device device;
		struct frame_clock clock;
		struct frame_tickets tickets;
		struct frame_keep keep;
		struct frame_kept kept;
		struct frame_note note;
		struct frame_noted noted;
	};
};

/* The most that a frame of any type can take, length included. Units: bytes. */
size_t frame_size_max(void);

/* Appends the frame to `out`. Errors: -EMSGSIZE: a field is longer than its limit; -ENOBUFS or -ENOMEM: no room. On failure
 * `out` is unchanged. */
int frame_encode(const struct frame *frame, struct buffer *out) WARN_UNUSED;

/* Reads the frame at the start of `bytes`. Returns how many bytes it took, 0 where it is not complete yet.
 * Ownership: the frame borrows from `bytes`. Errors: -EBADMSG. */
int frame_decode(struct tg_bytes bytes, struct frame *ret_frame) WARN_UNUSED;

#endif
