/* SPDX-License-Identifier: Apache-2.0 */

/* One archive about the gateway and its box, for whoever is to help from far away. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/textfile.h"
#include "ctl/command.h"
#include "ctl/diag_scrub.h"
#include "ctl/program.h"

enum { PART_BYTES = 16 * 1024 * 1024, PART_S = 30, SECRET_FILE_MAX = 64 * 1024, WORDS_MAX = 16 };

/* A file of the archive, and the command whose answer it holds. A leading "tidegatectl" is this very program. */
static const struct part {
	const char *file;
	const char *command[WORDS_MAX];
} parts[] = {
	{"status.json", {"tidegatectl", "--json", "status"}},
	{"status.txt", {"tidegatectl", "status"}},
	{"sessions.txt", {"tidegatectl", "sessions"}},
	{"outbox.txt", {"tidegatectl", "outbox"}},
	{"commands.txt", {"tidegatectl", "commands"}},
	{"devices.txt", {"tidegatectl", "device", "list"}},
	{"profiles.txt", {"tidegatectl", "profiles"}},
	{"readings.txt", {"tidegatectl", "readings"}},
	{"certs.txt", {"tidegatectl", "certs"}},
	{"renewals.txt", {"tidegatectl", "certs", "renew", "--status"}},
	{"audit.txt", {"tidegatectl", "audit", "--no-updates"}},
	{"config.txt", {"tidegatectl", "config"}},
	{"check.txt", {"tidegated", "--check"}},
	{"journal.txt",
	 {"journalctl", "--no-pager", "-o", "short-iso-precise", "-n", "20000", "-u", "tidegate", "-u",
	  "tidegate-again", "-u", "tidegate-trial", "-u", "tidegate-return"}},
	{"unit.txt",
	 {"systemctl", "--no-pager", "-l", "status", "tidegate", "tidegate-again", "tidegate-trial",
	  "tidegate-return"}},
	{"packages.txt",
	 {"dpkg-query", "-W", "tidegate*", "libssl3*", "libcoap3*", "libmosquitto1", "libsqlite3-0", "systemd"}},
	{"state.txt", {"ls", "-lAR", "--time-style=full-iso", TG_STATE_DIR}},
	{"disk.txt", {"df", "-h"}},
	{"memory.txt", {"free", "-h"}},
	{"sockets.txt", {"ss", "-lntu"}},
	{"system.txt", {"uname", "-a"}},
	{"release.txt", {"cat", "/etc/os-release"}},
};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

struct diag {
	struct scrub scrub;
	char folder[64]; /* where the archive is put together */
	char name[96];   /* of the archive's one folder */
	const char *run_dir;
	char *room;
	unsigned missing;
};

/* The words of a part as a command. */
static void make_command(const struct diag *diag, const struct part *part, char *words[WORDS_MAX + 3])
{
	size_t n = 0;

	for (size_t i = 0; i < WORDS_MAX && part->command[i]; i++) {
		bool own = i == 0 && strcmp(part->command[i], "tidegatectl") == 0;

		words[n++] = (char *)(uintptr_t)(own ? "/proc/self/exe" : part->command[i]);
		if (own) {
			words[n++] = (char *)(uintptr_t) "--run";
			words[n++] = (char *)(uintptr_t)diag->run_dir;
		}
	}
	words[n] = NULL;
}

static const char *why_incomplete(int code)
{
	switch (code) {
	case PROGRAM_NOT_THERE:
		return "there is no such program here";
	case PROGRAM_TOO_LATE:
		return "it did not end in time";
	case PROGRAM_TOO_MUCH:
		return "it said too much: this is the beginning";
	case PROGRAM_KILLED:
		return "it was killed";
	default:
		return NULL;
	}
}

static int write_part(struct diag *diag, const char *file, const char *head, const char *text)
{
	char path[256];
	FILE *out;
	int fd, r;

	snprintf(path, sizeof(path), "%s/%s/%s", diag->folder, diag->name, file);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	out = fdopen(fd, "w");
	if (!out) {
		close(fd);
		return -ENOMEM;
	}
	fprintf(out, "%s\n\n%s", head, text);
	r = ferror(out) ? -EIO : 0;
	return fclose(out) == 0 ? r : -errno;
}

static int collect_part(struct diag *diag, const struct part *part)
{
	char *words[WORDS_MAX + 3], head[512] = "$";
	CLEANUP_FREE char *clean = NULL;
	size_t used = 1;
	int code;

	for (size_t i = 0; i < WORDS_MAX && part->command[i]; i++)
		used += (size_t)snprintf(head + used, sizeof(head) - used, " %s", part->command[i]);
	make_command(diag, part, words);
	code = program_run(words, PART_S, true, diag->room, PART_BYTES);
	if (code < 0) {
		diag->missing++;
		snprintf(head + used, sizeof(head) - used, "\n# %s", why_incomplete(code));
	} else {
		snprintf(head + used, sizeof(head) - used, "\n# exit status %d", code);
	}
	clean = scrub_text(&diag->scrub, diag->room);
	return clean ? write_part(diag, part->file, head, clean) : -ENOMEM;
}

/* A file that only its owner may read is a secret; what cannot be opened here, nobody here can have quoted. */
static void learn_file(struct diag *diag, const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	CLEANUP_FREE char *text = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_mode & 077 || st.st_size > SECRET_FILE_MAX)
		return;
	text = textfile_read_fd(fd);
	if (!text)
		return;
	scrub_add(&diag->scrub, text);
	explicit_bzero(text, strlen(text));
}

