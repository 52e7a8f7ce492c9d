/* SPDX-License-Identifier: Apache-2.0 */
#include "core/store.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>

#include "core/store_private.h"

static int64_t cost_of(const struct store_op *op)
{
	const struct store_deletion *deletion = op->what;
	int64_t cost = 0;

	if (op->kind == STORE_INSERT)
		return op->result < 0 ? store_row_cost(op->what) : 0;
	for (uint32_t i = 0; op->kind == STORE_DELETE && op->result >= 0 && i < deletion->count; i++)
		cost += deletion->gone[i].cost;
	return cost;
}

static void complete(struct store *store)
{
	struct store_queue done;
	struct store_op *op;

	pthread_mutex_lock(&store->lock);
	done = store->done;
	if (!done.first)
		store_queue_init(&done);
	store_queue_init(&store->done);
	pthread_mutex_unlock(&store->lock);
	while ((op = store_queue_pop(&done))) {
		store->used_bytes -= cost_of(op);
		op->done(op, op->result);
	}
}

static void on_wake(void *arg, int fd, uint32_t ready)
{
	uint64_t count;

	(void)ready;
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	complete(arg);
}

/* Signals are the main thread's. */
static int start_writer(struct store *store)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&store->thread, NULL, store_writer_run, store);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return -r;
	store->running = true;
	return 0;
}

static int name_found(struct store *store)
{
	uint32_t endpoint;
	int r = 0;

	for (size_t i = 0; i < store->found->count && r >= 0; i++)
		r = store_endpoint(store, store->found->holdings[i].name, &endpoint);
	return r;
}

static int open_store(struct store *store, const char *folder)
{
	int r;

	store->folder = strdup(folder);
	store->found = calloc(1, sizeof(*store->found));
	if (!store->folder || !store->found)
		return -ENOMEM;
	r = store_files_open(&store->files, folder, &store->settings, store->found);
	if (r < 0)
		return r;
	store->last_seq = store->found->last_seq;
	store->used_bytes = store->found->cost_bytes;
	store->limit_bytes = store->settings.disk_bytes;
	store->stats.set_aside = store->files.set_aside;
	store->stats.salvaged = store->files.salvaged;
	store->stats.unreadable = store->files.unreadable;
	store->stats.corrected = store->files.corrected;
	r = name_found(store);
	if (r < 0)
		return r;
	store->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (store->wake_fd < 0)
		return -errno;
	r = loop_io_new(store->loop, store->wake_fd, LOOP_READABLE, on_wake, store, &store->io);
	return r < 0 ? r : start_writer(store);
}

int store_new(struct loop *loop, const char *folder, const struct store_settings *settings, struct store **ret_store)
{
	struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	store->loop = loop;
	store->settings = *settings;
	store->wake_fd = -1;
	pthread_mutex_init(&store->lock, NULL);
	pthread_cond_init(&store->wake, NULL);
	store_queue_init(&store->queue);
	store_queue_init(&store->done);
	r = open_store(store, folder);
	if (r < 0) {
		store_free(store);
		return r;
	}
	*ret_store = store;
	return 0;
}

void store_stop(struct store *store)
{
	if (!store->running)
		return;
	pthread_mutex_lock(&store->lock);
	store->stopping = true;
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->thread, NULL);
	store->running = false;
	complete(store);
}

void store_free(struct store *store)
{
	if (!store)
		return;
	store_stop(store);
	loop_io_free(store->io);
	if (store->wake_fd >= 0)
		close(store->wake_fd);
	store_files_close(&store->files);
	for (size_t i = 0; i < STORE_ENDPOINTS_MAX; i++)
		free(store->names[i]);
	pthread_cond_destroy(&store->wake);
	pthread_mutex_destroy(&store->lock);
	if (store->found)
		store_exam_done(store->found);
	free(store->found);
	free(store->folder);
	free(store);
}

int store_endpoint(struct store *store, const char *name, uint32_t *ret_endpoint)
{
	char *copy;

	for (uint32_t i = 0; i < store->endpoint_count; i++) {
		if (strcmp(store->names[i], name) == 0) {
			*ret_endpoint = i;
			return 0;
		}
	}
	if (strlen(name) > STORE_NAME_MAX || !*name)
		return -ENAMETOOLONG;
	if (store->endpoint_count == STORE_ENDPOINTS_MAX)
		return -ENOBUFS;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	pthread_mutex_lock(&store->lock);
	store->names[store->endpoint_count] = copy;
	pthread_mutex_unlock(&store->lock);
	*ret_endpoint = store->endpoint_count++;
	return 0;
}

const char *store_endpoint_name(const struct store *store, uint32_t endpoint)
{
	return endpoint < store->endpoint_count ? store->names[endpoint] : NULL;
}

