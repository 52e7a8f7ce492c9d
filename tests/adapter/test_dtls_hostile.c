/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapter/dtls_server.h"
#include "coap/dtls_cookie.h"
#include "coap/dtls_record.h"

static struct server server;

static void setup(void)
{
	server_start(NULL, NULL, &server);
	srand(7);
}

static void teardown(void)
{
	server_stop(&server);
}

static struct client *sensor(const char *identity)
{
	struct client_options options = {.port = dtls_port(server.dtls), .identity = identity, .key = SERVER_KEY};
	struct client *client;

	client_new(&options, &client);
	return client;
}

struct hello {
	uint8_t bytes[512];
	size_t size;
};

static bool keep_hello(void *arg, uint8_t *datagram, size_t *size)
{
	struct hello *hello = arg;

	ck_assert_uint_le(*size, sizeof(hello->bytes));
	memcpy(hello->bytes, datagram, *size);
	hello->size = *size;
	return false;
}

static void get_hello(struct hello *ret_hello)
{
	struct client *client = sensor("sensor-1");

	client->options.filter = keep_hello;
	client->options.filter_arg = ret_hello;
	client_step(client);
	ck_assert(dtls_record_is_hello((struct tg_bytes){ret_hello->bytes, ret_hello->size}));
	client_free(client);
}

static int spoof(unsigned i)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010000u + i)};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(dtls_port(server.dtls))};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

START_TEST(nothing_is_kept_without_a_cookie)
{
	enum { SPOOFED = 1000, WARM = 100 };
	struct hello hello;
	uint8_t answer[512];
	size_t memory = 0;

	get_hello(&hello);
	for (unsigned i = 0; i < SPOOFED; i++) {
		int fd = spoof(i);
		ssize_t n = -1;

		ck_assert_int_eq(send(fd, hello.bytes, hello.size, 0), (ssize_t)hello.size);
		for (unsigned turn = 0; turn < 1000 && n < 0; turn++) {
			mock_turn(server.mock, 1000);
			n = recv(fd, answer, sizeof(answer), 0);
		}
		/* HelloVerifyRequest; smaller than what asked for it. */
		ck_assert_int_eq(n, DTLS_RECORD_HEADER + 12 + 3 + DTLS_COOKIE_SIZE);
		ck_assert_uint_eq(answer[DTLS_RECORD_HEADER], 3);
		close(fd);
		if (i == WARM)
			memory = mallinfo2().uordblks;
	}
	ck_assert_uint_eq(dtls_half_open(server.dtls) + dtls_sessions(server.dtls), 0);
	if (memory > 0)
		ck_assert_uint_le(mallinfo2().uordblks, memory);
}
END_TEST

/* A cookie is good for its address alone. */
START_TEST(stolen_cookie_opens_nothing)
{
	struct client *client = sensor("sensor-1");
	struct hello hello;

	client->options.filter = keep_hello;
	client->options.filter_arg = &hello;
	client_step(client);
	client_raw(client, hello.bytes, hello.size);
	SERVER_UNTIL(&server, client, client->received == 1);
	int fd = spoof(1);
	ck_assert_int_eq(send(fd, hello.bytes, hello.size, 0), (ssize_t)hello.size);
	server_settle(&server, NULL);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 0);
	client_raw(client, hello.bytes, hello.size);
	SERVER_UNTIL(&server, client, dtls_half_open(server.dtls) == 1);
	close(fd);
	client_free(client);
}
END_TEST

static bool drop(void *arg, uint8_t *datagram, size_t *size)
{
	(void)arg;
	(void)datagram;
	(void)size;
	return false;
}

static bool mutate(void *arg, uint8_t *datagram, size_t *size)
{
	(void)arg;
	for (unsigned i = 0, n = (unsigned)rand() % 4; i < n; i++)
		datagram[(size_t)rand() % *size] = (uint8_t)rand();
	if (rand() % 8 == 0)
		*size = 1 + (size_t)rand() % *size;
	return rand() % 8 != 0;
}

