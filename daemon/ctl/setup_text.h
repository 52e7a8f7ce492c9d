/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_SETUP_TEXT_H
#define CTL_SETUP_TEXT_H

/* The configuration that tidegatectl setup writes, out of the answers to its questions, and what is a good answer. Pure functions. */

#include <stdio.h>

enum setup_answer {
	SETUP_GATEWAY,
	SETUP_SITE,
	SETUP_LISTEN,   /* URI */
	SETUP_IDENTITY, /* folder of gateway.crt, gateway.key and devices-ca.crt */
	SETUP_BROKER,   /* URI */
	SETUP_TRUST,
	SETUP_CERTIFICATE,
	SETUP_KEY,
	SETUP_EST, /* URL */
	SETUP_EST_USERNAME,
	SETUP_EST_PASSWORD,
	SETUP_USERNAME,
	SETUP_PASSWORD_FILE,
	SETUP_DEVICE, /* is no part of the file */
	SETUP_ANSWERS
};

/* Each returns NULL where the answer is good, or why not. */
const char *setup_bad_name(const char *text);   /* one to 64 of letters, digits, '.', '_' and '-' */
const char *setup_bad_site(const char *text);   /* as a name, or nothing */
const char *setup_bad_broker(const char *text); /* mqtts://host[:port] */
const char *setup_bad_listen(const char *text); /* coaps://address[:port] */
const char *setup_bad_est(const char *text);    /* https://…, or nothing */
const char *setup_bad_path(const char *text);   /* absolute, or nothing */
const char *setup_bad_text(const char *text);   /* anything in one line, or nothing */

/* `answers`: SETUP_ANSWERS of them, "" where there is none. */
void setup_write(char *const *answers, FILE *out);

#endif
