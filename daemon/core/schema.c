/* SPDX-License-Identifier: Apache-2.0 */
#include "core/schema.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "core/schema_rows.h"
#include "wire/crypto.h"
#include "wire/frame.h"

static const struct tg_setting gateway_rows[] = {
	{TEXT("name", .flags = TG_REQUIRED | TG_LIVE, .lowest = 1, .highest = FRAME_NAME_MAX,
	      .help = "what this gateway is called: {gateway} in patterns and addresses")},
	{TEXT("site", .flags = TG_LIVE, .highest = FRAME_NAME_MAX,
	      .help = "where it stands: {site} in patterns and addresses")},
	{.name = "crypto",
	 .type = TG_CHOICE,
	 .flags = TG_LIVE,
	 .unit = "",
	 .fallback = "modern",
	 .choices = CRYPTO_POLICIES,
	 .help = "what TLS and DTLS may use: modern has TLS 1.3 to the cloud, compatible also TLS 1.2; both hold what "
		 "constrained devices need"},
	{.name = "master_key",
	 .type = TG_KEY_FILE,
	 .flags = TG_LIVE,
	 .unit = "",
	 .help = "the file of the key that the devices' keys are sealed under: 64 hexadecimal digits; empty means "
		 "master.key in the state folder, made at the first start"},
	{INT("device_certificate_days", .flags = TG_LIVE, .unit = "days", .fallback = "3650", .lowest = 1,
	     .highest = 10950,
	     .help = "lifetime of the certificates that the gateway's own authority signs for devices")},
	{INT("key_overlap_s", .flags = TG_LIVE, .unit = "s", .fallback = "86400", .lowest = 0, .highest = 31536000,
	     .help = "how long a device's old key is good beside the new one that device rotate made, unless that is "
		     "used before")},
	{.name = NULL},
};

static const struct tg_setting outbox_rows[] = {
	{INT("hold_ms", .flags = TG_LIVE, .unit = "ms", .fallback = "250", .lowest = 0, .highest = 60000,
	     .help = "how long a message may wait in memory for its sink before it is written to disk")},
	{INT("memory_messages", .flags = TG_LIVE, .unit = "", .fallback = "16384", .lowest = 16, .highest = 1000000,
	     .help = "most messages in memory for one sink")},
	{INT("memory_bytes", .flags = TG_LIVE, .unit = "bytes", .fallback = "8388608", .lowest = 64 * KIB,
	     .highest = GIB, .help = "most memory for the messages of one sink")},
	{INT("window", .flags = TG_LIVE, .unit = "", .fallback = "8192", .lowest = 1, .highest = 65535,
	     .help = "most messages that a sink holds unconfirmed")},
	{.name = NULL},
};

static const struct tg_setting store_rows[] = {
	{INT("disk_bytes", .unit = "bytes", .fallback = "268435456", .lowest = MIB, .highest = 1024 * GIB,
	     .help = "most disk space for messages that wait, the mirror takes as much again; when full, devices are "
		     "told so")},
	{INT("reserve_bytes", .unit = "bytes", .fallback = "33554432", .lowest = 0, .highest = 1024 * GIB,
	     .help = "disk space that is left free for others: messages are refused when less than this is left")},
	{BOOL("mirror", .fallback = "true",
	      .help = "keep what waits in two files, so that one of them may be damaged without losing a message")},
	{.name = NULL},
};

