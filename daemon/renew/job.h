/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RENEW_JOB_H
#define RENEW_JOB_H

/*
 * What the core wants done, once: a JSON object on standard input, and the files as descriptors that are open already. The answer is
 * one JSON object on standard output; keys and certificates go from descriptor to descriptor, never through arguments, environment or
 * these objects.
 *
 *   {"job": "enroll", "endpoint": "cloud", "now_s": 1790000000, "server": false, "timeout_s": 60, "common_name": "hall-3",
 *    "crypto": "modern", "url": "https://est.example.com", "username": "hall-3",
 *    "files": {"certificate": 3, "key": 4, "trust": 5, "password": 6, "pending": 7, "result": 8}}
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "wire/crypto.h"

enum job_kind {
	JOB_ENROLL,  /* over EST: certificate and key to `result` */
	JOB_REQUEST, /* a request for somebody else's tools, to `request` */
	JOB_CHECK    /* what they made of it, from `answer`: certificate and key to `result` */
};

enum job_file {
	JOB_CERTIFICATE, /* the one that is to be renewed, and its chain; may be missing */
	JOB_KEY,         /* its key; may be missing */
	JOB_TRUST,       /* anchors of the EST server, and of what it issues */
	JOB_PASSWORD,    /* one line; may be missing */
	JOB_PENDING,     /* key and request that wait for their certificate; read and written */
	JOB_RESULT,      /* written */
	JOB_OUT_REQUEST, /* written */
	JOB_ANSWER,
	JOB_FILES
};

struct job {
	enum job_kind kind;
	char *endpoint;
	char *url;
	char *username;
	char *common_name;
	const struct tg_crypto *crypto; /* of "crypto", by default the first of the policies */
	bool server;
	int64_t now_s; /* wall time */
	int64_t timeout_s;
	int fds[JOB_FILES]; /* -1: missing */
};

enum { JOB_TEXT_MAX = 64 * 1024 };

/* Errors: -EINVAL: not a job; -ENOMEM. Ownership: job_done; the descriptors stay open until the process ends. */
int job_parse(const char *text, size_t size, struct job *ret_job) WARN_UNUSED;
void job_done(struct job *job);

#endif
