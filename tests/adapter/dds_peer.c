/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A participant made by idlc and CycloneDDS, without anything of ours: writes samples that it is told to, or prints those it
 * reads. Commands come one a line on standard input, each is answered by a line; the end of the input ends it.
 *
 *	dds_peer DOMAIN write|read TOPIC TYPE [best_effort] [transient_local] [partition=P] [instances=N] [security=FOLDER]
 *		[library=FOLDER] [depth=N] [lease=SECONDS]
 *
 *	match N     waits for so many matched readers or writers     -> matched
 *	write A B   writes samples A to B-1                           -> written
 *	dispose A B, unregister A B  the instances of samples A to B-1, or of A alone   -> disposed, unregistered
 *	churn N     makes N writers beside its own, each of which goes when its one sample is acknowledged -> churned
 *	acks        waits until all is acknowledged                   -> acknowledged
 *	read: each sample is printed by itself: "sample …", "disposed", "no_writers"
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/adapter/dds_samples.h"

enum { LIMIT_S = 60, CHURNED_AT_ONCE = 300 };

struct peer {
	const struct dds_sample_type *type;
	dds_entity_t participant, topic, entity;
	dds_qos_t *qos; /* of the entity */
	bool writes;
	int instances;
};

static void fail(const char *what, dds_return_t r)
{
	printf("failed: %s (%s)\n", what, dds_strretcode(r));
	fflush(stdout);
	exit(1);
}

static dds_entity_t good(const char *what, dds_return_t r)
{
	if (r < 0)
		fail(what, r);
	return r;
}

static const char *option(char **options, const char *name)
{
	size_t n = strlen(name);

	for (; *options; options++)
		if (strncmp(*options, name, n) == 0)
			return *options + n;
	return NULL;
}

static void begin_domain(uint32_t number, const char *lease)
{
	static const char format[] =
		"<Domain Id=\"any\"><General><Interfaces><NetworkInterface name=\"lo\" "
		"multicast=\"false\"/></Interfaces>"
		"<AllowMulticast>false</AllowMulticast></General><Discovery><ParticipantIndex>auto</ParticipantIndex>"
		"<MaxAutoParticipantIndex>20</MaxAutoParticipantIndex><Peers><Peer address=\"127.0.0.1\"/></Peers>"
		"<SPDPInterval>1s</SPDPInterval><LeaseDuration>%.8ss</LeaseDuration></Discovery></Domain>";
	char config[1024];

	snprintf(config, sizeof(config), format, lease ? lease : "10");
	good("domain", dds_create_domain(number, config));
}

static void set_file(dds_qos_t *qos, const char *property, const char *folder, const char *file)
{
	char text[512];

	snprintf(text, sizeof(text), "file:%s/%s", folder, file);
	dds_qset_prop(qos, property, text);
}

static void set_library(dds_qos_t *qos, const char *kind, const char *functions, const char *file)
{
	char name[128], value[256];

	snprintf(name, sizeof(name), "dds.sec.%s.library.path", kind);
	snprintf(value, sizeof(value), "%s/lib%s.so", TG_DDS_SECURITY, file);
	dds_qset_prop(qos, name, value);
	snprintf(name, sizeof(name), "dds.sec.%s.library.init", kind);
	snprintf(value, sizeof(value), "init_%s", functions);
	dds_qset_prop(qos, name, value);
	snprintf(name, sizeof(name), "dds.sec.%s.library.finalize", kind);
	snprintf(value, sizeof(value), "finalize_%s", functions);
	dds_qset_prop(qos, name, value);
}

static void secure(dds_qos_t *qos, const char *folder)
{
	set_file(qos, "dds.sec.auth.identity_ca", folder, "identity-ca.crt");
	set_file(qos, "dds.sec.auth.identity_certificate", folder, "peer.crt");
	set_file(qos, "dds.sec.auth.private_key", folder, "peer.key");
	set_file(qos, "dds.sec.access.permissions_ca", folder, "permissions-ca.crt");
	set_file(qos, "dds.sec.access.governance", folder, "governance.p7s");
	set_file(qos, "dds.sec.access.permissions", folder, "peer.p7s");
	set_library(qos, "auth", "authentication", "dds_security_auth");
	set_library(qos, "crypto", "crypto", "dds_security_crypto");
	set_library(qos, "access", "access_control", "dds_security_ac");
}

static void begin(struct peer *peer, char **args, char **options)
{
	const char *security = option(options, "security="), *partition = option(options, "partition=");
	dds_qos_t *qos = dds_create_qos(), *endpoint = dds_create_qos();
	const char *depth = option(options, "depth=");

	begin_domain((uint32_t)strtoul(args[0], NULL, 10), option(options, "lease="));
	if (security)
		secure(qos, security);
	peer->participant =
		good("participant", dds_create_participant((dds_domainid_t)strtoul(args[0], NULL, 10), qos, NULL));
	peer->topic = good("topic", dds_create_topic(peer->participant, peer->type->descriptor, args[2], NULL, NULL));
	dds_qset_reliability(endpoint,
			     option(options, "best_effort") ? DDS_RELIABILITY_BEST_EFFORT : DDS_RELIABILITY_RELIABLE,
			     DDS_SECS(LIMIT_S));
	if (option(options, "transient_local"))
		dds_qset_durability(endpoint, DDS_DURABILITY_TRANSIENT_LOCAL);
	dds_qset_durability_service(endpoint, 0, DDS_HISTORY_KEEP_ALL, 0, DDS_LENGTH_UNLIMITED, DDS_LENGTH_UNLIMITED,
				    DDS_LENGTH_UNLIMITED);
	dds_qset_history(endpoint, depth ? DDS_HISTORY_KEEP_LAST : DDS_HISTORY_KEEP_ALL,
			 depth ? (int)strtol(depth, NULL, 10) : 0);
	dds_qset_writer_data_lifecycle(endpoint, false);
	if (partition)
		dds_qset_partition1(endpoint, partition);
	peer->entity = peer->writes ? good("writer", dds_create_writer(peer->participant, peer->topic, endpoint, NULL))
				    : good("reader", dds_create_reader(peer->participant, peer->topic, endpoint, NULL));
	dds_delete_qos(qos);
	peer->qos = endpoint;
}

