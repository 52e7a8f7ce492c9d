/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "multicast.h"

enum { MS_US = 1000, S_US = 1000000, DAY_S = 86400, SHARE_OF_A_PEER = 4 };

/* An ACK delay has to stay well below the ACK_TIMEOUT of the peer (RFC 7252 section 5.2.2). */
const struct tg_setting settings_rows[] = {
	{"listen", TG_LIST, 0, "", "[ \"coaps://[::]:5684\" ]", 1, SETTINGS_LISTEN_MAX, NULL,
	 "addresses to listen on, in digits: coaps://, or coap:// with insecure"},
	{"insecure", TG_BOOL, 0, "", "false", 0, 0, NULL,
	 "allow coap:// in listen: anybody on its network can read and forge what comes there"},
	{"insecure_device", TG_TEXT, 0, "", NULL, 0, TG_DEVICE_MAX, NULL,
	 "the enrolled device that everything at coap:// counts as coming from; its profile says what may come"},
	{"insecure_peers", TG_INT, TG_LIVE, "", "1000", 1, 100000, NULL,
	 "most peers at once on one coap:// address; the one that was heard least lately makes room for another"},
	{"certificate", TG_FILE, TG_LIVE, "", NULL, 0, 0, NULL, "the gateway's certificate and its chain, PEM"},
	{"key", TG_KEY_FILE, TG_LIVE, "", NULL, 0, 0, NULL, "the key of the certificate, PEM"},
	{"trust", TG_FILE, TG_LIVE, "", NULL, 0, 0, NULL,
	 "certificates that devices' certificates are issued under, PEM; several stand side by side"},
	{"crl", TG_FILE, TG_LIVE, "", NULL, 0, 0, NULL,
	 "certificate revocation lists, PEM; with it each authority of a device's chain, but for the anchor, needs its "
	 "list"},
	{"crl_expired", TG_CHOICE, TG_LIVE, "", "accept", 0, 0, "accept refuse",
	 "what a revocation list past its next update means for certificates that are not on it"},
	{"sessions", TG_INT, TG_LIVE, "", "10000", 1, 100000, NULL,
	 "most DTLS sessions at once on one address; one that is quiet for five minutes makes room for another"},
	{"sessions_a_device", TG_INT, TG_LIVE, "", "4", 1, 10000, NULL,
	 "most of them of one device; with one more, the one that nothing was heard from for the longest time ends"},
	{"half_open", TG_INT, TG_LIVE, "", "1000", 1, 100000, NULL,
	 "most handshakes at once on one address; the one that has rested longest makes room for another"},
	{"half_open_an_address", TG_INT, TG_LIVE, "", "1000", 1, 100000, NULL,
	 "most handshakes at once with one peer address (IPv6: one /64): 1000 sensors behind one router come at once"},
	{"handshakes_an_address", TG_INT, TG_LIVE, "", "100", 1, 100000, NULL,
	 "handshakes a second that one peer address (IPv6: one /64) may begin"},
	{"handshakes_burst", TG_INT, TG_LIVE, "", "3000", 1, 1000000, NULL,
	 "as many it may begin at once after a pause: 1000 sensors behind one router, even if each tries three times"},
	{"idle_s", TG_INT, TG_LIVE, "s", "86400", 10, 365 * DAY_S, NULL,
	 "end a session that nothing was heard from for this long"},
	{"ticket_lifetime_s", TG_INT, TG_LIVE, "s", "86400", 0, 7 * DAY_S, NULL,
	 "how long after a full handshake a device can come back with its session ticket; 0: no tickets"},
	{"handshake_s", TG_INT, TG_LIVE, "s", "30", 1, 300, NULL, "longest time that a handshake may take"},
	{"body_bytes", TG_INT, TG_LIVE, "bytes", "65536", 16, TG_PAYLOAD_MAX, NULL,
	 "largest payload, whole or in blocks"},
	{"bodies_bytes", TG_INT, TG_LIVE, "bytes", "8388608", 1024, 1 << 30, NULL,
	 "memory for all payloads that are arriving in blocks; as much again for commands and their answers"},
	{"ack_delay_ms", TG_INT, TG_LIVE, "ms", "1000", 0, 1500, NULL,
	 "acknowledge a request by itself when its answer takes longer"},
	{"requests", TG_INT, TG_LIVE, "", "16384", 1, 1 << 20, NULL, "most requests in progress"},
	{"requests_a_session", TG_INT, TG_LIVE, "", "32", 1, 4096, NULL, "most requests of one session in progress"},
	{"remembered", TG_INT, 0, "", "262144", 256, 1 << 24, NULL,
	 "answered message ids that repeats are recognised by, 44 bytes each"},
	{"readings", TG_TEXT, TG_LIVE, "", "readings", 0, READER_PREFIX_MAX, NULL,
	 "path below which devices GET or observe last readings, as readings/DEVICE/PATH; \"\": they cannot"},
	{"oscore", TG_TEXT, TG_LIVE, "", "", 0, 255, NULL,
	 "path at which requests that OSCORE protects for somebody else are handed in, whole; \"\": they are refused"},
	{"readings_bytes", TG_INT, TG_LIVE, "bytes", "8388608", 1024, 1 << 30, NULL,
	 "memory for large readings that devices fetch in blocks"},
	{"catalogue_bytes", TG_INT, TG_LIVE, "bytes", "8388608", 4096, 1 << 28, NULL,
	 "memory for catalogues that devices fetch in blocks; as much again for one that is put together"},
	{"places", TG_LIST, TG_LIVE, "", NULL, 0, LABELS_ROWS_MAX, NULL, LABELS_PLACES_HELP},
	{"descriptions", TG_LIST, TG_LIVE, "", NULL, 0, LABELS_ROWS_MAX, NULL, LABELS_DESCRIPTIONS_HELP},
	{"observers", TG_INT, TG_LIVE, "", "4096", 0, 1 << 20, NULL,
	 "most observations of readings at once, by process"},
	{"observers_a_session", TG_INT, TG_LIVE, "", "16", 0, 4096, NULL, "most observations of one session"},
	{"observe_confirm_s", TG_INT, TG_LIVE, "s", "60", 1, DAY_S, NULL,
	 "a notification is confirmable when the last acknowledgement of its observer is older than this"},
	{"response_timeout_s", TG_INT, TG_LIVE, "s", "60", 1, 3600, NULL,
	 "how long a device may take to answer a command that it has acknowledged"},
	{"multicast", TG_LIST, 0, "", NULL, 0, MULTICAST_INTERFACES_MAX, NULL,
	 "interfaces on which whoever asks all CoAP nodes of the local network for /.well-known/core is answered"},
	{"directory", TG_BOOL, 0, "", "false", 0, 0, NULL,
	 "be a resource directory, at /rd and /rd-lookup; needs workers = 1"},
	{"directory_registrations", TG_INT, TG_LIVE, "", "500", 1, 100000, NULL, "most registrations in the directory"},
	{"directory_bytes", TG_INT, TG_LIVE, "bytes", "2048", 64, 65536, NULL, "largest registration in the directory"},
	{"directory_links", TG_INT, TG_LIVE, "", "64", 1, 4096, NULL, "most links of one registration"},
	{"workers", TG_INT, 0, "", "1", 1, 16, NULL,
	 "processes that share the addresses; with sockets of the service manager, so that one can fail alone"},
	{NULL},
};

