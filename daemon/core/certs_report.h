/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CERTS_REPORT_H
#define CORE_CERTS_REPORT_H

/* The watch over certificates, told: as JSON for tidegatectl, and as lines for `tidegated --check --at`. */

#include <jansson.h>
#include <stdio.h>

#include "core/certs.h"

/* {"now", "certificates": […], "peers_left_out"}. With `at_wall_us` other than 0 also "at" and "broken": what will have stopped to work
 * by then, each with "since", "text" and "remedy". NULL when out of memory. */
json_t *certs_describe(const struct certs *certs, int64_t wall_us, int64_t at_wall_us, int64_t urgent_us);

/* How many of each state. */
json_t *certs_count(const struct certs *certs);

/* Prints a line for everything that will have stopped to work by then. Returns how many. Errors: -ENOMEM. */
int certs_print_broken(const struct certs *certs, int64_t at_wall_us, int64_t urgent_us, FILE *out) WARN_UNUSED;

/* `tidegated --check --at DATE`: prints what of the files that the configuration names will have stopped to work by then. Opens no
 * socket and changes nothing. Returns how many. Errors: -EINVAL: the configuration is broken, and every error was printed; -ERANGE: `at`
 * is no date; -ENOMEM. */
struct config_places;
int certs_check(const char *config_file, const struct config_places *places, const char *at, FILE *out) WARN_UNUSED;

#endif
