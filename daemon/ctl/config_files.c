/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/config_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define TRIAL    "trial"
#define FRESH    "trial.new"
#define PREVIOUS "previous"
#define MORE     "conf.d"

/* Of one file of a configuration. */
enum { BYTES_MAX = 8 << 20 };

int config_files_open(struct config_files *files, const char *file)
{
	const char *slash = strrchr(file, '/');
	char folder[PATH_MAX], real[PATH_MAX];

	files->folder = -1;
	files->name = slash ? slash + 1 : file;
	if (snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - file + 1) : 1, slash ? file : ".") >=
	    (int)sizeof(folder))
		return -ENAMETOOLONG;
	if (!realpath(folder, real))
		return -errno;
	if (snprintf(files->place, sizeof(files->place), "%s/" TRIAL, real) >= (int)sizeof(files->place))
		return -ENAMETOOLONG;
	files->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (files->folder < 0)
		return -errno;
	if (flock(files->folder, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

void config_files_close(struct config_files *files)
{
	if (files->folder >= 0)
		close(files->folder);
	files->folder = -1;
}

static int copy_bytes(int from, int to)
{
	char bytes[16384];
	size_t sum = 0;
	ssize_t n;

	while ((n = read(from, bytes, sizeof(bytes))) > 0) {
		sum += (size_t)n;
		if (sum > BYTES_MAX)
			return -EFBIG;
		if (write(to, bytes, (size_t)n) != n)
			return errno ? -errno : -ENOSPC;
	}
	return n < 0 ? -errno : 0;
}

/* Owner and mode are those of `like` in the folder `like_in`, else everybody may read it: the gateway has a user of its own. */
static int dress(int fd, int like_in, const char *like)
{
	struct stat st;

	if (fstatat(like_in, like, &st, 0) < 0)
		return fchmod(fd, 0644) < 0 ? -errno : 0;
	if (fchown(fd, st.st_uid, st.st_gid) < 0 && errno != EPERM)
		return -errno;
	return fchmod(fd, st.st_mode & 07777) < 0 ? -errno : 0;
}

/* On disk under its name when it returns, or not at all. */
static int write_copy(int from, int folder, const char *path, int like_in, const char *like)
{
	char fresh[PATH_MAX];
	int r;

	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		return -ENAMETOOLONG;
	if (unlinkat(folder, fresh, 0) < 0 && errno != ENOENT)
		return -errno;
	{
		CLEANUP_CLOSE int to =
			openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (to < 0)
			return -errno;
		r = copy_bytes(from, to);
		if (r >= 0)
			r = dress(to, like_in, like);
		if (r >= 0 && fsync(to) < 0)
			r = -errno;
	}
	if (r >= 0 && renameat(folder, fresh, folder, path) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(folder, fresh, 0);
	return r;
}

/* A folder for others to read. */
static int make_folder(int folder, const char *name)
{
	if (mkdirat(folder, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	return fchmodat(folder, name, 0755, 0) < 0 ? -errno : 0;
}

static int sync_folder(int folder, const char *name)
{
	CLEANUP_CLOSE int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Calls `fn` for each entry of the folder `name`, which need not be there. */
static int each_entry(int folder, const char *name, int (*fn)(int inside, const char *entry, void *arg), void *arg)
{
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), r = 0;
	const struct dirent *entry;
	DIR *list;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	list = fdopendir(fd);
	if (!list) {
		r = -errno;
		close(fd);
		return r;
	}
	while (r >= 0 && (entry = readdir(list))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = fn(fd, entry->d_name, arg);
	}
	closedir(list);
	return r;
}

static int remove_file(int inside, const char *entry, void *arg)
{
	(void)arg;
	if (unlinkat(inside, entry, 0) < 0 && errno != EISDIR)
		return -errno;
	return 0;
}

static int remove_trial(int folder, const char *name)
{
	char more[64];
	int r;

	snprintf(more, sizeof(more), "%s/" MORE, name);
	r = each_entry(folder, more, remove_file, NULL);
	if (r >= 0 && unlinkat(folder, more, AT_REMOVEDIR) < 0 && errno != ENOENT)
		r = -errno;
	if (r >= 0)
		r = each_entry(folder, name, remove_file, NULL);
	if (r >= 0 && unlinkat(folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}

/* The note may go first then: without the folder's name nothing of it counts. */
int config_files_drop(struct config_files *files)
{
	int r = remove_trial(files->folder, FRESH);

	if (r >= 0 && renameat(files->folder, TRIAL, files->folder, FRESH) < 0 && errno != ENOENT)
		r = -errno;
	if (r >= 0 && fsync(files->folder) < 0)
		r = -errno;
	return r < 0 ? r : remove_trial(files->folder, FRESH);
}

int config_files_try(struct config_files *files, int from, const char *as, int64_t lasts_us)
{
	char fresh[sizeof(files->place) + 8], path[PATH_MAX];
	struct trial_now now;
	int r = remove_trial(files->folder, FRESH);

	snprintf(fresh, sizeof(fresh), "%s.new", files->place);
	if (snprintf(path, sizeof(path), FRESH "/%s", as) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (r >= 0)
		r = make_folder(files->folder, FRESH);
	if (r >= 0 && strchr(as, '/'))
		r = make_folder(files->folder, FRESH "/" MORE);
	if (r >= 0)
		r = write_copy(from, files->folder, path, files->folder, as);
	if (r >= 0 && strchr(as, '/'))
		r = sync_folder(files->folder, FRESH "/" MORE);
	if (r >= 0)
		r = trial_now(&now);
	if (r >= 0)
		r = trial_write(fresh, &now, lasts_us);
	if (r >= 0 && renameat(files->folder, FRESH, files->folder, TRIAL) < 0)
		r = -errno;
	if (r >= 0 && fsync(files->folder) < 0)
		r = -errno;
	return r;
}

struct moving {
	struct config_files *files;
	const char *more; /* "" or "conf.d/" */
};

static int move_file(int inside, const char *entry, void *arg)
{
	const struct moving *moving = arg;
	int folder = moving->files->folder;
	char path[PATH_MAX], kept[PATH_MAX];
	int r = 0;

	if (!*moving->more && strcmp(entry, moving->files->name) != 0)
		return 0; /* the note, and conf.d/ */
	snprintf(path, sizeof(path), "%s%s", moving->more, entry);
	snprintf(kept, sizeof(kept), PREVIOUS "/%s%s", moving->more, entry);
	{
		CLEANUP_CLOSE int before = openat(folder, path, O_RDONLY | O_CLOEXEC);

		if (before >= 0)
			r = write_copy(before, folder, kept, folder, path);
		else if (errno != ENOENT)
			r = -errno;
	}
	if (r >= 0 && renameat(inside, entry, folder, path) < 0)
		r = -errno;
	return r;
}

/* Can be done again where it was cut short. */
static int move_all(struct config_files *files)
{
	struct moving main = {files, ""}, more = {files, MORE "/"};
	int r = make_folder(files->folder, PREVIOUS);

	if (r >= 0)
		r = make_folder(files->folder, PREVIOUS "/" MORE);
	if (r >= 0 && faccessat(files->folder, TRIAL "/" MORE, F_OK, 0) == 0)
		r = make_folder(files->folder, MORE);
	if (r >= 0)
		r = each_entry(files->folder, TRIAL, move_file, &main);
	if (r >= 0)
		r = each_entry(files->folder, TRIAL "/" MORE, move_file, &more);
	if (r >= 0 && faccessat(files->folder, MORE, F_OK, 0) == 0)
		r = sync_folder(files->folder, MORE);
	if (r >= 0 && fsync(files->folder) < 0)
		r = -errno;
	return r < 0 ? r : config_files_drop(files);
}

int config_files_keep(struct config_files *files)
{
	struct trial_now now;
	int r = trial_now(&now);

	if (r >= 0)
		r = trial_write(files->place, &now, -1);
	return r < 0 ? r : move_all(files);
}

int config_files_state(struct config_files *files, struct trial *ret_trial)
{
	struct trial_now now;
	int r = trial_now(&now);

	if (r < 0)
		return r;
	*ret_trial = trial_read(files->place, &now);
	if (ret_trial->state == TRIAL_CONFIRMED) {
		r = move_all(files);
		*ret_trial = trial_read(files->place, &now);
	}
	return r;
}
