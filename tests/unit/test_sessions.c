/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/sessions.h"
#include "suite.h"

static struct frame_session_begun sample(uint64_t handle)
{
	return (struct frame_session_begun){.handle = handle,
					    .generation = 17,
					    .proof = TG_PROOF_CERTIFICATE,
					    .device = bytes_text("pump-1"),
					    .peer = bytes_text("[::1]:40000"),
					    .version = bytes_text("DTLSv1.2"),
					    .cipher = bytes_text("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"),
					    .group = bytes_text("x25519"),
					    .certificate = bytes_of("\x30\x00\x01", 3)};
}

static int begin(struct sessions *sessions, uint32_t instance, uint64_t handle)
{
	const struct frame_session_begun begun = sample(handle);
	const struct session *session;

	return sessions_begin(sessions, "field", instance, 1, &begun, 1000, &session);
}

static struct sessions *make(void)
{
	struct sessions *sessions;

	ck_assert_int_eq(sessions_new(&sessions), 0);
	return sessions;
}

static int collect(void *arg, const struct session *session)
{
	char *text = arg;
	size_t size = strlen(text);

	snprintf(text + size, 200 - size, "%u/%llu ", session->instance, (unsigned long long)session->handle);
	return 0;
}

static void assert_there(const struct sessions *sessions, const char *wanted)
{
	char text[200] = "";

	ck_assert_int_eq(sessions_each(sessions, collect, text), 0);
	ck_assert_str_eq(text, wanted);
}

START_TEST(test_keeps_what_was_told)
{
	struct sessions *sessions = make();
	const struct frame_session_begun begun = sample(7);
	const struct session *s;

	ck_assert_int_eq(sessions_begin(sessions, "field", 3, 1, &begun, 1000, &s), 0);
	ck_assert_str_eq(s->endpoint, "field");
	ck_assert_str_eq(s->device, "pump-1");
	ck_assert_str_eq(s->peer, "[::1]:40000");
	ck_assert_str_eq(s->version, "DTLSv1.2");
	ck_assert_str_eq(s->cipher, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8");
	ck_assert_str_eq(s->group, "x25519");
	ck_assert(bytes_equal(s->certificate, begun.certificate));
	ck_assert(s->certificate.data != begun.certificate.data);
	ck_assert_int_eq(s->begun_wall_us, 1000);
	ck_assert_uint_eq(s->instance, 3);
	ck_assert_uint_eq(s->key_generation, 17);
	sessions_free(sessions);
}
END_TEST

START_TEST(test_ends_and_forgets)
{
	struct sessions *sessions = make();

	for (uint64_t handle = 1; handle <= 3; handle++) {
		ck_assert_int_eq(begin(sessions, 1, handle), 0);
		ck_assert_int_eq(begin(sessions, 2, handle), 0);
	}
	assert_there(sessions, "1/1 2/1 1/2 2/2 1/3 2/3 ");
	sessions_end(sessions, 1, 1, 2);
	sessions_end(sessions, 1, 2, 3);  /* another life of that process */
	sessions_end(sessions, 1, 1, 99); /* never begun */
	assert_there(sessions, "1/1 2/1 2/2 1/3 2/3 ");
	ck_assert_int_eq(begin(sessions, 1, 1), 0); /* told again: takes its place, as the newest */
	assert_there(sessions, "2/1 2/2 1/3 2/3 1/1 ");
	sessions_forget(sessions, 2);
	assert_there(sessions, "1/3 1/1 ");
	ck_assert_uint_eq(sessions_count(sessions), 2);
	sessions_free(sessions);
}
END_TEST

START_TEST(test_refuses_what_no_honest_process_says)
{
	struct sessions *sessions = make();
	const struct session *s = NULL;
	struct frame_session_begun begun = sample(1);

	begun.proof = 0;
	ck_assert_int_eq(sessions_begin(sessions, "field", 1, 1, &begun, 0, &s), -EBADMSG);
	begun = sample(1);
	begun.peer = bytes_of("a\0b", 3);
	ck_assert_int_eq(sessions_begin(sessions, "field", 1, 1, &begun, 0, &s), -EBADMSG);
	begun = sample(1);
	begun.device = bytes_text("\xff");
	ck_assert_int_eq(sessions_begin(sessions, "field", 1, 1, &begun, 0, &s), -EBADMSG);
	ck_assert_ptr_null(s);
	ck_assert_uint_eq(sessions_count(sessions), 0);
	sessions_free(sessions);
}
END_TEST

START_TEST(test_is_bounded)
{
	struct sessions *sessions = make();

	for (uint64_t handle = 0; handle < SESSIONS_MAX; handle++)
		ck_assert_int_eq(begin(sessions, 1, handle), 0);
	ck_assert_int_eq(begin(sessions, 1, SESSIONS_MAX), -ENOBUFS);
	ck_assert_int_eq(begin(sessions, 1, 5), 0); /* told again needs no room */
	sessions_end(sessions, 1, 1, 6);
	ck_assert_int_eq(begin(sessions, 1, SESSIONS_MAX), 0);
	sessions_free(sessions);
}
END_TEST

SUITE_MAIN("sessions", test_keeps_what_was_told, test_ends_and_forgets, test_refuses_what_no_honest_process_says,
	   test_is_bounded)
