/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/setup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEPT_MAX = 1000 };

int setup_file_begin(struct setup_file *file, const char *path, FILE **ret_out)
{
	int fd;

	*file = (struct setup_file){.path = path};
	if (snprintf(file->fresh, sizeof(file->fresh), "%s.new", path) >= (int)sizeof(file->fresh) - 16)
		return -ENAMETOOLONG;
	unlink(file->fresh);
	fd = open(file->fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	fchmod(fd, 0644); /* whatever the umask: the service has to read it */
	*ret_out = fdopen(fd, "w");
	if (*ret_out)
		return 0;
	close(fd);
	unlink(file->fresh);
	return -ENOMEM;
}

static int flush(FILE *out)
{
	int r = fflush(out) == 0 && fsync(fileno(out)) == 0 ? 0 : -errno;

	return fclose(out) == 0 ? r : -errno;
}

/* Gives what is there a second name, one that is free. */
static int keep(struct setup_file *file)
{
	for (int i = 1; i < KEPT_MAX; i++) {
		snprintf(file->before, sizeof(file->before), i == 1 ? "%s.before-setup" : "%s.before-setup-%d",
			 file->path, i);
		if (link(file->path, file->before) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	file->before[0] = '\0';
	return errno == ENOENT ? 0 : -errno;
}

int setup_file_place(struct setup_file *file, FILE *out)
{
	int r = flush(out);

	if (r >= 0)
		r = keep(file);
	if (r >= 0 && rename(file->fresh, file->path) < 0)
		r = -errno;
	if (r < 0)
		unlink(file->fresh);
	return r;
}

int setup_file_undo(struct setup_file *file)
{
	int r = file->before[0] ? rename(file->before, file->path) : unlink(file->path);

	return r < 0 ? -errno : 0;
}
