/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coap_rig.h"

enum { MS = 1000, S = 1000000 };

/* The folder with the certificates, made once. */
static char folder[] = "/tmp/tidegate-test-XXXXXX";

static const char make_certificates[] =
	"cd '%s' && exec >log 2>&1 && set -e\n"
	"key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; chmod 600 $1.key; }\n"
	"issue() { key $2; openssl req -new -key $2.key -subj /CN=$2 -out $2.csr; openssl x509 -req -in $2.csr -CA "
	"$1.crt "
	"-CAkey $1.key -set_serial $3 -days 2 -out $2.crt; }\n"
	"for ca in ca stranger; do key $ca; openssl req -new -x509 -key $ca.key -subj /CN=$ca -days 2 -out $ca.crt; "
	"done\n"
	"issue ca gateway 1; issue ca device-9 2; issue ca nobody 3; issue stranger outside 4\n";

static void set_file(const char *setting, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	mock_set(rig, setting, path);
}

static void set_credentials(void)
{
	set_file("certificate", "gateway.crt");
	set_file("key", "gateway.key");
	set_file("trust", "ca.crt");
}

static void setup(void)
{
	rig_setup();
	rig->virtual_time = true;
}

/* Whether a reading goes through. */
static void assert_reading(struct sensor *sensor, uint16_t id, const char *device)
{
	size_t place = rig->n_submissions;

	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, id, "a", "1");
	ck_assert(MOCK_UNTIL(rig, rig->n_submissions > place, 5000));
	ck_assert_str_eq(rig->submissions[place].device, device);
	mock_accept(rig, rig->submissions[place].token);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CHANGED, id);
}

START_TEST(strangers_do_not_get_in)
{
	rig_begin();
	ck_assert_ptr_null(sensor_psk("sensor-1", "another key, 16b"));
	ck_assert_int_eq(mock_counter(rig, "failed_wrong_key"), 1);
	ck_assert_ptr_null(sensor_psk("nobody", RIG_KEY));
	ck_assert_int_eq(mock_counter(rig, "failed_unknown"), 1);
	ck_assert_int_eq(mock_counter(rig, "sessions"), 0);
	ck_assert_int_eq(mock_counter(rig, "half_open"), 0);
	ck_assert_uint_eq(mock_logged(rig, "handshake with 127.0.0.1:"), 2);
	struct sensor *sensor = sensor_psk("sensor-1", RIG_KEY);
	assert_reading(sensor, 1, "device-1");
	ck_assert_int_eq(mock_counter(rig, "handshakes"), 1);
	sensor_free(sensor);
}
END_TEST

START_TEST(certificates_and_keys_on_one_port)
{
	set_credentials();
	mock_enroll(rig, "device-9", "device-9", (struct tg_bytes){0});
	rig_begin();
	struct sensor *certified = sensor_certificate(folder, "device-9");
	ck_assert_ptr_nonnull(certified);
	struct sensor *keyed = sensor_psk("sensor-1", RIG_KEY);
	ck_assert_ptr_nonnull(keyed);
	assert_reading(certified, 1, "device-9");
	assert_reading(keyed, 1, "device-1");
	ck_assert_ptr_null(sensor_certificate(folder, "outside"));
	ck_assert_int_eq(mock_counter(rig, "failed_certificate"), 1);
	ck_assert_ptr_null(sensor_certificate(folder, "nobody"));
	ck_assert_int_eq(mock_counter(rig, "failed_unknown"), 1);
	ck_assert_int_eq(mock_counter(rig, "sessions"), 2);
	sensor_free(certified);
	sensor_free(keyed);
}
END_TEST

START_TEST(without_the_core_nobody_gets_in)
{
	rig_begin();
	rig->lookup_error = -ENOTCONN;
	ck_assert_ptr_null(sensor_psk("sensor-1", RIG_KEY));
	ck_assert_int_eq(mock_counter(rig, "failed_other"), 1);
	rig->lookup_error = 0;
	struct sensor *sensor = sensor_psk("sensor-1", RIG_KEY);
	assert_reading(sensor, 1, "device-1");
	sensor_free(sensor);
}
END_TEST

START_TEST(a_revoked_device_is_put_out_at_once)
{
	rig_begin();
	struct sensor *first = sensor_psk("sensor-1", RIG_KEY);
	struct sensor *second = sensor_psk("sensor-2", RIG_KEY);
	sensor_request(first, MESSAGE_CON, MESSAGE_POST, 1, "a", "1");
	ck_assert(MOCK_UNTIL(rig, rig->n_submissions == 1, 5000));
	mock_forget(rig, "sensor-1");
	ck_assert(sensor_is_ended(first));
	ck_assert_int_eq(mock_counter(rig, "sessions"), 1);
	ck_assert_int_eq(mock_counter(rig, "ended_here"), 1);
	mock_accept(rig, rig->submissions[0].token);
	assert_reading(second, 1, "device-2");
	ck_assert_ptr_null(sensor_psk("sensor-1", RIG_KEY));
	sensor_free(first);
	sensor_free(second);
}
END_TEST

