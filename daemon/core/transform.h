/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRANSFORM_H
#define CORE_TRANSFORM_H

/*
 * The stage between router and outbox, for routes that ask for another form of the payload: out of the message that came it makes the
 * messages that go on. They are what is stored, sent and sent again.
 *
 * One message keeps the id of the one that came. Of several, each has an id of its own, made from that id and its place alone: the same on
 * every repeat, in rising order, and never the id of the message that came.
 */

#include "core/config.h"
#include "core/envelope.h"
#include "core/message.h"

enum { TRANSFORM_PROBLEM_SIZE = 192 };

/* What goes on, in order. */
struct transform_result {
	const struct message **messages;
	size_t count;
	char problem[TRANSFORM_PROBLEM_SIZE]; /* why not, in one line */
};

/* Accepts a zeroed one. */
void transform_done(struct transform_result *result);

/* Whether the route changes anything at all. */
bool transform_wanted(const struct config_transform *rule);

/* Whether payloads of this content format can be given the form that is asked for. */
bool transform_takes(const struct config_transform *rule, int32_t format);

/* The content format that results where transform_takes. */
int32_t transform_format(const struct config_transform *rule, int32_t format);

/* Carries it out. Relative times are relative to the time of the message. Ownership: `*ret_result` ends with transform_done, also after a
 * failure. Errors: -EBADMSG: the payload is broken, see `problem`; -ENOTSUP: transform_takes says no; -EMSGSIZE: what results is
 * too large; -ENOMEM. */
int transform_apply(const struct config_transform *rule, const struct envelope_source *source,
		    const struct message *message, struct transform_result *ret_result) WARN_UNUSED;

#endif
