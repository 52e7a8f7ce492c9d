/* SPDX-License-Identifier: Apache-2.0 */
#include "renew/est.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <tidegate/adapter.h>
#include <time.h>

#include "base/bytes.h"
#include "renew/est_url.h"

enum { HEADERS_MAX = 64 * 1024, CONNECT_TIMEOUT_S = 20, SLOW_BYTES = 16, SLOW_S = 20 };

struct est {
	const struct est_settings *settings;
	struct est_url url;
	struct curl_slist *resolved;
};

/* One request, as the callbacks see it. */
struct asking {
	const struct est *est;
	const struct est_proof *proof;
	struct est_reply *reply;
	size_t headers;
	bool too_large;
};

int est_prepare(void)
{
	unsigned char seed[16];
	SSL_CTX *context;
	CURL *curl;

	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		return -EIO;
	tzset();
	context = SSL_CTX_new(TLS_client_method());
	curl = curl_easy_init();
	SSL_CTX_free(context);
	curl_easy_cleanup(curl);
	ERR_clear_error();
	return context && curl && RAND_bytes(seed, sizeof(seed)) == 1 ? 0 : -EIO;
}

int est_new(const struct est_settings *settings, char ret_cause[EST_CAUSE_SIZE], struct est **ret_est)
{
	CLEANUP(est_freep) struct est *est = calloc(1, sizeof(*est));
	char *line = NULL;
	int r;

	snprintf(ret_cause, EST_CAUSE_SIZE, "%s", strerror(ENOMEM));
	if (!est)
		return -ENOMEM;
	est->settings = settings;
	r = est_url_parse(settings->url, &est->url);
	if (r < 0) {
		snprintf(ret_cause, EST_CAUSE_SIZE, "\"%s\" is not of the form https://host[:port][/path]",
			 settings->url);
		return r;
	}
	r = est_url_resolve(&est->url, ret_cause, EST_CAUSE_SIZE, &line);
	if (r < 0)
		return r;
	est->resolved = line ? curl_slist_append(NULL, line) : NULL;
	r = line && !est->resolved ? -ENOMEM : 0;
	free(line);
	if (r < 0)
		return r;
	*ret_est = est;
	est = NULL;
	return 0;
}

void est_free(struct est *est)
{
	if (!est)
		return;
	curl_slist_free_all(est->resolved);
	est_url_done(&est->url);
	free(est);
}

static bool add_trust(SSL_CTX *context, const STACK_OF(X509) * trust)
{
	X509_STORE *store = X509_STORE_new();
	bool good = store != NULL;

	for (int i = 0; i < sk_X509_num(trust) && good; i++)
		good = X509_STORE_add_cert(store, sk_X509_value(trust, i)) == 1;
	if (good)
		SSL_CTX_set_cert_store(context, store);
	else
		X509_STORE_free(store);
	return good;
}

static bool show(SSL_CTX *context, const struct est_proof *proof)
{
	bool good = SSL_CTX_use_certificate(context, sk_X509_value(proof->chain, 0)) == 1;

	for (int i = 1; i < sk_X509_num(proof->chain) && good; i++)
		good = SSL_CTX_add1_chain_cert(context, sk_X509_value(proof->chain, i)) == 1;
	return good && SSL_CTX_use_PrivateKey(context, proof->key) == 1;
}

/* The macros of OpenSSL for these drop const. */
static bool set_list(SSL_CTX *context, int what, const char *list)
{
	union {
		const char *lent;
		char *asked;
	} text = {.lent = list};

	return SSL_CTX_ctrl(context, what, 0, text.asked) == 1;
}

/* Set last, so that nothing of libcurl's own choice is left. */
static bool set_policy(SSL_CTX *context, const struct tg_crypto *crypto)
{
	SSL_CTX_set_security_level(context, (int)crypto->level);
	return SSL_CTX_set_min_proto_version(context, (int)crypto->tls_min) == 1 &&
	       SSL_CTX_set_max_proto_version(context, (int)crypto->tls_max) == 1 &&
	       SSL_CTX_set_ciphersuites(context, crypto->tls13_suites) == 1 &&
	       (!*crypto->tls12_suites || SSL_CTX_set_cipher_list(context, crypto->tls12_suites) == 1) &&
	       set_list(context, SSL_CTRL_SET_GROUPS_LIST, crypto->groups) &&
	       set_list(context, SSL_CTRL_SET_SIGALGS_LIST, crypto->signatures);
}

