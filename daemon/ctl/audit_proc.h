/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_AUDIT_PROC_H
#define CTL_AUDIT_PROC_H

/* What the kernel says of processes and sockets, read from the text of files in /proc (proc(5)). Nothing here opens a file. */

#include <stdbool.h>
#include <stdint.h>

struct audit_process {
	char name[32];
	long parent;
	long uid;              /* the real one; -1: not told */
	int no_new_privileges; /* 0, 1; -1: not told */
	int seccomp;           /* 0: none, 2: a filter; -1: not told */
	uint64_t capabilities; /* effective and permitted */
	bool capabilities_known;
};

/* Reads /proc/PID/status. Lines that are missing leave their member as not told. */
void audit_process_parse(const char *status, struct audit_process *ret_process);

/* Whether /proc/PID/limits says that no core file is ever written. */
bool audit_limits_no_core(const char *limits);

struct audit_socket {
	const char *protocol; /* "tcp", "tcp6", "udp", "udp6" */
	char address[64];     /* "[::]:5684" */
	uint16_t port;
	uint32_t uid;
	uint64_t inode;
};

/* Calls `fn` for each socket of /proc/net/PROTOCOL that anybody can send to: listening TCP ones, and UDP ones that are not connected. */
typedef void audit_socket_fn(void *arg, const struct audit_socket *socket);
void audit_sockets_parse(const char *text, const char *protocol, audit_socket_fn *fn, void *arg);

#endif
