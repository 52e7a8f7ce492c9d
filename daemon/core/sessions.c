/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sessions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/bytes.h"

struct key {
	uint64_t handle;
	uint32_t instance;
	uint32_t generation;
};

/* One block of memory: the texts stand behind the struct. */
struct entry {
	struct session session;
	struct key key;
	UT_hash_handle hh;           /* keeps the order of insertion */
	struct entry *older, *newer; /* of the same device */
	UT_hash_handle device_hh;    /* of its newest */
};

struct sessions {
	struct entry *all;
	struct entry *devices; /* the newest of each */
};

int sessions_new(struct sessions **ret_sessions)
{
	*ret_sessions = calloc(1, sizeof(**ret_sessions));
	return *ret_sessions ? 0 : -ENOMEM;
}

static struct entry *newest(const struct sessions *sessions, struct tg_bytes device)
{
	struct entry *entry;

	HASH_FIND(device_hh, sessions->devices, device.size ? device.data : "", device.size, entry);
	return entry;
}

static void index_entry(struct sessions *sessions, struct entry *entry)
{
	const char *device = entry->session.device;
	struct entry *before = newest(sessions, bytes_text(device));

	if (!*device)
		return;
	if (before) {
		HASH_DELETE(device_hh, sessions->devices, before);
		before->newer = entry;
	}
	entry->older = before;
	HASH_ADD_KEYPTR(device_hh, sessions->devices, device, strlen(device), entry);
}

static void unindex(struct sessions *sessions, struct entry *entry)
{
	if (!*entry->session.device)
		return;
	if (!entry->newer)
		HASH_DELETE(device_hh, sessions->devices, entry);
	if (entry->older)
		entry->older->newer = entry->newer;
	if (entry->newer)
		entry->newer->older = entry->older;
	else if (entry->older)
		HASH_ADD_KEYPTR(device_hh, sessions->devices, entry->older->session.device,
				strlen(entry->older->session.device), entry->older);
}

static void drop(struct sessions *sessions, struct entry *entry)
{
	unindex(sessions, entry);
	HASH_DEL(sessions->all, entry);
	free(entry);
}

void sessions_free(struct sessions *sessions)
{
	struct entry *entry, *next;

	if (!sessions)
		return;
	HASH_ITER (hh, sessions->all, entry, next) {
		drop(sessions, entry);
	}
	free(sessions);
}

static struct entry *find(const struct sessions *sessions, const struct key *key)
{
	struct entry *entry;

	HASH_FIND(hh, sessions->all, key, sizeof(*key), entry);
	return entry;
}

static const char *put_text(char **at, struct tg_bytes text)
{
	const char *begin = *at;

	if (text.size > 0)
		memcpy(*at, text.data, text.size);
	(*at)[text.size] = '\0';
	*at += text.size + 1;
	return begin;
}

static bool is_honest(const struct frame_session_begun *begun)
{
	const struct tg_bytes texts[] = {begun->device, begun->peer, begun->version, begun->cipher, begun->group};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!bytes_is_utf8(texts[i]) || (texts[i].size > 0 && memchr(texts[i].data, '\0', texts[i].size)))
			return false;
	}
	return begun->proof >= TG_PROOF_PSK && begun->proof <= TG_PROOF_RESUMED;
}

static struct entry *make(const char *endpoint, const struct frame_session_begun *begun)
{
	size_t texts = strlen(endpoint) + begun->device.size + begun->peer.size + begun->version.size +
		       begun->cipher.size + begun->group.size + 6;
	struct entry *entry = calloc(1, sizeof(*entry) + texts + begun->certificate.size);
	char *at = (char *)(entry + 1);

	if (!entry)
		return NULL;
	entry->session.endpoint = put_text(&at, bytes_text(endpoint));
	entry->session.device = put_text(&at, begun->device);
	entry->session.peer = put_text(&at, begun->peer);
	entry->session.version = put_text(&at, begun->version);
	entry->session.cipher = put_text(&at, begun->cipher);
	entry->session.group = put_text(&at, begun->group);
	entry->session.certificate = bytes_of(at, begun->certificate.size);
	if (begun->certificate.size > 0)
		memcpy(at, begun->certificate.data, begun->certificate.size);
	entry->session.proof = (enum tg_proof)begun->proof;
	entry->session.handle = begun->handle;
	entry->session.key_generation = begun->generation;
	return entry;
}

int sessions_begin(struct sessions *sessions, const char *endpoint, uint32_t instance, uint32_t generation,
		   const struct frame_session_begun *begun, int64_t wall_us, const struct session **ret_session)
{
	const struct key key = {.handle = begun->handle, .instance = instance, .generation = generation};
	struct entry *entry = find(sessions, &key);

	if (!is_honest(begun))
		return -EBADMSG;
	if (entry)
		drop(sessions, entry);
	if (HASH_COUNT(sessions->all) >= SESSIONS_MAX)
		return -ENOBUFS;
	entry = make(endpoint, begun);
	if (!entry)
		return -ENOMEM;
	entry->key = key;
	entry->session.instance = instance;
	entry->session.generation = generation;
	entry->session.begun_wall_us = wall_us;
	HASH_ADD(hh, sessions->all, key, sizeof(entry->key), entry);
	index_entry(sessions, entry);
	*ret_session = &entry->session;
	return 0;
}

void sessions_end(struct sessions *sessions, uint32_t instance, uint32_t generation, uint64_t handle)
{
	const struct key key = {.handle = handle, .instance = instance, .generation = generation};
	struct entry *entry = find(sessions, &key);

	if (entry)
		drop(sessions, entry);
}

void sessions_forget(struct sessions *sessions, uint32_t instance)
{
	struct entry *entry, *next;

	HASH_ITER (hh, sessions->all, entry, next) {
		if (entry->session.instance == instance)
			drop(sessions, entry);
	}
}

const struct session *sessions_of(const struct sessions *sessions, const char *endpoint, struct tg_bytes device)
{
	const struct entry *entry = newest(sessions, device);

	while (entry && strcmp(entry->session.endpoint, endpoint) != 0)
		entry = entry->older;
	return entry ? &entry->session : NULL;
}

size_t sessions_count(const struct sessions *sessions)
{
	return HASH_COUNT(sessions->all);
}

int sessions_each(const struct sessions *sessions, int (*fn)(void *arg, const struct session *session), void *arg)
{
	struct entry *entry, *next;
	int r = 0;

	HASH_ITER (hh, sessions->all, entry, next) {
		r = fn(arg, &entry->session);
		if (r != 0)
			return r;
	}
	return r;
}
