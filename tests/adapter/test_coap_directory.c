/* SPDX-License-Identifier: Apache-2.0 */

/* The resource directory of the adapter, over DTLS: its methods and codes, bodies in pieces, who may do what, expiry in virtual time. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coap_rig.h"

enum { LINK_FORMAT = 40, SECOND_US = 1000000 };

static struct sensor *sensor;
static uint16_t id;
static char text[4096];
static char location[64];

static void setup(void)
{
	rig_setup();
	rig->virtual_time = true;
	mock_set(rig, "directory", "true");
}

static void begin(void)
{
	rig_begin();
	sensor = sensor_psk("sensor-1", RIG_KEY);
	ck_assert_ptr_nonnull(sensor);
}

static void teardown(void)
{
	sensor_free(sensor);
	sensor = NULL;
	rig_teardown();
}

static void write_pieces(struct message_writer *writer, uint16_t number, const char *pieces, char between)
{
	const char marks[] = {between, '\0'};

	while (*pieces) {
		size_t size = strcspn(pieces, marks);

		message_write_option(writer, number, (struct tg_bytes){pieces, size});
		pieces += size + (pieces[size] == between);
	}
}

struct extra {
	uint32_t format; /* MESSAGE_ABSENT: none, as the others */
	uint32_t accept;
	uint32_t block1;
	uint32_t block2;
};

static const struct extra none = {MESSAGE_ABSENT, MESSAGE_ABSENT, MESSAGE_ABSENT, MESSAGE_ABSENT};
static const struct extra links = {LINK_FORMAT, MESSAGE_ABSENT, MESSAGE_ABSENT, MESSAGE_ABSENT};

static void send_request(uint8_t code, const char *uri, const struct extra *extra, const char *payload)
{
	uint8_t wire[1400];
	char path[256];
	struct message_writer writer;
	const char *query = strchr(uri, '?');

	snprintf(path, sizeof(path), "%.*s", (int)strcspn(uri, "?"), uri);
	message_writer_init(&writer, wire, sizeof(wire));
	message_write_header(&writer, MESSAGE_CON, code, ++id, (struct tg_bytes){0});
	write_pieces(&writer, MESSAGE_URI_PATH, path, '/');
	if (extra->format != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_CONTENT_FORMAT, extra->format);
	write_pieces(&writer, MESSAGE_URI_QUERY, query ? query + 1 : "", '&');
	if (extra->accept != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_ACCEPT, extra->accept);
	if (extra->block2 != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_BLOCK2, extra->block2);
	if (extra->block1 != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_BLOCK1, extra->block1);
	message_write_payload(&writer, (struct tg_bytes){payload, payload ? strlen(payload) : 0});
	ck_assert(!writer.failed);
	sensor_send(sensor, (struct tg_bytes){wire, writer.size});
}

/* The next message; its payload is in `text`, and its location in `location`. */
static const struct coap_message *receive(void)
{
	const struct coap_message *message = sensor_receive(sensor);
	struct message_walk walk;
	struct message_option option;

	snprintf(text, sizeof(text), "%.*s", (int)message->payload.size,
		 message->payload.size ? (const char *)message->payload.data : "");
	location[0] = '\0';
	message_walk_init(&walk, message);
	while (message_option_next(&walk, &option))
		if (option.number == MESSAGE_LOCATION_PATH)
			snprintf(location + strlen(location), sizeof(location) - strlen(location), "/%.*s",
				 (int)option.value.size, (const char *)option.value.data);
	return message;
}

/* The code of the answer. */
static uint8_t ask(uint8_t code, const char *uri, const struct extra *extra, const char *payload)
{
	send_request(code, uri, extra, payload);
	const struct coap_message *message = receive();
	ck_assert_int_eq(message->type, MESSAGE_ACK);
	ck_assert_uint_eq(message->id, id);
	return message->code;
}

static void add(const char *query, const char *payload)
{
	char uri[256];

	snprintf(uri, sizeof(uri), "rd?%s", query);
	ck_assert_uint_eq(ask(MESSAGE_POST, uri, &links, payload), MESSAGE_CREATED);
}

static const char *find(const char *uri)
{
	ck_assert_uint_eq(ask(MESSAGE_GET, uri, &none, NULL), MESSAGE_CONTENT);
	return text;
}

START_TEST(one_process_has_it)
{
	mock_set(rig, "workers", "2");
	ck_assert_int_eq(mock_open(rig), -EINVAL);
	ck_assert_uint_eq(mock_logged(rig, "'directory' needs workers = 1"), 1);
}
END_TEST

