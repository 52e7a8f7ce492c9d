/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CERTS_H
#define CORE_CERTS_H

/*
 * The watch over every certificate and revocation list in use: those of files that endpoints' settings name, and those that live
 * peers have shown. Each has a state that changes with time alone; whoever owns the table asks for the changes (certs_judge) when
 * one is due, and tells. Knows no files, no clock and no network; time is handed in.
 *
 * What is found at one place (an endpoint's setting, the n-th certificate in its file) is one item, so that a new certificate in the
 * place of an old one is a change of state and not a stranger.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/trust_x509.h"

enum {
	CERTS_PEERS_MAX = 256, /* of those that peers have shown, the soonest to expire */
	CERTS_FILES_MAX = 4096,
	CERTS_NAME_SIZE = 65,
	CERTS_WORDS_SIZE = 768
};

enum certs_role {
	CERTS_OWN,    /* of the gateway, in this endpoint */
	CERTS_CHAIN,  /* above one's own */
	CERTS_TRUST,  /* an anchor that peers' certificates are issued under */
	CERTS_LIST,   /* a revocation list */
	CERTS_OFFICE, /* the gateway's own authority for devices */
	CERTS_FILE,   /* a file in which there is none, or that cannot be read */
	CERTS_DEVICE, /* shown by a device */
	CERTS_SERVER  /* shown by a server that the gateway connects to */
};

enum certs_state {
	CERTS_FINE,
	CERTS_RENEW,   /* two thirds of its lifetime are over */
	CERTS_URGENT,  /* its last days */
	CERTS_EARLY,   /* not valid yet */
	CERTS_EXPIRED, /* of a list: there should be a newer one */
	CERTS_UNUSABLE,
	CERTS_STATES
};

struct certs_item {
	struct certs_item *next;
	enum certs_role role;
	bool listens; /* its endpoint is one that others connect to */
	bool renews;  /* the gateway renews it by itself */
	char endpoint[CERTS_NAME_SIZE];
	char *place; /* "certificate": the setting; or who the peer is */
	char *file;  /* "" where it was shown by a peer */
	unsigned number;
	struct trust_x509 facts;
	char problem[160]; /* CERTS_UNUSABLE: why, else "" */
	enum certs_state state;
	bool found; /* in this round */
};

/* What is found at one place; borrowed. `facts` NULL where it is unusable, for `problem`. */
struct certs_find {
	enum certs_role role;
	bool listens;
	bool renews;
	const char *endpoint;
	const char *place;
	const char *file;
	unsigned number;
	const struct trust_x509 *facts;
	const char *problem;
};

struct certs;

int certs_new(struct certs **ret_certs) WARN_UNUSED;
void certs_free(struct certs *certs);
CLEANUP_DEFINE(struct certs *, certs_free)

/* A round over all files: what is not found between the two is forgotten. Errors: -ENOMEM; -ENOBUFS: there are CERTS_FILES_MAX. */
void certs_begin(struct certs *certs);
int certs_found(struct certs *certs, const struct certs_find *find) WARN_UNUSED;
void certs_end(struct certs *certs);

/* A peer has shown this. When there are too many, those that expire last are not kept. Errors: -ENOMEM. */
int certs_shown(struct certs *certs, const struct certs_find *find, int64_t wall_us) WARN_UNUSED;
/* How many peers' certificates were not kept. */
size_t certs_left_out(const struct certs *certs);

/* The state at that time, and when it changes next (INT64_MAX: never). `urgent_us`: the last days. */
enum certs_state certs_state_at(const struct certs_item *item, int64_t wall_us, int64_t urgent_us,
				int64_t *ret_next_wall_us);

/* From when on it is to be renewed, and is urgent; INT64_MAX where it never is. */
void certs_marks(const struct certs_item *item, int64_t urgent_us, int64_t *ret_renew_wall_us,
		 int64_t *ret_urgent_wall_us);

/* Calls `fn` for each item whose state is another one than before; one that is found for the first time was fine. Returns when
 * the next change is due. */
typedef void certs_change_fn(void *arg, const struct certs_item *item, enum certs_state before);
int64_t certs_judge(struct certs *certs, int64_t wall_us, int64_t urgent_us, certs_change_fn *fn, void *arg);

/* All items, the soonest to expire first. Ownership: free the list, not what it holds. Errors: -ENOMEM. */
int certs_list(const struct certs *certs, const struct certs_item ***ret_list, size_t *ret_count) WARN_UNUSED;

struct config;

/* certs_files.c: finds all files that the enabled endpoints name, and those that a renewal put into their place in `state_dir`
 * (NULL: none). Between certs_begin and certs_end. Blocks: while it reads them. Errors: -ENOMEM. */
int certs_collect(struct certs *certs, const struct config *config, const char *state_dir, int64_t wall_us) WARN_UNUSED;

/* certs_words.c. "fine", "renew", "urgent", "not-yet-valid", "expired", "unusable"; "certificate", "chain", "trust", "crl" … */
const char *certs_state_name(enum certs_state state);
const char *certs_role_name(enum certs_role role);
/* Whether something no longer works with it in this state. */
bool certs_is_broken(enum certs_state state);
/* Who it is of, short: the common name where there is one. */
void certs_who(const struct certs_item *item, char ret_text[TRUST_X509_NAME_SIZE]);
/* What no longer works: "endpoint "cloud" can no longer log in: its certificate "CN=hall-3" expired on 2027-02-11". `state` is that
 * at the time that is spoken of. */
void certs_words(const struct certs_item *item, enum certs_state state, char ret_text[CERTS_WORDS_SIZE]);
/* What to do about it. */
void certs_remedy(const struct certs_item *item, enum certs_state state, char ret_text[CERTS_WORDS_SIZE]);

#endif
