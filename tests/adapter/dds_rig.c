/* SPDX-License-Identifier: Apache-2.0 */
#include "dds_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

enum { DOMAINS = 229, PORTS = 12, WORDS_MOST = 16 };

struct mock_host *mock;
static struct rig_peer peers[RIG_PEERS_MOST];
static size_t n_peers;
static char domain[8];

static bool is_free(unsigned number)
{
	bool free = true;

	for (unsigned i = 0; i < PORTS && free; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET,
					      .sin_port = htons((uint16_t)(7410 + 250 * number + i))};
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		free = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
		close(fd);
	}
	return free;
}

/* Other tests at the same time keep off it while this socket is bound; it goes with the process. */
static bool reserve(unsigned number)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "tidegate-test-dds-%u", number);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0)
		return true;
	close(fd);
	return false;
}

static void choose_domain(void)
{
	unsigned number = 0;

	for (int tries = 0; tries < 200; tries++) {
		ck_assert(getrandom(&number, sizeof(number), 0) == (ssize_t)sizeof(number));
		number = 1 + number % DOMAINS;
		if (reserve(number) && is_free(number))
			break;
	}
	snprintf(domain, sizeof(domain), "%u", number);
}

void rig_setup(void)
{
	signal(SIGPIPE, SIG_IGN);
	choose_domain();
	n_peers = 0;
	ck_assert_int_eq(mock_host_new(mock_adapter("dds"), &mock), 0);
	mock_set(mock, "domain", domain);
	mock_add(mock, "interfaces", "lo");
	mock_add(mock, "peers", "127.0.0.1");
	mock_add(mock, "topics", "T*");
	mock_set(mock, "insecure", "true");
}

void rig_teardown(void)
{
	for (size_t i = 0; i < n_peers; i++)
		rig_kill(&peers[i]);
	mock_host_free(mock);
}

static const char *build_path(const char *name)
{
	const char *build = getenv("TG_BUILD");

	return child_text("%s/tests/adapter/%s", build ? build : ".", name);
}

static void become(const char *program, char **words, int in, int out)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, 0);
	dup2(out, 1);
	dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2);
	execv(program, words);
	_exit(127);
}

