/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RENEWAL_H
#define CORE_RENEWAL_H

/*
 * The renewal of one endpoint's certificate, told once:
 *
 * It waits until the certificate in use is due, has a new pair made (tidegate-renew over EST, or the operator's own program), keeps it as
 * the candidate, and gives it a trial: the endpoint's process gets it as new settings, without a restart. When it has worked it becomes
 * the current one, and only then the old one is put away; when it has not, the old one is given back at once and the renewal begins
 * anew later. It never gives up. core_renewal.c joins it with the endpoints; nothing here knows of them.
 *
 * The trial of a sink begins while its link is up: the link has to come up again with the new pair, and with messages waiting one of
 * them has to be confirmed. Where it does not come up with the old one either, its peer is away and nothing was proved: the
 * candidate waits for its next trial. A link that stays down begins one, too, after ten times as long as a trial takes: it may be the
 * old certificate that the peer does not take any more. A source uses the candidate for new sessions from the beginning of its trial,
 * which ends with the first session of a device that has a certificate, or at once where no device has one.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "core/renewal_pair.h"
#include "core/renewal_plan.h"

struct renewal;

/* The texts are copied; "" where there is none. */
struct renewal_settings {
	const char *certificate; /* the paths that the configuration names */
	const char *key;
	const char *url; /* of the EST server */
	const char *trust;
	const char *username;
	const char *password;
	const char *crypto;         /* the policy's name; static storage */
	const char *common_name;    /* of the first certificate */
	const char *const *command; /* ends with NULL; NULL: there is none */
	bool server;                /* the certificate is a server's */
	bool sink;                  /* it has a link that a trial can look at */
	unsigned percent;
	int64_t trial_us;
};

struct renewal_ops {
	int64_t (*wall_us)(void *arg); /* guarded */
	/* Gives the endpoint's processes their settings anew; they ask renewal_open for the pair. Returns how many there are. */
	unsigned (*give)(void *arg);
	/* Another pair is in use from now on. */
	void (*changed)(void *arg);
	bool (*link_up)(void *arg);
	/* Whether nothing waits for the sink, or something was confirmed since then (monotonic). */
	bool (*flows)(void *arg, int64_t since_us);
	/* Whether there are devices that prove themselves by a certificate here. */
	bool (*has_certificates)(void *arg);
};

/* `program`: tidegate-renew. Ownership: all but the name and the settings have to outlive it. Errors: -errno. */
int renewal_new(struct loop *loop, const char *state_dir, const char *program, const char *endpoint,
		const struct renewal_settings *settings, const struct renewal_ops *ops, void *arg,
		struct renewal **ret_renewal) WARN_UNUSED;
void renewal_free(struct renewal *renewal); /* accepts NULL */

/* Errors: -ENOMEM: the old ones stay. */
int renewal_set(struct renewal *renewal, const struct renewal_settings *settings) WARN_UNUSED;

/* The pair to use now. Errors: -ENOENT: the configuration's own files; -errno of opening ours. */
int renewal_open(struct renewal *renewal) WARN_UNUSED;

/* Once a second or so. */
void renewal_tick(struct renewal *renewal);
/* Begins now, due or not. Errors: -EALREADY: it is under way. */
int renewal_begin(struct renewal *renewal) WARN_UNUSED;

/* What the endpoint's processes tell: the link's state; what became of new settings; a session that showed a certificate. */
void renewal_on_link(struct renewal *renewal, bool up);
void renewal_on_reloaded(struct renewal *renewal, int result);
void renewal_on_session(struct renewal *renewal);

/* {"state": …, "certificate": …, "not_after": …, "due": …, "failures": …, "problem": …}. */
json_t *renewal_describe(struct renewal *renewal);
/* What an operator has to know, or NULL: lent until the next call. */
const char *renewal_problem(struct renewal *renewal);
bool renewal_owns(const struct renewal *renewal, pid_t pid);

#endif
