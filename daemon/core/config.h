/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

/*
 * The whole configuration: read from the file and the conf.d/ beside it, checked against the rows of the gateway and of every
 * adapter it names, with defaults filled in and references resolved. Made once, never changed, shared by reference; a
 * reload makes a second one and compares. Either all of it is good, or there is none and every problem is told.
 *
 * Groups may be spread over several files; a key given twice is an error. Lists of endpoints and routes are joined, in the
 * order of the files: the main file, then those of conf.d/ by name. A relative path is meant from the folder of the main file.
 * While a configuration is on trial (base/trial.h), its files stand in for those of the same name, and are read beside the others.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <tidegate/adapter.h>

#include "base/cleanup.h"
#include "base/trial.h"
#include "core/config_section.h"
#include "core/descriptor.h"
#include "core/pattern.h"
#include "core/profile.h"
#include "core/readings.h"

enum { CONFIG_ENDPOINTS_MAX = 256, CONFIG_ROUTES_MAX = 4096, CONFIG_PROFILES_MAX = 256, CONFIG_FILES_MAX = 256 };

/* When a source is told that its message was accepted. */
enum config_ack {
	CONFIG_ACK_RECEIVED, /* in memory */
	CONFIG_ACK_SAFE,     /* confirmed by the sink or on disk */
	CONFIG_ACK_DELIVERED /* confirmed by the sink */
};

/* What a route makes of a payload; the numbers are those of the row's words. */
enum config_form {
	CONFIG_FORM_RAW, /* as it came */
	CONFIG_FORM_SENML_JSON,
	CONFIG_FORM_SENML_CBOR,
	CONFIG_FORM_ENVELOPE
};

struct config_transform {
	enum config_form form;
	bool split;         /* one message a SenML record */
	bool resolve;       /* SenML records resolved, times absolute */
	size_t records_max; /* of a pack */
};

/* The queue in front of one sink: what the endpoint says of it, else what the file says for all. */
struct config_outbox {
	int64_t hold_us;
	size_t memory_messages;
	size_t memory_bytes;
	size_t window;
};

/* What waits on disk, for all sinks together. */
struct config_store {
	int64_t disk_bytes;
	int64_t reserve_bytes;
	bool mirror;
};

struct config_limits {
	size_t payload_max_bytes;
	size_t records_max; /* of a SenML pack that a route reads */
	size_t commands_per_device;
	size_t commands; /* for the devices of one endpoint */
	size_t commands_bytes;
	uint32_t command_expiry_s;
	uint32_t rate;  /* messages a second a device; 0: no limit */
	uint32_t burst; /* messages */
	int64_t stop_deadline_us;
	int64_t heartbeat_us;
	int64_t restart_min_us;
	int64_t restart_max_us;
	struct readings_limits readings;
	uint32_t reading_max_age_s;
	size_t trace_events;
};

/* Whether the machine's clock is believed. */
struct config_clock {
	bool wait_for_sync;
	int64_t sync_deadline_us;
	int64_t believe_after_us;
};

/* What is told of certificates before they expire. */
struct config_certificates {
	int64_t urgent_us;
};

struct config_endpoint {
	const char *name;
	const char *adapter;
	const char *crypto; /* the policy's name */
	bool enabled;
	uint32_t workers;
	struct config_outbox outbox; /* of a sink */
	struct descriptor *descriptor;
	struct config_section settings; /* the adapter's rows */
	struct config_section common;   /* the gateway's rows for every endpoint */
	struct config_section own_outbox;
	const struct config_source *source;
	unsigned line;
};

/* What a route to a sink with mailboxes says of the commands that it makes. */
struct config_command {
	bool wanted;              /* the route makes commands */
	struct pattern *device;   /* NULL: the {device} of `match` */
	struct pattern *method;   /* NULL: what the message says */
	struct pattern *response; /* NULL: none */
	size_t response_to;       /* place in config.endpoints */
	char *const *allowed;     /* response addresses that a command may name, wildcards */
	size_t allowed_count;     /* 0: all */
};

struct config_route {
	const char *name;
	size_t from; /* places in config.endpoints */
	size_t to;
	struct pattern *match;
	struct pattern *address;
	bool enabled; /* both its endpoints are */
	bool goes_on; /* `continue`: later routes are tried too */
	enum config_ack ack;
	uint8_t qos;
	bool retain;
	uint32_t expiry_s;        /* 0: never */
	size_t payload_max_bytes; /* never 0 */
	int32_t *formats;         /* TG_FORMAT_NONE is one of them where messages without a format are taken */
	size_t formats_count;     /* 0: all are taken */
	struct config_transform transform;
	struct config_command command;
	struct pattern *source_device; /* NULL: the route does not say whom a message is from */
	bool impersonate;              /* `source_device` may name devices of other endpoints */
	struct config_section settings;
	const struct config_source *source;
	unsigned line;
};

