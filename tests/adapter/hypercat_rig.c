/* SPDX-License-Identifier: Apache-2.0 */
#include "hypercat_rig.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "child.h"

enum { PAGE = 256, ARGUMENTS_MAX = 40 };

struct reading {
	char *device, *path, *payload;
	int32_t content_format;
	uint64_t etag;
};

struct mock_host *rig;
char rig_text[RIG_TEXT];
struct pki rig_pki[RIG_WHO];
bool rig_silent, rig_outsider;

static struct reading *readings;
static size_t n_readings, first_list, first_read;
static uint64_t etag, generation;
static int certificates[RIG_WHO], keys[RIG_WHO];

static const char *file_of(int fd)
{
	return child_text("/proc/%d/fd/%d", (int)getpid(), fd);
}

const char *rig_certificate(enum rig_who who)
{
	return file_of(certificates[who]);
}

const char *rig_key(enum rig_who who)
{
	return file_of(keys[who]);
}

static void make_pki(void)
{
	static const struct pki_request requests[RIG_WHO] = {
		[RIG_AUTHORITY] = {.name = "authority", .authority = true},
		[RIG_SERVER] = {.name = "gateway", .names = "DNS:localhost,IP:127.0.0.1", .purpose = "serverAuth"},
		[RIG_READER] = {.name = "reader-1", .purpose = "clientAuth"},
		[RIG_STRANGER] = {.name = "stranger", .purpose = "clientAuth"},
		[RIG_EXPIRED] = {.name = "reader-1", .purpose = "clientAuth", .from_s = -7200, .to_s = -3600},
		[RIG_FOREIGN] = {.name = "reader-1", .purpose = "clientAuth"},
	};

	for (enum rig_who who = 0; who < RIG_WHO; who++) {
		struct pki_request request = requests[who];

		request.issuer = who == RIG_AUTHORITY || who == RIG_FOREIGN ? NULL : &rig_pki[RIG_AUTHORITY];
		pki_make(&request, &rig_pki[who]);
		certificates[who] = pki_certificate_fd(&rig_pki[who], NULL);
		keys[who] = pki_key_fd(&rig_pki[who]);
	}
}