START_TEST(a_silent_session_ends)
{
	mock_set(rig, "idle_s", "100");
	rig_begin();
	struct sensor *sensor = sensor_psk("sensor-1", RIG_KEY);
	mock_advance(rig, 99 * S);
	assert_reading(sensor, 1, "device-1");
	mock_advance(rig, 99 * S);
	ck_assert(!sensor_is_ended(sensor));
	mock_advance(rig, 2 * S);
	ck_assert(sensor_is_ended(sensor));
	ck_assert_int_eq(mock_counter(rig, "ended_idle"), 1);
	sensor_free(sensor);
}
END_TEST

START_TEST(sessions_are_bounded)
{
	mock_set(rig, "sessions", "2");
	rig_begin();
	struct sensor *first = sensor_psk("sensor-1", RIG_KEY);
	struct sensor *second = sensor_psk("sensor-2", RIG_KEY);
	assert_reading(first, 1, "device-1");
	assert_reading(second, 1, "device-2");
	ck_assert_int_eq(mock_counter(rig, "sessions"), 2);
	ck_assert(sensor_is_left_alone("sensor-3", RIG_KEY));
	ck_assert_int_ge(mock_counter(rig, "failed_limit"), 1);
	mock_set(rig, "sessions", "3");
	ck_assert_int_eq(mock_reload(rig), 0);
	struct sensor *third = sensor_psk("sensor-3", RIG_KEY);
	assert_reading(third, 1, "device-3");
	sensor_free(first);
	sensor_free(second);
	sensor_free(third);
}
END_TEST

/* One device does not take the place of all others, even if it never says that it goes. */
START_TEST(sessions_of_a_device_are_bounded)
{
	enum { MOST = 4 };
	struct sensor *sensors[MOST + 1];

	mock_set(rig, "sessions", "5");
	rig_begin();
	for (unsigned i = 0; i <= MOST; i++)
		sensors[i] = sensor_psk("sensor-1", RIG_KEY);
	ck_assert_int_eq(mock_counter(rig, "sessions"), MOST);
	ck_assert_int_eq(mock_counter(rig, "ended_here"), 1);
	ck_assert(sensor_is_ended(sensors[0]));
	struct sensor *other = sensor_psk("sensor-2", RIG_KEY);
	ck_assert_ptr_nonnull(other);
	assert_reading(other, 1, "device-2");
	for (unsigned i = 1; i <= MOST; i++)
		assert_reading(sensors[i], 1, "device-1");
	mock_set(rig, "sessions", "6");
	mock_set(rig, "sessions_a_device", "1");
	ck_assert_int_eq(mock_reload(rig), 0);
	struct sensor *last = sensor_psk("sensor-1", RIG_KEY);
	assert_reading(last, 1, "device-1");
	ck_assert_int_eq(mock_counter(rig, "sessions"), 2);
	for (unsigned i = 0; i <= MOST; i++)
		sensor_free(sensors[i]);
	sensor_free(last);
	sensor_free(other);
}
END_TEST

START_TEST(listeners_do_not_mix)
{
	mock_set(rig, "listen", NULL);
	mock_add(rig, "listen", "coaps://127.0.0.1:0");
	mock_add(rig, "listen", "coaps://127.0.0.1:0");
	rig_begin();
	struct sensor *first = sensor_psk("sensor-1", RIG_KEY);
	rig_use(1);
	struct sensor *second = sensor_psk("sensor-2", RIG_KEY);
	ck_assert_uint_ne(rig_port(0), rig_port(1));
	assert_reading(first, 1, "device-1");
	assert_reading(second, 1, "device-2");
	ck_assert_int_eq(mock_counter(rig, "sessions"), 2);
	sensor_free(first);
	sensor_free(second);
}
END_TEST

