/* SPDX-License-Identifier: Apache-2.0 */
#include "core/devices_master.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "core/trust_seal.h"

enum { HEX_DIGITS = 2 * TRUST_SEAL_KEY, FILE_MAX = HEX_DIGITS + 2 };

int devices_master_parse(const char *text, size_t size, struct secret *ret_key)
{
	if (size == TRUST_SEAL_KEY)
		return secret_set(ret_key, bytes_of(text, size));
	while (size > HEX_DIGITS && (text[size - 1] == '\n' || text[size - 1] == '\r'))
		size--;
	if (size != HEX_DIGITS)
		return -EINVAL;
	return secret_from_hex(ret_key, text, size);
}

/* systemd may let its service read a credential by an access list, which shows as rights of the group. */
static bool is_credential(const char *path)
{
	const char *folder = secure_getenv("CREDENTIALS_DIRECTORY");
	size_t length = folder ? strlen(folder) : 0;

	return length > 0 && strncmp(path, folder, length) == 0 && path[length] == '/';
}

int devices_master_read(const char *path, struct secret *ret_key)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	mode_t others = is_credential(path) ? S_IRWXO : S_IRWXG | S_IRWXO;
	char text[FILE_MAX + 1];
	struct stat st;
	ssize_t n;
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_mode & others)
		return -EPERM;
	n = read(fd, text, sizeof(text));
	r = n < 0 ? -errno : n > FILE_MAX ? -EINVAL : devices_master_parse(text, (size_t)n, ret_key);
	explicit_bzero(text, sizeof(text));
	return r;
}

/* What was renamed or made in the folder of `path` stays so. */
static int sync_folder(const char *path)
{
	char copy[PATH_MAX];
	CLEANUP_CLOSE int fd = -1;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return -ENAMETOOLONG;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int write_hex(int fd, const struct secret *key)
{
	char text[HEX_DIGITS + 2];
	int r = 0;

	secret_to_hex(key, text);
	text[HEX_DIGITS] = '\n';
	if (write(fd, text, HEX_DIGITS + 1) != HEX_DIGITS + 1 || fsync(fd) < 0)
		r = errno ? -errno : -EIO;
	explicit_bzero(text, sizeof(text));
	return r;
}

int devices_master_write(const char *path, const struct secret *key)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return -errno;
	errno = 0;
	r = write_hex(fd, key);
	if (r >= 0)
		r = sync_folder(path);
	if (r < 0)
		unlink(path);
	return r;
}

int devices_master_move(const char *path, const char *target)
{
	return rename(path, target) < 0 ? -errno : sync_folder(target);
}

const char *devices_master_problem(int error)
{
	switch (error) {
	case -ENOENT:
		return "there is no such file";
	case -EPERM:
		return "others than its owner may read it, mode 0600 is wanted";
	case -EINVAL:
		return "it is not a key: 64 hexadecimal digits are wanted";
	case -EKEYREJECTED:
		return "it is not the key that the registry is sealed under";
	default:
		return strerror(-error);
	}
}
