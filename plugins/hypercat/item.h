/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_ITEM_H
#define HYPERCAT_ITEM_H

/*
 * What a catalogue says of a device or a resource: its address and its metadata, pairs of a relation and a value, in the words of
 * HyperCat 3.0 (PAS 212:2016), and how that is written down. Pure.
 */

#include "text.h"
#include "view.h"

#define ITEM_TYPE "application/vnd.hypercat.catalogue+json"

enum { ITEM_COORDINATE_SIZE = 24 };

/* What the operator says of devices. The first row that fits counts. */
struct item_place {
	char *device; /* with '*' for anything */
	char latitude[ITEM_COORDINATE_SIZE];
	char longitude[ITEM_COORDINATE_SIZE];
};

struct item_description {
	char *name; /* of a device, or DEVICE/PATH; with '*' for anything */
	char *words;
};

struct about {
	char *url;                           /* in front of each address: "https://gateway:8443", or "" */
	char *description;                   /* of the catalogue */
	char latitude[ITEM_COORDINATE_SIZE]; /* of the gateway; "": not known */
	char longitude[ITEM_COORDINATE_SIZE];
	struct item_place *places;
	size_t places_count;
	struct item_description *descriptions;
	size_t descriptions_count;
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
/* </readings/DEVICE/PATH>;ct=50;... Source: RFC 6690. */
void item_link(const struct about *about, const struct view_item *item, struct text *text);

/* The beginning of a catalogue, up to its first item; of all devices where `device` is NULL. Ends with "]}". */
void item_head(const struct about *about, const struct view_device *device, int64_t updated_wall_us, struct text *text);

void item_about_done(struct about *about);

#endif