START_TEST(a_reload_keeps_sessions)
{
	set_credentials();
	mock_enroll(rig, "device-9", "device-9", (struct tg_bytes){0});
	rig_begin();
	struct sensor *sensor = sensor_certificate(folder, "device-9");
	set_file("trust", "stranger.crt");
	mock_enroll(rig, "outside", "device-8", (struct tg_bytes){0});
	mock_set(rig, "body_bytes", "16");
	ck_assert_int_eq(mock_reload(rig), 0);
	assert_reading(sensor, 1, "device-9");
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 2, "a", "more than 16 bytes");
	ck_assert_int_eq(sensor_expect(sensor, MESSAGE_ACK, MESSAGE_TOO_LARGE, 2)->size1, 16);
	struct sensor *other = sensor_certificate(folder, "outside");
	ck_assert_ptr_nonnull(other);
	assert_reading(other, 1, "device-8");
	ck_assert_ptr_null(sensor_certificate(folder, "device-9"));
	sensor_free(sensor);
	sensor_free(other);
}
END_TEST

START_TEST(a_reload_that_fails_changes_nothing)
{
	set_credentials();
	mock_enroll(rig, "device-9", "device-9", (struct tg_bytes){0});
	rig_begin();
	set_file("certificate", "ca.crt"); /* not of this key */
	mock_set(rig, "body_bytes", "16");
	ck_assert_int_lt(mock_reload(rig), 0);
	ck_assert_uint_ge(mock_logged(rig, "credentials not taken over"), 1);
	struct sensor *sensor = sensor_certificate(folder, "device-9");
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 1, "a", "more than 16 bytes");
	ck_assert(MOCK_UNTIL(rig, rig->n_submissions == 1, 5000));
	sensor_free(sensor);
}
END_TEST

START_TEST(a_stop_answers_what_was_begun)
{
	rig_begin();
	struct sensor *sensor = sensor_psk("sensor-1", RIG_KEY);
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 1, "a", "1");
	ck_assert(MOCK_UNTIL(rig, rig->n_submissions == 1, 5000));
	mock_stop(rig);
	mock_advance(rig, 10 * S);
	ck_assert(!rig->stopped);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_EMPTY, 1);
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 2, "a", "2");
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_UNAVAILABLE, 2);
	ck_assert_uint_eq(rig->n_submissions, 1);
	mock_accept(rig, rig->submissions[0].token);
	mock_settle(rig);
	mock_advance(rig, 10 * MS);
	ck_assert(rig->stopped);
	ck_assert_uint_eq(sensor_receive(sensor)->code, MESSAGE_CHANGED);
	mock_advance(rig, 10 * S); /* says so once */
	sensor_free(sensor);
}
END_TEST

START_TEST(a_stop_does_not_wait_for_who_has_gone)
{
	rig_begin();
	struct sensor *sensor = sensor_psk("sensor-1", RIG_KEY);
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 1, "a", "1");
	ck_assert(MOCK_UNTIL(rig, rig->n_submissions == 1, 5000));
	mock_stop(rig);
	mock_advance(rig, 10 * S);
	ck_assert(!rig->stopped);
	sensor_shut(sensor);
	ck_assert(MOCK_UNTIL(rig, mock_counter(rig, "sessions") == 0, 5000));
	mock_advance(rig, 10 * MS);
	ck_assert(rig->stopped);
	mock_accept(rig, rig->submissions[0].token);
}
END_TEST

START_TEST(a_stop_with_nothing_to_do)
{
	rig_begin();
	struct sensor *sensor = sensor_psk("sensor-1", RIG_KEY);
	mock_stop(rig);
	mock_advance(rig, 10 * MS);
	ck_assert(rig->stopped);
	ck_assert(!sensor_is_ended(sensor)); /* until it is closed */
	sensor_free(sensor);
}
END_TEST

static const struct {
	const char *value;
	const char *line;
} unusable[] = {
	{"coap://127.0.0.1:0", "cannot listen on 'coap://127.0.0.1:0'"},
	{"coaps://localhost:0", "cannot listen on 'coaps://localhost:0'"},
	{"coaps://127.0.0.1:0/path", "cannot listen on"},
	{"coaps://192.0.2.1:0", "Cannot assign requested address"},
	{NULL, "nothing to listen on"},
};

START_TEST(what_cannot_work_is_said_at_the_start)
{
	mock_set(rig, "listen", unusable[_i].value);
	ck_assert_int_lt(mock_open(rig), 0);
	ck_assert_msg(mock_logged(rig, unusable[_i].line) == 1, "%s", unusable[_i].value);
}
END_TEST

static const struct {
	const char *setting;
	const char *value; /* of `folder` */
	const char *line;
} broken[] = {
	{"certificate", NULL, "'certificate' and 'key' belong together"},
	{"key", NULL, "'certificate' and 'key' belong together"},
	{"certificate", "none.crt", "cannot read the file of 'certificate'"},
	{"certificate", "log", "certificate: "},
	{"certificate", "ca.crt", "key: does not belong"},
	{"key", "outside.key", "key: does not belong"},
	{"trust", "log", "trust: "},
};

