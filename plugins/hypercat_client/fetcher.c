/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/content.h"
#include "common/tell.h"
#include "crypto.h"
#include "fetch_internal.h"

struct files {
	struct content certificate, key, trust, crl, token;
};

static void files_done(struct files *files)
{
	content_done(&files->certificate);
	content_done(&files->key);
	content_done(&files->trust);
	content_done(&files->crl);
	content_done(&files->token);
}

static int files_read(const struct tg_host *host, const char *setting, struct content *ret_content)
{
	int r = content_read(host, setting, ret_content);

	if (r < 0)
		host->log(host, TG_LOG_ERROR, NULL, "the file of \"%s\" cannot be read (%s)", setting, strerror(-r));
	return r;
}

/* One word of visible characters. */
static int read_token(struct fetcher *fetcher, const struct content *content)
{
	const struct tg_host *host = fetcher->host;
	const char *problem = NULL;

	fetcher->bearer = strcmp(host->setting_text(host, "token_as"), "bearer") == 0;
	if (!content->data)
		return 0;
	if (content_password(content, &fetcher->token) < 0)
		problem = "is empty, or too long";
	for (const char *at = fetcher->token; at && *at; at++)
		if (*at <= 0x20 || *at >= 0x7f)
			problem = "holds more than one word";
	if (problem)
		host->log(host, TG_LOG_ERROR, NULL, "the file of \"token\" %s", problem);
	return problem ? -EINVAL : 0;
}

static int make_tls(struct fetcher *fetcher, const struct files *files)
{
	const struct tg_host *host = fetcher->host;
	const char *ocsp = host->setting_text(host, "ocsp");
	const struct tls_settings settings = {
		.crypto = host->crypto(host),
		.certificate = content_bytes(&files->certificate),
		.key = content_bytes(&files->key),
		.trust = content_bytes(&files->trust),
		.crl = content_bytes(&files->crl),
		.expired_crl = strcmp(host->setting_text(host, "crl_expired"), "accept") == 0,
		.ocsp = strcmp(ocsp, "off") == 0       ? TLS_OCSP_OFF
			: strcmp(ocsp, "require") == 0 ? TLS_OCSP_REQUIRE
						       : TLS_OCSP_ACCEPT,
		.alpn = "http/1.1",
	};
	char cause[TLS_CAUSE_SIZE];
	int r = tls_new(&settings, cause, &fetcher->tls);

	if (r < 0)
		host->log(host, TG_LOG_ERROR, NULL, "%s", cause);
	return r;
}

static int load(struct fetcher *fetcher)
{
	const struct tg_host *host = fetcher->host;
	struct files files = {.token = {.data = NULL}};
	int r = files_read(host, "certificate", &files.certificate);

	if (r >= 0)
		r = files_read(host, "key", &files.key);
	if (r >= 0)
		r = files_read(host, "trust", &files.trust);
	if (r >= 0)
		r = files_read(host, "crl", &files.crl);
	if (r >= 0)
		r = files_read(host, "token", &files.token);
	if (r >= 0)
		r = read_token(fetcher, &files.token);
	if (r >= 0)
		r = make_tls(fetcher, &files);
	files_done(&files);
	return r;
}

/* What libcurl and OpenSSL load on their first use is loaded now. */
static int prepare(void)
{
	CURL *curl;

	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK || !crypto_prepare())
		return -EIO;
	curl = curl_easy_init();
	curl_easy_cleanup(curl);
	return curl ? 0 : -ENOMEM;
}

int fetcher_new(const struct plan *plan, unsigned sessions, uint64_t *numbers, struct fetcher **ret_fetcher)
{
	struct fetcher *fetcher = calloc(1, sizeof(*fetcher));
	int r;

	if (!fetcher)
		return -ENOMEM;
	*fetcher = (struct fetcher){.host = plan->host, .plan = plan, .sessions_gauge = sessions, .numbers = numbers};
	r = prepare();
	if (r >= 0)
		r = load(fetcher);
	if (r >= 0)
		r = fetch_multi_new(fetcher);
	if (r < 0) {
		fetcher_free(fetcher);
		return r;
	}
	*ret_fetcher = fetcher;
	return 0;
}

void fetcher_free(struct fetcher *fetcher)
{
	if (!fetcher)
		return;
	while (fetcher->fetches)
		fetch_forget(fetcher->fetches);
	fetch_multi_free(fetcher);
	while (fetcher->sessions)
		fetcher_closed(fetcher, fetcher->sessions->fd);
	for (struct fetch_name *name = fetcher->names, *next; name; name = next) {
		next = name->next;
		free(name);
	}
	tls_unref(fetcher->tls);
	if (fetcher->token)
		crypto_wipe(fetcher->token, strlen(fetcher->token));
	free(fetcher->token);
	free(fetcher);
}

struct fetch_name *fetcher_name(struct fetcher *fetcher, const char *text)
{
	struct fetch_name *name = fetcher->names;
	size_t size = strlen(text) + 1;

	while (name && strcmp(name->name, text) != 0)
		name = name->next;
	if (name)
		return name;
	name = calloc(1, sizeof(*name) + size);
	if (!name)
		return NULL;
	memcpy(name->name, text, size);
	name->handshake.server_name = name->name;
	name->next = fetcher->names;
	fetcher->names = name;
	return name;
}

bool fetcher_opened(struct fetcher *fetcher, int fd)
{
	struct fetch_session *session = calloc(1, sizeof(*session));

	if (!session)
		return false;
	*session = (struct fetch_session){.next = fetcher->sessions, .fd = fd};
	fetcher->sessions = session;
	return true;
}

static bool is_at_port(int fd, int port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage space;
	} address;
	socklen_t size = sizeof(address);

	if (getsockname(fd, &address.any, &size) < 0)
		return false;
	return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port) == port;
}

/* libcurl tells the number of a socket only when the transfer is over. */
void fetcher_connected(struct fetcher *fetcher, CURL *curl, int local_port)
{
	struct curl_tlssessioninfo *info = NULL;
	struct fetch_session *session = fetcher->sessions;

	while (session && !is_at_port(session->fd, local_port))
		session = session->next;
	if (!session || session->handle || curl_easy_getinfo(curl, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || !info ||
	    !info->internals || info->backend != CURLSSLBACKEND_OPENSSL)
		return;
	session->ssl = info->internals;
	session->handle = ++*fetcher->numbers;
	if (tell_session(fetcher->host, session->fd, session->ssl, session->handle))
		fetcher->host->gauge(fetcher->host, fetcher->sessions_gauge, ++fetcher->n_sessions);
	else
		session->handle = 0;
}

void fetcher_closed(struct fetcher *fetcher, int fd)
{
	struct fetch_session **at = &fetcher->sessions, *session;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	session = *at;
	if (!session)
		return;
	*at = session->next;
	if (session->handle) {
		fetcher->host->session_ended(fetcher->host, session->handle);
		fetcher->host->gauge(fetcher->host, fetcher->sessions_gauge, --fetcher->n_sessions);
	}
	free(session);
}

void fetcher_joined(const struct fetcher *fetcher)
{
	for (const struct fetch_session *session = fetcher->sessions; session; session = session->next)
		if (session->handle)
			tell_session(fetcher->host, session->fd, session->ssl, session->handle);
}
