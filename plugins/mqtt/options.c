/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <mosquitto.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/content.h"
#include "common/fill.h"
#include "common/tls.h"

enum { FILE_CERTIFICATE, FILE_KEY, FILE_TRUST, FILE_PASSWORD, FILE_CRL, N_FILES };

static const struct url_scheme options_scheme = {.name = "mqtt", .port = 1883, .tls_port = 8883};

static void options_log(const struct tg_host *host, const char *what, const char *cause)
{
	host->log(host, TG_LOG_ERROR, NULL, "%s (%s)", what, cause);
}

/* What is wrong with a file is logged, and kept for who asks how the link is. */
static int options_bad_file(struct options *options, const struct tg_host *host, const char *what, const char *cause)
{
	options_log(host, what, cause);
	if (!options->problem && asprintf(&options->problem, "%s (%s)", what, cause) < 0) {
		options->problem = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int options_open_file(struct options *options, const struct tg_host *host, const char *name,
			     struct content *ret_file)
{
	char what[64];
	int r = content_read(host, name, ret_file);

	if (r >= 0 || r == -ENOMEM)
		return r;
	snprintf(what, sizeof(what), "\"%s\" cannot be read", name);
	return options_bad_file(options, host, what, strerror(-r));
}

static int options_open_files(struct options *options, const struct tg_host *host, struct content files[N_FILES])
{
	static const char *const names[N_FILES] = {"certificate", "key", "trust", "password_file", "crl"};
	int r = 0;

	for (int i = 0; i < N_FILES && r >= 0; i++)
		r = options_open_file(options, host, names[i], &files[i]);
	return r;
}

static int options_brokers(struct options *options, const struct tg_host *host)
{
	const char *text;
	size_t n = 0;

	while (host->setting_item(host, "broker", n))
		n++;
	options->brokers = calloc(n + 1, sizeof(*options->brokers));
	if (!options->brokers)
		return -ENOMEM;
	for (; options->n_brokers < n; options->n_brokers++) {
		struct url *url = &options->brokers[options->n_brokers];
		int r;

		text = host->setting_item(host, "broker", options->n_brokers);
		r = url_parse(text, &options_scheme, url);
		if (r == -EINVAL)
			host->log(host, TG_LOG_ERROR, NULL, "broker \"%s\" is not of the form mqtts://host[:port]",
				  text);
		if (r < 0)
			return r;
		if (!url->tls && !options->insecure) {
			host->log(host, TG_LOG_ERROR, NULL,
				  "broker \"%s\" would be spoken to without TLS: use mqtts://, or set insecure = true",
				  text);
			url_done(url);
			return -EINVAL;
		}
	}
	return n > 0 ? 0 : -EINVAL;
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

static int options_expand(const struct tg_host *host, const char *name, char **ret_text)
{
	const char *names[] = {"site",     host->site(host),     "gateway", host->gateway(host),
			       "endpoint", host->endpoint(host), NULL};

	*ret_text = fill_names(host->setting_text(host, name), names);
	if (!*ret_text)
		options_log(host, name, "only {site}, {gateway} and {endpoint} can stand in braces");
	return *ret_text ? 0 : -EINVAL;
}

/* MQTT 5 section 4.8.2. */
static int options_share(struct options *options, const struct tg_host *host)
{
	int r = options_text(host, "share_group", &options->share_group);

	if (r < 0 || !options->share_group || !strpbrk(options->share_group, "/+#"))
		return r;
	options_log(host, "\"share_group\" cannot have any of / + #", options->share_group);
	return -EINVAL;
}

static int options_texts(struct options *options, const struct tg_host *host)
{
	int r = options_text(host, "server_name", &options->server_name);

	if (r >= 0)
		r = options_text(host, "username", &options->username);
	if (r >= 0)
		r = options_text(host, "publisher_property", &options->publisher);
	if (r >= 0)
		r = options_share(options, host);
	if (r >= 0)
		r = options_expand(host, "client_id", &options->client_id);
	if (r >= 0 && asprintf(&options->receive_client_id, "%s" OPTIONS_RECEIVE_SUFFIX, options->client_id) < 0) {
		options->receive_client_id = NULL;
		r = -ENOMEM;
	}
	if (r >= 0 && host->setting_bool(host, "status")) {
		r = options_expand(host, "status_topic", &options->status_topic);
		if (r >= 0 && (*options->status_topic == '\0' ||
			       mosquitto_pub_topic_check(options->status_topic) != MOSQ_ERR_SUCCESS)) {
			options_log(host, "\"status_topic\" is not a topic", options->status_topic);
			r = -EINVAL;
		}
	}
	return r;
}

static void options_numbers(struct options *options, const struct tg_host *host)
{
	options->insecure = host->setting_bool(host, "insecure");
	options->version5 = strcmp(host->setting_text(host, "protocol"), "3.1.1") != 0;
	options->keepalive_s = (int)host->setting_int(host, "keepalive_s");
	options->window = (unsigned)host->setting_int(host, "window");
	options->connect_timeout_us = host->setting_int(host, "connect_timeout_s") * 1000000;
	options->confirm_timeout_us = host->setting_int(host, "confirm_timeout_s") * 1000000;
	options->backoff_min_us = host->setting_int(host, "backoff_min_ms") * 1000;
	options->backoff_max_us = host->setting_int(host, "backoff_max_s") * 1000000;
	options->failback_us = host->setting_int(host, "failback_s") * 1000000;
	options->release_limit = (unsigned)host->setting_int(host, "release_limit");
	options->status_retain = host->setting_bool(host, "status_retain");
	options->session_expiry_s = (uint32_t)host->setting_int(host, "session_expiry_s");
	options->subscribe_qos = (unsigned)host->setting_int(host, "subscribe_qos");
	options->receive_window = (unsigned)host->setting_int(host, "receive_window");
	if (options->backoff_max_us < options->backoff_min_us)
		options->backoff_max_us = options->backoff_min_us;
}

static int options_password(struct options *options, const struct content *file, const struct tg_host *host)
{
	int r;

	if (!file->data)
		return 0;
	r = options->username ? content_password(file, &options->password) : -EINVAL;
	if (r != -EINVAL)
		return r;
	return options_bad_file(options, host, "\"password_file\" cannot be used",
				options->username ? "empty, too long, or with a zero byte"
						  : "there is no \"username\"");
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
		.alpn = host->setting_text(host, "alpn"),
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

static bool options_is_among(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

/* Whether a change of this row means that the broker is to be connected to anew, to publish or to receive: not of what only counts
 * for the next attempt, nor of what a live session can be asked about (session_objection). */
static bool options_concerns(const char *name, bool receiving)
{
	static const char *const later[] = {"crl",           "crl_expired",       "backoff_min_ms",
					    "backoff_max_s", "connect_timeout_s", "confirm_timeout_s",
					    "failback_s",    "release_limit",     NULL};
	static const char *const receive_only[] = {"session_expiry_s",   "subscribe_qos",  "share_group",
						   "publisher_property", "receive_window", NULL};
	static const char *const publish_only[] = {"window", "status", "status_topic", "status_retain", NULL};

	return !options_is_among(name, later) && !options_is_among(name, receiving ? publish_only : receive_only);
}

static int options_digest(const struct content files[N_FILES], const struct tg_host *host, bool receiving,
			  uint8_t ret_digest[OPTIONS_FINGERPRINT_SIZE])
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	bool good = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;

	for (const struct tg_setting *row = options_rows; good && row->name; row++)
		good = !options_concerns(row->name, receiving) || content_digest_row(digest, row, host);
	for (int i = 0; good && i < FILE_CRL; i++)
		good = content_digest(digest, &files[i]);
	good = good && EVP_DigestFinal_ex(digest, ret_digest, NULL) == 1;
	EVP_MD_CTX_free(digest);
	return good ? 0 : -ENOMEM;
}

int options_read(const struct tg_host *host, bool patient, struct options **ret_options)
{
	struct options *options = calloc(1, sizeof(*options));
	struct content files[N_FILES] = {0};
	int r = -ENOMEM;

	if (options) {
		options_numbers(options, host);
		r = options_open_files(options, host, files);
	}
	if (r >= 0)
		r = options_brokers(options, host);
	if (r >= 0)
		r = options_texts(options, host);
	if (r >= 0)
		r = options_password(options, &files[FILE_PASSWORD], host);
	if (r >= 0)
		r = options_tls(options, files, host);
	if (r >= 0)
		r = options_digest(files, host, false, options->fingerprint);
	if (r >= 0)
		r = options_digest(files, host, true, options->receive_fingerprint);
	for (int i = 0; i < N_FILES; i++)
		content_done(&files[i]);
	if (r == -ENOMEM)
		options_log(host, "settings cannot be read", strerror(ENOMEM));
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
	free(options->client_id);
	free(options->receive_client_id);
	free(options->username);
	free(options->share_group);
	free(options->publisher);
	free(options->status_topic);
	free(options);
}
