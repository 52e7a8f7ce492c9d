/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_OUTBOX_PRIVATE_H
#define CORE_OUTBOX_PRIVATE_H

/*
 * The outbox's inside, shared by its files: outbox.c (the queue), outbox_send.c (what goes to the sink), outbox_save.c
 * (what goes to the store), outbox_load.c (what comes back from there) and outbox_share.c (how much of it each device holds).
 *
 * In order of acceptance a message is in one of three parts:
 *
 *     front   in memory, to be sent next; some of it on disk too
 *     gap     on disk only: `gap` rows behind `cursor`
 *     tail    in memory and on its way to disk, because there is a gap before it or no room in the front
 *
 * A tail entry that is committed is dropped and widens the gap; when there is no gap, tail entries move to the front. Beside
 * that an entry is on the list of those that are to be saved (unsaved, oldest first; or failed), or is with the store, or is saved.
 */

#include <utlist.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "core/outbox.h"

enum outbox_place {
	OUTBOX_NOWHERE = 0, /* finished, and with the store still */
	OUTBOX_FRONT,
	OUTBOX_TAIL,
	OUTBOX_STUB /* on disk only; its source waits for OUTBOX_DELIVERED */
};

enum outbox_save {
	OUTBOX_UNSAVED = 0,
	OUTBOX_FAILED, /* tried, to be tried again */
	OUTBOX_SAVING, /* the store has `op` */
	OUTBOX_SAVED
};

struct outbox_entry {
	struct outbox *outbox;
	struct outbox_entry *prev, *next;           /* in front, tail or stubs */
	struct outbox_entry *save_prev, *save_next; /* in unsaved or failed */
	struct store_op op;
	struct store_row row;
	outbox_receipt_fn *receipt;
	void *receipt_arg;
	int64_t pushed_us;
	int64_t expires_us; /* monotonic; 0: never */
	uint64_t ticket;    /* 0: not in flight */
	size_t bytes;
	uint32_t cost;
	uint8_t place;
	uint8_t save;
	uint8_t item; /* what became of it, once `place` is nowhere */
	bool sent;    /* at least once */
	uint8_t data[];
};

/* Rows to be deleted, collected. */
struct outbox_gone {
	struct outbox *outbox;
	struct outbox_gone *prev, *next;
	struct store_op op;
	int64_t cost;
	struct store_deletion deletion;
};

struct outbox_slots { /* the tickets in flight: the low 16 bits are a place in `entries` */
	struct outbox_entry **entries;
	uint16_t *free;
	size_t free_count;
	size_t capacity;
	uint64_t serial;
};

struct outbox {
	struct loop *loop;
	struct store *store;
	struct ledger_account *account;
	const struct outbox_ops *ops;
	void *arg;
	const char *name; /* the ledger's */
	uint32_t endpoint;
	struct outbox_settings settings;
	struct loop_timer *timer;
	int64_t timer_at_us; /* 0: not set */

	struct outbox_entry *front;
	struct outbox_entry *tail;
	struct outbox_entry *stubs;
	size_t front_count, front_bytes;
	size_t memory_count, memory_bytes; /* of all entries */
	int64_t gap;
	uint64_t cursor;
	struct shares shares;
	bool shares_doubtful; /* rows were lost, nobody knows whose: they are counted anew when all is in memory */

	/* sending */
	bool up;
	bool rewind;                 /* nothing is sent until all in flight is answered, then from the front on */
	bool blocked;                /* deliver has said no */
	bool sending;                /* outbox_send is at work further up the stack */
	int64_t resume_us;           /* nothing is sent before; 0: no pause */
	struct outbox_entry *unsent; /* the next to be sent in this round, or NULL */
	size_t window, sink_window, in_flight;
	uint32_t round;
	int64_t widen_us; /* the window is narrow until then; 0: it is not */
	struct outbox_slots slots;
	struct backoff retry_backoff;
	struct log_limit reject_limit;

	/* saving */
	struct outbox_entry *unsaved, *failed;
	int64_t saving_cost;
	int64_t disk_rows, disk_cost;
	int save_error;   /* of the last commit */
	int64_t retry_us; /* nothing is saved before; 0: no pause */
	struct backoff save_backoff;
	struct outbox_gone *gone;   /* being filled */
	struct outbox_gone *undone; /* to be tried again */
	unsigned undone_count, deleting;
	int64_t gone_due_us;

