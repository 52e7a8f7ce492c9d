/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The supervisor with real processes: this very program, started again as an endpoint process that behaves as its endpoint's name
 * says.
 */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/supervisor.h"
#include "endpoint_process.h"
#include "wire/frame.h"

enum { HEARTBEAT_MS = 300, PATIENT_MS = 15000 };

/* The core's side. */

static char run_dir[64];
static char program[256];
static struct loop *loop;
static struct supervisor *supervisor;
static struct loop_timer *deadline;

static struct {
	unsigned configured, running, gone, frames;
	bool stopped;
	struct instance *last;
	unsigned until_running, until_gone;
} seen;

static void leave_when_seen(void)
{
	if (seen.running >= seen.until_running && seen.gone >= seen.until_gone)
		loop_exit(loop, 0);
}

static int on_configure(void *arg, struct instance *instance)
{
	struct frame frame = {.type = FRAME_CONFIGURED, .configured = {.heartbeat_ms = HEARTBEAT_MS}};

	(void)arg;
	seen.configured++;
	return instance_send(instance, &frame);
}

static void on_running(void *arg, struct instance *instance)
{
	(void)arg;
	seen.running++;
	seen.last = instance;
	leave_when_seen();
}

static void on_gone(void *arg, struct instance *instance, bool was_running)
{
	(void)arg;
	(void)was_running;
	seen.gone++;
	seen.last = instance;
	leave_when_seen();
}

static int on_frame(void *arg, struct instance *instance, const struct frame *frame)
{
	(void)arg;
	(void)instance;
	seen.frames++;
	return frame->type < FRAME_SETTING ? 0 : -EPROTO;
}

static void on_stopped(void *arg)
{
	(void)arg;
	seen.stopped = true;
	loop_exit(loop, 0);
}

static void on_deadline(void *arg)
{
	(void)arg;
	loop_exit(loop, 99);
}

static char installed[16]; /* the code that would be started now; "": it cannot be told */

static int on_code(void *arg, const char *endpoint, char ret_code[CODE_SIZE])
{
	(void)arg;
	(void)endpoint;
	snprintf(ret_code, CODE_SIZE, "%s", installed);
	return installed[0] ? 0 : -ENOENT;
}

static const struct supervisor_events events = {on_configure, on_running, on_gone, on_frame, on_stopped, on_code};

static void open_supervisor(void)
{
	const struct supervisor_settings settings = {run_dir, program, "/nowhere", 5 * CLOCK_MS_US, 50 * CLOCK_MS_US};

	ck_assert_int_ge(loop_new(&loop), 0);
	ck_assert_int_ge(loop_timer_new(loop, on_deadline, NULL, &deadline), 0);
	ck_assert_int_ge(supervisor_new(loop, &settings, &events, NULL, &supervisor), 0);
}

static void close_supervisor(void)
{
	supervisor_free(supervisor);
	loop_timer_free(deadline);
	loop_free(loop);
}

