/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hypercat.h"

enum { MS_US = 1000, S_US = 1000000, DAY_S = 86400, PORT_USUAL = 8443, BACKLOG = 128 };

const struct tg_setting settings_rows[] = {
	{"listen", TG_TEXT, 0, "", "\"https://[::]:8443\"", 1, 255, NULL,
	 "address to listen on, in digits; [::] takes IPv4 too"},
	{"certificate", TG_FILE, TG_LIVE | TG_REQUIRED, "", NULL, 0, 0, NULL,
	 "the server's certificate and its chain, PEM"},
	{"key", TG_KEY_FILE, TG_LIVE | TG_REQUIRED, "", NULL, 0, 0, NULL, "the key of the certificate, PEM"},
	{"trust", TG_FILE, TG_LIVE, "", NULL, 0, 0, NULL,
	 "certificates that readers' certificates are issued under, PEM; none: readers have tokens"},
	{"crl", TG_FILE, TG_LIVE, "", NULL, 0, 0, NULL,
	 "certificate revocation lists, PEM; with it each authority of a reader's chain, but for the anchor, needs "
	 "its list"},
	{"crl_expired", TG_CHOICE, TG_LIVE, "", "accept", 0, 0, "accept refuse",
	 "what a revocation list past its next update means for certificates that are not on it"},
	{"tokens", TG_BOOL, TG_LIVE, "", "true", 0, 0, NULL,
	 "let readers in that bring NAME:KEY, the name and the key of an enrolled device, as a token"},
	{"connections", TG_INT, TG_LIVE, "", "512", 1, 10000, NULL, "most connections at once; others wait"},
	{"connections_an_address", TG_INT, TG_LIVE, "", "64", 1, 10000, NULL,
	 "most connections of one address (IPv6: one /64) at once"},
	{"request_s", TG_INT, TG_LIVE, "s", "60", 1, 3600, NULL,
	 "end a connection on which no whole request has come for so long, or that does not take its answer"},
	{"lifetime_s", TG_INT, TG_LIVE, "s", "3600", 1, 30 * DAY_S, NULL, "end any connection after this, streams too"},
	{"headers_bytes", TG_INT, TG_LIVE, "bytes", "16384", 512, 1 << 20, NULL, "largest head of a request"},
	{"body_bytes", TG_INT, TG_LIVE, "bytes", "65536", 16, TG_PAYLOAD_MAX, NULL,
	 "largest reading that a device may hand in"},
	{"catalogue_bytes", TG_INT, TG_LIVE, "bytes", "33554432", 65536, 1 << 30, NULL,
	 "memory for what readers may see; a device or a reading takes about 250 bytes, for each reader"},
	{"readers", TG_INT, TG_LIVE, "", "64", 1, 4096, NULL, "most readers whose catalogues are kept at once"},
	{"events_ms", TG_INT, TG_LIVE, "ms", "1000", 100, 3600000, NULL,
	 "how often event streams are told what is new"},
	{"streams", TG_INT, TG_LIVE, "", "64", 0, 10000, NULL, "most event streams at once"},
	{"streams_a_reader", TG_INT, TG_LIVE, "", "8", 0, 10000, NULL, "most event streams of one reader"},
	{"url", TG_TEXT, TG_LIVE, "", "", 0, 255, NULL,
	 "what addresses in the catalogue begin with: https://gateway.example.com:8443; \"\": with the path"},
	{"description", TG_TEXT, TG_LIVE, "", "tidegate", 1, 255, NULL, "what the catalogue says of itself"},
	{"latitude", TG_TEXT, TG_LIVE, "", "", 0, LABELS_COORDINATE_SIZE - 1, NULL,
	 "where the gateway is, in degrees (WGS 84)"},
	{"longitude", TG_TEXT, TG_LIVE, "", "", 0, LABELS_COORDINATE_SIZE - 1, NULL, "the same"},
	{"places", TG_LIST, TG_LIVE, "", NULL, 0, LABELS_ROWS_MAX, NULL, LABELS_PLACES_HELP},
	{"descriptions", TG_LIST, TG_LIVE, "", NULL, 0, LABELS_ROWS_MAX, NULL, LABELS_DESCRIPTIONS_HELP},
	{NULL},
};

static int bad(const struct tg_host *host, const char *name, const char *value)
{
	host->log(host, TG_LOG_ERROR, NULL, "'%s' cannot be read: \"%s\"", name, value);
	return -EINVAL;
}

