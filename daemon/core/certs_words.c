/* SPDX-License-Identifier: Apache-2.0 */

/* What the watch over certificates says to people. */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "core/certs.h"

const char *certs_state_name(enum certs_state state)
{
	static const char *const names[CERTS_STATES] = {"fine",          "renew",   "urgent",
							"not-yet-valid", "expired", "unusable"};

	return names[state];
}

const char *certs_role_name(enum certs_role role)
{
	static const char *const names[] = {"certificate", "chain", "trust",  "crl",
					    "authority",   "file",  "device", "server"};

	return names[role];
}

bool certs_is_broken(enum certs_state state)
{
	return state == CERTS_EARLY || state == CERTS_EXPIRED || state == CERTS_UNUSABLE;
}

void certs_who(const struct certs_item *item, char ret_text[TRUST_X509_NAME_SIZE])
{
	const char *subject = item->facts.subject, *name = strstr(subject, "CN=");

	if (item->role == CERTS_DEVICE || item->role == CERTS_SERVER || *item->problem)
		snprintf(ret_text, TRUST_X509_NAME_SIZE, "%s", item->place);
	else if (name && (name == subject || name[-1] == ','))
		snprintf(ret_text, TRUST_X509_NAME_SIZE, "%.*s", (int)strcspn(name + 3, ","), name + 3);
	else
		snprintf(ret_text, TRUST_X509_NAME_SIZE, "%s", *subject ? subject : item->place);
}

/* The end of the sentence: why. */
static void say_why(const struct certs_item *item, enum certs_state state, char *text, size_t size)
{
	char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	const char *what = item->facts.list ? "revocation list of" : "certificate";

	clock_format_seconds(item->facts.from_wall_us, from);
	clock_format_seconds(item->facts.until_wall_us, until);
	if (state == CERTS_UNUSABLE)
		snprintf(text, size, "\"%s\" %s", item->file, item->problem);
	else if (state == CERTS_EARLY)
		snprintf(text, size, "%s \"%s\" is not valid before %s", what, item->facts.subject, from);
	else if (state == CERTS_EXPIRED)
		snprintf(text, size, "%s \"%s\" %s %s", what, item->facts.subject,
			 item->facts.list ? "was to be replaced by" : "expired", until);
	else
		snprintf(text, size, "%s \"%s\" is valid until %s", what, item->facts.subject, until);
}

static void say_what(const struct certs_item *item, char *text, size_t size)
{
	const char *endpoint = item->endpoint, *subject = item->facts.subject;

	switch (item->role) {
	case CERTS_OWN:
	case CERTS_CHAIN:
		snprintf(text, size,
			 item->listens ? "devices that check who endpoint \"%s\" is can no longer connect to it"
				       : "endpoint \"%s\" can no longer log in",
			 endpoint);
		break;
	case CERTS_TRUST:
		snprintf(text, size,
			 item->listens
				 ? "endpoint \"%s\" no longer lets in devices with certificates issued under \"%s\""
				 : "endpoint \"%s\" no longer accepts servers with certificates issued under \"%s\"",
			 endpoint, subject);
		break;
	case CERTS_LIST:
		snprintf(text, size, "endpoint \"%s\" cannot tell which certificates of \"%s\" are revoked", endpoint,
			 subject);
		break;
	case CERTS_OFFICE:
		snprintf(text, size, "devices with certificates of the gateway's own authority are no longer let in");
		break;
	case CERTS_FILE:
		snprintf(text, size,
			 item->listens ? "devices with certificates cannot connect to endpoint \"%s\""
				       : "endpoint \"%s\" cannot connect",
			 endpoint);
		break;
	case CERTS_DEVICE:
		snprintf(text, size, "device \"%s\" can no longer log in at endpoint \"%s\"", item->place, endpoint);
		break;
	case CERTS_SERVER:
		snprintf(text, size, "endpoint \"%s\" no longer accepts the server \"%s\"", endpoint, item->place);
	}
}

void certs_words(const struct certs_item *item, enum certs_state state, char ret_text[CERTS_WORDS_SIZE])
{
	char what[CERTS_WORDS_SIZE / 2 - 4] = "", why[CERTS_WORDS_SIZE / 2] = "";

	say_what(item, what, sizeof(what));
	say_why(item, state, why, sizeof(why));
	if (certs_is_broken(state))
		snprintf(ret_text, CERTS_WORDS_SIZE, "%s: %s", what, why);
	else
		snprintf(ret_text, CERTS_WORDS_SIZE, "%s%s%s%s", *item->endpoint ? "endpoint \"" : "", item->endpoint,
			 *item->endpoint ? "\": " : "", why);
}

void certs_remedy(const struct certs_item *item, enum certs_state state, char ret_text[CERTS_WORDS_SIZE])
{
	if (state == CERTS_FINE)
		*ret_text = '\0';
	else if (state == CERTS_EARLY)
		snprintf(ret_text, CERTS_WORDS_SIZE,
			 "look at the clock (tidegatectl status), or put a valid one into place");
	else if (item->renews && item->role <= CERTS_CHAIN)
		snprintf(ret_text, CERTS_WORDS_SIZE,
			 "it renews itself before it is over; where it does not: tidegatectl certs renew %s",
			 item->endpoint);
	else if (item->role == CERTS_OFFICE)
		snprintf(ret_text, CERTS_WORDS_SIZE, "give devices certificates of another authority in time");
	else if (item->role == CERTS_DEVICE)
		snprintf(ret_text, CERTS_WORDS_SIZE, "give the device a new certificate");
	else if (item->role == CERTS_SERVER)
		snprintf(ret_text, CERTS_WORDS_SIZE, "tell whoever runs that server");
	else if (item->role == CERTS_LIST)
		snprintf(ret_text, CERTS_WORDS_SIZE,
			 "put the issuer's newest list into \"%s\"; it is taken in by itself", item->file);
	else
		snprintf(ret_text, CERTS_WORDS_SIZE, "put a good one into \"%s\"; it is taken in by itself",
			 item->file);
}
