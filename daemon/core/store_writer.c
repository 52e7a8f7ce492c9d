/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/store_private.h"
#include "core/trouble.h"

/* A transaction of more rows is hardly faster, and all of its messages would wait for it; its bytes bound the WAL. */
enum { BATCH_ROWS = 256, BATCH_BYTES = 512 * 1024, BATCH_OPS = 512 };
enum { VACUUM_PAGES = 64, REPAIR_PAUSE_S = 10 };

struct batch {
	unsigned count;
	unsigned rows;
	size_t bytes;
	struct store_op *ops[BATCH_OPS];
	int64_t sums[BATCH_OPS]; /* of the inserts */
};

/* A part of a batch. */
struct slice {
	struct store_op **ops;
	const int64_t *sums;
	unsigned count;
};

struct writer {
	struct store *store;
	struct batch batch;
	struct batch live; /* what of it has to be written */
	int64_t repaired_us;
	struct trouble trouble;
};

static bool is_alone(const struct store_op *op)
{
	return op->kind == STORE_LOAD || op->kind == STORE_BARRIER;
}

static bool fits(const struct batch *batch, const struct store_op *op)
{
	return batch->count == 0 || (!is_alone(op) && !is_alone(batch->ops[0]) && batch->count < BATCH_OPS &&
				     batch->rows < BATCH_ROWS && batch->bytes < BATCH_BYTES);
}

/* The lock is held. */
static int64_t take_limit(struct store *store)
{
	int64_t disk_bytes = store->new_disk_bytes;

	store->new_disk_bytes = 0;
	return disk_bytes;
}

static void set_limit(struct store *store, int64_t disk_bytes)
{
	store->settings.disk_bytes = disk_bytes;
	for (unsigned s = 0; s < store->files.count; s++) {
		if (database_set_limit(store->files.sides[s].database, store_files_limit(disk_bytes)) < 0)
			log_warning("the limit of the store cannot be changed");
	}
}

/* Returns false when there is nothing and never will be. */
static bool take_batch(struct store *store, struct batch *batch)
{
	int64_t disk_bytes;

	batch->count = batch->rows = 0;
	batch->bytes = 0;
	pthread_mutex_lock(&store->lock);
	while (!store->queue.first && !store->stopping)
		pthread_cond_wait(&store->wake, &store->lock);
	while (store->queue.first && fits(batch, store->queue.first)) {
		struct store_op *op = store_queue_pop(&store->queue);

		op->result = op->state == STORE_CANCELLED ? -ECANCELED : 0;
		op->state = STORE_BEGUN;
		batch->ops[batch->count++] = op;
		if (op->kind == STORE_INSERT && op->result == 0) {
			batch->rows++;
			batch->bytes += message_size(((const struct store_row *)op->what)->message);
		}
	}
	disk_bytes = take_limit(store);
	store->busy_since_us = batch->count > 0 ? clock_now_us() : 0;
	pthread_mutex_unlock(&store->lock);
	if (disk_bytes)
		set_limit(store, disk_bytes);
	return batch->count > 0;
}

static void give_back(struct store *store, const struct batch *batch)
{
	bool wake;

	pthread_mutex_lock(&store->lock);
	wake = !store->done.first;
	store->busy_since_us = 0;
	for (unsigned i = 0; i < batch->count; i++)
		store_queue_push(&store->done, batch->ops[i]);
	pthread_mutex_unlock(&store->lock);
	if (wake && write(store->wake_fd, &(uint64_t){1}, sizeof(uint64_t)) < 0)
		assert(errno == EAGAIN);
}

static int write_op(struct store *store, struct store_side *side, const struct store_op *op, int64_t sum)
{
	const struct store_row *row = op->what;

	if (op->kind == STORE_DELETE)
		return store_side_delete(side, op->what);
	if (op->kind == STORE_INSERT)
		return store_side_insert(side, row, bytes_text(store->names[row->endpoint]), sum);
	store_side_add(side, op->what);
	return 0;
}

static uint64_t highest_seq(const struct store *store, const struct slice *slice)
{
	uint64_t highest = store->files.last_seq;

	for (unsigned i = 0; i < slice->count; i++) {
		const struct store_row *row = slice->ops[i]->what;

		if (slice->ops[i]->kind == STORE_INSERT && row->seq > highest)
			highest = row->seq;
	}
	return highest;
}

