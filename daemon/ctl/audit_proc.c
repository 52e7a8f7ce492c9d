/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/audit_proc.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TCP_LISTEN = 0x0a };

static const char *value_of(const char *status, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			return line + length + 1;
	}
	return NULL;
}

static int small_number(const char *status, const char *name)
{
	const char *value = value_of(status, name);
	int number;

	return value && sscanf(value, "%d", &number) == 1 ? number : -1;
}

static bool read_set(const char *status, const char *name, uint64_t *add)
{
	const char *value = value_of(status, name);
	uint64_t set;

	if (!value || sscanf(value, "%" SCNx64, &set) != 1)
		return false;
	*add |= set;
	return true;
}

void audit_process_parse(const char *status, struct audit_process *ret_process)
{
	const char *name = value_of(status, "Name");

	*ret_process = (struct audit_process){.parent = small_number(status, "PPid"),
					      .uid = small_number(status, "Uid"),
					      .no_new_privileges = small_number(status, "NoNewPrivs"),
					      .seccomp = small_number(status, "Seccomp")};
	if (name)
		sscanf(name, "%31s", ret_process->name);
	ret_process->capabilities_known = read_set(status, "CapEff", &ret_process->capabilities) &&
					  read_set(status, "CapPrm", &ret_process->capabilities);
}

bool audit_limits_no_core(const char *limits)
{
	const char *line = strstr(limits, "Max core file size");
	unsigned long long soft, hard;

	return line && sscanf(line, "Max core file size %llu %llu", &soft, &hard) == 2 && soft == 0 && hard == 0;
}

/* Words of 32 bits in the machine's own order, each written as a number. */
static bool read_address(const char *hex, struct audit_socket *socket)
{
	bool six = strchr(socket->protocol, '6') != NULL;
	uint32_t words[4];
	char text[INET6_ADDRSTRLEN];
	unsigned port;
	int used = 0;

	for (int i = 0; i < (six ? 4 : 1); i++, hex += used) {
		if (sscanf(hex, "%8" SCNx32 "%n", &words[i], &used) != 1 || used != 8)
			return false;
	}
	if (sscanf(hex, ":%4x", &port) != 1 || !inet_ntop(six ? AF_INET6 : AF_INET, words, text, sizeof(text)))
		return false;
	socket->port = (uint16_t)port;
	snprintf(socket->address, sizeof(socket->address), six ? "[%s]:%u" : "%s:%u", text, port);
	return true;
}

static bool is_open(const struct audit_socket *socket, const char *remote, unsigned state)
{
	const char *port = strrchr(remote, ':');

	if (socket->protocol[0] == 't')
		return state == TCP_LISTEN;
	return port && strcmp(port, ":0000") == 0 && socket->port != 0;
}

static bool read_line(const char *line, struct audit_socket *socket)
{
	char local[48], remote[48];
	unsigned state;

	return sscanf(line, " %*[^:]: %47s %47s %x %*s %*s %*s %" SCNu32 " %*s %" SCNu64, local, remote, &state,
		      &socket->uid, &socket->inode) == 5 &&
	       read_address(local, socket) && is_open(socket, remote, state);
}

void audit_sockets_parse(const char *text, const char *protocol, audit_socket_fn *fn, void *arg)
{
	const char *line = strchr(text, '\n'); /* behind the titles */

	for (; line && line[1]; line = strchr(line + 1, '\n')) {
		struct audit_socket socket = {.protocol = protocol};

		if (read_line(line + 1, &socket))
			fn(arg, &socket);
	}
}
