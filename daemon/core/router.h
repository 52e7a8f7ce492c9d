/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ROUTER_H
#define CORE_ROUTER_H

/*
 * Says where a message goes: walks the routes of its source in the order of the configuration, and builds the address for each
 * one that takes it. The first that takes it ends the walk, unless it says `continue`. A route whose pattern
 * matches but whose formats or size limit do not is passed over; where no other takes the message, the refusal names that.
 *
 * Nothing here takes memory for a message; what is handed out lives in the walk.
 */

#include <tidegate/message.h>

#include "core/config.h"

struct router;

/* Holds a reference of the configuration. Errors: -ENOMEM. */
int router_new(struct config *config, struct router **ret_router) WARN_UNUSED;
void router_free(struct router *router);
CLEANUP_DEFINE(struct router *, router_free)

/* What the router has to know of a message. All borrowed. */
struct router_message {
	enum tg_kind kind;
	struct tg_bytes device;
	struct tg_bytes path;
	int32_t content_format; /* or TG_FORMAT_NONE */
	size_t payload_bytes;
	bool sourced; /* `device` is whom it is from, whatever a route says of that */
};

struct router_target {
	const struct config_route *route;
	struct tg_bytes address;
	/* Of a command: whom it is for, what to ask, TG_METHOD_NONE where only the message says it, and where the outcome goes if the
	 * command names no place. */
	struct tg_bytes to_device;
	enum tg_method method;
	struct tg_bytes response;
	/* Whom the message is from, also where the route says so (`source_device`), or, where the source knows no devices and the
	 * route's pattern has {device}, for. */
	struct tg_bytes device;
};

enum router_step {
	ROUTER_TAKES,
	ROUTER_OTHER_PATH,
	ROUTER_OTHER_DEVICE,
	ROUTER_WRONG_FORMAT,
	ROUTER_TOO_LARGE,
	ROUTER_ADDRESS_TOO_LONG,
	ROUTER_NO_DEVICE, /* it makes commands, and names nobody, or no method that exists */
	ROUTER_NO_SOURCE, /* whom it says that the message is from cannot be a device's name */
};

/* The members are the router's own. Can lie on the stack and be used again. */
struct router_walk {
	const struct router *router;
	struct router_message message;
	size_t from;
	size_t next; /* place in the source's list of routes */
	unsigned found;
	bool nameless; /* a route made no name of it */
	enum tg_verdict refusal;
	uint32_t limit_bytes;
	struct pattern_values values;
	char format[12];
	char device[TG_DEVICE_MAX];
	char address[TG_ADDRESS_MAX];
	struct tg_bytes to_device;
	enum tg_method method;
	size_t response_size;
	char device_room[TG_DEVICE_MAX];
	char response[TG_REPLY_MAX];
};

/* Begins a walk for a message of the endpoint at `from` in config.endpoints. What `message` points to must live as long. */
void router_begin(const struct router *router, size_t from, const struct router_message *message,
		  struct router_walk *ret_walk);

/* Whether a route of this source says whom its messages are from; whether one makes commands. */
bool router_names_sources(const struct router *router, size_t from);
bool router_makes_commands(const struct router *router, size_t from);

/* Whom the message is from: what the first route says that takes it and says so, else message.device; written to `room`, which holds
 * TG_DEVICE_MAX bytes, or borrowed from the message. *ret_route: that route, or NULL. Returns false where a route would take it, but
 * makes no name of it that could be a device's. */
bool router_source(const struct router *router, size_t from, const struct router_message *message, char *room,
		   struct tg_bytes *ret_device, const struct config_route **ret_route);

/* The next route that takes the message. `*ret_target` is valid until the next call. Returns false at the end. */
bool router_next(struct router_walk *walk, struct router_target *ret_target);

/* After router_next has returned false at once: why no route takes the message. TG_TOO_LARGE comes with the largest payload
 * that would be taken, TG_WRONG_FORMAT where the path is right, TG_NOT_ALLOWED where the address would be too long, else
 * TG_NO_ROUTE. Returns TG_ACCEPTED where a route took it. */
enum tg_verdict router_refusal(const struct router_walk *walk, uint32_t *ret_limit_bytes);

/* What each route of the source says to the message, for `tidegatectl routes test`. All but the route is empty where it does not take it;
 * `goes`: the message really goes there, no earlier route having ended the walk. */
typedef void router_test_fn(void *arg, const struct router_target *target, enum router_step step, bool goes);
void router_test(const struct router *router, size_t from, const struct router_message *message, router_test_fn *fn,
		 void *arg);

/* "takes it", "another path" … */
const char *router_step_text(enum router_step step);

#endif
