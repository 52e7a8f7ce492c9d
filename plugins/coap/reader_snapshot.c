/* SPDX-License-Identifier: Apache-2.0 */
#include "reader_snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { S_US = 1000000, SHARE_LOOK = 16 };

/* A reading, for all sessions that fetch it. */
struct copy {
	unsigned uses;
	size_t size;
	struct tg_bytes name;
	struct reader_content content;
	uint8_t memory[]; /* of name and payload */
};

/* In a list by age. */
struct reader_snapshot {
	struct reader_snapshot_peer *peer;
	struct reader_snapshot *next; /* of this peer */
	struct reader_snapshot *older;
	struct reader_snapshot *newer;
	int64_t end_us;
	int64_t fresh_until_us; /* as this session was told */
	struct copy *copy;
};

struct reader_snapshots {
	size_t limit_bytes;
	size_t bytes;
	struct reader_snapshot *oldest;
	struct reader_snapshot *newest;
};

int reader_snapshots_new(size_t limit_bytes, struct reader_snapshots **ret_snapshots)
{
	struct reader_snapshots *snapshots = calloc(1, sizeof(*snapshots));
	if (!snapshots)
		return -ENOMEM;
	snapshots->limit_bytes = limit_bytes;
	*ret_snapshots = snapshots;
	return 0;
}

static void copy_release(struct reader_snapshots *snapshots, struct copy *copy)
{
	if (--copy->uses > 0)
		return;
	snapshots->bytes -= copy->size;
	free(copy);
}

static void snapshot_free(struct reader_snapshots *snapshots, struct reader_snapshot *snapshot)
{
	struct reader_snapshot **link = &snapshot->peer->first;
	while (*link != snapshot)
		link = &(*link)->next;
	*link = snapshot->next;
	snapshot->peer->count--;
	*(snapshot->older ? &snapshot->older->newer : &snapshots->oldest) = snapshot->newer;
	*(snapshot->newer ? &snapshot->newer->older : &snapshots->newest) = snapshot->older;
	snapshots->bytes -= sizeof(*snapshot);
	copy_release(snapshots, snapshot->copy);
	free(snapshot);
}

void reader_snapshots_free(struct reader_snapshots *snapshots)
{
	free(snapshots);
}

void reader_snapshots_set_limit(struct reader_snapshots *snapshots, size_t limit_bytes)
{
	snapshots->limit_bytes = limit_bytes;
}

