/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_LABELS_H
#define COMMON_LABELS_H

/* What the operator says of devices and of their readings, for adapters that serve a catalogue: the settings `places` and
 * `descriptions`. In both the first row that fits counts. */

#include <stdbool.h>
#include <stddef.h>
#include <tidegate/adapter.h>

enum { LABELS_COORDINATE_SIZE = 24, LABELS_ROWS_MAX = 4096 };

/* Of the rows of both in the adapter's settings. */
#define LABELS_PLACES_HELP                                                                                             \
	"where devices are: \"DEVICE LATITUDE LONGITUDE\", where * in DEVICE is anything; the first that fits counts"
#define LABELS_DESCRIPTIONS_HELP                                                                                       \
	"what the catalogue says of devices and readings: \"DEVICE words\", \"DEVICE/PATH words\", with * as in "      \
	"places"

struct labels_place {
	char *device; /* with '*' for anything */
	char latitude[LABELS_COORDINATE_SIZE];
	char longitude[LABELS_COORDINATE_SIZE];
};

struct labels_description {
	char *name; /* of a device, or DEVICE/PATH; with '*' for anything */
	char *words;
};

struct labels { /* zeroed: nothing */
	struct labels_place *places;
	size_t places_count;
	struct labels_description *descriptions;
	size_t descriptions_count;
};

/* Ownership: labels_done, on success. Logs what is wrong. Errors: -EINVAL, -ENOMEM. */
int labels_read(const struct tg_host *host, struct labels *ret_labels);
void labels_done(struct labels *labels);

/* Degrees as text, no more than `most` from 0. */
bool labels_is_degrees(const char *text, double most);

/* NULL: nobody has said. `name`: DEVICE, or DEVICE/PATH of a `reading`. */
const struct labels_place *labels_place(const struct labels *labels, const char *device);
const char *labels_description(const struct labels *labels, const char *name, bool reading);

#endif
