/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MOCK_HOST_H
#define TESTS_MOCK_HOST_H

/*
 * A host for an adapter under test: settings from the test, time from the test (or the real clock), submissions, look-ups,
 * answers and logs kept for the test to read. Sockets and threads are real. A test goes:
 *
 *	mock_host_new(mock_adapter("loopback"), &mock);
 *	mock_set(mock, "submit", "true");
 *	ck_assert_int_eq(mock_begin(mock), 0);
 *	mock_deliver_text(mock, "a/b", "21.5", &ticket);
 *	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 1, 1000));
 *	mock_accept(mock, mock->submissions[0].token);
 *	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) == TG_CONFIRMED, 1000));
 *	mock_host_free(mock);
 *
 * With `virtual_time` (set before mock_open) time stands still but for mock_advance. What the adapter does that the
 * contract forbids (a second answer, an unknown ticket, submit without device) ends the test by abort with a line.
 * MOCK_LOG=1 in the environment prints the adapter's log.
 */

#include <tidegate/adapter.h>

struct loop;
struct settings;
struct mock_identity;
struct tg_timer;

enum { MOCK_COUNTERS_MAX = 64 };

struct mock_submission { /* text is terminated */
	uint64_t token;
	uint32_t kind;
	int32_t content_format;
	uint32_t method;
	uint32_t expiry_s;
	bool repeated;
	char *device;
	char *path;
	char *reply_to;
	uint8_t *correlation; /* terminated as well */
	size_t correlation_size;
	uint8_t *payload; /* terminated as well */
	size_t payload_size;
	bool answered;
};

struct mock_lookup {
	uint64_t token;
	enum tg_proof proof;
	char *identity;
	bool answered;
};

struct mock_session { /* as reported by session_begun */
	uint64_t handle;
	uint32_t proof;
	char *device;
	char *peer;
	char *version;
	char *cipher;
	char *group;
	size_t certificate_size;
	bool ended;
};

struct mock_ticket {
	int result; /* -1: not answered yet; else enum tg_delivery_result */
	char *reason;
	uint32_t code; /* of `answered`, whose result is TG_CONFIRMED; 0: there was none */
	int32_t content_format;
	uint8_t *payload; /* terminated */
	size_t payload_size;
};

struct mock_read {
	uint64_t token;
	char *reader;
	char *device;
	char *path;
	bool observe;
	bool ended; /* by read_end, or by a last answer */
};

struct mock_list {
	uint64_t token;
	char *reader;
	enum tg_list what;
	uint64_t after;
	char *behind;
	bool ended;
};

struct mock_keep { /* name and value terminated */
	uint64_t token;
	char *name;
	uint8_t *value;
	size_t value_size;
	bool answered;
};

struct mock_line {
	enum tg_log_level level;
	char *device;
	char *text;
};

struct mock_host {
	struct tg_host host; /* first; &mock->host for calls by hand */
	const struct tg_adapter *adapter;
	void *state; /* the adapter's, NULL before open */
	struct loop *loop;
	bool virtual_time;
	int64_t now_us;
	uint32_t worker;

	/* What the adapter did. */
	struct mock_submission *submissions;
	size_t n_submissions;
	struct mock_lookup *lookups;
	size_t n_lookups;
	struct mock_session *sessions;
	size_t n_sessions;
	struct mock_ticket *tickets; /* ticket t is at place t - 1 */
	size_t n_tickets;
	struct mock_read *reads; /* number n is at place n - 1 */
	size_t n_reads;
	struct mock_list *lists;
	size_t n_lists;
	char **awake; /* the devices of `awake` */
	size_t n_awake;
	struct mock_keep *keeps; /* the last of a name that was answered with 0 is the note that is kept */
	size_t n_keeps;
	struct mock_line *lines;
	size_t n_lines;
	int64_t counters[MOCK_COUNTERS_MAX];
	enum tg_link link;
	char link_detail[256];
	unsigned link_changes;
	bool stopped;

	/* What the host does. */
	bool accept_all;     /* answers every submission with TG_ACCEPTED in the next turn */
	bool identities_off; /* leaves look-ups to mock_identify */
	int submit_error;    /* submit fails with it, 0: does not */
	int lookup_error;
	int read_error;
	int keep_error;
	bool keeps_wait;     /* leaves `keep` to mock_kept */
	bool notes_off;      /* leaves telling the notes to mock_tell_notes */
	uint64_t loss;       /* of `noted` */
	int64_t wall_us;     /* now_wall_us, 0: the real one */
	const char *crypto;  /* the policy, NULL: "modern" */
	uint64_t generation; /* of every identity */