static uint32_t matched(const struct peer *peer)
{
	dds_publication_matched_status_t writer = {0};
	dds_subscription_matched_status_t reader = {0};

	if (peer->writes)
		dds_get_publication_matched_status(peer->entity, &writer);
	else
		dds_get_subscription_matched_status(peer->entity, &reader);
	return peer->writes ? writer.current_count : reader.current_count;
}

static void write_some(const struct peer *peer, int from, int to)
{
	void *sample = calloc(1, peer->type->size);

	for (int n = from; n < to && sample; n++) {
		peer->type->fill(sample, n, peer->instances);
		good("write", dds_write(peer->entity, sample));
	}
	free(sample);
}

static void end_some(const struct peer *peer, int from, int to, bool dispose)
{
	void *sample = calloc(1, peer->type->size);

	if (!sample)
		return;
	for (int n = from; n < to || n == from; n++) {
		peer->type->fill(sample, n, peer->instances);
		good("dispose",
		     dispose ? dds_dispose(peer->entity, sample) : dds_unregister_instance(peer->entity, sample));
	}
	free(sample);
}

/* So each of them is one that the other side has met. */
static void churn(const struct peer *peer, int n)
{
	dds_entity_t writers[CHURNED_AT_ONCE];
	void *sample = calloc(1, peer->type->size);
	int some;

	peer->type->fill(sample, 0, 1);
	for (; n > 0 && sample; n -= some) {
		some = n < CHURNED_AT_ONCE ? n : CHURNED_AT_ONCE;
		for (int i = 0; i < some; i++) {
			writers[i] = good("writer", dds_create_writer(peer->participant, peer->topic, peer->qos, NULL));
			good("write", dds_write(writers[i], sample));
		}
		for (int i = 0; i < some; i++) {
			good("acks", dds_wait_for_acks(writers[i], DDS_SECS(LIMIT_S)));
			dds_delete(writers[i]);
		}
	}
	free(sample);
}

static void obey(const struct peer *peer, const char *line)
{
	int a = 0, b = 0;

	if (sscanf(line, "match %d", &a) == 1) {
		for (int i = 0; i < LIMIT_S * 100 && matched(peer) != (uint32_t)a; i++)
			dds_sleepfor(DDS_MSECS(10));
		puts(matched(peer) == (uint32_t)a ? "matched" : "failed: not matched");
	} else if (sscanf(line, "write %d %d", &a, &b) == 2) {
		write_some(peer, a, b);
		puts("written");
	} else if (sscanf(line, "dispose %d %d", &a, &b) >= 1) {
		end_some(peer, a, b, true);
		puts("disposed");
	} else if (sscanf(line, "unregister %d %d", &a, &b) >= 1) {
		end_some(peer, a, b, false);
		puts("unregistered");
	} else if (sscanf(line, "churn %d", &a) == 1) {
		churn(peer, a);
		puts("churned");
	} else if (strncmp(line, "acks", 4) == 0) {
		puts(dds_wait_for_acks(peer->entity, DDS_SECS(LIMIT_S)) == 0 ? "acknowledged"
									     : "failed: not acknowledged");
	} else {
		printf("failed: %s", line);
	}
	fflush(stdout);
}

static void on_data(dds_entity_t reader, void *arg)
{
	const struct peer *peer = arg;
	dds_sample_info_t info[64];
	void *samples[64] = {NULL};
	int n;

	while ((n = dds_take(reader, samples, info, 64, 64)) > 0) {
		for (int i = 0; i < n; i++)
			if (info[i].valid_data)
				peer->type->print(samples[i]);
			else
				puts(info[i].instance_state == DDS_NOT_ALIVE_DISPOSED_INSTANCE_STATE ? "disposed"
												     : "no_writers");
		dds_return_loan(reader, samples, n);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct peer peer = {.instances = 1};
	char line[256];
	dds_listener_t *listener;

	if (argc < 5 || !(peer.type = dds_sample_type(argv[4])))
		return 2;
	peer.writes = strcmp(argv[2], "write") == 0;
	if (option(argv + 5, "instances="))
		peer.instances = (int)strtol(option(argv + 5, "instances="), NULL, 10);
	begin(&peer, argv + 1, argv + 5);
	if (!peer.writes) {
		listener = dds_create_listener(&peer);
		dds_lset_data_available(listener, on_data);
		good("listener", dds_set_listener(peer.entity, listener));
		dds_delete_listener(listener);
		on_data(peer.entity, &peer);
	}
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		obey(&peer, line);
	dds_delete_qos(peer.qos);
	dds_delete(peer.participant);
	return 0;
}
