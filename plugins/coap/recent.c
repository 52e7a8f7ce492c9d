/* SPDX-License-Identifier: Apache-2.0 */
#include "recent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256, SECOND_US = 1000000 };

/* Places are 1 and up in all links, 0 is none. A free entry is linked by `newer`. */
struct entry {
	struct recent_peer *peer;
	struct recent_answer answer;
	uint32_t born_s;
	uint32_t older; /* of all peers */
	uint32_t newer;
	uint32_t follower; /* the next newer one of this peer */
	uint32_t chain;    /* the next one in this bucket */
};

struct recent {
	struct entry *entries; /* [0] is not used */
	uint32_t *buckets;
	size_t capacity; /* a power of two; as many buckets as places */
	size_t limit;
	size_t limit_a_peer;
	size_t count;
	size_t touched; /* places that were ever used */
	uint32_t oldest;
	uint32_t newest;
	uint32_t unused;
	uint64_t seed;
};

int recent_new(size_t limit, size_t limit_a_peer, uint64_t seed, struct recent **ret_recent)
{
	struct recent *recent = calloc(1, sizeof(*recent));
	if (!recent)
		return -ENOMEM;
	recent->limit = limit;
	recent->limit_a_peer = limit_a_peer;
	recent->seed = seed;
	*ret_recent = recent;
	return 0;
}

void recent_free(struct recent *recent)
{
	if (!recent)
		return;
	free(recent->entries);
	free(recent->buckets);
	free(recent);
}

