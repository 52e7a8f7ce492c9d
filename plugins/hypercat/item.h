/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_ITEM_H
#define HYPERCAT_ITEM_H

/*
 * What a catalogue says of a device or a resource: its address and its metadata, pairs of a relation and a value, in the words of
 * HyperCat 3.0 (PAS 212:2016), and how that is written down. Pure.
 */

#include "common/labels.h"
#include "text.h"
#include "view.h"

#define ITEM_TYPE "application/vnd.hypercat.catalogue+json"

struct about {
	char *url;                             /* in front of each address: "https://gateway:8443", or "" */
	char *description;                     /* of the catalogue */
	char latitude[LABELS_COORDINATE_SIZE]; /* of the gateway; "": not known */
	char longitude[LABELS_COORDINATE_SIZE];
	struct labels labels;
	uint64_t mark; /* another one for other words */
};

typedef void item_pair_fn(void *arg, const char *relation, struct tg_bytes value);

/* Of a device as a catalogue of its own, where `item` is NULL, or of its resource. */
void item_address(const struct about *about, const struct view_device *device, const struct view_item *item,
		  struct text *text);
void item_metadata(const struct about *about, const struct view_device *device, const struct view_item *item,
		   item_pair_fn *fn, void *arg);

/* {"href": ..., "item-metadata": [...]} */
void item_json(const struct about *about, const struct view_device *device, const struct view_item *item,
	       struct text *text);
/* As reading_link_write has it. */
void item_link(const struct about *about, const struct view_item *item, struct text *text);

/* The beginning of a catalogue, up to its first item; of all devices where `device` is NULL. Ends with "]}". */
void item_head(const struct about *about, const struct view_device *device, int64_t updated_wall_us, struct text *text);

void item_about_done(struct about *about);

#endif