	/* The mock's own. */
	struct settings *settings;
	struct mock_identity *identities;
	char **routes;
	size_t n_routes;
	struct tg_timer *timers;
	bool echo;
};

/* The adapter of this name, loaded from the build tree (.libs, or TG_TEST_ADAPTERS). Ends the test where there is none. */
const struct tg_adapter *mock_adapter(const char *name);

/* Ownership: mock_host_free, which closes the adapter as well. */
int mock_host_new(const struct tg_adapter *adapter, struct mock_host **ret_mock);
void mock_host_free(struct mock_host *mock);

/* Sets a value (text as settings travel: "true", "250"); for a file its path. Lists: mock_add for each entry. Every setting
 * starts with its row's fallback; a NULL value empties it. After start it takes effect with mock_reload. */
void mock_set(struct mock_host *mock, const char *name, const char *value);
void mock_add(struct mock_host *mock, const char *name, const char *item);

/* The calls of the adapter's life, with what they returned. mock_begin is open and start. */
int mock_open(struct mock_host *mock);
int mock_start(struct mock_host *mock);
int mock_begin(struct mock_host *mock);
int mock_reload(struct mock_host *mock);
void mock_stop(struct mock_host *mock);

/* Gives a delivery; size, ticket and what is not set (id, kind, time) are filled in. Returns what the adapter returned. */
int mock_deliver(struct mock_host *mock, const struct tg_delivery *delivery, uint64_t *ret_ticket);
int mock_deliver_text(struct mock_host *mock, const char *address, const char *payload, uint64_t *ret_ticket);
/* -1: not answered yet; else enum tg_delivery_result. */
int mock_result(const struct mock_host *mock, uint64_t ticket);

/* One more pattern of tg_host.route; mock_clear_routes takes all away. Told to the adapter with mock_reload. */
void mock_add_route(struct mock_host *mock, const char *pattern);
void mock_clear_routes(struct mock_host *mock);

/* Answers the read at this place of `reads`; `size` is filled in. */
void mock_reading(struct mock_host *mock, size_t place, const struct tg_reading *reading);

/* Answers the list at this place of `lists`, with an entry or its end; `size` is filled in. */
void mock_listed(struct mock_host *mock, size_t place, const struct tg_listed *listed);

/* A note that is there before the adapter begins. */
void mock_note(struct mock_host *mock, struct tg_bytes name, struct tg_bytes value);
/* The note of this name as it is kept, or NULL. */
const struct mock_keep *mock_noted(const struct mock_host *mock, const char *name);
/* What the adapter hears behind start, and whenever a core is back. */
void mock_tell_notes(struct mock_host *mock);
/* Answers the keep at this place of `keeps`. */
void mock_kept(struct mock_host *mock, size_t place, int result);

/* Answers a submission, once. */
void mock_answer(struct mock_host *mock, uint64_t token, const struct tg_answer *answer);
void mock_accept(struct mock_host *mock, uint64_t token);
void mock_refuse(struct mock_host *mock, uint64_t token, enum tg_verdict verdict);

/* Look-ups of this identity are answered with this device (and key, for a PSK) in the next turn; all others as not known,
 * with a key that nobody has. mock_forget makes them not known again and tells the adapter (device_changed). */
void mock_enroll(struct mock_host *mock, const char *identity, const char *device, struct tg_bytes key);
void mock_forget(struct mock_host *mock, const char *identity);
/* Answers one by hand (identities_off). A NULL `device`: not known. */
void mock_identify(struct mock_host *mock, uint64_t token, const char *device, struct tg_bytes key);

/* One turn of the loop: waits up to `wait_us` (with virtual time: not at all). Returns whether anything happened. */
bool mock_turn(struct mock_host *mock, int64_t wait_us);
/* Turns until nothing is left to do right now. */
void mock_settle(struct mock_host *mock);
/* Virtual time only: moves it on, stopping at each timer on the way. */
void mock_advance(struct mock_host *mock, int64_t us);

/* Turns until the condition holds or `limit_ms` of real time have passed; gives the condition. */
#define MOCK_UNTIL(mock, condition, limit_ms)                                                                          \
	({                                                                                                             \
		int64_t until_end_ = mock_deadline(limit_ms);                                                          \
		while (!(condition) && mock_before((mock), until_end_))                                                \
			;                                                                                              \
		(condition);                                                                                           \
	})
int64_t mock_deadline(int64_t limit_ms);
bool mock_before(struct mock_host *mock, int64_t deadline_us);

/* How many lines of the log contain `text`; NULL counts all. */
unsigned mock_logged(const struct mock_host *mock, const char *text);
/* Ends the test where the adapter has no counter of this name. */
int64_t mock_counter(const struct mock_host *mock, const char *name);

#endif
