/* SPDX-License-Identifier: Apache-2.0 */

/* The trial of a sink's new certificate while its link is down. */

#include <check.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/renewal.h"
#include "core/renewal_slots.h"
#include "suite.h"

enum { TRIAL_US = 1000, NOW_S = 1790000000 };

struct peer {
	char state[64];
	char file[96];
	struct loop *loop;
	struct renewal *renewal;
	bool up;
	unsigned given;
};

static int64_t wall_us(void *arg)
{
	(void)arg;
	return NOW_S * CLOCK_S_US;
}

static unsigned give(void *arg)
{
	struct peer *peer = arg;

	peer->given++;
	return 1;
}

static void changed(void *arg)
{
	(void)arg;
}

static bool link_up(void *arg)
{
	const struct peer *peer = arg;

	return peer->up;
}

static bool flows(void *arg, int64_t since_us)
{
	(void)arg;
	(void)since_us;
	return true;
}

static bool has_certificates(void *arg)
{
	(void)arg;
	return false;
}

static const struct renewal_ops ops = {.wall_us = wall_us,
				       .give = give,
				       .changed = changed,
				       .link_up = link_up,
				       .flows = flows,
				       .has_certificates = has_certificates};

static void write_pair(int fd, long begin_s)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	BIO *out = BIO_new_fd(fd, BIO_CLOSE);
	time_t now = NOW_S;

	ck_assert_int_ge(fd, 0);
	X509_set_version(certificate, X509_VERSION_3);
	X509_time_adj_ex(X509_getm_notBefore(certificate), 0, begin_s, &now);
	X509_time_adj_ex(X509_getm_notAfter(certificate), 90, 0, &now);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, (const unsigned char *)"a",
				   -1, -1, 0);
	X509_set_pubkey(certificate, key);
	ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
	PEM_write_bio_X509(out, certificate);
	PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
	BIO_free(out);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

/* A certificate that is good by its dates, and a newer one that waits for its trial. */
static void begin(struct peer *peer)
{
	struct renewal_settings settings = {.url = "",
					    .trust = "",
					    .username = "",
					    .password = "",
					    .crypto = "",
					    .common_name = "",
					    .sink = true,
					    .percent = 66,
					    .trial_us = TRIAL_US};
	struct renewal_slots slots;

	*peer = (struct peer){.state = "/tmp/tidegate-trial-XXXXXX"};
	ck_assert_ptr_nonnull(mkdtemp(peer->state));
	snprintf(peer->file, sizeof(peer->file), "%s/old.pem", peer->state);
	write_pair(open(peer->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), -100);
	settings.certificate = settings.key = peer->file;
	ck_assert_int_eq(renewal_slots_init(&slots, peer->state, "cloud"), 0);
	write_pair(renewal_slots_create(&slots, SLOT_INCOMING, true), -10);
	ck_assert_int_eq(renewal_slots_take_in(&slots), 0);
	renewal_slots_done(&slots);
	ck_assert_int_eq(loop_new(&peer->loop), 0);
	ck_assert_int_eq(renewal_new(peer->loop, peer->state, "none", "cloud", &settings, &ops, peer, &peer->renewal),
			 0);
}

static void end(struct peer *peer)
{
	char command[128];

	renewal_free(peer->renewal);
	loop_free(peer->loop);
	snprintf(command, sizeof(command), "rm -r %s", peer->state);
	ck_assert_int_eq(system(command), 0);
}

static bool has_slot(const struct peer *peer, const char *slot)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/pki/cloud/%s.pem", peer->state, slot);
	return access(path, F_OK) == 0;
}

/* Turns until it has given the endpoint its settings so many times; the test's own time limit ends what never comes. */
static void tick_until_given(struct peer *peer, unsigned given)
{
	while (peer->given < given)
		renewal_tick(peer->renewal);
	ck_assert_uint_eq(peer->given, given);
}

/* A peer that takes the new one alone. A trial ends when its time is over, however busy the machine was: the next one comes. */
START_TEST(a_link_that_stays_down_tries_the_new_one)
{
	struct peer peer;
	int64_t since_us;

	begin(&peer);
	since_us = loop_now_us(peer.loop);
	for (unsigned trial = 1; !has_slot(&peer, "current"); trial += 2) {
		while (peer.given < trial)
			renewal_tick(peer.renewal);
		ck_assert_int_ge(loop_now_us(peer.loop) - since_us, 10 * TRIAL_US);
		renewal_on_reloaded(peer.renewal, 0);
		peer.up = peer.given == trial;
		if (peer.up)
			renewal_on_link(peer.renewal, true);
		if (peer.given == trial)
			continue;
		peer.up = false;
		renewal_on_link(peer.renewal, false);
	}
	ck_assert(!has_slot(&peer, "candidate"));
	end(&peer);
}
END_TEST

START_TEST(a_link_that_works_with_neither_proves_nothing)
{
	struct peer peer;
	int64_t since_us;

	begin(&peer);
	tick_until_given(&peer, 1);
	renewal_on_reloaded(peer.renewal, 0);
	tick_until_given(&peer, 2); /* the old one is put back */
	since_us = loop_now_us(peer.loop);
	tick_until_given(&peer, 3);
	ck_assert_int_ge(loop_now_us(peer.loop) - since_us, 10 * TRIAL_US);
	ck_assert(has_slot(&peer, "candidate"));
	ck_assert(!has_slot(&peer, "current"));
	end(&peer);
}
END_TEST

/* The link came up with the old one in the moment in which the trial began. */
START_TEST(a_link_from_before_is_no_proof)
{
	struct peer peer;

	begin(&peer);
	tick_until_given(&peer, 1);
	peer.up = true;
	renewal_on_link(peer.renewal, true);
	renewal_on_reloaded(peer.renewal, 0);
	ck_assert(!has_slot(&peer, "current"));
	end(&peer);
}
END_TEST

SUITE_MAIN("renewal_trial", a_link_that_stays_down_tries_the_new_one, a_link_that_works_with_neither_proves_nothing,
	   a_link_from_before_is_no_proof)
