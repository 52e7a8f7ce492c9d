/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DDS_MAKER_H
#define TESTS_DDS_MAKER_H

/* Makes types of all kinds and values of them, by a seed: the same seed, the same type and value. */

#include <jansson.h>
#include <stdint.h>

#include "dds/type.h"

struct dds_maker {
	uint64_t seed;
	struct type_set *set;
	bool plain; /* neither optional, appendable nor mutable: what XCDR1 can carry */
	unsigned names;
};

uint32_t dds_maker_number(struct dds_maker *maker, uint32_t below);
/* A struct, perhaps with structs, unions and collections in it. */
struct type *dds_maker_struct(struct dds_maker *maker, unsigned depth);
/* Ownership: json_decref. */
json_t *dds_maker_value(struct dds_maker *maker, const struct type *type);

#endif
