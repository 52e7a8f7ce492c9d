/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_IDENTITIES_H
#define BENCH_IDENTITIES_H

/* The names and keys of simulated sensors: PSKs from a file with "identity hexkey" a line, or certificates from a folder with
 * NAME.crt and NAME.key (PEM). */

#include <stddef.h>

#include "client.h"

struct identities {
	struct client_identity *list;
	size_t count;
};

/* The first `count` lines, behind `skip` others, whose identity begins with `prefix` (NULL: all). Fewer, or a malformed line, ends the
 * program with the reason. */
void identities_read_keys(const char *file, const char *prefix, size_t skip, size_t count,
			  struct identities *ret_identities);
/* PREFIX0001 and on (with `skip` 0), whose files need not exist before they are used. */
void identities_of_folder(const char *folder, const char *prefix, size_t skip, size_t count,
			  struct identities *ret_identities);
/* Names without keys, for sensors without DTLS. */
void identities_of_names(const char *prefix, size_t skip, size_t count, struct identities *ret_identities);
void identities_done(struct identities *identities);

#endif
