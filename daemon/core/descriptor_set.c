/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/descriptor.h"
#include "core/suggest.h"

enum { TIMEOUT_MS = 20000, ASK_MAX = 64, INSTALLED_MAX = 256 };

struct failure {
	char name[DESCRIPTOR_NAME_MAX + 1];
	char problem[DESCRIPTOR_PROBLEM_SIZE];
};

/* Which file it is that describes itself. */
struct file_id {
	uint64_t inode; /* 0: there is none */
	int64_t changed_ns;
};

struct descriptor_set {
	char *program;
	char *adapter_dir;
	char **installed; /* names, sorted */
	size_t installed_count;
	struct descriptor **list; /* sorted by name */
	size_t count;
	struct failure *failures;
	size_t failures_count;
};

static void forget_installed(struct descriptor_set *set)
{
	for (size_t i = 0; i < set->installed_count; i++)
		free(set->installed[i]);
	set->installed_count = 0;
}

void descriptor_set_free(struct descriptor_set *set)
{
	if (!set)
		return;
	forget_installed(set);
	for (size_t i = 0; i < set->count; i++)
		descriptor_unref(set->list[i]);
	free(set->installed);
	free(set->list);
	free(set->failures);
	free(set->program);
	free(set->adapter_dir);
	free(set);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_installed(struct descriptor_set *set, const char *file)
{
	static const char ending[] = ".so";
	size_t size = strlen(file);
	char **installed;
	char *name;

	if (size <= strlen(ending) || strcmp(file + size - strlen(ending), ending) != 0)
		return 0;
	name = strndup(file, size - strlen(ending));
	if (!name)
		return -ENOMEM;
	if (!descriptor_is_name(name) || set->installed_count == INSTALLED_MAX) {
		free(name);
		return 0;
	}
	installed = reallocarray(set->installed, set->installed_count + 1, sizeof(*installed));
	if (!installed) {
		free(name);
		return -ENOMEM;
	}
	set->installed = installed;
	installed[set->installed_count++] = name;
	return 0;
}

/* A folder that is not there has no adapters in it; the one who needs one will hear of it. */
static int find_installed(struct descriptor_set *set)
{
	DIR *folder = opendir(set->adapter_dir);
	struct dirent *entry;
	int r = 0;

	forget_installed(set);
	if (!folder)
		return 0;
	while (r >= 0 && (entry = readdir(folder)))
		r = add_installed(set, entry->d_name);
	closedir(folder);
	if (set->installed_count > 1)
		qsort(set->installed, set->installed_count, sizeof(*set->installed), compare_names);
	return r;
}

int descriptor_set_new(const char *program, const char *adapter_dir, struct descriptor_set **ret_set)
{
	CLEANUP(descriptor_set_freep) struct descriptor_set *set = calloc(1, sizeof(*set));
	int r;

	if (!set)
		return -ENOMEM;
	set->program = strdup(program);
	set->adapter_dir = strdup(adapter_dir);
	if (!set->program || !set->adapter_dir)
		return -ENOMEM;
	r = find_installed(set);
	if (r < 0)
		return r;
	*ret_set = set;
	set = NULL;
	return 0;
}

static struct descriptor *find(const struct descriptor_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->list[i]->name, name) == 0)
			return set->list[i];
	return NULL;
}

static bool is_installed(const struct descriptor_set *set, const char *name)
{
	for (size_t i = 0; i < set->installed_count; i++)
		if (strcmp(set->installed[i], name) == 0)
			return true;
	return false;
}

static const struct failure *find_failure(const struct descriptor_set *set, const char *name)
{
	for (size_t i = 0; i < set->failures_count; i++)
		if (strcmp(set->failures[i].name, name) == 0)
			return &set->failures[i];
	return NULL;
}

int descriptor_set_add(struct descriptor_set *set, struct descriptor *descriptor)
{
	struct descriptor **list = reallocarray(set->list, set->count + 1, sizeof(*list));
	size_t place = set->count;

	if (!list) {
		descriptor_unref(descriptor);
		return -ENOMEM;
	}
	set->list = list;
	for (; place > 0 && strcmp(list[place - 1]->name, descriptor->name) > 0; place--)
		list[place] = list[place - 1];
	list[place] = descriptor;
	set->count++;
	return 0;
}

