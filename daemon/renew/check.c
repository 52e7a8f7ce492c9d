/* SPDX-License-Identifier: Apache-2.0 */
#include "renew/check.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "renew/answer.h"
#include "renew/handshake.h"
#include "renew/names.h"

enum {
	SECURITY_LEVEL = 2,      /* of OpenSSL: 112 bits, which shuts out RSA below 2048 and SHA-1 */
	SLOW_CLOCK_S = 24 * 3600 /* a fresh certificate may begin so late by our clock, which then is behind */
};

static int refuse(char cause[CHECK_CAUSE_SIZE], const char *what, const char *detail)
{
	snprintf(cause, CHECK_CAUSE_SIZE, "%s%s%s%s", what, detail ? " (" : "", detail ? detail : "",
		 detail ? ")" : "");
	ERR_clear_error();
	return -EKEYREJECTED;
}

static X509 *find_own(const struct check *check, const STACK_OF(X509) * given)
{
	X509 *own = NULL;

	for (int i = 0; i < sk_X509_num(given) && !own; i++) {
		if (X509_check_private_key(sk_X509_value(given, i), check->key) == 1)
			own = sk_X509_value(given, i);
	}
	ERR_clear_error();
	return own;
}

static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? clock_seconds(&tm) : INT64_MAX;
}

static int check_time(const struct check *check, const X509 *own, char cause[CHECK_CAUSE_SIZE])
{
	if (seconds_of(X509_get0_notAfter(own)) <= check->now_s || seconds_of(X509_get0_notAfter(own)) == INT64_MAX)
		return refuse(cause, "the new certificate has expired already", NULL);
	if (seconds_of(X509_get0_notBefore(own)) > check->now_s + SLOW_CLOCK_S)
		return refuse(cause, "the new certificate is not valid yet", NULL);
	return 0;
}

static int check_use(const struct check *check, X509 *own, char cause[CHECK_CAUSE_SIZE])
{
	int purpose = check->server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT;

	if (X509_check_purpose(own, purpose, 0) == 1)
		return 0;
	return refuse(cause,
		      check->server ? "the new certificate is not for a server"
				    : "the new certificate is not for a client",
		      "extended key usage");
}

static int check_name(const struct check *check, const X509 *own, char cause[CHECK_CAUSE_SIZE])
{
	char detail[160];

	if (check->old ? names_same(own, check->old, detail, sizeof(detail))
		       : names_is(own, check->common_name, detail, sizeof(detail)))
		return 0;
	return refuse(cause, "the new certificate is for another name", detail);
}

static int add_all(X509_STORE *store, const STACK_OF(X509) * anchors)
{
	for (int i = 0; i < sk_X509_num(anchors); i++) {
		if (X509_STORE_add_cert(store, sk_X509_value(anchors, i)) != 1)
			return -ENOMEM;
	}
	return 0;
}

/* The chain without its root, which the peer has. */
static int take_chain(STACK_OF(X509) * chain, STACK_OF(X509) * *ret_chain)
{
	int last = sk_X509_num(chain) - 1;

	if (last > 0 && X509_self_signed(sk_X509_value(chain, last), 0) == 1)
		X509_free(sk_X509_pop(chain));
	*ret_chain = chain;
	return 0;
}

static int verify(const struct check *check, X509 *own, STACK_OF(X509) * others, char cause[CHECK_CAUSE_SIZE],
		  STACK_OF(X509) * *ret_chain)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	STACK_OF(X509) *chain = NULL;
	int r = store && context ? add_all(store, check->anchors) : -ENOMEM;

	if (r >= 0 && X509_STORE_CTX_init(context, store, own, others) != 1)
		r = -ENOMEM;
	if (r >= 0) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);

		int64_t begins_s = seconds_of(X509_get0_notBefore(own));

		X509_VERIFY_PARAM_set_time(param, (time_t)(begins_s > check->now_s ? begins_s : check->now_s));
		X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
		if (X509_verify_cert(context) != 1) {
			r = refuse(cause, "the new certificate does not stand under the trust given",
				   X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
		} else {
			chain = X509_STORE_CTX_get1_chain(context);
			r = chain ? take_chain(chain, ret_chain) : -ENOMEM;
		}
	}
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	ERR_clear_error();
	return r;
}

/* Without anchors: the certificate first, then what came with it in its order, without roots. */
static int order(X509 *own, const STACK_OF(X509) * given, STACK_OF(X509) * *ret_chain)
{
	CLEANUP(answer_freep) STACK_OF(X509) *chain = sk_X509_new_null();
	bool good = chain && X509_add_cert(chain, own, X509_ADD_FLAG_UP_REF) == 1;

	for (int i = 0; i < sk_X509_num(given) && good; i++) {
		X509 *next = sk_X509_value(given, i);

		if (next != own && X509_self_signed(next, 0) != 1)
			good = X509_add_cert(chain, next, X509_ADD_FLAG_UP_REF) == 1;
	}
	ERR_clear_error();
	if (!good)
		return -ENOMEM;
	*ret_chain = chain;
	chain = NULL;
	return 0;
}

/* Whatever may belong to the chain. Ownership: answer_free. */
static STACK_OF(X509) * collect(const struct check *check, STACK_OF(X509) * given)
{
	STACK_OF(X509) *others = sk_X509_new_null();

	if (others && X509_add_certs(others, given, X509_ADD_FLAG_UP_REF) == 1 &&
	    (!check->untrusted || X509_add_certs(others, check->untrusted, X509_ADD_FLAG_UP_REF) == 1))
		return others;
	answer_free(others);
	return NULL;
}

int check_certificates(const struct check *check, struct stack_st_X509 *given, char ret_cause[CHECK_CAUSE_SIZE],
		       struct stack_st_X509 **ret_chain)
{
	CLEANUP(answer_freep) STACK_OF(X509) *chain = NULL, *others = NULL;
	X509 *own = find_own(check, given);
	char detail[128] = "";
	int r;

	snprintf(ret_cause, CHECK_CAUSE_SIZE, "%s", strerror(ENOMEM));
	if (!own)
		return refuse(ret_cause, "the certificate that came back is of another key", NULL);
	others = collect(check, given);
	r = others ? check_time(check, own, ret_cause) : -ENOMEM;
	if (r >= 0)
		r = check_name(check, own, ret_cause);
	if (r >= 0)
		r = check_use(check, own, ret_cause);
	if (r >= 0)
		r = check->anchors ? verify(check, own, others, ret_cause, &chain) : order(own, given, &chain);
	if (r < 0)
		return r;
	r = handshake_try(chain, check->key, check->server, detail, sizeof(detail));
	if (r == -EKEYREJECTED)
		return refuse(ret_cause, "no handshake works with the new certificate", detail);
	if (r < 0)
		return r;
	*ret_chain = chain;
	chain = NULL;
	return 0;
}
