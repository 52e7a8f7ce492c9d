/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "confine/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "confine/sandbox_filter.h"
#include "confine/sandbox_landlock.h"

int sandbox_begin(void)
{
	const struct rlimit none = {0, 0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return -errno;
#ifndef TG_SANITIZERS /* the leak checker traces its own process */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
#endif
	return 0;
}

/* Landlock and capabilities bind the calling thread only. */
static int check_alone(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned n = 0;

	if (!tasks)
		return errno == ENOENT ? 0 : -errno; /* no /proc: nothing to count */
	for (struct dirent *entry; (entry = readdir(tasks));)
		n += entry->d_name[0] != '.';
	closedir(tasks);
	return n > 1 ? -EBUSY : 0;
}

static bool has_none(const struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3])
{
	uint32_t any = 0;

	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		any |= sets[i].effective | sets[i].permitted | sets[i].inheritable;
	return any == 0;
}

/* A process without capabilities, as the service manager starts it, may not even be allowed to call capset. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	for (unsigned long capability = 0; capability < 64; capability++) {
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			break; /* not permitted, or behind the last: the sets below are emptied in any case */
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &header, sets) < 0)
		return -errno;
	if (has_none(sets))
		return 0;
	memset(sets, 0, sizeof(sets));
	return syscall(SYS_capset, &header, sets) < 0 ? -errno : 0;
}

int sandbox_shut(uint32_t needs, struct sandbox *ret_sandbox)
{
	struct sandbox sandbox = {.landlock_abi = 0};
	int r = check_alone();

	if (r >= 0)
		r = drop_capabilities();
	if (r >= 0)
		r = sandbox_landlock(needs, &sandbox.landlock_abi);
	if (r >= 0)
		r = sandbox_filter(needs, &sandbox.filtered);
	if (r >= 0)
		*ret_sandbox = sandbox;
	return r;
}
