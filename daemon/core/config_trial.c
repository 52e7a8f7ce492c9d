/* SPDX-License-Identifier: Apache-2.0 */

/* The files of a configuration on trial (base/trial.h), in the place of those that they stand in for. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "core/config_internal.h"

#define FOLDER "trial"

static char *path_of(const struct config *config, const char *between, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s%s", config->folder, between, name) < 0 ? NULL : path;
}

int config_trial_look(struct config *config)
{
	CLEANUP_FREE char *folder = path_of(config, FOLDER, "");
	struct trial_now now;
	int r;

	if (!folder)
		return -ENOMEM;
	/* Without a time it is over: the one before is what was good. */
	r = trial_now(&now);
	if (r < 0) {
		log_warning("no configuration can be on trial: which start of the machine this is cannot be read (%s)",
			    strerror(-r));
		now = (struct trial_now){.boot = ""};
	}
	config->trial = trial_read(folder, &now);
	config->trial_read = config->trial.state == TRIAL_PENDING || config->trial.state == TRIAL_CONFIRMED;
	return 0;
}

int config_trial_path(const struct config *config, const char *name, char **ret_path)
{
	CLEANUP_FREE char *trial = path_of(config, FOLDER "/", name);
	const char *slash = strrchr(config->file, '/');

	if (!trial)
		return -ENOMEM;
	if (config->trial_read && access(trial, F_OK) == 0) {
		*ret_path = trial;
		trial = NULL;
		return 0;
	}
	if (strcmp(name, slash ? slash + 1 : config->file) == 0)
		*ret_path = strdup(config->file);
	else
		*ret_path = path_of(config, "", name);
	return *ret_path ? 0 : -ENOMEM;
}

static int is_configuration(const struct dirent *entry)
{
	static const char ending[] = ".conf";
	size_t size = strlen(entry->d_name);

	return entry->d_name[0] != '.' && size > strlen(ending) &&
	       strcmp(entry->d_name + size - strlen(ending), ending) == 0;
}

/* Byte order, whatever the locale says. */
static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_folder(const struct config *config, const char *folder, char ***names, int *count)
{
	CLEANUP_FREE char *path = path_of(config, folder, "");
	struct dirent **entries;
	char **more;
	int n, r = 0;

	if (!path)
		return -ENOMEM;
	n = scandir(path, &entries, is_configuration, NULL);
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	more = reallocarray(*names, (size_t)(*count + n + 1), sizeof(*more));
	if (more)
		*names = more;
	for (int i = 0; i < n; i++) {
		char *name = more ? strdup(entries[i]->d_name) : NULL;

		if (name)
			more[(*count)++] = name;
		else
			r = -ENOMEM;
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* Sorted, each name once. */
static int put_in_order(char **names, int count)
{
	int kept = 0;

	if (count > 1)
		qsort(names, (size_t)count, sizeof(*names), compare);
	for (int i = 0; i < count; i++) {
		if (kept > 0 && strcmp(names[kept - 1], names[i]) == 0)
			free(names[i]);
		else
			names[kept++] = names[i];
	}
	return kept;
}

int config_trial_list(const struct config *config, char ***ret_names)
{
	char **names = NULL;
	int count = 0, r;

	r = add_folder(config, "conf.d", &names, &count);
	if (r >= 0 && config->trial_read)
		r = add_folder(config, FOLDER "/conf.d", &names, &count);
	if (r >= 0) {
		*ret_names = names;
		return put_in_order(names, count);
	}
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return r;
}