static int prepare_side(struct store *store, struct store_side *side, const struct slice *slice, uint64_t last_seq)
{
	int r = store_side_begin(side);

	for (unsigned i = 0; i < slice->count && r >= 0; i++)
		r = write_op(store, side, slice->ops[i], slice->sums[i]);
	return r < 0 ? r : store_side_finish(side, store->names, store->files.generation + 1, last_seq);
}

/* Takes back what the first file has of a transaction that the mirror could not take: these rows are about to be refused. Deletions
 * stand; they are tried again. Where this fails too, the rows stay, and are sent after a restart. */
static void undo(struct store *store, const struct slice *slice)
{
	struct store_side *side = &store->files.sides[0];
	struct store_deletion deletion = {.count = 1};
	struct store_count count;
	int r = store_side_begin(side);

	for (unsigned i = 0; i < slice->count && r >= 0; i++) {
		const struct store_op *op = slice->ops[i];

		if (op->kind == STORE_INSERT) {
			const struct store_row *row = op->what;

			deletion.endpoint = row->endpoint;
			deletion.gone[0] = (struct store_gone){.seq = row->seq, .item = LEDGER_ACCEPTED};
			r = store_side_delete(side, &deletion);
		} else if (op->kind == STORE_ADD) {
			count = *(const struct store_count *)op->what;
			for (int item = 0; item < LEDGER_ITEMS; item++)
				count.add[item] = -count.add[item];
			store_side_add(side, &count);
		}
	}
	if (r >= 0)
		r = store_side_finish(side, store->names, store->files.generation + 1, store->files.last_seq);
	if (r >= 0)
		r = store_side_commit(side);
	if (r < 0)
		store_side_rollback(side);
}

/* One transaction on both sides. */
static int write_once(struct store *store, const struct slice *slice)
{
	struct store_files *files = &store->files;
	uint64_t last_seq = highest_seq(store, slice);
	unsigned committed = 0;
	int r = 0;

	for (unsigned s = 0; s < files->count && r >= 0; s++)
		r = prepare_side(store, &files->sides[s], slice, last_seq);
	while (r >= 0 && committed < files->count) {
		r = store_side_commit(&files->sides[committed]);
		committed += r >= 0;
	}
	for (unsigned s = committed; s < files->count && r < 0; s++)
		store_side_rollback(&files->sides[s]);
	if (r < 0 && committed > 0)
		undo(store, slice);
	if (r < 0)
		return r;
	files->generation++;
	files->last_seq = last_seq;
	files->rows += files->sides[0].rows;
	return 0;
}

static void set_busy(struct store *store, bool busy)
{
	pthread_mutex_lock(&store->lock);
	store->busy_since_us = busy ? clock_now_us() : 0;
	pthread_mutex_unlock(&store->lock);
}

/* The files turn out to be damaged while they are in use: what the start does is done now. */
static int repair(struct writer *writer)
{
	struct store *store = writer->store;
	CLEANUP_FREE struct store_exam *found = calloc(1, sizeof(*found));
	int64_t now_us = clock_now_us();
	int r;

	if (!found || (writer->repaired_us && now_us - writer->repaired_us < REPAIR_PAUSE_S * CLOCK_S_US))
		return -EIO;
	writer->repaired_us = now_us;
	set_busy(store, false);
	log_error("the store is damaged, trying to repair it");
	store_files_close(&store->files);
	store->files = (struct store_files){.count = 0};
	r = store_files_open(&store->files, store->folder, &store->settings, found);
	store_exam_done(found);
	set_busy(store, true);
	if (r < 0) {
		log_error("the store cannot be repaired (%s), messages are kept in memory only", strerror(-r));
		return -EIO;
	}
	pthread_mutex_lock(&store->lock);
	store->stats.set_aside += store->files.set_aside;
	store->stats.salvaged += store->files.salvaged;
	store->stats.unreadable += store->files.unreadable;
	store->stats.corrected += store->files.corrected;
	pthread_mutex_unlock(&store->lock);
	return 0;
}

/* Splits what does not fit, so that only those rows fail for which there is no room. */
static int write_slice(struct writer *writer, struct slice slice)
{
	struct slice first = {slice.ops, slice.sums, slice.count / 2};
	struct slice second = {slice.ops + first.count, slice.sums + first.count, slice.count - first.count};
	int r, s;

	r = writer->store->files.count ? write_once(writer->store, &slice) : -EUCLEAN;
	if (r == -EUCLEAN) {
		r = repair(writer);
		if (r >= 0)
			r = write_once(writer->store, &slice);
	}
	if (r == -ENOSPC && slice.count > 1) {
		r = write_slice(writer, first);
		s = write_slice(writer, second);
		return r < 0 ? r : s;
	}
	for (unsigned i = 0; i < slice.count; i++)
		slice.ops[i]->result = r;
	return r;
}

