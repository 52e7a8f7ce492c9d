/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "confine/sandbox.h"
#include "endpoint/describe.h"
#include "endpoint/endpoint.h"
#include "endpoint/load.h"

enum { EXIT_USAGE = 64, EXIT_HELD = 75 };

struct arguments {
	struct endpoint_options options;
	const char *describe;
	const char *lock;
};

static const char usage[] =
	"usage: tidegate-endpoint --describe ADAPTER [--adapters DIR]\n"
	"       tidegate-endpoint --endpoint NAME --worker N --core SOCKET --lock FILE [--adapters DIR] [--orphan S]\n"
	"       tidegate-endpoint --help | --version\n"
	"Runs one endpoint of tidegate; it is started by tidegated(8).\n";

static int parse_number(const char *text, int64_t highest, int64_t *ret_number)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno || end == text || *end || number < 0 || number > highest)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

static int take_option(struct arguments *arguments, int option, const char *value)
{
	int64_t number = 0;

	switch (option) {
	case 'd':
		arguments->describe = value;
		return 0;
	case 'e':
		arguments->options.endpoint = value;
		return 0;
	case 'c':
		arguments->options.core = value;
		return 0;
	case 'l':
		arguments->lock = value;
		return 0;
	case 'a':
		arguments->options.adapters = value;
		return 0;
	case 'w':
		if (parse_number(value, UINT16_MAX, &number) < 0)
			return -EINVAL;
		arguments->options.worker = (uint32_t)number;
		return 0;
	case 'o':
		if (parse_number(value, 3600, &number) < 0)
			return -EINVAL;
		arguments->options.orphan_us = number * CLOCK_S_US;
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"describe", required_argument, NULL, 'd'}, {"endpoint", required_argument, NULL, 'e'},
		{"worker", required_argument, NULL, 'w'},   {"core", required_argument, NULL, 'c'},
		{"lock", required_argument, NULL, 'l'},     {"adapters", required_argument, NULL, 'a'},
		{"orphan", required_argument, NULL, 'o'},   {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (take_option(arguments, option, optarg) < 0)
			return -EINVAL;
	}
	if (optind < argc)
		return -EINVAL;
	if (!arguments->describe && (!arguments->options.endpoint || !arguments->options.core || !arguments->lock))
		return -EINVAL;
	return 0;
}

static int describe(const struct arguments *arguments)
{
	char error[LOAD_ERROR_SIZE];
	struct tg_adapter adapter;
	int r = sandbox_begin(); /* to load is to run its constructors */

	snprintf(error, sizeof(error), "privileges cannot be given up (%s)", strerror(-r));
	if (r >= 0)
		r = load_adapter(arguments->options.adapters, arguments->describe, &adapter, error);
	if (r >= 0) {
		r = describe_adapter(&adapter);
		snprintf(error, sizeof(error), "adapter '%s' cannot be described", arguments->describe);
	}
	if (r < 0)
		fprintf(stderr, "%s\n", error);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The core finds a living endpoint by who holds this lock. The descriptor stays open, alone, until the process ends. */
static int take_lock(const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 || fcntl(fd, F_SETLK, &lock) < 0 ? -errno : 0;
}

static int run(const struct arguments *arguments)
{
	int r = sandbox_begin();

	if (r < 0) {
		log_error("privileges cannot be given up (%s)", strerror(-r));
		return EXIT_FAILURE;
	}
	r = take_lock(arguments->lock);
	if (r < 0) {
		log_error("'%s' cannot be locked (%s)", arguments->lock, strerror(-r));
		return r == -EAGAIN || r == -EACCES ? EXIT_HELD : EXIT_FAILURE;
	}
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	return endpoint_run(&arguments->options);
}

int main(int argc, char **argv)
{
	struct arguments arguments = {.options = {.adapters = TG_ADAPTER_DIR, .orphan_us = 30 * CLOCK_S_US}};

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) < 0;
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("tidegate-endpoint " PACKAGE_VERSION) < 0;
	if (parse(argc, argv, &arguments) < 0) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return arguments.describe ? describe(&arguments) : run(&arguments);
}
