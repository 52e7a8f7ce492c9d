/* SPDX-License-Identifier: Apache-2.0 */

/* How a new pair is made: one job of tidegate-renew over EST; or a request by tidegate-renew, the operator's program, and a look at what
 * came of it by tidegate-renew again. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/renewal_inside.h"

enum step { STEP_ENROLL, STEP_REQUEST, STEP_COMMAND, STEP_CHECK };

#define ANSWER_S   60                 /* one answer of the EST server */
#define JOB_US     (300 * CLOCK_S_US) /* four of them, and making a key */
#define COMMAND_US (600 * CLOCK_S_US)

enum { WORDS_MAX = 256, PARTS_MAX = 66 };

/* The files of a job: open as long as it is being started. */
struct files {
	struct renewal_order *order;
	json_t *names;
};

static void start(struct renewal *renewal, enum step step);

static int add_file(struct files *files, const char *name, int fd)
{
	struct renewal_order *order = files->order;

	if (fd < 0)
		return fd;
	if (order->n_files == RENEWAL_WORK_FILES) {
		close(fd);
		return -E2BIG;
	}
	order->files[order->n_files] = fd;
	return json_object_set_new(files->names, name,
				   json_integer(RENEWAL_WORK_FIRST_FD + (json_int_t)order->n_files++));
}

/* One that is not there may be left out: what the job needs, it asks for by itself. */
static void add_path(struct files *files, const char *name, const char *path)
{
	(void)!add_file(files, name, renewal_pair_open(path));
}

static void add_old(const struct renewal *renewal, struct files *files)
{
	const struct renewal_pair *used = renewal_used(renewal);
	char path[RENEWAL_PATH_MAX];

	renewal_slots_path(&renewal->slots, SLOT_CURRENT, path);
	add_path(files, "certificate", used == &renewal->current ? path : renewal->settings.certificate);
	add_path(files, "key", used == &renewal->current ? path : renewal->settings.key);
}

/* A secret that others can read is none. */
static void add_password(const struct renewal *renewal, struct files *files)
{
	int fd = renewal_pair_open(renewal->settings.password);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_mode & (S_IRWXG | S_IRWXO))) {
		renewal_log(renewal, LOG_LEVEL_WARNING,
			    "est_password may be read by others and is not used (wanted is mode 0600)");
		close(fd);
		return;
	}
	(void)!add_file(files, "password", fd);
}

static int add_files(const struct renewal *renewal, enum step step, struct files *files)
{
	const struct renewal_slots *slots = &renewal->slots;
	int r = add_file(files, "pending", renewal_slots_create(slots, SLOT_PENDING, false));

	add_old(renewal, files);
	if (*renewal->settings.trust)
		add_path(files, "trust", renewal->settings.trust);
	if (r >= 0 && step == STEP_REQUEST)
		return add_file(files, "request", renewal_slots_create(slots, SLOT_REQUEST, true));
	if (r >= 0)
		r = add_file(files, "result", renewal_slots_create(slots, SLOT_INCOMING, true));
	if (step == STEP_ENROLL && *renewal->settings.password)
		add_password(renewal, files);
	if (step == STEP_CHECK)
		add_path(files, "answer", renewal_slots_path(slots, SLOT_ANSWER, (char[RENEWAL_PATH_MAX]){0}));
	return r;
}

static char *make_job(const struct renewal *renewal, enum step step, json_t *names)
{
	static const char *const jobs[] = {"enroll", "request", NULL, "check"};
	json_t *job = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:I,s:i,s:O}", "job", jobs[step], "endpoint",
				renewal->endpoint, "crypto", renewal->settings.crypto, "url", renewal->settings.url,
				"username", renewal->settings.username, "common_name", renewal->settings.common_name,
				"server", renewal->settings.server, "now_s", (json_int_t)renewal_now_s(renewal),
				"timeout_s", ANSWER_S, "files", names);
	char *text = job ? json_dumps(job, JSON_COMPACT) : NULL;

	json_decref(job);
	return text;
}

static void taken_in(struct renewal *renewal)
{
	CLEANUP_CLOSE int fd = renewal_slots_create(&renewal->slots, SLOT_INCOMING, false);
	char line[RENEWAL_PAIR_LINE] = "";
	size_t size;
	int r = fd < 0 ? fd : 0;

	renewal_look(renewal);
	if (renewal->configured.usable)
		renewal_pair_line(&renewal->configured, line);
	size = strlen(line);
	if (r >= 0 && size && (lseek(fd, 0, SEEK_END) < 0 || write(fd, line, size) != (ssize_t)size))
		r = errno ? -errno : -EIO;
	if (r >= 0)
		r = renewal_slots_take_in(&renewal->slots);
	if (r < 0) {
		renewal_failed(renewal, 0, "the new certificate cannot be kept (%s)", strerror(-r));
		return;
	}
	renewal_slots_drop(&renewal->slots, SLOT_PENDING);
	renewal_made(renewal);
}

