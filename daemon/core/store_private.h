/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_STORE_PRIVATE_H
#define CORE_STORE_PRIVATE_H

/* What the store's two halves share: store.c is the main thread's, store_writer.c the writer's. */

#include <pthread.h>

#include "core/store_files.h"

enum store_kind { STORE_INSERT = 1, STORE_DELETE, STORE_ADD, STORE_LOAD, STORE_BARRIER };

enum store_op_state { STORE_QUEUED = 0, STORE_CANCELLED, STORE_BEGUN };

struct store_queue {
	struct store_op *first;
	struct store_op **last;
};

struct store {
	/* the main thread's */
	struct loop *loop;
	struct loop_io *io;
	int wake_fd; /* the writer has put something into `done` */
	struct store_exam *found;
	uint32_t endpoint_count;
	uint64_t last_seq;
	int64_t used_bytes;
	int64_t limit_bytes;
	bool running;

	/* guarded by `lock`; names are only ever added */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct store_queue queue;
	struct store_queue done;
	bool stopping;
	int64_t new_disk_bytes; /* for the writer to take over; 0: none */
	struct store_stats stats;
	int64_t busy_since_us; /* 0: it waits for work */
	char *names[STORE_ENDPOINTS_MAX];

	/* the writer's once it runs */
	pthread_t thread;
	char *folder;
	struct store_settings settings;
	struct store_files files;
};

static inline void store_queue_init(struct store_queue *queue)
{
	queue->first = NULL;
	queue->last = &queue->first;
}

static inline void store_queue_push(struct store_queue *queue, struct store_op *op)
{
	op->next = NULL;
	*queue->last = op;
	queue->last = &op->next;
}

static inline struct store_op *store_queue_pop(struct store_queue *queue)
{
	struct store_op *op = queue->first;

	if (!op)
		return NULL;
	queue->first = op->next;
	if (!queue->first)
		queue->last = &queue->first;
	return op;
}

/* Reads the rows that `load` asks for, from the mirror where one is damaged. */
int store_read(struct store_files *files, const char *name, struct store_load *load) WARN_UNUSED;

/* The thread's body. */
void *store_writer_run(void *store);

#endif
