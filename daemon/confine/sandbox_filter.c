/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "confine/sandbox_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <tidegate/adapter.h>

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Names that an architecture does not have are passed over: one list for amd64, arm64 and armhf. */
static const char *const base_calls[] = {
	/* memory; mmap and mprotect are below */
	"brk", "munmap", "mremap", "madvise", "membarrier", "mincore",
	/* this process and its threads */
	"exit", "exit_group", "futex", "futex_time64", "get_robust_list", "set_robust_list", "rseq", "sched_yield",
	"sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min",
	"getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getuid32", "geteuid32", "getgid32",
	"getegid32", "getcpu", "getrusage", "getrlimit", "ugetrlimit", "uname", "sysinfo", "rt_sigaction",
	"rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigtimedwait_time64", "sigreturn", "sigaltstack",
	"restart_syscall", "set_tid_address", "cacheflush", "set_tls", "getrandom",
	/* time */
	"clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "clock_nanosleep",
	"clock_nanosleep_time64", "nanosleep", "gettimeofday", "time", "times", "timerfd_create", "timerfd_settime",
	"timerfd_settime64", "timerfd_gettime", "timerfd_gettime64",
	/* descriptors that are open already */
	"read", "readv", "pread64", "write", "writev", "lseek", "_llseek", "close", "dup", "dup2", "dup3", "fcntl",
	"fcntl64", "fstat", "fstat64", "newfstatat", "fstatat64", "statx", "pipe", "pipe2", "eventfd2", "signalfd4",
	/* waiting */
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "ppoll_time64",
	"select", "_newselect", "pselect6", "pselect6_time64",
	/* sockets that are open already, and joining the core again; socket itself is below */
	"connect", "send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg",
	"recvmmsg_time64", "shutdown", "getsockopt", "setsockopt", "getsockname", "getpeername"};

static const char *const listen_calls[] = {"accept", "accept4"};

/* glibc binds the netlink socket with which it learns what address families there are. */
static const char *const connect_calls[] = {"bind"};

static const char *const thread_calls[] = {"sched_setscheduler"};

/* Harmless ways to ask about files; what is found there is Landlock's business. */
static const char *const path_calls[] = {"access", "faccessat", "faccessat2", "stat",       "stat64",
					 "lstat",  "lstat64",   "readlink",   "readlinkat", "getcwd",
					 "statfs", "statfs64",  "getdents64", "fstatfs",    "fstatfs64"};

static const unsigned long base_ioctls[] = {FIONREAD, FIONBIO, TCGETS};
static const unsigned long connect_ioctls[] = {SIOCGIFINDEX, SIOCGIFNAME, SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFMTU};

/* Adds one rule with up to one condition, unless this architecture lacks the call. */
static int rule(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned n_args, struct scmp_arg_cmp arg)
{
	int number = seccomp_syscall_resolve_name(name);

	return number < 0 ? 0 : seccomp_rule_add_array(filter, action, number, n_args, &arg);
}

static int rule_each(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++)
		r = rule(filter, action, names[i], 0, (struct scmp_arg_cmp){0});
	return r;
}

/* Refuses with EACCES where any of the bits is set, permits otherwise. */
static int rule_bits(scmp_filter_ctx filter, const char *name, unsigned arg, uint64_t bits)
{
	int r = rule(filter, SCMP_ACT_ALLOW, name, 1, SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, bits, 0));

	for (uint64_t bit = 1; bit <= bits && r >= 0; bit <<= 1) {
		if (bits & bit)
			r = rule(filter, SCMP_ACT_ERRNO(EACCES), name, 1, SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, bit, bit));
	}
	return r;
}

/* Permits the values of the first argument whose bit is set, refuses all others. */
static int rule_values(scmp_filter_ctx filter, const char *name, uint64_t permitted)
{
	unsigned end = 64 - (unsigned)__builtin_clzll(permitted);
	int r = rule(filter, SCMP_ACT_ERRNO(EACCES), name, 1, SCMP_CMP(0, SCMP_CMP_GE, end));

	for (unsigned value = 0; value < end && r >= 0; value++)
		r = rule(filter, permitted >> value & 1 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES), name, 1,
			 SCMP_CMP(0, SCMP_CMP_EQ, value));
	return r;
}

static int rule_ioctls(scmp_filter_ctx filter, const unsigned long *requests, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++)
		r = rule(filter, SCMP_ACT_ALLOW, "ioctl", 1, SCMP_CMP(1, SCMP_CMP_EQ, requests[i]));
	return r;
}

/* Nothing that is written can be run. */
static int add_memory(scmp_filter_ctx filter)
{
	static const char *const calls[] = {"mmap", "mmap2", "mprotect"};
	int r = 0;

	for (size_t i = 0; i < N_OF(calls) && r >= 0; i++)
		r = rule_bits(filter, calls[i], 2, PROT_EXEC);
	return r;
}

