/* SPDX-License-Identifier: Apache-2.0 */

/* An adapter that was taken over: once the sandbox is shut it tries what an intruder would, and reports how far it came, one line each:
 * "probe WHAT: ERROR", or "probe WHAT: open" where it got through. Built by test_sandbox.py. */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <tidegate/adapter.h>
#include <unistd.h>

static const struct tg_host *the_host;

static void report(const char *what, int result)
{
	the_host->log(the_host, TG_LOG_NOTICE, NULL, "probe %s: %s", what,
		      result < 0 ? strerrorname_np(errno) : "open");
}

/* Whether the gateway would answer a question on its control socket. */
static int ask_control(const char *path)
{
	static const char question[] = "{\"command\":\"device-list\"}\n";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char answer[8];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	if (send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) < 0)
		return -1;
	errno = ECONNRESET;
	return recv(fd, answer, sizeof(answer), 0) > 0 ? 0 : -1;
}

static int try_to_listen(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -1 : listen(fd, 1);
}

static int spy_open(const struct tg_host *host, void **ret_state)
{
	the_host = host;
	*ret_state = NULL;
	return 0;
}

static int spy_start(void *state)
{
	const char *path;

	(void)state;
	for (size_t i = 0; (path = the_host->setting_item(the_host, "files", i)); i++)
		report(path, open(path, O_RDONLY | O_CLOEXEC));
	report("write", open(the_host->setting_text(the_host, "marker"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	report("listen", try_to_listen());
	report("control", ask_control(the_host->setting_text(the_host, "control")));
	report("end", 0);
	if (the_host->setting_bool(the_host, "run_program"))
		execl("/bin/touch", "touch", the_host->setting_text(the_host, "marker"), (char *)NULL);
	return 0;
}

static int spy_deliver(void *state, const struct tg_delivery *delivery)
{
	(void)state;
	(void)delivery;
	return -EAGAIN;
}

static void spy_close(void *state)
{
	(void)state;
}

static const struct tg_setting settings[] = {
	{"files", TG_LIST, 0, "", NULL, 0, 16, NULL, "files to open"},
	{"marker", TG_TEXT, 0, "", "", 0, 1024, NULL, "file to make"},
	{"control", TG_TEXT, 0, "", "", 0, 1024, NULL, "control socket to ask"},
	{"run_program", TG_BOOL, 0, "", "false", 0, 0, NULL, "start another program at the end"},
	{0},
};
static const char *const counters[] = {NULL};

const struct tg_adapter tidegate_adapter = {
	.major = TG_ADAPTER_MAJOR,
	.minor = TG_ADAPTER_MINOR,
	.size = sizeof(tidegate_adapter),
	.roles = TG_SINK,
	.needs = 0,
	.name = "spy",
	.version = "1",
	.summary = "tries to break out",
	.settings = settings,
	.counters = counters,
	.open = spy_open,
	.start = spy_start,
	.deliver = spy_deliver,
	.close = spy_close,
};