/* Handshakes with bytes changed, cut and lost on the way; an honest session beside them does not notice. */
START_TEST(mutated_handshakes)
{
	enum { HANDSHAKES = 1000, STEPS = 12 };
	struct client *honest = sensor("sensor-1");

	ck_assert(server_connect(&server, honest));
	for (unsigned i = 0; i < HANDSHAKES; i++) {
		struct client *client = sensor("sensor-2");

		client->options.filter = mutate;
		client->options.separate = i % 2;
		for (unsigned step = 0; step < STEPS && !client_step(client); step++)
			mock_turn(server.mock, 0);
		client_free(client);
		if (dtls_half_open(server.dtls) > 10 || dtls_sessions(server.dtls) > 90)
			mock_advance(server.mock, server_limits.handshake_us);
		if (dtls_sessions(server.dtls) > 50)
			dtls_close_device(server.dtls, (struct tg_bytes){"sensor-2", 8});
		if (i % 100 == 0)
			server_echo(&server, honest, "21.5");
	}
	server_echo(&server, honest, "21.5");
	client_free(honest);
}
END_TEST

START_TEST(random_datagrams)
{
	struct client *client = sensor("sensor-1"), *nobody = sensor("sensor-2");
	uint8_t bytes[3000];

	ck_assert(server_connect(&server, client));
	nobody->options.filter = drop;
	for (unsigned i = 0; i < 20000; i++) {
		size_t size = (size_t)rand() % (i % 100 == 0 ? sizeof(bytes) : 100);

		for (size_t j = 0; j < size; j++)
			bytes[j] = (uint8_t)rand();
		if (size > 13 && i % 2) /* looks like a record */
			memcpy(bytes, (uint8_t[]){(uint8_t)(20 + i % 4), 0xfe, 0xfd, 0, (uint8_t)(i % 3 == 0)}, 5);
		client_raw(i % 4 < 2 ? client : nobody, bytes, size);
		mock_turn(server.mock, 0);
	}
	server_settle(&server, client);
	ck_assert_uint_gt(server.failed[DTLS_END_REASONS], 1000);
	server_echo(&server, client, "21.5");
	ck_assert_uint_eq(dtls_sessions(server.dtls), 1);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 0);
	client_free(client);
	client_free(nobody);
}
END_TEST

static const char *const suites[] = {"PSK-AES128-CCM8:@SECLEVEL=0", "PSK-AES128-GCM-SHA256",
				     "ECDHE-PSK-CHACHA20-POLY1305", "ECDHE-PSK-AES128-CBC-SHA256:@SECLEVEL=0"};

/* From the peer's own address, as everybody on the way can. */
static void forge(struct client *client, unsigned type, unsigned epoch, size_t size)
{
	uint8_t record[1200];

	for (size_t i = 0; i < sizeof(record); i++)
		record[i] = (uint8_t)rand();
	/* The sequence number is above those that were used. */
	const uint8_t header[DTLS_RECORD_HEADER] = {(uint8_t)type,
						    0xfe,
						    0xfd,
						    0,
						    (uint8_t)epoch,
						    0,
						    0,
						    1,
						    0,
						    (uint8_t)rand(),
						    (uint8_t)rand(),
						    (uint8_t)(size >> 8),
						    (uint8_t)size};
	memcpy(record, header, sizeof(header));
	client_raw(client, record, sizeof(header) + size);
}

START_TEST(forged_records_leave_a_session_alone)
{
	struct client_options options = {
		.port = dtls_port(server.dtls), .identity = "sensor-1", .key = SERVER_KEY, .suites = suites[_i]};
	struct client *client;

	client_new(&options, &client);
	ck_assert(server_connect(&server, client));
	server_echo(&server, client, "before");
	for (unsigned i = 0; i < 1000; i++) {
		forge(client, 19 + i % 6, (i / 6) % 3, (size_t)(i < 500 ? rand() % 300 : rand() % 50));
		server_turn(&server, &client, 1);
		ck_assert_msg(dtls_sessions(server.dtls) == 1, "%u: type %u, epoch %u", i, 19 + i % 6, (i / 6) % 3);
	}
	server_echo(&server, client, "after");
	ck_assert_uint_eq(dtls_sessions(server.dtls), 1);
	ck_assert_uint_eq(server.received, 2);
	client_free(client);
}
END_TEST

static Suite *hostile_suite(void)
{
	Suite *suite = suite_create("dtls hostile");
	TCase *hostile = tcase_create("hostile");

	tcase_add_checked_fixture(hostile, setup, teardown);
	tcase_set_timeout(hostile, 300);
	tcase_add_test(hostile, nothing_is_kept_without_a_cookie);
	tcase_add_test(hostile, stolen_cookie_opens_nothing);
	tcase_add_test(hostile, mutated_handshakes);
	tcase_add_test(hostile, random_datagrams);
	tcase_add_loop_test(hostile, forged_records_leave_a_session_alone, 0, sizeof(suites) / sizeof(suites[0]));
	suite_add_tcase(suite, hostile);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(hostile_suite());

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
