/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/out.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool out_open(struct out *out, const char *path)
{
	int fd;

	*out = (struct out){.path = path};
	if (!path)
		return true;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		out->file = fdopen(fd, "w");
	if (out->file)
		return true;
	fprintf(stderr, "tidegatectl: cannot make \"%s\" (%s)%s\n", path, strerror(errno),
		errno == EEXIST ? "; it is never written over" : "");
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	return false;
}

int out_sync(struct out *out)
{
	int r = 0;

	if (!out->file)
		return 0;
	errno = 0;
	/* A write that failed before has left no reason. */
	if (fflush(out->file) != 0 || ferror(out->file) || fsync(fileno(out->file)) != 0)
		r = errno ? -errno : -EIO;
	return r;
}

void out_close(struct out *out)
{
	if (out->file)
		fclose(out->file);
	out->file = NULL;
}

bool out_keep(struct out *out)
{
	int r = out_sync(out);

	if (r < 0) {
		fprintf(stderr, "tidegatectl: cannot write \"%s\" (%s)\n", out->path, strerror(-r));
		out_drop(out);
		return false;
	}
	out_close(out);
	return true;
}

void out_drop(struct out *out)
{
	if (!out->file)
		return;
	fclose(out->file);
	unlink(out->path);
	out->file = NULL;
}
