/* SPDX-License-Identifier: Apache-2.0 */

/* The renewal of certificates in the core: the plan, the pairs, the slots, and the children that do the work. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/renewal_pair.h"
#include "core/renewal_plan.h"
#include "core/renewal_slots.h"
#include "core/renewal_work.h"
#include "suite.h"

enum { DAY_S = 86400, NOW_S = 1790000000 };

static struct renewal_life life_of(int64_t begin_s, int64_t end_s, unsigned percent, uint32_t seed)
{
	return (struct renewal_life){begin_s, end_s, percent, seed};
}

START_TEST(due_at_two_thirds_with_jitter)
{
	struct renewal_life life = life_of(0, 1000, 66, 0);

	ck_assert_int_eq(renewal_due_s(&life), 660);
	life.seed = UINT32_MAX;
	ck_assert_int_eq(renewal_due_s(&life), 710);
	life.percent = 88;
	ck_assert_int_eq(renewal_due_s(&life), 900); /* never into the last tenth */
	life.percent = 95;
	ck_assert_int_eq(renewal_due_s(&life), 950); /* but for who wants it so */
	life = life_of(500, 400, 66, 7);             /* ends before it begins */
	ck_assert_int_eq(renewal_due_s(&life), 500);
}
END_TEST

START_TEST(need_grows)
{
	const struct renewal_life life = life_of(0, 1000, 66, 0);

	ck_assert_int_eq(renewal_need(&life, -5), RENEWAL_FINE);
	ck_assert_int_eq(renewal_need(&life, 659), RENEWAL_FINE);
	ck_assert_int_eq(renewal_need(&life, 660), RENEWAL_DUE);
	ck_assert_int_eq(renewal_need(&life, 899), RENEWAL_DUE);
	ck_assert_int_eq(renewal_need(&life, 900), RENEWAL_URGENT);
	ck_assert_int_eq(renewal_need(&life, 1000), RENEWAL_EXPIRED);
	ck_assert_str_eq(renewal_need_name(RENEWAL_URGENT), "urgent");
}
END_TEST

/* A server that stays away from the day on which a certificate of 90 days is due, until ten days behind its end. */
START_TEST(never_gives_up)
{
	const struct renewal_life life = life_of(0, 90 * DAY_S, 66, 0);
	int64_t now_us = renewal_due_s(&life) * CLOCK_S_US, longest_us = 0, last_day_us = 0, behind_us = 0;
	unsigned failures = 0;

	while (now_us < 100 * (int64_t)DAY_S * CLOCK_S_US) {
		int64_t wait_us;

		failures++;
		wait_us = renewal_wait_us(&life, now_us / CLOCK_S_US, failures, failures * 2654435761u);
		ck_assert_int_ge(wait_us, CLOCK_S_US);
		longest_us = wait_us > longest_us ? wait_us : longest_us;
		if (now_us > 89 * (int64_t)DAY_S * CLOCK_S_US && now_us < 90 * (int64_t)DAY_S * CLOCK_S_US)
			last_day_us = wait_us > last_day_us ? wait_us : last_day_us;
		if (now_us > 90 * (int64_t)DAY_S * CLOCK_S_US)
			behind_us = wait_us > behind_us ? wait_us : behind_us;
		now_us += wait_us;
	}
	ck_assert_int_le(longest_us, 6 * 3600 * CLOCK_S_US);
	ck_assert_int_gt(longest_us, 3 * 3600 * CLOCK_S_US);
	ck_assert_int_le(last_day_us, 3 * 3600 * CLOCK_S_US);
	ck_assert_int_le(behind_us, 600 * CLOCK_S_US);
	ck_assert_uint_lt(failures, 10000); /* and does not hammer */
}
END_TEST

START_TEST(asked_waits_are_bearable)
{
	const struct renewal_life life = life_of(0, 90 * DAY_S, 66, 0);

	ck_assert_int_eq(renewal_asked_wait_us(&life, 60 * DAY_S, 3600), 3600 * CLOCK_S_US);
	ck_assert_int_eq(renewal_asked_wait_us(&life, 60 * DAY_S, INT64_MAX / 2), DAY_S * CLOCK_S_US);
	ck_assert_int_eq(renewal_asked_wait_us(&life, 60 * DAY_S, -5), CLOCK_S_US);
	ck_assert_int_eq(renewal_asked_wait_us(&life, 90 * DAY_S - 800, 3600), 100 * CLOCK_S_US);
}
END_TEST

