/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FAKE_CORE_H
#define TESTS_FAKE_CORE_H

/*
 * The core's end of the wire, played by a test, for a real tidegate-endpoint with the loopback adapter. Everything that comes is
 * kept for the test to read; nothing is answered that the test has not asked for. What goes wrong ends the test with a line.
 */

#include <stdbool.h>
#include <sys/types.h>
#include <tidegate/adapter.h>

#include "base/loop.h"
#include "wire/link.h"

enum { FAKE_MAX = 4096, FAKE_COUNTERS = 16 };

struct fake_submit {
	uint64_t token;
	uint8_t id[TG_ID_SIZE];
	int64_t time_wall_us;
	bool again;
	char device[64];
	char path[64];
	char payload[64];
};

struct fake_core {
	struct loop *loop;
	const struct tg_adapter *adapter; /* whose rows the settings are sent by */
	char folder[64];
	char socket[128];
	char lock[128];
	int listen_fd;
	struct loop_io *listen_io;
	struct link *link;
	int raw_fd; /* the same socket, for what no link would send */
	pid_t pid;
	const char *const *changes; /* "name", "value", ..., NULL: other than the fallbacks */
	bool accept_all;
	bool configure_by_hand;

	/* What came. */
	unsigned n_links, n_hellos, n_started, n_stopped, n_reloaded, n_pongs, n_link_frames;
	int64_t pong, reloaded;
	struct frame_hello hello; /* without its bytes */
	char hello_endpoint[FRAME_NAME_MAX + 1];
	struct fake_submit submits[FAKE_MAX];
	unsigned n_submits;
	struct frame_delivered delivered[FAKE_MAX]; /* without their bytes */
	unsigned n_delivered;
	enum tg_link state;
	int64_t counters[FAKE_COUNTERS];
	char failed[FRAME_TEXT_MAX + 1];
	char logged[65536]; /* the lines, one behind the other */
};

struct fake_core *fake_core_new(void);
/* Kills the process if it still runs, and removes the folder. */
void fake_core_free(struct fake_core *core);

/* Listens and lets processes join, or stops both as a core that dies. */
void fake_core_listen(struct fake_core *core);
void fake_core_die(struct fake_core *core);
/* And nobody will come in its place. */
void fake_core_leave_for_good(struct fake_core *core);

void fake_core_spawn(struct fake_core *core, const char *orphan_s);
/* Waits for the end of the process. Returns its status as of waitpid(2). */
int fake_core_wait(struct fake_core *core);

void fake_core_configure(struct fake_core *core);
void fake_core_send(struct fake_core *core, const struct frame *frame);
void fake_core_deliver(struct fake_core *core, uint64_t ticket, const char *address, const char *payload);
void fake_core_verdict(struct fake_core *core, uint64_t token, enum tg_verdict verdict);

#define FAKE_UNTIL(core, condition)                                                                                    \
	({                                                                                                             \
		int64_t until_end_ = fake_core_deadline();                                                             \
		while (!(condition) && fake_core_turn((core), until_end_))                                             \
			;                                                                                              \
		(condition);                                                                                           \
	})
int64_t fake_core_deadline(void);
bool fake_core_turn(struct fake_core *core, int64_t deadline_us);
/* Lets this much time pass, taking in what comes. */
void fake_core_idle(struct fake_core *core, int64_t ms);

#endif
