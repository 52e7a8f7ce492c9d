/* SPDX-License-Identifier: Apache-2.0 */

/* What tidegate-upgrade has left beside the state folder: root writes there, the gateway reads. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/core_inside.h"

enum { TEXT_SIZE = 1024 };

static int path_of(const struct core *core, const char *name, char path[TEXT_SIZE])
{
	const char *state = core->places->state_dir;
	size_t size = strlen(state);

	while (size > 1 && state[size - 1] == '/')
		size--;
	return snprintf(path, TEXT_SIZE, "%.*s-previous/%s", (int)size, state, name) >= TEXT_SIZE ? -ENAMETOOLONG : 0;
}

static void read_text(const char *path, char text[TEXT_SIZE])
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd < 0 ? 0 : read(fd, text, TEXT_SIZE - 1);

	text[n > 0 ? n : 0] = '\0';
}

/* Two lines: a word, and what it means in this case. */
json_t *core_upgrade_describe(const struct core *core, json_t *problems)
{
	char path[TEXT_SIZE], text[TEXT_SIZE] = "", *line;
	const char *state = "none";

	if (path_of(core, "outcome", path) >= 0)
		read_text(path, text);
	line = strchr(text, '\n');
	if (line) {
		*line++ = '\0';
		line[strcspn(line, "\n")] = '\0';
		state = text;
	}
	if (line && strcmp(state, "proved") != 0)
		json_array_append_new(problems, control_text(bytes_text(line)));
	if (path_of(core, "trial", path) >= 0 && access(path, F_OK) == 0)
		state = "trial";
	return json_pack("{s:o,s:o}", "state", control_text(bytes_text(state)), "text",
			 control_text(bytes_text(line ? line : "")));
}
