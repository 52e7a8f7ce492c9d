/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "renew/answer.h"
#include "renew/enrol_inside.h"
#include "renew/est.h"
#include "renew/request.h"

enum { RETRY_DEFAULT_S = 60 };

/* What a server says about a refusal may be put into one line (RFC 7030 section 4.2.3: plain text for people). */
enum { WORDS_MAX = 160 };

static bool is_valid_now(const struct enrol *enrol)
{
	time_t now = (time_t)enrol->job->now_s;
	const X509 *old = enrol_old(enrol);
	bool valid = old && X509_cmp_time(X509_get0_notBefore(old), &now) < 0 &&
		     X509_cmp_time(X509_get0_notAfter(old), &now) > 0;

	ERR_clear_error();
	return valid;
}

/* A certificate from the server is held against the trust given also without them: only that no answer comes at all is a failure. */
static int get_issuers(struct enrol *enrol, struct est *est, const struct est_proof *proof, struct est_reply *ret_reply)
{
	int r = est_ask(est, "cacerts", NULL, proof, ret_reply);
	const struct tg_bytes body = bytes_of(ret_reply->body, ret_reply->size);

	answer_free(enrol->issuers);
	enrol->issuers = NULL;
	if (r >= 0 && ret_reply->status == 200 && answer_parse(body, &enrol->issuers) < 0)
		enrol->issuers = NULL;
	return r;
}

static int refused(struct outcome *outcome, const struct est_reply *reply, const char *operation)
{
	const char *words = reply->body ? reply->body : "";
	size_t size = strcspn(words, "\r\n");

	outcome->retry_after_s = reply->retry_after_s;
	if (reply->status == 202) {
		if (outcome->retry_after_s <= 0)
			outcome->retry_after_s = RETRY_DEFAULT_S;
		return outcome_fail(outcome, -EAGAIN, "the EST server wants to be asked again in %lld s (%s: 202)",
				    (long long)outcome->retry_after_s, operation);
	}
	/* It may be the key or the request that it does not like; the next try makes new ones. */
	outcome->drop = reply->status >= 400 && reply->status < 500;
	if (reply->status >= 300 && reply->status < 400)
		return outcome_fail(outcome, -EPROTO,
				    "the EST server sends us elsewhere (%s: %ld), which is not followed", operation,
				    reply->status);
	return outcome_fail(outcome, -EPROTO, "the EST server refuses (%s: %ld%s%.*s)", operation, reply->status,
			    size ? ", " : "", (int)(size > WORDS_MAX ? WORDS_MAX : size), words);
}

static int take_answer(struct outcome *outcome, const struct est_reply *reply, const char *operation,
		       STACK_OF(X509) * *ret_given)
{
	int r;

	if (reply->status != 200)
		return refused(outcome, reply, operation);
	r = answer_parse(bytes_of(reply->body, reply->size), ret_given);
	return r < 0 ? outcome_fail(outcome, r, "the EST server's answer is not a certificate (%s)", operation) : 0;
}

/* One way of asking. `*ret_other`: another proof may help. */
static int ask(struct enrol *enrol, struct est *est, bool with_certificate, struct outcome *outcome, bool *ret_other,
	       STACK_OF(X509) * *ret_given)
{
	const struct est_proof proof = {.chain = with_certificate ? enrol->old : NULL,
					.key = with_certificate ? enrol->old_key : NULL,
					.username = with_certificate ? NULL : enrol->job->username,
					.password = with_certificate ? NULL : enrol->password};
	const char *operation = with_certificate ? "simplereenroll" : "simpleenroll";
	CLEANUP_FREE char *request = request_to_base64(enrol->request);
	struct est_reply reply;
	int r;

	if (!request)
		return outcome_fail(outcome, -ENOMEM, "out of memory");
	outcome->how = operation;
	r = get_issuers(enrol, est, &proof, &reply);
	if (r >= 0) {
		est_reply_done(&reply);
		r = est_ask(est, operation, request, &proof, &reply);
	}
	*ret_other = reply.refused_us || reply.status == 401 || reply.status == 403;
	if (r < 0)
		outcome_fail(outcome, r, "no answer from the EST server (%s)", reply.cause);
	else
		r = take_answer(outcome, &reply, operation, ret_given);
	est_reply_done(&reply);
	return r;
}

static int ask_in_order(struct enrol *enrol, struct est *est, struct outcome *outcome, STACK_OF(X509) * *ret_given)
{
	bool has_certificate = enrol->old && enrol->old_key, other = true;
	char first[OUTCOME_TEXT];
	int r = -EPROTO;

	/* An expired one is worth a try only where there is nothing else. */
	if (has_certificate && (is_valid_now(enrol) || !enrol->password))
		r = ask(enrol, est, true, outcome, &other, ret_given);
	if (r >= 0 || !other || !enrol->password)
		return r;
	memcpy(first, outcome->error, sizeof(first));
	r = ask(enrol, est, false, outcome, &other, ret_given);
	if (r < 0 && r != -EAGAIN && *first) {
		CLEANUP_FREE char *second = strdup(outcome->error);

		outcome_fail(outcome, r, "%.200s; with the password: %.250s", first, second ? second : "");
	}
	return r;
}

int enrol_over_est(struct enrol *enrol, struct outcome *ret_outcome, STACK_OF(X509) * *ret_given)
{
	const struct est_settings settings = {.url = enrol->job->url,
					      .trust = enrol->trust,
					      .crypto = enrol->job->crypto,
					      .now_s = enrol->job->now_s,
					      .timeout_s = enrol->job->timeout_s};
	CLEANUP(est_freep) struct est *est = NULL;
	char cause[EST_CAUSE_SIZE];
	int r;

	if (!enrol->trust)
		return outcome_fail(ret_outcome, -EINVAL, "no trust for the EST server");
	if (!(enrol->old && enrol->old_key) && !enrol->password)
		return outcome_fail(ret_outcome, -EINVAL,
				    "neither a certificate nor a password to show to the EST server");
	r = est_new(&settings, cause, &est);
	if (r < 0)
		return outcome_fail(ret_outcome, r, "%s", cause);
	return ask_in_order(enrol, est, ret_outcome, ret_given);
}
