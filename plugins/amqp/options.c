/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/content.h"
#include "common/fill.h"
#include "common/tls.h"

enum { FILE_CERTIFICATE, FILE_KEY, FILE_TRUST, FILE_PASSWORD, FILE_CRL, N_FILES };

static const struct url_scheme options_scheme = {.name = "amqp", .port = 5672, .tls_port = 5671};

/* What is wrong with a file is logged, and kept for who asks how the link is. */
static int options_bad_file(struct options *options, const struct tg_host *host, const char *what, const char *cause)
{
	host->log(host, TG_LOG_ERROR, NULL, "%s (%s)", what, cause);
	if (!options->problem && asprintf(&options->problem, "%s (%s)", what, cause) < 0) {
		options->problem = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int options_open_files(struct options *options, const struct tg_host *host, struct content files[N_FILES])
{
	static const char *const names[N_FILES] = {"certificate", "key", "trust", "password_file", "crl"};
	int r = 0;

	for (int i = 0; i < N_FILES && r >= 0; i++) {
		char what[64];

		r = content_read(host, names[i], &files[i]);
		if (r >= 0 || r == -ENOMEM)
			continue;
		snprintf(what, sizeof(what), "\"%s\" cannot be read", names[i]);
		r = options_bad_file(options, host, what, strerror(-r));
	}
	return r;
}

/* One entry of "broker". */
static int options_broker(const struct options *options, const struct tg_host *host, const char *text,
			  struct url *ret_url)
{
	int r = url_parse(text, &options_scheme, ret_url);

	if (r == -EINVAL)
		host->log(host, TG_LOG_ERROR, NULL, "broker \"%s\" is not of the form amqps://host[:port]", text);
	if (r < 0 || ret_url->tls)
		return r;
	if (options->insecure && *host->setting_text(host, "username") == '\0')
		return 0;
	host->log(host, TG_LOG_ERROR, NULL,
		  options->insecure
			  ? "broker \"%s\" would get the password without TLS: use amqps://, or no username"
			  : "broker \"%s\" would be spoken to without TLS: use amqps://, or set insecure = true",
		  text);
	url_done(ret_url);
	return -EINVAL;
}

static int options_brokers(struct options *options, const struct tg_host *host)
{
	size_t n = 0;
	int r = 0;

	while (host->setting_item(host, "broker", n))
		n++;
	options->brokers = calloc(n + 1, sizeof(*options->brokers));
	if (!options->brokers)
		return -ENOMEM;
	while (r >= 0 && options->n_brokers < n) {
		r = options_broker(options, host, host->setting_item(host, "broker", options->n_brokers),
				   &options->brokers[options->n_brokers]);
		options->n_brokers += r >= 0;
	}
	return r < 0 ? r : n > 0 ? 0 : -EINVAL;
}

/* An empty setting gives NULL. */
static int options_text(const struct tg_host *host, const char *name, char **ret_text)
{
	const char *text = host->setting_text(host, name);

	if (*text == '\0')
		return 0;
	*ret_text = strdup(text);
	return *ret_text ? 0 : -ENOMEM;
}

static int options_texts(struct options *options, const struct tg_host *host)
{
	const char *names[] = {"site",     host->site(host),     "gateway", host->gateway(host),
			       "endpoint", host->endpoint(host), NULL};
	int r = options_text(host, "server_name", &options->server_name);

	if (r >= 0)
		r = options_text(host, "username", &options->username);
	if (r >= 0)
		r = options_text(host, "virtual_host", &options->virtual_host);
	if (r >= 0)
		r = options_text(host, "target", &options->target);
	if (r < 0)
		return r;
	options->container_id = fill_names(host->setting_text(host, "container_id"), names);
	if (options->container_id)
		return 0;
	host->log(host, TG_LOG_ERROR, NULL, "container_id (only {site}, {gateway} and {endpoint} can stand in braces)");
	return -EINVAL;
}

static void options_numbers(struct options *options, const struct tg_host *host)
{
	options->insecure = host->setting_bool(host, "insecure");
	options->reject_address = strcmp(host->setting_text(host, "address_refused"), "reject") == 0;
	options->receive_window = (unsigned)host->setting_int(host, "receive_window");
	options->window = (unsigned)host->setting_int(host, "window");
	options->links = (unsigned)host->setting_int(host, "links");
	options->release_limit = (unsigned)host->setting_int(host, "release_limit");
	options->idle_timeout_us = host->setting_int(host, "idle_timeout_s") * 1000000;
	options->connect_timeout_us = host->setting_int(host, "connect_timeout_s") * 1000000;
	options->confirm_timeout_us = host->setting_int(host, "confirm_timeout_s") * 1000000;
	options->backoff_min_us = host->setting_int(host, "backoff_min_ms") * 1000;
	options->backoff_max_us = host->setting_int(host, "backoff_max_s") * 1000000;
	options->failback_us = host->setting_int(host, "failback_s") * 1000000;
	if (options->backoff_max_us < options->backoff_min_us)
		options->backoff_max_us = options->backoff_min_us;
}

static int options_password(struct options *options, const struct content *file, const struct tg_host *host)
{
	const char *cause = "empty, too long, or with a zero byte";
	int r = -EINVAL;

	if (!file->data && (!options->username || options->problem))
		return 0;
	if (!file->data)
		cause = "there is a \"username\", and no password";
	else if (!options->username)
		cause = "there is no \"username\"";
	else
		r = content_password(file, &options->password);
	return r == -EINVAL ? options_bad_file(options, host, "\"password_file\" cannot be used", cause) : r;
}

/* Who logs in: a user with a password, else the certificate, else nobody. */
static int options_login(struct options *options, const struct content *certificate, const struct tg_host *host)
{
	options->mechanism = options->username ? "PLAIN" : certificate->data ? "EXTERNAL" : "ANONYMOUS";
	if (options->username || certificate->data || options->insecure || options->problem)
		return 0;
	return options_bad_file(options, host, "nobody could log in",
				"neither \"certificate\" nor \"username\" is set, and not insecure = true");
}

static int options_tls(struct options *options, const struct content files[N_FILES], const struct tg_host *host)
{
	const char *ocsp = host->setting_text(host, "ocsp");
	struct tls_settings settings = {
		.crypto = host->crypto(host),
		.certificate = content_bytes(&files[FILE_CERTIFICATE]),
		.key = content_bytes(&files[FILE_KEY]),
		.trust = content_bytes(&files[FILE_TRUST]),
		.insecure = options->insecure,
		.crl = content_bytes(&files[FILE_CRL]),
		.expired_crl = strcmp(host->setting_text(host, "crl_expired"), "accept") == 0,
		.ocsp = strcmp(ocsp, "off") == 0       ? TLS_OCSP_OFF
			: strcmp(ocsp, "require") == 0 ? TLS_OCSP_REQUIRE
						       : TLS_OCSP_ACCEPT,
		.alpn = "",
	};
	char cause[TLS_CAUSE_SIZE];
	bool wanted = false;
	int r;

	for (size_t i = 0; i < options->n_brokers; i++)
		wanted |= options->brokers[i].tls;
	if (!wanted || options->problem)
		return 0;
	r = tls_new(&settings, cause, &options->tls);
	return r == -EINVAL ? options_bad_file(options, host, "TLS cannot be set up", cause) : r;
}

/* Whether a change of this row means that the broker is to be connected to anew: not of what only counts for the next attempt, nor of
 * what is looked at whenever it is needed, nor of what a live connection can be asked about (wire_objection). */
static bool options_concerns(const char *name)
{
	static const char *const later[] = {"crl",           "crl_expired",       "backoff_min_ms",
					    "backoff_max_s", "connect_timeout_s", "confirm_timeout_s",
					    "failback_s",    "release_limit",     "window",
					    "links",         "address_refused"};

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		if (strcmp(name, later[i]) == 0)
			return false;
	}
	return true;
}

static int options_digest(struct options *options, const struct content files[N_FILES], const struct tg_host *host)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	bool good = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;

	for (const struct tg_setting *row = options_rows; good && row->name; row++)
		good = !options_concerns(row->name) || content_digest_row(digest, row, host);
	for (int i = 0; good && i < FILE_CRL; i++)
		good = content_digest(digest, &files[i]);
	good = good && EVP_DigestFinal_ex(digest, options->fingerprint, NULL) == 1;
	EVP_MD_CTX_free(digest);
	return good ? 0 : -ENOMEM;
}

