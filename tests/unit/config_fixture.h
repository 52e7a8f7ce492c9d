/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_CONFIG_FIXTURE_H
#define UNIT_CONFIG_FIXTURE_H

/* A folder with configuration files, and a set of adapters that need no program: `field` speaks to devices, `cloud` is a
 * server on the other side, `out` only takes, `box` keeps mailboxes for devices. */

#include <check.h>
#include <stdio.h>

#include "core/config.h"

struct fixture {
	char folder[64];
	char file[256];
	struct descriptor_set *adapters;
	struct config_problems problems;
	struct config *config;
};

/* What the adapters say of themselves. */
extern const char fixture_field[];
extern const char fixture_cloud[];
extern const char fixture_out[];
extern const char fixture_box[];

void fixture_init(struct fixture *fixture);
void fixture_done(struct fixture *fixture);

/* Writes a file into the folder; `name` may begin with "conf.d/". */
void fixture_write(struct fixture *fixture, const char *name, const char *text);
void fixture_write_bytes(struct fixture *fixture, const char *name, const void *data, size_t size);

/* Loads tidegate.conf anew, forgetting what was there. Returns what config_load says. */
int fixture_load(struct fixture *fixture);
/* Writes and loads a file that has to be good. */
void fixture_good(struct fixture *fixture, const char *text);

/* All problems as they are printed. Ownership: free it. */
char *fixture_problems(struct fixture *fixture);

/* A file, and all that is said about it, line by line. */
struct fixture_bad {
	const char *text;
	const char *problems;
};

/* None of these files can be loaded, and exactly this is said of each. */
void fixture_assert_bad(const struct fixture_bad *bad, size_t count);

#endif