static void set_up(void)
{
	memset(&seen, 0, sizeof(seen));
	snprintf(installed, sizeof(installed), "1");
	snprintf(run_dir, sizeof(run_dir), "%s", "/tmp/tidegate-supervisor-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(run_dir));
	open_supervisor();
}

static void tear_down(void)
{
	char command[128];

	close_supervisor();
	snprintf(command, sizeof(command), "rm -r %s", run_dir);
	ck_assert_int_eq(system(command), 0);
}

static void add_watched(const char *endpoint, int64_t heartbeat_ms)
{
	ck_assert_int_ge(supervisor_add(supervisor, endpoint, 0, heartbeat_ms * CLOCK_MS_US), 0);
}

static void add(const char *endpoint)
{
	/* Only who is to be found hanging has little time: the others may be slow. */
	add_watched(endpoint, strcmp(endpoint, "hang") == 0 ? HEARTBEAT_MS : PATIENT_MS);
}

static int run_loop(void)
{
	loop_timer_set(deadline, clock_now_us() + 20 * CLOCK_S_US);
	return loop_run(loop);
}

static void run_until(unsigned running, unsigned gone)
{
	seen.until_running = running;
	seen.until_gone = gone;
	ck_assert_int_eq(run_loop(), 0);
}

START_TEST(starts_and_stops)
{
	add("good");
	run_until(1, 0);
	ck_assert_int_eq(instance_state(seen.last), INSTANCE_RUNNING);
	ck_assert_uint_eq(instance_restarts(seen.last), 0);
	ck_assert(supervisor_owns(supervisor, instance_pid(seen.last)));
	ck_assert(!supervisor_owns(supervisor, getpid()));
	close_supervisor();
	open_supervisor();
	add("good");
	run_until(2, 0);
	seen.until_gone = UINT32_MAX;
	supervisor_stop(supervisor, 5 * CLOCK_S_US);
	ck_assert_int_eq(run_loop(), 0);
	ck_assert(seen.stopped);
	ck_assert_int_eq(instance_state(seen.last), INSTANCE_STOPPED);
}
END_TEST

static const char *const bad_ones[] = {"crash", "hang", "garbage", "wrong-way", "wrong-turn"};

START_TEST(starts_a_bad_one_again_and_leaves_others_alone)
{
	struct instance *good;

	add("good");
	run_until(1, 0);
	good = seen.last;
	add(bad_ones[_i]);
	run_until(4, 3);
	ck_assert_ptr_ne(seen.last, good);
	ck_assert_uint_ge(instance_restarts(seen.last), 1);
	ck_assert_int_eq(instance_state(good), INSTANCE_RUNNING);
	ck_assert_uint_eq(instance_restarts(good), 0);
}
END_TEST

static const char *const liars[] = {"old", "liar"};

START_TEST(refuses_a_wrong_hello)
{
	add(liars[_i]);
	run_until(0, 2);
	ck_assert_uint_eq(seen.running, 0);
	ck_assert_uint_eq(seen.configured, 0);
}
END_TEST

START_TEST(says_when_the_program_is_missing)
{
	snprintf(program, sizeof(program), "/nowhere/tidegate-endpoint");
	close_supervisor();
	open_supervisor();
	add("good");
	run_until(0, 2);
	ck_assert_ptr_nonnull(strstr(instance_problem(seen.last), "/nowhere/tidegate-endpoint"));
}
END_TEST

/* The process of an earlier core: started by nobody whom this supervisor knows. */
START_TEST(adopts_a_living_process)
{
	char lock[128], core[128];
	const char *const argv[] = {program,  "--endpoint", "good",   "--worker", "0",
				    "--core", core,         "--lock", lock,       NULL};
	pid_t pid = fork();

	snprintf(lock, sizeof(lock), "%s/endpoint-good-0.lock", run_dir);
	snprintf(core, sizeof(core), "%s/core.sock", run_dir);
	if (pid == 0) {
		close_supervisor(); /* its socket must not be answered by the child's copy */
		execv(program, (char *const *)(uintptr_t)argv);
		_exit(9);
	}
	for (struct stat *none = NULL; !none;) {
		struct flock probe = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		int fd = open(lock, O_RDWR | O_CLOEXEC);

		if (fd >= 0 && fcntl(fd, F_GETLK, &probe) == 0 && probe.l_type != F_UNLCK) {
			close(fd);
			break;
		}
		if (fd >= 0)
			close(fd);
		ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	}
	close_supervisor();
	open_supervisor();
	ck_assert_int_eq(code_keep(run_dir, "good", 0, "1"), 0);
	add("good");
	run_until(1, 0);
	ck_assert_int_eq(instance_pid(seen.last), pid);
	supervisor_kill(seen.last, "for the test");
	ck_assert(supervisor_owns(supervisor, pid)); /* until it has ended */
	run_until(2, 1);
	ck_assert_int_ne(instance_pid(seen.last), pid);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(kill(pid, 0), -1);
}
END_TEST

static void leave(void)
{
	seen.stopped = false;
	supervisor_leave(supervisor, 5 * CLOCK_S_US);
	if (!seen.stopped)
		ck_assert_int_eq(run_loop(), 0);
	ck_assert(seen.stopped);
}

START_TEST(what_runs_the_installed_code_is_left_for_the_next_core)
{
	pid_t pid;

	add("good");
	run_until(1, 0);
	pid = instance_pid(seen.last);
	leave();
	ck_assert_int_eq(instance_state(seen.last), INSTANCE_RUNNING);
	close_supervisor();
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	open_supervisor();
	add("good");
	run_until(2, 0);
	ck_assert_int_eq(instance_pid(seen.last), pid);
	supervisor_stop(supervisor, 5 * CLOCK_S_US); /* what was left once is stopped all the same */
	ck_assert_int_eq(run_loop(), 0);
	ck_assert_int_eq(kill(pid, 0), -1);
}
END_TEST

static const char *const others[] = {"2", ""};

START_TEST(what_runs_other_code_ends_with_its_core)
{
	pid_t pid;

	add("good");
	run_until(1, 0);
	pid = instance_pid(seen.last);
	snprintf(installed, sizeof(installed), "%s", others[_i]);
	seen.until_gone = UINT32_MAX;
	leave();
	ck_assert_int_eq(instance_state(seen.last), INSTANCE_STOPPED);
	ck_assert_int_eq(kill(pid, 0), -1);
}
END_TEST

START_TEST(ends_strangers)
{
	char lock[128], core[128];
	const char *const argv[] = {program,  "--endpoint", "gone",   "--worker", "0",
				    "--core", core,         "--lock", lock,       NULL};
	pid_t pid;
	int status;

	snprintf(lock, sizeof(lock), "%s/endpoint-gone-0.lock", run_dir);
	snprintf(core, sizeof(core), "%s/nobody.sock", run_dir);
	pid = fork();
	if (pid == 0) {
		execv(program, (char *const *)(uintptr_t)argv);
		_exit(9);
	}
	do {
		supervisor_end_strangers(supervisor);
		usleep(1000);
	} while (waitpid(pid, &status, WNOHANG) == 0);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGTERM);
}
END_TEST