	/* loading */
	bool loading;
	int64_t load_retry_us;
	int64_t load_gap; /* rows that are known to be there for this load */
	struct store_op load_op;
	struct store_load load;

	/* flushing, ending */
	outbox_flush_fn *flush_done;
	void *flush_arg;
	unsigned flush_rounds;
	struct store_op flush_op;
	unsigned pending; /* operations with the store */
	bool closing;

	struct outbox_stats stats;
};

/* outbox.c */
/* A new entry on no list, counted in memory. Ownership: takes a reference of `row`'s message, copies address and route. NULL: no memory. */
struct outbox_entry *outbox_entry_new(struct outbox *outbox, const struct store_row *row) WARN_UNUSED;
void outbox_entry_free(struct outbox_entry *entry);
void outbox_add_front(struct outbox *outbox, struct outbox_entry *entry);
/* Takes it off front, tail or stubs. */
void outbox_remove(struct outbox_entry *entry);
bool outbox_front_has_room(const struct outbox *outbox, size_t bytes);
void outbox_receipt(struct outbox_entry *entry, enum outbox_receipt receipt, struct tg_bytes reason);
/* The message leaves custody: off all lists, counted, deleted from disk where it is there; the receipt is given. */
void outbox_finish(struct outbox_entry *entry, enum ledger_item item, enum outbox_receipt receipt,
		   struct tg_bytes reason);
/* Wakes the timer at this time at the latest. */
void outbox_arm(struct outbox *outbox, int64_t at_us);
/* One operation less with the store. Returns true where that was the last of a freed outbox: it is gone now. */
bool outbox_settled(struct outbox *outbox);

/* outbox_send.c */
int outbox_slots_grow(struct outbox_slots *slots, size_t capacity) WARN_UNUSED;
void outbox_slots_done(struct outbox_slots *slots);
void outbox_send(struct outbox *outbox);
/* Takes the entry's ticket away. */
void outbox_untick(struct outbox_entry *entry);

/* outbox_save.c */
bool outbox_disk_has_room(const struct outbox *outbox, int64_t cost);
void outbox_save(struct outbox_entry *entry);
void outbox_save_all(struct outbox *outbox);
/* Saves what has waited for `hold`, tries again what failed, and deletes what is due. */
void outbox_save_due(struct outbox *outbox, int64_t now_us);
/* When the next is due; INT64_MAX: nothing. */
int64_t outbox_save_next(const struct outbox *outbox);
/* Takes it off the list of those to be saved. */
void outbox_unsave(struct outbox_entry *entry);
void outbox_delete(struct outbox *outbox, uint64_t seq, uint32_t cost, enum ledger_item item);
void outbox_delete_now(struct outbox *outbox);
/* Room on the disk, or a flush: what failed is tried again at once. */
void outbox_retry_now(struct outbox *outbox);
void outbox_save_done(struct outbox *outbox);

/* outbox_share.c */
/* Whether `bytes` and `cost` more are within the share of the device. `percent`: see outbox_options. */
bool outbox_share_allows(const struct outbox *outbox, struct tg_bytes device, unsigned percent, size_t bytes,
			 int64_t cost);
/* The entry is new; is on disk now; is finished or withdrawn. One that was loaded was counted when its row was found or written. */
void outbox_share_accepted(const struct outbox_entry *entry);
void outbox_share_saved(const struct outbox_entry *entry);
void outbox_share_ended(const struct outbox_entry *entry);
/* After rows were lost: counts anew as soon as that can be. */
void outbox_share_settle(struct outbox *outbox);

/* outbox_load.c */
static inline int64_t outbox_wall_us(const struct outbox *outbox)
{
	return outbox->ops->now_wall_us ? outbox->ops->now_wall_us(outbox->arg) : clock_wall_us();
}

/* Moves from tail to front, drops from the tail what is committed, and reads on from disk, as far as there is room. */
void outbox_refill(struct outbox *outbox);

#endif
