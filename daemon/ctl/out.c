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

bool out_keep(struct out *out)
{
	bool good;

	if (!out->file)
		return true;
	good = fflush(out->file) == 0 && !ferror(out->file) && fsync(fileno(out->file)) == 0;
	if (!good) {
		fprintf(stderr, "tidegatectl: cannot write \"%s\" (%s)\n", out->path, strerror(errno));
		out_drop(out);
		return false;
	}
	fclose(out->file);
	out->file = NULL;
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
