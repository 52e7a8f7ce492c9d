/* SPDX-License-Identifier: Apache-2.0 */

/* OSCORE of the coap_client adapter, against a device of aiocoap. What is not here is left out, loudly. */

#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "child.h"
#include "coap_client_relay.h"
#include "coap_client_rig.h"

#define SECRET "0102030405060708090a0b0c0d0e0f10"

enum { BODY = 3000 };

static bool is_here(void)
{
	bool here = HAVE_DECL_COAP_NEW_CLIENT_SESSION_OSCORE &&
		    system("python3 -c 'import aiocoap.oscore, cbor2' 2>/dev/null") == 0;

	if (!here)
		fprintf(stderr,
			"SKIPPED: aiocoap with OSCORE, or a libcoap with it, is not here (Debian 13 has both)\n");
	return here;
}

static pid_t start_device(void)
{
	const char *source = getenv("TG_SOURCE");
	const char *arguments[] = {"python3",
				   child_text("%s/tests/adapter/aiocoap_device.py", source ? source : ".."),
				   child_text("%u", server.port),
				   coap_server_file("."),
				   SECRET,
				   NULL};
	int ends[2];
	char word[8];
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = child_start(arguments, ends[1], STDERR_FILENO);
	close(ends[1]);
	ck_assert_int_eq((int)read(ends[0], word, sizeof(word)), 6);
	close(ends[0]);
	return pid;
}

static void set_context(void)
{
	const char *path = coap_server_file("aiocoap.oscore");
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs("[meter-3]\nmaster_secret = " SECRET "\nmaster_salt = 9e7ca92223786340\nsender_id = 01\n"
	      "recipient_id = 02\n",
	      file);
	fclose(file);
	mock_set(mock, "oscore", path);
}

static uint64_t command(uint32_t method, const char *payload, uint8_t id)
{
	const struct tg_delivery delivery = {.kind = TG_COMMAND,
					     .id = {id, 1},
					     .device = bytes_text("meter-3"),
					     .address = bytes_text("/kept"),
					     .content_format = TG_FORMAT_NONE,
					     .payload = bytes_text(payload),
					     .method = method};
	uint64_t ticket = 0;

	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_result(mock, ticket), TG_CONFIRMED);
	return ticket;
}

START_TEST(readings_and_commands)
{
	char entry[64], big[BODY + 1] = "";
	struct relay *relay;
	struct relay_seen seen;
	long last = -1;
	uint64_t ticket;
	pid_t pid;

	if (!is_here())
		return;
	pid = start_device();
	relay = relay_new(server.port);
	set_context();
	snprintf(entry, sizeof(entry), "meter-3 coap://127.0.0.1:%u", relay_port(relay));
	mock_add(mock, "devices", entry);
	mock_add(mock, "observe", "meter-3 /count");
	rig_enroll();
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("count") >= 20, RIG_SOON_MS));
	for (size_t i = 0; i < mock->n_submissions; i++) {
		long value = strtol((const char *)mock->submissions[i].payload, NULL, 10);

		ck_assert_int_gt(value, last);
		last = value;
	}
	ck_assert_int_eq(mock_counter(mock, "observations"), 1);
	memset(big, 'o', BODY);
	ticket = command(TG_METHOD_PUT, big, 1);
	ck_assert_uint_eq(mock->tickets[ticket - 1].code, 204);
	ticket = command(TG_METHOD_GET, "", 2);
	ck_assert_uint_eq(mock->tickets[ticket - 1].code, 205);
	ck_assert_str_eq((const char *)mock->tickets[ticket - 1].payload, big);
	ck_assert_int_eq(mock_counter(mock, "refused_messages"), 0);
	ck_assert_int_eq(mock_counter(mock, "sessions_lost"), 0);
	seen = relay_seen(relay);
	ck_assert_uint_gt(seen.numbers, 5);
	ck_assert_uint_eq(seen.twice + seen.unguarded, 0);
	relay_free(relay);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

static void add_tests(TCase *cases)
{
	tcase_add_test(cases, readings_and_commands);
}

int main(void)
{
	return rig_main("coap client with aiocoap", add_tests);
}
