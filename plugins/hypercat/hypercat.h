/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_HYPERCAT_H
#define HYPERCAT_HYPERCAT_H

/*
 * The hypercat adapter: what its parts share.
 *
 * The life of a request: hypercat.c gets it from the server and makes a task of it. access.c finds out which device asks. Then it goes to
 * the part that its target names: catalogue.c (the catalogue, whole or of one device, in JSON or as links), stream.c (changes), reading.c (the
 * last reading of a resource, and readings that are handed in). What waits for the core is found again by the task's ticket.
 */

#include <tidegate/adapter.h>

#include "item.h"
#include "server.h"
#include "target.h"
#include "tls.h"
#include "token.h"
#include "views.h"

enum counter {
	COUNT_SESSIONS,
	COUNT_REQUESTS,
	COUNT_REFUSED,
	COUNT_CONNECTIONS_REFUSED,
	COUNT_READ,
	COUNT_SUBMITTED,
	COUNT_CATALOGUES,
	COUNT_STREAMS,
	COUNT_EVENTS,
	COUNT_SHOWN
};

struct download;
struct stream;

struct settings {
	struct server_limits server;
	struct views_limits views;
	size_t streams;
	size_t streams_a_reader;
	bool tokens;
};

struct hypercat {
	const struct tg_host *host;
	struct settings settings;
	struct about about;
	struct server *server;
	struct tls *tls;
	struct views *views;
	struct stream *streams;
	size_t streams_count;
	struct tg_timer *pulse; /* keeps idle streams alive */
};

/* Who has a connection, as far as is known. */
struct visitor {
	char name[TG_DEVICE_MAX + 1]; /* "": nobody yet */
	uint32_t proof;               /* enum tg_proof */
	uint64_t generation;
	struct token token; /* which was good, with TG_PROOF_PSK */
};

enum task_state { TASK_IDENTITY, TASK_VIEW, TASK_READ, TASK_SUBMIT, TASK_ANSWERS };

/* One request. */
struct task {
	struct hypercat *hypercat;
	struct client *client;
	struct visitor *visitor;
	enum task_state state;
	struct target target;
	struct token token;
	unsigned tries;  /* of TASK_IDENTITY */
	uint64_t number; /* of TASK_READ */
	struct download *download;
	struct stream *stream;
};

/* settings.c. Log what is wrong. */
extern const struct tg_setting settings_rows[];
int settings_read(const struct tg_host *host, struct settings *ret_settings, struct about *ret_about);
/* A socket that listens. */
int settings_listen(const struct tg_host *host, int *ret_fd);

/* access.c. Answers what is not let in, and calls task_run for the others, now or later. */
void access_check(struct task *task);
void access_identity(struct task *task, const struct tg_identity *identity);
void access_tell(struct hypercat *hypercat, struct client *client); /* the operator, of a session */
void access_closed(struct hypercat *hypercat, struct client *client);
/* The device's sessions end. */
void access_device_changed(struct hypercat *hypercat, struct tg_bytes device);
/* So do those that the new settings would not let in. */
void access_judge(struct hypercat *hypercat);

/* hypercat.c */
void task_run(struct task *task);
void task_free(struct task *task);
/* A whole answer: a sentence, or nothing where `words` is NULL. The task is over. */
void task_reply(struct task *task, int code, const char *words);
/* The same, with Retry-After. */
void task_later(struct task *task, int code, uint32_t seconds, const char *words);
void task_verdict(struct task *task, uint32_t verdict, uint32_t max_age_s);
/* Asks for the reader's view: `catalogue_view` or `stream_view` comes with it. */
void task_ask_view(struct task *task);

/* catalogue.c */
void catalogue_begin(struct task *task);
void catalogue_view(struct task *task, struct view *view, uint64_t generation);
void catalogue_drained(struct task *task);
void catalogue_free(struct download *download); /* accepts NULL */

/* stream.c */
void stream_begin(struct task *task);
void stream_view(struct task *task, uint64_t generation);
void stream_drained(struct task *task);
void stream_news(struct follower *follower);
void stream_ended(struct follower *follower);
void stream_free(struct stream *stream); /* accepts NULL */
void stream_pulse(void *arg);            /* for struct hypercat */

/* reading.c */
void reading_begin(struct task *task);
void reading_come(struct task *task, const struct tg_reading *reading);
void reading_submit(struct task *task);
void reading_verdict(struct task *task, const struct tg_answer *answer);

#endif