/* What a profile does not give is what `limits` says for all. */
struct config_profile {
	struct profile profile;
	struct pattern **paths;
	struct pattern **command_paths;
	struct profile_read *reads;
	int32_t *formats;
	struct config_section settings;
	const struct config_source *source; /* NULL: "default" where the files have none */
	unsigned line;
};

struct config {
	unsigned refs;
	char *file;
	char *folder;
	struct trial trial; /* at the time of reading */
	bool trial_read;    /* its files stand in for those of the configuration */
	const char *gateway;
	const char *site;
	const char *crypto;     /* the policy's name */
	const char *master_key; /* a path, "": the gateway's own */
	int64_t key_overlap_us;
	int64_t device_certificate_us; /* lifetime */
	enum tg_log_level log_level;
	struct config_outbox outbox;
	struct config_store store;
	struct config_limits limits;
	struct config_clock clock;
	struct config_certificates certificates;
	struct config_endpoint *endpoints;
	size_t endpoints_count;
	struct config_route *routes;
	size_t routes_count;
	bool transforms;                 /* a route does */
	struct config_profile *profiles; /* "default" is always one of them */
	size_t profiles_count;
	struct config_section groups[7]; /* by enum schema_place, SCHEMA_GATEWAY to SCHEMA_LOG */
	struct config_source **sources;
	size_t sources_count;
};

/* Reads and checks. `problems` is added to, and sorted. Blocks: until the adapters that are not in the set have described
 * themselves. Errors: -EINVAL: see `problems`; -ENOMEM. Ownership: config_unref. */
int config_load(const char *file, struct descriptor_set *adapters, struct config_problems *problems,
		struct config **ret_config) WARN_UNUSED;

/* The same for a start, `problems` being empty: where a configuration on trial has errors, a warning says so in their place, and the
 * one before is read. */
int config_load_start(const char *file, struct descriptor_set *adapters, struct config_problems *problems,
		      struct config **ret_config) WARN_UNUSED;

struct config *config_ref(struct config *config);
void config_unref(struct config *config); /* accepts NULL */
CLEANUP_DEFINE(struct config *, config_unref)

/* The endpoint of that name, or NULL. */
const struct config_endpoint *config_endpoint(const struct config *config, const char *name);
const struct config_route *config_route(const struct config *config, const char *name);
const struct config_profile *config_profile(const struct config *config, const char *name);
/* How many of the profiles stand in the files; the built-in "default" stands behind them. */
size_t config_profiles_given(const struct config *config);

/* One setting of an endpoint's adapter in the form that the wire wants: "true" or "false", a decimal number, text. A list
 * comes entry by entry with a rising `index`, an empty one not at all. `file`: `value` is the path of a file, or "". */
typedef int config_setting_fn(void *arg, const char *name, uint32_t index, const char *value, bool file);

/* Calls `fn` for every row, given or default. Ends at the first negative return, and gives it back. */
int config_each_setting(const struct config_endpoint *endpoint, config_setting_fn *fn, void *arg) WARN_UNUSED;

/* The media type of a content format, "" where it is not known here or TG_FORMAT_NONE. */
const char *config_format_type(int32_t format);
/* The number of a content format by media type or digits, TG_FORMAT_NONE for "none". Errors: -EINVAL. */
int config_format_parse(const char *text, int32_t *ret_format) WARN_UNUSED;

/* What a change asks for. */
enum config_effect { CONFIG_LIVE, CONFIG_RESTART_ENDPOINT, CONFIG_RESTART_GATEWAY };

struct config_change {
	enum config_effect effect;
	const char *endpoint; /* NULL where it is not about one */
	const char *text;     /* "endpoint field: idle_s 60 -> 120 (live)" */
};

typedef void config_change_fn(void *arg, const struct config_change *change);

/* Calls `fn` for each difference; the change is lent for the call. Returns how many there are. Errors: -ENOMEM. */
int config_diff(const struct config *before, const struct config *after, config_change_fn *fn, void *arg) WARN_UNUSED;

/* Adds what works but may not be meant: plain listening, key files that others can read, files that are not there, routes
 * that can never match. */
void config_warn(const struct config *config, struct config_problems *problems);

/* Where the parts of tidegate are. */
struct config_places {
	const char *adapter_dir;
	const char *endpoint_program;
	const char *state_dir; /* NULL: nothing there is looked at */
};

/* `tidegated --check`: prints everything that is wrong or suspicious, or what is there. Opens no socket and changes
 * nothing. Returns 0 where it is good. Errors: -EINVAL: it is not; -ENOMEM. */
int config_check(const char *file, const struct config_places *places, FILE *out) WARN_UNUSED;

#endif
