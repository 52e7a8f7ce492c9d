/* SPDX-License-Identifier: Apache-2.0 */
#include "reader_snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { S_US = 1000000 };

/* In a list by age. */
struct reader_snapshot {
	struct reader_snapshot_peer *peer;
	struct reader_snapshot *next; /* of this peer */
	struct reader_snapshot *older;
	struct reader_snapshot *newer;
	int64_t end_us;
	struct reader_content content;
	struct tg_bytes name;
	size_t size;
	uint8_t memory[]; /* of name and payload */
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

static void snapshot_free(struct reader_snapshots *snapshots, struct reader_snapshot *snapshot)
{
	struct reader_snapshot **link = &snapshot->peer->first;
	while (*link != snapshot)
		link = &(*link)->next;
	*link = snapshot->next;
	snapshot->peer->count--;
	*(snapshot->older ? &snapshot->older->newer : &snapshots->oldest) = snapshot->newer;
	*(snapshot->newer ? &snapshot->newer->older : &snapshots->newest) = snapshot->older;
	snapshots->bytes -= snapshot->size;
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
	while (snapshot && !is_same(snapshot->name, name))
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

static struct tg_bytes copy(uint8_t *memory, struct tg_bytes bytes)
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
	snapshots->bytes += snapshot->size;
}

void reader_snapshot_put(struct reader_snapshots *snapshots, struct reader_snapshot_peer *peer, struct tg_bytes name,
			 const struct reader_content *content, int64_t now_us)
{
	size_t size = sizeof(struct reader_snapshot) + name.size + content->payload.size;
	struct reader_snapshot *before = find(peer, name);
	if (!before && peer->count >= READER_SNAPSHOTS_A_PEER)
		before = oldest_of(peer);
	if (before)
		snapshot_free(snapshots, before);
	if (size > snapshots->limit_bytes)
		return;
	while (snapshots->bytes > snapshots->limit_bytes - size)
		snapshot_free(snapshots, snapshots->oldest);
	struct reader_snapshot *snapshot = malloc(size);
	if (!snapshot)
		return;
	*snapshot = (struct reader_snapshot){
		.end_us = now_us + READER_SNAPSHOT_S * (int64_t)S_US, .content = *content, .size = size};
	snapshot->name = copy(snapshot->memory, name);
	snapshot->content.payload = copy(snapshot->memory + name.size, content->payload);
	link_in(snapshots, peer, snapshot);
}

bool reader_snapshot_get(const struct reader_snapshot_peer *peer, struct tg_bytes name, int64_t now_us,
			 struct reader_content *ret_content)
{
	const struct reader_snapshot *snapshot = find(peer, name);
	if (!snapshot || now_us >= snapshot->end_us)
		return false;
	*ret_content = snapshot->content;
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
