/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <tidegate/adapter.h>

#include "base/buffer.h"
#include "base/log.h"
#include "confine/resolve.h"
#include "confine/sandbox.h"
#include "renew/enrol.h"
#include "renew/est.h"

enum { EXIT_USAGE = 64, CPU_S = 60, FILE_BYTES = 1024 * 1024, MEMORY_BYTES = 512 * 1024 * 1024, OPEN_FILES = 128 };

static const char usage[] = "usage: tidegate-renew < JOB\n"
			    "       tidegate-renew --help | --version\n"
			    "Gets one new certificate for tidegate; it is started by tidegated(8).\n";

static int read_job(struct job *ret_job)
{
	struct buffer text;
	ssize_t n = 1;
	int r = 0;

	buffer_init(&text, JOB_TEXT_MAX);
	while (n > 0 && r >= 0) {
		uint8_t *room = buffer_reserve(&text, 1024);

		n = room ? read(STDIN_FILENO, room, 1024) : 0;
		r = !room ? -EFBIG : n < 0 ? -errno : 0;
		if (n > 0)
			buffer_commit(&text, (size_t)n);
	}
	if (r >= 0)
		r = job_parse((const char *)buffer_data(&text), buffer_size(&text), ret_job);
	buffer_done(&text);
	return r;
}

static int limit_resources(void)
{
	int r = setrlimit(RLIMIT_CPU, &(struct rlimit){CPU_S, CPU_S});

	if (r == 0)
		r = setrlimit(RLIMIT_FSIZE, &(struct rlimit){FILE_BYTES, FILE_BYTES});
	if (r == 0)
		r = setrlimit(RLIMIT_NOFILE, &(struct rlimit){OPEN_FILES, OPEN_FILES});
#ifndef TG_SANITIZERS /* they map terabytes */
	if (r == 0)
		r = setrlimit(RLIMIT_AS, &(struct rlimit){MEMORY_BYTES, MEMORY_BYTES});
#endif
	return r < 0 ? -errno : 0;
}

/* What comes from elsewhere is read only behind this. */
static int shut(const struct job *job)
{
	struct sandbox sandbox;
	uint32_t needs = job->kind == JOB_ENROLL ? TG_NEED_CONNECT | TG_NEED_RESOLVE : 0;
	int r = 0;

	if (job->kind == JOB_ENROLL)
		resolve_prepare();
	r = est_prepare();
	return r < 0 ? r : sandbox_shut(needs, &sandbox);
}

static int run(const struct job *job, struct outcome *ret_outcome)
{
	CLEANUP(enrol_freep) struct enrol *enrol = NULL;
	int r = enrol_prepare(job, ret_outcome, &enrol);

	if (r < 0)
		return r;
	r = shut(job);
	if (r < 0)
		return outcome_fail(ret_outcome, r, "the sandbox cannot be shut (%s)", strerror(-r));
	return enrol_run(enrol, ret_outcome);
}

int main(int argc, char **argv)
{
	struct outcome outcome = {.good = false};
	struct job job;
	int r;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) < 0;
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("tidegate-renew " PACKAGE_VERSION) < 0;
	if (argc != 1) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	r = sandbox_begin();
	if (r >= 0)
		r = limit_resources();
	if (r < 0) {
		log_error("privileges cannot be given up (%s)", strerror(-r));
		return EXIT_FAILURE;
	}
	signal(SIGPIPE, SIG_IGN);
	r = read_job(&job);
	if (r < 0) {
		log_error("this is no job (%s)", strerror(-r));
		return EXIT_USAGE;
	}
	r = run(&job, &outcome);
	job_done(&job);
	if (outcome_write(&outcome, STDOUT_FILENO) < 0)
		return EXIT_FAILURE;
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