static const struct tg_setting limits_rows[] = {
	{INT("payload_max_bytes", .flags = TG_LIVE, .unit = "bytes", .fallback = "65536", .lowest = 1,
	     .highest = TG_PAYLOAD_MAX, .help = "largest payload of one message")},
	{INT("records_max", .flags = TG_LIVE, .unit = "", .fallback = "1024", .lowest = 1, .highest = 16384,
	     .help = "most records of a SenML pack that a route reads")},
	{INT("rate", .flags = TG_LIVE, .unit = "", .fallback = "0", .lowest = 0, .highest = 100000,
	     .help = "messages a second that one device may send on average; 0 means no limit")},
	{INT("burst", .flags = TG_LIVE, .unit = "", .fallback = "20", .lowest = 1, .highest = 1000000,
	     .help = "messages that one device may send at once before the rate counts")},
	{INT("commands_per_device", .flags = TG_LIVE, .unit = "", .fallback = "32", .lowest = 1, .highest = 65536,
	     .help = "most commands that wait for one device; more are refused")},
	{INT("commands", .flags = TG_LIVE, .unit = "", .fallback = "10000", .lowest = 1, .highest = 1000000,
	     .help = "most commands that wait for the devices of one endpoint")},
	{INT("commands_bytes", .flags = TG_LIVE, .unit = "bytes", .fallback = "16777216", .lowest = 65536,
	     .highest = GIB, .help = "most memory for the commands that wait for the devices of one endpoint")},
	{INT("command_expiry_s", .flags = TG_LIVE, .unit = "s", .fallback = "86400", .lowest = 1, .highest = UINT32_MAX,
	     .help = "how long a command waits for its device where neither its route nor the command says so")},
	{INT("readings_max", .flags = TG_LIVE, .unit = "", .fallback = "16384", .lowest = 0, .highest = 1000000,
	     .help = "last readings that are kept in memory for devices that may read them, one a device and path; 0 "
		     "means none")},
	{INT("readings_bytes", .flags = TG_LIVE, .unit = "bytes", .fallback = "8388608", .lowest = 0, .highest = GIB,
	     .help = "most memory for last readings; without room for another the longest unchanged goes")},
	{INT("readings_share", .flags = TG_LIVE, .unit = "percent", .fallback = "10", .lowest = 1, .highest = 100,
	     .help = "how much of readings_max, of readings_bytes and of observers_max one device may take")},
	{INT("reading_max_age_s", .flags = TG_LIVE, .unit = "s", .fallback = "60", .lowest = 0, .highest = 31536000,
	     .help = "how long a last reading counts as fresh for those that read it: Max-Age")},
	{INT("observers_max", .flags = TG_LIVE, .unit = "", .fallback = "1024", .lowest = 0, .highest = 65536,
	     .help = "most observations of last readings at a time")},
	{INT("trace_events", .flags = TG_LIVE, .unit = "", .fallback = "1000", .lowest = 0, .highest = 100000,
	     .help = "events of messages, half a kilobyte each, that are kept in memory for tidegatectl explain; 0 "
		     "means "
		     "none")},
	{INT("stop_deadline_s", .flags = TG_LIVE, .unit = "s", .fallback = "10", .lowest = 1, .highest = 300,
	     .help = "how long a stop waits for what was begun")},
	{INT("heartbeat_ms", .flags = TG_LIVE, .unit = "ms", .fallback = "5000", .lowest = 100, .highest = 60000,
	     .help = "an endpoint process that is silent for so long is taken for hung and started again")},
	{INT("restart_min_ms", .flags = TG_LIVE, .unit = "ms", .fallback = "250", .lowest = 10, .highest = 60000,
	     .help = "shortest wait before an endpoint process is started again")},
	{INT("restart_max_ms", .flags = TG_LIVE, .unit = "ms", .fallback = "30000", .lowest = 100, .highest = 3600000,
	     .help = "longest wait before an endpoint process is started again")},
	{.name = NULL},
};

static const struct tg_setting clock_rows[] = {
	{BOOL("wait_for_sync", .flags = TG_LIVE, .fallback = "false",
	      .help = "after a start the clock is not believed before it is synchronised (NTP); readings are taken "
		      "meanwhile")},
	{INT("sync_deadline_s", .flags = TG_LIVE, .unit = "s", .fallback = "600", .lowest = 1, .highest = 86400,
	     .help = "how long wait_for_sync waits before the clock is believed without")},
	{INT("believe_after_s", .flags = TG_LIVE, .unit = "s", .fallback = "600", .lowest = 0, .highest = 604800,
	     .help = "a clock that jumped and is not synchronised is believed once it has held for so long")},
	{.name = NULL},
};

