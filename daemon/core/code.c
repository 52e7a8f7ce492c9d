/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h> /* the build's */

#include "core/code.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "wire/frame.h"

/* The dynamic linker's cache, which every package with a library has made anew. */
#define LIBRARIES "/etc/ld.so.cache"

enum { PATH_TEXT = 512 };

/* FNV-1a: tells two builds apart, and is no proof against anybody. */
static int sum_file(const char *path, uint64_t *ret_sum)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	uint8_t bytes[16384];
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	}
	if (n < 0)
		return -errno;
	*ret_sum = sum;
	return 0;
}

int code_identity(const char *program, const char *adapter_dir, const char *adapter, char ret_code[CODE_SIZE])
{
	uint64_t program_sum, adapter_sum;
	char path[PATH_TEXT];
	struct stat libraries = {.st_ino = 0};
	int r;

	if (snprintf(path, sizeof(path), "%s/%s.so", adapter_dir, adapter) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	r = sum_file(program, &program_sum);
	if (r >= 0)
		r = sum_file(path, &adapter_sum);
	if (r < 0)
		return r;
	if (stat(LIBRARIES, &libraries) < 0)
		libraries.st_ino = 0;
	snprintf(ret_code, CODE_SIZE, "%.32s wire %d program %016llx adapter %016llx libraries %llx.%llx.%llx",
		 PACKAGE_VERSION, FRAME_VERSION, (unsigned long long)program_sum, (unsigned long long)adapter_sum,
		 (unsigned long long)libraries.st_ino, (unsigned long long)libraries.st_ctim.tv_sec,
		 (unsigned long long)libraries.st_ctim.tv_nsec);
	return 0;
}

static int kept_path(const char *run_dir, const char *endpoint, unsigned worker, char path[PATH_TEXT])
{
	return snprintf(path, PATH_TEXT, "%s/endpoint-%s-%u.code", run_dir, endpoint, worker) >= PATH_TEXT
		       ? -ENAMETOOLONG
		       : 0;
}

int code_keep(const char *run_dir, const char *endpoint, unsigned worker, const char *code)
{
	size_t size = strlen(code);
	CLEANUP_CLOSE int fd = -1;
	char path[PATH_TEXT];

	if (kept_path(run_dir, endpoint, worker, path) < 0)
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	return write(fd, code, size) == (ssize_t)size ? 0 : -EIO;
}

bool code_is_kept(const char *run_dir, const char *endpoint, unsigned worker, const char *code)
{
	char path[PATH_TEXT], kept[CODE_SIZE];
	CLEANUP_CLOSE int fd = -1;
	ssize_t n;

	if (kept_path(run_dir, endpoint, worker, path) < 0)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	n = fd < 0 ? -1 : read(fd, kept, sizeof(kept));
	return n == (ssize_t)strlen(code) && memcmp(kept, code, (size_t)n) == 0;
}
