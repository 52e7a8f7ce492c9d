/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Preloaded into a program: its time of day is another one, and its kernel calls that synchronised or not. The test writes both into a file
 * (FAKE_CLOCK) whenever it likes; it is mapped before any sandbox is shut. The monotonic clock stays as it is.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

struct fake {
	int64_t offset_s;
	int64_t synchronised;
};

static const volatile struct fake *fake;

__attribute__((constructor)) static void fake_begin(void)
{
	const char *path = getenv("FAKE_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(struct fake), PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		abort();
	fake = map;
	close(fd);
}

int clock_gettime(clockid_t id, struct timespec *ret_time)
{
	static int (*real)(clockid_t, struct timespec *);
	int r;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	r = real(id, ret_time);
	if (r == 0 && fake && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ret_time->tv_sec += fake->offset_s;
	return r;
}

time_t time(time_t *ret_time)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret_time)
		*ret_time = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret_time, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*ret_time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	return 0;
}

int adjtimex(struct timex *state)
{
	if (state->modes != 0) {
		errno = EPERM;
		return -1;
	}
	memset(state, 0, sizeof(*state));
	state->status = fake->synchronised ? STA_PLL : STA_UNSYNC;
	return fake->synchronised ? TIME_OK : TIME_ERROR;
}
