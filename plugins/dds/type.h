/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_TYPE_H
#define DDS_TYPE_H

/*
 * What a sample looks like: the structs, unions and collections of a DDS type as a graph, made once when the type is learnt
 * (bridge.h) and read for each sample (decode.h, encode.h). Aliases are resolved, a base type's members stand before the derived
 * type's own. Types, their names and members belong to a set and live as long as it does. Knows nothing of any library.
 *
 * Bounds, since the graph comes from the network: TYPE_MOST types and TYPE_MEMBERS_MOST members in a set.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum {
	TYPE_MOST = 1024,
	TYPE_MEMBERS_MOST = 16384,
	TYPE_DIMENSIONS_MOST = 8,
	TYPE_NAME_MOST = 256,
	TYPE_DEPTH_MOST = 64
};

enum type_kind {
	TYPE_BOOL,
	TYPE_BYTE,
	TYPE_INT16,
	TYPE_INT32,
	TYPE_INT64,
	TYPE_UINT16,
	TYPE_UINT32,
	TYPE_UINT64,
	TYPE_FLOAT32,
	TYPE_FLOAT64,
	TYPE_CHAR,
	TYPE_STRING,
	TYPE_ENUM,
	TYPE_BITMASK,
	TYPE_STRUCT,
	TYPE_UNION,
	TYPE_SEQUENCE,
	TYPE_ARRAY,
};

/* DDS XTypes 1.3 section 7.2.2.4.6.1 */
enum type_extent { TYPE_FINAL, TYPE_APPENDABLE, TYPE_MUTABLE };

struct type;

struct type_member {
	char *name;
	const struct type *type; /* members of structs and unions */
	uint32_t id;             /* of structs and unions: the member id */
	int32_t value;           /* of enums: the literal's; of bitmasks: the bit's position */
	bool key, optional;
	bool fallback; /* of unions: taken where no label fits; of enums: the default literal */
	int32_t *labels;
	size_t n_labels;
};

struct type {
	SLIST_ENTRY(type) link;
	enum type_kind kind;
	enum type_extent extent;
	char *name;
	uint32_t bound; /* of strings and sequences, 0: none; of enums and bitmasks: bits */
	uint32_t dimensions[TYPE_DIMENSIONS_MOST];
	size_t n_dimensions;      /* of arrays */
	const struct type *inner; /* of collections: the element; of unions: the discriminator */
	struct type_member *members;
	size_t n_members;
	bool has_key;      /* a member of it, or of its structs, is a key */
	size_t n_labels;   /* of unions: those of all members */
	uint16_t *by_id;   /* of structs: places of the members, sorted by id */
	uint16_t *by_name; /* of structs and unions: the same by name */
};

struct type_set {
	SLIST_HEAD(, type) types;
	size_t n_types;
	size_t n_members;
};

void type_set_init(struct type_set *set);
void type_set_done(struct type_set *set);

/* A type with room for so many members, still empty. Errors: -ENOMEM; -E2BIG: more than the set may hold. */
int type_new(struct type_set *set, enum type_kind kind, const char *name, size_t n_members, struct type **ret_type);

/* Errors: -ENOMEM; -E2BIG: longer than TYPE_NAME_MOST. */
int type_set_name(struct type_member *member, const char *name);
int type_set_labels(struct type_member *member, const int32_t *labels, size_t n);

/* To be called when all members of a struct or union are there. Errors: -ENOMEM; -EINVAL: members without type or name, two of
 * one name or id, a key that is optional, a discriminator that is no integer, boolean, character or enum. */
int type_finish(struct type *type) __attribute__((warn_unused_result));

/* Bytes of a primitive, enum or bitmask; 0: it is none of these. */
unsigned type_width(const struct type *type);
/* Whether collections of it go without a header of their own in XCDR2 (section 7.4.3.5.3). */
bool type_is_primitive(const struct type *type);

/* Whether XCDR1 as the library knows it cannot carry one of them: it is appendable, mutable, or has something optional. */
bool type_set_needs_version2(const struct type_set *set);

/* Sections 7.4.1.1.5.2 and 7.2.2.4.4.4: the member that the discriminator selects, or NULL. */
const struct type_member *type_union_member(const struct type *type, int64_t discriminator);

/* NULL: none of this name; of this id, of a struct that is finished. */
const struct type_member *type_member(const struct type *type, const char *name);
const struct type_member *type_member_of_id(const struct type *type, uint32_t id);
/* An enum's literal or a bitmask's flag of this value, or NULL. */
const struct type_member *type_literal(const struct type *type, int64_t value);

#endif