static size_t setting_size(const struct tg_host *host, const char *name)
{
	return (size_t)host->setting_int(host, name);
}

void settings_read(const struct tg_host *host, struct settings *ret_settings)
{
	size_t remembered = setting_size(host, "remembered");
	*ret_settings = (struct settings){
		.dtls = {.sessions = setting_size(host, "sessions"),
			 .sessions_a_device = setting_size(host, "sessions_a_device"),
			 .half_open = setting_size(host, "half_open"),
			 .half_open_an_address = setting_size(host, "half_open_an_address"),
			 .handshakes_an_address = (uint32_t)host->setting_int(host, "handshakes_an_address"),
			 .handshakes_burst = (uint32_t)host->setting_int(host, "handshakes_burst"),
			 .idle_us = host->setting_int(host, "idle_s") * S_US,
			 .handshake_us = host->setting_int(host, "handshake_s") * S_US,
			 .ticket_lifetime_us = host->setting_int(host, "ticket_lifetime_s") * S_US},
		.exchange = {.open = setting_size(host, "requests"),
			     .open_a_peer = setting_size(host, "requests_a_session"),
			     .recent = remembered,
			     .recent_a_peer = remembered / SHARE_OF_A_PEER,
			     .ack_delay_us = host->setting_int(host, "ack_delay_ms") * MS_US},
		.block = {.body_bytes = setting_size(host, "body_bytes"),
			  .all_bytes = setting_size(host, "bodies_bytes")},
		.reader = {.observe = {.observers = setting_size(host, "observers"),
				       .a_peer = setting_size(host, "observers_a_session"),
				       .confirm_us = host->setting_int(host, "observe_confirm_s") * S_US},
			   .snapshots_bytes = setting_size(host, "readings_bytes")},
		.readings = host->setting_text(host, "readings") + strspn(host->setting_text(host, "readings"), "/"),
		.catalogue = {.limit_bytes = setting_size(host, "catalogue_bytes")},
		.command = {.body_bytes = setting_size(host, "body_bytes"),
			    .all_bytes = setting_size(host, "bodies_bytes"),
			    .response_timeout_us = host->setting_int(host, "response_timeout_s") * S_US},
		.plain_peers = setting_size(host, "insecure_peers"),
		.has_directory = host->setting_bool(host, "directory"),
		.directory = {.registrations = setting_size(host, "directory_registrations"),
			      .bytes = setting_size(host, "directory_bytes"),
			      .links = setting_size(host, "directory_links")},
	};
	ret_settings->catalogue.prefix = ret_settings->readings;
}