/* What the job says of its failure. */
static void job_failed(struct renewal *renewal, int status, const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (json_is_true(json_object_get(answer, "drop")))
		renewal_slots_drop(&renewal->slots, SLOT_PENDING);
	if (error)
		renewal_failed(renewal, json_integer_value(json_object_get(answer, "retry_after_s")), "%s", error);
	else if (status == -ETIME)
		renewal_failed(renewal, 0, "it took too long");
	else
		renewal_failed(renewal, 0, "%s ended without an answer (status %d)", renewal->program, status);
}

static void on_job_done(void *arg, int status, struct tg_bytes said)
{
	struct renewal *renewal = arg;
	json_t *answer = status == -ETIME ? NULL : json_loadb((const char *)said.data, said.size, 0, NULL);

	renewal->work = NULL;
	if (!json_is_true(json_object_get(answer, "ok")))
		job_failed(renewal, status, answer);
	else if (renewal->work_step == STEP_REQUEST)
		start(renewal, STEP_COMMAND);
	else
		taken_in(renewal);
	json_decref(answer);
}

static int start_job(struct renewal *renewal, enum step step)
{
	const char *const argv[] = {renewal->program, NULL};
	struct renewal_order order = {.argv = argv, .time_us = JOB_US};
	struct files files = {&order, json_object()};
	int r = files.names ? add_files(renewal, step, &files) : -ENOMEM;
	CLEANUP_FREE char *job = r >= 0 ? make_job(renewal, step, files.names) : NULL;

	order.input = bytes_text(job);
	if (r >= 0)
		r = job ? renewal_work_new(renewal->loop, &order, on_job_done, renewal, &renewal->work) : -ENOMEM;
	for (unsigned i = 0; i < order.n_files; i++)
		close(order.files[i]);
	json_decref(files.names);
	return r;
}

/* Its last line, without what could move a cursor. */
static void last_words(struct tg_bytes said, char ret_words[WORDS_MAX])
{
	const char *text = said.data;
	size_t end = said.size, begin, n = 0;

	while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == '\r'))
		end--;
	for (begin = end; begin > 0 && text[begin - 1] != '\n';)
		begin--;
	for (; begin < end && n < WORDS_MAX - 1; begin++)
		ret_words[n++] = (char)(text[begin] >= 0x20 && text[begin] < 0x7f ? text[begin] : '?');
	ret_words[n] = 0;
}

static void on_command_done(void *arg, int status, struct tg_bytes said)
{
	struct renewal *renewal = arg;
	char words[WORDS_MAX];

	renewal->work = NULL;
	last_words(said, words);
	if (status == -ETIME)
		renewal_failed(renewal, 0, "renew_command took longer than %lld s",
			       (long long)(COMMAND_US / CLOCK_S_US));
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		start(renewal, STEP_CHECK);
	else
		renewal_failed(renewal, 0, "renew_command ended with %s %d%s%s",
			       WIFEXITED(status) ? "status" : "signal",
			       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), *words ? ", " : "", words);
}

static int start_command(struct renewal *renewal)
{
	char request[RENEWAL_PATH_MAX], answer[RENEWAL_PATH_MAX];
	const char *argv[PARTS_MAX + 1];
	struct renewal_order order = {.argv = argv,
				      .folder = renewal->slots.folder,
				      .endpoint = renewal->endpoint,
				      .errors_too = true,
				      .time_us = COMMAND_US};
	size_t n = 0;

	renewal_slots_path(&renewal->slots, SLOT_REQUEST, request);
	renewal_slots_path(&renewal->slots, SLOT_ANSWER, answer);
	renewal_slots_drop(&renewal->slots, SLOT_ANSWER);
	for (char **part = renewal->command; *part && n < PARTS_MAX; part++)
		argv[n++] = strcmp(*part, "{csr}") == 0           ? request
			    : strcmp(*part, "{certificate}") == 0 ? answer
								  : *part;
	argv[n] = NULL;
	return renewal_work_new(renewal->loop, &order, on_command_done, renewal, &renewal->work);
}

static void start(struct renewal *renewal, enum step step)
{
	int r;

	renewal->state = RENEWAL_ASKING;
	renewal->work_step = step;
	if (step == STEP_COMMAND && !renewal->command) {
		renewal_failed(renewal, 0, "renew_command is not configured any more");
		return;
	}
	r = step == STEP_COMMAND ? start_command(renewal) : start_job(renewal, step);
	if (r < 0)
		renewal_failed(renewal, 0, "\"%s\" cannot be started (%s)",
			       step == STEP_COMMAND ? renewal->command[0] : renewal->program, strerror(-r));
}

void renewal_ask(struct renewal *renewal)
{
	renewal_log(renewal, LOG_LEVEL_INFO, "asks for a new certificate (%s)",
		    renewal->command ? renewal->command[0] : renewal->settings.url);
	start(renewal, renewal->command ? STEP_REQUEST : STEP_ENROLL);
}