void rig_setup(void)
{
	static const uint8_t key[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
				      0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

	signal(SIGPIPE, SIG_IGN);
	make_pki();
	etag = UINT64_MAX - 5;
	generation = 1;
	ck_assert_int_eq(mock_host_new(mock_adapter("hypercat"), &rig), 0);
	mock_set(rig, "listen", "https://127.0.0.1:0");
	mock_set(rig, "certificate", rig_certificate(RIG_SERVER));
	mock_set(rig, "key", rig_key(RIG_SERVER));
	mock_set(rig, "trust", rig_certificate(RIG_AUTHORITY));
	mock_enroll(rig, "reader-1", "reader-1", bytes_of(NULL, 0));
	mock_enroll(rig, "reader-2", "reader-2", bytes_of(key, sizeof(key)));
}

void rig_begin(void)
{
	ck_assert_int_eq(mock_begin(rig), 0);
	ck_assert_uint_eq(rig->link, TG_LINK_UP);
}

void rig_teardown(void)
{
	mock_host_free(rig);
	for (enum rig_who who = 0; who < RIG_WHO; who++) {
		pki_done(&rig_pki[who]);
		close(certificates[who]);
		close(keys[who]);
	}
	for (size_t i = 0; i < n_readings; i++) {
		free(readings[i].device);
		free(readings[i].path);
		free(readings[i].payload);
	}
	free(readings);
	readings = NULL;
	n_readings = first_list = first_read = 0;
}

unsigned rig_port(void)
{
	const char *port = strstr(rig->link_detail, "port ");

	return port ? (unsigned)strtoul(port + 5, NULL, 10) : 0;
}

static void next_etag(void)
{
	etag += etag == UINT64_MAX ? 2 : 1;
}

static void drop(size_t place)
{
	free(readings[place].device);
	free(readings[place].path);
	free(readings[place].payload);
	memmove(&readings[place], &readings[place + 1], (n_readings - place - 1) * sizeof(*readings));
	n_readings--;
}

static void append(const char *device, const char *path, int32_t content_format, const char *payload)
{
	if ((n_readings & (n_readings - 1)) == 0) { /* twice as many, at each power of two */
		readings = realloc(readings, (n_readings ? 2 * n_readings : 1) * sizeof(*readings));
		ck_assert_ptr_nonnull(readings);
	}
	next_etag();
	readings[n_readings++] = (struct reading){strdup(device), strdup(path), strdup(payload), content_format, etag};
}

void rig_put(const char *device, const char *path, int32_t content_format, const char *payload)
{
	for (size_t i = 0; i < n_readings; i++)
		if (strcmp(readings[i].device, device) == 0 && strcmp(readings[i].path, path) == 0) {
			drop(i);
			break;
		}
	append(device, path, content_format, payload);
}

void rig_put_many(unsigned devices, unsigned each)
{
	char device[32], path[32];

	for (unsigned i = 0; i < devices; i++)
		for (unsigned j = 0; j < each; j++) {
			snprintf(device, sizeof(device), "dev-%u", i);
			snprintf(path, sizeof(path), "r/%u", j);
			append(device, path, 50, "1");
		}
}

void rig_forget(const char *device)
{
	for (size_t i = n_readings; i-- > 0;)
		if (strcmp(readings[i].device, device) == 0)
			drop(i);
	generation++;
}

static void end_list(size_t place, bool more, uint64_t after)
{
	mock_listed(rig, place,
		    &(struct tg_listed){.end = true,
					.more = more,
					.etag = after,
					.verdict = rig_outsider ? TG_NOT_ALLOWED : TG_ACCEPTED,
					.content_format = TG_FORMAT_NONE,
					.generation = generation});
}

static void list_readings(size_t place, uint64_t after)
{
	size_t i = 0, count = 0;

	while (i < n_readings && after != 0 && (int64_t)(readings[i].etag - after) <= 0)
		i++;
	for (; i < n_readings && count < PAGE; i++, count++) {
		after = readings[i].etag;
		mock_listed(rig, place,
			    &(struct tg_listed){.device = bytes_text(readings[i].device),
						.path = bytes_text(readings[i].path),
						.content_format = readings[i].content_format,
						.etag = after,
						.time_wall_us = INT64_C(1770000000000000),
						.max_age_s = 60});
	}
	end_list(place, i < n_readings, after);
}

static void answer_list(size_t place)
{
	static const char *const devices[] = {"dev-1", "silent-1"};

	if (rig_outsider) {
		end_list(place, false, 0);
	} else if (rig->lists[place].what == TG_LIST_READINGS) {
		list_readings(place, rig->lists[place].after);
	} else {
		for (size_t i = 0; i < 2; i++)
			mock_listed(rig, place,
				    &(struct tg_listed){.device = bytes_text(devices[i]),
							.content_format = TG_FORMAT_NONE});
		end_list(place, false, 0);
	}
}

static void answer_read(size_t place)
{
	struct tg_reading reading = {
		.verdict = rig_outsider ? TG_NOT_ALLOWED : TG_NO_ROUTE, .last = true, .content_format = TG_FORMAT_NONE};

	for (size_t i = 0; i < n_readings && !rig_outsider; i++)
		if (strcmp(readings[i].device, rig->reads[place].device) == 0 &&
		    strcmp(readings[i].path, rig->reads[place].path) == 0) {
			reading.verdict = TG_ACCEPTED;
			reading.content_format = readings[i].content_format;
			reading.payload = bytes_text(readings[i].payload);
			reading.etag = readings[i].etag;
			reading.time_wall_us = INT64_C(1770000000000000);
			reading.max_age_s = 60;
		}
	mock_reading(rig, place, &reading);
}

bool rig_serve(void)
{
	if (rig_silent)
		return true;
	for (; first_list < rig->n_lists; first_list++)
		answer_list(first_list);
	for (; first_read < rig->n_reads; first_read++)
		if (!rig->reads[first_read].ended)
			answer_read(first_read);
	return true;
}

void rig_program_start(struct rig_program *program, const char *const *arguments)
{
	*program = (struct rig_program){.out = memfd_create("out", MFD_CLOEXEC)};
	ck_assert_int_ge(program->out, 0);
	program->pid = child_start(arguments, program->out, program->out);
}

bool rig_program_over(struct rig_program *program)
{
	if (!program->over)
		program->over = waitpid(program->pid, &program->status, WNOHANG) == program->pid;
	return program->over;
}

const char *rig_program_text(const struct rig_program *program)
{
	ssize_t size = pread(program->out, rig_text, sizeof(rig_text) - 1, 0);

	rig_text[size > 0 ? size : 0] = '\0';
	return rig_text;
}

void rig_program_kill(struct rig_program *program)
{
	if (!program->over) {
		kill(program->pid, SIGKILL);
		waitpid(program->pid, NULL, 0);
	}
	close(program->out);
}

const char *rig_curl(const char *path, const char *const *arguments)
{
	const char *all[ARGUMENTS_MAX] = {"curl", "-sS", "-i", "--max-time", "60", "--cacert"};
	struct rig_program program;
	size_t n = 6;

	all[n++] = rig_certificate(RIG_AUTHORITY);
	for (; arguments && *arguments && n + 2 < ARGUMENTS_MAX; arguments++)
		all[n++] = *arguments;
	all[n] = child_text("https://127.0.0.1:%u%s", rig_port(), path);
	rig_program_start(&program, all);
	ck_assert_msg(RIG_UNTIL(rig_program_over(&program)), "curl does not end");
	(void)rig_program_text(&program);
	close(program.out);
	return rig_text;
}

const char *rig_get(const char *path)
{
	return rig_curl(path, RIG_ARGUMENTS("--cert", rig_certificate(RIG_READER), "--key", rig_key(RIG_READER)));
}

void rig_expect(const char *text)
{
	ck_assert_msg(strstr(rig_text, text) != NULL, "no '%s' in:\n%.3000s", text, rig_text);
}

void rig_expect_not(const char *text)
{
	ck_assert_msg(strstr(rig_text, text) == NULL, "'%s' in:\n%.3000s", text, rig_text);
}