int64_t store_found_rows(const struct store *store, uint32_t endpoint)
{
	return endpoint < store->found->count ? store->found->holdings[endpoint].rows : 0;
}

int64_t store_found_cost(const struct store *store, uint32_t endpoint)
{
	return endpoint < store->found->count ? store->found->holdings[endpoint].cost_bytes : 0;
}

int64_t store_found_count(const struct store *store, uint32_t endpoint, enum ledger_item item)
{
	return endpoint < store->found->count ? store->found->holdings[endpoint].number[item] : 0;
}

void store_take_shares(struct store *store, uint32_t endpoint, struct shares *ret_shares)
{
	*ret_shares = (struct shares){.table = NULL};
	if (endpoint >= store->found->count)
		return;
	*ret_shares = store->found->holdings[endpoint].shares;
	store->found->holdings[endpoint].shares = (struct shares){.table = NULL};
}

uint64_t store_next_seq(struct store *store)
{
	return ++store->last_seq;
}

bool store_has_room(const struct store *store, int64_t cost)
{
	return store->used_bytes + cost <= store->limit_bytes;
}

void store_set_disk_bytes(struct store *store, int64_t disk_bytes)
{
	store->limit_bytes = disk_bytes;
	pthread_mutex_lock(&store->lock);
	store->new_disk_bytes = disk_bytes;
	pthread_mutex_unlock(&store->lock);
}

static void hand_in(struct store *store, struct store_op *op)
{
	if (op->kind == STORE_INSERT)
		store->used_bytes += store_row_cost(op->what);
	if (!store->running) {
		op->result = -ESHUTDOWN;
		store->used_bytes -= cost_of(op);
		op->done(op, op->result);
		return;
	}
	pthread_mutex_lock(&store->lock);
	if (!store->queue.first)
		pthread_cond_signal(&store->wake);
	store_queue_push(&store->queue, op);
	pthread_mutex_unlock(&store->lock);
}

void store_insert(struct store *store, struct store_op *op, const struct store_row *row, store_done_fn *done)
{
	assert(row->endpoint < store->endpoint_count);
	*op = (struct store_op){.done = done, .what = row, .kind = STORE_INSERT};
	hand_in(store, op);
}

bool store_cancel(struct store *store, struct store_op *op)
{
	bool cancelled;

	pthread_mutex_lock(&store->lock);
	cancelled = op->state == STORE_QUEUED;
	if (cancelled)
		op->state = STORE_CANCELLED;
	pthread_mutex_unlock(&store->lock);
	return cancelled;
}

void store_delete(struct store *store, struct store_op *op, const struct store_deletion *deletion, store_done_fn *done)
{
	assert(deletion->endpoint < store->endpoint_count && deletion->count <= STORE_DELETE_MAX);
	*op = (struct store_op){.done = done, .what = deletion, .kind = STORE_DELETE};
	hand_in(store, op);
}

void store_add(struct store *store, struct store_op *op, const struct store_count *count, store_done_fn *done)
{
	assert(count->endpoint < store->endpoint_count);
	*op = (struct store_op){.done = done, .what = count, .kind = STORE_ADD};
	hand_in(store, op);
}

void store_load(struct store *store, struct store_op *op, struct store_load *load, store_done_fn *done)
{
	assert(load->endpoint < store->endpoint_count);
	load->count = load->bad_count = 0;
	load->rows = NULL;
	load->bad = NULL;
	*op = (struct store_op){.done = done, .load = load, .kind = STORE_LOAD};
	hand_in(store, op);
}

void store_load_done(struct store_load *load)
{
	for (uint32_t i = 0; i < load->count; i++)
		store_row_done(&load->rows[i]);
	free(load->rows);
	free(load->bad);
	load->rows = NULL;
	load->bad = NULL;
	load->count = load->bad_count = 0;
}

void store_barrier(struct store *store, struct store_op *op, store_done_fn *done)
{
	*op = (struct store_op){.done = done, .kind = STORE_BARRIER};
	hand_in(store, op);
}

void store_stats(struct store *store, struct store_stats *ret_stats)
{
	pthread_mutex_lock(&store->lock);
	*ret_stats = store->stats;
	pthread_mutex_unlock(&store->lock);
	ret_stats->used_bytes = store->used_bytes;
	ret_stats->limit_bytes = store->limit_bytes;
}

int64_t store_busy_us(struct store *store, int64_t now_us)
{
	int64_t since_us;

	pthread_mutex_lock(&store->lock);
	since_us = store->busy_since_us;
	pthread_mutex_unlock(&store->lock);
	return since_us && now_us > since_us ? now_us - since_us : 0;
}
