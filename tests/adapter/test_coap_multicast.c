/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Discovery by multicast, on a link of its own: the adapter is in a network namespace with one end of it, who asks is in another one with the
 * other end. That needs rights; where they are missing the test says so and is skipped.
 */

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coap_rig.h"

enum { LEISURE_US = 5000000, PORT = 5683, WAIT_MS = 60000, MANY = 100, WAITING = 64 };

/* 10.9.0.1 is the gateway, 10.9.0.2 asks; 203.0.113.2 is from further away. */
static const char gateway_side[] = "ip link set lo up && ip link add gate type veth peer name far && "
				   "ip link set far netns %d && ip link set gate addrgenmode none && "
				   "ip addr add 10.9.0.1/24 dev gate && ip addr add fd00:9::1/64 dev gate nodad && "
				   "ip addr add fe80::1/64 dev gate nodad && ip link set gate up && "
				   "ip route add 203.0.113.0/24 dev gate && "
				   "nsenter -t %d -n sh -c '%s'";
static const char far_side[] = "ip link set lo up && ip link set far addrgenmode none && "
			       "ip addr add 10.9.0.2/24 dev far && ip addr add 203.0.113.2/24 dev far && "
			       "ip addr add fd00:9::2/64 dev far nodad && ip addr add fe80::2/64 dev far nodad && "
			       "ip link set far up && ip route add 224.0.0.0/4 dev far";

static pid_t far;
static int far_space = -1, own_space = -1;
static char output[8192];

static int space_of(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool is_running(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_flags = 0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	bool running = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_RUNNING;
	close(fd);
	return running;
}

/* An interface that was set up drops what it is to send until the kernel has noticed its carrier, which it does when it has the time. */
static bool wait_until_running(int space, const char *name)
{
	const struct sockaddr_nl news = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};

	if (setns(space, CLONE_NEWNET) < 0)
		return false;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	bool good = fd >= 0 && bind(fd, (const struct sockaddr *)&news, sizeof(news)) == 0;
	while (good && !is_running(name)) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		good = poll(&wait, 1, WAIT_MS) == 1 && recv(fd, output, sizeof(output), 0) > 0;
	}
	close(fd);
	return setns(own_space, CLONE_NEWNET) == 0 && good;
}

/* Both namespaces and the link between them. Returns whether they could be had. */
static bool link_make(void)
{
	char command[2048];
	int ready[2];
	char byte;

	if (unshare(CLONE_NEWNET) < 0 || pipe2(ready, O_CLOEXEC) < 0)
		return false;
	far = fork();
	if (far == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) == 0 && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	bool good = read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	snprintf(command, sizeof(command), gateway_side, (int)far, (int)far, far_side);
	good = good && system(command) == 0;
	own_space = space_of(getpid());
	far_space = space_of(far);
	return good && own_space >= 0 && far_space >= 0 && wait_until_running(own_space, "gate") &&
	       wait_until_running(far_space, "far");
}

static void link_drop(void)
{
	if (far > 0)
		kill(far, SIGKILL);
	if (far > 0)
		waitpid(far, NULL, 0);
	close(own_space);
	close(far_space);
}

static void setup(void)
{
	ck_assert(link_make());
	rig_setup();
	rig->virtual_time = true;
	mock_set(rig, "listen", "coaps://[::]:5684");
	mock_set(rig, "multicast", "gate");
	mock_set(rig, "readings", NULL); /* the list of links is short */
}

static void teardown(void)
{
	rig_teardown();
	link_drop();
}

/* A socket of who asks, at this address. */
static int far_socket(const char *address)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	bool is_v6 = inet_pton(AF_INET6, address, &v6.sin6_addr) == 1;

	ck_assert_int_eq(setns(far_space, CLONE_NEWNET), 0);
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int interface = (int)if_nametoindex("far");
	v6.sin6_scope_id = (uint32_t)interface;
	struct ip_mreqn out = {.imr_ifindex = interface};
	ck_assert_int_ge(fd, 0);
	if (is_v6) {
		ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &interface, sizeof(interface)), 0);
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&v6, sizeof(v6)), 0);
	} else {
		ck_assert_int_eq(inet_pton(AF_INET, address, &v4.sin_addr), 1);
		ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out)), 0);
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&v4, sizeof(v4)), 0);
	}
	ck_assert_int_eq(setns(own_space, CLONE_NEWNET), 0);
	return fd;
}

