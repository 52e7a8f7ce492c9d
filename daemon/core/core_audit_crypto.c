/* SPDX-License-Identifier: Apache-2.0 */

/* The audit of what is spoken on the network: policy, plain listeners, certificates, live sessions. */

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/textfile.h"
#include "core/core_audit.h"
#include "core/trust_policy.h"
#include "wire/crypto.h"

enum { NOTES_MAX = 100 };

struct certificates {
	struct core *core;
	const struct config_endpoint *endpoint;
	const char *setting;
	json_t *evidence;
	json_t *below;
	enum audit_state state;
	unsigned count, weak;
};

static const struct tg_crypto *policy_of(const struct core *core, const struct config_endpoint *endpoint)
{
	const struct tg_crypto *policy = crypto_policy(endpoint ? endpoint->crypto : core->config->crypto);

	return policy ? policy : crypto_policy("modern");
}

static void check_policy(struct core *core, json_t *lines)
{
	const struct config *config = core->config;
	bool modern = strcmp(config->crypto, "modern") == 0;
	json_t *evidence;

	for (size_t i = 0; i < config->endpoints_count; i++)
		modern &= strcmp(config->endpoints[i].crypto, "modern") == 0;
	evidence = audit_line(lines, "policy", "5.5", modern ? AUDIT_OK : AUDIT_WARN,
			      "set crypto = \"modern\" as soon as every device and server speaks it",
			      modern ? "cryptography is held to the modern policy everywhere"
				     : "cryptography is held to an older policy in places");
	audit_note(evidence, "gateway: crypto = \"%s\"", config->crypto);
	for (size_t i = 0; i < config->endpoints_count; i++)
		if (strcmp(config->endpoints[i].crypto, config->crypto) != 0)
			audit_note(evidence, "endpoint \"%s\": crypto = \"%s\"", config->endpoints[i].name,
				   config->endpoints[i].crypto);
}

static bool is_plain(const struct config_endpoint *endpoint)
{
	const struct config_value *value = config_section_value(&endpoint->settings, "insecure");

	return endpoint->enabled && value && value->boolean;
}

static void check_plain(struct core *core, json_t *lines)
{
	const struct config *config = core->config;
	unsigned plain = 0;
	json_t *evidence;

	for (size_t i = 0; i < config->endpoints_count; i++)
		plain += is_plain(&config->endpoints[i]);
	evidence = audit_line(lines, "plain", "5.5", plain ? AUDIT_FAIL : AUDIT_OK,
			      "take \"insecure\" out of the configuration; speak TLS or DTLS, and give both sides what "
			      "to prove themselves with",
			      "%u endpoint(s) may speak without encryption, or with anybody", plain);
	for (size_t i = 0; i < config->endpoints_count; i++)
		if (is_plain(&config->endpoints[i]))
			audit_note(evidence, "endpoint \"%s\": insecure = true", config->endpoints[i].name);
	if (!plain)
		audit_note(evidence, "no endpoint has insecure = true");
}

static enum audit_state state_of(const struct core *core, const struct trust_x509 *facts, const char **ret_words)
{
	int64_t now = core_now_wall_us(core), left = facts->until_wall_us - now;

	*ret_words = "good";
	if (left <= 0)
		*ret_words = facts->list ? "past its next update" : "EXPIRED";
	else if (facts->from_wall_us > now)
		*ret_words = "NOT YET VALID";
	else if (left < core->config->certificates.urgent_us && !facts->list)
		*ret_words = "about to expire";
	else
		return AUDIT_OK;
	return facts->list || (left > 0 && facts->from_wall_us <= now) ? AUDIT_WARN : AUDIT_FAIL;
}

static void add_below(json_t *below, const char *what, const char *name, const char *endpoint, int64_t since_wall_us,
		      const char *how, const char *reason)
{
	char since[CLOCK_TEXT_SIZE];

	clock_format(since_wall_us, since);
	json_array_append_new(below, json_pack("{s:s,s:o,s:s,s:s,s:o,s:s}", "what", what, "name",
					       control_text(bytes_text(name)), "endpoint", endpoint, "since", since,
					       "evidence", control_text(bytes_text(how)), "reason", reason));
}

