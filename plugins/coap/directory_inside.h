/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DIRECTORY_INSIDE_H
#define COAP_DIRECTORY_INSIDE_H

/* What directory.c, which keeps the registrations, and directory_lookup.c, which searches them, share. */

#include "directory.h"

/* Answers of lookups that are kept, so that one that is fetched in blocks is put together once. */
enum { DIRECTORY_KEPT = 2 };

struct directory_attribute {
	struct directory_attribute *next;
	struct tg_bytes name;
	struct tg_bytes value; /* NULL data: there is none */
	char text[];
};

struct directory_registration {
	struct directory_registration *prev; /* in the order of their numbers */
	struct directory_registration *next;
	uint32_t number;
	char *device;
	char *sector; /* "": none */
	char *base;
	bool base_given;
	uint32_t scope; /* of a base that is local to a link, else 0 */
	uint32_t lifetime_s;
	int64_t until_us;
	struct directory_attribute *attributes;
	char *links; /* checked */
	size_t links_size;
};

struct directory_text {
	char *data;
	size_t size;
	size_t capacity;
	bool failed; /* out of memory */
};

struct directory_kept {
	uint64_t version; /* of the directory that it was made from; 0: none */
	uint64_t used;    /* the higher, the later */
	char *key;        /* what was asked */
	size_t key_size;
	struct directory_text text;
	uint32_t etag;
};

struct directory {
	struct directory_limits limits;
	struct directory_registration *first;
	size_t count;
	uint32_t last_number;
	uint64_t version; /* another one after each change */
	uint64_t lookups;
	struct directory_kept kept[DIRECTORY_KEPT];
};

/* directory_text.c: writers that only note that memory ran out. */
void directory_text_add(struct directory_text *text, const char *data, size_t size);
void directory_text_terminated(struct directory_text *text, const char *terminated);
/* As the value of a link parameter: quoted where that is needed. */
void directory_text_value(struct directory_text *text, struct tg_bytes value);
/* The reference, put behind scheme and authority of the base where it has none. */
void directory_text_resolved(struct directory_text *text, const char *base, struct tg_bytes reference);

#endif