static struct renewal_pair pair_of(int64_t begin_s, int64_t end_s, char name, char digest)
{
	struct renewal_pair pair = {.usable = true, .begin_s = begin_s, .end_s = end_s};

	memset(pair.names, name, sizeof(pair.names));
	memset(pair.digest, digest, sizeof(pair.digest));
	return pair;
}

START_TEST(the_newest_that_works_is_chosen)
{
	struct renewal_pair configured = pair_of(100, 1000, 'n', 'c'), slot = pair_of(200, 1000, 'n', 's');
	const struct renewal_pair none = {.usable = false};

	ck_assert_int_eq(renewal_pair_choose(&none, &none, 300), -1);
	ck_assert_int_eq(renewal_pair_choose(&configured, &none, 300), 0);
	ck_assert_int_eq(renewal_pair_choose(&none, &slot, 300), 1);
	ck_assert_int_eq(renewal_pair_choose(&configured, &slot, 300), 1);
	configured.begin_s = 250; /* the operator has put a newer one there */
	ck_assert_int_eq(renewal_pair_choose(&configured, &slot, 300), 0);
	configured.end_s = 260; /* which has expired */
	ck_assert_int_eq(renewal_pair_choose(&configured, &slot, 300), 1);
	configured.end_s = 1000;
	slot.has_replaced = true; /* ours was made after it, by an authority that dates back */
	memcpy(slot.replaced, configured.digest, sizeof(slot.replaced));
	ck_assert_int_eq(renewal_pair_choose(&configured, &slot, 300), 1);
	slot.has_replaced = false;
	configured = pair_of(100, 1000, 'm', 'c'); /* another name is meant now */
	ck_assert_int_eq(renewal_pair_choose(&configured, &slot, 300), 0);
}
END_TEST

static void new_state(char folder[64])
{
	snprintf(folder, 64, "/tmp/tidegate-renewal-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

/* A certificate of its own key, as one file. */
static void write_pair(int fd, const char *name, const char *names, long end_s, EVP_PKEY *other_key)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	BIO *out = BIO_new_fd(fd, BIO_NOCLOSE);
	time_t now = NOW_S;

	X509_set_version(certificate, X509_VERSION_3);
	X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -10, &now);
	X509_time_adj_ex(X509_getm_notAfter(certificate), 0, end_s, &now);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, (const unsigned char *)name,
				   -1, -1, 0);
	X509_add_ext(certificate, extension, -1);
	X509_set_pubkey(certificate, key);
	ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
	PEM_write_bio_X509(out, certificate);
	PEM_write_bio_PKCS8PrivateKey(out, other_key ? other_key : key, NULL, NULL, 0, NULL, NULL);
	BIO_free(out);
	X509_EXTENSION_free(extension);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static struct renewal_pair read_slot(const struct renewal_slots *slots, enum renewal_slot slot)
{
	struct renewal_pair pair;
	int fd = renewal_slots_open(slots, slot);

	renewal_pair_read(fd, fd, &pair);
	if (fd >= 0)
		close(fd);
	return pair;
}

static void put_incoming(const struct renewal_slots *slots, const char *names, long end_s,
			 const struct renewal_pair *replaced)
{
	char line[RENEWAL_PAIR_LINE];
	int fd = renewal_slots_create(slots, SLOT_INCOMING, true);

	ck_assert_int_ge(fd, 0);
	write_pair(fd, "a", names, end_s, NULL);
	if (replaced) {
		renewal_pair_line(replaced, line);
		ck_assert_int_eq(write(fd, line, strlen(line)), (ssize_t)strlen(line));
	}
	close(fd);
	ck_assert_int_eq(renewal_slots_take_in(slots), 0);
}

static void remove_state(const char *state, struct renewal_slots *slots)
{
	char path[RENEWAL_PATH_MAX];

	for (int slot = SLOT_PENDING; slot < SLOT_FOLDER; slot++)
		renewal_slots_drop(slots, (enum renewal_slot)slot);
	rmdir(slots->folder);
	snprintf(path, sizeof(path), "%s/pki", state);
	rmdir(path);
	rmdir(state);
	renewal_slots_done(slots);
}

