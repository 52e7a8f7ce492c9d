/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PORT_FIRST = 10000, PORTS = 10000, PORT_TRIES = 100 };

void child_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

const char *child_text(const char *format, ...)
{
	static char texts[8][256];
	static unsigned next;
	char *text = texts[next++ % 8];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(texts[0]), format, args);
	va_end(args);
	return text;
}

void child_shell(const char *format, ...)
{
	char command[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command) != 0)
		child_die("failed: %s", command);
}

pid_t child_start(const char *const *arguments, int out, int err)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		child_die("fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	if (getppid() != parent)
		_exit(1);
	dup2(out >= 0 ? out : open("/dev/null", O_RDWR | O_CLOEXEC), STDOUT_FILENO);
	dup2(err >= 0 ? err : open("/dev/null", O_RDWR | O_CLOEXEC), STDERR_FILENO);
	execvp(arguments[0], (char *const *)(uintptr_t)arguments);
	_exit(127);
}

bool child_claim_port(uint16_t port)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int size = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "tidegate-test-port-%u", port);
	bool good = bind(fd, (struct sockaddr *)&address,
			 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size)) == 0;

	if (!good)
		close(fd);
	return good;
}

uint16_t child_free_port(void)
{
	for (int i = 0; i < PORT_TRIES; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		uint16_t number;
		bool good;

		if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
			child_die("getrandom: %s", strerror(errno));
		number = (uint16_t)(PORT_FIRST + number % PORTS);
		address.sin_port = htons(number);
		good = child_claim_port(number) && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
		close(fd);
		if (good)
			return number;
	}
	child_die("no free port");
}

bool child_listens(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	close(fd);
	return good;
}

void child_read(int fd, char *text, size_t room)
{
	size_t size = 0;
	ssize_t r;

	if (lseek(fd, 0, SEEK_SET) != 0)
		child_die("lseek: %s", strerror(errno));
	while ((r = read(fd, text + size, room - 1 - size)) > 0)
		size += (size_t)r;
	text[size] = '\0';
	close(fd);
}