static void send_to(int fd, const char *group, const void *data, size_t size)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	const struct sockaddr *to = (struct sockaddr *)&v6;
	socklen_t length = sizeof(v6);

	if (inet_pton(AF_INET6, group, &v6.sin6_addr) != 1) {
		ck_assert_int_eq(inet_pton(AF_INET, group, &v4.sin_addr), 1);
		to = (struct sockaddr *)&v4;
		length = sizeof(v4);
	}
	ck_assert_int_eq(sendto(fd, data, size, 0, to, length), (ssize_t)size);
}

struct question {
	enum message_type type;
	uint8_t code;
	const char *path;
	const char *query; /* NULL: none */
	uint16_t option;   /* one more, behind them; 0: none */
	uint32_t value;
};

static const struct question core = {.type = MESSAGE_NON, .code = MESSAGE_GET, .path = "core"};

static void ask(int fd, const char *group, const struct question *question, uint16_t id)
{
	uint8_t wire[128], token[] = {0xab, (uint8_t)id};
	struct message_writer writer;

	message_writer_init(&writer, wire, sizeof(wire));
	message_write_header(&writer, question->type, question->code, id, (struct tg_bytes){token, sizeof(token)});
	message_write_option(&writer, MESSAGE_URI_PATH, (struct tg_bytes){".well-known", 11});
	message_write_option(&writer, MESSAGE_URI_PATH, (struct tg_bytes){question->path, strlen(question->path)});
	if (question->query)
		message_write_option(&writer, MESSAGE_URI_QUERY,
				     (struct tg_bytes){question->query, strlen(question->query)});
	if (question->option)
		message_write_option_uint(&writer, question->option, question->value);
	ck_assert(!writer.failed);
	send_to(fd, group, wire, writer.size);
}

/* The adapter has taken so many requests in. */
static void wait_for(int64_t requests)
{
	ck_assert(MOCK_UNTIL(rig, mock_counter(rig, "multicast_requests") >= requests, WAIT_MS));
	mock_settle(rig);
}

/* What has come to `fd`, in `output`; NULL: nothing. */
static const char *heard(int fd, struct coap_message *ret_message)
{
	static uint8_t bytes[2048];
	ssize_t size = recv(fd, bytes, sizeof(bytes), 0);

	if (size < 0)
		return NULL;
	ck_assert_int_eq(message_parse((struct tg_bytes){bytes, (size_t)size}, ret_message), 0);
	snprintf(output, sizeof(output), "%.*s", (int)ret_message->payload.size,
		 (const char *)ret_message->payload.data);
	return output;
}

static void assert_found(const char *own, const char *group, const char *expected)
{
	int fd = far_socket(own);
	struct coap_message message;

	rig_begin();
	ask(fd, group, &core, 77);
	wait_for(1);
	ck_assert_ptr_null(heard(fd, &message)); /* not at once: everybody on the link would answer at the same time */
	mock_advance(rig, LEISURE_US);
	ck_assert_str_eq(heard(fd, &message), expected);
	ck_assert_int_eq(message.type, MESSAGE_NON);
	ck_assert_uint_eq(message.code, MESSAGE_CONTENT);
	ck_assert_uint_eq(message.content_format, 40);
	ck_assert_uint_eq(message.token_size, 2);
	ck_assert_uint_eq(message.token[1], 77);
	ck_assert_ptr_null(heard(fd, &message));
	ck_assert_int_eq(mock_counter(rig, "multicast_answers"), 1);
	close(fd);
}

