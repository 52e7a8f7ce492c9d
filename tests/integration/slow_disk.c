/* SPDX-License-Identifier: Apache-2.0 */

/* Preloaded into a program: a disk that brings nothing to an end as long as the file that SLOW_DISK names is there. */

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_for_disk(void)
{
	const char *path = getenv("SLOW_DISK");

	while (path && access(path, F_OK) == 0)
		usleep(10000);
}

int fdatasync(int fd)
{
	static int (*real)(int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
	wait_for_disk();
	return real(fd);
}

int fsync(int fd)
{
	static int (*real)(int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "fsync");
	wait_for_disk();
	return real(fd);
}
