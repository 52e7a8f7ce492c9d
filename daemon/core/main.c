/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h> /* the build's */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "core/activation.h"
#include "core/certs_report.h"
#include "core/config.h"
#include "core/core.h"
#include "core/schema.h"

enum {
	OPTION_ADAPTERS = 256,
	OPTION_ENDPOINT_PROGRAM,
	OPTION_RENEW_PROGRAM,
	OPTION_CHECK,
	OPTION_DEFAULTS,
	OPTION_SCHEMA_MAN,
	OPTION_AT
};

/* --check --at: something will have stopped to work by then. */
enum { EXIT_WILL_BREAK = 4 };

struct options {
	struct core_places places;
	bool check;
	const char *at;
	bool defaults;
	bool schema_man;
	bool verbose;
};

static void print_help(FILE *out)
{
	fputs("tidegated - the tidegate gateway daemon\n\n"
	      "Usage: tidegated [OPTION ...]\n\n"
	      "  --config FILE             configuration (default: " TG_CONFIG_FILE ")\n"
	      "  --state DIR               store and registry (default: " TG_STATE_DIR ")\n"
	      "  --run DIR                 sockets (default: " TG_RUN_DIR ")\n"
	      "  --adapters DIR            adapters (default: " TG_ADAPTER_DIR ")\n"
	      "  --endpoint-program FILE   default: " TG_ENDPOINT_PROGRAM "\n"
	      "  --renew-program FILE      default: " TG_RENEW_PROGRAM "\n"
	      "  --check                   check the configuration, open and change nothing\n"
	      "  --check --at DATE         say what will have stopped to work by then because a certificate is over:\n"
	      "                            2027-03-01, 2027-03-01T12:00:00Z or +90d\n"
	      "  --defaults                print every setting with its default, as a sample file\n"
	      "  --verbose                 log what is only of use when looking for a fault\n"
	      "  --help, --version\n\n"
	      "Exit: 0 good, 4 --at: something will not work, 64 bad usage, 78 broken configuration, 1 any other "
	      "failure\n"
	      "See tidegated(8), tidegate.conf(5).\n",
	      out);
}

/* Returns 0 to go on, or 1 + the exit code. */
static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {{"config", required_argument, NULL, 'c'},
					      {"state", required_argument, NULL, 's'},
					      {"run", required_argument, NULL, 'r'},
					      {"adapters", required_argument, NULL, OPTION_ADAPTERS},
					      {"endpoint-program", required_argument, NULL, OPTION_ENDPOINT_PROGRAM},
					      {"renew-program", required_argument, NULL, OPTION_RENEW_PROGRAM},
					      {"check", no_argument, NULL, OPTION_CHECK},
					      {"at", required_argument, NULL, OPTION_AT},
					      {"defaults", no_argument, NULL, OPTION_DEFAULTS},
					      {"schema-man", no_argument, NULL, OPTION_SCHEMA_MAN},
					      {"verbose", no_argument, NULL, 'v'},
					      {"help", no_argument, NULL, 'h'},
					      {"version", no_argument, NULL, 'V'},
					      {NULL, 0, NULL, 0}};
	struct core_places *places = &options->places;
	int c;

	while ((c = getopt_long(argc, argv, "c:s:r:vh", known, NULL)) >= 0) {
		if (c == 'c')
			places->config_file = optarg;
		else if (c == 's')
			places->state_dir = optarg;
		else if (c == 'r')
			places->run_dir = optarg;
		else if (c == OPTION_ADAPTERS)
			places->adapter_dir = optarg;
		else if (c == OPTION_ENDPOINT_PROGRAM)
			places->endpoint_program = optarg;
		else if (c == OPTION_RENEW_PROGRAM)
			places->renew_program = optarg;
		else if (c == OPTION_CHECK)
			options->check = true;
		else if (c == OPTION_AT)
			options->at = optarg;
		else if (c == OPTION_DEFAULTS)
			options->defaults = true;
		else if (c == OPTION_SCHEMA_MAN)
			options->schema_man = true;
		else if (c == 'v')
			options->verbose = true;
		else if (c == 'V')
			return puts("tidegated " PACKAGE_VERSION), 1;
		else if (c == 'h')
			return print_help(stdout), 1;
		else
			return fputs("tidegated --help says how\n", stderr), 1 + EX_USAGE;
	}
	if (options->at && !options->check) {
		fputs("tidegated: --at goes with --check\n", stderr);
		return 1 + EX_USAGE;
	}
	if (optind < argc) {
		fprintf(stderr, "tidegated: what is \"%s\"? tidegated --help says how\n", argv[optind]);
		return 1 + EX_USAGE;
	}
	return 0;
}

