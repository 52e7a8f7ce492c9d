/* SPDX-License-Identifier: Apache-2.0 */

/* The audit of the gateway's processes: what each could still do, and which sockets are open to the network. */

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/audit_proc.h"
#include "core/core_audit.h"

enum { PROCESSES_MAX = 512, SOCKETS_MAX = 4096 };

struct seen {
	pid_t pid;
	const struct config_endpoint *endpoint; /* NULL: the core, or a child that is no endpoint */
	bool core;
	struct audit_process facts;
};

struct held { /* a process has this socket open */
	uint64_t inode;
	const struct seen *by;
};

struct look {
	struct core *core;
	struct seen processes[PROCESSES_MAX];
	size_t processes_count;
	size_t hidden; /* processes of endpoints that /proc does not show to us */
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
	return audit_read(path);
}

static bool is_seen(const struct look *look, pid_t pid)
{
	for (size_t i = 0; i < look->processes_count; i++)
		if (look->processes[i].pid == pid)
			return true;
	return false;
}

static bool add_process(struct look *look, pid_t pid, const struct config_endpoint *endpoint)
{
	CLEANUP_FREE char *status = pid > 0 ? read_of(pid, "status") : NULL;
	struct seen *seen = &look->processes[look->processes_count];

	if (!status || look->processes_count == PROCESSES_MAX)
		return false;
	*seen = (struct seen){.pid = pid, .endpoint = endpoint, .core = pid == getpid()};
	audit_process_parse(status, &seen->facts);
	look->processes_count++;
	return true;
}

static int add_instance(void *arg, struct instance *instance)
{
	struct look *look = arg;

	if (!add_process(look, instance_pid(instance),
			 config_endpoint(look->core->config, instance_endpoint(instance))) &&
	    instance_pid(instance) > 0)
		look->hidden++;
	return 0;
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
		if (facts.parent == getpid())
			add_process(look, pid, NULL);
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
	const char *name = seen->endpoint ? seen->endpoint->name : facts->name;
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

static void check_sandboxes(struct look *look, json_t *lines, json_t *processes)
{
	CLEANUP_FREE char *modules = audit_read("/sys/kernel/security/lsm");
	int landlock = !modules ? -1 : strstr(modules, "landlock") != NULL;
	enum audit_state state = AUDIT_OK;
	json_t *notes = json_array(), *evidence;

	for (size_t i = 0; i < look->processes_count; i++)
		state = audit_worse(state, describe_process(&look->processes[i], landlock, processes, notes));
	if (look->hidden) {
		state = audit_worse(state, AUDIT_UNKNOWN);
		audit_note(notes,
			   "%zu more cannot be looked at: /proc does not show them to the gateway (ProtectProc=)",
			   look->hidden);
	}
	evidence = audit_line(lines, "sandbox", "5.6", state,
			      "start the gateway by its systemd unit, on a kernel with seccomp and landlock",
			      state == AUDIT_OK        ? "each of the %zu processes has given up what it does not need"
			      : state == AUDIT_UNKNOWN ? "of the %zu processes not all can be looked at"
						       : "of the %zu processes some could do more than they need",
			      look->processes_count + look->hidden);
	json_array_extend(evidence, notes);
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

static bool may_listen(const struct seen *by)
{
	return by->endpoint && by->endpoint->descriptor->needs & TG_NEED_LISTEN;
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
	const char *name = !held ? "" : held->by->endpoint ? held->by->endpoint->name : held->by->facts.name;
	bool expected = !held || may_listen(held->by);

	if ((!held && !(look->by_user && socket->uid == geteuid())) || is_listed(look, socket, name))
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
		text = audit_read(path);
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

void core_audit_processes(struct core *core, json_t *lines, json_t *processes, json_t *sockets)
{
	CLEANUP_FREE struct look *look = calloc(1, sizeof(*look));

	if (!look)
		return;
	look->core = core;
	look->sockets = sockets;
	look->evidence = json_array();
	add_process(look, getpid(), NULL);
	supervisor_each(core->supervisor, add_instance, look);
	add_children(look);
	check_sandboxes(look, lines, processes);
	check_ports(look, lines);
	json_decref(look->evidence);
}
