/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "ctl/audit_box.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ctl/program.h"
#include "wire/audit_line.h"

enum { ANSWER_BYTES = 256 * 1024, APT_S = 60, LISTS_OLD_DAYS = 7, DAY_S = 86400, USERS_MAX = 200 };

static void note_members(json_t *evidence, const struct group *group)
{
	char text[900] = "";
	size_t used = 0;
	unsigned count = 0;
	struct passwd *user;

	for (char **member = group->gr_mem; *member && used < sizeof(text) - 80; member++, count++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, " %.64s", *member);
	setpwent();
	while ((user = getpwent()) && count < USERS_MAX && used < sizeof(text) - 80) {
		if (user->pw_gid != group->gr_gid)
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used, " %.64s", user->pw_name);
		count++;
	}
	endpwent();
	audit_note(evidence, "members of the group \"%s\":%s", group->gr_name, count ? text : " none");
}

void audit_box_socket(json_t *lines, const char *run_dir)
{
	const struct passwd *owner;
	const struct group *group;
	char path[512];
	struct stat st;
	json_t *evidence;
	bool good;

	snprintf(path, sizeof(path), "%s/control.sock", run_dir);
	if (stat(path, &st) < 0) {
		evidence = audit_line(lines, "control-socket", "5.6", AUDIT_UNKNOWN, "ask as root",
				      "the control socket cannot be looked at");
		audit_note(evidence, "%s: %s", path, strerror(errno));
		return;
	}
	good = !(st.st_mode & S_IRWXO);
	evidence = audit_line(lines, "control-socket", "5.6", good ? AUDIT_OK : AUDIT_FAIL,
			      "chmod 0660, and look for who has changed it",
			      good ? "only root and a group may control the gateway"
				   : "every user may control the gateway");
	owner = getpwuid(st.st_uid);
	audit_note(evidence, "%s: mode %04o, owner %s", path, (unsigned)st.st_mode & 07777u,
		   owner ? owner->pw_name : "?");
	group = getgrgid(st.st_gid);
	if (group)
		note_members(evidence, group);
	else
		audit_note(evidence, "group %u, which has no name", (unsigned)st.st_gid);
}

/* Days since apt's lists were last fetched; -1: there are none. */
static long lists_age_days(void)
{
	DIR *folder = opendir("/var/lib/apt/lists");
	struct stat st;
	time_t newest = 0;

	for (struct dirent *entry; folder && (entry = readdir(folder));)
		if (strstr(entry->d_name, "Release") && fstatat(dirfd(folder), entry->d_name, &st, 0) == 0 &&
		    st.st_mtime > newest)
			newest = st.st_mtime;
	if (folder)
		closedir(folder);
	return newest ? (long)((clock_wall_us() / CLOCK_S_US - newest) / DAY_S) : -1;
}

/* "Inst PACKAGE [old] (new Origin:…, Debian-Security:… …)" */
static void count_updates(char *text, json_t *names, unsigned *ret_all, unsigned *ret_security)
{
	char *rest = text, *line;

	*ret_all = *ret_security = 0;
	while ((line = strsep(&rest, "\n"))) {
		char name[128];

		if (sscanf(line, "Inst %127s", name) != 1)
			continue;
		++*ret_all;
		if (!strstr(line, "Security"))
			continue;
		++*ret_security;
		if (json_array_size(names) < 20)
			json_array_append_new(names, json_string(name));
	}
}

void audit_box_updates(json_t *lines)
{
	char *const command[] = {(char[]){"apt-get"}, (char[]){"-s"}, (char[]){"-oDebug::NoLocking=true"},
				 (char[]){"upgrade"}, NULL};
	CLEANUP_FREE char *text = malloc(ANSWER_BYTES);
	json_t *evidence, *names = json_array(), *name;
	long age = lists_age_days();
	unsigned all, security;
	bool old = age > LISTS_OLD_DAYS;
	size_t i;

	setenv("LC_ALL", "C", 1);
	if (age < 0 || !text || program_run(command, APT_S, false, text, ANSWER_BYTES) != 0) {
		evidence = audit_line(lines, "updates", "5.3", AUDIT_UNKNOWN,
				      "let the box fetch updates: apt-get update, or unattended-upgrades",
				      "whether updates are pending is not known");
		audit_note(evidence, age < 0 ? "apt has fetched no lists" : "apt-get -s upgrade did not answer");
		json_decref(names);
		return;
	}
	count_updates(text, names, &all, &security);
	evidence = audit_line(lines, "updates", "5.3", security || old ? AUDIT_WARN : AUDIT_OK,
			      "apt-get update, apt-get upgrade; unattended-upgrades does it every day",
			      security ? "security updates are pending"
			      : old    ? "nobody has looked for updates for a while"
				       : "no security updates are pending");
	audit_note(evidence, "%u updates pending, %u of them for security; apt's lists are %ld days old", all, security,
		   age);
	json_array_foreach(names, i, name) audit_note(evidence, "security: %s", json_string_value(name));
	json_decref(names);
}

void audit_box_reports(json_t *lines)
{
	static const char path[] = TG_DOC_DIR "/SECURITY.md";
	bool there = access(path, R_OK) == 0;
	json_t *evidence = audit_line(
		lines, "reports", "5.2", there ? AUDIT_OK : AUDIT_UNKNOWN, "it is in the sources, beside README.md",
		there ? "how to report a vulnerability is said in the documentation"
		      : "how to report a vulnerability is said in SECURITY.md, which is not installed here");

	audit_note(evidence, "%s; tidegate " PACKAGE_VERSION, path);
}