/* Another number for other words, the same in each run (FNV-1a). */
static void mark(struct about *about, const char *text)
{
	for (; *text; text++)
		about->mark = (about->mark ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	about->mark = about->mark * UINT64_C(0x100000001b3);
}

static int read_about(const struct tg_host *host, struct about *about)
{
	const char *url = host->setting_text(host, "url");
	size_t size = strlen(url);
	int r;

	while (size > 0 && url[size - 1] == '/')
		size--;
	if (size > 0 && (strncmp(url, "https://", 8) != 0 || strpbrk(url, "\"\\ <>\n\r\t")))
		return bad(host, "url", url);
	about->url = strndup(url, size);
	about->description = strdup(host->setting_text(host, "description"));
	if (!about->url || !about->description)
		return -ENOMEM;
	snprintf(about->latitude, sizeof(about->latitude), "%s", host->setting_text(host, "latitude"));
	snprintf(about->longitude, sizeof(about->longitude), "%s", host->setting_text(host, "longitude"));
	if (about->latitude[0] && !labels_is_degrees(about->latitude, 90))
		return bad(host, "latitude", about->latitude);
	if (about->longitude[0] && !labels_is_degrees(about->longitude, 180))
		return bad(host, "longitude", about->longitude);
	r = labels_read(host, &about->labels);
	mark(about, about->url);
	mark(about, about->description);
	mark(about, about->latitude);
	mark(about, about->longitude);
	for (size_t i = 0; r >= 0 && i < about->labels.places_count; i++)
		mark(about, host->setting_item(host, "places", i));
	for (size_t i = 0; r >= 0 && i < about->labels.descriptions_count; i++)
		mark(about, host->setting_item(host, "descriptions", i));
	return r;
}

static size_t size_of(const struct tg_host *host, const char *name)
{
	return (size_t)host->setting_int(host, name);
}

int settings_read(const struct tg_host *host, struct settings *ret_settings, struct about *ret_about)
{
	struct about about = {.mark = 0};
	int r = read_about(host, &about);

	if (r < 0) {
		item_about_done(&about);
		return r;
	}
	*ret_about = about;
	*ret_settings = (struct settings){
		.server = {.connections = size_of(host, "connections"),
			   .an_address = size_of(host, "connections_an_address"),
			   .request_us = host->setting_int(host, "request_s") * S_US,
			   .lifetime_us = host->setting_int(host, "lifetime_s") * S_US,
			   .headers_bytes = size_of(host, "headers_bytes"),
			   .body_bytes = size_of(host, "body_bytes")},
		.views = {.bytes = size_of(host, "catalogue_bytes"),
			  .readers = size_of(host, "readers"),
			  .follow_us = host->setting_int(host, "events_ms") * MS_US},
		.streams = size_of(host, "streams"),
		.streams_a_reader = size_of(host, "streams_a_reader"),
		.tokens = host->setting_bool(host, "tokens"),
	};
	return 0;
}

/* "https://" with an address in digits and perhaps a port. */
static int resolve(const char *url, struct addrinfo **ret_found)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				       .ai_socktype = SOCK_STREAM};
	char name[64], port[8];
	const char *address = url + 8, *end;

	if (strncmp(url, "https://", 8) != 0)
		return -EINVAL;
	snprintf(port, sizeof(port), "%d", PORT_USUAL);
	end = *address == '[' ? strchr(address, ']') : address + strcspn(address, ":/");
	if (!end || (size_t)(end - address) >= sizeof(name))
		return -EINVAL;
	snprintf(name, sizeof(name), "%.*s", (int)(end - address) - (*address == '['), address + (*address == '['));
	end += *end == ']';
	if (*end == ':') {
		size_t size = strspn(end + 1, "0123456789");

		if (size == 0 || size > 5)
			return -EINVAL;
		snprintf(port, sizeof(port), "%.*s", (int)size, end + 1);
		end += 1 + size;
	}
	if (strcmp(end, "") != 0 && strcmp(end, "/") != 0)
		return -EINVAL;
	return getaddrinfo(name, port, &hints, ret_found) == 0 ? 0 : -EINVAL;
}

static int open_socket(const struct addrinfo *at)
{
	int on = 1, off = 0, r;
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	r = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (r == 0 && at->ai_family == AF_INET6)
		r = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (r == 0)
		r = bind(fd, at->ai_addr, at->ai_addrlen);
	if (r == 0)
		r = listen(fd, BACKLOG);
	if (r == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

int settings_listen(const struct tg_host *host, int *ret_fd)
{
	const char *url = host->setting_text(host, "listen");
	struct addrinfo *found;
	int fd;

	if (resolve(url, &found) < 0) {
		host->log(host, TG_LOG_ERROR, NULL,
			  "cannot listen on '%s' (wanted is https:// with an address in digits and a port)", url);
		return -EINVAL;
	}
	fd = open_socket(found);
	freeaddrinfo(found);
	if (fd < 0) {
		host->log(host, TG_LOG_ERROR, NULL, "cannot listen on '%s' (%s)", url, strerror(-fd));
		return fd;
	}
	*ret_fd = fd;
	return 0;
}
