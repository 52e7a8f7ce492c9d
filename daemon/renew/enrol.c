/* SPDX-License-Identifier: Apache-2.0 */
#include "renew/enrol.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "renew/answer.h"
#include "renew/check.h"
#include "renew/enrol_inside.h"
#include "renew/files.h"
#include "renew/key.h"
#include "renew/request.h"

enum { PASSWORD_MAX = 1024 };

X509 *enrol_old(const struct enrol *enrol)
{
	return enrol->old ? sk_X509_value(enrol->old, 0) : NULL;
}

void enrol_free(struct enrol *enrol)
{
	if (!enrol)
		return;
	answer_free(enrol->old);
	answer_free(enrol->trust);
	answer_free(enrol->issuers);
	key_free(enrol->old_key);
	key_free(enrol->key);
	request_free(enrol->request);
	if (enrol->password)
		OPENSSL_cleanse(enrol->password, strlen(enrol->password));
	free(enrol->password);
	free(enrol);
}

/* Reads the file, if there is one. */
static int read_file(const struct enrol *enrol, enum job_file file, const char *name, struct buffer *ret_text,
		     struct outcome *outcome)
{
	int r;

	buffer_init(ret_text, FILES_MAX);
	if (enrol->job->fds[file] < 0)
		return 0;
	r = files_read(enrol->job->fds[file], ret_text);
	return r < 0 ? outcome_fail(outcome, r, "%s cannot be read (%s)", name, strerror(-r)) : 0;
}

/* An old certificate that cannot be read is as good as none: then the password counts. */
static int read_old(struct enrol *enrol, struct outcome *outcome)
{
	struct buffer certificate, key;
	int r = read_file(enrol, JOB_CERTIFICATE, "the old certificate", &certificate, outcome);

	if (r < 0)
		return r;
	r = read_file(enrol, JOB_KEY, "the old key", &key, outcome);
	if (r >= 0 && answer_parse_pem(bytes_of_buffer(&certificate), &enrol->old) == -ENOMEM)
		r = outcome_fail(outcome, -ENOMEM, "out of memory");
	if (r >= 0 && enrol->old && key_read(bytes_of_buffer(&key), &enrol->old_key) >= 0 &&
	    X509_check_private_key(enrol_old(enrol), enrol->old_key) != 1) {
		key_free(enrol->old_key);
		enrol->old_key = NULL;
	}
	buffer_done(&certificate);
	buffer_done(&key);
	return r;
}

static int read_trust(struct enrol *enrol, struct outcome *outcome)
{
	struct buffer text;
	int r = read_file(enrol, JOB_TRUST, "the trust", &text, outcome);

	if (r < 0 || enrol->job->fds[JOB_TRUST] < 0)
		return r;
	if (answer_parse_pem(bytes_of_buffer(&text), &enrol->trust) < 0)
		r = outcome_fail(outcome, -EINVAL, "no certificate in PEM form can be read from the trust");
	buffer_done(&text);
	return r;
}

static int read_password(struct enrol *enrol, struct outcome *outcome)
{
	struct buffer text;
	size_t size;
	int r = read_file(enrol, JOB_PASSWORD, "the password", &text, outcome);

	if (r < 0 || enrol->job->fds[JOB_PASSWORD] < 0)
		return r;
	size = buffer_size(&text);
	while (size > 0 && (buffer_data(&text)[size - 1] == '\n' || buffer_data(&text)[size - 1] == '\r'))
		size--;
	if (size == 0 || size > PASSWORD_MAX || memchr(buffer_data(&text), 0, size))
		r = outcome_fail(outcome, -EINVAL, "the password is empty, too long or has a zero byte");
	else
		enrol->password = strndup((const char *)buffer_data(&text), size);
	buffer_done(&text);
	return r >= 0 && !enrol->password ? outcome_fail(outcome, -ENOMEM, "out of memory") : r;
}

/* Key and request of an earlier try, as long as they fit. */
static bool read_pending(struct enrol *enrol)
{
	struct buffer text;
	bool fits;

	if (files_read(enrol->job->fds[JOB_PENDING], &text) < 0)
		return false;
	fits = key_read(bytes_of_buffer(&text), &enrol->key) >= 0 &&
	       request_read(bytes_of_buffer(&text), &enrol->request) >= 0 &&
	       request_fits(enrol->request, enrol->key, enrol_old(enrol), enrol->job->common_name);
	buffer_done(&text);
	if (!fits) {
		key_free(enrol->key);
		request_free(enrol->request);
		enrol->key = NULL;
		enrol->request = NULL;
	}
	return fits;
}