START_TEST(off_by_default)
{
	mock_set(rig, "directory", "false");
	begin();
	rig->accept_all = true;
	ck_assert_uint_eq(ask(MESSAGE_GET, ".well-known/core?rt=core.rd*", &none, NULL), MESSAGE_CONTENT);
	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(ask(MESSAGE_POST, "rd?ep=device-1", &links, "</x>"), MESSAGE_CHANGED);
	ck_assert_str_eq(rig->submissions[0].path, "rd");
}
END_TEST

/* RFC 9176 section 4.3. */
START_TEST(it_is_discovered)
{
	begin();
	ck_assert_str_eq(find(".well-known/core?rt=core.rd*"),
			 "</rd>;rt=\"core.rd\";ct=40,</rd-lookup/ep>;rt=\"core.rd-lookup-ep\";ct=40,"
			 "</rd-lookup/res>;rt=\"core.rd-lookup-res\";ct=40");
	ck_assert_str_eq(find(".well-known/core?rt=core.rd"), "</rd>;rt=\"core.rd\";ct=40");
}
END_TEST

/* RFC 9176 section 5, with the device's own name. */
START_TEST(a_registration)
{
	begin();
	add("ep=device-1&lt=500&base=coap://a.example", "</sensors/temp>;rt=temperature-c;if=sensor");
	ck_assert_str_eq(location, "/rd/1");
	ck_assert_int_eq(mock_counter(rig, "registrations"), 1);
	ck_assert_str_eq(find("rd-lookup/res?ep=device-1"),
			 "<coap://a.example/sensors/temp>;rt=temperature-c;if=sensor");
	ck_assert_str_eq(find("rd-lookup/ep"), "</rd/1>;ep=device-1;base=\"coap://a.example\";rt=core.rd-ep");
	ck_assert_str_eq(find("rd-lookup/res?rt=other"), "");
	ck_assert_uint_eq(ask(MESSAGE_POST, "rd/1?base=coap://b.example", &none, NULL), MESSAGE_CHANGED);
	ck_assert_str_eq(find("rd-lookup/res"), "<coap://b.example/sensors/temp>;rt=temperature-c;if=sensor");
	ck_assert_uint_eq(ask(MESSAGE_DELETE, "rd/1", &none, NULL), MESSAGE_DELETED);
	ck_assert_uint_eq(ask(MESSAGE_DELETE, "rd/1", &none, NULL), MESSAGE_NOT_FOUND);
	ck_assert_int_eq(mock_counter(rig, "registrations"), 0);
	ck_assert_uint_eq(rig->n_submissions, 0);
}
END_TEST

START_TEST(a_repeat_is_answered_the_same)
{
	begin();
	add("", "</x>");
	ck_assert_str_eq(location, "/rd/1");
	id--;
	send_request(MESSAGE_POST, "rd?", &links, "</x>");
	ck_assert_uint_eq(receive()->code, MESSAGE_CREATED);
	ck_assert_str_eq(location, "/rd/1");
	ck_assert_int_eq(mock_counter(rig, "repeats"), 1);
	char first[sizeof(text)];
	snprintf(first, sizeof(first), "%s", find("rd-lookup/res"));
	id--;
	ck_assert_str_eq(find("rd-lookup/res"), first);
	ck_assert_int_eq(mock_counter(rig, "repeats"), 2);
}
END_TEST

/* What is not given is taken from the session. */
START_TEST(name_and_base_of_the_session)
{
	begin();
	add("", "</x>");
	ck_assert_ptr_nonnull(strstr(find("rd-lookup/ep"), "</rd/1>;ep=device-1;base=\"coaps://127.0.0.1:"));
	ck_assert_ptr_nonnull(strstr(find("rd-lookup/res"), "<coaps://127.0.0.1:"));
}
END_TEST

START_TEST(names_of_others)
{
	begin();
	add("", "</x>");
	sensor_free(sensor);
	sensor = sensor_psk("sensor-2", RIG_KEY);
	ck_assert_uint_eq(ask(MESSAGE_POST, "rd?ep=device-1", &links, "</y>"), MESSAGE_FORBIDDEN);
	ck_assert_uint_eq(ask(MESSAGE_POST, "rd/1?lt=60", &none, NULL), MESSAGE_FORBIDDEN);
	ck_assert_uint_eq(ask(MESSAGE_DELETE, "rd/1", &none, NULL), MESSAGE_FORBIDDEN);
	ck_assert_ptr_nonnull(strstr(find("rd-lookup/res"), "/x>"));
}
END_TEST

