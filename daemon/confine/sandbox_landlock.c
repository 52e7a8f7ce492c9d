/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "confine/sandbox_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <tidegate/adapter.h>

/* What the system's header may be too old to know, in its own words. */
struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* since version 4 */
	uint64_t scoped;             /* since version 6 */
};

enum {
	FS_V1 = (1 << 13) - 1, /* execute to make_sym */
	FS_V2 = FS_V1 | 1 << 13,
	FS_V3 = FS_V2 | 1 << 14,
	FS_V5 = FS_V3 | 1 << 15,
	NET_BIND_TCP = 1 << 0,
	NET_CONNECT_TCP = 1 << 1,
	SCOPE_ABSTRACT_SOCKETS = 1 << 0,
	SCOPE_SIGNALS = 1 << 1
};

static const char *const resolver_paths[] = {
	"/etc/hosts",    "/etc/resolv.conf", "/etc/nsswitch.conf",   "/etc/host.conf",      "/etc/gai.conf",
	"/etc/services", "/etc/protocols",   "/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf",
};

static struct ruleset ruleset_for(int abi, uint32_t needs)
{
	struct ruleset set = {.handled_access_fs = abi >= 5 ? FS_V5 : abi >= 3 ? FS_V3 : abi >= 2 ? FS_V2 : FS_V1};

	if (abi >= 4)
		set.handled_access_net = NET_BIND_TCP | (needs & TG_NEED_CONNECT ? 0 : NET_CONNECT_TCP);
	if (abi >= 6)
		set.scoped = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
	return set;
}

static size_t ruleset_size(int abi)
{
	return abi >= 6 ? sizeof(struct ruleset) : abi >= 4 ? offsetof(struct ruleset, scoped) : sizeof(uint64_t);
}

/* Lets one file, or what lies in one folder, be read. A path that is not there is left out. */
static int allow_reading(int ruleset_fd, const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {.parent_fd = fd, .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	return syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

static int allow_needs(int ruleset_fd, uint32_t needs)
{
	int r = 0;

	for (size_t i = 0; needs & TG_NEED_RESOLVE && i < sizeof(resolver_paths) / sizeof(resolver_paths[0]); i++) {
		r = allow_reading(ruleset_fd, resolver_paths[i]);
		if (r < 0)
			return r;
	}
#ifdef TG_SANITIZERS
	r = allow_reading(ruleset_fd, "/proc");
#endif
	return r;
}

int sandbox_landlock(uint32_t needs, int *ret_abi)
{
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset set = ruleset_for(abi, needs);
	CLEANUP_CLOSE int fd = -1;
	int r;

	if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP)) {
		*ret_abi = 0;
		return 0;
	}
	if (abi < 0)
		return -errno;
	fd = (int)syscall(SYS_landlock_create_ruleset, &set, ruleset_size(abi), 0);
	if (fd < 0)
		return -errno;
	r = allow_needs(fd, needs);
	if (r < 0)
		return r;
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return -errno;
	*ret_abi = abi;
	return 0;
}
