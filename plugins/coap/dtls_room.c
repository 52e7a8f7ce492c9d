/* SPDX-License-Identifier: Apache-2.0 */

/* Who makes room for a session that has just been established. Only that one may, which has proved who it is: otherwise anybody
 * could put sessions out. */

#include <string.h>

#include "dtls_session.h"

/* Each new session ends more than one where there are too many, so that it becomes fewer after a limit was lowered. */
enum { ROOM_AT_ONCE = 8 };

#define ROOM_QUIET_US INT64_C(300000000)

bool dtls_room_can_be(const struct dtls *dtls)
{
	struct dtls_entry *stale = dtls_table_stale(dtls->table, DTLS_PLACE_ESTABLISHED);

	return stale && dtls_session_of(stale)->heard_us + ROOM_QUIET_US <= dtls_now_us(dtls);
}

/* The one of its device that was not heard for the longest time, if the device has more than it may have; or NULL. */
static struct dtls_session *room_of_device(const struct dtls_session *session)
{
	const char *device = dtls_device(session);
	struct dtls_session *one = dtls_newest(session->dtls, (struct tg_bytes){device, strlen(device)});
	struct dtls_session *quietest = NULL;
	size_t count = 0;

	for (; one; one = dtls_next_older(one), count++) {
		/* Of two that were heard at one time the one that was there first. */
		if (one != session && (!quietest || one->heard_us <= quietest->heard_us))
			quietest = one;
	}
	return count > session->dtls->limits.sessions_a_device ? quietest : NULL;
}

static bool room_is_full(const struct dtls *dtls)
{
	return dtls_table_count(dtls->table, DTLS_PLACE_ESTABLISHED) > dtls->limits.sessions;
}

void dtls_room_make(struct dtls_session *session)
{
	struct dtls *dtls = session->dtls;
	struct dtls_session *other;

	for (unsigned i = 0;
	     i < ROOM_AT_ONCE && session->state == DTLS_ESTABLISHED && (other = room_of_device(session)); i++)
		dtls_session_end(other, DTLS_END_LOCAL, true);
	for (unsigned i = 0; i < ROOM_AT_ONCE && room_is_full(dtls) && dtls_room_can_be(dtls); i++)
		dtls_session_end(dtls_session_of(dtls_table_stale(dtls->table, DTLS_PLACE_ESTABLISHED)), DTLS_END_IDLE,
				 true);
	/* More handshakes were let begin than there are sessions that can go. */
	if (room_is_full(dtls)) {
		dtls_report(dtls, &session->entry.peer, DTLS_END_LIMIT, "too many sessions");
		dtls_session_end(session, DTLS_END_LOCAL, true);
	}
}