START_TEST(it_expires)
{
	begin();
	add("lt=60", "</x>");
	mock_advance(rig, INT64_C(60) * SECOND_US - 1);
	ck_assert_int_eq(mock_counter(rig, "registrations"), 1);
	mock_advance(rig, 1);
	ck_assert_int_eq(mock_counter(rig, "registrations"), 0);
	ck_assert_str_eq(find("rd-lookup/res"), "");
	ck_assert_uint_eq(ask(MESSAGE_POST, "rd/1", &none, NULL), MESSAGE_NOT_FOUND);
}
END_TEST

START_TEST(who_is_revoked_is_forgotten)
{
	begin();
	add("", "</x>");
	mock_forget(rig, "sensor-1");
	ck_assert_int_eq(mock_counter(rig, "registrations"), 0);
}
END_TEST

START_TEST(methods_and_places)
{
	static const struct {
		uint8_t method;
		const char *uri;
		uint8_t code;
	} rows[] = {
		{MESSAGE_GET, "rd", MESSAGE_METHOD_NOT_ALLOWED},
		{MESSAGE_PUT, "rd", MESSAGE_METHOD_NOT_ALLOWED},
		{MESSAGE_FETCH, "rd-lookup/ep", MESSAGE_METHOD_NOT_ALLOWED},
		{MESSAGE_GET, "rd/1", MESSAGE_METHOD_NOT_ALLOWED},
		{MESSAGE_PUT, "rd/1", MESSAGE_METHOD_NOT_ALLOWED},
		{MESSAGE_IPATCH, "rd/1", MESSAGE_METHOD_NOT_ALLOWED},
		{MESSAGE_POST, "rd-lookup/res", MESSAGE_METHOD_NOT_ALLOWED},
		{MESSAGE_POST, ".well-known/rd?ep=device-1", MESSAGE_METHOD_NOT_ALLOWED},
		{MESSAGE_GET, "rd-lookup", MESSAGE_NOT_FOUND},
		{MESSAGE_GET, "rd-lookup/gp", MESSAGE_NOT_FOUND},
		{MESSAGE_POST, "rd/x", MESSAGE_NOT_FOUND},
		{MESSAGE_POST, "rd/1/2", MESSAGE_NOT_FOUND},
		{MESSAGE_POST, "rd/4294967296", MESSAGE_NOT_FOUND},
		{MESSAGE_POST, "rd/2", MESSAGE_NOT_FOUND},
		{MESSAGE_POST, "rd?lt=0", MESSAGE_BAD_REQUEST},
		{MESSAGE_GET, "rd-lookup/res?page=1", MESSAGE_BAD_REQUEST},
	};

	begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(ask(rows[i].method, rows[i].uri, &none, NULL) == rows[i].code, "%s", rows[i].uri);
	ck_assert_uint_eq(rig->n_submissions, 0);
}
END_TEST

START_TEST(formats)
{
	const struct extra text_plain = {0, MESSAGE_ABSENT, MESSAGE_ABSENT, MESSAGE_ABSENT};
	const struct extra json = {MESSAGE_ABSENT, 50, MESSAGE_ABSENT, MESSAGE_ABSENT};
	const struct extra wanted = {MESSAGE_ABSENT, LINK_FORMAT, MESSAGE_ABSENT, MESSAGE_ABSENT};

	begin();
	ck_assert_uint_eq(ask(MESSAGE_POST, "rd", &text_plain, "</x>"), MESSAGE_UNSUPPORTED_FORMAT);
	ck_assert_uint_eq(ask(MESSAGE_POST, "rd", &none, "</x>"), MESSAGE_UNSUPPORTED_FORMAT);
	ck_assert_uint_eq(ask(MESSAGE_POST, "rd", &links, "</x> "), MESSAGE_BAD_REQUEST);
	ck_assert_ptr_nonnull(strstr(text, "behind a link there has to be ','"));
	ck_assert_uint_eq(ask(MESSAGE_POST, "rd", &none, NULL), MESSAGE_CREATED);
	ck_assert_uint_eq(ask(MESSAGE_GET, "rd-lookup/ep", &json, NULL), MESSAGE_NOT_ACCEPTABLE);
	ck_assert_uint_eq(ask(MESSAGE_GET, "rd-lookup/ep", &wanted, NULL), MESSAGE_CONTENT);
	ck_assert_uint_eq(ask(MESSAGE_POST, "rd/1", &links, "</x>"), MESSAGE_BAD_REQUEST);
}
END_TEST

