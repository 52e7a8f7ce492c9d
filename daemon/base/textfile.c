/* SPDX-License-Identifier: Apache-2.0 */
#include "base/textfile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MAX = 4 * 1024 * 1024 };

char *textfile_read_fd(int fd)
{
	size_t size = 0, room = 16 * 1024;
	char *text = malloc(room);

	while (text) {
		ssize_t n = read(fd, text + size, room - size - 1);
		char *more;

		if (n == 0)
			break;
		if (n < 0 || size + (size_t)n > FILE_MAX) {
			free(text);
			return NULL;
		}
		size += (size_t)n;
		if (room - size > 4096)
			continue;
		more = realloc(text, room *= 2);
		if (!more)
			free(text);
		text = more;
	}
	if (text)
		text[size] = '\0';
	return text;
}

char *textfile_read(const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? NULL : textfile_read_fd(fd);
}
