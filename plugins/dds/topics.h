/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_TOPICS_H
#define DDS_TOPICS_H

/*
 * The participant, and the topics that were found on the domain and are wanted: by a pattern of the source, or because the sink was
 * given something for them. A topic's type is learnt from whoever offers or wants it, and then it gets a reader, a writer, or
 * both. All in the main thread, but for the library's calls, which only ring (wake.h). Nothing here blocks.
 */

#include <dds/dds.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "counters.h"
#include "keys.h"
#include "library.h"
#include "options.h"
#include "security.h"
#include "type.h"
#include "wake.h"

struct topic {
	LIST_ENTRY(topic) link;
	struct topics *topics;
	/* The reader may have something. It stands among pointers: a load of one plain flag may take in what is beside it. */
	atomic_bool ready;
	char *name;
	char *type_name;
	struct type_set set;
	const struct type *type; /* NULL: not known yet */
	bool version2;           /* written as XCDR2 */
	dds_typeinfo_t *info;    /* of the endpoint that it was learnt from, NULL: that had none */
	uint64_t seen;           /* the last scan that has met an endpoint of it */
	uint64_t seen_other;     /* the same, of another type */
	int64_t failed_until_us; /* its type is not looked at again before */
	bool asked;              /* the sink wants to write it */
	bool told;               /* what is wrong with it, for the operator */
	bool told_other;
	uint32_t n_incompatible;            /* writers that offer less than the reader wants, told */
	dds_entity_t topic, reader, writer; /* 0: none */
	/* To be done by topics_tidy. */
	bool leaving;                      /* the reader ends */
	bool rewrites;                     /* the writer is made anew */
	bool ends;                         /* nobody wants the topic */
	uint64_t reader_mark, writer_mark; /* of the options that they were made with */
	struct keys keys;                  /* of the reader */
	int64_t rest_us, rests_until_us;   /* after too many of them it has no reader for so long */
	size_t n_held;                     /* samples that the source holds */
	/* The sink's: what was written and not acknowledged yet. */
	size_t n_unconfirmed;
	dds_instance_handle_t readers[OPTIONS_READERS_MOST]; /* that were there when one of them was written */
	size_t n_readers;
};

struct topics {
	const struct tg_host *host;
	const struct options *options;
	const struct library *library;
	dds_entity_t domain, participant;
	struct ddsi_domaingv *inner;
	dds_guid_t own;
	dds_entity_t found[2]; /* readers of the built-in topics: writers, readers */
	LIST_HEAD(, topic) list;
	size_t n, n_readers;
	bool full_told, endpoints_told;
	bool crowded;  /* a topic was left out in this scan */
	bool short_of; /* the sink has asked for one more than there may be */
	uint64_t scans;
	bool stalled;     /* the source takes nothing now: full readers may keep the library from hearing anybody */
	int64_t later_us; /* when a topic is worth another look, 0: none is */
	struct wake discovery;
	struct wake data; /* a reader has something */
	struct tg_timer *retry;
	int64_t retry_after_us;
};

/* `on_data`: a reader has something. Errors: as wake_init; topics_done is to be called then, too. */
int topics_init(struct topics *topics, const struct tg_host *host, const struct options *options,
		const struct library *library, tg_call_fn *on_data, void *arg) __attribute__((warn_unused_result));
/* Starts the library's threads: to be called behind the sandbox. Errors: -EIO, with the reason logged. */
int topics_start(struct topics *topics, const struct security *security) __attribute__((warn_unused_result));
/* Leaves the domain: no thread of the library is left then. What readers still hold is lost. */
void topics_leave(struct topics *topics);
void topics_done(struct topics *topics);

/* The options have changed: readers and writers that are not wanted so any more are to end. */
void topics_renew(struct topics *topics);

/*
 * The library deletes nothing while one of its threads is delivering, and such a thread waits for as long as a reader is full: who
 * deletes anything in the thread that would empty that reader waits for ever. So what is to end waits until all readers are empty and
 * nothing comes in any more (topics_deaf); reliable writers send again what was not heard then.
 */
bool topics_wants_tidying(const struct topics *topics);
void topics_deaf(const struct topics *topics, bool deaf);
/* While deaf, when all readers are empty. */
void topics_tidy(struct topics *topics);

/* For the sink: the topic of this name, which is wanted from now on, with a writer as soon as its type is known. NULL: too many, or
 * no memory. */
struct topic *topics_ask(struct topics *topics, const char *name);

/* The readers that the topic's writer has at this moment, the first of them. */
size_t topics_readers(const struct topic *topic, dds_instance_handle_t ret_readers[OPTIONS_READERS_MOST]);

#endif
