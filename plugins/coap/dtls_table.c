/* SPDX-License-Identifier: Apache-2.0 */
/* Without these uthash ends the process when there is no memory. */
#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(element) (failed = true)

#include "dtls_table.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

struct table_network {
	struct dtls_peer network;
	size_t half_open;
	UT_hash_handle hh;
};

struct dtls_table {
	struct dtls_hash_key key;
	struct dtls_entry *peers[DTLS_PLACES];
	struct dtls_entry *handles;
	struct table_network *networks;
	struct dtls_entry *order[DTLS_PLACES]; /* as they were heard last */
	size_t count[DTLS_PLACES];
};

int dtls_table_new(const struct dtls_hash_key *key, struct dtls_table **ret_table)
{
	struct dtls_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->key = *key;
	*ret_table = table;
	return 0;
}

void dtls_table_free(struct dtls_table *table)
{
	free(table);
}

struct dtls_entry *dtls_table_find(struct dtls_table *table, enum dtls_place place, const struct dtls_peer *peer)
{
	struct dtls_entry *entry = NULL;

	if (table->count[place] == 0)
		return NULL;
	HASH_FIND_BYHASHVALUE(by_peer, table->peers[place], peer, sizeof(*peer), dtls_peer_hash(&table->key, peer),
			      entry);
	return entry;
}

struct dtls_entry *dtls_table_by_handle(struct dtls_table *table, uint64_t handle)
{
	struct dtls_entry *entry = NULL;

	HASH_FIND(by_handle, table->handles, &handle, sizeof(handle), entry);
	return entry;
}

static struct table_network *table_network(struct dtls_table *table, const struct dtls_peer *peer,
					   struct dtls_peer *ret_network, uint32_t *ret_hash)
{
	struct table_network *found = NULL;

	dtls_peer_network(peer, ret_network);
	*ret_hash = dtls_peer_hash(&table->key, ret_network);
	HASH_FIND_BYHASHVALUE(hh, table->networks, ret_network, sizeof(*ret_network), *ret_hash, found);
	return found;
}

size_t dtls_table_half_open(struct dtls_table *table, const struct dtls_peer *peer)
{
	struct dtls_peer network;
	uint32_t hash;
	const struct table_network *found = table_network(table, peer, &network, &hash);

	return found ? found->half_open : 0;
}

static int table_count_network(struct dtls_table *table, const struct dtls_peer *peer)
{
	struct dtls_peer network;
	uint32_t hash;
	struct table_network *found = table_network(table, peer, &network, &hash);
	bool failed = false;

	if (!found) {
		found = calloc(1, sizeof(*found));
		if (!found)
			return -ENOMEM;
		found->network = network;
		HASH_ADD_KEYPTR_BYHASHVALUE(hh, table->networks, &found->network, sizeof(network), hash, found);
		if (failed) {
			free(found);
			return -ENOMEM;
		}
	}
	found->half_open++;
	return 0;
}

static void table_uncount_network(struct dtls_table *table, const struct dtls_peer *peer)
{
	struct dtls_peer network;
	uint32_t hash;
	struct table_network *found = table_network(table, peer, &network, &hash);

	if (!found || --found->half_open > 0)
		return;
	HASH_DEL(table->networks, found);
	free(found);
}

static void table_take_out(struct dtls_table *table, struct dtls_entry *entry)
{
	HASH_DELETE(by_peer, table->peers[entry->place], entry);
	HASH_DELETE(by_handle, table->handles, entry);
	table->count[entry->place]--;
	DL_DELETE(table->order[entry->place], entry);
	if (entry->place == DTLS_PLACE_HALF_OPEN)
		table_uncount_network(table, &entry->peer);
	entry->place = DTLS_PLACE_NONE;
}

static int table_add_handle(struct dtls_table *table, struct dtls_entry *entry)
{
	bool failed = false;

	HASH_ADD_KEYPTR(by_handle, table->handles, &entry->handle, sizeof(entry->handle), entry);
	return failed ? -ENOMEM : 0;
}

static int table_add_peer(struct dtls_table *table, struct dtls_entry *entry, enum dtls_place place)
{
	bool failed = false;

	HASH_ADD_KEYPTR_BYHASHVALUE(by_peer, table->peers[place], &entry->peer, sizeof(entry->peer),
				    dtls_peer_hash(&table->key, &entry->peer), entry);
	return failed ? -ENOMEM : 0;
}

int dtls_table_put(struct dtls_table *table, struct dtls_entry *entry, enum dtls_place place)
{
	if (entry->place != DTLS_PLACE_NONE)
		table_take_out(table, entry);
	if (place == DTLS_PLACE_NONE)
		return 0;
	if (dtls_table_find(table, place, &entry->peer))
		return -EEXIST;
	if (table_add_handle(table, entry) < 0)
		return -ENOMEM;
	if (table_add_peer(table, entry, place) < 0) {
		HASH_DELETE(by_handle, table->handles, entry);
		return -ENOMEM;
	}
	if (place == DTLS_PLACE_HALF_OPEN && table_count_network(table, &entry->peer) < 0) {
		HASH_DELETE(by_handle, table->handles, entry);
		HASH_DELETE(by_peer, table->peers[place], entry);
		return -ENOMEM;
	}
	DL_APPEND(table->order[place], entry);
	entry->place = place;
	table->count[place]++;
	return 0;
}

void dtls_table_touch(struct dtls_table *table, struct dtls_entry *entry)
{
	if (entry->place == DTLS_PLACE_NONE || !entry->next)
		return;
	DL_DELETE(table->order[entry->place], entry);
	DL_APPEND(table->order[entry->place], entry);
}

struct dtls_entry *dtls_table_stale(const struct dtls_table *table, enum dtls_place place)
{
	return table->order[place];
}

size_t dtls_table_count(const struct dtls_table *table, enum dtls_place place)
{
	return table->count[place];
}

struct dtls_entry *dtls_table_next(struct dtls_table *table, const struct dtls_entry *entry)
{
	return entry ? entry->by_handle.next : table->handles;
}