START_TEST(pairs_move_through_the_slots)
{
	struct renewal_slots slots;
	struct renewal_pair first, second;
	struct stat st;
	char state[64], path[RENEWAL_PATH_MAX];

	new_state(state);
	ck_assert_int_eq(renewal_slots_init(&slots, state, "cloud"), 0);
	ck_assert(!read_slot(&slots, SLOT_CURRENT).usable);
	put_incoming(&slots, "DNS:a.example,DNS:b.example", 100, NULL);
	first = read_slot(&slots, SLOT_CANDIDATE);
	ck_assert(first.usable);
	ck_assert_int_eq(first.end_s, NOW_S + 100);
	ck_assert_int_eq(renewal_slots_promote(&slots), 0);
	ck_assert_int_eq(renewal_slots_open(&slots, SLOT_PREVIOUS), -ENOENT);
	put_incoming(&slots, "DNS:b.example,DNS:a.example", 200, &first);
	ck_assert_int_eq(renewal_slots_promote(&slots), 0);
	second = read_slot(&slots, SLOT_CURRENT);
	ck_assert_int_eq(second.end_s, NOW_S + 200);
	ck_assert(second.has_replaced);
	ck_assert_mem_eq(second.replaced, first.digest, sizeof(first.digest));
	ck_assert(renewal_pair_same_names(&first, &second));
	ck_assert_mem_eq(read_slot(&slots, SLOT_PREVIOUS).digest, first.digest, sizeof(first.digest));
	ck_assert_int_eq(stat(renewal_slots_path(&slots, SLOT_CURRENT, path), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777u, 0600);
	/* A promotion without a candidate leaves all as it is. */
	ck_assert_int_eq(renewal_slots_promote(&slots), -ENOENT);
	ck_assert_mem_eq(read_slot(&slots, SLOT_CURRENT).digest, second.digest, sizeof(second.digest));
	remove_state(state, &slots);
}
END_TEST

/* Each state of the folder that a power cut may leave has a current pair that works, or none at all. */
START_TEST(a_cut_at_any_moment_leaves_a_pair)
{
	struct renewal_slots slots, again;
	struct renewal_pair first;
	char state[64], old[RENEWAL_PATH_MAX], new[RENEWAL_PATH_MAX];
	int fd;

	new_state(state);
	ck_assert_int_eq(renewal_slots_init(&slots, state, "cloud"), 0);
	put_incoming(&slots, "DNS:a.example", 100, NULL);
	ck_assert_int_eq(renewal_slots_promote(&slots), 0);
	first = read_slot(&slots, SLOT_CURRENT);
	/* While incoming is written. */
	fd = renewal_slots_create(&slots, SLOT_INCOMING, true);
	ck_assert_int_eq(write(fd, "-----BEGIN CERT", 15), 15);
	close(fd);
	ck_assert_int_eq(renewal_slots_init(&again, state, "cloud"), 0);
	ck_assert_int_eq(renewal_slots_open(&again, SLOT_INCOMING), -ENOENT);
	ck_assert_mem_eq(read_slot(&again, SLOT_CURRENT).digest, first.digest, sizeof(first.digest));
	/* Between the two steps of a promotion. */
	put_incoming(&again, "DNS:a.example", 300, NULL);
	ck_assert_int_eq(
		link(renewal_slots_path(&again, SLOT_CURRENT, old), renewal_slots_path(&again, SLOT_PREVIOUS, new)), 0);
	ck_assert_mem_eq(read_slot(&again, SLOT_CURRENT).digest, first.digest, sizeof(first.digest));
	ck_assert_int_eq(renewal_slots_promote(&again), 0);
	ck_assert_int_eq(read_slot(&again, SLOT_CURRENT).end_s, NOW_S + 300);
	ck_assert_mem_eq(read_slot(&again, SLOT_PREVIOUS).digest, first.digest, sizeof(first.digest));
	renewal_slots_done(&again);
	remove_state(state, &slots);
}
END_TEST

START_TEST(what_does_not_fit_is_not_usable)
{
	EVP_PKEY *other = EVP_EC_gen("P-256");
	struct renewal_slots slots;
	struct renewal_pair pair;
	char state[64];
	int fd;

	new_state(state);
	ck_assert_int_eq(renewal_slots_init(&slots, state, "cloud"), 0);
	fd = renewal_slots_create(&slots, SLOT_CURRENT, true);
	write_pair(fd, "a", "DNS:a.example", 100, other);
	close(fd);
	ck_assert(!read_slot(&slots, SLOT_CURRENT).usable);
	renewal_pair_read(-1, -1, &pair);
	ck_assert(!pair.usable);
	ck_assert_int_eq(renewal_pair_open(""), -ENOENT);
	ck_assert_int_eq(renewal_pair_open(state), -EINVAL);
	EVP_PKEY_free(other);
	remove_state(state, &slots);
}
END_TEST

struct ended {
	struct loop *loop;
	int status;
	char said[20000];
};

static void on_done(void *arg, int status, struct tg_bytes said)
{
	struct ended *ended = arg;

	ended->status = status;
	snprintf(ended->said, sizeof(ended->said), "%.*s", BYTES_ARG(said));
	loop_exit(ended->loop, 0);
}

static void run_order(struct ended *ended, const char *script, int64_t time_us, const char *input, int fd)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	struct renewal_order order = {.argv = argv,
				      .endpoint = "cloud",
				      .errors_too = true,
				      .time_us = time_us,
				      .input = bytes_text(input),
				      .files = {fd},
				      .n_files = fd >= 0};
	struct renewal_work *work = NULL;

	*ended = (struct ended){.status = -1};
	ck_assert_int_eq(loop_new(&ended->loop), 0);
	ck_assert_int_eq(renewal_work_new(ended->loop, &order, on_done, ended, &work), 0);
	ck_assert_int_gt(renewal_work_pid(work), 0);
	ck_assert_int_eq(loop_run(ended->loop), 0);
	loop_free(ended->loop);
}

