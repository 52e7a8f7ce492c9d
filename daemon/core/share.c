/* SPDX-License-Identifier: Apache-2.0 */
#include "core/share.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) (entry)->lost = true
#include <uthash.h>

enum { IDLE_MAX = 1024 };

struct share {
	struct share *prev, *next; /* in idle */
	struct share_held held;
	UT_hash_handle hh;
	bool lost; /* no memory to find it again */
	char device[];
};

static void forget(struct shares *shares, struct share *share)
{
	DL_DELETE(shares->idle, share);
	shares->idle_count--;
	HASH_DEL(shares->table, share);
	free(share);
}

void shares_done(struct shares *shares)
{
	struct share *share, *next;

	HASH_ITER (hh, shares->table, share, next) {
		HASH_DEL(shares->table, share);
		free(share);
	}
	*shares = (struct shares){.table = NULL};
}

static void rest(struct shares *shares, struct share *share)
{
	DL_APPEND(shares->idle, share);
	if (++shares->idle_count > IDLE_MAX)
		forget(shares, shares->idle);
}

size_t shares_count(const struct shares *shares)
{
	return HASH_COUNT(shares->table) - shares->idle_count;
}

static struct share *find(const struct shares *shares, struct tg_bytes device)
{
	struct share *share;

	HASH_FIND(hh, shares->table, device.size ? device.data : "", device.size, share);
	return share;
}

static struct share *open_account(struct shares *shares, struct tg_bytes device)
{
	struct share *share = calloc(1, sizeof(*share) + device.size);

	if (!share)
		return NULL;
	if (device.size)
		memcpy(share->device, device.data, device.size);
	HASH_ADD_KEYPTR(hh, shares->table, share->device, device.size, share);
	if (share->lost) {
		free(share);
		return NULL;
	}
	rest(shares, share);
	return share;
}

struct share_held share_of(const struct shares *shares, struct tg_bytes device)
{
	const struct share *share = find(shares, device);

	return share ? share->held : (struct share_held){.messages = 0};
}

void share_add(struct shares *shares, struct tg_bytes device, int64_t memory_bytes, int64_t cost_bytes)
{
	struct share *share = find(shares, device);

	if (!share)
		share = open_account(shares, device);
	if (!share)
		return;
	if (share->held.messages++ == 0) {
		DL_DELETE(shares->idle, share);
		shares->idle_count--;
	}
	share->held.memory_bytes += memory_bytes;
	share->held.cost_bytes += cost_bytes;
}

void share_saved(struct shares *shares, struct tg_bytes device, int64_t memory_bytes)
{
	struct share *share = find(shares, device);

	if (share && share->held.messages > 0)
		share->held.memory_bytes -= memory_bytes;
}

void share_drop(struct shares *shares, struct tg_bytes device, int64_t memory_bytes, int64_t cost_bytes)
{
	struct share *share = find(shares, device);

	if (!share || share->held.messages == 0)
		return;
	share->held.memory_bytes -= memory_bytes;
	share->held.cost_bytes -= cost_bytes;
	if (--share->held.messages > 0)
		return;
	share->held = (struct share_held){.messages = 0};
	rest(shares, share);
}

/* Exact, and without overflow. */
static int64_t percent_of(int64_t whole, unsigned percent)
{
	return whole / 100 * percent + whole % 100 * percent / 100;
}

bool share_allows(const struct share_held *held, unsigned percent, const struct share_held *more,
		  const struct share_held *whole)
{
	if (percent >= 100 || held->messages == 0)
		return true;
	return held->memory_bytes + more->memory_bytes <= percent_of(whole->memory_bytes, percent) &&
	       held->cost_bytes + more->cost_bytes <= percent_of(whole->cost_bytes, percent);
}
