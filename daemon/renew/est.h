/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RENEW_EST_H
#define RENEW_EST_H

/*
 * One conversation with an EST server (RFC 7030), and the one door to libcurl: https only, the server's certificate and name always
 * checked, no redirect followed, no proxy, everything bounded in size and time. The server's name is looked up here, so that libcurl
 * starts no thread for it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/cleanup.h"

struct evp_pkey_st;
struct stack_st_X509;

struct tg_crypto;

enum { EST_CAUSE_SIZE = 320, EST_BODY_MAX = 256 * 1024 };

struct est_settings {
	const char *url; /* https://host[:port][/path]; without a path it is /.well-known/est */
	struct stack_st_X509 *trust;
	const struct tg_crypto *crypto;
	int64_t now_s; /* wall time, for the server's certificate */
	int64_t timeout_s;
};

/* How we prove who we are; members may be NULL. */
struct est_proof {
	struct stack_st_X509 *chain; /* our certificate first */
	struct evp_pkey_st *key;
	const char *username;
	const char *password;
};

struct est_reply {
	long status; /* of HTTP; 0: none came */
	bool refused_us; /* status 0: the server ended the handshake, which it does where it does not like our certificate */
	int64_t retry_after_s; /* 0: not said */
	char *body;            /* terminated */
	size_t size;
	char cause[EST_CAUSE_SIZE]; /* status 0: why */
};

struct est;

/* Checks the address and looks its name up. Before the sandbox is shut, call est_prepare. Blocks: for the look-up. Ownership: the
 * settings stay the caller's until est_free. Errors: -EINVAL, -EHOSTUNREACH: `ret_cause` says why; -ENOMEM. */
int est_new(const struct est_settings *settings, char ret_cause[EST_CAUSE_SIZE], struct est **ret_est) WARN_UNUSED;
void est_free(struct est *est); /* accepts NULL */
CLEANUP_DEFINE(struct est *, est_free)

/* What libcurl and OpenSSL load on their first use is loaded now. Errors: -EIO. */
int est_prepare(void) WARN_UNUSED;

/* GET of "cacerts"; POST of "simpleenroll" or "simplereenroll" where there is a `request` (base64). Blocks: up to the timeout.
 * Ownership: est_reply_done. Errors: -EIO: no answer came, ret_reply->cause says why. */
int est_ask(struct est *est, const char *operation, const char *request, const struct est_proof *proof,
	    struct est_reply *ret_reply) WARN_UNUSED;
void est_reply_done(struct est_reply *reply);

#endif