#define ALL(base)                                                                                                      \
	"<" base "/>;rt=\"tidegate.readings\";title=\"POST or PUT a reading to any path\",<" base                      \
	"/.well-known/core>;ct=40"

START_TEST(by_ipv4)
{
	assert_found("10.9.0.2", "224.0.1.187", ALL("coaps://10.9.0.1"));
}
END_TEST

START_TEST(on_the_link)
{
	assert_found("fe80::2", "ff02::fd", ALL("coaps://[fe80::1]"));
}
END_TEST

START_TEST(in_the_site)
{
	assert_found("fd00:9::2", "ff05::fd", ALL("coaps://[fd00:9::1]"));
}
END_TEST

START_TEST(the_listener_has_its_address)
{
	mock_set(rig, "listen", "coaps://10.9.0.1:40000");
	assert_found("fe80::2", "ff02::fd", ALL("coaps://10.9.0.1:40000"));
}
END_TEST

START_TEST(directories_have_groups_of_their_own)
{
	const struct question directory = {
		.type = MESSAGE_NON, .code = MESSAGE_GET, .path = "core", .query = "rt=core.rd"};
	int fd = far_socket("fe80::2");
	struct coap_message message;

	mock_set(rig, "directory", _i ? "true" : "false");
	rig_begin();
	ask(fd, "ff02::fe", &directory, 1);
	if (_i)
		wait_for(1);
	mock_advance(rig, LEISURE_US);
	if (_i)
		ck_assert_str_eq(heard(fd, &message), "<coaps://[fe80::1]/rd>;rt=\"core.rd\";ct=40");
	else
		ck_assert_ptr_null(heard(fd, &message));
	close(fd);
}
END_TEST

/* Each of these is one datagram that comes in and has no answer. */
START_TEST(silence)
{
	static const struct question questions[] = {
		{MESSAGE_CON, MESSAGE_GET, "core", NULL, 0, 0},
		{MESSAGE_NON, MESSAGE_POST, "core", NULL, 0, 0},
		{MESSAGE_NON, MESSAGE_FETCH, "core", NULL, 0, 0},
		{MESSAGE_NON, MESSAGE_GET, "rd", NULL, 0, 0},
		{MESSAGE_NON, MESSAGE_GET, "core", "rt=nothing", 0, 0},
		{MESSAGE_NON, MESSAGE_GET, "core", NULL, MESSAGE_ACCEPT, 50},
		{MESSAGE_NON, MESSAGE_GET, "core", NULL, MESSAGE_BLOCK2, 0 << 4 | 0},
		{MESSAGE_NON, MESSAGE_GET, "core", NULL, MESSAGE_BLOCK2, 1 << 4 | 6},
		{MESSAGE_NON, MESSAGE_GET, "core", NULL, MESSAGE_PROXY_SCHEME, 'x'},
		{MESSAGE_NON, MESSAGE_GET, "core", NULL, MESSAGE_NO_RESPONSE, 2},
		{MESSAGE_NON, MESSAGE_GET, "core", NULL, 65001, 1},
		{MESSAGE_ACK, MESSAGE_CONTENT, "core", NULL, 0, 0},
	};
	const uint16_t n = sizeof(questions) / sizeof(questions[0]);
	int near = far_socket("10.9.0.2"), away = far_socket("203.0.113.2");
	struct coap_message message;

	rig_begin();
	for (uint16_t i = 0; i < n; i++)
		ask(near, "224.0.1.187", &questions[i], i);
	send_to(near, "224.0.1.187", "\x40", 1);
	send_to(near, "224.0.1.187", "\x40\x00\x12\x34", 4); /* a ping */
	ask(away, "224.0.1.187", &core, 100);
	wait_for(n + 3);
	mock_advance(rig, INT64_C(2) * LEISURE_US);
	ck_assert_ptr_null(heard(near, &message));
	ck_assert_ptr_null(heard(away, &message));
	ck_assert_int_eq(mock_counter(rig, "multicast_answers"), 0);
	ask(near, "224.0.1.187", &core, 101); /* and this one has */
	wait_for(n + 4);
	mock_advance(rig, LEISURE_US);
	ck_assert_ptr_nonnull(heard(near, &message));
	close(near);
	close(away);
}
END_TEST

