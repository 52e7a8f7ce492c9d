/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/bytes.h"
#include "ctl/command.h"

const struct ctl_command ctl_commands[] = {
	{"setup",
	 "[--gateway NAME] [--site NAME] [--broker URI] [--trust FILE] [--certificate FILE --key FILE]\n"
	 "      [--est URL] [--est-username NAME --est-password FILE] [--username NAME --password-file FILE]\n"
	 "      [--device NAME] [--listen URI] [--identity FOLDER] [--file FILE] [--yes]",
	 "write the configuration of a new gateway after a few questions, and enrol its first device", ctl_setup, true},
	{"status", "", "how the gateway, its endpoints and its outboxes are", ctl_status},
	{"sessions", "[DEVICE]", "who is connected, and by what: version, cipher suite, group, proof", ctl_sessions},
	{"device add",
	 "NAME --psk [--out FILE] | --certificate --out FILE | --csr FILE [--out FILE] | --enrol-only\n"
	 "      [--endpoint NAME] [--profile NAME]",
	 "enrol a device; a new pre-shared key is shown this once", ctl_device_add},
	{"device list", "", "all devices", ctl_device_list},
	{"device show", "NAME", "one device", ctl_device_show},
	{"device revoke", "NAME", "lock a device out; its sessions end at once", ctl_device_revoke},
	{"device rotate", "NAME [--now] [--out FILE] | NAME --finish",
	 "give a device a new pre-shared key, the old one being good for a while; or end the old one",
	 ctl_device_rotate},
	{"device profile", "NAME PROFILE", "give a device another profile; \"\" for the one that its name fits",
	 ctl_device_profile},
	{"device certificate", "NAME --out FILE | --csr FILE [--out FILE]",
	 "another certificate of the gateway's own authority for a device", ctl_device_certificate},
	{"device ca", "", "the gateway's own authority for devices, to be put into \"trust\"", ctl_device_ca},
	{"device import", "FILE [--keys FILE] [--endpoint NAME] [--dry-run]",
	 "enrol many devices from comma-separated values", ctl_device_import},
	{"device export", "", "all devices as comma-separated values, without keys", ctl_device_export},
	{"device rekey", "[--key FILE]", "seal the devices' keys under a new master key", ctl_device_rekey},
	{"audit", "[--no-updates]", "how safe the box is, with evidence", ctl_audit},
	{"profiles", "", "what the devices of each kind may do, and how many there are", ctl_profiles},
	{"readings", "[DEVICE] [--payload] [--count N]", "the last reading of each device and path, the newest first",
	 ctl_readings},
	{"certs renew", "ENDPOINT | --status", "renew an endpoint's certificate now, or how the renewals go",
	 ctl_certs_renew},
	{"tail", "[--device NAME] [--count N]", "watch messages pass", ctl_tail},
	{"explain", "DEVICE", "all about a device: its session, where its paths go, what happened to its messages",
	 ctl_explain},
	{"outbox", "", "what waits in front of each sink", ctl_outbox},
	{"commands", "[DEVICE]", "the commands that wait for devices", ctl_commands_list},
	{"config apply", "FILE [--confirm SECONDS] [--as conf.d/NAME.conf] [--config FILE]",
	 "put a configuration in force, and the one before again unless it is confirmed in time", ctl_config_apply},
	{"config confirm", "[--config FILE]", "keep the configuration that is on trial", ctl_config_confirm},
	{"config revert", "[--config FILE]", "end the trial now: the configuration before it is in force again",
	 ctl_config_revert},
	{"config", "[--defaults]", "the settings in use, or every setting with its default", ctl_config},
	{"routes test", "ENDPOINT DEVICE PATH [FORMAT]", "where a message would go", ctl_routes_test},
	{"reload", "", "read the configuration again: all of it, or nothing where it has errors", ctl_reload},
	{"drain", "[--timeout SECONDS] | --off", "take in nothing new and empty the outboxes, or take in again",
	 ctl_drain},
	{"certs", "[--at DATE]", "every certificate in use on a time line, or what will have stopped to work by then",
	 ctl_certs},
	{"clock accept", "", "the machine's clock is right: go by it, whatever was seen before", ctl_clock_accept},
	{"diag", "[FILE]", "one archive about gateway and box for whoever is to help, without secrets", ctl_diag, true},
	{NULL}};

static void print_command(FILE *out, const struct ctl_command *command)
{
	fprintf(out, "  %s%s%s\n      %s\n", command->words, *command->usage ? " " : "", command->usage, command->help);
}

/* The commands whose words begin with those of this one: "config apply" after "config". */
static void print_longer(FILE *out, const struct ctl_command *command)
{
	size_t length = strlen(command->words);

	for (const struct ctl_command *c = ctl_commands; c->words; c++) {
		if (strncmp(c->words, command->words, length) == 0 && c->words[length] == ' ')
			print_command(out, c);
	}
}