/* Threads, but no other kind of child; signals to ourselves, which is how abort ends; limits are read, not set. */
static int add_process(scmp_filter_ctx filter, uint32_t needs)
{
	const uint64_t thread = CLONE_THREAD | CLONE_VM | CLONE_SIGHAND;
	int r = rule(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0,
		     (struct scmp_arg_cmp){0}); /* its flags are out of sight */

	if (r >= 0 && needs & TG_NEED_THREADS)
		r = rule(filter, SCMP_ACT_ALLOW, "clone", 1, SCMP_CMP(0, SCMP_CMP_MASKED_EQ, thread, thread));
	else if (r >= 0)
		r = rule(filter, SCMP_ACT_ERRNO(EPERM), "clone", 0, (struct scmp_arg_cmp){0});
	if (r >= 0 && needs & TG_NEED_THREADS)
		r = rule_each(filter, SCMP_ACT_ALLOW, thread_calls, N_OF(thread_calls));
	if (r >= 0)
		r = rule(filter, SCMP_ACT_ALLOW, "tgkill", 1, SCMP_CMP(0, SCMP_CMP_EQ, (uint64_t)getpid()));
	if (r >= 0)
		r = rule(filter, SCMP_ACT_ALLOW, "prlimit64", 1, SCMP_CMP(2, SCMP_CMP_EQ, 0));
	if (r >= 0)
		r = rule(filter, SCMP_ACT_ERRNO(EACCES), "prlimit64", 1, SCMP_CMP(2, SCMP_CMP_NE, 0));
	if (r >= 0)
		r = rule_values(filter, "prctl", 1ull << PR_SET_NAME | 1ull << PR_GET_NAME | 1ull << PR_GET_DUMPABLE);
	return r;
}

static int add_files(scmp_filter_ctx filter, uint32_t needs)
{
	static const char *const opening[] = {"open", "openat"};
	uint32_t action = needs & TG_NEED_RESOLVE ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES);
	int r = rule_each(filter, action, path_calls, N_OF(path_calls));

	if (r >= 0)
		r = rule(filter, SCMP_ACT_ERRNO(ENOSYS), "openat2", 0, (struct scmp_arg_cmp){0});
	if (r >= 0 && !(needs & TG_NEED_RESOLVE))
		return rule_each(filter, action, opening, N_OF(opening));
	if (r >= 0)
		r = rule_bits(filter, "open", 1, O_ACCMODE | O_CREAT | O_TRUNC);
	if (r >= 0)
		r = rule_bits(filter, "openat", 2, O_ACCMODE | O_CREAT | O_TRUNC);
	return r;
}

static int add_sockets(scmp_filter_ctx filter, uint32_t needs)
{
	uint64_t families = 1ull << AF_UNIX;
	int r;

	if (needs & (TG_NEED_CONNECT | TG_NEED_RESOLVE))
		families |= 1ull << AF_INET | 1ull << AF_INET6 | 1ull << AF_NETLINK;
	r = rule_values(filter, "socket", families);
	if (r >= 0)
		/* Nobody needs it here. A library that tries goes on without one. */
		r = rule(filter, SCMP_ACT_ERRNO(EPERM), "socketpair", 0, (struct scmp_arg_cmp){0});
	if (r >= 0)
		r = rule_ioctls(filter, base_ioctls, N_OF(base_ioctls));
	if (r >= 0 && needs & (TG_NEED_CONNECT | TG_NEED_RESOLVE))
		r = rule_ioctls(filter, connect_ioctls, N_OF(connect_ioctls));
	if (r >= 0 && needs & (TG_NEED_CONNECT | TG_NEED_RESOLVE))
		r = rule_each(filter, SCMP_ACT_ALLOW, connect_calls, N_OF(connect_calls));
	if (r >= 0 && needs & TG_NEED_LISTEN)
		r = rule_each(filter, SCMP_ACT_ALLOW, listen_calls, N_OF(listen_calls));
	return r;
}

static int load(scmp_filter_ctx filter, uint32_t needs)
{
	int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a search tree; without it only slower */
	if (r >= 0)
		r = rule_each(filter, SCMP_ACT_ALLOW, base_calls, N_OF(base_calls));
	if (r >= 0)
		r = add_memory(filter);
	if (r >= 0)
		r = add_process(filter, needs);
	if (r >= 0)
		r = add_files(filter, needs);
	if (r >= 0)
		r = add_sockets(filter, needs);
	return r < 0 ? r : seccomp_load(filter);
}

int sandbox_filter(uint32_t needs, bool *ret_filtered)
{
	scmp_filter_ctx filter;
	int r;

#ifdef TG_SANITIZERS
	*ret_filtered = false;
	return 0;
#endif
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
		*ret_filtered = false;
		return errno == EINVAL ? 0 : -errno;
	}
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		return -ENOMEM;
	r = load(filter, needs);
	seccomp_release(filter);
	*ret_filtered = r >= 0;
	return r;
}