START_TEST(once_and_not_without_end)
{
	int fd = far_socket("fe80::2");
	struct coap_message message;
	unsigned answers = 0;

	rig_begin();
	for (int i = 0; i < 3; i++)
		ask(fd, "ff02::fd", &core, 1);
	wait_for(3);
	mock_advance(rig, LEISURE_US);
	ck_assert_int_eq(mock_counter(rig, "multicast_answers"), 1);
	ck_assert_ptr_nonnull(heard(fd, &message));
	for (uint16_t i = 0; i < MANY; i++)
		ask(fd, "ff02::fd", &core, (uint16_t)(10 + i));
	wait_for(3 + MANY);
	mock_advance(rig, LEISURE_US);
	while (heard(fd, &message))
		answers++;
	ck_assert_uint_eq(answers, WAITING);
	close(fd);
}
END_TEST

START_TEST(what_cannot_be)
{
	mock_set(rig, "multicast", "nowhere");
	ck_assert_int_eq(mock_open(rig), -ENODEV);
	ck_assert_uint_eq(mock_logged(rig, "no such interface"), 1);
	mock_set(rig, "multicast", "gate");
	mock_set(rig, "listen", "coap://10.9.0.1:5683");
	mock_set(rig, "insecure", "true");
	mock_set(rig, "insecure_device", "meter-1");
	ck_assert_int_eq(mock_open(rig), -EINVAL);
	ck_assert_uint_eq(mock_logged(rig, "'multicast' needs a listener at coaps://"), 1);
}
END_TEST

/* A client that is not ours, in real time. */
START_TEST(libcoap)
{
	char command[256], file[] = "/tmp/tidegate-test-XXXXXX";
	int status = -1, fd = mkstemp(file);
	bool ended = false;

	rig->virtual_time = false;
	rig_begin();
	snprintf(command, sizeof(command),
		 "exec nsenter -t %d -n coap-client-notls -N -B 8 'coap://%s/.well-known/core?rt=tidegate*' >%s 2>&1",
		 (int)far, _i ? "[ff05::fd]" : "224.0.1.187", file);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	ck_assert(MOCK_UNTIL(rig, ended || (ended = waitpid(pid, &status, WNOHANG) == pid), WAIT_MS));
	ssize_t size = read(fd, output, sizeof(output) - 1);
	output[size > 0 ? size : 0] = '\0';
	unlink(file);
	close(fd);
	ck_assert_msg(strstr(output, _i ? "<coaps://[fd00:9::1]/>" : "<coaps://10.9.0.1/>"), "%s", output);
}
END_TEST

/* In a process of its own, so that the other tests begin where this one did. */
static bool is_possible(void)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0) {
		bool good = link_make();

		link_drop();
		_exit(good ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

int main(void)
{
	Suite *suite = suite_create("coap_multicast");
	TCase *tcase = tcase_create("all");

	if (!is_possible()) {
		fprintf(stderr,
			"SKIPPED: no network namespaces here (ip, nsenter and the right to make them are needed)\n");
		return 77; /* skipped, for automake */
	}
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, by_ipv4);
	tcase_add_test(tcase, on_the_link);
	tcase_add_test(tcase, in_the_site);
	tcase_add_test(tcase, the_listener_has_its_address);
	tcase_add_loop_test(tcase, directories_have_groups_of_their_own, 0, 2);
	tcase_add_test(tcase, silence);
	tcase_add_test(tcase, once_and_not_without_end);
	tcase_add_test(tcase, what_cannot_be);
	if (system("command -v coap-client-notls >/dev/null") == 0)
		tcase_add_loop_test(tcase, libcoap, 0, 2);
	else
		fprintf(stderr, "SKIPPED: no coap-client-notls here\n");
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