static uint64_t mix(uint64_t value)
{
	value = (value ^ value >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	return value ^ value >> 29;
}

uint32_t recent_hash(const struct recent *recent, struct tg_bytes datagram)
{
	const uint8_t *data = datagram.data;
	uint64_t hash = recent->seed ^ datagram.size;
	for (size_t left = datagram.size; left > 0;) {
		uint64_t word = 0;
		size_t size = left < sizeof(word) ? left : sizeof(word);
		memcpy(&word, data, size);
		hash = mix(hash ^ word);
		data += size;
		left -= size;
	}
	return (uint32_t)(mix(hash) >> 16);
}

static uint32_t *bucket_of(const struct recent *recent, const struct recent_peer *peer, uint16_t id, uint32_t hash)
{
	uint64_t key = mix((uint64_t)(uintptr_t)peer ^ recent->seed) ^ ((uint64_t)id << 32 | hash);
	return &recent->buckets[mix(key) >> 8 & (recent->capacity - 1)];
}

static void chain_in(struct recent *recent, uint32_t place)
{
	struct entry *entry = &recent->entries[place];
	uint32_t *bucket = bucket_of(recent, entry->peer, entry->answer.id, entry->answer.hash);
	entry->chain = *bucket;
	*bucket = place;
}

static void chain_out(struct recent *recent, uint32_t place)
{
	const struct entry *entry = &recent->entries[place];
	uint32_t *link = bucket_of(recent, entry->peer, entry->answer.id, entry->answer.hash);
	while (*link != place)
		link = &recent->entries[*link].chain;
	*link = entry->chain;
}

/* Takes out the oldest entry of its peer: peers lose theirs in order. */
static void entry_drop(struct recent *recent, uint32_t place)
{
	struct entry *entry = &recent->entries[place];
	chain_out(recent, place);
	*(entry->older ? &recent->entries[entry->older].newer : &recent->oldest) = entry->newer;
	*(entry->newer ? &recent->entries[entry->newer].older : &recent->newest) = entry->older;
	entry->peer->oldest = entry->follower;
	if (entry->follower == 0)
		entry->peer->newest = 0;
	entry->peer->count--;
	entry->newer = recent->unused;
	recent->unused = place;
	recent->count--;
}

static bool recent_grow(struct recent *recent)
{
	size_t capacity = recent->capacity ? recent->capacity * 2 : FIRST_CAPACITY;
	if (recent->capacity >= recent->limit)
		return false;
	struct entry *entries = realloc(recent->entries, (capacity + 1) * sizeof(*entries));
	if (!entries)
		return false;
	recent->entries = entries;
	uint32_t *buckets = calloc(capacity, sizeof(*buckets));
	if (!buckets)
		return false;
	free(recent->buckets);
	recent->buckets = buckets;
	recent->capacity = capacity;
	for (uint32_t place = recent->oldest; place; place = entries[place].newer)
		chain_in(recent, place);
	return true;
}

/* A place for one more, or 0. */
static uint32_t place_take(struct recent *recent)
{
	if (recent->unused == 0 && recent->touched == recent->capacity && !recent_grow(recent) && recent->oldest)
		entry_drop(recent, recent->oldest);
	uint32_t place = recent->unused;
	if (place)
		recent->unused = recent->entries[place].newer;
	else if (recent->touched < recent->capacity)
		place = (uint32_t)++recent->touched;
	return place;
}

void recent_add(struct recent *recent, struct recent_peer *peer, const struct recent_answer *answer, int64_t now_us)
{
	if (peer->count > 0 && peer->count >= recent->limit_a_peer)
		entry_drop(recent, peer->oldest);
	else if (recent->count > 0 && recent->count >= recent->limit)
		entry_drop(recent, recent->oldest);
	uint32_t place = place_take(recent);
	if (!place)
		return;
	struct entry *entry = &recent->entries[place];
	*entry = (struct entry){
		.peer = peer,
		.answer = *answer,
		.born_s = (uint32_t)(now_us / SECOND_US),
		.older = recent->newest,
	};
	chain_in(recent, place);
	*(recent->newest ? &recent->entries[recent->newest].newer : &recent->oldest) = place;
	recent->newest = place;
	*(peer->newest ? &recent->entries[peer->newest].follower : &peer->oldest) = place;
	peer->newest = place;
	peer->count++;
	recent->count++;
}

/* Rounded up to whole seconds: never shorter than the RFC says. */
static bool outlived(const struct entry *entry, uint32_t lifetime_s, int64_t now_us)
{
	return (uint32_t)(now_us / SECOND_US) - entry->born_s > lifetime_s;
}

const struct recent_answer *recent_find(const struct recent *recent, const struct recent_peer *peer, uint16_t id,
					uint32_t hash, int64_t now_us)
{
	if (peer->count == 0)
		return NULL;
	for (uint32_t place = *bucket_of(recent, peer, id, hash); place; place = recent->entries[place].chain) {
		const struct entry *entry = &recent->entries[place];
		if (entry->peer != peer || entry->answer.id != id || entry->answer.hash != hash)
			continue;
		uint32_t lifetime_s = entry->answer.confirmable ? RECENT_EXCHANGE_LIFETIME_S : RECENT_NON_LIFETIME_S;
		return outlived(entry, lifetime_s, now_us) ? NULL : &entry->answer;
	}
	return NULL;
}

void recent_peer_done(struct recent *recent, struct recent_peer *peer)
{
	while (peer->oldest)
		entry_drop(recent, peer->oldest);
}

void recent_expire(struct recent *recent, int64_t now_us)
{
	while (recent->oldest && outlived(&recent->entries[recent->oldest], RECENT_EXCHANGE_LIFETIME_S, now_us))
		entry_drop(recent, recent->oldest);
	if (recent->count > 0 || recent->capacity == 0)
		return;
	free(recent->entries);
	free(recent->buckets);
	*recent = (struct recent){
		.limit = recent->limit,
		.limit_a_peer = recent->limit_a_peer,
		.seed = recent->seed,
	};
}

int64_t recent_next_us(const struct recent *recent)
{
	if (!recent->oldest)
		return INT64_MAX;
	return ((int64_t)recent->entries[recent->oldest].born_s + RECENT_EXCHANGE_LIFETIME_S + 1) * SECOND_US;
}

size_t recent_count(const struct recent *recent)
{
	return recent->count;
}
