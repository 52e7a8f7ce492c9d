/* SPDX-License-Identifier: Apache-2.0 */

/* Who is connected just now, and by what: for tidegatectl sessions and status. */

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/core_inside.h"

static const char *const proof_names[] = {
	[TG_PROOF_PSK] = "psk", [TG_PROOF_CERTIFICATE] = "certificate", [TG_PROOF_RESUMED] = "ticket"};

struct search {
	const char *device; /* NULL: all */
	json_t *list;
};

static int add_session(void *arg, const struct session *session)
{
	const struct search *search = arg;
	char since[CLOCK_TEXT_SIZE];

	if (search->device && strcmp(search->device, session->device) != 0)
		return 0;
	clock_format(session->begun_wall_us, since);
	json_array_append_new(search->list,
			      json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "endpoint", session->endpoint, "device",
					session->device, "peer", session->peer, "since", since, "version",
					session->version, "cipher", session->cipher, "group", session->group, "proof",
					proof_names[session->proof]));
	return 0;
}

json_t *core_sessions(const struct core *core, const char *device)
{
	struct search search = {device, json_array()};

	sessions_each(core->sessions, add_session, &search);
	return search.list;
}

void core_command_sessions(void *arg, struct control_call *call, const json_t *request)
{
	control_reply(call, core_sessions(arg, json_string_value(json_object_get(request, "device"))));
}