START_TEST(children_are_given_what_they_need_and_no_more)
{
	struct ended ended;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), inherited = fcntl(fd, F_DUPFD, 200);

	ck_assert_int_ge(inherited, 200);
	setenv("TIDEGATE_TEST_SECRET", "x", 1);
	run_order(&ended,
		  "cat; echo $TIDEGATE_ENDPOINT$TIDEGATE_TEST_SECRET >&2; [ -e /proc/$$/fd/3 ] && echo has 3; "
		  "for n in 200 201 202 203; do [ -e /proc/$$/fd/$n ] && echo has $n; done; exit 3",
		  60 * CLOCK_S_US, "job ", fd);
	ck_assert(WIFEXITED(ended.status));
	ck_assert_int_eq(WEXITSTATUS(ended.status), 3);
	ck_assert_str_eq(ended.said, "job cloud\nhas 3\n");
	close(inherited);
	close(fd);
}
END_TEST

START_TEST(children_that_take_too_long_are_killed_with_all_theirs)
{
	struct ended ended;
	pid_t child;

	run_order(&ended, "sleep 300 & echo $!; wait", CLOCK_S_US / 5, "", -1);
	ck_assert_int_eq(ended.status, -ETIME);
	child = (pid_t)strtol(ended.said, NULL, 10);
	ck_assert_int_gt(child, 1);
	for (unsigned i = 0; i < 3000 && kill(child, 0) == 0; i++) {
		char path[64], state[256] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/stat", child);
		file = fopen(path, "re");
		if (!file || !fgets(state, sizeof(state), file) || strstr(state, ") Z "))
			i = 3000;
		if (file)
			fclose(file);
		usleep(10000);
		ck_assert_uint_ne(i, 2999);
	}
}
END_TEST

START_TEST(too_much_talk_is_cut)
{
	struct ended ended;

	run_order(&ended, "head -c 300000 /dev/zero | tr '\\0' x; echo; echo the end", 60 * CLOCK_S_US, "", -1);
	ck_assert_int_eq(ended.status, 0);
	ck_assert_ptr_nonnull(strstr(ended.said, "\nthe end\n"));
}
END_TEST

SUITE_MAIN("renewal", due_at_two_thirds_with_jitter, need_grows, never_gives_up, asked_waits_are_bearable,
	   the_newest_that_works_is_chosen, pairs_move_through_the_slots, a_cut_at_any_moment_leaves_a_pair,
	   what_does_not_fit_is_not_usable, children_are_given_what_they_need_and_no_more,
	   children_that_take_too_long_are_killed_with_all_theirs, too_much_talk_is_cut)