static const struct tg_setting certificates_rows[] = {
	{INT("urgent_days", .flags = TG_LIVE, .unit = "days", .fallback = "14", .lowest = 0, .highest = 365,
	     .help = "a certificate is called urgent in its last days, so many of them or a tenth of its lifetime; one "
		     "of a short life in the last sixth")},
	{.name = NULL},
};

static const struct tg_setting log_rows[] = {
	{.name = "level",
	 .type = TG_CHOICE,
	 .flags = TG_LIVE,
	 .unit = "",
	 .fallback = "info",
	 .choices = "error warning notice info debug",
	 .help = "the least important lines that are still written"},
	{.name = NULL},
};

static const struct tg_setting endpoint_rows[] = {
	{TEXT("name", .flags = TG_REQUIRED, .lowest = 1, .highest = FRAME_NAME_MAX,
	      .help = "what routes, the log and status call it: letters, digits, '-', '_' and '.'")},
	{TEXT("adapter", .flags = TG_REQUIRED, .lowest = 1, .highest = FRAME_NAME_MAX,
	      .help = "the standard that it speaks: the name of an installed adapter")},
	{.name = "crypto",
	 .type = TG_CHOICE,
	 .flags = TG_LIVE,
	 .unit = "",
	 .fallback = "gateway",
	 .choices = "gateway " CRYPTO_POLICIES,
	 .help = "the policy of this endpoint alone, for a peer that cannot do better; gateway: the gateway's"},
	{BOOL("enabled", .flags = TG_LIVE, .fallback = "true",
	      .help = "false: not started, and its routes are left out")},
	{TEXT("est", .flags = TG_LIVE, .highest = 1000,
	      .help = "the EST server that renews its certificate: https://host[:port][/path]; TLS as in crypto")},
	{.name = "est_trust",
	 .type = TG_FILE,
	 .flags = TG_LIVE,
	 .unit = "",
	 .help = "certificates that the EST server's certificate, and what it issues, stand under, PEM; empty: those "
		 "of "
		 "`trust`"},
	{TEXT("est_username", .flags = TG_LIVE, .highest = 256,
	      .help = "who to be towards the EST server as long as there is no valid certificate to show")},
	{.name = "est_password",
	 .type = TG_KEY_FILE,
	 .flags = TG_LIVE,
	 .unit = "",
	 .help = "the file with the password to est_username, one line"},
	{TEXT("est_subject", .flags = TG_LIVE, .highest = 64,
	      .help = "common name of the first certificate, where there is none to renew; empty: the gateway's name")},
	{.name = "renew_command",
	 .type = TG_LIST,
	 .flags = TG_LIVE,
	 .unit = "",
	 .highest = 64,
	 .help = "a program and its arguments that renew the certificate in place of an EST server: {csr} is the path "
		 "of "
		 "the request, {certificate} where the certificate and its chain are to be put, PEM"},
	{INT("renew_percent", .flags = TG_LIVE, .unit = "%", .fallback = "66", .lowest = 1, .highest = 95,
	     .help = "of the certificate's life that passes before it is renewed")},
	{INT("renew_trial_s", .flags = TG_LIVE, .unit = "s", .fallback = "60", .lowest = 1, .highest = 3600,
	     .help = "how long a new certificate may take to work before the old one is put back")},
	{INT("workers", .unit = "", .fallback = "1", .lowest = 1, .highest = 16,
	     .help = "processes that share its listening address; for adapters that can do so")},
	{.name = NULL},
};

