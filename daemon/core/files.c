/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/loop.h"

/* Tells one state of a file from another. */
struct mark {
	bool there;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written;
	struct timespec changed; /* also by chmod: what could not be read may be readable now */
};

struct file {
	char *path;
	struct mark told;
	struct mark seen;
};

struct folder {
	struct folder *next;
	struct loop_folder *watch;
	char path[];
};

struct group {
	struct group *next;
	struct files *files;
	char *name;
	struct file *list;
	size_t count;
	struct folder *folders;
	int64_t not_before_us; /* told again */
};

struct files {
	struct loop *loop;
	struct files_times times;
	const struct files_events *events;
	void *arg;
	struct group *groups;
	struct loop_timer *timer;
	int64_t look_at_us;
};

static struct mark mark_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct mark){.there = false};
	return (struct mark){true, st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim};
}

static bool is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same(const struct mark *a, const struct mark *b)
{
	return a->there == b->there && a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       is_same_time(a->written, b->written) && is_same_time(a->changed, b->changed);
}

static void look_at(struct files *files, int64_t at_us)
{
	if (files->look_at_us <= at_us)
		return;
	files->look_at_us = at_us;
	loop_timer_set(files->timer, at_us);
}

/* However many events come, there is one look at the end of the span. */
static void on_event(void *arg)
{
	struct files *files = arg;

	look_at(files, loop_now_us(files->loop) + files->times.settle_us);
}

static void folders_free(struct folder *folders)
{
	while (folders) {
		struct folder *folder = folders;

		folders = folder->next;
		loop_folder_free(folder->watch);
		free(folder);
	}
}

/* What cannot be watched is looked at now and then all the same. */
static void watch_folder_of(struct group *group, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t size = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
	struct folder *folder;

	if (!slash)
		return;
	for (folder = group->folders; folder; folder = folder->next) {
		if (strlen(folder->path) == size && memcmp(folder->path, path, size) == 0)
			return;
	}
	folder = calloc(1, sizeof(*folder) + size + 1);
	if (!folder)
		return;
	memcpy(folder->path, path, size);
	if (loop_folder_new(group->files->loop, folder->path, on_event, group->files, &folder->watch) < 0) {
		free(folder);
		return;
	}
	folder->next = group->folders;
	group->folders = folder;
}

/* Where the names stand, and where the links behind them lead to just now. */
static void watch_folders(struct group *group)
{
	struct folder *before = group->folders;
	char real[PATH_MAX];

	group->folders = NULL;
	for (size_t i = 0; i < group->count; i++) {
		watch_folder_of(group, group->list[i].path);
		if (realpath(group->list[i].path, real))
			watch_folder_of(group, real);
	}
	folders_free(before);
}

static void tell(struct group *group)
{
	struct files *files = group->files;

	for (size_t i = 0; i < group->count; i++) {
		struct file *file = &group->list[i];

		if (!file->seen.there || is_same(&file->seen, &file->told))
			continue;
		file->told = file->seen;
		files->events->changed(files->arg, group->name, file->path);
	}
	group->not_before_us = loop_now_us(files->loop) + files->times.apart_us;
	files->events->settled(files->arg, group->name);
	watch_folders(group);
}

/* Returns when it wants to be looked at again. */
static int64_t look(struct group *group)
{
	struct files *files = group->files;
	int64_t now_us = loop_now_us(files->loop);
	bool moves = false, has_news = false;

	for (size_t i = 0; i < group->count; i++) {
		struct file *file = &group->list[i];
		struct mark mark = mark_of(file->path);

		if (!is_same(&mark, &file->seen)) {
			moves = true;
			if (!mark.there)
				files->events->missing(files->arg, group->name, file->path);
			file->seen = mark;
		}
		has_news |= mark.there && !is_same(&mark, &file->told);
	}
	if (moves)
		return now_us + files->times.settle_us;
	if (has_news && now_us < group->not_before_us)
		return group->not_before_us;
	if (has_news)
		tell(group);
	return now_us + files->times.look_us;
}

static void on_look(void *arg)
{
	struct files *files = arg;

	files->look_at_us = INT64_MAX;
	for (struct group *group = files->groups; group; group = group->next)
		look_at(files, look(group));
}

int files_new(struct loop *loop, const struct files_times *times, const struct files_events *events, void *arg,
	      struct files **ret_files)
{
	struct files *files = calloc(1, sizeof(*files));
	int r;

	if (!files)
		return -ENOMEM;
	files->loop = loop;
	files->times = *times;
	files->events = events;
	files->arg = arg;
	files->look_at_us = INT64_MAX;
	r = loop_timer_new(loop, on_look, files, &files->timer);
	if (r < 0) {
		files_free(files);
		return r;
	}
	*ret_files = files;
	return 0;
}

static void list_free(struct file *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].path);
	free(list);
}

static void group_free(struct group *group)
{
	list_free(group->list, group->count);
	folders_free(group->folders);
	free(group->name);
	free(group);
}

void files_free(struct files *files)
{
	if (!files)
		return;
	while (files->groups) {
		struct group *group = files->groups;

		files->groups = group->next;
		group_free(group);
	}
	loop_timer_free(files->timer);
	free(files);
}

static struct group *find(struct files *files, const char *name)
{
	for (struct group *group = files->groups; group; group = group->next) {
		if (strcmp(group->name, name) == 0)
			return group;
	}
	return NULL;
}

static struct group *make(struct files *files, const char *name)
{
	struct group *group = calloc(1, sizeof(*group));

	if (!group)
		return NULL;
	group->files = files;
	group->name = strdup(name);
	if (!group->name) {
		group_free(group);
		return NULL;
	}
	group->next = files->groups;
	files->groups = group;
	return group;
}

int files_set(struct files *files, const char *name, const char *const *paths, size_t count)
{
	struct file *list = calloc(count + 1, sizeof(*list));
	struct group *group = find(files, name);

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		list[i].path = strdup(paths[i]);
		if (!list[i].path) {
			list_free(list, i);
			return -ENOMEM;
		}
		list[i].told = list[i].seen = mark_of(paths[i]);
	}
	if (!group)
		group = make(files, name);
	if (!group) {
		list_free(list, count);
		return -ENOMEM;
	}
	list_free(group->list, group->count);
	group->list = list;
	group->count = count;
	watch_folders(group);
	look_at(files, loop_now_us(files->loop) + files->times.look_us);
	return 0;
}

void files_prune(struct files *files, bool (*stays)(void *arg, const char *group), void *arg)
{
	struct group **p = &files->groups;

	while (*p) {
		struct group *group = *p;

		if (stays(arg, group->name)) {
			p = &group->next;
			continue;
		}
		*p = group->next;
		group_free(group);
	}
}
