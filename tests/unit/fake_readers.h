/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_FAKE_READERS_H
#define UNIT_FAKE_READERS_H

/* The rest of the core, as far as readers meet it: a table of devices, processes that keep what they are sent, and a clock. For
 * programs that take nothing else of the core. */

#include <tidegate/adapter.h>

#include "core/core_inside.h"

enum { READERS_SENT_MAX = 64, READERS_LISTED_MAX = 1024 };

struct instance {
	uint32_t id;
	uint32_t generation;
	int result; /* of instance_send */
	bool is_behind;
	unsigned listed_room; /* of a page, until it is behind; 0: no limit */
	bool gone;
	struct frame_reading sent[READERS_SENT_MAX]; /* without their bytes */
	char payload[READERS_SENT_MAX][16];
	unsigned n_sent;
	struct frame_listed listed[READERS_LISTED_MAX]; /* without their bytes */
	char names[READERS_LISTED_MAX][32];             /* "device path" */
	unsigned n_listed;
};

/* "reader" may read pump-X/temp and all of tank-X, "stranger" nothing, "lost" has no profile, "elsewhere" another endpoint. */
enum { READERS_READER, READERS_STRANGER, READERS_LOST, READERS_ELSEWHERE, READERS_PUMP, READERS_TANK, READERS_DEVICES };

struct readers {
	struct device devices[READERS_DEVICES];
	struct profile allowed, nothing;
	struct profile_read reads[2];
	struct instance field, second;
	struct config config;
	struct core core;
	struct endpoint endpoint;
	int64_t now_us;
	char told[256]; /* the last event */
};

extern struct readers readers;

void readers_setup(void);
void readers_teardown(void);

/* A reading of the device is accepted, a microsecond after the last one. */
void readers_put(const char *device, const char *path, const char *payload);
int readers_ask(struct instance *instance, uint64_t number, const char *reader, const char *device, const char *path,
		bool observe);

int readers_list(struct instance *instance, const char *reader, enum tg_list what, uint64_t after, const char *behind);

#endif