static const struct tg_setting route_rows[] = {
	{TEXT("name", .flags = TG_REQUIRED | TG_LIVE, .lowest = 1, .highest = FRAME_NAME_MAX,
	      .help = "what the log and status call it: letters, digits, '-', '_' and '.'")},
	{TEXT("from", .flags = TG_REQUIRED | TG_LIVE, .lowest = 1, .highest = FRAME_NAME_MAX,
	      .help = "the endpoint that the messages come from")},
	{TEXT("match", .flags = TG_REQUIRED | TG_LIVE, .lowest = 1, .highest = TG_PATH_MAX,
	      .help = "the pattern of the paths that it takes")},
	{TEXT("to", .flags = TG_REQUIRED | TG_LIVE, .lowest = 1, .highest = FRAME_NAME_MAX,
	      .help = "the endpoint that they go to")},
	{TEXT("address", .flags = TG_REQUIRED | TG_LIVE, .lowest = 1, .highest = TG_PATH_MAX,
	      .help = "the address that they get there")},
	{BOOL("continue", .flags = TG_LIVE, .fallback = "false",
	      .help = "true: the routes behind this one are tried too, and may take the message as well")},
	{.name = "ack",
	 .type = TG_CHOICE,
	 .flags = TG_LIVE,
	 .unit = "",
	 .fallback = "safe",
	 .choices = "received safe delivered",
	 .help = "when the device gets its answer: taken into memory, confirmed by the sink or on disk, confirmed by "
		 "the sink"},
	{INT("qos", .flags = TG_LIVE, .unit = "", .fallback = "1", .lowest = 0, .highest = 2,
	     .help = "quality of service, for sinks that have one (MQTT)")},
	{BOOL("retain", .flags = TG_LIVE, .fallback = "false",
	      .help = "the sink's server keeps the last message (MQTT)")},
	{INT("expiry_s", .flags = TG_LIVE, .unit = "s", .fallback = "0", .lowest = 0, .highest = UINT32_MAX,
	     .help = "a message that is older is dropped, and counted; 0 means never")},
	{.name = "formats",
	 .type = TG_LIST,
	 .flags = TG_LIVE,
	 .unit = "",
	 .highest = 32,
	 .help = "content formats that it takes, by media type or number, \"none\" for messages without; empty means "
		 "all"},
	{INT("payload_max_bytes", .flags = TG_LIVE, .unit = "bytes", .fallback = "0", .lowest = 0,
	     .highest = TG_PAYLOAD_MAX, .help = "largest payload that it takes; 0 means as the gateway's limit")},
	{.name = "format",
	 .type = TG_CHOICE,
	 .flags = TG_LIVE,
	 .unit = "",
	 .fallback = "raw",
	 .choices = "raw senml-json senml-cbor json-envelope",
	 .help = "what it makes of a payload: nothing, SenML in JSON or in CBOR out of either, or the gateway's own "
		 "JSON "
		 "object around it"},
	{BOOL("split", .fallback = "false", .flags = TG_LIVE,
	      .help = "a SenML pack goes on as one message a record; it is taken whole or not at all")},
	{BOOL("resolve", .fallback = "false", .flags = TG_LIVE,
	      .help = "SenML records go on with their base values applied, their times absolute, in the order of "
		      "time")},
	{.name = "devices",
	 .type = TG_LIST,
	 .flags = TG_LIVE,
	 .unit = "",
	 .highest = 256,
	 .help = "names of the devices that it takes messages of, '*' stands for any characters; empty means all"},
	{TEXT("source_device", .flags = TG_LIVE, .highest = TG_PATH_MAX,
	      .help = "whom the message is from where the source authenticates no devices, made of captures, such as "
		      "{sensor}; empty means the endpoint itself")},
	{BOOL("impersonate", .fallback = "false", .flags = TG_LIVE,
	      .help = "true: source_device may also be the name of a device that is enrolled at another endpoint, or "
		      "of "
		      "another endpoint")},
	{BOOL("back", .fallback = "false", .flags = TG_LIVE,
	      .help = "true: \"to\" may be the endpoint that the messages come from")},
	{TEXT("device", .flags = TG_LIVE, .highest = TG_PATH_MAX,
	      .help = "commands: the device that they are for, also made of captures; empty means the {device} in "
		      "\"match\"")},
	{TEXT("method", .flags = TG_LIVE, .highest = 256,
	      .help = "commands: GET, POST, PUT, DELETE, FETCH, PATCH or IPATCH, also made of captures; empty means "
		      "what the message says, else POST")},
	{TEXT("response", .flags = TG_LIVE, .highest = TG_PATH_MAX,
	      .help = "commands: the address that the outcome is published at, where the command names no response "
		      "address of its own")},
	{TEXT("response_to", .flags = TG_LIVE, .highest = FRAME_NAME_MAX,
	      .help = "commands: the endpoint of \"response\"; empty means the one that the command came from")},
	{.name = "response_allowed",
	 .type = TG_LIST,
	 .flags = TG_LIVE,
	 .unit = "",
	 .highest = 64,
	 .help = "commands: the response addresses that a command may name, '*' stands for any characters; empty "
		 "means all"},
	{.name = NULL},
};

