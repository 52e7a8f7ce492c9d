/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"

enum { OPTIONS_SENSORS_MAX = 1 << 20, OPTIONS_DAY_S = 86400 };

static const struct option options_list[] = {
	{"server", required_argument, NULL, 's'},
	{"keys", required_argument, NULL, 'k'},
	{"certs", required_argument, NULL, 'c'},
	{"plain", no_argument, NULL, 'p'},
	{"prefix", required_argument, NULL, 'x'},
	{"skip", required_argument, NULL, 'K'},
	{"sensors", required_argument, NULL, 'n'},
	{"idle", required_argument, NULL, 'i'},
	{"count", required_argument, NULL, 'N'},
	{"seconds", required_argument, NULL, 'S'},
	{"rate", required_argument, NULL, 'r'},
	{"path", required_argument, NULL, 'u'},
	{"payload", required_argument, NULL, 'b'},
	{"content-format", required_argument, NULL, 'f'},
	{"first", required_argument, NULL, 'F'},
	{"ack-timeout", required_argument, NULL, 'a'},
	{"retransmits", required_argument, NULL, 'R'},
	{"response-timeout", required_argument, NULL, 't'},
	{"refused", required_argument, NULL, 'd'},
	{"parallel", required_argument, NULL, 'P'},
	{"handshakes", required_argument, NULL, 'H'},
	{"handshake-rate", required_argument, NULL, 'Q'},
	{"cipher", required_argument, NULL, 'C'},
	{"trust", required_argument, NULL, 'T'},
	{"mtu", required_argument, NULL, 'm'},
	{"tickets", required_argument, NULL, 'j'},
	{"record", required_argument, NULL, 'o'},
	{"source", required_argument, NULL, 'A'},
	{"connect-timeout", required_argument, NULL, 'O'},
	{"rest", required_argument, NULL, 'e'},
	{"linger", required_argument, NULL, 'l'},
	{"seed", required_argument, NULL, 'z'},
	{"progress", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static const char options_help[] =
	"usage: loadgen --server ADDRESS:PORT (--keys FILE | --certs DIR | --plain) --sensors N (--count N | --seconds "
	"S)\n"
	"\n"
	"  --keys FILE             PSK: \"identity hexkey\" a line\n"
	"  --certs DIR             X.509: DIR/PREFIX0001.crt, .key and on\n"
	"  --plain                 CoAP without DTLS\n"
	"  --prefix TEXT           names of the sensors (keys: only lines that begin so)\n"
	"  --skip N                leave out the first N identities\n"
	"  --idle N                further sensors that open a session and stay quiet\n"
	"  --rate R                readings a second and sensor (default: one outstanding, as fast as answered)\n"
	"  --path PATH             default /reading\n"
	"  --payload BYTES         default 64\n"
	"  --content-format N      default: none\n"
	"  --first N               first sequence number, default 1\n"
	"  --ack-timeout S         RFC 7252's ACK_TIMEOUT, default 2\n"
	"  --retransmits N         RFC 7252's MAX_RETRANSMIT, default 4\n"
	"  --response-timeout S    for a separate response, default 60\n"
	"  --refused retry|count   5.03 and 4.29: same reading after Max-Age (default), or on to the next one\n"
	"  --parallel N            handshakes at a time, default 64\n"
	"  --handshakes N          first measure N complete handshakes\n"
	"  --handshake-rate R      begin so many a second\n"
	"  --cipher LIST           OpenSSL cipher list\n"
	"  --trust FILE            verify the server's certificate\n"
	"  --tickets FILE          resume sessions by the tickets in it, and keep the new ones there\n"
	"  --mtu BYTES             default 1400\n"
	"  --record FILE           \"sensor sequence\" of each acknowledged reading\n"
	"  --source 127.X.Y.Z      address of the first sensor, default 127.16.0.1\n"
	"  --connect-timeout S     go on with the sessions there are, default 60\n"
	"  --rest S                wait between connecting and the first reading\n"
	"  --linger S              wait for the last answers, default 5\n"
	"  --seed N                of ids and jitter\n"
	"  --progress              a line a second on standard error\n"
	"\n"
	"The summary is JSON on standard output. SIGINT and SIGTERM end the run in good order.\n";

static void options_default(struct options *ret_options)
{
	*ret_options = (struct options){
		.fleet = {.sensor = {.path = "/reading",
				     .content_format = -1,
				     .payload_bytes = 64,
				     .count = UINT64_MAX,
				     .first = 1,
				     .ack_timeout_us = 2 * TOOL_S_US,
				     .retransmits = 4,
				     .response_timeout_us = 60 * (int64_t)TOOL_S_US,
				     .retry_refused = true},
			  .parallel = 64,
			  .seed = tool_seed()},
		.handshakes = {.limit_us = 30 * (int64_t)TOOL_S_US},
		.source = 127u << 24 | 16u << 16 | 1,
		.connect_s = 60,
		.linger_s = 5,
	};
}

static uint32_t options_source(const char *text)
{
	struct in_addr address;

	if (inet_pton(AF_INET, text, &address) != 1 || ntohl(address.s_addr) >> 24 != 127)
		tool_fail("--source takes an address in 127.0.0.0/8");
	return ntohl(address.s_addr);
}

static int64_t options_span(const char *name, const char *text)
{
	return (int64_t)(tool_real(name, text, 0, OPTIONS_DAY_S) * TOOL_S_US);
}

/* Options of the sensors. Returns false for another one. */
static bool options_of_sensor(struct sensor_options *sensor, int letter, const char *name, const char *value)
{
	switch (letter) {
	case 'p':
		sensor->plain = true;
		return true;
	case 'N':
		sensor->count = tool_number(name, value, 0, INT64_MAX);
		return true;
	case 'r':
		sensor->rate = tool_real(name, value, 0, 1e6);
		return true;
	case 'u':
		sensor->path = value;
		return true;
	case 'b':
		sensor->payload_bytes = (uint32_t)tool_number(name, value, 1, 1200);
		return true;
	case 'f':
		sensor->content_format = (int)tool_number(name, value, 0, UINT16_MAX);
		return true;
	case 'F':
		sensor->first = tool_number(name, value, 0, INT64_MAX);
		return true;
	case 'a':
		sensor->ack_timeout_us = options_span(name, value);
		return true;
	case 'R':
		sensor->retransmits = (unsigned)tool_number(name, value, 0, 20);
		return true;
	case 't':
		sensor->response_timeout_us = options_span(name, value);
		return true;
	case 'd':
		sensor->retry_refused = strcmp(value, "count") != 0;
		return true;
	default:
		return false;
	}
}

/* Options of sessions and handshakes. Returns false for another one. */
static bool options_of_session(struct options *options, int letter, const char *name, const char *value)
{
	switch (letter) {
	case 'P':
		options->fleet.parallel = (uint32_t)tool_number(name, value, 1, 65536);
		return true;
	case 'H':
		options->handshakes.count = tool_number(name, value, 0, INT64_MAX);
		return true;
	case 'Q':
		options->handshakes.rate = tool_real(name, value, 0, 1e6);
		return true;
	case 'C':
		options->client.ciphers = value;
		return true;
	case 'T':
		options->client.trust = value;
		return true;
	case 'm':
		options->client.mtu = (uint16_t)tool_number(name, value, 256, BATCH_DATAGRAM_MAX);
		return true;
	case 'j':
		options->tickets = value;
		options->client.tickets = true;
		return true;
	case 'O':
		options->connect_s = tool_real(name, value, 0, OPTIONS_DAY_S);
		return true;
	default:
		return false;
	}
}

static void options_of_run(struct options *options, int letter, const char *name, const char *value)
{
	switch (letter) {
	case 's':
		if (batch_address(value, &options->server) < 0)
			tool_fail("--server takes ADDRESS:PORT (IPv4)");
		break;
	case 'k':
		options->keys = value;
		break;
	case 'c':
		options->certificates = value;
		options->client.certificates = true;
		break;
	case 'x':
		options->prefix = value;
		break;
	case 'K':
		options->skip = (uint32_t)tool_number(name, value, 0, OPTIONS_SENSORS_MAX);
		break;
	case 'n':
		options->fleet.sensors = (uint32_t)tool_number(name, value, 0, OPTIONS_SENSORS_MAX);
		break;
	case 'i':
		options->fleet.idle = (uint32_t)tool_number(name, value, 0, OPTIONS_SENSORS_MAX);
		break;
	case 'S':
		options->seconds = tool_real(name, value, 0, OPTIONS_DAY_S);
		break;
	case 'o':
		options->record = value;
		break;
	case 'A':
		options->source = options_source(value);
		break;
	case 'e':
		options->rest_s = tool_real(name, value, 0, OPTIONS_DAY_S);
		break;
	case 'l':
		options->linger_s = tool_real(name, value, 0, OPTIONS_DAY_S);
		break;
	case 'z':
		options->fleet.seed = tool_number(name, value, 0, UINT64_MAX);
		break;
	case 'v':
		options->progress = true;
		break;
	case 'h':
		fputs(options_help, stdout);
		exit(0);
	default:
		tool_fail("see --help");
	}
}

void options_read(int count, char **arguments, struct options *ret_options)
{
	int letter, place = 0;
	struct options *options = ret_options;

	options_default(options);
	while ((letter = getopt_long(count, arguments, "", options_list, &place)) != -1) {
		const char *name = options_list[place].name;

		if (!options_of_sensor(&options->fleet.sensor, letter, name, optarg) &&
		    !options_of_session(options, letter, name, optarg))
			options_of_run(options, letter, name, optarg);
	}
	if (optind < count || options->server.sin_port == 0)
		tool_fail("--server is needed, see --help");
	if (!!options->keys + !!options->certificates + options->fleet.sensor.plain != 1)
		tool_fail("one of --keys, --certs and --plain is needed");
	if (options->fleet.sensors + options->fleet.idle == 0)
		tool_fail("--sensors is needed");
	if (options->fleet.sensors > 0 && options->fleet.sensor.count == UINT64_MAX && options->seconds <= 0)
		tool_fail("--count or --seconds is needed");
	if (options->fleet.sensor.plain && options->handshakes.count > 0)
		tool_fail("--plain has no handshakes");
	options->handshakes.parallel = options->fleet.parallel;
}
