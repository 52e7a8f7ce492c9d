/* SPDX-License-Identifier: Apache-2.0 */
#include "core/activation.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "suite.h"

/* The service manager's first socket has this number (sd_listen_fds(3)): a process of its own has nothing else there. */
enum { FIRST = 3, ASIDE = 64, URI_SIZE = 64 };

static uint16_t port;

/* Bound to the loopback address, of the same port as those before where `port` is not 0. */
static int bound(int family, int type)
{
	const struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	const struct sockaddr *address =
		family == AF_INET ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
	struct sockaddr_in6 own;
	socklen_t size = sizeof(own);
	int fd = socket(family, type, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int)), 0);
	ck_assert_int_eq(bind(fd, address, family == AF_INET ? sizeof(v4) : sizeof(v6)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &size), 0);
	port = ntohs(own.sin6_port);
	return fd;
}

/* "coaps://127.0.0.1" with the port, and what follows it. */
static const char *uri(const char *start, const char *rest)
{
	static char text[URI_SIZE];

	snprintf(text, sizeof(text), "%s:%u%s", start, (unsigned)port, rest);
	return text;
}

/* Runs in a process that was handed these sockets, with these names; it ends with what `run` returns: NULL, or what was wrong. */
static void with_sockets(const int *sockets, int count, const char *names,
			 const char *(*run)(struct activation *activation))
{
	pid_t pid = fork();
	int status = 0;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct activation *activation;
		const char *wrong = "not taken over";
		char number[16];

		for (int i = 0; i < count; i++)
			(void)fcntl(sockets[i], F_DUPFD, ASIDE + i);
		for (int i = 0; i < count; i++)
			(void)dup2(ASIDE + i, FIRST + i);
		closefrom(FIRST + count);
		snprintf(number, sizeof(number), "%d", (int)getpid());
		setenv("LISTEN_PID", number, 1);
		snprintf(number, sizeof(number), "%d", count);
		if (count > 0)
			setenv("LISTEN_FDS", number, 1);
		setenv("LISTEN_FDNAMES", names, 1);
		if (activation_new(&activation) == 0) {
			wrong = run(activation);
			activation_free(activation);
		}
		if (wrong)
			fprintf(stderr, "%s\n", wrong);
		_exit(wrong ? 1 : 0);
	}
	for (int i = 0; i < count; i++)
		close(sockets[i]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static const char *run_group(struct activation *activation)
{
	if (activation_socket(activation, uri("coaps://127.0.0.1", ""), 0) != FIRST + 1)
		return "the first of the group is not the first by name";
	if (activation_socket(activation, uri("coap://127.0.0.1", ""), 1) != FIRST)
		return "the second of the group is not the second by name";
	if (activation_socket(activation, uri("coaps://127.0.0.1", ""), 2) != -1)
		return "there is a third one";
	activation_close_unused(activation);
	return is_open(FIRST) && is_open(FIRST + 1) ? NULL : "one in use was closed";
}

START_TEST(a_group_is_in_the_order_of_its_names)
{
	int sockets[2] = {bound(AF_INET, SOCK_DGRAM), bound(AF_INET, SOCK_DGRAM)};

	with_sockets(sockets, 2, "dtls-2:dtls-1", run_group);
}
END_TEST

static const char *run_addresses(struct activation *activation)
{
	static const char *const whole[] = {"coaps://127.0.0.1", "coaps://[::1]", "coaps://", "coap://[::1", ""};
	static const char *const others[] = {"coaps://127.0.0.2", "coaps://localhost", "mqtt://127.0.0.1",
					     "coaps://[::1",      "coaps://[::1]x",    "coaps://",
					     "coaps://[]",        "127.0.0.1"};

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (activation_socket(activation, whole[i], 0) != -1)
			return whole[i];
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (activation_socket(activation, uri(others[i], ""), 0) != -1)
			return others[i];
	if (activation_socket(activation, uri("coaps://127.0.0.1", "/x"), 0) != -1)
		return "a path was overlooked";
	if (activation_socket(activation, uri("coaps://127.0.0.1", ""), 0) != FIRST + 1)
		return "not the datagram socket of IPv4";
	if (activation_socket(activation, uri("coaps://[::1]", ""), 0) != FIRST + 2)
		return "not the one of IPv6";
	activation_close_unused(activation);
	if (is_open(FIRST) || !is_open(FIRST + 1) || !is_open(FIRST + 2))
		return "not the unused one alone was closed";
	return activation_socket(activation, uri("coaps://[::1]", ""), 0) == FIRST + 2 ? NULL : "it is gone";
}

START_TEST(an_address_has_its_own_socket)
{
	int sockets[3];

	sockets[0] = bound(AF_INET, SOCK_STREAM);
	sockets[1] = bound(AF_INET, SOCK_DGRAM);
	sockets[2] = bound(AF_INET6, SOCK_DGRAM);
	with_sockets(sockets, 3, "a:b:c", run_addresses);
}
END_TEST

static const char *run_nothing(struct activation *activation)
{
	if (activation_socket(activation, "coaps://[::]:5684", 0) != -1)
		return "there is a socket";
	activation_close_unused(activation);
	return NULL;
}

START_TEST(without_sockets_there_are_none)
{
	with_sockets(NULL, 0, "", run_nothing);
}
END_TEST

static const char *run_unused(struct activation *activation)
{
	activation_close_unused(activation);
	if (is_open(FIRST) || is_open(FIRST + 1))
		return "they are open";
	return activation_socket(activation, uri("coaps://127.0.0.1", ""), 0) == -1
		       ? NULL
		       : "one that is closed is handed out";
}

/* One has no address at all: a mistake in a unit is no reason not to start. */
START_TEST(what_nobody_asks_for_is_closed)
{
	int sockets[2] = {bound(AF_INET, SOCK_DGRAM), open("/dev/null", O_RDONLY)};

	with_sockets(sockets, 2, "x:y", run_unused);
}
END_TEST

SUITE_MAIN("activation", a_group_is_in_the_order_of_its_names, an_address_has_its_own_socket,
	   without_sockets_there_are_none, what_nobody_asks_for_is_closed)