/* Nobody who has a key is kept out for it, and the certificate is taken in when it is good. */
START_TEST(a_broken_certificate_leaves_the_keys)
{
	mock_enroll(rig, "device-9", "device-9", (struct tg_bytes){0});
	set_credentials();
	if (broken[_i].value)
		set_file(broken[_i].setting, broken[_i].value);
	else
		mock_set(rig, broken[_i].setting, NULL);
	rig_begin();
	ck_assert_msg(mock_logged(rig, broken[_i].line) == 1, "%s: %s", broken[_i].setting, broken[_i].value);
	ck_assert_uint_eq(mock_logged(rig, "devices with certificates cannot connect"), 1);
	ck_assert_int_eq(rig->link, TG_LINK_UP);
	ck_assert_ptr_nonnull(strstr(rig->link_detail, "its certificate cannot be used"));
	struct sensor *sensor = sensor_psk("sensor-1", RIG_KEY);
	ck_assert_ptr_nonnull(sensor);
	assert_reading(sensor, 1, "device-1");
	ck_assert_ptr_null(sensor_certificate(folder, "device-9"));

	set_credentials();
	ck_assert_int_eq(mock_reload(rig), 0);
	ck_assert_ptr_null(strstr(rig->link_detail, "cannot be used"));
	struct sensor *other = sensor_certificate(folder, "device-9");
	ck_assert_ptr_nonnull(other);
	assert_reading(other, 1, "device-9");
	assert_reading(sensor, 2, "device-1");
	sensor_free(sensor);
	sensor_free(other);
}
END_TEST

START_TEST(an_address_in_use_is_no_place_to_listen)
{
	struct mock_host *second = NULL;
	char uri[64];

	rig_begin();
	snprintf(uri, sizeof(uri), "coaps://127.0.0.1:%u", rig_port(0));
	ck_assert_int_eq(mock_host_new(mock_adapter("coap"), &second), 0);
	mock_set(second, "listen", uri);
	ck_assert_int_eq(mock_open(second), -EADDRINUSE);
	ck_assert_uint_eq(mock_logged(second, "Address already in use"), 1);
	ck_assert_uint_eq(mock_logged(rig, "if one of the workers fails"), 0);
	mock_host_free(second);
}
END_TEST

START_TEST(workers_share_an_address)
{
	struct mock_host *second = NULL;
	char uri[64];

	mock_set(rig, "workers", "2");
	rig_begin();
	snprintf(uri, sizeof(uri), "coaps://127.0.0.1:%u", rig_port(0));
	ck_assert_int_eq(mock_host_new(mock_adapter("coap"), &second), 0);
	mock_set(second, "listen", uri);
	mock_set(second, "workers", "2");
	ck_assert_int_eq(mock_open(second), 0);
	ck_assert_uint_eq(mock_logged(second, "if one of the workers fails"), 1);
	mock_host_free(second);
}
END_TEST

int main(void)
{
	char command[2048];
	Suite *suite = suite_create("coap_sessions");
	TCase *tcase = tcase_create("sessions");

	if (!mkdtemp(folder))
		return EXIT_FAILURE;
	snprintf(command, sizeof(command), make_certificates, folder);
	if (system(command) != 0)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tcase, setup, rig_teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, strangers_do_not_get_in);
	tcase_add_test(tcase, certificates_and_keys_on_one_port);
	tcase_add_test(tcase, without_the_core_nobody_gets_in);
	tcase_add_test(tcase, a_revoked_device_is_put_out_at_once);
	tcase_add_test(tcase, a_silent_session_ends);
	tcase_add_test(tcase, sessions_are_bounded);
	tcase_add_test(tcase, sessions_of_a_device_are_bounded);
	tcase_add_test(tcase, listeners_do_not_mix);
	tcase_add_test(tcase, a_reload_keeps_sessions);
	tcase_add_test(tcase, a_reload_that_fails_changes_nothing);
	tcase_add_test(tcase, a_stop_answers_what_was_begun);
	tcase_add_test(tcase, a_stop_does_not_wait_for_who_has_gone);
	tcase_add_test(tcase, a_stop_with_nothing_to_do);
	tcase_add_loop_test(tcase, what_cannot_work_is_said_at_the_start, 0, sizeof(unusable) / sizeof(unusable[0]));
	tcase_add_loop_test(tcase, a_broken_certificate_leaves_the_keys, 0, sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(tcase, an_address_in_use_is_no_place_to_listen);
	tcase_add_test(tcase, workers_share_an_address);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	return failed || system(command) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
