/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "ctl/audit_process.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/textfile.h"
#include "ctl/audit_proc.h"
#include "ctl/command.h"
#include "wire/audit_line.h"

enum { PROCESSES_MAX = 512, SOCKETS_MAX = 4096 };

struct seen {
	pid_t pid;
	const char *endpoint; /* NULL: the core, or a child of it that is no endpoint */
	bool core;
	bool listens; /* it is meant to have sockets that are open to the network */
	struct audit_process facts;
};

struct held { /* a process has this socket open */
	uint64_t inode;
	const struct seen *by;
};

struct look {
	pid_t core;
	long uid; /* the gateway's user */
	struct seen processes[PROCESSES_MAX];
	size_t processes_count;
	size_t hidden; /* that /proc does not show to us */
	struct held held[SOCKETS_MAX];
	size_t held_count;
	bool by_user; /* some process' descriptors cannot be looked at: sockets are found by the gateway's user */
	json_t *sockets;
	json_t *evidence;
	enum audit_state state;
	unsigned open;
};

static char *read_of(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	return textfile_read(path);
}

static bool is_seen(const struct look *look, pid_t pid)
{
	for (size_t i = 0; i < look->processes_count; i++)
		if (look->processes[i].pid == pid)
			return true;
	return false;
}

static struct seen *add_process(struct look *look, pid_t pid)
{
	CLEANUP_FREE char *status = pid > 0 ? read_of(pid, "status") : NULL;
	struct seen *seen = &look->processes[look->processes_count];

	if (!status || look->processes_count == PROCESSES_MAX)
		return NULL;
	*seen = (struct seen){.pid = pid, .core = pid == look->core};
	audit_process_parse(status, &seen->facts);
	look->processes_count++;
	return seen;
}

/* As the gateway names it. */
static void add_named(struct look *look, const json_t *process)
{
	struct seen *seen = add_process(look, (pid_t)ctl_number(process, "pid"));

	if (!seen) {
		look->hidden++;
		return;
	}
	if (seen->core)
		look->uid = seen->facts.uid;
	else
		seen->endpoint = ctl_text(process, "name");
	seen->listens = json_is_true(json_object_get(process, "listens"));
}

/* An endpoint shuts itself in with landlock wherever the kernel has it, or ends. */
static const char *landlock_words(int landlock)
{
	if (landlock < 0)
		return "; landlock: unknown";
	return landlock ? "; landlock: yes" : "; landlock: not in this kernel";
}

/* What else the core has started, such as the renewal of a certificate. */
static void add_children(struct look *look)
{
	DIR *folder = opendir("/proc");

	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		CLEANUP_FREE char *status = pid > 0 && !is_seen(look, pid) ? read_of(pid, "status") : NULL;
		struct audit_process facts = {.parent = 0};

		if (status)
			audit_process_parse(status, &facts);
		if (facts.parent == look->core)
			add_process(look, pid);
	}
	if (folder)
		closedir(folder);
}

static const char *yes_no(int value)
{
	return value < 0 ? "unknown" : value > 0 ? "yes" : "no";
}

static enum audit_state judge(const struct seen *seen, bool no_core, bool filter_wanted)
{
	const struct audit_process *facts = &seen->facts;
	bool unknown = facts->no_new_privileges < 0 || facts->seccomp < 0 || !facts->capabilities_known;
	bool shut = facts->no_new_privileges == 1 && (facts->seccomp == 2 || !filter_wanted) && no_core &&
		    facts->capabilities == 0;

	if (unknown)
		return AUDIT_UNKNOWN;
	/* The core is shut in by the service manager; who starts it by hand has less. */
	return shut ? AUDIT_OK : seen->core ? AUDIT_WARN : AUDIT_FAIL;
}

static enum audit_state describe_process(const struct seen *seen, int landlock, json_t *processes, json_t *evidence)
{
	CLEANUP_FREE char *limits = read_of(seen->pid, "limits");
	const struct audit_process *facts = &seen->facts;
	const char *name = seen->endpoint ? seen->endpoint : facts->name;
	bool no_core = limits && audit_limits_no_core(limits), filter_wanted = true;
	enum audit_state state;

#ifdef TG_SANITIZERS
	filter_wanted = false;
#endif
	state = judge(seen, no_core, filter_wanted);
	json_array_append_new(processes, json_pack("{s:i,s:s,s:s,s:s,s:s,s:i,s:b,s:b,s:b}", "pid", (int)seen->pid,
						   "name", name, "program", facts->name, "no_new_privileges",
						   yes_no(facts->no_new_privileges), "capabilities",
						   facts->capabilities_known && !facts->capabilities ? "none" : "some",
						   "seccomp", facts->seccomp, "core_dumps", !no_core, "landlock",
						   landlock > 0 && !seen->core, "shut", state == AUDIT_OK));
	audit_note(evidence,
		   "%s (process %ld): no new privileges: %s; capabilities: %016" PRIx64
		   "; system call filter: %s; core dumps: %s%s",
		   name, (long)seen->pid, yes_no(facts->no_new_privileges), facts->capabilities,
		   yes_no(facts->seccomp < 0 ? -1 : facts->seccomp == 2), no_core ? "never" : "possible",
		   seen->core ? "" : landlock_words(landlock));
	return state;
}

/* The profile is the whole service's: the core's word stands for all. */
static void note_apparmor(pid_t core, json_t *evidence)
{
	CLEANUP_FREE char *profile = core > 0 ? read_of(core, "attr/apparmor/current") : NULL;

	if (profile)
		audit_note(evidence, "AppArmor: %.*s", (int)strcspn(profile, "\n"), profile);
	else
		audit_note(evidence, "AppArmor: not in this kernel");
}

