/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DESCRIPTOR_H
#define CORE_DESCRIPTOR_H

/*
 * What an adapter says of itself: its roles, what it needs, its settings. The core never loads an adapter; it asks
 * `tidegate-endpoint --describe NAME --adapters DIR`, which answers with JSON, and believes nothing that it has not
 * checked. Several adapters are asked at the same time.
 */

#include <tidegate/adapter.h>

#include "base/cleanup.h"

struct descriptor {
	unsigned refs;
	char *name;
	char *version;
	char *summary;
	uint32_t major;
	uint32_t minor;
	uint32_t roles; /* enum tg_roles */
	uint32_t needs; /* enum tg_needs */
	uint32_t flags; /* enum tg_flags */
	char *reserved; /* "" for none */
	char **counters;
	size_t counters_count;
	struct tg_setting *settings; /* ends with a row without a name; the strings belong to the descriptor */
	size_t settings_count;
	/* The file that was described, to tell when another has taken its place; 0: not known. */
	uint64_t file_inode;
	int64_t file_changed_ns;
};

struct descriptor *descriptor_ref(struct descriptor *descriptor);
void descriptor_unref(struct descriptor *descriptor); /* accepts NULL */
CLEANUP_DEFINE(struct descriptor *, descriptor_unref)

/* Units: bytes. */
enum { DESCRIPTOR_ANSWER_MAX = 256 * 1024, DESCRIPTOR_NAME_MAX = 32, DESCRIPTOR_PROBLEM_SIZE = 256 };

/* Whether it can be the name of an adapter: lower-case letters, digits, '-' and '_', a letter first. */
bool descriptor_is_name(const char *name);

/* Reads the answer of the adapter `name`. Ownership: descriptor_unref. Errors: -EBADMSG: `ret_problem` says what is wrong with
 * it; -ENOMEM. */
int descriptor_parse(const char *name, struct tg_bytes answer, struct descriptor **ret_descriptor,
		     char ret_problem[DESCRIPTOR_PROBLEM_SIZE]) WARN_UNUSED;

/* One request of descriptor_fetch. */
struct descriptor_request {
	const char *name;
	struct descriptor *descriptor; /* the answer; NULL where `problem` says why there is none */
	char problem[DESCRIPTOR_PROBLEM_SIZE];
};

/* Asks for all of them at once. Blocks: until the last has answered, at most `timeout_ms`. What does not answer in time is
 * killed. Ownership: the caller unrefs each answer. */
void descriptor_fetch(const char *program, const char *adapter_dir, struct descriptor_request *requests, size_t count,
		      int timeout_ms);

/* The adapters asked about so far, and those installed. */
struct descriptor_set;

/* Ownership: the strings are copied. Errors: -ENOMEM. */
int descriptor_set_new(const char *program, const char *adapter_dir, struct descriptor_set **ret_set) WARN_UNUSED;
void descriptor_set_free(struct descriptor_set *set);
CLEANUP_DEFINE(struct descriptor_set *, descriptor_set_free)

/* Asks for those of the names that are not there yet, failed before, or whose file is another one since. Names of adapters
 * that are not installed are passed over. Lent descriptors may end with this call. Errors: -ENOMEM. */
int descriptor_set_load(struct descriptor_set *set, const char *const *names, size_t count) WARN_UNUSED;
/* All installed ones. */
int descriptor_set_load_all(struct descriptor_set *set) WARN_UNUSED;

/* Adds one that was got elsewhere. Ownership: the reference is taken, also on failure. */
int descriptor_set_add(struct descriptor_set *set, struct descriptor *descriptor) WARN_UNUSED;

/* The descriptor, lent; NULL where there is none. `*ret_problem`: why a request failed, NULL where it is not installed. */
struct descriptor *descriptor_set_find(const struct descriptor_set *set, const char *name, const char **ret_problem);

/* The installed adapter whose name is nearest, or NULL. */
const char *descriptor_set_nearest(const struct descriptor_set *set, const char *name);

/* Those that were got, sorted by name; lent. */
size_t descriptor_set_list(const struct descriptor_set *set, const struct descriptor *const **ret_list);

const char *descriptor_set_folder(const struct descriptor_set *set);

#endif
