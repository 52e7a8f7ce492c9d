/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const security_rows[] = {"certificate",       "key",        "trust",
					    "permissions_trust", "governance", "permissions"};

enum { N_SECURITY = sizeof(security_rows) / sizeof(security_rows[0]), INTERFACE_NAME_MOST = 15 };

static enum options_choice choice(const struct tg_host *host, const char *name, const char *more, const char *less)
{
	const char *text = host->setting_text(host, name);

	return strcmp(text, more) == 0 ? OPTIONS_MORE : strcmp(text, less) == 0 ? OPTIONS_LESS : OPTIONS_OFFERED;
}

static bool is_interface(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && n <= INTERFACE_NAME_MOST && name[n] == 0;
}

static int check_network(const struct tg_host *host)
{
	const char *item;
	struct in_addr address;

	for (size_t i = 0; (item = host->setting_item(host, "interfaces", i)); i++) {
		if (is_interface(item))
			continue;
		host->log(host, TG_LOG_ERROR, NULL, "interface \"%s\" is no name of a network interface", item);
		return -EINVAL;
	}
	for (size_t i = 0; (item = host->setting_item(host, "peers", i)); i++) {
		if (inet_pton(AF_INET, item, &address) == 1)
			continue;
		host->log(host, TG_LOG_ERROR, NULL, "peer \"%s\" is no IPv4 address in digits", item);
		return -EINVAL;
	}
	if (!host->setting_bool(host, "multicast") && !host->setting_item(host, "peers", 0)) {
		host->log(host, TG_LOG_ERROR, NULL,
			  "nobody could be found: name the machines in 'peers', or set multicast = true");
		return -EINVAL;
	}
	return 0;
}

/* All of DDS Security, or in as many words none of it. */
static int check_security(const struct tg_host *host)
{
	const char *missing = NULL;
	unsigned given = 0;

	for (size_t i = 0; i < N_SECURITY; i++) {
		if (host->setting_text(host, security_rows[i])[0])
			given++;
		else if (!missing)
			missing = security_rows[i];
	}
	if (host->setting_bool(host, "insecure") ? given == 0 : given == N_SECURITY)
		return 0;
	if (host->setting_bool(host, "insecure"))
		host->log(host, TG_LOG_ERROR, NULL,
			  "insecure = true and the files of DDS Security contradict each other: take out one of them");
	else if (given)
		host->log(host, TG_LOG_ERROR, NULL, "DDS Security wants '%s' too", missing);
	else
		host->log(host, TG_LOG_ERROR, NULL,
			  "it would be without DDS Security: give certificate, key, trust, permissions_trust, "
			  "governance and permissions, or set insecure = true");
	return -EINVAL;
}

/* FNV-1a */
static void mark(uint64_t *mark, const char *text)
{
	do
		*mark = (*mark ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	while (*text++);
}

static void make_marks(struct options *o)
{
	char text[128];

	for (uint32_t i = 0; i < o->n_partitions; i++)
		mark(&o->reader_mark, o->partitions[i]);
	o->writer_mark = o->reader_mark;
	snprintf(text, sizeof(text), "%d %d %d %d", o->reliability, o->durability, o->reader_samples, o->instances);
	mark(&o->reader_mark, text);
	snprintf(text, sizeof(text), "%d %d", o->keeps, o->write_depth);
	mark(&o->writer_mark, text);
}

int options_read(const struct tg_host *host, struct options *ret_options)
{
	struct options o = {.host = host};
	const char *partition;
	int r = check_network(host);

	if (r >= 0)
		r = check_security(host);
	if (r < 0)
		return r;
	o.domain = (uint32_t)host->setting_int(host, "domain");
	o.multicast = host->setting_bool(host, "multicast");
	o.cbor = strcmp(host->setting_text(host, "format"), "cbor") == 0;
	o.key_path = host->setting_bool(host, "key_path");
	o.insecure = host->setting_bool(host, "insecure");
	o.reliability = choice(host, "reliability", "reliable", "best_effort");
	o.durability = choice(host, "durability", "transient_local", "volatile");
	o.topics_most = (size_t)host->setting_int(host, "topics_most");
	o.window = (size_t)host->setting_int(host, "window");
	o.reader_samples = (int32_t)host->setting_int(host, "reader_samples");
	o.instances = (int32_t)host->setting_int(host, "instances");
	o.readers = (uint32_t)host->setting_int(host, "readers");
	o.write_window = (size_t)host->setting_int(host, "write_window");
	o.confirm_timeout_us = host->setting_int(host, "confirm_timeout_s") * 1000000;
	o.keeps = strcmp(host->setting_text(host, "write_durability"), "transient_local") == 0;
	o.write_depth = (int32_t)host->setting_int(host, "write_depth");
	while (o.n_partitions < OPTIONS_PARTITIONS_MOST &&
	       (partition = host->setting_item(host, "partitions", o.n_partitions)))
		o.partitions[o.n_partitions++] = partition;
	make_marks(&o);
	*ret_options = o;
	return 0;
}

bool options_takes(const struct options *options, const char *topic)
{
	const char *pattern;

	for (size_t i = 0; (pattern = options->host->setting_item(options->host, "topics", i)); i++)
		if (fnmatch(pattern, topic, FNM_NOESCAPE) == 0)
			return true;
	return false;
}

static void write_items(FILE *out, const struct tg_host *host, const char *name, const char *format)
{
	const char *item;

	for (size_t i = 0; (item = host->setting_item(host, name, i)); i++) {
		const char *at = strchr(format, '|');

		fprintf(out, "%.*s%s%s", (int)(at - format), format, item, at + 1);
	}
}

char *options_config(const struct options *options)
{
	const char *interface = options->multicast ? "<NetworkInterface name=\"|\"/>"
						   : "<NetworkInterface name=\"|\" multicast=\"false\"/>";
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("<Domain Id=\"any\"><General><Interfaces>", out);
	write_items(out, options->host, "interfaces", interface);
	fprintf(out, "</Interfaces><AllowMulticast>%s</AllowMulticast></General>",
		options->multicast ? "default" : "false");
	fputs("<Discovery><ParticipantIndex>auto</ParticipantIndex>"
	      "<MaxAutoParticipantIndex>20</MaxAutoParticipantIndex><Peers>",
	      out);
	write_items(out, options->host, "peers", "<Peer address=\"|\"/>");
	fprintf(out,
		"</Peers></Discovery><Internal><MaxSampleSize>%u B</MaxSampleSize>"
		"<WriterLingerDuration>0 s</WriterLingerDuration></Internal></Domain>",
		TG_PAYLOAD_MAX);
	if (fclose(out) == EOF) {
		free(text);
		return NULL;
	}
	return text;
}