/* SQLite cannot delete on a full disk: inserts stop while there is room for deletions and their WAL. */
static bool has_reserve(const struct store *store, size_t bytes)
{
	struct statvfs fs;
	int64_t left;

	if (bytes == 0 || statvfs(store->folder, &fs) < 0)
		return true;
	left = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	return left - 2 * (int64_t)bytes * store->files.count >= store->settings.reserve_bytes;
}

static void pick_live(struct writer *writer)
{
	const struct batch *batch = &writer->batch;
	struct batch *live = &writer->live;
	bool room = has_reserve(writer->store, batch->bytes);

	live->count = 0;
	for (unsigned i = 0; i < batch->count; i++) {
		struct store_op *op = batch->ops[i];
		const struct store_row *row = op->what;

		if (op->result < 0)
			continue;
		if (op->kind == STORE_INSERT && !room) {
			op->result = -ENOSPC;
			continue;
		}
		live->sums[live->count] = op->kind == STORE_INSERT
						  ? store_row_sum(row, bytes_text(writer->store->names[row->endpoint]))
						  : 0;
		live->ops[live->count++] = op;
	}
}

/* Space goes back to the file system where that is cheap: when the last row has left. */
static void vacuum(struct store *store)
{
	for (unsigned s = 0; s < store->files.count; s++) {
		struct database *database = store->files.sides[s].database;
		int64_t pages = 0;

		if (database_number(database, "PRAGMA freelist_count", &pages) < 0 || pages <= VACUUM_PAGES)
			continue;
		if (database_exec(database, "PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)") < 0)
			log_debug("cannot shrink the store (%s)", database_error(database));
	}
}

static void tell_result(struct writer *writer, bool took, int r)
{
	enum trouble_news news = TROUBLE_NO_NEWS;

	if (r < 0 || took)
		news = trouble_note(&writer->trouble, r < 0, clock_now_us());
	if (news == TROUBLE_BEGINS)
		log_error("the store cannot take messages (%s), trying again", strerror(-r));
	else if (news == TROUBLE_ENDS)
		log_notice("the store takes messages again");
}

static void note_result(struct writer *writer, const struct batch *batch, int r)
{
	struct store *store = writer->store;
	int64_t inserted = 0;

	pthread_mutex_lock(&store->lock);
	store->stats.error = r;
	store->stats.commits += r >= 0;
	for (unsigned i = 0; i < batch->count; i++) {
		const struct store_op *op = batch->ops[i];

		if (op->result >= 0 && op->kind == STORE_INSERT)
			inserted++;
		else if (op->result >= 0 && op->kind == STORE_DELETE)
			store->stats.deleted += ((const struct store_deletion *)op->what)->count;
	}
	store->stats.inserted += inserted;
	pthread_mutex_unlock(&store->lock);
	tell_result(writer, inserted > 0, r);
}

static void write_batch(struct writer *writer)
{
	struct store *store = writer->store;
	const struct batch *live = &writer->live;
	int64_t rows = store->files.rows;
	int r = 0;

	pick_live(writer);
	if (live->count)
		r = write_slice(writer, (struct slice){writer->live.ops, live->sums, live->count});
	for (unsigned i = 0; i < writer->batch.count && r >= 0; i++) {
		if (writer->batch.ops[i]->result != -ECANCELED)
			r = writer->batch.ops[i]->result;
	}
	if (live->count || r < 0)
		note_result(writer, live, r);
	if (rows > 0 && store->files.rows == 0)
		vacuum(store);
}

static int read_rows(struct writer *writer, struct store_load *load)
{
	struct store *store = writer->store;
	const char *name = store->names[load->endpoint];
	int r = store->files.count ? store_read(&store->files, name, load) : -EIO;

	if (r == -EUCLEAN && repair(writer) >= 0)
		r = store_read(&store->files, name, load);
	return r == -EUCLEAN ? -EIO : r;
}

void *store_writer_run(void *arg)
{
	struct writer writer = {.store = arg};

	while (take_batch(writer.store, &writer.batch)) {
		struct store_op *first = writer.batch.ops[0];

		if (first->kind == STORE_LOAD)
			first->result = read_rows(&writer, first->load);
		else if (first->kind != STORE_BARRIER)
			write_batch(&writer);
		give_back(writer.store, &writer.batch);
	}
	return NULL;
}
