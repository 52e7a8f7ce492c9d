/* SPDX-License-Identifier: Apache-2.0 */
#include "mqtt_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

enum { TRIES = 500, TRY_NS = 10000000 };

static char folder[64];

static void make_certificate(const char *name, const char *names)
{
	child_shell(
		"cd %s && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout %s.key -subj /CN=%s "
		"-out %s.csr "
		"2>/dev/null && printf 'subjectAltName=%s\\n' >%s.ext && openssl x509 -req -in %s.csr -CA ca.crt "
		"-CAkey "
		"ca.key "
		"-CAcreateserial -days 2 -extfile %s.ext -out %s.crt 2>/dev/null",
		folder, name, name, name, names, name, name, name, name);
}

void broker_make_pki(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/tg-mqtt-XXXXXX", base && strlen(base) < 40 ? base : "/tmp");
	if (!mkdtemp(folder))
		child_die("no temporary folder: %s", strerror(errno));
	for (int i = 0; i < 2; i++)
		child_shell(
			"cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout %s.key "
			"-out %s.crt "
			"-subj /CN=%s -days 2 2>/dev/null",
			folder, i ? "other-ca" : "ca", i ? "other-ca" : "ca", i ? "other-ca" : "ca");
	make_certificate("server", "DNS:localhost,IP:127.0.0.1,IP:::1");
	make_certificate("stranger", "DNS:stranger.example");
	make_certificate("client", "DNS:gateway.example");
}

void broker_remove_pki(void)
{
	child_shell("rm -r %s", folder);
}

const char *broker_file(const char *name)
{
	return child_text("%s/%s", folder, name);
}

void broker_init(struct broker *broker, const char *name)
{
	*broker = (struct broker){.port = child_free_port()};
	snprintf(broker->name, sizeof(broker->name), "%s", name);
	snprintf(broker->server, sizeof(broker->server), "server");
}

static void write_configuration(const struct broker *broker)
{
	FILE *file = fopen(child_text("%s/%s.conf", folder, broker->name), "w");

	if (!file)
		child_die("no configuration file: %s", strerror(errno));
	fprintf(file, "user root\nlistener %u 127.0.0.1\nallow_anonymous true\nlog_dest file %s/%s.log\n", broker->port,
		folder, broker->name);
	if (broker->server[0])
		fprintf(file, "cafile %s/ca.crt\ncertfile %s/%s.crt\nkeyfile %s/%s.key\nrequire_certificate true\n",
			folder, folder, broker->server, folder, broker->server);
	fputs(broker->extra, file);
	fclose(file);
}

void broker_start(struct broker *broker)
{
	const struct timespec pause = {.tv_nsec = TRY_NS};
	const char *configuration = child_text("%s/%s.conf", folder, broker->name);
	const char *arguments[] = {"/usr/sbin/mosquitto", "-c", configuration, NULL};

	write_configuration(broker);
	broker->pid = child_start(arguments, STDERR_FILENO, -1);
	for (int i = 0; !child_listens(broker->port); i++) {
		if (i == TRIES || waitpid(broker->pid, NULL, WNOHANG) != 0)
			child_die("broker \"%s\" does not come up, see %s", broker->name, folder);
		nanosleep(&pause, NULL);
	}
}

void broker_stop(struct broker *broker, int signal)
{
	if (broker->pid == 0)
		return;
	kill(broker->pid, signal);
	waitpid(broker->pid, NULL, 0);
	broker->pid = 0;
}

const char *broker_url(const struct broker *broker)
{
	return child_text("%s://localhost:%u", broker->server[0] ? "mqtts" : "mqtt", broker->port);
}

void subscriber_start(struct subscriber *subscriber, const struct broker *broker, const char *topic)
{
	const char *port = child_text("%u", broker->port);
	/* stdbuf: mosquitto_sub keeps its lines back where they go to a pipe. */
	const char *arguments[32] = {"stdbuf", "-oL", "mosquitto_sub", "-V", "5", "-h", "127.0.0.1", "-p",
				     port,     "-t",  topic,           "-q", "2", "-d", "-F",        "%j"};
	const char *secure[] = {"--insecure",
				"--cafile",
				broker_file("ca.crt"),
				"--cert",
				broker_file("client.crt"),
				"--key",
				broker_file("client.key")};
	int pipes[2];

	if (broker->server[0])
		memcpy(arguments + 16, secure, sizeof(secure));
	if (pipe2(pipes, O_CLOEXEC) < 0)
		child_die("pipe: %s", strerror(errno));
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	*subscriber = (struct subscriber){.fd = pipes[0], .pid = child_start(arguments, pipes[1], -1)};
	close(pipes[1]);
	for (int i = 0; subscriber_count(subscriber, "Subscribed (mid") == 0; i++) {
		struct pollfd poller = {.fd = subscriber->fd, .events = POLLIN};

		if (i == TRIES || poll(&poller, 1, 5000) <= 0 || poller.revents & POLLERR)
			child_die("no subscription at broker \"%s\"", broker->name);
	}
}

void subscriber_stop(struct subscriber *subscriber)
{
	if (subscriber->pid > 0) {
		kill(subscriber->pid, SIGKILL);
		waitpid(subscriber->pid, NULL, 0);
		close(subscriber->fd);
	}
	free(subscriber->text);
	*subscriber = (struct subscriber){0};
}

static void subscriber_read(struct subscriber *subscriber)
{
	char data[4096];
	ssize_t n;

	while ((n = read(subscriber->fd, data, sizeof(data))) > 0) {
		subscriber->text = realloc(subscriber->text, subscriber->size + (size_t)n + 1);
		if (!subscriber->text)
			child_die("out of memory");
		memcpy(subscriber->text + subscriber->size, data, (size_t)n);
		subscriber->size += (size_t)n;
		subscriber->text[subscriber->size] = '\0';
	}
}

unsigned subscriber_count(struct subscriber *subscriber, const char *text)
{
	unsigned n = 0;

	subscriber_read(subscriber);
	for (const char *p = subscriber->text; p && (p = strstr(p, text)); p++)
		n++;
	return n;
}

char *subscriber_line(struct subscriber *subscriber, const char *text)
{
	subscriber_read(subscriber);
	for (const char *p = subscriber->text; p && *p;) {
		const char *end = strchr(p, '\n');
		char *line;

		if (!end)
			return NULL;
		line = strndup(p, (size_t)(end - p));
		if (line && *line == '{' && strstr(line, text))
			return line;
		free(line);
		p = end + 1;
	}
	return NULL;
}
