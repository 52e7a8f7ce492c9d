/* SPDX-License-Identifier: Apache-2.0 */
#include "amqp_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "child.h"

enum { TALKER_SHOWN = 1000 };

struct mock_host *mock;
struct talker peer, rabbit;
uint16_t peer_port;
unsigned rabbit_port, rabbit_plain;

void talker_start(struct talker *talker, const char *const *arguments)
{
	int in[2], out[2];
	pid_t parent = getpid(), pid;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		child_die("no pipes");
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid < 0)
		child_die("no process");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_DFL);
		if (getppid() != parent)
			_exit(1);
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execvp(arguments[0], (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	*talker = (struct talker){.out = {.fd = out[0], .pid = pid}, .in = in[1]};
}

void talker_stop(struct talker *talker)
{
	if (talker->out.pid <= 0)
		return;
	close(talker->in);
	waitpid(talker->out.pid, NULL, 0);
	close(talker->out.fd);
	free(talker->out.text);
	*talker = (struct talker){0};
}

void talker_tell(struct talker *talker, const char *line)
{
	if (dprintf(talker->in, "%s\n", line) < 0)
		child_die("nobody listens to \"%s\"", line);
}

/* The next line with the text behind what was read, or NULL. */
static char *talker_find(struct talker *talker, const char *text)
{
	subscriber_count(&talker->out, text); /* reads what is there */
	for (;;) {
		const char *begin = talker->out.text ? talker->out.text + talker->read : NULL;
		const char *end = begin ? strchr(begin, '\n') : NULL;
		char *line;

		if (!end)
			return NULL;
		talker->read += (size_t)(end - begin) + 1;
		line = strndup(begin, (size_t)(end - begin));
		if (line && strstr(line, text))
			return line;
		free(line);
	}
}

static const char *talker_end(const struct talker *talker)
{
	size_t size = talker->out.size;

	return size == 0 ? "" : talker->out.text + (size > TALKER_SHOWN ? size - TALKER_SHOWN : 0);
}

/* The same, or NULL; also before any test runs. */
static char *talker_wait(struct talker *talker, const char *text, int limit_ms)
{
	int64_t end_us = mock_deadline(limit_ms);
	char *line = talker_find(talker, text);
	bool running = true;

	while (!line && running && (mock && mock->state ? mock_before(mock, end_us) : mock_deadline(0) < end_us)) {
		running = waitpid(talker->out.pid, NULL, WNOHANG) == 0;
		if (!mock || !mock->state)
			usleep(10000);
		line = talker_find(talker, text);
	}
	return line;
}

char *talker_expect(struct talker *talker, const char *text, int limit_ms)
{
	char *line = talker_wait(talker, text, limit_ms);

	ck_assert_msg(line != NULL, "no %s in what ends with:\n%s", text, talker_end(talker));
	return line;
}

void rig_setup(void)
{
	ck_assert_int_eq(mock_host_new(mock_adapter("amqp"), &mock), 0);
	mock_set(mock, "backoff_min_ms", "20");
	mock_set(mock, "backoff_max_s", "1");
}

void rig_teardown(void)
{
	mock_host_free(mock);
	mock = NULL;
	talker_stop(&peer);
}

void rig_set_broker(uint16_t port, bool tls)
{
	if (tls) {
		mock_set(mock, "certificate", broker_file("client.crt"));
		mock_set(mock, "key", broker_file("client.key"));
		mock_set(mock, "trust", broker_file("ca.crt"));
	} else {
		mock_set(mock, "insecure", "true");
	}
	mock_add(mock, "broker", child_text("amqp%s://localhost:%u", tls ? "s" : "", port));
}

static const char *rig_script(const char *name)
{
	const char *source = getenv("TG_SOURCE");

	return child_text("%s/tests/adapter/%s", source ? source : ".", name);
}

void rig_start_peer(bool tls)
{
	char folder[200];
	char *line;

	snprintf(folder, sizeof(folder), "%s", broker_file(""));
	const char *const arguments[] = {"/usr/bin/python3",     "-B", rig_script("amqp_peer.py"), "listen",
					 tls ? folder : "plain", NULL};

	talker_start(&peer, arguments);
	line = talker_expect(&peer, "listening", RIG_SOON_MS);
	peer_port = (uint16_t)rig_number(line, "listening");
	rig_set_broker(peer_port, tls);
	free(line);
}

void rig_begin(void)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_msg(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS), "down: %s", mock->link_detail);
}

