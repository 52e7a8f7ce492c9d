/* SPDX-License-Identifier: Apache-2.0 */
#include "adapter/tls_front.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapter/child.h"
#include "adapter/mqtt_broker.h"

struct pki root, other;
uint16_t front_port;
static uint16_t behind;
static pid_t front;

const struct front_chain front_chains[FRONT_CHAINS] = {
	{"good", {0}, {.names = NAMES}, false, NULL},
	{"for servers", {0}, {.names = NAMES, .purpose = "serverAuth"}, false, NULL},
	{"another name", {0}, {.names = "DNS:other.example"}, false, "server name mismatch"},
	{"for clients", {0}, {.names = NAMES, .purpose = "clientAuth"}, false, FAILED "wrong usage"},
	{"signs nothing", {0}, {.names = NAMES, .usage = "critical,cRLSign"}, false, FAILED "wrong usage"},
	{"expired", {0}, {.names = NAMES, .from_s = -172800, .to_s = -60}, false, FAILED "certificate has expired"},
	{"not yet", {0}, {.names = NAMES, .from_s = 3600, .to_s = 7200}, false, FAILED "certificate is not yet valid"},
	{"sha-1", {0}, {.names = NAMES, .digest = "SHA1"}, false, FAILED "signature is too weak"},
	{"rsa 1024", {0}, {.names = NAMES, .rsa_bits = 1024}, false, FAILED "key is too small"},
	{"rsa 2048", {0}, {.names = NAMES, .rsa_bits = 2048}, false, NULL},
	{"chain", {.name = "hall", .authority = true}, {.names = NAMES}, true, NULL},
	{"broken chain", {.name = "hall", .authority = true}, {.names = NAMES}, false, FAILED "chain does not lead"},
	{"no authority", {.name = "hall"}, {.names = NAMES}, true, FAILED "issuer is not an authority"},
	{"constraint",
	 {.name = "hall", .authority = true, .constraints = "critical,permitted;DNS:example.com"},
	 {.names = "DNS:localhost"},
	 true,
	 FAILED "name is outside"},
};

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

void front_begin(uint16_t to)
{
	behind = to;
	front_port = child_free_port();
	pki_make(&(struct pki_request){.name = "cloud", .authority = true}, &root);
	pki_make(&(struct pki_request){.name = "cloud 2", .authority = true}, &other);
	front_save("root.crt", pki_certificate_fd(&root, NULL));
}

void front_stop(void)
{
	if (front > 0) {
		kill(front, SIGKILL);
		waitpid(front, NULL, 0);
	}
	front = 0;
}

void front_end(void)
{
	front_stop();
	pki_done(&root);
	pki_done(&other);
}

void front_start(const struct pki *own, const struct pki *second, const char *response)
{
	char from[8], to[8], line[16] = "";
	int ready[2];

	front_stop();
	front_save("front.crt", pki_certificate_fd(own, second));
	front_save("front.key", pki_key_fd(own));
	snprintf(from, sizeof(from), "%u", front_port);
	snprintf(to, sizeof(to), "%u", behind);
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

void front_show(const struct front_chain *chain)
{
	struct pki_request middle_request = chain->middle, request = chain->broker;
	bool has_middle = chain->middle.name != NULL;
	struct pki middle = {NULL, NULL}, own;

	middle_request.issuer = &root;
	if (has_middle)
		pki_make(&middle_request, &middle);
	request.name = "broker";
	request.issuer = has_middle ? &middle : &root;
	pki_make(&request, &own);
	front_start(&own, chain->sent ? &middle : NULL, NULL);
	pki_done(&middle);
	pki_done(&own);
}
