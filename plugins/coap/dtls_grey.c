/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_grey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define GREY_S_US INT64_C(1000000)
enum { GREY_BITS_LOG = 24, GREY_BYTES = 1 << (GREY_BITS_LOG - 3), GREY_FIELDS = 2 };

struct dtls_grey {
	struct dtls_hash_key key;
	int64_t second_us; /* when this second began */
	unsigned count;    /* answered in it */
	int64_t turned_us;
	uint8_t *fields; /* the present one and the one before; NULL: no flood */
	unsigned present;
};

int dtls_grey_new(const struct dtls_hash_key *key, struct dtls_grey **ret_grey)
{
	*ret_grey = calloc(1, sizeof(**ret_grey));
	if (!*ret_grey)
		return -ENOMEM;
	(*ret_grey)->key = *key;
	return 0;
}

/* Mapped, so that all of it goes back to the system. */
static void grey_forget(struct dtls_grey *grey)
{
	if (grey->fields)
		munmap(grey->fields, (size_t)GREY_FIELDS * GREY_BYTES);
	grey->fields = NULL;
}

void dtls_grey_free(struct dtls_grey *grey)
{
	if (!grey)
		return;
	grey_forget(grey);
	free(grey);
}

static bool grey_remember(struct dtls_grey *grey, int64_t now_us)
{
	void *fields;

	if (grey->fields)
		return true;
	fields = mmap(NULL, (size_t)GREY_FIELDS * GREY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (fields == MAP_FAILED)
		return false;
	grey->fields = fields;
	grey->turned_us = now_us;
	return true;
}

static void grey_turn(struct dtls_grey *grey, int64_t now_us)
{
	if (now_us - grey->turned_us < DTLS_GREY_SPAN_US)
		return;
	grey->present = (grey->present + 1) % GREY_FIELDS;
	memset(grey->fields + (size_t)grey->present * GREY_BYTES, 0, GREY_BYTES);
	grey->turned_us = now_us;
}

/* Whether it has come before; it has from now on. */
static bool grey_seen(struct dtls_grey *grey, const struct dtls_peer *peer, const uint8_t *random)
{
	uint32_t word, bit;
	bool seen = false;

	memcpy(&word, random + 4, sizeof(word)); /* the first four bytes may be the time */
	bit = ((dtls_peer_hash(&grey->key, peer) ^ word) * UINT32_C(2654435761)) >> (32 - GREY_BITS_LOG);
	for (unsigned i = 0; i < GREY_FIELDS; i++) {
		uint8_t *byte = &grey->fields[(size_t)i * GREY_BYTES + bit / 8];

		seen |= *byte >> (bit % 8) & 1;
		if (i == grey->present)
			*byte |= (uint8_t)(1u << (bit % 8));
	}
	return seen;
}

bool dtls_grey_pass(struct dtls_grey *grey, int64_t now_us, const struct dtls_peer *peer, const uint8_t *random)
{
	if (now_us - grey->second_us >= GREY_S_US) {
		grey->second_us = now_us;
		grey->count = 0;
	}
	if (grey->count < DTLS_GREY_FREE) {
		grey->count++;
		return true;
	}
	if (!grey_remember(grey, now_us))
		return true;
	grey_turn(grey, now_us);
	return grey_seen(grey, peer, random);
}

bool dtls_grey_is_open(const struct dtls_grey *grey)
{
	return grey->fields != NULL;
}

void dtls_grey_tidy(struct dtls_grey *grey, int64_t now_us)
{
	if (now_us - grey->turned_us >= 2 * DTLS_GREY_SPAN_US)
		grey_forget(grey);
}
