/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_CONFIG_FILES_H
#define CTL_CONFIG_FILES_H

/*
 * The files of a configuration on trial (base/trial.h): put beside the configuration, moved into its place, taken away. Whoever runs
 * this has the right to write the configuration; the gateway has not. Power may go at any moment: a trial is there as a whole or not,
 * and one that was confirmed stays in force while its files are moved.
 */

#include "base/trial.h"

struct config_files {
	int folder;       /* with the configuration in it, locked against others who do the same; -1: none */
	const char *name; /* of the main file */
	char place[4096]; /* "trial", from the root on */
};

/* `file`: the main file of the configuration. Errors: -errno; -EBUSY: somebody else is at it. */
int config_files_open(struct config_files *files, const char *file) WARN_UNUSED;
void config_files_close(struct config_files *files);

/* What is on trial; what was confirmed and only moved in part is moved first. Errors: -errno. */
int config_files_state(struct config_files *files, struct trial *ret_trial) WARN_UNUSED;

/* Puts what `from` holds on trial under the name `as`, that of the main file or "conf.d/NAME.conf". Errors: -errno. */
int config_files_try(struct config_files *files, int from, const char *as, int64_t lasts_us) WARN_UNUSED;

/* Keeps what is on trial: the files before it go to "previous". Errors: -errno. */
int config_files_keep(struct config_files *files) WARN_UNUSED;

/* Takes away what is on trial. Errors: -errno. */
int config_files_drop(struct config_files *files) WARN_UNUSED;

static inline void config_files_closep(struct config_files *files)
{
	config_files_close(files);
}

#endif
