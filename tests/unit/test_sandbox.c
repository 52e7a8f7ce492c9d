/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <tidegate/adapter.h>

#include "base/loop.h"
#include "confine/sandbox.h"
#include "endpoint/resolver.h"
#include "suite.h"

enum { GOES_WELL = 0, IS_KILLED = 1000 };
enum { ALWAYS = 0, BY_LANDLOCK = 1, BY_FILTER = 2, BY_PORTS = 4 };

/* What a process tries behind its sandbox: 0 or -errno. */
struct attempt {
	const char *name;
	int (*fn)(void);
	uint32_t needs;
	int expected;    /* GOES_WELL, an errno, or IS_KILLED */
	unsigned layers; /* passed over where one of these is not in force */
};

static int result(long r)
{
	return r < 0 ? -errno : 0;
}

static int read_passwd(void)
{
	return result(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int read_hosts(void)
{
	return result(open("/etc/hosts", O_RDONLY | O_CLOEXEC));
}

static int write_hosts(void)
{
	return result(open("/etc/hosts", O_WRONLY | O_APPEND | O_CLOEXEC));
}

static int make_file(void)
{
	return result(open("/tmp/tidegate-must-not-be", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int list_root(void)
{
	return result(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int run_program(void)
{
	return result(execl("/bin/true", "true", NULL));
}

static int make_child(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int clone_by_3(void)
{
	return result(syscall(SYS_clone3, NULL, 0));
}

static int kill_parent(void)
{
	return result(kill(getppid(), 0));
}

static int trace_parent(void)
{
	return result(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int mount_something(void)
{
	return result(mount("none", "/tmp", "tmpfs", 0, NULL));
}

static int use_bpf(void)
{
	return result(syscall(SYS_bpf, 0, NULL, 0));
}

static int use_perf(void)
{
	return result(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
}

static int use_keys(void)
{
	return result(syscall(SYS_add_key, "user", "x", "y", 1, -3));
}

static int set_a_limit(void)
{
	return result(setrlimit(RLIMIT_NOFILE, &(struct rlimit){10, 10}));
}

static int make_dumpable(void)
{
	return result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int map_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return result(p == MAP_FAILED ? -1 : 0);
}

static int turn_into_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -ENOMEM : result(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int udp_socket(void)
{
	return result(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int packet_socket(void)
{
	return result(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int unix_socket(void)
{
	struct sockaddr_un nobody = {.sun_family = AF_UNIX, .sun_path = "/tmp/tidegate-nobody-is-here"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	return connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)) < 0 && errno == ENOENT ? 0 : -errno;
}

static int tcp_fd; /* made before the sandbox is shut */

static int bind_tcp(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

	return result(bind(tcp_fd, (struct sockaddr *)&any, sizeof(any)));
}

static int connect_tcp(void)
{
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(1), .sin_addr = {htonl(INADDR_LOOPBACK)}};

	return connect(tcp_fd, (struct sockaddr *)&peer, sizeof(peer)) < 0 && errno == ECONNREFUSED ? 0 : -errno;
}

static int listen_tcp(void)
{
	return result(listen(tcp_fd, 1));
}

static void *in_thread(void *arg)
{
	return arg;
}

static int start_thread(void)
{
	pthread_t thread;
	int r = pthread_create(&thread, NULL, in_thread, NULL);

	return r ? -r : -pthread_join(thread, NULL);
}

static int resolve(void)
{
	struct addrinfo *list = NULL;
	int r = getaddrinfo("localhost", "443", &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &list);

	if (r == 0)
		freeaddrinfo(list);
	return r ? -EIO : 0;
}

static int compute_and_wait(void)
{
	CLEANUP_FREE char *memory = malloc(8 * 1024 * 1024);
	CLEANUP_CLOSE int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct loop *loop;
	int r = memory && timer >= 0 ? loop_new(&loop) : -errno;

	if (r < 0)
		return r;
	memset(memory, 1, 8 * 1024 * 1024);
	r = loop_turn(loop, 1000);
	loop_free(loop);
	return r < 0 ? r : 0;
}

static int give_up(void)
{
	abort();
}

static int status_fd; /* /proc/self/status, opened before the sandbox is shut */

static int has_no_capability(void)
{
	char text[4096];
	ssize_t n = pread(status_fd, text, sizeof(text) - 1, 0);
	unsigned long long set;
	const char *line;

	text[n > 0 ? n : 0] = 0;
	for (const char *const *name = (const char *const[]){"CapPrm:", "CapEff:", "CapAmb:", "CapInh:", NULL}; *name;
	     name++) {
		line = strstr(text, *name);
		if (!line || sscanf(line + strlen(*name), "%llx", &set) != 1 || set != 0)
			return -EPERM;
	}
	line = strstr(text, "NoNewPrivs:");
	return line && strtol(line + 11, NULL, 10) == 1 ? 0 : -EPERM;
}

static const struct attempt attempts[] = {
	{"read a file", read_passwd, 0, EACCES, ALWAYS},
	{"read a file beside the resolver's", read_passwd, TG_NEED_RESOLVE, EACCES, BY_LANDLOCK},
	{"read the resolver's files", read_hosts, TG_NEED_RESOLVE, GOES_WELL, ALWAYS},
	{"read the resolver's files without need", read_hosts, TG_NEED_CONNECT, EACCES, ALWAYS},
	{"write the resolver's files", write_hosts, TG_NEED_RESOLVE, EACCES, ALWAYS},
	{"make a file", make_file, 0, EACCES, ALWAYS},
	{"make a file in spite of needs", make_file, UINT32_MAX, EACCES, ALWAYS},
	{"list a folder", list_root, UINT32_MAX, EACCES, BY_LANDLOCK},
	{"run a program", run_program, UINT32_MAX, IS_KILLED, BY_FILTER},
	{"make a child", make_child, 0, EPERM, BY_FILTER},
	{"make a child in spite of threads", make_child, UINT32_MAX, IS_KILLED, BY_FILTER},
	{"clone3", clone_by_3, UINT32_MAX, ENOSYS, BY_FILTER},
	{"signal another process", kill_parent, UINT32_MAX, IS_KILLED, BY_FILTER},
	{"trace another process", trace_parent, UINT32_MAX, IS_KILLED, BY_FILTER},
	{"mount", mount_something, UINT32_MAX, IS_KILLED, BY_FILTER},
	{"bpf", use_bpf, UINT32_MAX, IS_KILLED, BY_FILTER},
	{"perf", use_perf, UINT32_MAX, IS_KILLED, BY_FILTER},
	{"keyring", use_keys, UINT32_MAX, IS_KILLED, BY_FILTER},
	{"set a limit", set_a_limit, UINT32_MAX, EACCES, BY_FILTER},
	{"become dumpable", make_dumpable, UINT32_MAX, EACCES, BY_FILTER},
	{"map code", map_code, UINT32_MAX, EACCES, BY_FILTER},
	{"turn data into code", turn_into_code, UINT32_MAX, EACCES, BY_FILTER},
	{"make an IP socket", udp_socket, TG_NEED_LISTEN, EACCES, BY_FILTER},
	{"make an IP socket with need", udp_socket, TG_NEED_CONNECT, GOES_WELL, ALWAYS},
	{"make a packet socket", packet_socket, UINT32_MAX, EACCES, BY_FILTER},
	{"connect a unix socket", unix_socket, 0, GOES_WELL, ALWAYS},
	{"bind a port", bind_tcp, 0, IS_KILLED, BY_FILTER},
	{"bind a port in spite of needs", bind_tcp, UINT32_MAX, EACCES, BY_PORTS},
	{"listen", listen_tcp, UINT32_MAX, IS_KILLED, BY_FILTER},
	{"connect a port", connect_tcp, TG_NEED_LISTEN, EACCES, BY_PORTS},
	{"connect a port with need", connect_tcp, TG_NEED_CONNECT, GOES_WELL, ALWAYS},
	{"start a thread", start_thread, 0, EPERM, BY_FILTER},
	{"start a thread with need", start_thread, TG_NEED_THREADS, GOES_WELL, ALWAYS},
	{"resolve a name", resolve, TG_NEED_RESOLVE, GOES_WELL, ALWAYS},
	{"compute and wait", compute_and_wait, 0, GOES_WELL, ALWAYS},
	{"have a capability", has_no_capability, UINT32_MAX, GOES_WELL, ALWAYS},
};

static void nothing(void *arg)
{
	(void)arg;
}

/* In a process of its own: 200 and more say that the sandbox could not be shut, or that a layer is not there. */
static void child(const struct attempt *attempt)
{
	struct resolver *resolver;
	struct sandbox sandbox;
	struct loop *loop;
	int r;

	status_fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	tcp_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sandbox_begin() < 0 || loop_new(&loop) < 0 || resolver_new(loop, "/etc", nothing, NULL, &resolver) < 0)
		_exit(200);
	if (sandbox_shut(attempt->needs, &sandbox) < 0)
		_exit(201);
	if ((attempt->layers & BY_LANDLOCK && sandbox.landlock_abi == 0) ||
	    (attempt->layers & BY_PORTS && sandbox.landlock_abi < 4) ||
	    (attempt->layers & BY_FILTER && !sandbox.filtered))
		_exit(202);
	r = attempt->fn();
	_exit(r < 0 ? -r : 0);
}

START_TEST(behind_the_sandbox)
{
	const struct attempt *attempt = &attempts[_i];
	int expected = attempt->expected, status;
	pid_t pid = fork();

	if (pid == 0)
		child(attempt);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 202) {
		fprintf(stderr, "not tested here: %s\n", attempt->name);
		return;
	}
	if (expected == IS_KILLED)
		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%s: status %x", attempt->name,
			      status);
	else
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == expected, "%s: status %x", attempt->name,
			      status);
}
END_TEST

START_TEST(abort_still_ends_with_its_own_signal)
{
	const struct attempt attempt = {"abort", give_up, 0, 0, ALWAYS};
	pid_t pid = fork();
	int status;

	if (pid == 0)
		child(&attempt);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && !WCOREDUMP(status));
}
END_TEST

static void *stay(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

START_TEST(a_second_thread_is_refused)
{
	pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
	struct sandbox sandbox;
	pthread_t thread;

	pthread_mutex_lock(&held);
	ck_assert_int_eq(pthread_create(&thread, NULL, stay, &held), 0);
	ck_assert_int_eq(sandbox_shut(UINT32_MAX, &sandbox), -EBUSY);
	pthread_mutex_unlock(&held);
	pthread_join(thread, NULL);
}
END_TEST

static void count(void *arg)
{
	++*(unsigned *)arg;
}

static void replace(const char *folder, const char *name)
{
	char from[128], to[128];
	int fd;

	snprintf(from, sizeof(from), "%s/new", folder);
	snprintf(to, sizeof(to), "%s/%s", folder, name);
	fd = open(from, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(rename(from, to), 0);
}

START_TEST(a_replaced_file_of_the_resolver_is_noticed)
{
	char folder[] = "/tmp/tidegate-test-XXXXXX", path[128];
	struct resolver *resolver;
	struct loop *loop;
	unsigned n = 0;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(loop_new(&loop), 0);
	ck_assert_int_eq(resolver_new(loop, folder, count, &n, &resolver), 0);
	replace(folder, "passwd");
	ck_assert_int_ge(loop_turn(loop, 1000000), 0);
	ck_assert_uint_eq(n, 0);
	replace(folder, "resolv.conf");
	ck_assert_int_ge(loop_turn(loop, 1000000), 0);
	ck_assert_uint_eq(n, 1);
	resolver_free(resolver);
	loop_free(loop);
	snprintf(path, sizeof(path), "%s/passwd", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/resolv.conf", folder);
	unlink(path);
	rmdir(folder);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tcase = tcase_create("sandbox");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, behind_the_sandbox, 0, (int)(sizeof(attempts) / sizeof(attempts[0])));
	tcase_add_test(tcase, abort_still_ends_with_its_own_signal);
	tcase_add_test(tcase, a_replaced_file_of_the_resolver_is_noticed);
	tcase_add_test(tcase, a_second_thread_is_refused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
