/* SPDX-License-Identifier: Apache-2.0 */

/* The files that endpoints' settings name, read for the watch over certificates. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/certs.h"
#include "core/config.h"
#include "core/renewal_find.h"

enum { FILE_MAX_BYTES = 1024 * 1024 };

struct content {
	uint8_t *data;
	size_t size;
};

static void content_done(struct content *content)
{
	if (content->data)
		explicit_bzero(content->data, content->size); /* it may be a key */
	free(content->data);
}

static int read_all(int fd, struct content *content)
{
	ssize_t n = 1;

	while (n > 0 && content->size < FILE_MAX_BYTES) {
		n = read(fd, content->data + content->size, FILE_MAX_BYTES - content->size);
		content->size += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		return -errno;
	return n > 0 ? -EFBIG : 0;
}

/* Errors: why it cannot be read. */
static int content_read(const char *path, struct content *ret_content)
{
	int fd CLEANUP_CLOSE = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	int r;

	*ret_content = (struct content){.data = NULL};
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	ret_content->data = malloc(FILE_MAX_BYTES);
	if (!ret_content->data)
		return -ENOMEM;
	r = read_all(fd, ret_content);
	return r;
}

/* One setting that names a file. */
struct reading {
	struct certs *certs;
	struct certs_find find;
	bool own;            /* it holds the endpoint's own certificate */
	const char *renewed; /* the file of the own certificate and its key, in place of the configured ones; or NULL */
	int error;
};

static void add_found(void *arg, const struct trust_x509 *facts)
{
	struct reading *reading = arg;
	struct certs_find *find = &reading->find;
	int r;

	find->facts = facts;
	if (facts->list)
		find->role = CERTS_LIST;
	else if (reading->own)
		find->role = find->number == 0 ? CERTS_OWN : CERTS_CHAIN;
	else
		find->role = CERTS_TRUST;
	r = certs_found(reading->certs, find);
	if (r < 0)
		reading->error = r;
	find->number++;
}

static void add_unusable(struct reading *reading, const char *place, const char *file, const char *problem)
{
	struct certs_find find = reading->find;
	int r;

	find.role = CERTS_FILE;
	find.place = place;
	find.file = file;
	find.facts = NULL;
	find.problem = problem;
	r = certs_found(reading->certs, &find);
	if (r < 0)
		reading->error = r;
}

static const char *file_of(const struct config_endpoint *endpoint, const char *name)
{
	const struct config_value *value = config_section_value(&endpoint->settings, name);

	return value && value->text ? value->text : "";
}

/* The key does not stand in the certificate's file: whether the two belong together shows here alone. */
static void check_key(struct reading *reading, const struct config_endpoint *endpoint, struct tg_bytes certificate)
{
	const char *path = reading->renewed ? reading->renewed : file_of(endpoint, "key");
	struct content content;
	char problem[128];
	int r;

	if (!*path)
		return;
	r = content_read(path, &content);
	if (r < 0) {
		snprintf(problem, sizeof(problem), "cannot be read (%s)", strerror(-r));
		add_unusable(reading, "key", path, problem);
	} else {
		r = trust_x509_check_key(certificate, bytes_of(content.data, content.size));
		if (r == -ENOENT)
			add_unusable(reading, "key", path, "holds no private key that can be read");
		else if (r == -EKEYREJECTED)
			add_unusable(reading, "key", path, "is not the key of the certificate");
	}
	content_done(&content);
}

static bool is_about_certificates(const char *name)
{
	return strcmp(name, "certificate") == 0 || strcmp(name, "trust") == 0 || strcmp(name, "crl") == 0;
}

static void read_file(struct reading *reading, const struct config_endpoint *endpoint, const char *path)
{
	const char *name = reading->find.place;
	struct content content;
	struct tg_bytes bytes;
	char problem[128];
	int r = content_read(path, &content);

	bytes = bytes_of(content.data, content.size);
	if (r < 0) {
		snprintf(problem, sizeof(problem), "cannot be read (%s)", strerror(-r));
		if (is_about_certificates(name))
			add_unusable(reading, name, path, problem);
		content_done(&content);
		return;
	}
	r = trust_x509_read_pem(bytes, add_found, reading);
	if (r < 0 && is_about_certificates(name))
		add_unusable(reading, name, path, "is damaged");
	else if (r == 0 && is_about_certificates(name))
		add_unusable(reading, name, path,
			     strcmp(name, "crl") == 0 ? "holds no revocation list" : "holds no certificate");
	else if (r > 0 && reading->own)
		check_key(reading, endpoint, bytes);
	content_done(&content);
}

static bool renews(const struct config_endpoint *endpoint)
{
	return *config_section_text(&endpoint->common, "est") ||
	       config_section_count(&endpoint->common, "renew_command") > 0;
}

static int collect_endpoint(struct certs *certs, const struct config_endpoint *endpoint, const char *state_dir,
			    int64_t wall_us)
{
	char slot[RENEWAL_PATH_MAX];
	const char *renewed = renewal_find(state_dir, endpoint->name, file_of(endpoint, "certificate"),
					   file_of(endpoint, "key"), wall_us / CLOCK_S_US, slot);
	int r = 0;

	for (size_t i = 0; i < endpoint->settings.count && r >= 0; i++) {
		const struct tg_setting *row = &endpoint->settings.rows[i];
		bool own = strcmp(row->name, "certificate") == 0;
		const char *path = own && renewed ? renewed : endpoint->settings.values[i].text;
		struct reading reading = {.certs = certs,
					  .find = {.listens = endpoint->descriptor->needs & TG_NEED_LISTEN,
						   .renews = renews(endpoint),
						   .endpoint = endpoint->name,
						   .place = row->name,
						   .file = path},
					  .own = own,
					  .renewed = own ? renewed : NULL};

		if (row->type != TG_FILE || !path || !*path)
			continue;
		read_file(&reading, endpoint, path);
		r = reading.error == -ENOMEM ? -ENOMEM : 0;
	}
	return r;
}

int certs_collect(struct certs *certs, const struct config *config, const char *state_dir, int64_t wall_us)
{
	int r = 0;

	for (size_t i = 0; i < config->endpoints_count && r >= 0; i++) {
		const struct config_endpoint *endpoint = &config->endpoints[i];

		if (endpoint->enabled && endpoint->descriptor)
			r = collect_endpoint(certs, endpoint, state_dir, wall_us);
	}
	return r;
}
