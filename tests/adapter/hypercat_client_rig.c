/* SPDX-License-Identifier: Apache-2.0 */
#include "adapter/hypercat_client_rig.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "adapter/child.h"
#include "adapter/dtls_pki.h"

enum { TRIES = 3000, TRY_NS = 10000000, LOG_MAX = 1 << 20 };

static const char configuration[] =
	"daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log error.log;\n"
	"events { worker_connections 64; }\n"
	"http {\n"
	" log_format plain '$request_uri $status'; access_log access.log plain;\n"
	" client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path "
	"tmp;\n"
	" default_type application/vnd.hypercat.catalogue+json; types { text/plain txt; application/json json; }\n"
	" server { listen 127.0.0.1:%u ssl; root www; etag on; if_modified_since off;\n"
	"  ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate server.crt; ssl_certificate_key server.key;\n"
	"  %s }\n"
	"}\n";

struct mock_host *mock;
struct pki rig_root;
static struct pki server;
static char folder[64];
static char more[512];
static uint16_t port;
static pid_t nginx;

const char *rig_file(const char *name)
{
	return child_text("%s/%s", folder, name);
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(rig_file(name), "w");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		child_die("%s cannot be written", name);
}

void rig_save(const char *name, int from)
{
	char text[16384];

	child_read(from, text, sizeof(text));
	write_file(name, text);
}

void rig_configure(const char *text)
{
	snprintf(more, sizeof(more), "%s", text);
}

void rig_stop_server(void)
{
	if (nginx > 0) {
		kill(nginx, SIGKILL);
		waitpid(nginx, NULL, 0);
	}
	nginx = 0;
}

void rig_serve(const struct pki *authority, const char *names, struct pki *ret_pki)
{
	const struct timespec pause = {.tv_nsec = TRY_NS};
	char text[2048];

	rig_stop_server();
	pki_done(ret_pki);
	pki_make(&(struct pki_request){.name = "server", .names = names, .issuer = authority, .purpose = "serverAuth"},
		 ret_pki);
	rig_save("server.crt", pki_certificate_fd(ret_pki, NULL));
	rig_save("server.key", pki_key_fd(ret_pki));
	snprintf(text, sizeof(text), configuration, port, more);
	write_file("nginx.conf", text);
	nginx = child_start((const char *const[]){"/usr/sbin/nginx", "-p", folder, "-c", rig_file("nginx.conf"), NULL},
			    -1, -1);
	for (int i = 0; !child_listens(port); i++) {
		if (i == TRIES || waitpid(nginx, NULL, WNOHANG) != 0)
			child_die("nginx does not come up: see %s/error.log", folder);
		nanosleep(&pause, NULL);
	}
}

void rig_put(const char *name, const char *text)
{
	write_file("part", text);
	if (rename(rig_file("part"), rig_file(child_text("www/%s", name))) != 0)
		child_die("%s cannot be put there: %s", name, strerror(errno));
}

void rig_list(const char *const *names)
{
	char text[4096] = "{\"items\":[";
	size_t used = strlen(text);

	for (size_t i = 0; names[i]; i++) {
		const char *type = strstr(names[i], ".json")  ? "application/json"
				   : strstr(names[i], ".txt") ? "text/plain"
							      : "application/vnd.hypercat.catalogue+json";

		used += (size_t)snprintf(
			text + used, sizeof(text) - used,
			"%s{\"href\":\"%s\",\"item-metadata\":[{\"rel\":\"urn:X-hypercat:rels:isContentType\","
			"\"val\":\"%s\"}]}",
			i ? "," : "", names[i], type);
	}
	snprintf(text + used, sizeof(text) - used, "]}");
	rig_put("cat", text);
}

unsigned rig_asked(const char *name, unsigned status)
{
	FILE *file = fopen(rig_file("access.log"), "re");
	char line[512], path[256];
	unsigned n = 0, found;

	while (file && fgets(line, sizeof(line), file))
		n += sscanf(line, "/%255s %u", path, &found) == 2 && strcmp(path, name) == 0 &&
		     (status == 0 || status == found);
	if (file)
		fclose(file);
	return n;
}

size_t rig_readings_of(const char *path)
{
	size_t n = 0;

	for (size_t i = 0; i < mock->n_submissions; i++)
		n += strcmp(mock->submissions[i].path, path) == 0;
	return n;
}

const struct mock_submission *rig_last_of(const char *path)
{
	for (size_t i = mock->n_submissions; i-- > 0;)
		if (strcmp(mock->submissions[i].path, path) == 0)
			return &mock->submissions[i];
	ck_abort_msg("no reading of %s", path);
	return NULL;
}

void rig_setup(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/tg-harvest-XXXXXX", base && strlen(base) < 40 ? base : "/tmp");
	if (!mkdtemp(folder) || chmod(folder, 0755) != 0 || mkdir(rig_file("www"), 0755) != 0 ||
	    mkdir(rig_file("tmp"), 0755) != 0)
		child_die("no temporary folder: %s", strerror(errno));
	more[0] = '\0';
	port = child_free_port();
	pki_make(&(struct pki_request){.name = "root", .authority = true}, &rig_root);
	rig_save("root.crt", pki_certificate_fd(&rig_root, NULL));
	rig_put("a.txt", "21.5");
	rig_put("b.json", "{\"v\":7}");
	rig_list((const char *const[]){"/a.txt", "b.json", NULL});
	ck_assert_int_eq(mock_host_new(mock_adapter("hypercat_client"), &mock), 0);
	mock->accept_all = true;
	mock_add(mock, "catalogues", child_text("https://localhost:%u/cat", port));
	mock_add(mock, "hosts", "127.0.0.1");
	mock_set(mock, "trust", rig_file("root.crt"));
	mock_set(mock, "harvest_interval_s", "1");
	mock_set(mock, "poll_interval_s", "1");
	mock_set(mock, "jitter_percent", "0");
	mock_set(mock, "backoff_min_ms", "100");
	mock_set(mock, "backoff_max_s", "1");
	mock_add_route(mock, "**");
	rig_serve(&rig_root, "DNS:localhost,IP:127.0.0.1", &server);
}

void rig_teardown(void)
{
	mock_host_free(mock);
	rig_stop_server();
	pki_done(&rig_root);
	pki_done(&server);
	child_shell("rm -r %s", folder);
}