void rig_expect_failure(const char *cause)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_msg(MOCK_UNTIL(mock, mock_logged(mock, cause) > 0, RIG_SOON_MS), "wanted \"%s\", told \"%s\"", cause,
		      mock->link_detail);
	ck_assert_int_ne(mock->link, TG_LINK_UP);
	ck_assert_int_eq(mock_counter(mock, "connects"), 0);
}

void rig_tell(const char *command)
{
	char line[1024];

	snprintf(line, sizeof(line), "%s", command);
	for (char *p = line; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	talker_tell(&peer, line);
	rig_expect("\"done\"");
}

void rig_expect(const char *text)
{
	free(talker_expect(&peer, text, RIG_SOON_MS));
}

struct tg_delivery rig_delivery(const char *address, const char *payload)
{
	return (struct tg_delivery){.address = bytes_text(address),
				    .payload = bytes_text(payload),
				    .device = bytes_text("pump-7"),
				    .path = bytes_text("hall/temp"),
				    .content_format = TG_FORMAT_NONE};
}

uint64_t rig_deliver(const char *address, const char *payload)
{
	struct tg_delivery delivery = rig_delivery(address, payload);
	uint64_t ticket = 0;

	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	return ticket;
}

void rig_expect_result(uint64_t ticket, int result)
{
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, RIG_SOON_MS));
	ck_assert_msg(mock_result(mock, ticket) == result, "%d (%s)", mock_result(mock, ticket),
		      mock->tickets[ticket - 1].reason);
}

void rig_expect_reason(uint64_t ticket, const char *text)
{
	rig_expect_result(ticket, TG_REJECTED);
	ck_assert_msg(strstr(mock->tickets[ticket - 1].reason, text) != NULL, "%s", mock->tickets[ticket - 1].reason);
}

void rig_expect_counter(const char *name, int64_t value)
{
	ck_assert_msg(MOCK_UNTIL(mock, mock_counter(mock, name) == value, RIG_SOON_MS), "%s is %lld, not %lld", name,
		      (long long)mock_counter(mock, name), (long long)value);
}

const struct mock_submission *rig_expect_submission(size_t n, const char *path, const char *payload)
{
	ck_assert_msg(MOCK_UNTIL(mock, mock->n_submissions >= n, RIG_SOON_MS), "%zu of %zu", mock->n_submissions, n);
	ck_assert_str_eq(mock->submissions[n - 1].path, path);
	ck_assert_str_eq((const char *)mock->submissions[n - 1].payload, payload);
	return &mock->submissions[n - 1];
}

unsigned rig_number(const char *line, const char *name)
{
	const char *at = strstr(line, child_text("\"%s\": ", name));

	if (!at)
		child_die("no \"%s\" in %s", name, line);
	return (unsigned)strtoul(at + strlen(name) + 4, NULL, 10);
}

static void rig_start_rabbit(void)
{
	char folder[200];
	char *line;

	snprintf(folder, sizeof(folder), "%s", broker_file(""));
	const char *const arguments[] = {"python3", "-B", rig_script("amqp_rabbit.py"), folder, NULL};

	talker_start(&rabbit, arguments);
	line = talker_wait(&rabbit, "\"port\"", RIG_START_MS);
	if (!line)
		child_die("RabbitMQ does not start");
	rabbit_port = rig_number(line, "port");
	rabbit_plain = rig_number(line, "plain");
	free(line);
}

int rig_main(Suite *suite, bool with_rabbit)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	signal(SIGPIPE, SIG_IGN);
	broker_make_pki();
	if (with_rabbit)
		rig_start_rabbit();
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	talker_stop(&rabbit);
	broker_remove_pki();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