struct rig_peer *rig_peer(const char *program, const char *role, const char *topic, const char *type,
			  const char *options)
{
	const char *path = build_path(program ? program : "dds_peer");
	char *words[WORDS_MOST] = {strdup(path), strdup(domain), strdup(role), strdup(topic), strdup(type)};
	char *copy = strdup(options), *rest = copy, *word;
	struct rig_peer *peer = &peers[n_peers];
	int to[2], from[2];
	size_t n = 5;

	ck_assert_uint_lt(n_peers, RIG_PEERS_MOST);
	n_peers++;
	while ((word = strsep(&rest, " ")) && n < WORDS_MOST - 1)
		if (*word)
			words[n++] = strdup(word);
	ck_assert_int_eq(pipe2(to, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(from, O_CLOEXEC), 0);
	*peer = (struct rig_peer){.in = to[1], .out = from[0]};
	peer->pid = fork();
	ck_assert_int_ge(peer->pid, 0);
	if (peer->pid == 0)
		become(words[0], words, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	fcntl(peer->out, F_SETFL, O_NONBLOCK);
	for (size_t i = 0; i < n; i++)
		free(words[i]);
	free(copy);
	return peer;
}

void rig_say(struct rig_peer *peer, const char *format, ...)
{
	char line[256];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	line[n++] = '\n';
	ck_assert_int_eq(write(peer->in, line, (size_t)n), n);
}

void rig_peek(struct rig_peer *peer)
{
	ssize_t n = read(peer->out, peer->text + peer->size, sizeof(peer->text) - 1 - peer->size);

	if (n > 0)
		peer->size += (size_t)n;
	peer->text[peer->size] = 0;
}

/* The first whole line that begins so. */
static char *find_line(struct rig_peer *peer, const char *line)
{
	for (char *at = peer->text, *end; (end = strchr(at, '\n')); at = end + 1) {
		if (strncmp(at, line, strlen(line)) == 0)
			return at;
		ck_assert_msg(strncmp(at, "failed", 6) != 0, "a peer says: %.*s", (int)(end - at), at);
	}
	return NULL;
}

const char *rig_expect(struct rig_peer *peer, const char *line)
{
	int64_t end_us = mock_deadline(RIG_SOON_MS);
	static char found[1024];
	char *at, *after;

	while (!(at = find_line(peer, line))) {
		if (mock && mock->state)
			mock_turn(mock, 2000);
		else
			usleep(2000);
		rig_peek(peer);
		ck_assert_msg(mock_deadline(0) < end_us, "a peer does not say '%s', but: %s", line, peer->text);
	}
	after = strchr(at, '\n') + 1;
	snprintf(found, sizeof(found), "%.*s", (int)(after - 1 - at), at);
	peer->size -= (size_t)(after - peer->text);
	memmove(peer->text, after, peer->size + 1);
	return found;
}

unsigned rig_count(struct rig_peer *peer, const char *line)
{
	unsigned n = 0;

	rig_peek(peer);
	for (char *at = peer->text, *end; (end = strchr(at, '\n')); at = end + 1)
		n += strncmp(at, line, strlen(line)) == 0;
	return n;
}

void rig_pause(struct rig_peer *peer)
{
	int status;

	kill(peer->pid, SIGSTOP);
	/* Not before: a thread of it may still be about to acknowledge. */
	ck_assert_int_eq(waitpid(peer->pid, &status, WUNTRACED), peer->pid);
	ck_assert(WIFSTOPPED(status));
}

void rig_go_on(struct rig_peer *peer)
{
	kill(peer->pid, SIGCONT);
}

void rig_kill(struct rig_peer *peer)
{
	if (peer->pid <= 0)
		return;
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
	close(peer->in);
	close(peer->out);
	peer->pid = 0;
}

void rig_end(struct rig_peer *peer)
{
	int64_t end_us = mock_deadline(RIG_SOON_MS);

	close(peer->in);
	while (waitpid(peer->pid, NULL, WNOHANG) == 0) {
		mock_turn(mock, 2000);
		ck_assert(mock_deadline(0) < end_us);
	}
	close(peer->out);
	peer->pid = 0;
}

struct rig_peer *rig_writer(const char *type, const char *options)
{
	struct rig_peer *peer = rig_peer(NULL, "write", "T", type, options);

	rig_say(peer, "match 1");
	rig_expect(peer, "matched");
	return peer;
}

void rig_expect_submission(size_t n, const char *path, const char *text_in_payload)
{
	const struct mock_submission *last;

	ck_assert_msg(MOCK_UNTIL(mock, mock->n_submissions >= n, RIG_SOON_MS), "%zu submissions", mock->n_submissions);
	last = &mock->submissions[n - 1];
	ck_assert_str_eq(last->path, path);
	ck_assert_msg(strstr((const char *)last->payload, text_in_payload) != NULL, "%s", (const char *)last->payload);
}

static int deliver(const char *address, struct tg_bytes payload, int32_t content_format)
{
	struct tg_delivery delivery = {
		.size = sizeof(delivery),
		.kind = TG_TELEMETRY,
		.address = {address, strlen(address)},
		.content_format = content_format,
		.payload = payload,
	};
	int64_t end_us = mock_deadline(RIG_SOON_MS);
	int result = TG_RETRY;

	while (result == TG_RETRY && mock_deadline(0) < end_us) {
		uint64_t ticket = 0;

		if (mock_deliver(mock, &delivery, &ticket) < 0) {
			mock_turn(mock, 5000);
			continue;
		}
		ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, RIG_SOON_MS));
		result = mock_result(mock, ticket);
		if (result == TG_RETRY)
			mock_turn(mock, 5000);
	}
	return result;
}

int rig_deliver(const char *address, const char *json)
{
	return deliver(address, (struct tg_bytes){json, strlen(json)}, 50);
}

int rig_deliver_cbor(const char *address, const void *cbor, size_t size)
{
	return deliver(address, (struct tg_bytes){cbor, size}, 60);
}

int rig_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
