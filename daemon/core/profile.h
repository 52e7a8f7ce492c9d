/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_PROFILE_H
#define CORE_PROFILE_H

/*
 * What the devices of one kind may do: paths, methods, content formats, size, rate, how much of an outbox, which commands they
 * take, what they may read of others. The configuration makes profiles; the intake asks for the one of a device and lets it judge each message. Nothing here takes
 * memory, reads a clock or writes a log.
 *
 * Which profile a device has: the one that the registry names for it; else the first whose `devices` match its name; else the one
 * called "default", which every configuration has. A device whose named profile does not exist has none, and may do nothing:
 * a lost section of the file must not open a gate.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "core/pattern.h"

/* Methods (enum tg_method) as bits. */
#define PROFILE_METHOD(code) (1u << (code))
enum { PROFILE_METHOD_MAX = 31 };
/* What may be used where nothing is said: patches have to be asked for (RFC 8132). */
#define PROFILE_METHODS_USUAL (PROFILE_METHOD(TG_METHOD_POST) | PROFILE_METHOD(TG_METHOD_PUT))
#define PROFILE_COMMANDS_USUAL                                                                                         \
	(PROFILE_METHODS_USUAL | PROFILE_METHOD(TG_METHOD_GET) | PROFILE_METHOD(TG_METHOD_DELETE))

#define PROFILE_DEFAULT_NAME "default"

/* What may be read of others. Ownership: the configuration's. */
struct profile_read {
	char *device; /* wildcard */
	struct pattern *path;
};

struct profile {
	const struct profile *next; /* in the order of the configuration */
	const char *name;
	char *const *devices; /* wildcards */
	size_t devices_count;
	struct pattern *const *paths;
	size_t paths_count;     /* 0: all are allowed */
	uint32_t methods;       /* PROFILE_METHOD of each; 0: PROFILE_METHODS_USUAL */
	const int32_t *formats; /* TG_FORMAT_NONE is one of them where messages without a format are taken */
	size_t formats_count;   /* 0: all are taken */
	size_t payload_max_bytes;
	uint32_t rate; /* messages a second; 0: no limit */
	uint32_t burst;
	uint8_t outbox_share; /* percent; 100: no limit */
	bool commands;
	struct pattern *const *command_paths;
	size_t command_paths_count; /* 0: all */
	uint32_t command_methods;   /* 0: PROFILE_COMMANDS_USUAL */
	const struct profile_read *reads;
	size_t reads_count; /* 0: nothing */
};

enum profile_origin {
	PROFILE_MISSING,  /* the registry names one that does not exist */
	PROFILE_REGISTRY, /* named there for this device */
	PROFILE_NAME,     /* its `devices` match the device's name */
	PROFILE_FALLBACK  /* "default" */
};

/* What is kept for one device: which profile it has, until the next epoch, and its token bucket. Zeroed memory is good. */
struct profile_use {
	const struct profile *profile;
	enum profile_origin origin;
	uint64_t epoch;
	int64_t tokens; /* millionths of a message */
	int64_t tokens_us;
};

/* A message that a device wants to hand in. Borrowed. */
struct profile_request {
	struct tg_bytes path;
	uint32_t method; /* enum tg_method */
	int32_t content_format;
	size_t payload_bytes;
	const struct tg_bytes *given; /* PATTERN_GIVEN_COUNT values, by enum pattern_given; the format is not used */
};

/* `named`: what the registry says, NULL or "" where nothing. *ret_profile is NULL with PROFILE_MISSING. */
enum profile_origin profile_find(const struct profile *first, const char *named, const char *device,
				 const struct profile **ret_profile);

/* The same, from `use` where the epoch and the name are those of the last time. An epoch is never 0, and a new one for each list. */
const struct profile *profile_of(const struct profile *first, uint64_t epoch, const char *named, const char *device,
				 struct profile_use *use);

/* Whether all but the rate allows the message. `*ret_reason`: a sentence without what the device sent; where it is too large, the limit
 * is the profile's. Returns TG_ACCEPTED, TG_NOT_ALLOWED, TG_WRONG_FORMAT or TG_TOO_LARGE. */
enum tg_verdict profile_judge(const struct profile *profile, const struct profile_request *request,
			      const char **ret_reason) WARN_UNUSED;

/* Takes a token of the device's bucket. Returns 0, or after how many seconds there will be one. */
uint32_t profile_take(const struct profile *profile, struct profile_use *use, int64_t now_us) WARN_UNUSED;

/* Whether its devices may be sent commands. NULL: none. */
bool profile_takes_commands(const struct profile *profile);

/* Whether a command may ask for `path`, which is that on the device without query and with or without a leading '/'. `given` as in
 * struct profile_request; NULL as the profile takes none. Returns TG_ACCEPTED or TG_NOT_ALLOWED, then with a reason. */
enum tg_verdict profile_judge_command(const struct profile *profile, struct tg_bytes path, uint32_t method,
				      const struct tg_bytes *given, const char **ret_reason) WARN_UNUSED;

/* Whether its devices may read what another `device` handed in at `path`. NULL: nothing. What is a device's own it may read
 * without being asked about here. */
bool profile_may_read(const struct profile *profile, struct tg_bytes device, struct tg_bytes path);

/* Whether there is anything of that device that they may read. */
bool profile_may_read_of(const struct profile *profile, struct tg_bytes device);

/* "registry", "name", "default" … for people and programs. */
const char *profile_origin_text(enum profile_origin origin);

#endif
