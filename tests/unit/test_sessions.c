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

static uint64_t newest(const struct sessions *sessions, const char *endpoint, const char *device)
{
	const struct session *session = sessions_of(sessions, endpoint, bytes_text(device));

	if (!session)
		return 0;
	ck_assert_str_eq(session->endpoint, endpoint);
	ck_assert_str_eq(session->device, device);
	return session->handle;
}

static void begin_of(struct sessions *sessions, const char *endpoint, const char *device, uint64_t handle)
{
	struct frame_session_begun begun = sample(handle);
	const struct session *session;

	begun.device = bytes_text(device);
	ck_assert_int_eq(sessions_begin(sessions, endpoint, 1, 1, &begun, 1000, &session), 0);
}

START_TEST(test_finds_the_newest_of_a_device)
{
	static const unsigned orders[][3] = {{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}};

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct sessions *sessions = make();
		bool there[4] = {false, true, true, true};

		begin_of(sessions, "field", "pump", 1);
		begin_of(sessions, "field", "valve", 9);
		begin_of(sessions, "field", "pump", 2);
		begin_of(sessions, "field", "", 8); /* a broker is no device */
		begin_of(sessions, "field", "pump", 3);
		for (unsigned k = 0; k < 3; k++) {
			ck_assert_uint_eq(newest(sessions, "field", "pump"), there[3] ? 3 : there[2] ? 2 : 1);
			there[orders[i][k]] = false;
			sessions_end(sessions, 1, 1, orders[i][k]);
		}
		ck_assert_uint_eq(newest(sessions, "field", "pump"), 0);
		ck_assert_uint_eq(newest(sessions, "field", "valve"), 9);
		ck_assert_uint_eq(newest(sessions, "field", ""), 0);
		sessions_free(sessions);
	}
}
END_TEST

START_TEST(test_other_endpoints_are_none_of_its)
{
	struct sessions *sessions = make();

	begin_of(sessions, "field", "pump", 1);
	begin_of(sessions, "yard", "pump", 2); /* says so, and may lie */
	ck_assert_uint_eq(newest(sessions, "field", "pump"), 1);
	ck_assert_uint_eq(newest(sessions, "yard", "pump"), 2);
	ck_assert_uint_eq(newest(sessions, "fiel", "pump"), 0);
	begin_of(sessions, "field", "pump", 1); /* told again: the newest now */
	begin_of(sessions, "field", "pump-1", 3);
	ck_assert_uint_eq(newest(sessions, "field", "pump"), 1);
	sessions_end(sessions, 1, 1, 2);
	ck_assert_uint_eq(newest(sessions, "yard", "pump"), 0);
	sessions_forget(sessions, 1);
	ck_assert_uint_eq(newest(sessions, "field", "pump"), 0);
	sessions_free(sessions);
}
END_TEST

enum { MODEL_HANDLES = 40, MODEL_STEPS = 2000 };

/* What there should be: when each began, 0: it is not there. */
struct model {
	unsigned begun[2][MODEL_HANDLES]; /* by instance */
	const char *endpoint[2][MODEL_HANDLES];
	unsigned device[2][MODEL_HANDLES];
};

static const char *const devices[] = {"a", "b", "a/b", ""};
static const char *const endpoints[] = {"field", "yard"};

static void check_model(const struct sessions *sessions, const struct model *model)
{
	for (unsigned device = 0; device < 4; device++) {
		for (unsigned e = 0; e < 2; e++) {
			const struct session *session =
				sessions_of(sessions, endpoints[e], bytes_text(devices[device]));
			unsigned wanted = 0, found = 0;

			for (unsigned n = 0; n < 2 * MODEL_HANDLES; n++) {
				unsigned i = n % 2, handle = n / 2;

				if (model->begun[i][handle] > wanted && model->device[i][handle] == device &&
				    model->endpoint[i][handle] == endpoints[e])
					wanted = model->begun[i][handle];
			}
			if (session)
				found = model->begun[session->instance][session->handle];
			ck_assert_uint_eq(found, device == 3 ? 0 : wanted);
		}
	}
}

START_TEST(test_random_sessions)
{
	struct sessions *sessions = make();
	struct model model = {.begun = {{0}}};
	uint32_t random = 42;

	for (unsigned step = 1; step <= MODEL_STEPS; step++) {
		unsigned what, instance, handle;

		random = random * 1664525 + 1013904223;
		what = random >> 28;
		instance = random >> 27 & 1;
		handle = (random >> 16) % MODEL_HANDLES;
		if (what < 8) {
			struct frame_session_begun begun = sample(handle);
			const struct session *session;
			unsigned device = (random >> 10) % 4, e = random >> 9 & 1;

			begun.device = bytes_text(devices[device]);
			ck_assert_int_eq(sessions_begin(sessions, endpoints[e], instance, 1, &begun, 1000, &session),
					 0);
			model.begun[instance][handle] = step;
			model.endpoint[instance][handle] = endpoints[e];
			model.device[instance][handle] = device;
		} else if (what < 15 || (random >> 8) % 8) {
			sessions_end(sessions, instance, 1, handle);
			model.begun[instance][handle] = 0;
		} else {
			sessions_forget(sessions, instance);
			memset(model.begun[instance], 0, sizeof(model.begun[instance]));
		}
		check_model(sessions, &model);
	}
	ck_assert_uint_gt(sessions_count(sessions), 0);
	sessions_free(sessions);
}
END_TEST

SUITE_MAIN("sessions", test_keeps_what_was_told, test_ends_and_forgets, test_refuses_what_no_honest_process_says,
	   test_is_bounded, test_finds_the_newest_of_a_device, test_other_endpoints_are_none_of_its,
	   test_random_sessions)
