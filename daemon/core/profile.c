/* SPDX-License-Identifier: Apache-2.0 */
#include "core/profile.h"

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/wildcard.h"

/* A bucket counts in millionths: a rate of so many messages a second is as many millionths a microsecond. */
enum { TOKEN = 1000000 };

static const struct profile *find_named(const struct profile *first, const char *name)
{
	while (first && strcmp(first->name, name) != 0)
		first = first->next;
	return first;
}

static bool is_for(const struct profile *profile, struct tg_bytes device)
{
	for (size_t i = 0; i < profile->devices_count; i++)
		if (wildcard_match(profile->devices[i], device))
			return true;
	return false;
}

enum profile_origin profile_find(const struct profile *first, const char *named, const char *device,
				 const struct profile **ret_profile)
{
	if (named && *named) {
		*ret_profile = find_named(first, named);
		return *ret_profile ? PROFILE_REGISTRY : PROFILE_MISSING;
	}
	for (const struct profile *profile = first; profile; profile = profile->next) {
		if (is_for(profile, bytes_text(device))) {
			*ret_profile = profile;
			return PROFILE_NAME;
		}
	}
	*ret_profile = find_named(first, PROFILE_DEFAULT_NAME);
	return *ret_profile ? PROFILE_FALLBACK : PROFILE_MISSING;
}

static bool is_fresh(const struct profile_use *use, uint64_t epoch, const char *named)
{
	if (use->epoch != epoch || !use->profile)
		return false;
	if (!named || !*named)
		return use->origin != PROFILE_REGISTRY;
	return use->origin == PROFILE_REGISTRY && strcmp(use->profile->name, named) == 0;
}

const struct profile *profile_of(const struct profile *first, uint64_t epoch, const char *named, const char *device,
				 struct profile_use *use)
{
	if (!is_fresh(use, epoch, named)) {
		use->origin = profile_find(first, named, device, &use->profile);
		use->epoch = epoch;
	}
	return use->profile;
}

static bool is_one_of(struct pattern *const *paths, size_t count, struct tg_bytes path, const struct tg_bytes *given)
{
	struct pattern_values values;

	if (count == 0)
		return true;
	memcpy(values.given, given, sizeof(values.given));
	for (size_t i = 0; i < count; i++)
		if (pattern_match(paths[i], path, &values))
			return true;
	return false;
}

static bool has_method(uint32_t methods, uint32_t method)
{
	return method <= PROFILE_METHOD_MAX && methods & PROFILE_METHOD(method);
}

static bool takes_format(const struct profile *profile, int32_t format)
{
	for (size_t i = 0; i < profile->formats_count; i++)
		if (profile->formats[i] == format)
			return true;
	return profile->formats_count == 0;
}

enum tg_verdict profile_judge(const struct profile *profile, const struct profile_request *request,
			      const char **ret_reason)
{
	if (request->method &&
	    !has_method(profile->methods ? profile->methods : PROFILE_METHODS_USUAL, request->method)) {
		*ret_reason = "this method is not allowed by the device's profile";
		return TG_NOT_ALLOWED;
	}
	if (!is_one_of(profile->paths, profile->paths_count, request->path, request->given)) {
		*ret_reason = "this path is not allowed by the device's profile";
		return TG_NOT_ALLOWED;
	}
	if (!takes_format(profile, request->content_format)) {
		*ret_reason = "this content format is not taken by the device's profile";
		return TG_WRONG_FORMAT;
	}
	if (request->payload_bytes > profile->payload_max_bytes) {
		*ret_reason = "larger than the device's profile allows";
		return TG_TOO_LARGE;
	}
	return TG_ACCEPTED;
}

static int64_t round_up(int64_t number, int64_t by)
{
	return number / by + (number % by != 0);
}

/* A bucket that was never used is full. */
static void fill(const struct profile *profile, struct profile_use *use, int64_t now_us)
{
	int64_t full = (int64_t)profile->burst * TOKEN, elapsed_us = now_us - use->tokens_us;
	bool never = use->tokens_us == 0;

	use->tokens_us = now_us;
	if (never || use->tokens >= full || elapsed_us >= round_up(full - use->tokens, profile->rate))
		use->tokens = full;
	else if (elapsed_us > 0)
		use->tokens += elapsed_us * profile->rate;
}

uint32_t profile_take(const struct profile *profile, struct profile_use *use, int64_t now_us)
{
	if (profile->rate == 0)
		return 0;
	fill(profile, use, now_us);
	if (use->tokens < TOKEN)
		return (uint32_t)round_up(round_up(TOKEN - use->tokens, profile->rate), CLOCK_S_US);
	use->tokens -= TOKEN;
	return 0;
}

bool profile_takes_commands(const struct profile *profile)
{
	return profile && profile->commands;
}

enum tg_verdict profile_judge_command(const struct profile *profile, struct tg_bytes path, uint32_t method,
				      const struct tg_bytes *given, const char **ret_reason)
{
	if (path.size && *(const char *)path.data == '/')
		path = bytes_of((const char *)path.data + 1, path.size - 1);
	if (!profile)
		*ret_reason = "the device's profile is not configured";
	else if (!profile->commands)
		*ret_reason = "the device's profile takes no commands";
	else if (!has_method(profile->command_methods ? profile->command_methods : PROFILE_COMMANDS_USUAL, method))
		*ret_reason = "commands with this method are not allowed by the device's profile";
	else if (!is_one_of(profile->command_paths, profile->command_paths_count, path, given))
		*ret_reason = "commands to this path are not allowed by the device's profile";
	else
		return TG_ACCEPTED;
	return TG_NOT_ALLOWED;
}

bool profile_may_read(const struct profile *profile, struct tg_bytes device, struct tg_bytes path)
{
	struct pattern_values values = {.given = {{NULL, 0}}};

	for (size_t i = 0; profile && i < profile->reads_count; i++)
		if (wildcard_match(profile->reads[i].device, device) &&
		    pattern_match(profile->reads[i].path, path, &values))
			return true;
	return false;
}

bool profile_may_read_of(const struct profile *profile, struct tg_bytes device)
{
	for (size_t i = 0; profile && i < profile->reads_count; i++)
		if (wildcard_match(profile->reads[i].device, device))
			return true;
	return false;
}

const char *profile_origin_text(enum profile_origin origin)
{
	switch (origin) {
	case PROFILE_MISSING:
		return "missing";
	case PROFILE_REGISTRY:
		return "registry";
	case PROFILE_NAME:
		return "name";
	case PROFILE_FALLBACK:
		return "default";
	}
	return "";
}
