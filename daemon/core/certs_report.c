/* SPDX-License-Identifier: Apache-2.0 */
#include "core/certs_report.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "core/config.h"

#define DAY_US (INT64_C(86400) * CLOCK_S_US)

static json_t *time_of(int64_t wall_us)
{
	char text[CLOCK_TEXT_SIZE];

	if (wall_us == INT64_MAX)
		return json_null();
	clock_format_seconds(wall_us, text);
	return json_string(text);
}

/* Since when it is so: what was unusable when it was looked at, was so before. */
static int64_t broken_since(const struct certs_item *item, enum certs_state state, int64_t wall_us)
{
	return state == CERTS_EXPIRED ? item->facts.until_wall_us : wall_us;
}

static json_t *describe_item(const struct certs_item *item, int64_t wall_us, int64_t urgent_us)
{
	const struct trust_x509 *facts = &item->facts;
	char words[CERTS_WORDS_SIZE], remedy[CERTS_WORDS_SIZE], who[TRUST_X509_NAME_SIZE];
	int64_t next_us, renew_us, urgent_at_us;
	enum certs_state state = certs_state_at(item, wall_us, urgent_us, &next_us);

	certs_marks(item, urgent_us, &renew_us, &urgent_at_us);
	certs_words(item, state, words);
	certs_remedy(item, state, remedy);
	certs_who(item, who);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:s,s:s}",
			 "endpoint", item->endpoint, "role", certs_role_name(item->role), "setting",
			 item->role >= CERTS_DEVICE ? "" : item->place, "file", item->file, "who", who, "state",
			 certs_state_name(state), "authority", facts->authority, "subject", facts->subject, "issuer",
			 facts->issuer, "serial", facts->serial, "names", facts->names, "key", facts->key, "bits",
			 (json_int_t)facts->bits, "signature", facts->signature, "fingerprint", facts->fingerprint,
			 "from", *item->problem ? json_null() : time_of(facts->from_wall_us), "until",
			 *item->problem ? json_null() : time_of(facts->until_wall_us), "days_left",
			 *item->problem || facts->until_wall_us == INT64_MAX
				 ? json_null()
				 : json_integer((facts->until_wall_us - wall_us) / DAY_US),
			 "renew_from", time_of(renew_us), "urgent_from", time_of(urgent_at_us), "text", words, "remedy",
			 remedy);
}

typedef int broken_fn(void *arg, const struct certs_item *item, enum certs_state state);

/* Calls `fn` for everything that does not work at that time. */
static int each_broken(const struct certs *certs, int64_t at_wall_us, int64_t urgent_us, broken_fn *fn, void *arg)
{
	CLEANUP_FREE const struct certs_item **list = NULL;
	int64_t next_us;
	size_t count;
	int r = certs_list(certs, &list, &count), broken = 0;

	for (size_t i = 0; i < count && r >= 0; i++) {
		enum certs_state state = certs_state_at(list[i], at_wall_us, urgent_us, &next_us);

		if (!certs_is_broken(state))
			continue;
		r = fn(arg, list[i], state);
		broken++;
	}
	return r < 0 ? r : broken;
}

struct broken {
	json_t *list;
	int64_t wall_us;
};

static int add_broken(void *arg, const struct certs_item *item, enum certs_state state)
{
	struct broken *broken = arg;
	char words[CERTS_WORDS_SIZE], remedy[CERTS_WORDS_SIZE];

	certs_words(item, state, words);
	certs_remedy(item, state, remedy);
	return json_array_append_new(broken->list,
				     json_pack("{s:o,s:s,s:s,s:s,s:s}", "since",
					       time_of(broken_since(item, state, broken->wall_us)), "endpoint",
					       item->endpoint, "state", certs_state_name(state), "text", words,
					       "remedy", remedy)) < 0
		       ? -ENOMEM
		       : 0;
}

json_t *certs_describe(const struct certs *certs, int64_t wall_us, int64_t at_wall_us, int64_t urgent_us)
{
	CLEANUP_FREE const struct certs_item **list = NULL;
	struct broken broken = {json_array(), wall_us};
	json_t *items = json_array(), *result;
	size_t count = 0;

	if (certs_list(certs, &list, &count) < 0)
		count = 0;
	for (size_t i = 0; i < count; i++)
		json_array_append_new(items, describe_item(list[i], wall_us, urgent_us));
	result = json_pack("{s:o,s:o,s:I}", "now", time_of(wall_us), "certificates", items, "peers_left_out",
			   (json_int_t)certs_left_out(certs));
	if (at_wall_us && result && each_broken(certs, at_wall_us, urgent_us, add_broken, &broken) >= 0) {
		json_object_set_new(result, "at", time_of(at_wall_us));
		json_object_set_new(result, "broken", broken.list);
	} else {
		json_decref(broken.list);
	}
	return result;
}

json_t *certs_count(const struct certs *certs)
{
	CLEANUP_FREE const struct certs_item **list = NULL;
	json_int_t counts[CERTS_STATES] = {0};
	json_t *result = json_object();
	size_t count = 0;

	if (certs_list(certs, &list, &count) < 0)
		count = 0;
	for (size_t i = 0; i < count; i++)
		counts[list[i]->state]++;
	for (int state = 0; state < CERTS_STATES; state++)
		json_object_set_new(result, certs_state_name((enum certs_state)state), json_integer(counts[state]));
	return result;
}

static int print_one(void *arg, const struct certs_item *item, enum certs_state state)
{
	char words[CERTS_WORDS_SIZE], remedy[CERTS_WORDS_SIZE];
	FILE *out = arg;

	certs_words(item, state, words);
	certs_remedy(item, state, remedy);
	fprintf(out, "%s\n    %s\n", words, remedy);
	return 0;
}

int certs_print_broken(const struct certs *certs, int64_t at_wall_us, int64_t urgent_us, FILE *out)
{
	return each_broken(certs, at_wall_us, urgent_us, print_one, out);
}

int certs_check(const char *config_file, const struct config_places *places, const char *at, FILE *out)
{
	CLEANUP(descriptor_set_freep) struct descriptor_set *adapters = NULL;
	CLEANUP(config_unrefp) struct config *config = NULL;
	CLEANUP(certs_freep) struct certs *certs = NULL;
	struct config_problems problems;
	char text[CLOCK_TEXT_SIZE];
	int64_t at_wall_us;
	int r;

	if (clock_parse(at, clock_wall_us(), &at_wall_us) < 0)
		return -ERANGE;
	config_problems_init(&problems);
	r = descriptor_set_new(places->endpoint_program, places->adapter_dir, &adapters);
	if (r >= 0)
		r = config_load_start(config_file, adapters, &problems, &config);
	if (r == -EINVAL)
		config_problems_print(&problems, out);
	config_problems_done(&problems);
	if (r >= 0)
		r = certs_new(&certs);
	if (r >= 0)
		r = certs_collect(certs, config, places->state_dir, clock_wall_us()); /* of a new table: one round */
	if (r < 0)
		return r;
	clock_format_seconds(at_wall_us, text);
	r = certs_print_broken(certs, at_wall_us, config->certificates.urgent_us, out);
	if (r == 0)
		fprintf(out, "good: every certificate that the files hold is valid at %s\n", text);
	else if (r > 0)
		fprintf(out, "%d of this will not work at %s\n", r, text);
	return r;
}