static const struct schema_section sections[SCHEMA_PLACES] = {
	[SCHEMA_GATEWAY] = {"gateway", "gateway", false, gateway_rows, "who this gateway is"},
	[SCHEMA_OUTBOX] =
		{"outbox", "outbox", false, outbox_rows,
		 "the queue in front of each sink; the same group inside of an endpoint stands for that sink alone"},
	[SCHEMA_STORE] = {"store", "store", false, store_rows, "the disk space for messages that wait for a sink"},
	[SCHEMA_LIMITS] = {"limits", "limits", false, limits_rows, "what bounds devices and endpoint processes"},
	[SCHEMA_CLOCK] = {"clock", "clock", false, clock_rows,
			  "when the machine's clock is believed, see The clock in tidegated(8)"},
	[SCHEMA_CERTIFICATES] = {"certificates", "certificates", false, certificates_rows,
				 "the watch over certificates in use, see Certificates in tidegated(8)"},
	[SCHEMA_LOG] = {"log", "log", false, log_rows, "what is written to the log"},
	[SCHEMA_ENDPOINT] = {"endpoints", "endpoint", true, endpoint_rows, "whom the gateway talks to, and how"},
	[SCHEMA_ROUTE] = {"routes", "route", true, route_rows,
			  "which messages go where; the first that matches takes the message"},
	[SCHEMA_PROFILE] =
		{"profiles", "profile", true, schema_profile_rows,
		 "what the devices of one kind may do, within the gateway's limits; a device has the one that "
		 "the registry names for it, else the first that names the device, else \"default\""},
};

const struct schema_section *schema_section(enum schema_place place)
{
	assert(place < SCHEMA_PLACES);
	return &sections[place];
}

const struct tg_setting *schema_find(const struct tg_setting *rows, const char *name)
{
	for (; rows->name; rows++)
		if (strcmp(rows->name, name) == 0)
			return rows;
	return NULL;
}

size_t schema_count(const struct tg_setting *rows)
{
	size_t count = 0;

	while (rows[count].name)
		count++;
	return count;
}

const char *schema_type_name(uint32_t type)
{
	switch ((enum tg_setting_type)type) {
	case TG_BOOL:
		return "true or false";
	case TG_INT:
		return "a whole number";
	case TG_TEXT:
		return "a text in quotes";
	case TG_LIST:
		return "a list of texts, such as [ \"a\", \"b\" ]";
	case TG_CHOICE:
		return "a word in quotes";
	case TG_FILE:
	case TG_KEY_FILE:
		return "the path of a file in quotes";
	}
	return "nothing known";
}

bool schema_is_choice(const struct tg_setting *row, const char *word)
{
	size_t size = strlen(word);
	const char *at = row->choices ? row->choices : "";

	while (*at) {
		size_t length = strcspn(at, " ");

		if (length == size && size > 0 && memcmp(at, word, size) == 0)
			return true;
		at += length + (at[length] == ' ');
	}
	return false;
}

bool schema_is_limited(const struct tg_setting *row)
{
	return row->lowest != 0 || row->highest != 0;
}

void schema_range(const struct tg_setting *row, char ret_text[SCHEMA_RANGE_SIZE])
{
	const char *what = row->unit ? row->unit : "";

	ret_text[0] = '\0';
	if (!schema_is_limited(row))
		return;
	if (row->type == TG_TEXT)
		what = "characters";
	else if (row->type == TG_LIST)
		what = "entries";
	else if (row->type != TG_INT)
		return;
	snprintf(ret_text, SCHEMA_RANGE_SIZE, "%" PRId64 " to %" PRId64 "%s%s", row->lowest, row->highest,
		 *what ? " " : "", what);
}
