/* SPDX-License-Identifier: Apache-2.0 */
#include "core/store_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"

enum { PAGE_BYTES = 4096, SLACK_PAGES = 256, ASIDE_MAX = 8 };

struct paths {
	char folder[PATH_MAX];
	char main[PATH_MAX + 32];
	char mirror[PATH_MAX + 32];
	char fresh[PATH_MAX + 32];
};

struct opening {
	struct store_files *files;
	struct paths paths;
	int64_t limit_bytes; /* of one file */
	bool mirror;
	struct store_exam exams[2]; /* of outbox.db and the mirror */
};

/* What interior pages, numbers and free pages take is not in the cost of rows. */
int64_t store_files_limit(int64_t disk_bytes)
{
	return disk_bytes + disk_bytes / 64 + (int64_t)SLACK_PAGES * PAGE_BYTES;
}

static int sync_folder(const struct paths *paths)
{
	CLEANUP_CLOSE int fd = open(paths->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* A database is its file and its WAL. */
static int move_file(const char *from, const char *to)
{
	char from_wal[PATH_MAX + 96], to_wal[PATH_MAX + 96];

	snprintf(from_wal, sizeof(from_wal), "%s-wal", from);
	snprintf(to_wal, sizeof(to_wal), "%s-wal", to);
	if (unlink(to_wal) < 0 && errno != ENOENT)
		return -errno;
	if (rename(from_wal, to_wal) < 0 && errno != ENOENT)
		return -errno;
	return rename(from, to) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_file(const char *path)
{
	char wal[PATH_MAX + 96];

	snprintf(wal, sizeof(wal), "%s-wal", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	return unlink(wal) < 0 && errno != ENOENT ? -errno : 0;
}

static int set_aside(struct opening *opening, const char *path, const char *why)
{
	char to[PATH_MAX + 64];
	int r;

	snprintf(to, sizeof(to), "%s.corrupt-%lld", path, (long long)(clock_wall_us() / CLOCK_S_US));
	for (int n = 1; exists(to) && n < 1000; n++)
		snprintf(to, sizeof(to), "%s.corrupt-%lld-%d", path, (long long)(clock_wall_us() / CLOCK_S_US), n);
	r = move_file(path, to);
	if (r < 0)
		return r;
	opening->files->set_aside++;
	log_error("store file \"%s\" is %s, set aside as \"%s\"", path, why, to);
	return 0;
}

static int is_aside(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return strncmp(entry->d_name, "outbox", 6) == 0 && strstr(entry->d_name, ".corrupt-") &&
	       strcmp(entry->d_name + length - 4, "-wal") != 0;
}

/* Their names end with the time. */
static int by_time(const struct dirent **a, const struct dirent **b)
{
	return strverscmp(strstr((*a)->d_name, ".corrupt-"), strstr((*b)->d_name, ".corrupt-"));
}

/* Files that were set aside are for the operator to look at; a disk that keeps damaging them must not fill up with them. */
static void prune(const struct paths *paths)
{
	struct dirent **entries;
	int n = scandir(paths->folder, &entries, is_aside, by_time);

	for (int i = 0; i < n; i++) {
		char path[2 * PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", paths->folder, entries[i]->d_name);
		if (i < n - ASIDE_MAX && remove_file(path) >= 0)
			log_notice("removed \"%s\", which was set aside long ago", path);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

/* A start before this one was cut short after it had set aside both files, or before. */
static int finish_interrupted(const struct paths *paths)
{
	if (!exists(paths->fresh))
		return 0;
	if (exists(paths->main) || exists(paths->mirror))
		return remove_file(paths->fresh);
	return move_file(paths->fresh, paths->main);
}

/* Where the rows of damaged files go: into the whole file, or a new one. */
static int salvage_into(struct opening *opening, const char *target)
{
	CLEANUP_FREE struct store_side *to = calloc(1, sizeof(*to));
	const char *from[] = {opening->paths.main, opening->paths.mirror};
	uint64_t last_seq = 0;
	int r;

	if (!to)
		return -ENOMEM;
	r = store_side_open(to, target, opening->limit_bytes);
	if (r < 0)
		return r;
	for (int i = 0; i < 2; i++) {
		if (opening->exams[i].last_seq > last_seq)
			last_seq = opening->exams[i].last_seq;
	}
	for (int i = 0; i < 2; i++) {
		int64_t rows = 0;

		if (opening->exams[i].state != STORE_DAMAGED)
			continue;
		r = store_salvage(from[i], to, &last_seq, &rows);
		opening->files->salvaged += rows;
		if (r < 0)
			log_error("not everything could be taken over from \"%s\" (%s)", from[i], strerror(-r));
		else
			log_warning("took %lld rows over from \"%s\"", (long long)rows, from[i]);
	}
	store_side_close(to);
	return 0;
}

/* Carries the WAL over, so that the file can be moved by itself. */
static int settle(const char *path)
{
	CLEANUP_FREE struct store_side *side = calloc(1, sizeof(*side));
	int r = side ? store_side_open(side, path, 0) : -ENOMEM;

	if (r >= 0)
		store_side_close(side);
	return r;
}

static int main_from(struct opening *opening, const char *path)
{
	int r = settle(path);

	if (r >= 0)
		r = move_file(path, opening->paths.main);
	return r < 0 ? r : sync_folder(&opening->paths);
}

static bool mirror_is_newer(const struct opening *opening)
{
	const struct store_exam *main = &opening->exams[0], *mirror = &opening->exams[1];

	return mirror->state == STORE_WHOLE && (main->state != STORE_WHOLE || mirror->generation > main->generation);
}

/* Leaves outbox.db whole, or missing where there is nothing. */
static int choose(struct opening *opening)
{
	const struct store_exam *main = &opening->exams[0], *mirror = &opening->exams[1];
	bool damaged = main->state == STORE_DAMAGED || mirror->state == STORE_DAMAGED;
	bool mirror_counts = mirror_is_newer(opening);
	bool none = main->state != STORE_WHOLE && mirror->state != STORE_WHOLE;
	int r = 0;

	if (damaged)
		r = salvage_into(opening, none            ? opening->paths.fresh
					  : mirror_counts ? opening->paths.mirror
							  : opening->paths.main);
	if (r >= 0 && mirror->state == STORE_DAMAGED)
		r = set_aside(opening, opening->paths.mirror, "damaged");
	if (r >= 0 && main->state == STORE_DAMAGED)
		r = set_aside(opening, opening->paths.main, "damaged");
	if (r >= 0 && main->state == STORE_WHOLE && mirror_counts)
		r = set_aside(opening, opening->paths.main, "older than its mirror");
	if (r >= 0 && main->state == STORE_MISSING && mirror_counts)
		log_warning("store file \"%s\" is missing, its mirror takes its place", opening->paths.main);
	if (r >= 0 && mirror_counts)
		r = main_from(opening, opening->paths.mirror);
	if (r >= 0 && damaged && none)
		r = main_from(opening, opening->paths.fresh);
	return r;
}

/* Rows that got lost with a damaged file are dropped; rows that its numbers did not know yet are accepted. */
static int reconcile(struct opening *opening, struct store_holding *holding)
{
	int64_t *number = holding->number;
	int64_t lost = number[LEDGER_ACCEPTED] - number[LEDGER_DELIVERED] - number[LEDGER_REJECTED] -
		       number[LEDGER_EXPIRED] - number[LEDGER_UNREADABLE] - number[LEDGER_PURGED] - holding->rows;
	int item = lost > 0 ? LEDGER_UNREADABLE : LEDGER_ACCEPTED;
	int r;

	if (lost == 0)
		return 0;
	number[item] += lost > 0 ? lost : -lost;
	opening->files->corrected += lost > 0 ? lost : -lost;
	r = store_side_set(&opening->files->sides[0], bytes_text(holding->name), item, number[item]);
	if (lost > 0) {
		opening->files->unreadable += lost;
		log_error("%lld messages for \"%s\" are lost: their rows cannot be read", (long long)lost,
			  holding->name);
	}
	return r < 0 ? r : 1;
}

static int reconcile_all(struct opening *opening, struct store_exam *found)
{
	struct store_side *side = &opening->files->sides[0];
	bool changed = false;
	int r = store_side_begin(side);

	for (size_t i = 0; i < found->count && r >= 0; i++) {
		r = reconcile(opening, &found->holdings[i]);
		changed |= r > 0;
	}
	if (r >= 0 && changed)
		r = store_side_set(side, bytes_text(""), STORE_GENERATION, ++found->generation);
	return r < 0 ? r : store_side_commit(side);
}

/* What the exam has found still holds, unless rows came in since. */
static struct store_exam *known(struct opening *opening)
{
	struct store_exam *main = &opening->exams[0], *mirror = &opening->exams[1];

	if (main->state == STORE_DAMAGED || mirror->state == STORE_DAMAGED)
		return NULL;
	if (mirror_is_newer(opening))
		return mirror;
	return main->state == STORE_WHOLE ? main : NULL;
}

static int open_main(struct opening *opening, struct store_exam *ret_found)
{
	struct store_side *side = &opening->files->sides[0];
	struct store_exam *exam = known(opening);
	int r = store_side_open(side, opening->paths.main, opening->limit_bytes);

	if (r >= 0 && exam) {
		*ret_found = *exam;
		exam->count = 0; /* what it had is the other's now */
	} else if (r >= 0) {
		r = store_scan(side->database, ret_found);
	}
	return r < 0 ? r : reconcile_all(opening, ret_found);
}

/* Makes the mirror equal, in one transaction that writes only what differs. */
static int copy_to_mirror(struct store_side *mirror, const char *main)
{
	CLEANUP_STATEMENT struct database_statement *attach = NULL;
	int r = database_prepare(mirror->database, "ATTACH ? AS source", &attach);

	if (r < 0)
		return r;
	database_bind_text(attach, 1, bytes_text(main));
	r = database_run(attach);
	if (r >= 0)
		r = database_exec(mirror->database,
				  "BEGIN IMMEDIATE;"
				  "DELETE FROM main.outbox WHERE NOT EXISTS (SELECT 1 FROM source.outbox AS s "
				  "WHERE s.seq = main.outbox.seq AND s.sum = main.outbox.sum);"
				  "INSERT INTO main.outbox (" STORE_ROW_COLUMNS ") SELECT " STORE_ROW_COLUMNS
				  " FROM source.outbox AS s WHERE NOT EXISTS "
				  "(SELECT 1 FROM main.outbox AS m WHERE m.seq = s.seq);"
				  "DELETE FROM main.numbers; INSERT INTO main.numbers (endpoint, item, value) "
				  "SELECT endpoint, item, value FROM source.numbers; COMMIT");
	store_side_rollback(mirror);
	return r < 0 ? r : database_exec(mirror->database, "DETACH source");
}

/* Without room for a mirror the store goes on with one file. */
static int mirror_failed(struct opening *opening, int r)
{
	store_side_close(&opening->files->sides[1]);
	if (r != -ENOSPC)
		return r;
	log_error("no room for the mirror of the store, going on without it");
	opening->mirror = false;
	return remove_file(opening->paths.mirror);
}

static int open_mirror(struct opening *opening, int64_t generation)
{
	struct store_side *sides = opening->files->sides;
	const struct store_exam *exam = &opening->exams[1];
	bool same = exam->state == STORE_WHOLE && exam->generation == generation && opening->files->set_aside == 0;
	int r;

	if (!opening->mirror)
		return remove_file(opening->paths.mirror);
	if (same)
		return store_side_open(&sides[1], opening->paths.mirror, opening->limit_bytes);
	store_side_close(&sides[0]); /* its lock would keep us out too */
	r = store_side_open(&sides[1], opening->paths.mirror, opening->limit_bytes);
	if (r >= 0)
		r = copy_to_mirror(&sides[1], opening->paths.main);
	if (r < 0)
		r = mirror_failed(opening, r);
	return r < 0 ? r : store_side_open(&sides[0], opening->paths.main, opening->limit_bytes);
}

static int open_all(struct opening *opening, struct store_exam *ret_found)
{
	struct store_files *files = opening->files;
	int r = finish_interrupted(&opening->paths);

	if (r >= 0)
		r = store_examine(opening->paths.main, &opening->exams[0]);
	if (r >= 0)
		r = store_examine(opening->paths.mirror, &opening->exams[1]);
	if (r >= 0)
		r = choose(opening);
	if (r >= 0)
		r = open_main(opening, ret_found);
	if (r >= 0)
		r = open_mirror(opening, ret_found->generation);
	if (r >= 0)
		r = sync_folder(&opening->paths);
	if (r < 0)
		return r;
	if (files->set_aside)
		prune(&opening->paths);
	files->count = opening->mirror ? 2 : 1;
	files->generation = ret_found->generation;
	files->last_seq = ret_found->last_seq;
	files->rows = 0;
	for (size_t i = 0; i < ret_found->count; i++)
		files->rows += ret_found->holdings[i].rows;
	return 0;
}

int store_files_open(struct store_files *files, const char *folder, const struct store_settings *settings,
		     struct store_exam *ret_found)
{
	CLEANUP_FREE struct opening *opening = calloc(1, sizeof(*opening));
	struct paths *paths;
	int r;

	if (!opening)
		return -ENOMEM;
	paths = &opening->paths;
	opening->files = files;
	opening->mirror = settings->mirror;
	opening->limit_bytes = store_files_limit(settings->disk_bytes);
	if ((size_t)snprintf(paths->folder, sizeof(paths->folder), "%s", folder) >= sizeof(paths->folder))
		return -ENAMETOOLONG;
	snprintf(paths->main, sizeof(paths->main), "%s/outbox.db", folder);
	snprintf(paths->mirror, sizeof(paths->mirror), "%s/outbox-mirror.db", folder);
	snprintf(paths->fresh, sizeof(paths->fresh), "%s/outbox-new.db", folder);
	r = open_all(opening, ret_found);
	store_exam_done(&opening->exams[0]);
	store_exam_done(&opening->exams[1]);
	if (r < 0)
		store_files_close(files);
	return r;
}

void store_files_close(struct store_files *files)
{
	store_side_close(&files->sides[0]);
	store_side_close(&files->sides[1]);
	files->count = 0;
}