START_TEST(limits)
{
	mock_set(rig, "directory_registrations", "2");
	mock_set(rig, "directory_links", "2");
	mock_set(rig, "directory_bytes", "64");
	begin();
	ck_assert_uint_eq(ask(MESSAGE_POST, "rd", &links, "</1>,</2>,</3>"), MESSAGE_TOO_LARGE);
	ck_assert_uint_eq(ask(MESSAGE_POST, "rd?base=coap://h", &links,
			      "</1234567890123456789012345678901234567890123456789012345>"),
			  MESSAGE_TOO_LARGE);
	add("d=a", "</1>");
	add("d=b", "</1>");
	send_request(MESSAGE_POST, "rd?d=c", &links, "</1>");
	const struct coap_message *message = receive();
	ck_assert_uint_eq(message->code, MESSAGE_UNAVAILABLE);
	ck_assert_int_eq(sensor_option(message, MESSAGE_MAX_AGE), 60);
	mock_set(rig, "directory_registrations", "3");
	ck_assert_int_eq(mock_reload(rig), 0);
	add("d=c", "</1>");
	ck_assert_int_eq(mock_counter(rig, "registrations"), 3);
}
END_TEST

START_TEST(in_pieces)
{
	char body[2000] = "</0>", whole[8192] = "", piece[65];
	bool more = true;

	for (int i = 1; i < 60; i++)
		snprintf(body + strlen(body), sizeof(body) - strlen(body), ",</sensors/%d>;ct=0", i);
	begin();
	for (uint32_t number = 0; more; number++) {
		const size_t at = number * 64;
		more = strlen(body) - at > 64;
		const struct extra extra = {LINK_FORMAT, MESSAGE_ABSENT, number << 4 | (more ? 8u : 0) | 2,
					    MESSAGE_ABSENT};
		snprintf(piece, sizeof(piece), "%.64s", body + at);
		ck_assert_uint_eq(ask(MESSAGE_POST, "rd?base=coap://h", &extra, piece),
				  more ? MESSAGE_CONTINUE : MESSAGE_CREATED);
	}
	ck_assert_str_eq(location, "/rd/1");
	int64_t etag = -1;
	more = true;
	for (uint32_t number = 0; more; number++) {
		const struct extra extra = {MESSAGE_ABSENT, MESSAGE_ABSENT, MESSAGE_ABSENT,
					    number ? number << 4 | 6 : MESSAGE_ABSENT};
		send_request(MESSAGE_GET, "rd-lookup/res", &extra, NULL);
		const struct coap_message *message = receive();
		ck_assert_uint_eq(message->code, MESSAGE_CONTENT);
		ck_assert_uint_eq(message->block2 >> 4, number);
		if (number)
			ck_assert_int_eq(sensor_option(message, MESSAGE_ETAG), etag);
		etag = sensor_option(message, MESSAGE_ETAG);
		more = message->block2 & 8;
		snprintf(whole + strlen(whole), sizeof(whole) - strlen(whole), "%s", text);
	}
	ck_assert_ptr_nonnull(strstr(whole, "<coap://h/0>,<coap://h/sensors/1>;ct=0,"));
	ck_assert_ptr_nonnull(strstr(whole, ",<coap://h/sensors/59>;ct=0"));
	ck_assert_uint_eq(strlen(whole), strlen(body) + 60 * strlen("coap://h"));
}
END_TEST

START_TEST(not_without_dtls)
{
	mock_set(rig, "insecure", "true");
	mock_set(rig, "insecure_device", "device-1");
	mock_set(rig, "listen", "coap://127.0.0.1:0");
	rig_begin();
	sensor = sensor_plain();
	ck_assert_str_eq(find(".well-known/core?rt=core.rd*"), "");
	ck_assert_uint_eq(ask(MESSAGE_POST, "rd", &links, "</x>"), MESSAGE_FORBIDDEN);
	ck_assert_uint_eq(ask(MESSAGE_GET, "rd-lookup/res", &none, NULL), MESSAGE_FORBIDDEN);
	ck_assert_int_eq(mock_counter(rig, "registrations"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_directory");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, one_process_has_it);
	tcase_add_test(tcase, off_by_default);
	tcase_add_test(tcase, it_is_discovered);
	tcase_add_test(tcase, a_registration);
	tcase_add_test(tcase, a_repeat_is_answered_the_same);
	tcase_add_test(tcase, name_and_base_of_the_session);
	tcase_add_test(tcase, names_of_others);
	tcase_add_test(tcase, it_expires);
	tcase_add_test(tcase, who_is_revoked_is_forgotten);
	tcase_add_test(tcase, methods_and_places);
	tcase_add_test(tcase, formats);
	tcase_add_test(tcase, limits);
	tcase_add_test(tcase, in_pieces);
	tcase_add_test(tcase, not_without_dtls);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
