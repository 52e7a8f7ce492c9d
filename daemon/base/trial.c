/* SPDX-License-Identifier: Apache-2.0 */
#include "base/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"

#define NAME      "until"
#define TITLE     "a configuration on trial, see tidegatectl(1)\n"
#define CONFIRMED "confirmed\n"
#define BOOT      "boot "
#define UNTIL     "until_us "

enum { BOOT_DIGITS = 32 };

static int read_text(const char *path, char *text, size_t room)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, text, room - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

/* 32 digits: written with dashes or without. */
static int tidy_boot(char *boot)
{
	size_t size = 0;

	for (const char *at = boot; *at && *at != '\n'; at++)
		if (*at != '-')
			boot[size++] = *at;
	boot[size] = '\0';
	return size == BOOT_DIGITS && strspn(boot, "0123456789abcdef") == size ? 0 : -EINVAL;
}

/* A service that sees no more of /proc than processes is told by its unit. */
static int read_boot(char ret_boot[TRIAL_BOOT_SIZE])
{
	const char *told = secure_getenv(TRIAL_BOOT_VARIABLE);
	int r = read_text("/proc/sys/kernel/random/boot_id", ret_boot, TRIAL_BOOT_SIZE);

	if (r < 0 && told) {
		snprintf(ret_boot, TRIAL_BOOT_SIZE, "%s", told);
		r = 0;
	}
	return r < 0 ? r : tidy_boot(ret_boot);
}

int trial_now(struct trial_now *ret_now)
{
	struct timespec time;
	int r = read_boot(ret_now->boot);

	if (r < 0)
		return r;
	if (clock_gettime(CLOCK_BOOTTIME, &time) < 0)
		return -errno;
	ret_now->time_us = time.tv_sec * CLOCK_S_US + time.tv_nsec / 1000;
	return 0;
}

void trial_format(const struct trial_now *now, int64_t lasts_us, char ret_text[TRIAL_NOTE_SIZE])
{
	if (lasts_us < 0)
		snprintf(ret_text, TRIAL_NOTE_SIZE, TITLE CONFIRMED);
	else
		snprintf(ret_text, TRIAL_NOTE_SIZE, TITLE BOOT "%s\n" UNTIL "%" PRId64 "\n", now->boot,
			 now->time_us + lasts_us);
}

struct trial trial_parse(const char *text, const struct trial_now *now)
{
	static const struct trial over = {TRIAL_OVER, 0};
	size_t boot = strlen(now->boot);
	long long until_us;
	char *end;

	if (strncmp(text, TITLE, strlen(TITLE)) != 0)
		return over;
	text += strlen(TITLE);
	if (strcmp(text, CONFIRMED) == 0)
		return (struct trial){TRIAL_CONFIRMED, 0};
	if (strncmp(text, BOOT, strlen(BOOT)) != 0)
		return over;
	text += strlen(BOOT);
	if (boot == 0 || strncmp(text, now->boot, boot) != 0 || text[boot] != '\n')
		return over;
	text += boot + 1;
	if (strncmp(text, UNTIL, strlen(UNTIL)) != 0)
		return over;
	text += strlen(UNTIL);
	errno = 0;
	until_us = strtoll(text, &end, 10);
	if (errno || end == text || strcmp(end, "\n") != 0 || until_us <= now->time_us)
		return over;
	return (struct trial){TRIAL_PENDING, until_us - now->time_us};
}

struct trial trial_read(const char *folder, const struct trial_now *now)
{
	char path[PATH_MAX], text[TRIAL_NOTE_SIZE];
	int r;

	if (snprintf(path, sizeof(path), "%s/" NAME, folder) >= (int)sizeof(path))
		return (struct trial){TRIAL_NONE, 0};
	r = read_text(path, text, sizeof(text));
	if (r >= 0)
		return trial_parse(text, now);
	return (struct trial){r == -ENOENT && access(folder, F_OK) < 0 ? TRIAL_NONE : TRIAL_OVER, 0};
}

static int write_text(const char *path, const char *text)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	size_t size = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, size);
	if (n != (ssize_t)size)
		return n < 0 ? -errno : -ENOSPC;
	return fchmod(fd, 0644) < 0 || fsync(fd) < 0 ? -errno : 0;
}

int trial_write(const char *folder, const struct trial_now *now, int64_t lasts_us)
{
	CLEANUP_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[PATH_MAX], fresh[PATH_MAX + 8], text[TRIAL_NOTE_SIZE];
	int r;

	if (fd < 0)
		return -errno;
	if (snprintf(path, sizeof(path), "%s/" NAME, folder) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	trial_format(now, lasts_us, text);
	r = write_text(fresh, text);
	if (r >= 0 && rename(fresh, path) < 0)
		r = -errno;
	if (r >= 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}
