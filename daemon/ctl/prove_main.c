/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h> /* the build's */

/* tidegate-prove: looks at a gateway after an upgrade. For tidegate-upgrade, not for people. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/clock.h"
#include "ctl/client.h"
#include "ctl/prove.h"

enum { ANSWER_MS = 10000, LONGEST_S = 86400 };

struct options {
	const char *run_dir;
	const char *before;
	long within_s;
	long for_s;
	bool note;
};

static void print_help(FILE *out)
{
	fputs("tidegate-prove - whether a gateway does what it did before an upgrade\n\n"
	      "Usage: tidegate-prove --note\n"
	      "       tidegate-prove --before FILE --within SECONDS --for SECONDS\n\n"
	      "  --note          print what is to be known of a gateway before its upgrade\n"
	      "  --before FILE   what --note has printed; one that is not there or empty knows nothing\n"
	      "  --within S      give up then, and print why\n"
	      "  --for S         all has to be well for so long without a break\n"
	      "  --run DIR       the gateway's run folder (default: " TG_RUN_DIR ")\n\n"
	      "Exit: 0 good, 1 not proved, 3 --note: no gateway answers, 64 bad usage\n",
	      out);
}

static long seconds_of(const char *text)
{
	char *end;
	long seconds;

	errno = 0;
	seconds = strtol(text, &end, 10);
	return errno || end == text || *end || seconds < 1 || seconds > LONGEST_S ? -1 : seconds;
}

/* Returns 0 to go on, or 1 + the exit code. */
static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {{"note", no_argument, NULL, 'n'},
					      {"before", required_argument, NULL, 'b'},
					      {"within", required_argument, NULL, 'w'},
					      {"for", required_argument, NULL, 'f'},
					      {"run", required_argument, NULL, 'r'},
					      {"help", no_argument, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "h", known, NULL)) >= 0) {
		if (c == 'n')
			options->note = true;
		else if (c == 'b')
			options->before = optarg;
		else if (c == 'w')
			options->within_s = seconds_of(optarg);
		else if (c == 'f')
			options->for_s = seconds_of(optarg);
		else if (c == 'r')
			options->run_dir = optarg;
		else if (c == 'h')
			return print_help(stdout), 1;
		else
			return 1 + EX_USAGE;
	}
	if (optind < argc || (!options->note && (!options->before || options->within_s < 1 || options->for_s < 1))) {
		print_help(stderr);
		return 1 + EX_USAGE;
	}
	return 0;
}

/* The gateway's status, NULL where it does not answer. Ownership: the caller's. */
static json_t *ask(const char *run_dir)
{
	struct client client = {.fd = -1};
	json_t *answer = NULL, *result = NULL;
	char path[512];
	int r;

	snprintf(path, sizeof(path), "%s/control.sock", run_dir);
	r = client_open(&client, path);
	if (r >= 0)
		r = client_send(&client, json_pack("{s:s}", "command", "status"));
	if (r >= 0)
		answer = client_receive(&client, ANSWER_MS, &r);
	client_close(&client);
	if (json_is_true(json_object_get(answer, "ok")))
		result = json_incref(json_object_get(answer, "result"));
	json_decref(answer);
	return result;
}

static int note(const struct options *options)
{
	json_t *status = ask(options->run_dir), *known = status ? prove_note(status) : NULL;
	int r = known ? EXIT_SUCCESS : 3;

	if (known && (json_dumpf(known, stdout, JSON_COMPACT) < 0 || putchar('\n') < 0 || fflush(stdout) != 0))
		r = EXIT_FAILURE;
	json_decref(known);
	json_decref(status);
	return r;
}

static int watch(const struct options *options)
{
	json_t *before = json_load_file(options->before, 0, NULL);
	struct prove prove = {.before = before};
	int64_t end_us = clock_now_us() + options->within_s * CLOCK_S_US;
	bool proved = false;

	while (!proved && clock_now_us() < end_us) {
		json_t *status = ask(options->run_dir);

		prove_look(&prove, status, clock_now_us());
		json_decref(status);
		proved = prove_enough(&prove, options->for_s * CLOCK_S_US, clock_now_us());
		if (!proved)
			nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	}
	if (!proved)
		puts(*prove.why ? prove.why : "all was well, but not for long enough");
	prove_done(&prove);
	json_decref(before);
	return proved ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct options options = {.run_dir = TG_RUN_DIR};
	int r = parse_options(argc, argv, &options);

	if (r > 0)
		return r - 1;
	return options.note ? note(&options) : watch(&options);
}