/* libcurl's context gets our policy, our trust, our time and our certificate from memory; host name and peer are checked by libcurl. */
static CURLcode on_context(CURL *curl, void *context, void *arg)
{
	const struct asking *asking = arg;
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);

	(void)curl;
	X509_VERIFY_PARAM_set_time(param, (time_t)asking->est->settings->now_s);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	if (!set_policy(context, asking->est->settings->crypto) || !add_trust(context, asking->est->settings->trust) ||
	    (asking->proof->chain && !show(context, asking->proof)))
		return CURLE_SSL_CERTPROBLEM;
	return CURLE_OK;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct asking *asking = arg;
	struct est_reply *reply = asking->reply;
	char *body;

	n *= size;
	asking->too_large = n > EST_BODY_MAX - reply->size;
	body = asking->too_large ? NULL : realloc(reply->body, reply->size + n + 1);
	if (!body)
		return 0;
	memcpy(body + reply->size, data, n);
	reply->body = body;
	reply->size += n;
	body[reply->size] = 0;
	return n;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct asking *asking = arg;

	(void)data;
	asking->headers += n * size;
	asking->too_large |= asking->headers > HEADERS_MAX;
	return asking->too_large ? 0 : n * size;
}

static bool set_limits(CURL *curl, const struct est *est)
{
	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)est->settings->timeout_s) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)EST_BODY_MAX) == CURLE_OK &&
	       (!est->resolved || curl_easy_setopt(curl, CURLOPT_RESOLVE, est->resolved) == CURLE_OK);
}

/* No file of the system is trusted: what counts is added in on_context. */
static bool set_tls(CURL *curl, struct asking *asking)
{
	return curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CAINFO, NULL) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_context) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, asking) == CURLE_OK;
}

static bool set_password(CURL *curl, const struct est_proof *proof)
{
	return !proof->password ||
	       (curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
		curl_easy_setopt(curl, CURLOPT_USERNAME, proof->username ? proof->username : "") == CURLE_OK &&
		curl_easy_setopt(curl, CURLOPT_PASSWORD, proof->password) == CURLE_OK);
}

static bool set_request(CURL *curl, const char *url, const char *request, struct curl_slist *headers,
			struct asking *asking)
{
	bool good = curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
		    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
		    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
		    curl_easy_setopt(curl, CURLOPT_WRITEDATA, asking) == CURLE_OK &&
		    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
		    curl_easy_setopt(curl, CURLOPT_HEADERDATA, asking) == CURLE_OK;

	if (good && request)
		good = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(request)) == CURLE_OK &&
		       curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request) == CURLE_OK;
	return good;
}

static struct curl_slist *make_headers(bool with_request)
{
	static const char *const lines[] = {"Content-Type: application/pkcs10", "Content-Transfer-Encoding: base64",
					    "Expect:"};
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/pkcs7-mime");

	for (size_t i = 0; headers && with_request && i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct curl_slist *longer = curl_slist_append(headers, lines[i]);

		if (!longer)
			curl_slist_free_all(headers);
		headers = longer;
	}
	return headers;
}

static void say_why(const struct asking *asking, CURLcode code, const char *detail)
{
	struct est_reply *reply = asking->reply;

	if (asking->too_large || code == CURLE_FILESIZE_EXCEEDED)
		detail = "the answer is too large";
	else if (!*detail)
		detail = curl_easy_strerror(code);
	snprintf(reply->cause, sizeof(reply->cause), "%s", detail);
	reply->status = 0;
	reply->refused_us = !asking->too_large && (code == CURLE_SSL_CONNECT_ERROR || code == CURLE_RECV_ERROR ||
						   code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING);
}

static int perform(CURL *curl, struct asking *asking)
{
	struct est_reply *reply = asking->reply;
	char detail[CURL_ERROR_SIZE] = "";
	curl_off_t retry_s = 0;
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	code = curl_easy_perform(curl);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	ERR_clear_error();
	if (code != CURLE_OK) {
		say_why(asking, code, detail);
		return -EIO;
	}
	if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_s) == CURLE_OK && retry_s > 0)
		reply->retry_after_s = retry_s;
	return 0;
}

int est_ask(struct est *est, const char *operation, const char *request, const struct est_proof *proof,
	    struct est_reply *ret_reply)
{
	struct asking asking = {.est = est, .proof = proof, .reply = ret_reply};
	struct curl_slist *headers = make_headers(request != NULL);
	char url[EST_URL_MAX + 64];
	CURL *curl = curl_easy_init();
	int r = -EIO;

	*ret_reply = (struct est_reply){.cause = "out of memory"};
	snprintf(url, sizeof(url), "%s/%s", est->url.base, operation);
	if (curl && headers && set_limits(curl, est) && set_tls(curl, &asking) && set_password(curl, proof) &&
	    set_request(curl, url, request, headers, &asking))
		r = perform(curl, &asking);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	return r;
}

void est_reply_done(struct est_reply *reply)
{
	free(reply->body);
	*reply = (struct est_reply){0};
}