/* Every file that the configuration names: what stands in quotes, relative to the configuration's folder where it is not absolute. */
static void learn_secrets(struct diag *diag)
{
	char *words[] = {(char[]){"/proc/self/exe"}, (char[]){"--run"}, (char *)(uintptr_t)diag->run_dir,
			 (char[]){"config"}, NULL};
	char path[1024];

	learn_file(diag, TG_STATE_DIR "/master.key");
	if (program_run(words, PART_S, false, diag->room, PART_BYTES) != 0)
		return;
	for (char *p = strchr(diag->room, '"'); p; p = strchr(p + 1, '"')) {
		size_t size = strcspn(++p, "\"\n");

		if (p[size] == '"' && size > 0 && size < sizeof(path) - sizeof(TG_CONFIG_FILE)) {
			const char *slash = strrchr(TG_CONFIG_FILE, '/');

			snprintf(path, sizeof(path), "%.*s%.*s", *p == '/' ? 0 : (int)(slash - TG_CONFIG_FILE) + 1,
				 TG_CONFIG_FILE, (int)size, p);
			learn_file(diag, path);
		}
		p += size;
		if (!*p)
			break;
	}
}

static int remove_all(const struct diag *diag)
{
	char path[256];

	for (size_t i = 0; i < PARTS; i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", diag->folder, diag->name, parts[i].file);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/%s", diag->folder, diag->name);
	rmdir(path);
	return rmdir(diag->folder);
}

static int collect(struct diag *diag)
{
	bool terminal = isatty(STDERR_FILENO);
	int r = 0;

	learn_secrets(diag);
	for (size_t i = 0; i < PARTS && r >= 0; i++) {
		if (terminal)
			fprintf(stderr, "\r\033[K%zu of %d: %s", i + 1, PARTS, parts[i].file);
		r = collect_part(diag, &parts[i]);
	}
	if (terminal)
		fputs("\r\033[K", stderr);
	return r;
}

static int make_archive(struct diag *diag, const char *path)
{
	char *words[] = {(char[]){"tar"},
			 (char[]){"--owner=0"},
			 (char[]){"--group=0"},
			 (char[]){"-C"},
			 diag->folder,
			 (char[]){"-czf"},
			 (char *)(uintptr_t)path,
			 diag->name,
			 NULL};
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), code;

	if (fd < 0) {
		fprintf(stderr, "tidegatectl: cannot make \"%s\" (%s)\n", path, strerror(errno));
		return CTL_FAILED;
	}
	close(fd);
	code = program_run(words, PART_S, true, diag->room, PART_BYTES);
	if (code == 0)
		return CTL_GOOD;
	fprintf(stderr, "tidegatectl: the archive could not be made: %s%s\n", diag->room,
		code < 0 ? why_incomplete(code) : "");
	unlink(path);
	return CTL_FAILED;
}

static void say_done(const struct ctl *ctl, const struct diag *diag, const char *path)
{
	json_t *result = json_pack("{s:s,s:i,s:i,s:I}", "file", path, "parts", PARTS, "incomplete", (int)diag->missing,
				   "removed", (json_int_t)diag->scrub.removed);

	if (!ctl_print_json(ctl, result))
		printf("\"%s\": %d files, %zu passages that might be secret were taken out%s.\n"
		       "Names of devices and addresses are in it: look through it before you give it away.\n",
		       path, PARTS, diag->scrub.removed, diag->missing ? ", some answers are incomplete" : "");
	json_decref(result);
}

int ctl_diag(struct ctl *ctl)
{
	struct diag diag = {.folder = "/tmp/tidegate-diag-XXXXXX", .run_dir = ctl->run_dir};
	char path[256], now[CLOCK_TEXT_SIZE];
	int r;

	if (ctl->argc > 1)
		return ctl_bad_usage(ctl, "diag takes the name of the archive, or nothing");
	clock_format(clock_wall_us(), now);
	snprintf(diag.name, sizeof(diag.name), "tidegate-diag-%.10s-%.2s%.2s%.2s", now, now + 11, now + 14, now + 17);
	snprintf(path, sizeof(path), "%s.tar.gz", diag.name);
	diag.room = malloc(PART_BYTES);
	if (!diag.room || !mkdtemp(diag.folder)) {
		fprintf(stderr, "tidegatectl: no place to put the archive together (%s)\n", strerror(errno));
		free(diag.room);
		return CTL_FAILED;
	}
	scrub_init(&diag.scrub);
	snprintf(diag.room, PART_BYTES, "%s/%s", diag.folder, diag.name);
	r = mkdir(diag.room, 0700) < 0 ? -errno : collect(&diag);
	if (r < 0)
		fprintf(stderr, "tidegatectl: cannot write in \"%s\" (%s)\n", diag.folder, strerror(-r));
	r = r < 0 ? CTL_FAILED : make_archive(&diag, ctl->argc ? ctl->argv[0] : path);
	remove_all(&diag);
	if (r == CTL_GOOD)
		say_done(ctl, &diag, ctl->argc ? ctl->argv[0] : path);
	scrub_done(&diag.scrub);
	explicit_bzero(diag.room, PART_BYTES);
	free(diag.room);
	return r;
}
