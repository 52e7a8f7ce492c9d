/* SPDX-License-Identifier: Apache-2.0 */

/*
 * tidegate-clock: says whether the kernel's clock is synchronised. systemd starts one for each connection to its socket, which is
 * standard input and output: each byte that comes is answered by one of clock_word.h. adjtimex(2), which only reads here, is
 * forbidden to whoever may not set the clock (ProtectClock=); so the gateway's service does without it, and this one without all else.
 */

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

#include "wire/clock_word.h"

static char answer(void)
{
	struct timex state = {.modes = 0};

	if (adjtimex(&state) < 0)
		return CLOCK_WORD_UNKNOWN;
	return state.status & STA_UNSYNC ? CLOCK_WORD_UNSYNCHRONISED : CLOCK_WORD_SYNCHRONISED;
}

int main(void)
{
	ssize_t n;
	char byte;

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &(int){0}, &(socklen_t){sizeof(int)}) < 0) {
		fputs("tidegate-clock: standard input is no socket; systemd starts this by tidegate-clock.socket\n",
		      stderr);
		return 2;
	}
	while ((n = read(STDIN_FILENO, &byte, 1)) == 1 || (n < 0 && errno == EINTR)) {
		if (n < 0)
			continue;
		byte = answer();
		if (send(STDOUT_FILENO, &byte, 1, MSG_NOSIGNAL) != 1)
			break;
	}
	return 0; /* whoever asked is gone, or will ask anew */
}
