/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

enum { TRIES = 3000, TRY_NS = 10000000 };

static char folder[64];

static void make_authority(const char *name)
{
	child_shell("cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout %s.key -out "
		    "%s.crt -subj /CN=%s -days 2 2>/dev/null",
		    folder, name, name, name);
}

static void make_certificate(const char *name, const char *common, const char *authority)
{
	child_shell(
		"cd %s && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout %s.key -subj /CN=%s "
		"-out %s.csr 2>/dev/null && openssl x509 -req -in %s.csr -CA %s.crt -CAkey %s.key -CAcreateserial "
		"-days 2 -out %s.crt 2>/dev/null",
		folder, name, common, name, name, authority, authority, name);
}

void coap_server_make_pki(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/tg-coap-XXXXXX", base && strlen(base) < 40 ? base : "/tmp");
	if (!mkdtemp(folder))
		child_die("no temporary folder: %s", strerror(errno));
	make_authority("ca");
	make_authority("other-ca");
	make_certificate("gateway", "gateway", "ca");
	make_certificate("device", "meter-3", "ca");
	make_certificate("stranger", "meter-4", "ca");
	make_certificate("foreign", "meter-3", "other-ca");
}

void coap_server_remove_pki(void)
{
	child_shell("rm -r %s", folder);
}

const char *coap_server_file(const char *name)
{
	return child_text("%s/%s", folder, name);
}

static bool is_free(uint16_t port, int type)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	close(fd);
	return good;
}

void coap_server_init(struct coap_server *server, const char *program)
{
	struct timespec now;

	*server = (struct coap_server){.program = program};
	clock_gettime(CLOCK_MONOTONIC, &now);
	for (unsigned i = 0; i < 1000; i++) {
		uint16_t port =
			(uint16_t)(20000 + ((unsigned)getpid() * 7 + (unsigned)now.tv_nsec / 1000 + i * 2) % 10000);

		if (!child_claim_port(port) || !child_claim_port((uint16_t)(port + 1)))
			continue;
		if (is_free(port, SOCK_DGRAM) && is_free(port, SOCK_STREAM) &&
		    is_free((uint16_t)(port + 1), SOCK_DGRAM) && is_free((uint16_t)(port + 1), SOCK_STREAM)) {
			server->port = port;
			return;
		}
	}
	child_die("no two free ports");
}

static pid_t start(const char *const *arguments)
{
	bool shown = getenv("COAP_SERVER_LOG");

	return child_start(arguments, shown ? STDOUT_FILENO : -1, shown ? STDERR_FILENO : -1);
}

void coap_server_start(struct coap_server *server)
{
	const struct timespec pause = {.tv_nsec = TRY_NS};
	const char *arguments[24] = {server->program,
				     "-A",
				     "127.0.0.1",
				     "-p",
				     child_text("%u", server->port),
				     "-v",
				     getenv("COAP_SERVER_LOG") ? "8" : "0"};
	size_t n = 7;

	if (server->certificate) {
		arguments[n++] = "-c";
		arguments[n++] = coap_server_file(child_text("%s.crt", server->certificate));
		arguments[n++] = "-j";
		arguments[n++] = coap_server_file(child_text("%s.key", server->certificate));
		arguments[n++] = "-C";
		arguments[n++] = coap_server_file("ca.crt");
	} else {
		arguments[n++] = "-k";
		arguments[n++] = server->key ? server->key : COAP_SERVER_KEY;
	}
	if (server->option)
		arguments[n] = server->option;
	server->pid = start(arguments);
	/* It listens on TCP last. */
	for (int i = 0; !child_listens((uint16_t)(server->port + 1)); i++) {
		if (i == TRIES || waitpid(server->pid, NULL, WNOHANG) != 0)
			child_die("'%s' does not come up", server->program);
		nanosleep(&pause, NULL);
	}
}

void coap_server_start_suite(struct coap_server *server, const char *suite)
{
	char key[2 * sizeof(COAP_SERVER_KEY) + 1];
	const char *arguments[] = {
		"openssl", "s_server", "-dtls1_2", "-accept", child_text("127.0.0.1:%u", server->port + 1),
		"-nocert", "-psk",     key,        "-cipher", child_text("%s:@SECLEVEL=0", suite),
		"-quiet",  NULL};

	for (size_t i = 0; i < sizeof(COAP_SERVER_KEY); i++)
		snprintf(key + 2 * i, 3, "%02x", (unsigned char)COAP_SERVER_KEY[i]);
	key[2 * strlen(COAP_SERVER_KEY)] = '\0';
	server->pid = start(arguments);
}

void coap_server_stop(struct coap_server *server)
{
	if (server->pid == 0)
		return;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
}

const char *coap_server_entry(const struct coap_server *server, const char *name, bool secure)
{
	return child_text("%s %s://127.0.0.1:%u", name, secure ? "coaps" : "coap", server->port + secure);
}

void coap_server_put(const struct coap_server *server, const char *path, const char *payload)
{
	const char *arguments[] = {"coap-client-notls",
				   "-v",
				   "0",
				   "-m",
				   "put",
				   "-e",
				   payload,
				   child_text("coap://127.0.0.1:%u%s", server->port, path),
				   NULL};
	int status;
	pid_t pid = start(arguments);

	if (waitpid(pid, &status, 0) != pid || status != 0)
		child_die("coap-client-notls put %s: %d", path, status);
}
