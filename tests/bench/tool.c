/* SPDX-License-Identifier: Apache-2.0 */
#include "tool.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

static int64_t tool_clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * TOOL_S_US + now.tv_nsec / 1000;
}

int64_t tool_now_us(void)
{
	return tool_clock_us(CLOCK_MONOTONIC);
}

int64_t tool_cpu_us(void)
{
	return tool_clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

void tool_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(2);
}

uint64_t tool_number(const char *name, const char *text, uint64_t lowest, uint64_t highest)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *text == '-' || value < lowest || value > highest)
		tool_fail("--%s takes a number from %llu to %llu", name, (unsigned long long)lowest,
			  (unsigned long long)highest);
	return value;
}

double tool_real(const char *name, const char *text, double lowest, double highest)
{
	double value;
	char *end;

	value = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(value) || value < lowest || value > highest)
		tool_fail("--%s takes a number from %g to %g", name, lowest, highest);
	return value;
}

uint64_t tool_random_u64(struct tool_random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t tool_random_below(struct tool_random *random, uint32_t below)
{
	return (uint32_t)((tool_random_u64(random) >> 32) * below >> 32);
}

void tool_random_bytes(struct tool_random *random, void *ret_bytes, size_t size)
{
	uint8_t *bytes = ret_bytes;

	while (size > 0) {
		uint64_t value = tool_random_u64(random);
		size_t part = size < sizeof(value) ? size : sizeof(value);

		memcpy(bytes, &value, part);
		bytes += part;
		size -= part;
	}
}

uint64_t tool_seed(void)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		tool_fail("no randomness (%s)", strerror(errno));
	return seed;
}

void tool_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}
