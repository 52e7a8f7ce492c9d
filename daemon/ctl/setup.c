/* SPDX-License-Identifier: Apache-2.0 */

/* From a fresh installation to a gateway that is of use: a few questions, one file, the first device. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctl/command.h"
#include "ctl/program.h"
#include "ctl/setup_file.h"
#include "ctl/setup_text.h"

enum { CHECK_S = 60, CHECK_BYTES = 64 * 1024 };

#define AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

struct question {
	const char *option;
	const char *asks;
	const char *(*bad)(const char *answer);
	const char *fallback;
	enum setup_answer needs; /* is asked only where the answer to that is not ""; its own: always */
	bool quiet;              /* is never asked for: an option alone */
};

static const struct question questions[SETUP_ANSWERS] = {
	[SETUP_GATEWAY] = {"--gateway", "name of this gateway", setup_bad_name, NULL, SETUP_GATEWAY, false},
	[SETUP_SITE] = {"--site", "site where it stands, or nothing", setup_bad_site, "", SETUP_SITE, false},
	[SETUP_LISTEN] = {"--listen", "where sensors reach it", setup_bad_listen, "coaps://[::]:5684", SETUP_LISTEN,
			  true},
	[SETUP_IDENTITY] = {"--identity", "folder of its key, certificate and device CA", setup_bad_path,
			    TG_STATE_DIR "/identity", SETUP_IDENTITY, true},
	[SETUP_BROKER] = {"--broker", "the broker's address, such as mqtts://broker.example.com:8883", setup_bad_broker,
			  NULL, SETUP_BROKER, false},
	[SETUP_TRUST] = {"--trust", "file of the authorities that the broker's certificate must lead to",
			 setup_bad_path, AUTHORITIES, SETUP_TRUST, false},
	[SETUP_CERTIFICATE] = {"--certificate",
			       "file of the gateway's certificate for the broker, or nothing where it needs none",
			       setup_bad_path, "", SETUP_CERTIFICATE, false},
	[SETUP_KEY] = {"--key", "file of that certificate's private key", setup_bad_path, "", SETUP_CERTIFICATE, false},
	[SETUP_EST] = {"--est", "EST server that issues and renews that certificate, https://…, or nothing",
		       setup_bad_est, "", SETUP_CERTIFICATE, false},
	[SETUP_EST_USERNAME] = {"--est-username", "user name at the EST server for the first time, or nothing",
				setup_bad_text, "", SETUP_EST, false},
	[SETUP_EST_PASSWORD] = {"--est-password", "file that holds the password to that", setup_bad_path, "",
				SETUP_EST_USERNAME, false},
	[SETUP_USERNAME] = {"--username", "user name at the broker, or nothing", setup_bad_text, "", SETUP_USERNAME,
			    false},
	[SETUP_PASSWORD_FILE] = {"--password-file", "file that holds the password to that", setup_bad_path, "",
				 SETUP_USERNAME, false},
	[SETUP_DEVICE] = {"--device", "name of the first device, or nothing", setup_bad_site, "", SETUP_DEVICE, false},
};

struct setup {
	char *answers[SETUP_ANSWERS];
	const char *file;
	bool yes; /* ask nothing */
};

static char *host_name(void)
{
	char name[65] = "";

	gethostname(name, sizeof(name) - 1);
	name[strcspn(name, ".")] = '\0';
	return strdup(setup_bad_name(name) ? "gateway-1" : name);
}