static int options_fill(struct options *options, const struct tg_host *host, struct content files[N_FILES])
{
	int r;

	options_numbers(options, host);
	r = options_open_files(options, host, files);
	if (r >= 0)
		r = options_brokers(options, host);
	if (r >= 0)
		r = options_texts(options, host);
	if (r >= 0)
		r = options_password(options, &files[FILE_PASSWORD], host);
	if (r >= 0)
		r = options_login(options, &files[FILE_CERTIFICATE], host);
	if (r >= 0)
		r = options_tls(options, files, host);
	if (r >= 0)
		r = options_digest(options, files, host);
	return r;
}

int options_read(const struct tg_host *host, bool patient, struct options **ret_options)
{
	struct options *options = calloc(1, sizeof(*options));
	struct content files[N_FILES] = {0};
	int r = options ? options_fill(options, host, files) : -ENOMEM;

	for (int i = 0; i < N_FILES; i++)
		content_done(&files[i]);
	if (r == -ENOMEM)
		host->log(host, TG_LOG_ERROR, NULL, "settings cannot be read (%s)", strerror(ENOMEM));
	if (r >= 0 && options->problem && !patient)
		r = -EINVAL;
	if (r < 0) {
		options_free(options);
		return r;
	}
	*ret_options = options;
	return 0;
}

void options_free(struct options *options)
{
	if (!options)
		return;
	for (size_t i = 0; i < options->n_brokers; i++)
		url_done(&options->brokers[i]);
	free(options->brokers);
	tls_unref(options->tls);
	if (options->password)
		OPENSSL_cleanse(options->password, strlen(options->password));
	free(options->password);
	free(options->problem);
	free(options->server_name);
	free(options->username);
	free(options->container_id);
	free(options->virtual_host);
	free(options->target);
	free(options);
}