static bool is_same(struct tg_bytes a, struct tg_bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static struct reader_snapshot *find(const struct reader_snapshot_peer *peer, struct tg_bytes name)
{
	struct reader_snapshot *snapshot = peer->first;
	while (snapshot && !is_same(snapshot->copy->name, name))
		snapshot = snapshot->next;
	return snapshot;
}

static struct reader_snapshot *oldest_of(const struct reader_snapshot_peer *peer)
{
	struct reader_snapshot *oldest = peer->first; /* the newest comes first */
	while (oldest && oldest->next)
		oldest = oldest->next;
	return oldest;
}

static struct tg_bytes write_to(uint8_t *memory, struct tg_bytes bytes)
{
	if (bytes.size > 0)
		memcpy(memory, bytes.data, bytes.size);
	return (struct tg_bytes){.data = memory, .size = bytes.size};
}

static void link_in(struct reader_snapshots *snapshots, struct reader_snapshot_peer *peer,
		    struct reader_snapshot *snapshot)
{
	snapshot->peer = peer;
	snapshot->next = peer->first;
	peer->first = snapshot;
	peer->count++;
	snapshot->newer = NULL;
	snapshot->older = snapshots->newest;
	*(snapshots->newest ? &snapshots->newest->newer : &snapshots->oldest) = snapshot;
	snapshots->newest = snapshot;
	snapshots->bytes += sizeof(*snapshot);
}

/* The same reading, copied for another session: when a new one is told to many, it is the one that was copied last. */
static struct copy *copy_find(const struct reader_snapshots *snapshots, struct tg_bytes name,
			      const struct reader_content *content)
{
	const struct reader_snapshot *snapshot = snapshots->newest;
	for (int look = 0; snapshot && look < SHARE_LOOK; look++, snapshot = snapshot->older) {
		struct copy *copy = snapshot->copy;
		if (copy->content.etag == content->etag && copy->content.content_format == content->content_format &&
		    is_same(copy->name, name) && is_same(copy->content.payload, content->payload))
			return copy;
	}
	return NULL;
}

static void make_room(struct reader_snapshots *snapshots, size_t size)
{
	while (snapshots->oldest && snapshots->bytes + size > snapshots->limit_bytes)
		snapshot_free(snapshots, snapshots->oldest);
}

/* One more use of a copy. NULL: there is not so much room, or no memory. */
static struct copy *copy_take(struct reader_snapshots *snapshots, struct tg_bytes name,
			      const struct reader_content *content)
{
	size_t size = sizeof(struct copy) + name.size + content->payload.size;
	struct copy *copy = copy_find(snapshots, name, content);
	if (!copy) {
		copy = size <= snapshots->limit_bytes ? malloc(size) : NULL;
		if (!copy)
			return NULL;
		make_room(snapshots, size);
		*copy = (struct copy){.size = size, .content = *content};
		copy->name = write_to(copy->memory, name);
		copy->content.payload = write_to(copy->memory + name.size, content->payload);
		snapshots->bytes += size;
	}
	copy->uses++;
	return copy;
}

/* The older one of this resource, or, where the session has too many, its oldest. */
static void drop_one(struct reader_snapshots *snapshots, const struct reader_snapshot_peer *peer, struct tg_bytes name)
{
	struct reader_snapshot *snapshot = find(peer, name);
	if (!snapshot && peer->count >= READER_SNAPSHOTS_A_PEER)
		snapshot = oldest_of(peer);
	if (snapshot)
		snapshot_free(snapshots, snapshot);
}

void reader_snapshot_put(struct reader_snapshots *snapshots, struct reader_snapshot_peer *peer, struct tg_bytes name,
			 const struct reader_content *content, int64_t now_us)
{
	struct copy *copy = copy_take(snapshots, name, content);
	struct reader_snapshot *snapshot = copy ? malloc(sizeof(*snapshot)) : NULL;
	drop_one(snapshots, peer, name);
	if (!snapshot) {
		if (copy)
			copy_release(snapshots, copy);
		return;
	}
	make_room(snapshots, sizeof(*snapshot));
	*snapshot = (struct reader_snapshot){
		.end_us = now_us + READER_SNAPSHOT_S * (int64_t)S_US,
		.fresh_until_us = content->fresh_until_us,
		.copy = copy,
	};
	link_in(snapshots, peer, snapshot);
}

bool reader_snapshot_get(const struct reader_snapshot_peer *peer, struct tg_bytes name, int64_t now_us,
			 struct reader_content *ret_content)
{
	const struct reader_snapshot *snapshot = find(peer, name);
	if (!snapshot || now_us >= snapshot->end_us)
		return false;
	*ret_content = snapshot->copy->content;
	ret_content->fresh_until_us = snapshot->fresh_until_us;
	return true;
}

void reader_snapshot_peer_done(struct reader_snapshots *snapshots, struct reader_snapshot_peer *peer)
{
	while (peer->first)
		snapshot_free(snapshots, peer->first);
}

size_t reader_snapshots_bytes(const struct reader_snapshots *snapshots)
{
	return snapshots->bytes;
}

void reader_snapshots_run(struct reader_snapshots *snapshots, int64_t now_us)
{
	while (snapshots->oldest && snapshots->oldest->end_us <= now_us)
		snapshot_free(snapshots, snapshots->oldest);
}

int64_t reader_snapshots_next_us(const struct reader_snapshots *snapshots)
{
	return snapshots->oldest ? snapshots->oldest->end_us : INT64_MAX;
}
