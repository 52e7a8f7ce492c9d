/* SPDX-License-Identifier: Apache-2.0 */
#include "adapter/mqtt_front.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct pki root, other;
static pid_t front; /* the TLS in front of the broker */
static uint16_t port;

void front_save(const char *name, int from)
{
	FILE *file = fopen(broker_file(name), "w");
	char part[4096];
	ssize_t n;

	ck_assert_ptr_nonnull(file);
	lseek(from, 0, SEEK_SET);
	while ((n = read(from, part, sizeof(part))) > 0)
		ck_assert_uint_eq(fwrite(part, 1, (size_t)n, file), (size_t)n);
	close(from);
	fclose(file);
}

void front_setup(void)
{
	char url[64];

	rig_setup();
	broker.server[0] = '\0';
	broker_start(&broker);
	port = broker_free_port();
	pki_make(&(struct pki_request){.name = "cloud", .authority = true}, &root);
	pki_make(&(struct pki_request){.name = "cloud 2", .authority = true}, &other);
	front_save("root.crt", pki_certificate_fd(&root, NULL));
	snprintf(url, sizeof(url), "mqtts://localhost:%u", port);
	mock_set(mock, "broker", url);
	mock_set(mock, "certificate", NULL);
	mock_set(mock, "key", NULL);
	mock_set(mock, "trust", broker_file("root.crt"));
}

void front_stop(void)
{
	if (front > 0) {
		kill(front, SIGKILL);
		waitpid(front, NULL, 0);
	}
	front = 0;
}

void front_teardown(void)
{
	front_stop();
	pki_done(&root);
	pki_done(&other);
	rig_teardown();
}

/* Shows this certificate, with the second behind it, and staples what is in the file, where there is one. */
void front_start(const struct pki *own, const struct pki *second, const char *response)
{
	char from[8], to[8], line[16] = "";
	int ready[2];

	front_stop();
	front_save("front.crt", pki_certificate_fd(own, second));
	front_save("front.key", pki_key_fd(own));
	snprintf(from, sizeof(from), "%u", port);
	snprintf(to, sizeof(to), "%u", broker.port);
	ck_assert_int_eq(pipe(ready), 0);
	front = fork();
	ck_assert_int_ge(front, 0);
	if (front == 0) {
		dup2(ready[1], STDOUT_FILENO);
		execl("tests/adapter/staple", "staple", from, to, broker_file("front.crt"), broker_file("front.key"),
		      response ? broker_file(response) : NULL, NULL);
		_exit(1);
	}
	close(ready[1]);
	ck_assert_int_gt(read(ready[0], line, sizeof(line) - 1), 0);
	close(ready[0]);
}

void front_expect_up(void)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_msg(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS), "down: %s", mock->link_detail);
}

/* `cause`: NULL: the link comes up. */
void front_expect(const char *cause)
{
	if (cause)
		rig_expect_failure(cause);
	else
		front_expect_up();
}