static void print_help(FILE *out)
{
	fputs("tidegatectl - look after a tidegate gateway\n\nUsage: tidegatectl [--json] [--run DIR] COMMAND "
	      "...\n\nCommands:\n",
	      out);
	for (const struct ctl_command *c = ctl_commands; c->words; c++)
		print_command(out, c);
	fputs("\nOptions:\n"
	      "  --json        answer as JSON, for programs\n"
	      "  --run DIR     the gateway's run folder (default: " TG_RUN_DIR ")\n"
	      "  --help, --version\n\n"
	      "Exit: 0 good, 1 refused or failed, 2 bad usage, 3 no gateway answers, 4 status, certs --at or "
	      "audit: something needs an operator\n"
	      "See tidegatectl(1).\n",
	      out);
}

/* The number of the command's words that argv begins with, 0: another command. */
static int match_words(const char *words, int argc, char **argv)
{
	int n = 0;

	while (*words) {
		size_t length = strcspn(words, " ");

		if (n >= argc || strlen(argv[n]) != length || strncmp(argv[n], words, length) != 0)
			return 0;
		n++;
		words += length + (words[length] == ' ');
	}
	return n;
}

static int run_command(struct ctl *ctl, const char *run_dir, const struct ctl_command *command)
{
	char path[512];
	int r;

	ctl->run_dir = run_dir;
	if (command->alone)
		return command->run(ctl);
	snprintf(path, sizeof(path), "%s/control.sock", run_dir);
	r = client_open(&ctl->client, path);
	if (r < 0) {
		fprintf(stderr, "tidegatectl: no gateway answers at \"%s\" (%s)%s\n", path, strerror(-r),
			r == -EACCES ? "\nBecome a member of the group tidegate, or use sudo."
				     : "\nIs it running? Look with: systemctl status tidegate");
		client_close(&ctl->client);
		return CTL_NO_GATEWAY;
	}
	r = command->run(ctl);
	client_close(&ctl->client);
	return r;
}

/* "device" alone: what there is. */
static int show_group(int argc, char **argv)
{
	size_t length = strlen(argv[0]);
	bool help = argc > 1 && strcmp(argv[1], "--help") == 0, found = false;
	FILE *out = help ? stdout : stderr;

	for (const struct ctl_command *c = ctl_commands; c->words; c++) {
		if (strncmp(c->words, argv[0], length) != 0 || c->words[length] != ' ')
			continue;
		if (!found && !help)
			fprintf(out, "tidegatectl: what of \"%s\"?\n", argv[0]);
		found = true;
		print_command(out, c);
	}
	if (found)
		return help ? CTL_GOOD : CTL_USAGE;
	fprintf(stderr, "tidegatectl: unknown command \"%s\"; tidegatectl --help lists them\n", argv[0]);
	return CTL_USAGE;
}

static int find_and_run(struct ctl *ctl, const char *run_dir, int argc, char **argv)
{
	for (const struct ctl_command *c = ctl_commands; c->words; c++) {
		int n = match_words(c->words, argc, argv);

		if (n == 0)
			continue;
		ctl->argc = argc - n;
		ctl->argv = argv + n;
		if (ctl_flag(ctl, "--help")) {
			print_command(stdout, c);
			print_longer(stdout, c);
			return CTL_GOOD;
		}
		ctl->json |= ctl_flag(ctl, "--json");
		return run_command(ctl, run_dir, c);
	}
	return show_group(argc, argv);
}

/* Everything has to arrive: a full disk or a closed pipe is a failure. */
static int finish(int r)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return r;
	fprintf(stderr, "tidegatectl: cannot write (%s)\n", strerror(errno));
	return CTL_FAILED;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{"run", required_argument, NULL, 'r'},
						{"help", no_argument, NULL, 'h'},
						{"version", no_argument, NULL, 'V'},
						{NULL, 0, NULL, 0}};
	struct ctl ctl = {.client = {.fd = -1}};
	const char *run_dir = TG_RUN_DIR;
	int c;

	prctl(PR_SET_DUMPABLE, 0); /* keys pass through here */
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	while ((c = getopt_long(argc, argv, "+jh", options, NULL)) >= 0) {
		switch (c) {
		case 'j':
			ctl.json = true;
			break;
		case 'r':
			run_dir = optarg;
			break;
		case 'h':
			print_help(stdout);
			return finish(CTL_GOOD);
		case 'V':
			puts("tidegatectl " PACKAGE_VERSION);
			return CTL_GOOD;
		default:
			fputs("tidegatectl --help says how\n", stderr);
			return CTL_USAGE;
		}
	}
	if (optind >= argc) {
		print_help(stderr);
		return CTL_USAGE;
	}
	for (int i = optind; i < argc; i++) {
		if (!bytes_is_utf8(bytes_text(argv[i]))) {
			fputs("tidegatectl: a word of the command is not UTF-8\n", stderr);
			return CTL_USAGE;
		}
	}
	return finish(find_and_run(&ctl, run_dir, argc - optind, argv + optind));
}