static int add_failure(struct descriptor_set *set, const struct descriptor_request *request)
{
	struct failure *failures = reallocarray(set->failures, set->failures_count + 1, sizeof(*failures));

	if (!failures)
		return -ENOMEM;
	set->failures = failures;
	failures = &failures[set->failures_count++];
	snprintf(failures->name, sizeof(failures->name), "%s", request->name);
	snprintf(failures->problem, sizeof(failures->problem), "%s", request->problem);
	return 0;
}

static bool is_asked(const struct descriptor_request *requests, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(requests[i].name, name) == 0)
			return true;
	return false;
}

static struct file_id read_file_id(const struct descriptor_set *set, const char *name)
{
	CLEANUP_FREE char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%s/%s.so", set->adapter_dir, name) < 0) {
		path = NULL;
		return (struct file_id){0};
	}
	if (stat(path, &st) < 0)
		return (struct file_id){0};
	return (struct file_id){st.st_ino, st.st_ctim.tv_sec * INT64_C(1000000000) + st.st_ctim.tv_nsec};
}

/* Forgets failures, and what was said by a file that is no longer there. */
static void forget_old(struct descriptor_set *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct descriptor *descriptor = set->list[i];
		struct file_id id = read_file_id(set, descriptor->name);

		if (descriptor->file_inode &&
		    (id.inode != descriptor->file_inode || id.changed_ns != descriptor->file_changed_ns))
			descriptor_unref(descriptor);
		else
			set->list[kept++] = descriptor;
	}
	set->count = kept;
	set->failures_count = 0;
}

static int take_answer(struct descriptor_set *set, const struct descriptor_request *request, struct file_id id)
{
	if (!request->descriptor)
		return add_failure(set, request);
	request->descriptor->file_inode = id.inode;
	request->descriptor->file_changed_ns = id.changed_ns;
	return descriptor_set_add(set, request->descriptor);
}

static int load(struct descriptor_set *set, const char *const *names, size_t count)
{
	CLEANUP_FREE struct descriptor_request *requests = calloc(ASK_MAX, sizeof(*requests));
	struct file_id ids[ASK_MAX];
	size_t asked = 0;
	int r = 0;

	if (!requests)
		return -ENOMEM;
	for (size_t i = 0; i < count && asked < ASK_MAX; i++) {
		if (!is_installed(set, names[i]) || find(set, names[i]) || is_asked(requests, asked, names[i]))
			continue;
		/* Before it is asked: what changes meanwhile is seen the next time. */
		ids[asked] = read_file_id(set, names[i]);
		requests[asked++].name = names[i];
	}
	descriptor_fetch(set->program, set->adapter_dir, requests, asked, TIMEOUT_MS);
	for (size_t i = 0; i < asked; i++) {
		int added = take_answer(set, &requests[i], ids[i]);

		r = added < 0 ? added : r;
	}
	return r;
}

int descriptor_set_load(struct descriptor_set *set, const char *const *names, size_t count)
{
	int r = find_installed(set);

	forget_old(set);
	return r < 0 ? r : load(set, names, count);
}

int descriptor_set_load_all(struct descriptor_set *set)
{
	int r = find_installed(set);

	forget_old(set);
	return r < 0 ? r : load(set, (const char *const *)set->installed, set->installed_count);
}

struct descriptor *descriptor_set_find(const struct descriptor_set *set, const char *name, const char **ret_problem)
{
	struct descriptor *descriptor = find(set, name);
	const struct failure *failure = find_failure(set, name);

	*ret_problem = !descriptor && failure ? failure->problem : NULL;
	return descriptor;
}

const char *descriptor_set_nearest(const struct descriptor_set *set, const char *name)
{
	struct suggest suggest;

	suggest_begin(&suggest, name);
	for (size_t i = 0; i < set->installed_count; i++)
		suggest_offer(&suggest, set->installed[i]);
	for (size_t i = 0; i < set->count; i++)
		suggest_offer(&suggest, set->list[i]->name);
	return suggest_best(&suggest);
}

size_t descriptor_set_list(const struct descriptor_set *set, const struct descriptor *const **ret_list)
{
	*ret_list = (const struct descriptor *const *)set->list;
	return set->count;
}

const char *descriptor_set_folder(const struct descriptor_set *set)
{
	return set->adapter_dir;
}