/* Digits only: names would have to be looked up, and would come to other addresses one day. */
static int address_resolve(struct tg_bytes host_part, uint16_t port, struct settings_address *ret_address)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
	};
	char name[64], service[8];
	struct addrinfo *found;
	if (host_part.size >= sizeof(name))
		return -EINVAL;
	snprintf(name, sizeof(name), "%.*s", (int)host_part.size, (const char *)host_part.data);
	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(name, service, &hints, &found) != 0)
		return -EINVAL;
	memcpy(&ret_address->address, found->ai_addr, found->ai_addrlen);
	ret_address->length = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

/* DTLS has no groups (RFC 7252 sections 8 and 9.1). */
static bool is_multicast(const struct settings_address *address)
{
	const struct sockaddr_in *v4 = (const void *)&address->address;
	const struct sockaddr_in6 *v6 = (const void *)&address->address;
	if (address->address.ss_family == AF_INET6)
		return IN6_IS_ADDR_MULTICAST(&v6->sin6_addr);
	return IN_MULTICAST(ntohl(v4->sin_addr.s_addr));
}

/* What is not encrypted, and comes from nobody, is asked for in as many words. */
static int plain_check(const struct tg_host *host, const char *uri)
{
	if (!host->setting_bool(host, "insecure")) {
		host->log(host, TG_LOG_ERROR, NULL,
			  "cannot listen on '%s' (it would be without DTLS: use coaps://, or set insecure = true)",
			  uri);
		return -EINVAL;
	}
	if (host->setting_text(host, "insecure_device")[0] == '\0') {
		host->log(host, TG_LOG_ERROR, NULL,
			  "cannot listen on '%s' (say in 'insecure_device' which device it is that sends there)", uri);
		return -EINVAL;
	}
	return 0;
}

int settings_address(const struct tg_host *host, size_t index, struct settings_address *ret_address)
{
	const char *uri = host->setting_item(host, "listen", index);
	struct tg_bytes host_part;
	uint16_t port;
	if (!uri) {
		if (index == 0)
			host->log(host, TG_LOG_ERROR, NULL, "nothing to listen on");
		return -ENOENT;
	}
	int r = message_split_uri(uri, &ret_address->secure, &host_part, &port);
	if (r >= 0)
		r = address_resolve(host_part, port, ret_address);
	if (r < 0) {
		host->log(host, TG_LOG_ERROR, NULL,
			  "cannot listen on '%s' (wanted is coaps:// or coap:// with an address in digits and a port)",
			  uri);
		return r;
	}
	if (is_multicast(ret_address)) {
		host->log(host, TG_LOG_ERROR, NULL, "cannot listen on '%s' (it is the address of a group)", uri);
		return -EINVAL;
	}
	return ret_address->secure ? 0 : plain_check(host, uri);
}

int settings_check(const struct tg_host *host)
{
	if (!host->setting_bool(host, "directory") || !settings_shared(host))
		return 0;
	host->log(host, TG_LOG_ERROR, NULL,
		  "'directory' needs workers = 1 (each process would have a directory of its own)");
	return -EINVAL;
}

bool settings_shared(const struct tg_host *host)
{
	return host->setting_int(host, "workers") > 1;
}

/* -1 for a file that is not set. */
static int file_open(const struct tg_host *host, const char *name, int *ret_fd)
{
	int fd = host->setting_file(host, name);
	if (fd < 0 && fd != -ENOENT) {
		host->log(host, TG_LOG_ERROR, NULL, "cannot read the file of '%s' (%s)", name, strerror(-fd));
		return fd;
	}
	if (fd < 0 && host->setting_text(host, name)[0] != '\0') {
		host->log(host, TG_LOG_ERROR, NULL, "cannot read the file of '%s' (there is none)", name);
		return fd;
	}
	*ret_fd = fd < 0 ? -1 : fd;
	return 0;
}

int settings_credentials_open(const struct tg_host *host, struct dtls_credentials *ret_credentials)
{
	struct dtls_credentials credentials = {.certificate_fd = -1, .key_fd = -1, .trust_fd = -1, .crl_fd = -1};
	int r = file_open(host, "certificate", &credentials.certificate_fd);
	if (r >= 0)
		r = file_open(host, "key", &credentials.key_fd);
	if (r >= 0)
		r = file_open(host, "trust", &credentials.trust_fd);
	if (r >= 0)
		r = file_open(host, "crl", &credentials.crl_fd);
	credentials.expired_crl = strcmp(host->setting_text(host, "crl_expired"), "accept") == 0;
	if (r >= 0 && (credentials.certificate_fd < 0) != (credentials.key_fd < 0)) {
		host->log(host, TG_LOG_ERROR, NULL, "'certificate' and 'key' belong together");
		r = -EINVAL;
	}
	if (r < 0) {
		settings_credentials_close(&credentials);
		return r;
	}
	*ret_credentials = credentials;
	return 0;
}

static void file_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void settings_credentials_close(struct dtls_credentials *credentials)
{
	file_close(&credentials->certificate_fd);
	file_close(&credentials->key_fd);
	file_close(&credentials->trust_fd);
	file_close(&credentials->crl_fd);
}