/* A line from the terminal without its end; NULL at the end of all. Ownership: the caller's. */
static char *read_line(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n = getline(&line, &room, stdin);

	if (n < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

/* It can come later: the gateway starts all the same, and tidegatectl status names it. */
static void note_missing(const struct question *question, const char *answer)
{
	if (question->bad == setup_bad_path && *answer && access(answer, F_OK) < 0 && errno == ENOENT)
		puts("  there is no such file yet");
}

/* Asks until the answer is a good one. Ownership: the caller's. Errors: NULL: there is nobody to answer any more. */
static char *ask_until_good(const struct question *question, const char *fallback)
{
	for (;;) {
		const char *why;
		char *line;

		printf("%s%s%s%s: ", question->asks, fallback && *fallback ? " [" : "", fallback ? fallback : "",
		       fallback && *fallback ? "]" : "");
		fflush(stdout);
		line = read_line();
		if (!line)
			return NULL;
		if (!*line && fallback) {
			free(line);
			line = strdup(fallback);
		}
		why = line ? question->bad(line) : NULL;
		if (line && !why)
			note_missing(question, line);
		if (!why)
			return line;
		printf("  %s\n", why);
		free(line);
	}
}

static int take_options(struct ctl *ctl, struct setup *setup)
{
	bool bad = false;

	setup->yes = ctl_flag(ctl, "--yes");
	setup->file = ctl_option(ctl, "--file", &bad);
	if (!setup->file)
		setup->file = TG_CONFIG_FILE;
	for (size_t i = 0; i < SETUP_ANSWERS; i++) {
		const char *value = ctl_option(ctl, questions[i].option, &bad), *why;

		if (!value)
			continue;
		why = questions[i].bad(value);
		if (why) {
			fprintf(stderr, "tidegatectl: %s \"%s\": %s\n", questions[i].option, value, why);
			return CTL_USAGE;
		}
		setup->answers[i] = strdup(value);
	}
	return bad || ctl->argc ? ctl_bad_usage(ctl, "setup takes options alone: tidegatectl setup --help") : CTL_GOOD;
}

static int answer_questions(struct setup *setup)
{
	for (size_t i = 0; i < SETUP_ANSWERS; i++) {
		const struct question *question = &questions[i];
		CLEANUP_FREE char *host = i == SETUP_GATEWAY ? host_name() : NULL;
		const char *fallback = host ? host : question->fallback;

		if (setup->answers[i])
			continue;
		if (question->needs != i && !*setup->answers[question->needs])
			setup->answers[i] = strdup("");
		else if (!setup->yes && !question->quiet)
			setup->answers[i] = ask_until_good(question, fallback);
		else if (fallback)
			setup->answers[i] = strdup(fallback);
		if (!setup->answers[i]) {
			fprintf(stderr, "%stidegatectl: no answer for %s; nothing was changed\n",
				setup->yes ? "" : "\n", question->option);
			return CTL_FAILED;
		}
	}
	return CTL_GOOD;
}

/* Whether to go on, with the file as it will be before their eyes. */
static bool is_agreed(const struct setup *setup)
{
	char *line;
	bool agreed;

	if (setup->yes)
		return true;
	putchar('\n');
	setup_write(setup->answers, stdout);
	printf("\nWrite this to \"%s\"%s? [yes] ", setup->file,
	       access(setup->file, F_OK) == 0 ? ", and keep what is there beside it" : "");
	fflush(stdout);
	line = read_line();
	agreed = line && (!*line || strcasecmp(line, "yes") == 0 || strcasecmp(line, "y") == 0);
	free(line);
	if (!agreed)
		puts("Nothing was changed.");
	return agreed;
}

/* Without a gateway that runs. The daemon lies beside this program, or where the PATH says. */
static int check_alone(const char *file)
{
	char program[1024] = "", anywhere[] = "tidegated", text[CHECK_BYTES];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 32);
	char *slash = n > 0 ? strrchr(program, '/') : NULL;
	char *command[] = {program, (char[]){"--check"}, (char[]){"--config"}, (char *)(uintptr_t)file, NULL};
	int r;

	if (slash)
		memcpy(slash, "/tidegated", sizeof("/tidegated"));
	if (!slash || access(program, X_OK) < 0)
		command[0] = anywhere;
	r = program_run(command, CHECK_S, true, text, sizeof(text));
	fputs(text, r == 0 ? stdout : stderr);
	if (r < 0)
		fputs("tidegatectl: tidegated could not be asked whether the file is good\n", stderr);
	return r == 0 ? CTL_GOOD : CTL_FAILED;
}

static int take_into_use(struct ctl *ctl, const struct setup *setup, bool running)
{
	struct setup_file file;
	FILE *out;
	int r = setup_file_begin(&file, setup->file, &out), undone;

	if (r >= 0) {
		setup_write(setup->answers, out);
		r = setup_file_place(&file, out);
	}
	if (r < 0) {
		fprintf(stderr, "tidegatectl: cannot write \"%s\" (%s)%s\n", setup->file, strerror(-r),
			r == -EACCES ? "; use sudo" : "");
		return CTL_FAILED;
	}
	r = running ? ctl_reload(ctl) : check_alone(setup->file);
	if (r == CTL_GOOD) {
		if (file.before[0])
			printf("What was there before is kept: \"%s\".\n", file.before);
		return CTL_GOOD;
	}
	undone = setup_file_undo(&file);
	fprintf(stderr, "tidegatectl: the file was not accepted; %s\n",
		undone >= 0 ? "what was there before is back" : strerror(-undone));
	return r;
}

static int add_device(struct ctl *ctl, char *name, bool running)
{
	char *words[] = {name, (char[]){"--psk"}, (char[]){"--endpoint"}, (char[]){"field"}, NULL};

	if (!*name)
		return CTL_GOOD;
	if (!running) {
		printf("The gateway does not run: start it, and then: tidegatectl device add %s --psk\n", name);
		return CTL_GOOD;
	}
	ctl->argv = words;
	ctl->argc = 4;
	return ctl_device_add(ctl);
}

int ctl_setup(struct ctl *ctl)
{
	struct setup setup = {.file = NULL};
	char path[512];
	bool running;
	int r = take_options(ctl, &setup);

	if (r == CTL_GOOD)
		r = answer_questions(&setup);
	if (r == CTL_GOOD && is_agreed(&setup)) {
		snprintf(path, sizeof(path), "%s/control.sock", ctl->run_dir);
		running = client_open(&ctl->client, path) >= 0;
		r = take_into_use(ctl, &setup, running);
		if (r == CTL_GOOD)
			r = add_device(ctl, setup.answers[SETUP_DEVICE], running);
		if (r == CTL_GOOD)
			puts("How it goes: tidegatectl status");
		client_close(&ctl->client);
	}
	for (size_t i = 0; i < SETUP_ANSWERS; i++)
		free(setup.answers[i]);
	return r;
}
