/* SPDX-License-Identifier: Apache-2.0 */
#include "core/renewal_slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static const char *const names[] = {"pending.pem",  "incoming.pem", "candidate.pem", "current.pem",
				    "previous.pem", "request.csr",  "answer.crt",    ""};

const char *renewal_slots_path(const struct renewal_slots *slots, enum renewal_slot slot,
			       char ret_path[RENEWAL_PATH_MAX])
{
	snprintf(ret_path, RENEWAL_PATH_MAX, "%s%s%s", slots->folder, slot == SLOT_FOLDER ? "" : "/", names[slot]);
	return ret_path;
}

static int make_folder(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int renewal_slots_init(struct renewal_slots *slots, const char *state_dir, const char *endpoint)
{
	char all[RENEWAL_PATH_MAX];
	int r;

	slots->folder = NULL;
	if (snprintf(all, sizeof(all), "%s/pki", state_dir) >= (int)sizeof(all) - 320)
		return -ENAMETOOLONG;
	r = make_folder(all);
	if (r >= 0 && asprintf(&slots->folder, "%s/%s", all, endpoint) < 0) {
		slots->folder = NULL;
		return -ENOMEM;
	}
	if (r >= 0)
		r = make_folder(slots->folder);
	if (r < 0) {
		renewal_slots_done(slots);
		return r;
	}
	renewal_slots_drop(slots, SLOT_INCOMING);
	return 0;
}

void renewal_slots_done(struct renewal_slots *slots)
{
	free(slots->folder);
	slots->folder = NULL;
}

int renewal_slots_open(const struct renewal_slots *slots, enum renewal_slot slot)
{
	char path[RENEWAL_PATH_MAX];
	int fd = open(renewal_slots_path(slots, slot, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int renewal_slots_create(const struct renewal_slots *slots, enum renewal_slot slot, bool empty)
{
	char path[RENEWAL_PATH_MAX];
	int fd = open(renewal_slots_path(slots, slot, path),
		      O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (empty ? O_TRUNC : 0), 0600);

	return fd < 0 ? -errno : fd;
}

static int sync_path(const struct renewal_slots *slots, enum renewal_slot slot)
{
	char path[RENEWAL_PATH_MAX];
	CLEANUP_CLOSE int fd = open(renewal_slots_path(slots, slot, path), O_RDONLY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int move(const struct renewal_slots *slots, enum renewal_slot from, enum renewal_slot to)
{
	char old[RENEWAL_PATH_MAX], new[RENEWAL_PATH_MAX];

	return rename(renewal_slots_path(slots, from, old), renewal_slots_path(slots, to, new)) < 0 ? -errno : 0;
}

int renewal_slots_take_in(const struct renewal_slots *slots)
{
	int r = sync_path(slots, SLOT_INCOMING);

	if (r >= 0)
		r = move(slots, SLOT_INCOMING, SLOT_CANDIDATE);
	return r < 0 ? r : sync_path(slots, SLOT_FOLDER);
}

/* A second name for the current one, which then is replaced in one step: at no moment is there none. */
static int keep_current(const struct renewal_slots *slots)
{
	char current[RENEWAL_PATH_MAX], previous[RENEWAL_PATH_MAX];

	renewal_slots_drop(slots, SLOT_PREVIOUS);
	if (link(renewal_slots_path(slots, SLOT_CURRENT, current), renewal_slots_path(slots, SLOT_PREVIOUS, previous)) <
		    0 &&
	    errno != ENOENT)
		return -errno;
	return 0;
}

int renewal_slots_promote(const struct renewal_slots *slots)
{
	int r = keep_current(slots);

	if (r >= 0)
		r = move(slots, SLOT_CANDIDATE, SLOT_CURRENT);
	return r < 0 ? r : sync_path(slots, SLOT_FOLDER);
}

void renewal_slots_drop(const struct renewal_slots *slots, enum renewal_slot slot)
{
	char path[RENEWAL_PATH_MAX];

	unlink(renewal_slots_path(slots, slot, path));
}
