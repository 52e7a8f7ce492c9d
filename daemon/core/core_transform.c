/* SPDX-License-Identifier: Apache-2.0 */

/* What becomes of a message on its way from the router to the outboxes, for each route that takes it. */

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "core/core_inside.h"
#include "core/transform.h"

/* What was made for one route. */
struct core_made {
	struct core_made *next;
	const struct config_route *route;
	struct transform_result result;
};

void core_made_free(struct core_made *made)
{
	while (made) {
		struct core_made *next = made->next;

		transform_done(&made->result);
		free(made);
		made = next;
	}
}

static struct intake_verdict why_not(struct core *core, int error, const struct message *message,
				     const struct transform_result *result)
{
	switch (error) {
	case -EBADMSG:
		memcpy(core->transform_problem, result->problem, sizeof(core->transform_problem));
		return (struct intake_verdict){TG_MALFORMED, 0, 0, core->transform_problem};
	case -ENOTSUP:
		return (struct intake_verdict){TG_WRONG_FORMAT, 0, 0, "this format cannot be transformed"};
	case -EMSGSIZE:
		return (struct intake_verdict){TG_TOO_LARGE, 0, (uint32_t)(message->payload.size / 2),
					       "too large once it is transformed"};
	default:
		return (struct intake_verdict){TG_UNAVAILABLE, 5, 0, "out of memory"};
	}
}

/* Makes what this route asks for, and puts it in front. */
static int make(struct core *core, const struct config_route *route, const struct intake_source *source,
		const struct message *message, struct core_made **made, struct intake_verdict *ret_verdict)
{
	const struct envelope_source origin = {core->config->gateway, core->config->site ? core->config->site : "",
					       source->endpoint};
	struct core_made *one = calloc(1, sizeof(*one));
	int r;

	if (!one) {
		*ret_verdict = why_not(core, -ENOMEM, message, NULL);
		return -ENOMEM;
	}
	one->next = *made;
	one->route = route;
	*made = one;
	r = transform_apply(&route->transform, &origin, message, &one->result);
	if (r < 0)
		*ret_verdict = why_not(core, r, message, &one->result);
	return r;
}

bool core_transform(struct core *core, const struct intake_source *source, const struct message *message,
		    struct router_walk *walk, struct core_made **ret_made, struct intake_verdict *ret_verdict)
{
	struct router_target target;
	int r = 0;

	*ret_made = NULL;
	while (r >= 0 && router_next(walk, &target))
		if (transform_wanted(&target.route->transform))
			r = make(core, target.route, source, message, ret_made, ret_verdict);
	return r >= 0;
}

void core_made_for(const struct core_made *made, const struct config_route *route,
		   const struct message *const **messages, size_t *count)
{
	for (; made; made = made->next) {
		if (made->route != route)
			continue;
		*messages = made->result.messages;
		*count = made->result.count;
	}
}