/* The kind of the old key is that of the old certificate, also where the key itself is not at hand. */
static int make_pending(struct enrol *enrol, struct outcome *outcome)
{
	int fd = enrol->job->fds[JOB_PENDING];
	int r = key_make(enrol->old ? X509_get0_pubkey(enrol_old(enrol)) : NULL, &enrol->key);

	if (r < 0)
		return outcome_fail(outcome, r, "no key can be made");
	r = request_make(enrol->key, enrol_old(enrol), enrol->job->common_name, &enrol->request);
	if (r < 0)
		return outcome_fail(outcome, r, "no request for a certificate can be made of the name");
	r = ftruncate(fd, 0) < 0 ? -errno : files_write(fd, NULL, enrol->key, enrol->request);
	if (r >= 0 && fsync(fd) < 0)
		r = -errno;
	return r < 0 ? outcome_fail(outcome, r, "the new key cannot be written (%s)", strerror(-r)) : 0;
}

int enrol_prepare(const struct job *job, struct outcome *ret_outcome, struct enrol **ret_enrol)
{
	CLEANUP(enrol_freep) struct enrol *enrol = calloc(1, sizeof(*enrol));
	int r;

	*ret_outcome = (struct outcome){.good = false};
	if (!enrol)
		return outcome_fail(ret_outcome, -ENOMEM, "out of memory");
	enrol->job = job;
	r = read_old(enrol, ret_outcome);
	if (r >= 0)
		r = read_trust(enrol, ret_outcome);
	if (r >= 0)
		r = read_password(enrol, ret_outcome);
	if (r < 0)
		return r;
	if (!read_pending(enrol)) {
		if (job->kind == JOB_CHECK)
			return outcome_fail(ret_outcome, -ENOENT, "the key of the request is gone");
		r = make_pending(enrol, ret_outcome);
	}
	if (r < 0)
		return r;
	*ret_enrol = enrol;
	enrol = NULL;
	return 0;
}

static int read_answer(const struct enrol *enrol, struct outcome *outcome, STACK_OF(X509) * *ret_given)
{
	struct buffer text;
	int r = read_file(enrol, JOB_ANSWER, "the certificate", &text, outcome);

	if (r < 0)
		return r;
	r = answer_parse_pem(bytes_of_buffer(&text), ret_given);
	buffer_done(&text);
	return r < 0 ? outcome_fail(outcome, r, "no certificate in PEM form was put in place") : 0;
}

/* What the server says of its authority counts as much as the server itself (RFC 7030 section 4.1.3): it stands under the trust. */
static int add_issuers(STACK_OF(X509) * anchors, const struct enrol *enrol)
{
	for (int i = 0; i < sk_X509_num(enrol->issuers); i++) {
		X509 *issuer = sk_X509_value(enrol->issuers, i);

		if (X509_self_signed(issuer, 1) == 1 && X509_add_cert(anchors, issuer, X509_ADD_FLAG_UP_REF) != 1)
			return -ENOMEM;
	}
	return 0;
}

static int check_and_write(struct enrol *enrol, STACK_OF(X509) * given, struct outcome *outcome)
{
	CLEANUP(answer_freep) STACK_OF(X509) *anchors = enrol->trust ? X509_chain_up_ref(enrol->trust) : NULL;
	CLEANUP(answer_freep) STACK_OF(X509) *chain = NULL;
	const struct check check = {.key = enrol->key,
				    .old = enrol_old(enrol),
				    .common_name = enrol->job->common_name,
				    .anchors = anchors,
				    .untrusted = enrol->issuers,
				    .now_s = enrol->job->now_s,
				    .server = enrol->job->server};
	char cause[CHECK_CAUSE_SIZE];
	int r;

	if (enrol->trust && (!anchors || add_issuers(anchors, enrol) < 0))
		return outcome_fail(outcome, -ENOMEM, "out of memory");
	r = check_certificates(&check, given, cause, &chain);
	if (r < 0) {
		outcome->drop = r == -EKEYREJECTED;
		return outcome_fail(outcome, r, "%s", cause);
	}
	r = files_write(enrol->job->fds[JOB_RESULT], chain, enrol->key, NULL);
	return r < 0 ? outcome_fail(outcome, r, "the new certificate cannot be written (%s)", strerror(-r)) : 0;
}

int enrol_run(struct enrol *enrol, struct outcome *ret_outcome)
{
	CLEANUP(answer_freep) STACK_OF(X509) *given = NULL;
	int r;

	*ret_outcome = (struct outcome){.how = enrol->job->kind == JOB_REQUEST ? "request" : "check"};
	if (enrol->job->kind == JOB_REQUEST) {
		r = files_write(enrol->job->fds[JOB_OUT_REQUEST], NULL, NULL, enrol->request);
		if (r < 0)
			return outcome_fail(ret_outcome, r, "the request cannot be written (%s)", strerror(-r));
	} else {
		r = enrol->job->kind == JOB_ENROLL ? enrol_over_est(enrol, ret_outcome, &given)
						   : read_answer(enrol, ret_outcome, &given);
		if (r >= 0)
			r = check_and_write(enrol, given, ret_outcome);
	}
	ret_outcome->good = r >= 0;
	return r;
}