static void add_certificate(void *arg, const struct trust_x509 *facts)
{
	struct certificates *all = arg;
	const char *reason = trust_below(facts, policy_of(all->core, all->endpoint)), *words;
	enum audit_state state = state_of(all->core, facts, &words);
	char until[CLOCK_TEXT_SIZE], how[256];

	clock_format(facts->until_wall_us, until);
	if (*facts->group)
		snprintf(how, sizeof(how), "%s, signed with %s", facts->group, facts->signature);
	else
		snprintf(how, sizeof(how), "%s %u bits, signed with %s", facts->key, facts->bits, facts->signature);
	if (reason) {
		add_below(all->below, "certificate", facts->subject, all->endpoint->name, facts->from_wall_us, how,
			  reason);
		state = AUDIT_FAIL;
		all->weak++;
	}
	all->state = audit_worse(all->state, state);
	if (all->count++ < NOTES_MAX)
		audit_note(all->evidence, "%s of \"%s\": %s%s, until %.10s: %s%s%s%s", all->setting,
			   all->endpoint->name, facts->list ? "revocation list of " : "", facts->subject,
			   facts->until_wall_us < INT64_MAX ? until : "for ever", words, reason ? ", " : "",
			   reason ? how : "", reason ? ": below the policy" : "");
}

/* What the endpoint uses now: where its certificate renews itself, that is not the file of the setting. */
static char *read_used(const struct certificates *all, const char *path)
{
	struct endpoint *endpoint = core_endpoint(all->core, all->endpoint->name);
	CLEANUP_CLOSE int fd = endpoint ? core_renewal_open(endpoint, all->setting) : -1;

	return fd < 0 ? textfile_read(path) : textfile_read_fd(fd);
}

static int add_file(void *arg, const char *name, uint32_t index, const char *value, bool file)
{
	struct certificates *all = arg;
	char *text;
	int count;

	(void)index;
	if (!file || !*value || strcmp(name, "key") == 0 || strcmp(name, "password_file") == 0)
		return 0;
	all->setting = name;
	text = read_used(all, value);
	count = text ? trust_x509_read_pem(bytes_text(text), add_certificate, all) : 0;
	if (text)
		explicit_bzero(text, strlen(text)); /* a key may stand beside the certificate */
	free(text);
	if (count <= 0) {
		audit_note(all->evidence, "%s of \"%s\": %s holds %s", name, all->endpoint->name, value,
			   count < 0 ? "something that cannot be read" : "no certificate that can be read");
		all->state = AUDIT_FAIL;
	}
	return 0;
}

static void check_certificates(struct core *core, json_t *lines, json_t *below)
{
	struct certificates all = {.core = core, .evidence = json_array(), .below = below};
	const struct config *config = core->config;
	json_t *evidence;

	for (size_t i = 0; i < config->endpoints_count; i++) {
		all.endpoint = &config->endpoints[i];
		if (all.endpoint->enabled && config_each_setting(all.endpoint, add_file, &all) < 0)
			all.state = audit_worse(all.state, AUDIT_UNKNOWN);
	}
	evidence = audit_line(lines, "certificates", "5.5", all.state,
			      "replace what is marked; new files are taken over without a restart",
			      all.state == AUDIT_OK ? "all %u certificates and revocation lists are good"
						    : "of %u certificates and revocation lists some need attention",
			      all.count);
	json_array_extend(evidence, all.evidence);
	json_decref(all.evidence);
}

struct check {
	struct core *core;
	json_t *below;
	unsigned sessions, weak;
};

static int check_session(void *arg, const struct session *session)
{
	struct check *check = arg;
	const struct config_endpoint *endpoint = config_endpoint(check->core->config, session->endpoint);
	const struct tg_crypto *policy = policy_of(check->core, endpoint);
	bool psk = session->proof == TG_PROOF_PSK || (session->certificate.size == 0 && *session->device);
	const char *reason = trust_session_below(policy, psk, session->version, session->cipher, session->group);
	struct trust_x509 facts;
	char how[512];

	check->sessions++;
	if (!reason && session->certificate.size && trust_x509_read_der(session->certificate, &facts) >= 0)
		reason = trust_below(&facts, policy);
	if (!reason)
		return 0;
	snprintf(how, sizeof(how), "%s, %s, %s%s%s", session->peer, session->version, session->cipher,
		 *session->group ? ", " : "", session->group);
	check->weak++;
	add_below(check->below, "session", *session->device ? session->device : session->peer, session->endpoint,
		  session->begun_wall_us, how, reason);
	return 0;
}

static void check_sessions(struct core *core, json_t *lines, json_t *below)
{
	struct check check = {.core = core, .below = below};
	json_t *evidence;

	sessions_each(core->sessions, check_session, &check);
	evidence =
		audit_line(lines, "sessions", "5.5", check.weak ? AUDIT_WARN : AUDIT_OK,
			   "end them to have them negotiated anew: restart the endpoint, or rotate the devices' keys",
			   "%u of %u live sessions are below the policy", check.weak, check.sessions);
	audit_note(evidence, "%u sessions looked at: version, cipher suite, group and certificate of each",
		   check.sessions);
}

void core_audit_crypto(struct core *core, json_t *lines, json_t *below)
{
	check_policy(core, lines);
	check_plain(core, lines);
	check_certificates(core, lines, below);
	check_sessions(core, lines, below);
}
