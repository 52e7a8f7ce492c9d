/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "wire/frame.h"

static int connect_core(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	while (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno != ENOENT && errno != ECONNREFUSED)
			exit(3);
		usleep(1000); /* the core is not there yet: a stranger waits for it */
	}
	return fd;
}

static void say(int fd, const struct frame *frame)
{
	struct buffer out;

	buffer_init(&out, 65536);
	if (frame_encode(frame, &out) < 0 || write(fd, buffer_data(&out), buffer_size(&out)) < 0)
		exit(4);
	buffer_done(&out);
}

/* Returns whether the core is still there. */
static bool hear(int fd, struct buffer *in, struct frame *ret_frame)
{
	int size;

	while ((size = frame_decode(bytes_of_buffer(in), ret_frame)) == 0) {
		uint8_t *room = buffer_reserve(in, 4096);
		ssize_t n = room ? read(fd, room, 4096) : -1;

		if (n <= 0)
			return false;
		buffer_commit(in, (size_t)n);
	}
	if (size < 0)
		exit(6);
	buffer_consume(in, (size_t)size);
	return true;
}

static void take_lock(const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || fcntl(fd, F_SETLK, &lock) < 0)
		exit(7);
}

static void misbehave(int fd, const char *name)
{
	if (strcmp(name, "crash") == 0)
		abort();
	if (strcmp(name, "hang") == 0)
		for (;;)
			pause();
	if (strcmp(name, "garbage") == 0 && write(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8) < 0)
		exit(8);
	if (strcmp(name, "wrong-way") == 0)
		say(fd, &(struct frame){.type = FRAME_STOP});
	if (strcmp(name, "wrong-turn") == 0)
		say(fd, &(struct frame){.type = FRAME_STARTED});
}

/* To a core, until that is gone or has said that it is to stop. Returns whether it is. */
static bool serve(int fd, const char *name, const struct frame *hello)
{
	struct frame frame;
	struct buffer in;
	bool stops = false;

	say(fd, hello);
	buffer_init(&in, 1 << 20);
	while (!stops && hear(fd, &in, &frame)) {
		stops = frame.type == FRAME_STOP;
		if (frame.type == FRAME_CONFIGURED) {
			say(fd, &(struct frame){.type = FRAME_STARTED});
			misbehave(fd, name);
		} else if (frame.type == FRAME_PING) {
			frame.type = FRAME_PONG;
			say(fd, &frame);
		}
	}
	buffer_done(&in);
	close(fd);
	return stops;
}

int endpoint_process(char **argv)
{
	const char *name = argv[2];
	struct frame hello = {.type = FRAME_HELLO, .hello = {FRAME_VERSION, 0, bytes_text(name)}};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return 9;
	take_lock(argv[8]);
	if (strcmp(name, "old") == 0)
		hello.hello.version++;
	if (strcmp(name, "liar") == 0)
		hello.hello.endpoint = bytes_text("good");
	while (!serve(connect_core(argv[6]), name, &hello))
		if (strcmp(name, "good") != 0)
			return 5;
	return 0;
}