static void check_sandboxes(struct look *look, json_t *lines, json_t *processes)
{
	CLEANUP_FREE char *modules = textfile_read("/sys/kernel/security/lsm");
	int landlock = !modules ? -1 : strstr(modules, "landlock") != NULL;
	enum audit_state state = AUDIT_OK;
	json_t *notes = json_array(), *evidence;

	for (size_t i = 0; i < look->processes_count; i++)
		state = audit_worse(state, describe_process(&look->processes[i], landlock, processes, notes));
	if (look->hidden) {
		state = audit_worse(state, AUDIT_UNKNOWN);
		audit_note(notes, "%zu more cannot be looked at: ask as root", look->hidden);
	}
	evidence = audit_line(lines, "sandbox", "5.6", state,
			      "start the gateway by its systemd unit, on a kernel with seccomp and landlock",
			      state == AUDIT_OK        ? "each of the %zu processes has given up what it does not need"
			      : state == AUDIT_UNKNOWN ? "of the %zu processes not all can be looked at"
						       : "of the %zu processes some could do more than they need",
			      look->processes_count + look->hidden);
	json_array_extend(evidence, notes);
	note_apparmor(look->core, evidence);
	if (!modules)
		audit_note(evidence, "whether this kernel has landlock cannot be seen (/sys/kernel/security/lsm)");
	json_decref(notes);
}

static void hold(struct look *look, const struct seen *by)
{
	char path[64], link[64];
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)by->pid);
	folder = opendir(path);
	if (!folder) {
		look->by_user = errno != ENOENT;
		return;
	}
	for (struct dirent *entry; (entry = readdir(folder)) && look->held_count < SOCKETS_MAX;) {
		ssize_t n = readlinkat(dirfd(folder), entry->d_name, link, sizeof(link) - 1);
		uint64_t inode;

		link[n > 0 ? n : 0] = '\0';
		if (sscanf(link, "socket:[%" SCNu64 "]", &inode) == 1)
			look->held[look->held_count++] = (struct held){inode, by};
	}
	closedir(folder);
}

/* NULL: nobody of ours, as far as can be seen. */
static const struct held *holder_of(const struct look *look, uint64_t inode)
{
	for (size_t i = 0; i < look->held_count; i++)
		if (look->held[i].inode == inode)
			return &look->held[i];
	return NULL;
}

/* A process may have several sockets of one address, each with a queue of its own. */
static bool is_listed(const struct look *look, const struct audit_socket *socket, const char *name)
{
	size_t i;
	json_t *listed;

	json_array_foreach(look->sockets, i, listed)
	{
		if (strcmp(json_string_value(json_object_get(listed, "protocol")), socket->protocol) == 0 &&
		    strcmp(json_string_value(json_object_get(listed, "address")), socket->address) == 0 &&
		    strcmp(json_string_value(json_object_get(listed, "process")), name) == 0)
			return true;
	}
	return false;
}

static void add_socket(void *arg, const struct audit_socket *socket)
{
	struct look *look = arg;
	const struct held *held = holder_of(look, socket->inode);
	const char *name = !held ? "" : held->by->endpoint ? held->by->endpoint : held->by->facts.name;
	bool expected = !held || held->by->listens;

	if ((!held && !(look->by_user && (int64_t)socket->uid == look->uid)) || is_listed(look, socket, name))
		return;
	look->open++;
	if (!expected)
		look->state = audit_worse(look->state, socket->protocol[0] == 't' ? AUDIT_FAIL : AUDIT_WARN);
	json_array_append_new(look->sockets, json_pack("{s:s,s:s,s:s,s:b}", "protocol", socket->protocol, "address",
						       socket->address, "process", name, "expected", expected));
	audit_note(look->evidence, "%s %s: %s%s", socket->protocol, socket->address,
		   held ? name : "a process of the gateway's user",
		   expected ? "" : ", which has no business listening");
}

static void check_ports(struct look *look, json_t *lines)
{
	static const char *const protocols[] = {"tcp", "tcp6", "udp", "udp6"};
	json_t *evidence;

	for (size_t i = 0; i < look->processes_count; i++)
		hold(look, &look->processes[i]);
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		char path[32];
		CLEANUP_FREE char *text = NULL;

		snprintf(path, sizeof(path), "/proc/net/%s", protocols[i]);
		text = textfile_read(path);
		if (text)
			audit_sockets_parse(text, protocols[i], add_socket, look);
		else if (protocols[i][3] == '\0')
			look->state = audit_worse(look->state, AUDIT_UNKNOWN);
	}
	evidence =
		audit_line(lines, "ports", "5.6", look->state,
			   "look at the sockets that are not expected: only endpoints that listen should have one",
			   look->state == AUDIT_OK ? "%u socket(s) are open to the network, each of an endpoint that "
						     "listens"
						   : "%u socket(s) are open to the network, not all of them expected",
			   look->open);
	json_array_extend(evidence, look->evidence);
	if (look->by_user)
		audit_note(evidence, "found by the user that they belong to: the processes keep their descriptors to "
				     "themselves");
}

void audit_processes(json_t *lines, const json_t *running, json_t *processes, json_t *sockets)
{
	CLEANUP_FREE struct look *look = calloc(1, sizeof(*look));
	const json_t *process;
	size_t i;

	if (!look)
		abort();
	look->uid = -1;
	look->sockets = sockets;
	look->evidence = json_array();
	json_array_foreach(running, i, process)
	{
		if (json_is_true(json_object_get(process, "core")))
			look->core = (pid_t)ctl_number(process, "pid");
	}
	json_array_foreach(running, i, process) add_named(look, process);
	add_children(look);
	check_sandboxes(look, lines, processes);
	check_ports(look, lines);
	json_decref(look->evidence);
}
