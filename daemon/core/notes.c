/* SPDX-License-Identifier: Apache-2.0 */
#include "core/notes.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>

#include "base/bytes.h"
#include "core/notes_file.h"

struct pending {
	TAILQ_ENTRY(pending) link;
	struct notes_asker asker;
	int result;
	struct tg_bytes endpoint;
	struct tg_bytes name;
	struct tg_bytes value;
	uint8_t bytes[];
};

TAILQ_HEAD(pending_list, pending);

struct notes {
	struct loop *loop;
	int64_t period_us;
	int64_t burst_us;
	int64_t spent_us; /* each transaction moves it on by a period; as long as it is behind the time there may be one */
	notes_kept_fn *kept;
	void *arg;
	struct notes_file *file;
	struct loop_timer *timer;
	bool timed;
	struct pending_list pending;
	size_t n_pending;
	uint64_t commits;
};

static bool is_refusal(int result)
{
	return result == -EDQUOT || result == -EEXIST;
}

/* All of it, or nothing; but what is refused is no reason to leave out the rest. */
static int write_all(struct notes *notes)
{
	struct pending *p;
	int r = notes_file_begin(notes->file);

	if (r < 0)
		return r;
	TAILQ_FOREACH(p, &notes->pending, link)
	{
		p->result = notes_file_put(notes->file, p->endpoint, p->name, p->value);
		if (p->result < 0 && !is_refusal(p->result)) {
			r = p->result;
			notes_file_rollback(notes->file);
			return r;
		}
	}
	return notes_file_commit(notes->file);
}

static int answer_of(const struct pending *p, int written)
{
	if (written < 0)
		return written;
	return p->result == -EDQUOT ? -ENOSPC : p->result;
}

static void commit(struct notes *notes)
{
	struct pending_list done = TAILQ_HEAD_INITIALIZER(done);
	struct pending *p;
	int r = write_all(notes);

	notes->commits++;
	TAILQ_CONCAT(&done, &notes->pending, link);
	notes->n_pending = 0;
	while ((p = TAILQ_FIRST(&done))) {
		TAILQ_REMOVE(&done, p, link);
		notes->kept(notes->arg, &p->asker, answer_of(p, r));
		free(p);
	}
}

static void on_timer(void *arg)
{
	struct notes *notes = arg;
	int64_t now_us = loop_now_us(notes->loop);

	notes->timed = false;
	if (notes->n_pending == 0)
		return;
	if (notes->spent_us < now_us - notes->burst_us)
		notes->spent_us = now_us - notes->burst_us;
	notes->spent_us += notes->period_us;
	commit(notes);
}

int notes_new(struct loop *loop, const struct notes_settings *settings, notes_kept_fn *kept, void *arg,
	      struct notes **ret_notes)
{
	struct notes *notes = calloc(1, sizeof(*notes));
	int r;

	if (!notes)
		return -ENOMEM;
	*notes = (struct notes){.loop = loop,
				.period_us = settings->period_us,
				.burst_us = settings->period_us * (int64_t)settings->burst,
				.kept = kept,
				.arg = arg};
	TAILQ_INIT(&notes->pending);
	notes->spent_us = INT64_MIN / 2;
	r = loop_timer_new(loop, on_timer, notes, &notes->timer);
	if (r >= 0)
		r = notes_file_open(settings->folder, &notes->file);
	if (r < 0) {
		notes_free(notes);
		return r;
	}
	*ret_notes = notes;
	return 0;
}

void notes_free(struct notes *notes)
{
	struct pending *p;

	if (!notes)
		return;
	if (notes->file && notes->n_pending > 0)
		(void)write_all(notes);
	while ((p = TAILQ_FIRST(&notes->pending))) {
		TAILQ_REMOVE(&notes->pending, p, link);
		free(p);
	}
	notes_file_close(notes->file);
	loop_timer_free(notes->timer);
	free(notes);
}

uint64_t notes_loss(const struct notes *notes)
{
	return notes_file_loss(notes->file);
}

static struct pending *pending_new(struct tg_bytes endpoint, struct tg_bytes name, struct tg_bytes value)
{
	struct pending *p = malloc(sizeof(*p) + endpoint.size + name.size + value.size);

	if (!p)
		return NULL;
	memcpy(p->bytes, endpoint.data, endpoint.size);
	memcpy(p->bytes + endpoint.size, name.data, name.size);
	if (value.size > 0)
		memcpy(p->bytes + endpoint.size + name.size, value.data, value.size);
	p->endpoint = bytes_of(p->bytes, endpoint.size);
	p->name = bytes_of(p->bytes + endpoint.size, name.size);
	p->value = bytes_of(p->bytes + endpoint.size + name.size, value.size);
	return p;
}

int notes_keep(struct notes *notes, const char *endpoint, struct tg_bytes name, struct tg_bytes value,
	       const struct notes_asker *asker)
{
	int64_t now_us = loop_now_us(notes->loop), at_us = notes->spent_us + notes->period_us;
	struct pending *p;

	if (notes->n_pending >= NOTES_PENDING_MAX)
		return -ENOBUFS;
	p = pending_new(bytes_text(endpoint), name, value);
	if (!p)
		return -ENOMEM;
	p->asker = *asker;
	TAILQ_INSERT_TAIL(&notes->pending, p, link);
	notes->n_pending++;
	if (!notes->timed)
		loop_timer_set(notes->timer, at_us > now_us ? at_us : now_us);
	notes->timed = true;
	return 0;
}

int notes_each(struct notes *notes, const char *endpoint,
	       int (*fn)(void *arg, struct tg_bytes name, struct tg_bytes value), void *arg)
{
	return notes_file_each(notes->file, bytes_text(endpoint), fn, arg);
}

void notes_stats(const struct notes *notes, struct notes_stats *ret_stats)
{
	*ret_stats = (struct notes_stats){
		.count = notes_file_count(notes->file), .pending = notes->n_pending, .commits = notes->commits};
}