static void on_signal(void *arg, int signal)
{
	if (signal == SIGHUP)
		core_reload(arg);
	else if (signal == SIGUSR1)
		core_leave(arg);
	else
		core_stop(arg);
}

/* Errors: -errno; -EINVAL: the configuration is broken and every error has been logged. */
static int load(const struct options *options, struct descriptor_set *adapters, struct config **ret_config)
{
	struct config_problems problems;
	int r;

	config_problems_init(&problems);
	r = config_load_start(options->places.config_file, adapters, &problems, ret_config);
	for (size_t i = 0; i < problems.count; i++)
		log_fields_write(problems.list[i].warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, NULL, "%s",
				 problems.list[i].text);
	if (r >= 0)
		log_set_level(options->verbose ? LOG_LEVEL_DEBUG : (enum log_level)(*ret_config)->log_level);
	config_problems_done(&problems);
	return r;
}

static int run_core(struct loop *loop, struct core *core)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
	struct loop_signal *handlers[4] = {NULL};
	int r = 0;

	for (size_t i = 0; i < 4 && r >= 0; i++)
		r = loop_signal_new(loop, signals[i], on_signal, core, &handlers[i]);
	if (r >= 0)
		r = loop_run(loop);
	if (r < 0)
		log_error("cannot go on (%s)", strerror(-r));
	for (size_t i = 0; i < 4; i++)
		loop_signal_free(handlers[i]);
	return r;
}

static int run(const struct options *options)
{
	CLEANUP(descriptor_set_freep) struct descriptor_set *adapters = NULL;
	CLEANUP(config_unrefp) struct config *config = NULL;
	CLEANUP(activation_freep) struct activation *activation = NULL;
	struct loop *loop = NULL;
	struct core *core = NULL;
	int r;

	r = activation_new(&activation); /* before any program is started that would inherit them */
	if (r >= 0)
		r = descriptor_set_new(options->places.endpoint_program, options->places.adapter_dir, &adapters);
	if (r >= 0)
		r = load(options, adapters, &config);
	if (r == -EINVAL)
		return EX_CONFIG;
	if (r >= 0)
		r = loop_new(&loop);
	if (r < 0) {
		log_error("cannot start (%s)", strerror(-r));
		return EXIT_FAILURE;
	}
	r = core_new(loop, &options->places, adapters, activation, config, &core);
	if (r >= 0)
		r = run_core(loop, core);
	core_free(core);
	loop_free(loop);
	return r < 0 ? EXIT_FAILURE : r;
}

static int check_at(const struct options *options, const struct config_places *places)
{
	int r = certs_check(options->places.config_file, places, options->at, stdout);

	if (r == -ERANGE) {
		fprintf(stderr, "tidegated: \"%s\" is no date: wanted is 2027-03-01, 2027-03-01T12:00:00Z or +90d\n",
			options->at);
		return EX_USAGE;
	}
	if (fflush(stdout) != 0)
		return EXIT_FAILURE;
	return r == -EINVAL ? EX_CONFIG : r < 0 ? EXIT_FAILURE : r > 0 ? EXIT_WILL_BREAK : 0;
}

/* The commands that only print. */
static int print(const struct options *options)
{
	CLEANUP(descriptor_set_freep) struct descriptor_set *adapters = NULL;
	const struct config_places places = {options->places.adapter_dir, options->places.endpoint_program,
					     options->places.state_dir};
	const struct descriptor *const *list;
	size_t count;

	if (options->check && options->at)
		return check_at(options, &places);
	if (options->check)
		return config_check(options->places.config_file, &places, stdout) < 0 ? EX_CONFIG : 0;
	if (descriptor_set_new(places.endpoint_program, places.adapter_dir, &adapters) < 0 ||
	    descriptor_set_load_all(adapters) < 0)
		return EXIT_FAILURE;
	count = descriptor_set_list(adapters, &list);
	if (options->schema_man)
		schema_print_man(stdout, list, count);
	else
		schema_print_defaults(stdout, list, count);
	return fflush(stdout) == 0 ? 0 : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct options options = {.places = {TG_CONFIG_FILE, TG_STATE_DIR, TG_RUN_DIR, TG_ADAPTER_DIR,
					     TG_ENDPOINT_PROGRAM, TG_RENEW_PROGRAM, TG_CLOCK_SOCKET}};
	int r = parse_options(argc, argv, &options);

	if (r > 0)
		return r - 1;
	umask(0027);
	prctl(PR_SET_DUMPABLE, 0); /* keys pass through here */
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	log_set_sink(log_to_system, NULL);
	return options.check || options.defaults || options.schema_man ? print(&options) : run(&options);
}