/* A loop that stood still has heard nobody, and that is nobody's fault. */
START_TEST(does_not_blame_others_for_its_own_absence)
{
	add_watched("good", HEARTBEAT_MS);
	run_until(1, 0);
	usleep(2 * HEARTBEAT_MS * 1000);
	loop_timer_set(deadline, clock_now_us() + HEARTBEAT_MS / 2 * CLOCK_MS_US);
	ck_assert_int_eq(loop_run(loop), 99);
	ck_assert_uint_eq(seen.gone, 0);
}
END_TEST

START_TEST(takes_new_times)
{
	add("good");
	run_until(1, 0);
	supervisor_set_times(supervisor, CLOCK_MS_US, CLOCK_MS_US, CLOCK_MS_US); /* no process is so quick */
	run_until(1, 2);
	ck_assert_str_eq(instance_problem(seen.last), "hangs: its heartbeat is missing");
}
END_TEST

START_TEST(removes)
{
	add("good");
	add("crash");
	run_until(2, 0);
	supervisor_remove(supervisor, "crash");
	supervisor_remove(supervisor, "good");
	ck_assert_ptr_null(supervisor_find(supervisor, 1));
	ck_assert_ptr_null(supervisor_find(supervisor, 2));
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("supervisor");
	TCase *tcase = tcase_create("processes");
	SRunner *runner = srunner_create(suite);
	ssize_t length;
	int failed;

	if (argc > 8 && strcmp(argv[1], "--endpoint") == 0)
		return endpoint_process(argv);
	length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (length < 0)
		return 2;
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, starts_and_stops);
	tcase_add_loop_test(tcase, starts_a_bad_one_again_and_leaves_others_alone, 0,
			    sizeof(bad_ones) / sizeof(bad_ones[0]));
	tcase_add_loop_test(tcase, refuses_a_wrong_hello, 0, sizeof(liars) / sizeof(liars[0]));
	tcase_add_test(tcase, says_when_the_program_is_missing);
	tcase_add_test(tcase, adopts_a_living_process);
	tcase_add_test(tcase, what_runs_the_installed_code_is_left_for_the_next_core);
	tcase_add_loop_test(tcase, what_runs_other_code_ends_with_its_core, 0, sizeof(others) / sizeof(others[0]));
	tcase_add_test(tcase, ends_strangers);
	tcase_add_test(tcase, does_not_blame_others_for_its_own_absence);
	tcase_add_test(tcase, takes_new_times);
	tcase_add_test(tcase, removes);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
