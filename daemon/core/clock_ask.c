/* SPDX-License-Identifier: Apache-2.0 */
#include "core/clock_ask.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "wire/clock_word.h"

enum { PAUSE_MOST_BITS = 8 }; /* 256 calls */

void clock_ask_init(struct clock_ask *ask, const char *path)
{
	*ask = (struct clock_ask){.path = path, .fd = -1};
}

void clock_ask_done(struct clock_ask *ask)
{
	if (ask->fd >= 0)
		close(ask->fd);
	ask->fd = -1;
}

static bool begin(struct clock_ask *ask)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (ask->fd >= 0)
		return true;
	if (strlen(ask->path) >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, ask->path, strlen(ask->path));
	ask->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ask->fd >= 0 && connect(ask->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		clock_ask_done(ask);
	ask->asked = false;
	return ask->fd >= 0;
}

/* False: nobody is there any more. */
static bool take_answer(struct clock_ask *ask)
{
	char answer;
	ssize_t n = recv(ask->fd, &answer, 1, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	ask->asked = false;
	ask->failed = 0;
	ask->last = answer == CLOCK_WORD_SYNCHRONISED ? 1 : answer == CLOCK_WORD_UNSYNCHRONISED ? 0 : -1;
	return true;
}

static void fail(struct clock_ask *ask)
{
	clock_ask_done(ask);
	ask->last = -1;
	if (ask->failed < PAUSE_MOST_BITS)
		ask->failed++;
	ask->pause = ask->failed > 1 ? 1U << ask->failed : 0;
}

int clock_ask_next(struct clock_ask *ask)
{
	bool there;

	if (ask->pause > 0) {
		ask->pause--;
		return ask->last;
	}
	there = begin(ask) && (!ask->asked || take_answer(ask));

	if (there && !ask->asked) {
		there = send(ask->fd, "?", 1, MSG_NOSIGNAL) == 1;
		ask->asked = there;
	}
	if (!there)
		fail(ask);
	return ask->last;
}
